//! Everything of one iteration that its gates look at, read once.

use std::collections::{BTreeMap, BTreeSet};

use crate::state::ids::RunId;
use crate::state::load::{self, IterationView, RunView};
use crate::state::problem::Problem;
use crate::state::project::{Finding, References};
use crate::state::tree::{Tree, join};

/// The evidence in one iteration's folder and around it.
pub struct Evidence {
    /// The iteration.
    pub view: IterationView,
    /// Its runs, oldest first.
    pub runs: Vec<RunView>,
    /// `survey.md`.
    pub survey: Option<String>,
    /// `analysis.md`.
    pub analysis: Option<String>,
    /// `conclusion.md`.
    pub conclusion: Option<String>,
    /// What was read.
    pub references: References,
    /// The project's findings.
    pub findings: BTreeMap<String, Finding>,
    /// The iteration that this one supersedes.
    pub superseded: Option<IterationView>,
    /// Runs that come with the very change that is judged, as those of a branch that is merged or squashed do.
    pub arrived: BTreeSet<RunId>,
}

impl Evidence {
    /// Read everything of one iteration.
    pub fn gather(tree: &dyn Tree, view: IterationView) -> Result<Self, Problem> {
        let text = |name: &str| -> Result<Option<String>, Problem> {
            let bytes = tree.read(&join(&view.folder, name))?;
            Ok(bytes.map(|b| String::from_utf8_lossy(&b).into_owned()))
        };
        let runs = load::runs(tree, &view.folder)?;
        Ok(Self {
            survey: text("survey.md")?,
            analysis: text("analysis.md")?,
            conclusion: text("conclusion.md")?,
            references: load::references(tree, &view.project)?,
            findings: load::findings(tree, &view.project)?,
            superseded: superseded(tree, &view)?,
            arrived: BTreeSet::new(),
            runs,
            view,
        })
    }
}

fn superseded(tree: &dyn Tree, view: &IterationView) -> Result<Option<IterationView>, Problem> {
    let Some(id) = view.iteration.supersedes else { return Ok(None) };
    let folders = load::iteration_folders(tree, &view.project)?;
    match folders.into_iter().find(|(other, _)| *other == id) {
        Some((id, folder)) => load::iteration(tree, &view.project, id, &folder),
        None => Ok(None),
    }
}
