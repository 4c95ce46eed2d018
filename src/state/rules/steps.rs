//! An iteration's steps: append-only, one phase at a time, through its gates.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::gates::{self, Outcome};
use super::moved::Moved;
use super::view::Evidence;
use super::{Case, Depth, frozen, kept};
use crate::state::entities::Step;
use crate::state::ids::{IterId, RunId, Slug};
use crate::state::load::{self, IterationView, RunView};
use crate::state::migrate;
use crate::state::overlay::Overlay;
use crate::state::phase::{Move, Phase};
use crate::state::problem::Kind;
use crate::state::problem::Problem;
use crate::state::record::{Run, RunKind};
use crate::state::tree::{EntryKind, join};

/// What is wrong with one iteration in which something changed.
pub(super) fn check(
    case: &Case<'_>,
    moved: &Moved,
    depth: Depth,
    slug: &Slug,
    id: IterId,
    folder: &str,
) -> Result<Vec<Problem>, Problem> {
    let Some(after) = load::iteration(case.after, slug, id, folder)? else { return Ok(Vec::new()) };
    let before = before(case, moved, slug, folder, &after);
    let mut found = duplicate(case, slug, id, folder)?;
    let old: &[Step] = before.as_ref().map_or(&[], |b| &b.iteration.steps);
    found.extend(shape(&after, old));
    if !found.is_empty() {
        return Ok(found);
    }
    let new = &after.iteration.steps[old.len()..];
    let start = old.last().map_or(Phase::Planned, |s| s.to);
    found.extend(frozen::check(case, before.as_ref(), &after, start, new)?);
    found.extend(misdated(&after, old.len(), case.today));
    found.extend(early_runs(case, before.as_ref(), &after, start, new)?);
    found.extend(waivers(&after));
    if found.is_empty() && depth == Depth::Gates {
        let left = left_forward(start, new);
        found.extend(gates_passed(case, after.clone(), &left)?);
        if let Some(before) = before {
            let phases: Vec<Phase> = left.iter().map(|(phase, _)| *phase).collect();
            found.extend(kept::check(case, &before, after, &phases)?);
        }
    }
    Ok(found)
}

/// The iteration before the change, also when its folder was renamed by it. What stood there before may not read;
/// then it is as if it were new, and its whole step list is judged.
fn before(case: &Case<'_>, moved: &Moved, slug: &Slug, folder: &str, after: &IterationView) -> Option<IterationView> {
    let read = |folder: &str| match load::iteration(case.before, slug, after.id, folder) {
        Ok(view) => view,
        Err(_) => older(case, slug, folder, after),
    };
    let steps = &after.iteration.steps;
    let is_same = |old: &IterationView, id: IterId| {
        id == after.id || !old.iteration.steps.is_empty() && steps.starts_with(&old.iteration.steps)
    };
    let gone = case.changes.iter().filter(|c| c.is_removed() && c.path.ends_with("/iteration.yaml"));
    let mut renamed = gone.filter_map(|c| load::iteration_of_path(&c.path).filter(|(project, ..)| project == slug));
    read(folder)
        .or_else(|| moved.origin(folder).and_then(read))
        .or_else(|| renamed.find_map(|(_, id, folder)| read(&folder).filter(|old| is_same(old, id))))
}

/// An iteration whose file was of an older version, as it is in the present one.
fn older(case: &Case<'_>, slug: &Slug, folder: &str, after: &IterationView) -> Option<IterationView> {
    let path = format!("{folder}/iteration.yaml");
    let text = migrate::migrated(&path, &case.before.read(&path).ok().flatten()?)?;
    let tree = Overlay::new(case.before, [(path, Some(text.into_bytes()))]);
    load::iteration(&tree, slug, after.id, folder).ok().flatten()
}

/// Two folders with one id.
fn duplicate(case: &Case<'_>, slug: &Slug, id: IterId, folder: &str) -> Result<Vec<Problem>, Problem> {
    let entries = case.after.list(&format!("projects/{slug}/iterations"))?;
    let same = |name: &str| IterId::of_folder(name) == Some(id) && !folder.ends_with(&format!("/{name}"));
    let other = entries.iter().find(|e| e.kind == EntryKind::Folder && same(&e.name));
    Ok(other.map(|other| twice(slug, id, folder, &other.name)).into_iter().collect())
}

fn twice(slug: &Slug, id: IterId, folder: &str, other: &str) -> Problem {
    Problem::new(
        Kind::Invalid,
        "duplicate-id",
        format!(
            "iteration id {id} is used twice in {slug}: the other one is projects/{slug}/iterations/{other}/iteration.yaml"
        ),
    )
    .at(format!("{folder}/iteration.yaml"))
    .line(Some(1))
    .hint(format!("git ar iter renumber {slug}/{other} NEW-ID"))
}

/// The step list continues the old one, each step is legal, and `phase` is where it ends.
fn shape(after: &IterationView, old: &[Step]) -> Option<Problem> {
    let iteration = &after.iteration;
    let refuse = |code, key: &str, message: String| {
        let problem = Problem::new(Kind::Refused, code, message).at(after.path()).line(after.line(key));
        problem.hint(format!("git ar phase why {}", after.name()))
    };
    if !iteration.steps.starts_with(old) {
        return Some(refuse(
            "steps-rewritten",
            "steps",
            "the list of steps is rewritten; steps are only ever appended".into(),
        ));
    }
    let mut phase = Phase::Planned;
    for step in &iteration.steps {
        let reason = step.reason.as_deref().is_some_and(|r| !r.trim().is_empty());
        match phase.step(step.to) {
            Some(Move::Forward) => {}
            Some(Move::Back | Move::Abandon) if reason => {}
            Some(_) => {
                return Some(refuse(
                    "no-reason",
                    "steps",
                    format!("the step from {phase} to {} needs a reason", step.to),
                ));
            }
            None => return Some(refuse("no-such-step", "steps", no_step(phase, step.to))),
        }
        phase = step.to;
    }
    if iteration.phase != phase {
        let message = format!(
            "phase is {}, but the steps end in {phase}; a phase changes by one step at a time",
            iteration.phase
        );
        return Some(refuse("phase-jump", "phase", message));
    }
    None
}

/// New steps are dated after those before them and not in the future. Clocks of two machines may differ by a day.
fn misdated(after: &IterationView, known: usize, today: jiff::civil::Date) -> Option<Problem> {
    let day = |step: &Step| step.at.to_zoned(jiff::tz::TimeZone::UTC).date();
    let steps = &after.iteration.steps;
    let message = steps.iter().enumerate().skip(known).find_map(|(index, step)| {
        let before = index.checked_sub(1).map(|before| day(&steps[before]));
        match before.filter(|before| before.yesterday().is_ok_and(|yesterday| day(step) < yesterday)) {
            Some(before) => Some(format!(
                "the step to {} is dated {}, before the step that it follows ({before})",
                step.to,
                day(step)
            )),
            None if today.tomorrow().is_ok_and(|tomorrow| day(step) > tomorrow) => {
                Some(format!("the step to {} is dated {}, which is yet to come", step.to, day(step)))
            }
            None => None,
        }
    })?;
    let problem = Problem::new(Kind::Refused, "misdated", message).at(after.path()).line(after.line("steps"));
    Some(problem.hint("git ar phase next writes the date; if it is wrong, see this machine's clock"))
}

fn no_step(from: Phase, to: Phase) -> String {
    let legal: Vec<&str> = from.reachable().into_iter().map(Phase::word).collect();
    match legal.as_slice() {
        [] => format!("no step leads from {from} to {to}: {from} is an end"),
        legal => format!("no step leads from {from} to {to}; from {from} one goes to {}", legal.join(", ")),
    }
}

/// Every phase that the iteration was in during the change.
pub(super) fn passed(start: Phase, new: &[Step]) -> impl Iterator<Item = Phase> + '_ {
    std::iter::once(start).chain(new.iter().map(|s| s.to))
}

/// Full runs start in experiment.
fn early_runs(
    case: &Case<'_>,
    before: Option<&IterationView>,
    after: &IterationView,
    start: Phase,
    new: &[Step],
) -> Result<Option<Problem>, Problem> {
    if passed(start, new).any(|p| p == Phase::Experiment) {
        return Ok(None);
    }
    let runs = format!("{}/runs/", after.folder);
    for change in case.changes.iter().filter(|c| c.is_added() && c.path.ends_with("/run.yaml")) {
        let Some(rest) = change.path.strip_prefix(&runs) else { continue };
        let was_there = |b: &IterationView| case.before.read(&format!("{}/runs/{rest}", b.folder));
        if before.map(was_there).transpose()?.flatten().is_some() {
            continue;
        }
        let full = load::read::<Run>(case.after, &change.path)?.is_some_and(|r| r.kind == RunKind::Full);
        if full {
            return Ok(Some(too_early(after)));
        }
    }
    Ok(None)
}

/// The refusal of a full run outside the experiment phase.
pub fn too_early(view: &IterationView) -> Problem {
    let message =
        format!("iteration {} is in phase {}; full runs start in experiment", view.name(), view.iteration.phase);
    let problem = Problem::new(Kind::Refused, "phase", message).at(view.path()).line(view.line("phase"));
    problem.hint(format!("git ar phase why {}", view.name()))
}

fn waivers(after: &IterationView) -> Option<Problem> {
    let known = |name: &str| gates::GATES.iter().any(|g| g.name == name);
    let wrong = after.iteration.waivers.iter().find(|w| !known(&w.gate) || w.reason.trim().is_empty())?;
    let message = match known(&wrong.gate) {
        true => format!("the waiver of gate `{}` needs a reason", wrong.gate),
        false => format!("there is no gate `{}`", wrong.gate),
    };
    let problem = Problem::new(Kind::Invalid, "waiver", message).at(after.path()).line(after.line("waivers"));
    Some(problem.hint("git ar gate list   names the gates"))
}

/// The phases that the new steps leave forward, each with the step's own day: a branch that is merged later was not
/// late when its steps were made.
fn left_forward(start: Phase, new: &[Step]) -> Vec<(Phase, Date)> {
    let moves = passed(start, new).zip(new).filter(|(from, step)| from.step(step.to) == Some(Move::Forward));
    moves.map(|(from, step)| (from, step.at.to_zoned(jiff::tz::TimeZone::UTC).date())).collect()
}

/// The gates of every phase that was left forward.
fn gates_passed(case: &Case<'_>, after: IterationView, left: &[(Phase, Date)]) -> Result<Vec<Problem>, Problem> {
    if left.is_empty() {
        return Ok(Vec::new());
    }
    let mut evidence = Evidence::gather(case.after, after)?;
    evidence.arrived = arrived(case, &evidence.runs)?;
    let mut found = Vec::new();
    for (phase, day) in left {
        for result in gates::gates_of(*phase, &evidence, case.facts, *day)? {
            if let Outcome::Unmet(problems) = result.outcome {
                found.extend(problems);
            }
        }
    }
    Ok(found)
}

/// The runs that were not there before.
fn arrived(case: &Case<'_>, runs: &[RunView]) -> Result<BTreeSet<RunId>, Problem> {
    let mut found = BTreeSet::new();
    for run in runs {
        if case.before.read(&join(&run.folder, "run.yaml"))?.is_none() {
            found.insert(run.id.clone());
        }
    }
    Ok(found)
}
