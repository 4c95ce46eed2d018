//! What came of a submit, for people and programs.

use std::fmt;

use serde::Serialize;

use super::Request;
use super::job::Ready;
use crate::ops::record::Recorded;
use crate::ops::run::kind_word;
use crate::ops::run_cells::{Cell, Wanted};
use crate::state::entities::Seeds;
use crate::state::ids::RunId;

/// What came of the command.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The place of the records.
    pub place: String,
    /// The cluster.
    pub cluster: String,
    /// Nothing was sent.
    pub dry_run: bool,
    /// This machine is the site, and nothing is committed here.
    pub here: bool,
    /// What became of submits that earlier commands left unsettled.
    pub settled: Vec<String>,
    /// Cell by cell.
    pub cells: Vec<CellOut>,
}

/// What came of one cell.
#[derive(Debug, Serialize)]
pub struct CellOut {
    /// The run; none when nothing was left to submit.
    pub run: Option<RunId>,
    /// Smoke or full.
    pub kind: &'static str,
    /// The experiment and its overrides.
    pub cell: String,
    /// Seeds that have a result, with the run that has it.
    pub earlier: Vec<(u64, RunId)>,
    /// Seeds that are on their way, with their run.
    pub active: Vec<(u64, RunId)>,
    /// Where the walltime comes from, when nobody asked for one.
    pub walltime: Option<String>,
    /// The jobs.
    pub attempts: Vec<AttemptOut>,
    /// What was recorded.
    #[serde(flatten)]
    pub recorded: Recorded,
}

/// One job.
#[derive(Debug, Serialize)]
pub struct AttemptOut {
    /// Its name at the scheduler.
    pub name: String,
    /// Its seeds, as `0-4`.
    pub seeds: String,
    /// The scheduler's id; none when nothing was sent.
    pub job: Option<String>,
    /// The queue.
    pub queue: Option<String>,
    /// `HH:MM:SS`.
    pub walltime: Option<String>,
    /// Its script, when nothing was sent.
    pub script: Option<String>,
}

impl Outcome {
    pub(super) fn new(place: String, cluster: String, request: &Request) -> Self {
        let (settled, cells) = (Vec::new(), Vec::new());
        Self { place, cluster, dry_run: request.dry_run, here: request.here, settled, cells }
    }
}

impl CellOut {
    pub(super) fn new(wanted: &Wanted, cell: &Cell) -> Self {
        let words: Vec<&str> = std::iter::once(&wanted.experiment).chain(&cell.overrides).map(String::as_str).collect();
        Self {
            run: None,
            kind: kind_word(wanted.kind),
            cell: words.join(" "),
            earlier: Vec::new(),
            active: Vec::new(),
            walltime: None,
            attempts: Vec::new(),
            recorded: Recorded::default(),
        }
    }
}

impl AttemptOut {
    pub(super) fn shown(seeds: &[u64], ready: &Ready) -> Self {
        Self { script: Some(ready.script.clone()), ..Self::of(seeds, ready) }
    }

    pub(super) fn sent(seeds: &[u64], ready: &Ready, job: &str) -> Self {
        Self { job: Some(job.to_string()), ..Self::of(seeds, ready) }
    }

    fn of(seeds: &[u64], ready: &Ready) -> Self {
        Self {
            name: ready.name.clone(),
            seeds: Seeds::try_from(seeds.to_vec()).map(|s| s.to_string()).unwrap_or_default(),
            job: None,
            queue: ready.record.resources.queue.clone(),
            walltime: ready.record.resources.walltime.clone(),
            script: None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cells.iter().try_for_each(|cell| cell.write(f, self))
    }
}

impl CellOut {
    fn write(&self, f: &mut fmt::Formatter<'_>, outcome: &Outcome) -> fmt::Result {
        if outcome.dry_run {
            // The scripts and nothing else, so that one can be piped to where it is needed.
            return self.attempts.iter().filter_map(|a| a.script.as_ref()).try_for_each(|script| f.write_str(script));
        }
        for (seed, run) in &self.earlier {
            writeln!(f, "{}: seed {seed} has its result in run {run}", self.cell)?;
        }
        for (seed, run) in &self.active {
            writeln!(f, "{}: seed {seed} is on its way in run {run}", self.cell)?;
        }
        let Some(run) = self.run.as_ref().filter(|_| !self.attempts.is_empty()) else {
            return writeln!(f, "{}: nothing is left to submit", self.cell);
        };
        writeln!(f, "{}: {} run {run} is queued on {}", self.cell, self.kind, outcome.cluster)?;
        for attempt in &self.attempts {
            let queue = attempt.queue.as_ref().map(|q| format!(", queue {q}")).unwrap_or_default();
            let walltime = attempt.walltime.as_deref().unwrap_or_default();
            let job = attempt.job.as_deref().unwrap_or_default();
            writeln!(f, "  job {job}: seeds {}{queue}, walltime {walltime}", attempt.seeds)?;
        }
        self.walltime.iter().try_for_each(|words| writeln!(f, "  {words}"))?;
        if outcome.here {
            return writeln!(f, "  a receipt is left on the site; git ar tick records it from your own clone");
        }
        write!(f, "  {}", self.recorded)
    }
}
