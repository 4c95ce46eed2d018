//! What a gate let pass stays: documents of phases that were left are not emptied, waivers that were used are not
//! taken back, and the comparison stays what the raw seeds give.

use super::Case;
use super::gates;
use super::view::Evidence;
use crate::state::entities::Waiver;
use crate::state::load::IterationView;
use crate::state::phase::Phase;
use crate::state::problem::{Kind, Problem};
use crate::state::tree::join;

/// Gates that rest on a document, with its file.
const WRITTEN: [(&str, &str); 7] = [
    ("survey", "survey.md"),
    ("references", "survey.md"),
    ("analysis", "analysis.md"),
    ("comparison", "analysis.md"),
    ("claims", "analysis.md"),
    ("conclusion", "conclusion.md"),
    ("carried", "conclusion.md"),
];

/// What is wrong with the phases that were left before this change; `judged` are those that it leaves itself.
pub(super) fn check(
    case: &Case<'_>,
    before: &IterationView,
    after: IterationView,
    judged: &[Phase],
) -> Result<Vec<Problem>, Problem> {
    let phase = after.iteration.phase;
    let left = |gate: Phase| gate < phase && phase != Phase::Abandoned && !judged.contains(&gate);
    let mut found: Vec<Problem> = waiver_taken_back(before, &after, &left).into_iter().collect();
    let mut touched = Vec::new();
    for (gate, file) in WRITTEN {
        if case.after.read(&join(&after.folder, file))? != case.before.read(&join(&before.folder, file))? {
            touched.push(gate);
        }
    }
    if touched.is_empty() {
        return Ok(found);
    }
    let evidence = Evidence::gather(case.after, after)?;
    for gate in gates::GATES.iter().filter(|g| left(g.phase) && touched.contains(&g.name)) {
        let waived = evidence.view.iteration.waivers.iter().any(|w| w.gate == gate.name);
        if !waived {
            found.extend(gate.verify(&evidence, case.facts)?);
        }
    }
    Ok(found)
}

/// A waiver of a gate that was passed is part of how it was passed.
fn waiver_taken_back(before: &IterationView, after: &IterationView, left: &dyn Fn(Phase) -> bool) -> Option<Problem> {
    let used = |w: &&Waiver| gates::GATES.iter().any(|g| g.name == w.gate && left(g.phase));
    let gone = before.iteration.waivers.iter().filter(used).find(|w| !after.iteration.waivers.contains(w))?;
    let message = format!("the waiver of gate `{}` is taken back, but its phase was left with it", gone.gate);
    let problem = Problem::new(Kind::Refused, "waiver-removed", message).at(after.path());
    let line = after.line("waivers").or_else(|| after.line("phase"));
    Some(problem.line(line).hint(format!("git restore --staged {}", after.path())))
}
