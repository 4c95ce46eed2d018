//! Boards: list, render, check, show, explain, diff. Each use case has a file of its own.

mod check;
pub(super) mod diff;
mod explain;
mod render;
mod show;

pub use check::{Drift, check, drift, may_be_behind};
pub use diff::{Differences, diff};
pub use explain::{Explained, explain};
pub use render::{Rendered, in_step, render};
pub use show::{Listed, Shown, list, show};
