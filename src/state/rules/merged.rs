//! A merge keeps the records of every side. Its first parent is judged like that of any commit; a merge made the other
//! way round would otherwise take away what only the other side has. So does a branch that is moved elsewhere.

use super::Case;
use super::files::{self, FileKind};
use crate::state::load;
use crate::state::problem::{Kind, Problem};
use crate::state::tree::{Change, Tree};

/// What a merge lost of one of its further parents, whose tree is `case.before`; `first` is the first parent's.
pub(super) fn check(case: &Case<'_>, first: &dyn Tree) -> Result<Vec<Problem>, Problem> {
    // A file of settings that does not read is told for the first parent.
    if !load::settings(case.after).is_ok_and(|settings| settings.is_some()) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for change in case.changes.iter().filter(|c| c.before.is_some()) {
        let kind = FileKind::of(&change.path);
        match &change.after {
            None if kind.is_record() && !is_elsewhere(case, change) => found.push(lost(change)),
            // Where both sides have it, the first parent's is kept; where one has it, that one's.
            Some(_) if kind.is_record() && first.read(&change.path)?.is_none() => {
                found.extend(files::rewritten(case, kind, change)?);
            }
            Some(_) if kind == FileKind::Iteration => found.extend(steps(case, change)?),
            _ => {}
        }
    }
    Ok(found)
}

/// Whether a record that left its place lies in the same run's folder elsewhere: the other side renamed its iteration.
fn is_elsewhere(case: &Case<'_>, gone: &Change) -> bool {
    let Some(place) = in_run(&gone.path) else { return false };
    case.changes.iter().any(|c| c.is_added() && c.after == gone.before && in_run(&c.path) == Some(place))
}

/// A path from its run's folder on: `kq7f3-a/seed-0/metrics.json`.
fn in_run(path: &str) -> Option<&str> {
    let (owner, _) = load::run_of_path(path)?;
    path.strip_prefix(&owner)?.strip_prefix("/runs/")
}

fn lost(change: &Change) -> Problem {
    let message = "a record that is there already is left out; what happened stays in the history";
    let hint = "keep the files of every run; one that should not count: git ar run exclude RUN --reason TEXT";
    Problem::new(Kind::Refused, "record-removed", message).at(&change.path).hint(hint)
}

/// Where one side went further on the same road, its steps are kept. Of two roads one is.
fn steps(case: &Case<'_>, change: &Change) -> Result<Option<Problem>, Problem> {
    let Some((slug, id, folder)) = load::iteration_of_path(&change.path) else { return Ok(None) };
    let read = |tree| load::iteration(tree, &slug, id, &folder);
    // What does not read is told for the first parent, or was so before.
    let (Ok(Some(before)), Ok(Some(after))) = (read(case.before), read(case.after)) else { return Ok(None) };
    let (old, new) = (&before.iteration.steps, &after.iteration.steps);
    if old.len() <= new.len() || !old.starts_with(new) {
        return Ok(None);
    }
    let message = "steps that were taken already are left out; steps are only ever appended";
    let problem = Problem::new(Kind::Refused, "steps-rewritten", message).at(after.path()).line(after.line("steps"));
    Ok(Some(problem.hint(format!("keep the longer list of steps and its phase; git ar phase why {}", after.name()))))
}
