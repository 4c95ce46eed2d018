//! Boards: list, render, check, show, explain. Each use case has a file of its own.

mod check;
mod explain;
mod render;
mod show;

pub use check::{Drift, check, drift, may_be_behind};
pub use explain::{Explained, explain};
pub use render::{Rendered, in_step, render};
pub use show::{Listed, Shown, list, show};
