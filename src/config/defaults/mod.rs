//! Defaults lists: which files make up a config, in which order, below which package.

mod choices;
mod entry;
mod expand;
mod list;

pub(super) use choices::Choices;
pub(super) use expand::expand;
