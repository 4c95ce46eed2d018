//! One cluster in a tick: asked, looked into, and each of its attempts judged.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::active::Active;
use super::again::{self, Came};
use super::ask::{self, Jobs};
use super::decide::{Seen, Standing};
use super::judge::{End, Facts};
use super::outcome::{ClusterTick, Line};
use super::seen::{Sight, Sights};
use super::{Context, Options};
use crate::ops::record::Write;
use crate::ops::site::Site;
use crate::ops::submit::intent::Intent;
use crate::repo::CommitTree;
use crate::runs::gather::Files;
use crate::state::load::RunView;
use crate::state::problem::Problem;

/// A scheduler that was asked less than this many seconds ago is not asked again.
const REST_S: i64 = 60;

/// An attempt that is over.
pub(super) struct Ended {
    pub(super) active: Active,
    pub(super) view: RunView,
    pub(super) end: End,
}

/// What came of one cluster.
pub(super) struct Looked {
    pub(super) site: Option<Site>,
    pub(super) ended: Vec<Ended>,
    pub(super) tick: ClusterTick,
    /// What was seen, when it was asked.
    pub(super) sights: Option<Sights>,
    pub(super) warnings: Vec<Problem>,
}

/// Asks a cluster about its attempts and judges them. A cluster that does not answer is told in the result.
///
/// # Errors
/// [`Kind::Invalid`] for records or a profile that do not read.
pub(super) fn look(
    context: &Context<'_>,
    tree: &CommitTree,
    name: &str,
    actives: Vec<Active>,
    options: &Options,
) -> Result<Looked, Problem> {
    let sights = Sights::read(context.repo.common_dir(), name);
    let mut looked =
        Looked { site: None, ended: Vec::new(), tick: ClusterTick::new(name), sights: None, warnings: Vec::new() };
    if let Some(age) = sights.age(context.now).filter(|age| *age < REST_S && !options.now) {
        looked.tick.rested_s = Some(age);
        looked.tick.active = actives.iter().map(|active| Line::known(active, &sights)).collect();
        return Ok(looked);
    }
    match ask(context, tree, name, &actives) {
        Ok(answers) => answers.judge(context.now, actives, sights, &mut looked)?,
        // One cluster does not keep the others from being looked at.
        Err(problem) => {
            looked.tick.active = actives.iter().map(|active| Line::known(active, &sights)).collect();
            looked.tick.failure = Some(problem.kind);
            looked.tick.unavailable = Some(problem.message.clone());
            looked.warnings.push(problem.warn());
        }
    }
    Ok(looked)
}

impl Looked {
    /// Gathers what records the attempts that ended, and makes those again for which that was decided. One of which
    /// nobody can say yet whether it is queued again stays as it was.
    pub(super) fn go_on(
        &mut self,
        context: &Context<'_>,
        tree: &CommitTree,
        writes: &mut Vec<Write>,
        intents: &mut Vec<Intent>,
    ) -> Result<(), Problem> {
        let Some(site) = &self.site else { return Ok(()) };
        let mut numbers = BTreeMap::new();
        let (mut kept, mut lines) = (Vec::new(), Vec::new());
        for (ended, mut line) in std::mem::take(&mut self.ended).into_iter().zip(std::mem::take(&mut self.tick.ended)) {
            match again::again(context, tree, site, &ended, &mut line, &mut numbers)? {
                Came::Nothing => {}
                Came::Queued(intent, more) => {
                    writes.extend(more);
                    intents.push(*intent);
                }
                Came::Later(problem) => {
                    self.tick.failure = Some(problem.kind);
                    let said = "it has ended; nobody can say yet whether it is queued again".to_string();
                    self.tick.active.push(Line::of(&ended.active, said, context.now));
                    self.warnings.push(problem.warn());
                    continue;
                }
            }
            writes.extend(ended.end.writes.iter().cloned());
            kept.push(ended);
            lines.push(line);
        }
        (self.ended, self.tick.ended) = (kept, lines);
        Ok(())
    }
}

/// What a cluster answered.
struct Answers {
    site: Site,
    jobs: Jobs,
    files: BTreeMap<String, Files>,
    /// The runs of attempts that may be over.
    views: BTreeMap<String, RunView>,
}

fn ask(context: &Context<'_>, tree: &CommitTree, name: &str, actives: &[Active]) -> Result<Answers, Problem> {
    let site = Site::open(context, tree, name)?;
    let mut ids: Vec<String> = actives.iter().filter_map(|active| active.attempt.job.clone()).collect();
    ids.sort();
    ids.dedup();
    if site.remote.by_hand() {
        return ask_at_once(site, tree, &ids, actives);
    }
    let jobs = ask::scheduler(&site, &ids)?;
    let (mut asks, mut views) = (Vec::new(), BTreeMap::new());
    for active in actives {
        let Some(seen) = seen(&jobs, active) else { continue };
        let view = if may_be_over(seen) { Some(active.found.view(tree)?) } else { None };
        asks.push(ask::about(active, view.as_ref()));
        views.extend(view.map(|view| (active.name(), view)));
    }
    let files = ask::directories(&site, &asks)?;
    Ok(Answers { site, jobs, files, views })
}

/// The same where a person carries the questions: everything of every attempt, so that one sheet is enough whatever the
/// scheduler says.
fn ask_at_once(site: Site, tree: &CommitTree, ids: &[String], actives: &[Active]) -> Result<Answers, Problem> {
    let jobs = ask::scheduler(&site, ids);
    let (mut asks, mut views) = (Vec::new(), BTreeMap::new());
    for active in actives {
        let view = active.found.view(tree)?;
        asks.push(ask::about(active, Some(&view)));
        views.insert(active.name(), view);
    }
    let files = ask::directories(&site, &asks);
    let (jobs, files) = (jobs?, files?);
    let over = |active: &&Active| seen(&jobs, active).is_some_and(may_be_over);
    let over: Vec<String> = actives.iter().filter(over).map(Active::name).collect();
    views.retain(|name, _| over.contains(name));
    Ok(Answers { site, jobs, files, views })
}

fn may_be_over(seen: Seen<'_>) -> bool {
    match seen {
        Seen::State(state) => state.phase.is_last(),
        Seen::Gone => true,
    }
}

/// What the scheduler says of an attempt; none when nobody knows yet.
fn seen<'a>(jobs: &'a Jobs, active: &Active) -> Option<Seen<'a>> {
    match jobs.get(active.attempt.job.as_ref()?) {
        Some(Some(state)) => Some(Seen::State(state)),
        Some(None) => None,
        None => Some(Seen::Gone),
    }
}

impl Answers {
    /// Judges every attempt.
    fn judge(self, now: Timestamp, actives: Vec<Active>, before: Sights, looked: &mut Looked) -> Result<(), Problem> {
        let mut sights = Sights { asked: Some(now), attempts: BTreeMap::new() };
        let none = Files::default();
        for active in actives {
            let name = active.name();
            let Some(seen) = seen(&self.jobs, &active) else {
                let said = "its scheduler was not asked about it yet".to_string();
                looked.tick.active.push(Line::of(&active, said, now));
                continue;
            };
            let files = self.files.get(&name).unwrap_or(&none);
            // A clock that was ahead then must not keep it waiting.
            let since = before.attempts.get(&name).and_then(|sight| sight.over_since).map_or(now, |then| then.min(now));
            let view = self.views.get(&name);
            let waited_s = now.as_second() - since.as_second();
            let facts = |view| Facts { active: &active, view, profile: &self.site.profile, seen, files, waited_s, now };
            let (said, over) = match view.map(facts) {
                None => (super::decide::running(seen, files.heartbeat_s), false),
                Some(facts) => match facts.standing() {
                    Standing::Over(cause) => {
                        let end = facts.end(cause)?;
                        let line = Line::ended(&active, &end, now);
                        looked.tick.ended.push(line);
                        let view = view.expect("it was judged by it").clone();
                        looked.ended.push(Ended { active, view, end });
                        continue;
                    }
                    Standing::Active(said) | Standing::Lost(said) => (said, true),
                },
            };
            sights.attempts.insert(name, Sight { said: said.clone(), at: now, over_since: over.then_some(since) });
            looked.tick.active.push(Line::of(&active, said, now));
        }
        looked.sights = Some(sights);
        looked.site = Some(self.site);
        Ok(())
    }
}
