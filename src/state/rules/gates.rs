//! The gates: what must hold before a phase is left, verified from the files.
//!
//! One row per gate in [`GATES`]; one function per gate in `checks`. A gate that is waived is still computed, so that
//! a waiver which is no longer needed can be seen.

use super::view::Evidence;
use super::{Facts, checks, words};
use crate::state::phase::Phase;
use crate::state::problem::Problem;

/// One gate.
#[derive(Clone, Copy)]
pub struct Gate {
    /// Its name, as waivers use it.
    pub name: &'static str,
    /// The phase that it guards the way out of.
    pub phase: Phase,
    /// What it verifies.
    pub about: &'static str,
    check: fn(&Evidence, &dyn Facts) -> Result<Vec<Problem>, Problem>,
}

/// Every gate, in the order in which a person meets them.
pub const GATES: [Gate; 18] = [
    gate("question", Phase::Survey, "question and hypothesis are written", checks::question),
    gate(
        "prediction",
        Phase::Survey,
        "the prediction names metric, direction, baseline, minimal effect and seeds",
        checks::prediction,
    ),
    gate("survey", Phase::Survey, "survey.md says something in every section", checks::survey),
    gate("references", Phase::Survey, "survey.md cites at least one entry of references.yaml", checks::references),
    gate("plan", Phase::Implement, "the plan names experiments, and every cell composes", checks::plan),
    gate("cluster", Phase::Implement, "walltime and queue are legal for the plan's cluster", checks::cluster),
    gate("smoke", Phase::Implement, "a smoke run with this code and each cell's config ended well", checks::smoke),
    gate(
        "seeds",
        Phase::Experiment,
        "every cell and seed of the plan is completed or excluded with a reason",
        checks::seeds,
    ),
    gate(
        "result",
        Phase::Experiment,
        "a full run is valid, or the iteration is declared a negative result",
        checks::result,
    ),
    gate("active", Phase::Experiment, "no attempt is still active", checks::active),
    gate("metrics", Phase::Experiment, "each metrics.json is valid", checks::metrics),
    gate("analysis", Phase::Analyze, "analysis.md says something in every section", checks::analysis),
    gate(
        "comparison",
        Phase::Analyze,
        "health, comparison and score in analysis.md are what the raw seeds give",
        words::comparison,
    ),
    gate("claims", Phase::Analyze, "no claim in analysis.md is contradicted by the raw seeds", words::claims),
    gate("findings", Phase::Conclude, "a finding cites runs of this iteration", words::findings),
    gate("conclusion", Phase::Conclude, "conclusion.md says something in every section", checks::conclusion),
    gate(
        "carried",
        Phase::Conclude,
        "no claim in conclusion.md or in a finding about these runs is contradicted",
        words::carried,
    ),
    gate(
        "next",
        Phase::Conclude,
        "next directions are planned or `none`, and what is superseded is closed",
        checks::next,
    ),
];

const fn gate(
    name: &'static str,
    phase: Phase,
    about: &'static str,
    check: fn(&Evidence, &dyn Facts) -> Result<Vec<Problem>, Problem>,
) -> Gate {
    Gate { name, phase, about, check }
}

impl Gate {
    /// What is missing, waivers apart.
    pub(super) fn verify(&self, evidence: &Evidence, facts: &dyn Facts) -> Result<Vec<Problem>, Problem> {
        (self.check)(evidence, facts)
    }
}

/// How a gate stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Met,
    /// It does not, and why.
    Unmet(Vec<Problem>),
    /// It does not, and is set aside: reason and last day.
    Waived(String, jiff::civil::Date),
}

/// One gate with how it stands.
#[derive(Clone)]
pub struct GateResult {
    /// The gate.
    pub gate: Gate,
    /// How it stands.
    pub outcome: Outcome,
}

/// The gates on the way out of a phase.
pub fn gates_of(
    phase: Phase,
    evidence: &Evidence,
    facts: &dyn Facts,
    today: jiff::civil::Date,
) -> Result<Vec<GateResult>, Problem> {
    let mut results = Vec::new();
    for gate in GATES.into_iter().filter(|g| g.phase == phase) {
        let problems = gate.verify(evidence, facts)?;
        let waiver = evidence.view.iteration.waivers.iter().find(|w| w.gate == gate.name && w.expires >= today);
        let outcome = match waiver {
            _ if problems.is_empty() => Outcome::Met,
            Some(waiver) => Outcome::Waived(waiver.reason.clone(), waiver.expires),
            None => Outcome::Unmet(problems),
        };
        results.push(GateResult { gate, outcome });
    }
    Ok(results)
}
