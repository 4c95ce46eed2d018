//! `job resubmit`: a further attempt of a run, for the seeds that have no result.

use std::fmt;

use serde::Serialize;

use super::Named;
use crate::cluster::scheduler::{clock, seconds};
use crate::ops::Context;
use crate::ops::record::Recorded;
use crate::ops::submit::send::{self, Ask};
use crate::ops::{run, tick};
use crate::state::entities::Seeds;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::record::SeedsAs;

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Resubmitted {
    /// The run.
    pub run: String,
    /// Why nothing was done.
    pub nothing: Option<String>,
    /// The new attempt's number.
    pub attempt: Option<u32>,
    /// The scheduler's id.
    pub job: Option<String>,
    /// Its seeds.
    pub seeds: Option<String>,
    /// Its walltime.
    pub walltime: Option<String>,
    /// What was recorded.
    #[serde(flatten)]
    pub recorded: Recorded,
}

/// Submits the seeds of a run that have no result once more, from the run's own anchor and config.
///
/// # Errors
/// What keeps a job from being submitted; [`Kind::Usage`] for a run on this machine.
pub fn resubmit(
    context: &Context<'_>,
    name: &str,
    queue: Option<&str>,
    walltime_s: Option<u64>,
) -> Result<Resubmitted, Problems> {
    let named = Named::find(context, name, None)?;
    let site = named.site(context)?;
    let done: Vec<u64> = run::finished(&named.view).collect();
    let left: Vec<u64> = named.view.run.seeds.as_slice().iter().copied().filter(|s| !done.contains(s)).collect();
    let active = named.view.attempts.iter().find(|(_, attempt)| attempt.verdict.is_none());
    if let Some(why) = nothing(&left, active.map(|(number, _)| *number)) {
        return Ok(Resubmitted::nothing(&named, why));
    }
    if named.view.is_quarantined() {
        let message = format!("run {} is quarantined: what ran is not what was to run", named.view.id);
        let problem = Problem::new(Kind::Refused, "quarantined", message);
        return Err(problem.hint(format!("git ar run submit {}   as a new run", named.view.run.experiment)).into());
    }
    let resources = &named.attempt.resources;
    let recorded = resources.walltime.as_deref().and_then(seconds);
    let walltime_s = walltime_s.or(recorded).ok_or_else(|| {
        Problem::new(Kind::Usage, "walltime", "the record names no walltime").hint("name it with --walltime HH:MM:SS")
    })?;
    let ask = Ask {
        number: named.number + 1,
        seeds: &left,
        seeds_as: named.attempt.seeds_as.unwrap_or(SeedsAs::Sequence),
        queue: queue.or(resources.queue.as_deref()),
        walltime_s,
    };
    tick::may_land(context)?;
    let place = named.found.place(&named.tree)?;
    let sent = send::attempt(context, &site, &named.tree, (&place, &named.view), &ask)?;
    let writes = sent.intent.writes(&named.tree, &sent.job)?;
    let subject = format!("job: run {} goes on as attempt {}, job {}", named.view.id, ask.number, sent.job);
    let recorded = tick::commit(context, &subject, &place.trailers(&named.view.id), &writes)?;
    sent.intent.observed(context, context.now)?;
    Ok(Resubmitted {
        run: named.view.id.to_string(),
        nothing: None,
        attempt: Some(ask.number),
        job: Some(sent.job),
        seeds: Seeds::try_from(left).ok().map(|seeds| seeds.to_string()),
        walltime: Some(clock(walltime_s)),
        recorded,
    })
}

/// Why there is nothing to do.
fn nothing(left: &[u64], active: Option<u32>) -> Option<String> {
    match active {
        Some(number) => Some(format!("attempt {number} is active")),
        None => left.is_empty().then(|| "every seed has its result".to_string()),
    }
}

impl Resubmitted {
    fn nothing(named: &Named, why: String) -> Self {
        Self {
            run: named.view.id.to_string(),
            nothing: Some(why),
            attempt: None,
            job: None,
            seeds: None,
            walltime: None,
            recorded: Recorded::default(),
        }
    }
}

impl fmt::Display for Resubmitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why) = &self.nothing {
            return writeln!(f, "run {}: nothing changed: {why}", self.run);
        }
        write!(f, "run {}", self.run)?;
        self.seeds.iter().try_for_each(|seeds| write!(f, ", seeds {seeds}"))?;
        self.attempt.iter().try_for_each(|number| write!(f, ": attempt {number}"))?;
        self.job.iter().try_for_each(|job| write!(f, ", job {job}"))?;
        self.walltime.iter().try_for_each(|walltime| write!(f, ", for {walltime}"))?;
        writeln!(f)?;
        self.recorded.fmt(f)
    }
}
