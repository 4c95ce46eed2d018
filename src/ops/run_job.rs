//! A run that is about to be attempted: new, on record, or started and never recorded.

use std::time::Instant;

use jiff::Timestamp;

use super::run_cells::Cell;
use crate::cluster::profile;
use crate::runs::layout::RunDir;
use crate::runs::scratch;
use crate::state::ids::RunId;
use crate::state::load::RunView;
use crate::state::problem::Problem;
use crate::state::record::{Attempt, Exit, Run, Start, Verdict};

/// A run that is to be attempted.
pub(super) struct Job {
    /// Its id.
    pub(super) id: RunId,
    pub(super) run: Run,
    /// The recorded config, when the run is new, and the one for the trainer.
    pub(super) stored: Option<String>,
    pub(super) resolved: String,
    /// Attempts on record.
    pub(super) attempts: u32,
    /// The seeds to train.
    pub(super) seeds: Vec<u64>,
    /// How the attempts on record ended.
    pub(super) exits: Vec<Exit>,
    /// The run is not on record, but was started.
    pub(super) lost: bool,
}

impl Job {
    /// The first attempt of a new run.
    pub(super) fn new(id: RunId, run: Run, cell: &Cell) -> Self {
        let seeds = run.seeds.as_slice().to_vec();
        Self {
            id,
            run,
            stored: Some(cell.stored.clone()),
            resolved: cell.resolved.clone(),
            attempts: 0,
            seeds,
            exits: Vec::new(),
            lost: false,
        }
    }

    /// The next attempt of a run that was started and never recorded.
    pub(super) fn lost(id: RunId, run: Run, cell: &Cell) -> Self {
        Self { lost: true, ..Self::new(id, run, cell) }
    }

    /// The next attempt of a run on record.
    pub(super) fn again(view: &RunView, cell: &Cell) -> Self {
        let done: Vec<u64> = super::run::finished(view).collect();
        Self {
            id: view.id.clone(),
            run: view.run.clone(),
            stored: None,
            resolved: cell.resolved.clone(),
            attempts: view.attempts.keys().next_back().copied().unwrap_or_default(),
            seeds: view.run.seeds.as_slice().iter().copied().filter(|seed| !done.contains(seed)).collect(),
            exits: view.attempts.values().filter_map(|a| a.exit.clone()).collect(),
            lost: false,
        }
    }
}

/// The time now, counted from the time of the command, so that a fixed clock stays fixed.
#[derive(Clone, Copy)]
pub(super) struct Clock(pub(super) Timestamp, pub(super) Instant);

impl Clock {
    pub(super) fn now(self) -> Timestamp {
        let at = self.0.checked_add(self.1.elapsed()).unwrap_or(self.0);
        Timestamp::from_second(at.as_second()).unwrap_or(self.0)
    }
}

/// What the latest attempt in a run's directory attested.
pub(super) fn attested(dir: &RunDir) -> Result<(Option<Start>, Option<Exit>), Problem> {
    let start = scratch::read(&dir.start())?.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let exit = scratch::read(&dir.exit())?.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Ok((start, exit))
}

/// The attempt that was made and not recorded, as far as it attested itself.
pub(super) fn lost_attempt(run: &Run, (start, exit): (Option<Start>, Option<Exit>)) -> Attempt {
    let verdict = if exit.is_some() { Verdict::Failed } else { Verdict::Killed };
    Attempt {
        start,
        exit,
        verdict: Some(verdict),
        reason: Some("git-ar ended before it could record this attempt".into()),
        ..Attempt::new(profile::LOCAL, run.created)
    }
}
