//! The rules: whether one tree may follow another.
//!
//! [`transitions`] is a pure function of two trees, what changed between them, the evidence that other layers
//! hand in, and a date. The pre-commit hook asks it about HEAD and the index, `check --range` about every commit
//! and its first parent. What it costs grows with the change, not with the trees.

mod checks;
mod documents;
mod files;
mod findings;
mod frozen;
mod gates;
mod kept;
mod merged;
mod moved;
mod records;
mod secrets;
mod steps;
mod switch;
mod view;
mod words;

use std::collections::BTreeSet;

use super::claims::Claim;
use super::entities::{Planned, Switch};
use super::load::{self, IterationView, RunView};
use super::problem::{Kind, Problem, Problems};
use super::tree::{Change, Tree};

pub use documents::{Document, untouched_sections};
pub(crate) use files::FileKind;
pub use gates::{GATES, Gate, GateResult, Outcome, gates_of};
pub use secrets::key_in;
pub use steps::too_early;
pub use view::Evidence;

/// One resolved config of an experiment's sweep, seeds apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The experiment.
    pub experiment: String,
    /// The overrides that make this cell.
    pub overrides: Vec<String>,
    /// Digest of its config.
    pub digest: String,
}

/// Facts about the tree after the change that only other layers can find out.
pub trait Facts {
    /// The cells of one line of a plan.
    fn cells(&self, planned: &Planned) -> Result<Vec<Cell>, Problems>;
    /// What stands against one line of a plan on the cluster where it is to run; nothing when none is meant.
    fn against_cluster(&self, planned: &Planned) -> Result<Vec<Problem>, Problem>;
    /// The digest of a stored config.
    fn config_digest(&self, path: &str, config: &[u8]) -> Result<String, Problem>;
    /// The digest of the tree's code.
    fn code_tree(&self) -> Result<String, Problem>;
    /// The text of the region `comparison` in analysis.md, recomputed from the raw seeds.
    fn comparison(&self, view: &IterationView, runs: &[RunView]) -> Result<String, Problem>;
    /// The claims of documents, recomputed from the raw seeds; a document that is not there has none.
    fn claims(&self, documents: &[String]) -> Result<Vec<Claim>, Problem>;
    /// The digest of a commit's code; `None` when the commit is not in this clone.
    fn code_tree_of(&self, commit: &str) -> Result<Option<String>, Problem>;
    /// Whether a commit that leads to the present one has this code.
    fn is_known_code(&self, code_tree: &str) -> Result<bool, Problem>;
}

/// What a step from one tree to another is judged by.
pub struct Case<'a> {
    /// The tree before; the empty tree when there was none.
    pub before: &'a dyn Tree,
    /// The tree after.
    pub after: &'a dyn Tree,
    /// What differs.
    pub changes: &'a [Change],
    /// Facts about the tree after.
    pub facts: &'a dyn Facts,
    /// The day on which waivers must hold.
    pub today: jiff::civil::Date,
}

/// Everything that is wrong with the step; warnings among it. Empty when git-ar does not manage the tree after.
pub fn transitions(case: &Case<'_>) -> Result<Vec<Problem>, Problem> {
    judge(case, Depth::Gates)
}

/// What is wrong with a tree as it stands, gates apart: they are judged at the step that passes them, with the code
/// and configs of that moment.
pub fn structure(case: &Case<'_>) -> Result<Vec<Problem>, Problem> {
    judge(case, Depth::Structure)
}

/// What a merge lost of one of its further parents, whose tree is `case.before`; `first` is the tree of its first parent,
/// against which [`transitions`] judges it.
pub fn merged(case: &Case<'_>, first: &dyn Tree) -> Result<Vec<Problem>, Problem> {
    merged::check(case, first)
}

/// How far the rules look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    Structure,
    Gates,
}

fn judge(case: &Case<'_>, depth: Depth) -> Result<Vec<Problem>, Problem> {
    let mut found = secrets::check(case)?;
    let settings = match load::settings(case.after) {
        Ok(Some(settings)) => settings,
        Ok(None) if load::settings(case.before).is_ok_and(|s| s.is_none()) => return Ok(found),
        Ok(None) => {
            found.push(settings_removed());
            return Ok(found);
        }
        Err(problem) => {
            let link = case.changes.iter().find(|c| c.path == load::SETTINGS && files::is_link(c));
            found.push(link.map_or(problem, files::not_a_file));
            return Ok(found);
        }
    };
    let moved = moved::Moved::of(case.changes);
    found.extend(files::check(case, &moved)?);
    found.extend(records::check(case, &moved)?);
    found.extend(findings::check(case, &moved)?);
    // A broken file is told once; the rules about iterations need files that read.
    if found.iter().any(|p| p.kind == Kind::Invalid) {
        return Ok(found);
    }
    found.extend(switch::turned_off(case, &settings)?);
    found.extend(switch::turned_on(case, &settings)?);
    // With `loop: off` the gates rest; that steps are appended one by one, and ids used once, holds all the same.
    // Turning the phases off does not open the gates of the same commit.
    let was_on = load::settings(case.before).ok().flatten().is_some_and(|s| s.phases == Switch::On);
    let depth = if was_on || settings.phases == Switch::On { depth } else { Depth::Structure };
    for (slug, id, folder) in touched(case.changes) {
        found.extend(steps::check(case, &moved, depth, &slug, id, &folder)?);
    }
    Ok(found)
}

/// The iterations in which something changed.
fn touched(changes: &[Change]) -> BTreeSet<(super::ids::Slug, super::ids::IterId, String)> {
    changes.iter().filter_map(|c| load::iteration_of_path(&c.path)).collect()
}

fn settings_removed() -> Problem {
    Problem::new(Kind::Refused, "settings-removed", "the file that puts this repository under git-ar is removed")
        .at(load::SETTINGS)
        .hint(format!("git restore --staged {}", load::SETTINGS))
}

#[cfg(test)]
mod tests;
