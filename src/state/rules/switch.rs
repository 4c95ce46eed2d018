//! `loop: on` and `off`: turning the phases off or on opens no gate.

use super::Case;
use super::gates::{self, Gate};
use super::view::Evidence;
use crate::state::entities::{Settings, Switch};
use crate::state::load::{self, IterationView};
use crate::state::phase::Phase;
use crate::state::problem::{Kind, Problem};

/// Phases are not turned off to get round the gates of an iteration that is under way.
pub(super) fn turned_off(case: &Case<'_>, settings: &Settings) -> Result<Option<Problem>, Problem> {
    let touched = case.changes.iter().any(|c| c.path == load::SETTINGS && c.before.is_some());
    if !touched || settings.phases == Switch::On {
        return Ok(None);
    }
    if load::settings(case.before).ok().flatten().is_none_or(|s| s.phases == Switch::Off) {
        return Ok(None);
    }
    for slug in load::projects(case.after)? {
        let active = load::iterations(case.after, &slug)?.into_iter().find(|v| v.iteration.phase.is_active());
        if let Some(view) = active {
            let message = format!("phases are turned off while {} is in phase {}", view.name(), view.iteration.phase);
            let problem = Problem::new(Kind::Refused, "loop-off", message).at(load::SETTINGS);
            return Ok(Some(
                problem.hint(format!("conclude it first, or git ar iter abandon {} --reason TEXT", view.name())),
            ));
        }
    }
    Ok(None)
}

/// Gates that need the code and the machine of their moment, which nobody can look at afterwards.
const OF_THEIR_MOMENT: [&str; 3] = ["plan", "smoke", "seeds"];

/// What was taken through phases while they were off is looked at when they are turned on: an iteration under way must
/// hold what its gates ask, one that has ended is told.
pub(super) fn turned_on(case: &Case<'_>, settings: &Settings) -> Result<Vec<Problem>, Problem> {
    let was_off = load::settings(case.before).ok().flatten().is_some_and(|s| s.phases == Switch::Off);
    if !was_off || settings.phases == Switch::Off {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for slug in load::projects(case.after)? {
        for view in load::iterations(case.after, &slug)? {
            found.extend(unjudged(case, view)?);
        }
    }
    Ok(found)
}

fn unjudged(case: &Case<'_>, view: IterationView) -> Result<Option<Problem>, Problem> {
    let phase = view.iteration.phase;
    if matches!(phase, Phase::Planned | Phase::Survey | Phase::Abandoned) {
        return Ok(None);
    }
    let (name, path, line) = (view.name(), view.path(), view.line("phase"));
    let evidence = Evidence::gather(case.after, view)?;
    let judged = |gate: &&Gate| gate.phase < phase && !OF_THEIR_MOMENT.contains(&gate.name);
    let mut open = Vec::new();
    for gate in gates::GATES.iter().filter(judged) {
        let waived = evidence.view.iteration.waivers.iter().any(|w| w.gate == gate.name);
        if !waived && !gate.verify(&evidence, case.facts)?.is_empty() {
            open.push(gate.name);
        }
    }
    if open.is_empty() {
        return Ok(None);
    }
    let came = if phase.is_end() { "ended" } else { "came this far" };
    let message = format!("{name} {came} while phases were off, and its gates do not hold: {}", open.join(", "));
    let problem = Problem::new(Kind::Refused, "loop-on", message).at(path).line(line);
    Ok(Some(match phase.is_end() {
        true => problem.hint("say so in its conclusion, or plan an iteration that supersedes it").warn(),
        false => {
            problem.hint(format!("write what is missing, waive the gates, or git ar iter abandon {name} --reason TEXT"))
        }
    }))
}
