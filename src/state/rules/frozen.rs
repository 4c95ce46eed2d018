//! Question, hypothesis, prediction and plan stand once a full run exists, except through a step back: told by what
//! changed, and by what the runs' own records say where a squash shows no change.

use super::Case;
use super::files::FileKind;
use super::steps::passed;
use crate::state::entities::{Iteration, Step};
use crate::state::load::{self, IterationView};
use crate::state::phase::Phase;
use crate::state::problem::{Kind, Problem};
use crate::state::record::{Run, RunKind};
use crate::state::tree::join;

/// What is wrong with an iteration that says something else than before, or than its runs' records.
pub(super) fn check(
    case: &Case<'_>,
    before: Option<&IterationView>,
    after: &IterationView,
    start: Phase,
    new: &[Step],
) -> Result<Option<Problem>, Problem> {
    match changed(case, before, after, start, new)? {
        None => contradicted(case, after),
        found => Ok(found),
    }
}

fn changed(
    case: &Case<'_>,
    before: Option<&IterationView>,
    after: &IterationView,
    start: Phase,
    new: &[Step],
) -> Result<Option<Problem>, Problem> {
    let Some(before) = before else { return Ok(None) };
    let Some(key) = changed_key(&before.iteration, &after.iteration) else { return Ok(None) };
    let open = passed(start, new).any(|p| matches!(p, Phase::Survey | Phase::Implement | Phase::Planned));
    let concluded = before.iteration.phase.is_end();
    if open && !concluded {
        return Ok(None);
    }
    let Some(run) = first_full_run(case, after, concluded)? else { return Ok(None) };
    let message = format!("`{key}` is changed, but it is frozen since the full run {run}");
    let problem = Problem::new(Kind::Refused, "frozen", message).at(after.path()).line(after.line(key));
    Ok(Some(problem.hint(opened_by(after, concluded))))
}

fn changed_key(before: &Iteration, after: &Iteration) -> Option<&'static str> {
    if before.question != after.question {
        return Some("question");
    }
    if before.hypothesis != after.hypothesis {
        return Some("hypothesis");
    }
    if before.prediction != after.prediction {
        return Some("prediction");
    }
    (before.plan != after.plan).then_some("plan")
}

fn first_full_run(case: &Case<'_>, view: &IterationView, end: bool) -> Result<Option<String>, Problem> {
    let runs = load::runs(case.before, &view.folder)?;
    let full = runs.into_iter().find(|r| r.run.kind == RunKind::Full).map(|r| r.id.to_string());
    Ok(full.or(end.then(|| "(the iteration has ended)".to_string())))
}

/// What opens the iteration for an edit.
fn opened_by(view: &IterationView, ended: bool) -> String {
    match ended {
        true => {
            format!(
                "a concluded iteration is never reopened: git ar iter new {} --supersedes {}",
                view.project, view.id
            )
        }
        false => format!("git ar phase back {} --to implement --reason TEXT", view.name()),
    }
}

/// A full run's record says what the iteration promised then. It is looked at when one of the two arrives or changes, so
/// that the results of runs under way are collected all the same.
fn contradicted(case: &Case<'_>, after: &IterationView) -> Result<Option<Problem>, Problem> {
    let runs = join(&after.folder, "runs");
    let matters = |path: &str| match FileKind::of(path) {
        FileKind::Iteration => path == after.path(),
        FileKind::Run => path.starts_with(&format!("{runs}/")),
        _ => false,
    };
    if !case.changes.iter().any(|c| c.after.is_some() && matters(&c.path)) {
        return Ok(None);
    }
    for entry in case.after.list(&runs)? {
        // A record that does not read is told by `files`.
        let run = load::read::<Run>(case.after, &format!("{runs}/{}/run.yaml", entry.name)).ok().flatten();
        let Some(run) = run.filter(|run| run.kind == RunKind::Full) else { continue };
        if run.frozen.is_none_or(|frozen| frozen.holds(&after.iteration)) {
            continue;
        }
        let message = format!(
            "question, hypothesis, prediction, plan or steps are not what they were when the full run {} was recorded",
            entry.name
        );
        let line = after.line("prediction").or_else(|| after.line("phase"));
        let problem = Problem::new(Kind::Refused, "frozen", message).at(after.path()).line(line);
        let hint = opened_by(after, after.iteration.phase.is_end());
        return Ok(Some(problem.hint(format!("write again what stood there; or {hint}"))));
    }
    Ok(None)
}
