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
pub use files::{Generated, README, fill, generated, generated_from, stale};
pub use source::names;

#[cfg(test)]
mod tests;
