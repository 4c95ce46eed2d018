//! What an iteration promised when a full run was recorded: the record itself tells of an edit that came later, also
//! where a squash left no history.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::entities::Iteration;
use super::phase::Phase;
use super::tree::digest;

/// `frozen` of `run.yaml`: what its iteration said when the run was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Frozen {
    /// How many steps the iteration had.
    pub steps: usize,
    /// Digest of its question, hypothesis, prediction and plan.
    pub digest: String,
}

impl Frozen {
    /// What an iteration says now.
    #[must_use]
    pub fn of(iteration: &Iteration) -> Self {
        let Iteration { question, hypothesis, prediction, plan, .. } = iteration;
        let promised =
            json!({ "question": question, "hypothesis": hypothesis, "prediction": prediction, "plan": plan });
        Self { steps: iteration.steps.len(), digest: digest(promised.to_string().as_bytes()) }
    }

    /// Whether the iteration still says it, or was opened since then by a step back.
    #[must_use]
    pub fn holds(&self, now: &Iteration) -> bool {
        let since = now.steps.get(self.steps..);
        since.is_some_and(|steps| {
            let opened = steps.iter().any(|step| matches!(step.to, Phase::Survey | Phase::Implement));
            opened || Self::of(now).digest == self.digest
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::load;

    fn iteration(steps: &[&str], plan: &str) -> Iteration {
        let steps: String = steps.iter().map(|to| format!("  - {{to: {to}, at: 2026-01-01T00:00:00Z}}\n")).collect();
        let text = format!(
            "schema: 1\nphase: experiment\nsteps:\n{steps}question: q\nhypothesis: h\nprediction: {{metric: val/accuracy, \
             direction: maximize, baseline: none, reason: r, minimal_effect: 0.9, seeds: 2}}\nplan:\n  - {plan}\n"
        );
        load::parse("iteration.yaml", text.as_bytes()).unwrap()
    }

    #[test]
    fn a_promise_holds_until_it_is_edited_without_a_step_back() {
        let there = ["survey", "implement", "experiment"];
        let frozen = Frozen::of(&iteration(&there, "{experiment: a, seeds: 0-1}"));
        // It stands in records: a digest that came out differently would contradict every one of them.
        assert_eq!((frozen.steps, &frozen.digest[..16]), (3, "10d45156264934ec"));
        assert!(frozen.holds(&iteration(&there, "{seeds: [0, 1], experiment: a}")));
        let edited = "{experiment: a, seeds: 0-2}";
        assert!(!frozen.holds(&iteration(&there, edited)));
        assert!(!frozen.holds(&iteration(&[&there[..], &["analyze"]].concat(), edited)));
        assert!(frozen.holds(&iteration(&[&there[..], &["implement", "experiment"]].concat(), edited)));
        // Steps that were there are gone.
        assert!(!frozen.holds(&iteration(&there[..2], "{experiment: a, seeds: 0-1}")));
    }
}
