//! L4: results in, text out. A board is a pure function of a git tree; one renderer per format.

mod build;
mod extras;
mod files;
mod json;
mod markdown;
mod rank;
mod sections;
mod source;
pub mod table;
pub mod terminal;

pub use build::{build, build_all};
pub use files::{Generated, Stale, generated, stale};
pub use source::{Program, names};

#[cfg(test)]
mod tests;
