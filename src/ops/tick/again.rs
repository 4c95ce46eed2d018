//! Submits from within a tick, by the very path of `run submit`: those whose answer had been lost, those that were made on
//! a cluster itself, and attempts that are made again.

use std::collections::{BTreeMap, BTreeSet};

use super::cluster::Ended;
use super::decide::Then;
use super::outcome::ClusterTick;
use super::{Context, Line, active, land};
use crate::cluster::scheduler::{clock, seconds};
use crate::ops::record::Write;
use crate::ops::site::Site;
use crate::ops::submit::here::{self, Receipt};
use crate::ops::submit::intent::{self, Intent};
use crate::ops::submit::send::{self, Ask};
use crate::repo::CommitTree;
use crate::state::ids::RunId;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::record::SeedsAs;

/// What became of submits that nobody had recorded.
#[derive(Default)]
pub(super) struct Settled {
    pub(super) said: Vec<String>,
    /// Clusters without an active attempt that gave no answer.
    pub(super) silent: Vec<ClusterTick>,
    pub(super) warnings: Vec<Problem>,
}

/// Finds out what became of submits that are not settled, takes the receipts of those that were made on a cluster itself
/// (of clusters with active attempts, and of those in `also`), and records both.
pub(super) fn settle(context: &Context<'_>, also: &[String]) -> Result<Settled, Problems> {
    let tree = super::tip(context)?;
    let busy: BTreeSet<String> = active::find(&tree)?.into_iter().map(|active| active.attempt.cluster).collect();
    let pending = intent::clusters(context)?;
    let names: BTreeSet<String> = pending.iter().chain(&busy).chain(also).cloned().collect();
    let mut settled = Settled::default();
    let (mut writes, mut intents, mut taken) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        match unrecorded(context, &tree, &name, &mut settled) {
            Ok((site, found, receipts)) => {
                for (intent, job) in &found {
                    writes.extend(new(intent.writes(&tree, job)?, &writes));
                }
                intents.extend(found.into_iter().map(|(intent, _)| intent));
                if !receipts.is_empty() {
                    taken.push((site, receipts));
                }
            }
            // A cluster with active attempts is asked again, and tells it then.
            Err(_) if busy.contains(&name) => {}
            Err(problem) => settled.silent(name, problem),
        }
    }
    if !writes.is_empty() {
        let runs: BTreeSet<&RunId> = intents.iter().map(|intent: &Intent| &intent.run).collect();
        let trailers: Vec<(&str, String)> = runs.iter().map(|run| ("AR-Run", run.to_string())).collect();
        let subject = format!("tick: {} found, submitted and not recorded", count(runs.len(), "run"));
        land::land(context, &subject, &trailers, &writes)?;
    }
    intents.iter().try_for_each(|intent| intent.observed(context, context.now))?;
    for (site, receipts) in taken {
        here::take(&site, &receipts)?;
    }
    Ok(settled)
}

type Unrecorded = (Site, Vec<(Intent, String)>, Vec<Receipt>);

/// Jobs of one cluster that no record names.
fn unrecorded(
    context: &Context<'_>,
    tree: &CommitTree,
    name: &str,
    settled: &mut Settled,
) -> Result<Unrecorded, Problem> {
    let site = Site::open(context, tree, name)?;
    let mut found = Vec::new();
    for outcome in intent::settle(context, &site, context.now)? {
        let attempt = format!("{}.{}", outcome.intent.run, outcome.intent.attempt);
        match (outcome.job, outcome.refused) {
            (Some(job), _) => {
                settled.said.push(format!("{attempt}: its submit got through as job {job}; it is recorded now"));
                found.push((outcome.intent, job));
            }
            (None, Some(words)) => settled.said.push(format!("{attempt}: its submit was refused: {words}")),
            (None, None) => settled.said.push(format!("{attempt}: its submit never reached the scheduler")),
        }
    }
    let receipts = here::receipts(&site)?;
    for receipt in &receipts {
        let attempt = format!("{}.{}", receipt.intent.run, receipt.intent.attempt);
        settled.said.push(format!("{attempt}: submitted on {name} itself as job {}; it is recorded now", receipt.job));
        found.push((receipt.intent.clone(), receipt.job.clone()));
    }
    Ok((site, found, receipts))
}

impl Settled {
    fn silent(&mut self, name: String, problem: Problem) {
        let mut tick = ClusterTick::new(&name);
        tick.failure = Some(problem.kind);
        tick.unavailable = Some(problem.message.clone());
        self.silent.push(tick);
        self.warnings.push(problem.warn());
    }
}

/// Files that are not among those already.
fn new(more: Vec<Write>, writes: &[Write]) -> Vec<Write> {
    more.into_iter().filter(|write| writes.iter().all(|other| other.path != write.path)).collect()
}

fn count(n: usize, word: &str) -> String {
    if n == 1 { format!("one {word}") } else { format!("{n} {word}s") }
}

/// What came of the wish to make an attempt again.
pub(super) enum Came {
    /// There is nothing to do, or a person has to do it.
    Nothing,
    /// It is queued; what records it.
    Queued(Box<Intent>, Vec<Write>),
    /// Nobody can say yet: the attempt before it stays as it is, and the next tick goes on from there.
    Later(Problem),
}

/// Makes an attempt again where that was decided. `numbers` holds the last number of each run.
pub(super) fn again(
    context: &Context<'_>,
    tree: &CommitTree,
    site: &Site,
    ended: &Ended,
    line: &mut Line,
    numbers: &mut BTreeMap<RunId, u32>,
) -> Result<Came, Problem> {
    let Then::Again { walltime_s } = ended.end.then else { return Ok(Came::Nothing) };
    let attempt = &ended.active.attempt;
    let last = ended.view.attempts.keys().next_back().copied().unwrap_or(ended.active.number);
    if follower(ended).is_some() {
        line.then = follower(ended).map(|number| format!("goes on as attempt {number}"));
        return Ok(Came::Nothing);
    }
    let number = numbers.entry(ended.view.id.clone()).or_insert(last);
    let walltime_s = walltime_s.or_else(|| seconds(attempt.resources.walltime.as_deref()?));
    let (Some(walltime_s), false) = (walltime_s, ended.end.left.is_empty()) else { return Ok(Came::Nothing) };
    let ask = Ask {
        number: *number + 1,
        seeds: &ended.end.left,
        seeds_as: attempt.seeds_as.unwrap_or(SeedsAs::Sequence),
        queue: attempt.resources.queue.as_deref(),
        walltime_s,
    };
    let place = ended.active.found.place(tree)?;
    match send::attempt(context, site, tree, (&place, &ended.view), &ask) {
        Ok(sent) => {
            *number += 1;
            line.again = Some(*number);
            line.then = Some(format!("goes on as attempt {number}, job {}, for {}", sent.job, clock(walltime_s)));
            let writes = sent.intent.writes(tree, &sent.job)?;
            Ok(Came::Queued(Box::new(sent.intent), writes))
        }
        Err(problems) => {
            let problem = problems.0.into_iter().next().expect("a refusal names a problem");
            if problem.kind == Kind::Unavailable {
                return Ok(Came::Later(problem));
            }
            line.then = Some(format!("could not be submitted again: {}", problem.message));
            Ok(Came::Nothing)
        }
    }
}

/// A later attempt that has one of its seeds.
fn follower(ended: &Ended) -> Option<u32> {
    let shares = |seeds: Option<&[u64]>| seeds.is_none_or(|all| all.iter().any(|s| ended.end.left.contains(s)));
    let later = ended.view.attempts.range(ended.active.number + 1..);
    later.filter(|(_, a)| shares(a.seeds.as_ref().map(|s| s.as_slice()))).map(|(number, _)| *number).next()
}
