//! Runs that are of the very cell that is wanted: which seeds they settle, which are on their way.

use super::run;
use super::run_cells::Wanted;
use crate::state::entities::Seeds;
use crate::state::ids::RunId;
use crate::state::load::RunView;
use crate::state::record::{RunKind, Verdict};

/// What makes a run one of a cell.
#[derive(Clone, Copy)]
pub(super) struct Same<'a> {
    pub(super) wanted: &'a Wanted,
    pub(super) digest: &'a str,
    pub(super) code_tree: &'a str,
}

impl Same<'_> {
    /// A run of this very cell, kind and code that may be counted.
    pub(super) fn is(&self, view: &RunView) -> bool {
        let run = &view.run;
        run.kind == self.wanted.kind
            && run.experiment == self.wanted.experiment
            && run.config_digest == self.digest
            && run.anchor.code_tree == self.code_tree
            && !view.is_quarantined()
    }

    /// The seeds that need no training, with the run that settles them. An excluded seed is settled when the plan
    /// asks for it, and trained again when a person does.
    pub(super) fn earlier(&self, same: &[&RunView], seeds: &Seeds) -> Vec<(u64, RunId)> {
        let typed = self.wanted.seeds.is_some();
        let settles = |view: &RunView, seed: u64| match view.excluded(seed) {
            Some(_) => !typed && view.run.seeds.as_slice().contains(&seed),
            None => run::finished(view).any(|s| s == seed),
        };
        let ends_well = |view: &RunView| {
            self.wanted.kind == RunKind::Full
                || view.last_attempt().is_some_and(|a| a.verdict == Some(Verdict::Succeeded))
        };
        let find = |seed: &u64| Some((*seed, same.iter().find(|v| ends_well(v) && settles(v, *seed))?.id.clone()));
        seeds.as_slice().iter().filter_map(find).collect()
    }
}

/// The seeds that an attempt without a verdict trains, with their run.
pub(super) fn active(same: &[&RunView], seeds: &[u64]) -> Vec<(u64, RunId)> {
    let trains = |view: &RunView, seed: u64| {
        let open = view.attempts.values().filter(|attempt| attempt.verdict.is_none());
        open.map(|a| a.seeds.as_ref().unwrap_or(&view.run.seeds)).any(|seeds| seeds.as_slice().contains(&seed))
    };
    let find = |seed: &u64| Some((*seed, same.iter().find(|view| trains(view, *seed))?.id.clone()));
    seeds.iter().filter_map(find).collect()
}

/// Whether a run that is not finished can go on there with the seeds that are missing.
pub(super) fn goes_on(view: &RunView, cluster: &str, missing: &[u64]) -> bool {
    let mine = view.run.seeds.as_slice();
    let left = |seed: &u64| mine.contains(seed) && !run::finished(view).any(|s| s == *seed);
    view.run.cluster == cluster && missing.iter().all(left) && !mine.iter().any(|seed| view.excluded(*seed).is_some())
}
