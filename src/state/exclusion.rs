//! What is said about a run afterwards: `exclusion.yaml`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entities::Seeds;
use super::ids::RunId;

/// `exclusion.yaml`: why a run, or some of its seeds, does not count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// File version.
    pub schema: u32,
    /// Why; shown on the board.
    pub reason: String,
    /// When.
    pub at: jiff::Timestamp,
    /// One word for the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The seeds; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seeds: Option<Seeds>,
    /// The run that replaces it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<RunId>,
    /// The commit that mends the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_by: Option<String>,
    /// Why the exclusion no longer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
}
