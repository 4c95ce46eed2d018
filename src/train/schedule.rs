//! How the learning rate changes from epoch to epoch, as a factor of the optimizer's rate.

use super::models::unknown;
use crate::state::yaml::{Error, Node, from_node};

/// Every schedule's name.
pub const NAMES: &[&str] = &["constant"];

/// A schedule with its settings.
#[derive(Clone, Debug, PartialEq)]
pub enum Config {
    /// The same rate throughout.
    Constant,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Config {
    /// The schedule that `name` and its keys describe.
    pub fn read(name: &str, settings: &Node) -> Result<Self, Error> {
        match name {
            "constant" => from_node::<Nothing>(settings).map(|Nothing {}| Self::Constant),
            _ => Err(unknown("schedule", name, NAMES, settings)),
        }
    }

    /// The learning rate of an epoch (from 0) of `epochs`.
    #[must_use]
    pub fn rate(&self, base: f64, _epoch: u64, _epochs: u64) -> f64 {
        match self {
            Self::Constant => base,
        }
    }
}
