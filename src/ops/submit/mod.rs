//! `run submit`: an experiment's cells as jobs of a cluster, each from its anchor, each exactly once.
//!
//! What is about to be sent is written into the journal first ([`intent`]); the site claims it atomically and keeps the
//! job's id ([`claim`]); the record is one commit. A command that was cut off anywhere is brought to its end by the next
//! one, which looks before it sends.

mod cell;
mod checks;
mod claim;
mod deliver;
pub mod here;
pub mod intent;
mod job;
mod outcome;
mod planned;
mod rerun;
pub mod send;
mod walltime;

use super::record::Recorded;
use super::run::Place;
use super::run_cells::{Composer, Wanted, cells};
use super::site::Site;
use super::{Context, record, trust};
use crate::runs::pack;
use crate::state::ids::RunId;
use crate::state::problem::{Problem, Problems};
use crate::state::record::SeedsAs;
use crate::state::tree::Tree;
use cell::Setting;
use intent::Intent;
pub use outcome::{AttemptOut, CellOut, Outcome};
pub use rerun::rerun;

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The cells and seeds.
    pub wanted: Wanted,
    /// The cluster; the plan's, that of configs/ar.yaml, or the only one when absent.
    pub cluster: Option<String>,
    /// How seeds become jobs; chosen from the queue's limits when absent.
    pub seeds_as: Option<SeedsAs>,
    /// The queue; the profile's default when absent.
    pub queue: Option<String>,
    /// Seconds; estimated when absent.
    pub walltime_s: Option<u64>,
    /// This machine is the site: nothing is committed here, receipts are left for `tick`.
    pub here: bool,
    /// Only show the scripts.
    pub dry_run: bool,
    /// The iteration, when it is not the active one.
    pub iteration: Option<String>,
    /// The project.
    pub project: Option<String>,
}

/// Submit what is wanted and record it.
///
/// # Errors
/// Everything that refuses a run; [`crate::state::problem::Kind::SchedulerRefused`] with the scheduler's words,
/// [`crate::state::problem::Kind::Unavailable`] when the site does not answer. What got in before is recorded.
pub fn start(context: &Context<'_>, request: &Request) -> Result<Outcome, Problems> {
    let disk = context.repo.work_tree();
    let place = Place::find(context, &disk, request.iteration.as_deref(), request.project.as_deref())?;
    place.allow(request.wanted.kind)?;
    let request = &planned::filled(context, &place, request);
    if context.commit && !request.here && !request.dry_run {
        context.repo.refuse_in_progress()?;
    }
    let base = checks::base(context)?;
    let name = checks::cluster(context, &base.head, request.cluster.as_deref())?;
    let site = match request.here {
        true => Site::here(context, &base.head, &name)?,
        false => Site::open(context, &base.head, &name)?,
    };
    let env = job::environment(&site.profile);
    let trainer = site.profile.trainer.as_ref().unwrap_or(&context.settings.trainer);
    if site.profile.trainer.is_none() && !request.dry_run {
        trust::require_trainer(context, &base.head)?;
    }
    let dir = &context.settings.config_dir;
    let composer = Composer { tree: &base.head, dir, env: &env, typed: trainer.is_built_in() };
    let cells = cells(&composer, &place, &request.wanted)?;
    let mut outcome = Outcome::new(place.name(), name, request);
    if !request.dry_run {
        outcome.settled = settle(context, &site, request.here)?;
    }
    let manifest = pack::manifest(&base.head, &context.settings.code)?.1;
    let setting = Setting { context, request, site: &site, place: &place, base: &base, manifest };
    for (cell, seeds) in &cells {
        outcome.cells.push(setting.cell(cell, seeds)?);
    }
    Ok(outcome)
}

/// Brings what earlier commands left to its end; says what that was.
fn settle(context: &Context<'_>, site: &Site, here: bool) -> Result<Vec<String>, Problems> {
    let mut said = Vec::new();
    let settled = intent::settle(context, site, context.now)?;
    let (found, nothing): (Vec<_>, Vec<_>) = settled.into_iter().partition(|s| s.job.is_some());
    said.extend(nothing.iter().map(|settled| {
        let why =
            settled.refused.as_ref().map_or("never reached the scheduler".into(), |w| format!("was refused: {w}"));
        format!("run {}, attempt {}: an earlier submit {why}", settled.intent.run, settled.intent.attempt)
    }));
    let mut rest: Vec<(Intent, String)> = found.into_iter().filter_map(|s| Some((s.intent, s.job?))).collect();
    while let Some(run) = rest.first().map(|(intent, _)| intent.run.clone()) {
        let (of_run, others) = rest.into_iter().partition(|(intent, _)| intent.run == run);
        rest = others;
        note(context, site, here, &of_run)?;
        for (intent, job) in &of_run {
            said.push(format!(
                "run {run}, attempt {}: it was submitted as job {job}, and is recorded now",
                intent.attempt
            ));
        }
    }
    said.iter().for_each(|line| context.progress.say(line));
    Ok(said)
}

/// Records attempts of one run that the scheduler has: one commit, or a receipt on the site.
fn note(context: &Context<'_>, site: &Site, here: bool, sent: &[(Intent, String)]) -> Result<Recorded, Problems> {
    let Some((first, _)) = sent.first() else { return Ok(Recorded::default()) };
    let recorded = match here {
        true => {
            here::leave(site, sent)?;
            Recorded::default()
        }
        false => {
            let disk = context.repo.work_tree();
            let mut writes: Vec<record::Write> = Vec::new();
            for (intent, job) in sent {
                let new = intent.writes(&disk as &dyn Tree, job)?;
                writes.extend(
                    new.into_iter().filter(|w| writes.iter().all(|other| other.path != w.path)).collect::<Vec<_>>(),
                );
            }
            let trailers: Vec<(&str, String)> =
                first.trailers.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
            let subject = subject(first, sent);
            let recorded = context.record("run submit", writes, &subject, &trailers);
            recorded.map_err(|problems| kept(problems, &first.run, sent))?
        }
    };
    for (intent, _) in sent {
        intent.observed(context, context.now)?;
    }
    Ok(recorded)
}

fn subject(first: &Intent, sent: &[(Intent, String)]) -> String {
    let jobs: Vec<&str> = sent.iter().map(|(_, job)| job.as_str()).collect();
    let jobs = if jobs.len() == 1 { format!("job {}", jobs[0]) } else { format!("{} jobs", jobs.len()) };
    format!("{}: run {} submitted to {} as {jobs}", first.place, first.run, first.cluster)
}

/// The jobs are queued whatever kept the record from being written.
fn kept(mut problems: Problems, run: &RunId, sent: &[(Intent, String)]) -> Problems {
    let jobs: Vec<&str> = sent.iter().map(|(_, job)| job.as_str()).collect();
    let message = format!("run {run} is queued as {} and not recorded yet", jobs.join(", "));
    let problem = Problem::new(crate::state::problem::Kind::Io, "not-recorded", message);
    problems.0.push(problem.hint("mend what is named above and repeat the command: it records what is queued").warn());
    problems
}
