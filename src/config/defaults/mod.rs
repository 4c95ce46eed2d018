//! Defaults lists: which files make up a config, in which order, below which package.

mod absent;
mod choices;
mod entry;
mod expand;
mod flatten;
mod list;

pub(super) use choices::Choices;
pub(super) use expand::expand;
