//! `tick`: one step that brings the records to what really happened, the same for a person, an agent and cron.
//!
//! For every cluster with attempts that have no verdict: one question to the scheduler, one look into the run
//! directories, a judgement on what is over ([`decide`] alone judges), another attempt where that makes sense. All of
//! it becomes one commit. A cluster that does not answer changes nothing.

pub mod active;
mod again;
mod ask;
mod cluster;
mod decide;
mod judge;
mod land;
mod outcome;
mod schedule;
pub mod seen;

pub use decide::ago;
pub use judge::{append, differs};
pub use land::{land as commit, may_land};
pub use outcome::{ClusterTick, Line, Ticked};
pub use schedule::schedule;

use std::collections::BTreeMap;

use active::Active;
use cluster::Looked;

use super::Context;
use super::record::{Recorded, Write};
use super::run_show::verdict_word;
use super::submit::intent::Intent;
use crate::repo::CommitTree;
use crate::repo::store::Lock;
use crate::state::entities::Seeds;
use crate::state::problem::{Kind, Problem, Problems};

/// How a tick is done.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Ask a scheduler although it was asked less than a minute ago.
    pub now: bool,
    /// Say what would be done, and do nothing.
    pub dry: bool,
    /// Clusters on which submits of their own are looked for although no attempt is active there.
    pub also: Vec<String>,
}

/// Brings the records to what really happened.
///
/// # Errors
/// [`Kind::Locked`] when another tick is at work or the branch's checkout cannot follow, and what the rules refuse. A
/// cluster that does not answer is no error here: [`Ticked::failure`] tells it.
pub fn tick(context: &Context<'_>, options: &Options) -> Result<Ticked, Problems> {
    let _lock = only_one(context)?;
    let settled = if options.dry { again::Settled::default() } else { again::settle(context, &options.also)? };
    let tree = tip(context)?;
    let mut groups: BTreeMap<String, Vec<Active>> = BTreeMap::new();
    for active in active::find(&tree)? {
        groups.entry(active.attempt.cluster.clone()).or_default().push(active);
    }
    let mut looked = Vec::new();
    for (name, actives) in groups {
        looked.push(cluster::look(context, &tree, &name, actives, options)?);
    }
    let mut ticked = Ticked { dry: options.dry, settled: settled.said, ..Ticked::default() };
    ticked.clusters = settled.silent;
    ticked.warnings = settled.warnings;
    if !options.dry {
        ticked.recorded = record(context, &tree, &mut looked)?;
        ticked.warnings.extend(ticked.recorded.warnings.iter().cloned());
    }
    for looked in looked {
        ticked.warnings.extend(looked.warnings);
        ticked.clusters.push(looked.tick);
    }
    Ok(ticked)
}

/// Two ticks at once would do everything twice.
fn only_one(context: &Context<'_>) -> Result<Lock, Problem> {
    let folder = context.repo.common_dir().join("ar").join("ticking");
    Lock::try_take(&folder, "tick")?.ok_or_else(|| {
        Problem::new(Kind::Locked, "ticking", "another tick is at work in this repository")
            .hint("wait for it; the lock is given back when its process ends")
    })
}

/// The tree at the tip of the program's branch: what is recorded, whatever is checked out.
///
/// # Errors
/// [`Kind::Refused`] when there is no such branch.
pub fn tip(context: &Context<'_>) -> Result<CommitTree, Problem> {
    let branch = &context.settings.branch;
    let commit = context.repo.branch_tip(branch).ok_or_else(|| {
        let message = format!("there is no branch {branch} here, and `branch:` in configs/ar.yaml names it");
        Problem::new(Kind::Refused, "no-branch", message).hint(format!("git branch {branch} origin/{branch}"))
    })?;
    context.repo.commit_tree(&commit)
}

/// Records what ended, submits again what may be, and keeps what was seen.
fn record(context: &Context<'_>, tree: &CommitTree, looked: &mut [Looked]) -> Result<Recorded, Problems> {
    let mut recorded = Recorded::default();
    if looked.iter().any(|looked| !looked.ended.is_empty()) {
        // Told before anything is done on a cluster.
        may_land(context)?;
        let (mut writes, mut intents): (Vec<Write>, Vec<Intent>) = (Vec::new(), Vec::new());
        for looked in looked.iter_mut() {
            looked.go_on(context, tree, &mut writes, &mut intents)?;
        }
        if !writes.is_empty() {
            let (subject, trailers) = words(looked);
            recorded = commit(context, &subject, &trailers, &writes)?;
        }
        intents.iter().try_for_each(|intent| intent.observed(context, context.now))?;
    }
    let common_dir = context.repo.common_dir();
    for looked in looked.iter() {
        if let Some(sights) = &looked.sights {
            sights.write(common_dir, &looked.tick.cluster)?;
        }
        for ended in looked.ended.iter().filter(|ended| !ended.end.logs.is_empty()) {
            seen::keep_logs(common_dir, &ended.active.name(), &ended.end.logs)?;
        }
    }
    Ok(recorded)
}

/// The commit's subject and trailers.
fn words(looked: &[Looked]) -> (String, Vec<(&'static str, String)>) {
    let ended: Vec<&cluster::Ended> = looked.iter().flat_map(|looked| &looked.ended).collect();
    let subject = match ended.as_slice() {
        [one] => {
            let seeds = Seeds::try_from(one.end.finished.clone()).map_or(String::new(), |s| format!(", seeds {s}"));
            format!("tick: run {} {}{seeds}", one.active.found.id, verdict_word(one.end.verdict))
        }
        many => {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            many.iter().for_each(|ended| *counts.entry(verdict_word(ended.end.verdict)).or_default() += 1);
            let counts: Vec<String> = counts.iter().map(|(word, n)| format!("{n} {word}")).collect();
            format!("tick: {} attempts ended ({})", many.len(), counts.join(", "))
        }
    };
    let mut runs: Vec<String> = ended.iter().map(|ended| ended.active.found.id.to_string()).collect();
    runs.dedup();
    (subject, runs.into_iter().map(|run| ("AR-Run", run)).collect())
}
