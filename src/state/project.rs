//! The entities of a project: the project itself, what was read for it, what was found.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::{IterId, RunId};

/// `projects/<slug>/project.yaml`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// File version.
    pub schema: u32,
    /// Title for people.
    pub title: String,
    /// The question that the project asks.
    pub question: String,
    /// Rungs on the way to the goal.
    #[serde(default)]
    pub ladder: Vec<Rung>,
}

/// One rung of a project's ladder.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// What is built there.
    pub step: String,
    /// What it stands on.
    #[serde(default)]
    pub note: Option<String>,
    /// The iterations that work on it.
    #[serde(default)]
    pub iterations: Vec<IterId>,
}

/// `projects/<slug>/references.yaml`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct References {
    /// File version.
    pub schema: u32,
    /// What was read.
    #[serde(default)]
    pub references: Vec<Reference>,
}

/// One thing that was read. One of `doi`, `arxiv` and `url` says where it is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// The key it is cited by, as `[@key]`.
    pub key: String,
    /// Its title.
    pub title: String,
    /// DOI, without an address in front.
    #[serde(default)]
    pub doi: Option<String>,
    /// arXiv number.
    #[serde(default)]
    pub arxiv: Option<String>,
    /// Address.
    #[serde(default)]
    pub url: Option<String>,
    /// What it says that matters here.
    #[serde(default)]
    pub says: String,
}

/// `projects/<slug>/findings/<id>.yaml`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// File version.
    pub schema: u32,
    /// The finding, one or two sentences.
    pub text: String,
    /// The runs it stands on.
    pub cites: Vec<RunId>,
    /// The finding of this project that it replaces, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<String>,
}
