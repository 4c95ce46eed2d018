//! What a cluster says: one question to its scheduler for all jobs, one script that looks into the run directories.

use std::collections::BTreeMap;
use std::time::Duration;

use super::active::Active;
use crate::cluster::scheduler::{JobState, Looked};
use crate::cluster::transport::Call;
use crate::ops::site::Site;
use crate::runs::gather::{self, Answer, Ask, Files};
use crate::state::ids::RunId;
use crate::state::load::RunView;
use crate::state::problem::{Kind, Problem};

/// How long one look into run directories may take.
const COLLECT: Duration = Duration::from_secs(180);
/// Attempts whose files are fetched by one script.
const AT_ONCE: usize = 40;
/// Jobs that a second source is asked about in one tick; the others have to wait for the next.
const SECOND: usize = 20;

/// What the scheduler says: jobs by id; one that is not in here it does not know. None for a job that has to wait for
/// its second source.
pub(super) type Jobs = BTreeMap<String, Option<JobState>>;

/// Asks the scheduler about all of these jobs with one command.
///
/// # Errors
/// [`Kind::Unavailable`] when it does not answer, or not in a way that can be trusted.
pub(super) fn scheduler(site: &Site, ids: &[String]) -> Result<Jobs, Problem> {
    if ids.is_empty() {
        return Ok(Jobs::new());
    }
    let looked = states(site, ids, &site.dialect.query(ids));
    if looked.is_err() && site.remote.by_hand() {
        // On the same sheet: what the second source says, should the first not know a job any more.
        ids.iter().take(SECOND).filter_map(|id| site.dialect.fallback(id)).for_each(|command| {
            // No answer is no answer; the first one's is told.
            let _ = states(site, ids, &command);
        });
    }
    let looked = looked?;
    let mut jobs: Jobs = looked.into_iter().map(|(id, state)| (id, Some(state))).collect();
    let missing: Vec<&String> = ids.iter().filter(|id| !jobs.contains_key(*id)).collect();
    let mut asked = 0;
    for id in missing {
        let Some(command) = site.dialect.fallback(id) else { continue };
        if asked == SECOND {
            jobs.insert(id.clone(), None);
            continue;
        }
        asked += 1;
        let one = std::slice::from_ref(id);
        jobs.extend(states(site, one, &command)?.into_iter().map(|(id, state)| (id, Some(state))));
    }
    Ok(jobs)
}

fn states(site: &Site, ids: &[String], command: &[String]) -> Result<BTreeMap<String, JobState>, Problem> {
    match site.dialect.states(ids, &site.ask("ask the scheduler", command)?) {
        Looked::Known(states) => Ok(states),
        Looked::Unavailable(why) => {
            let message = format!("the scheduler of {} gave no answer that can be trusted: {why}", site.name);
            Err(Problem::new(Kind::Unavailable, "scheduler", message).hint("try again later; nothing was changed"))
        }
    }
}

/// Looks into the run directories: at everything of those that may be over, at the heartbeat of the others. Where a
/// person carries the questions, all of them are put before the first is missed.
///
/// # Errors
/// [`Kind::Unavailable`] when the site does not answer whole.
pub(super) fn directories(site: &Site, asks: &[Ask]) -> Result<BTreeMap<String, Files>, Problem> {
    let (takes, looks): (Vec<Ask>, Vec<Ask>) = asks.iter().cloned().partition(|ask| ask.seeds.is_some());
    let mut found = BTreeMap::new();
    let mut batches: Vec<Vec<Ask>> = takes.chunks(AT_ONCE).map(<[Ask]>::to_vec).collect();
    match batches.first_mut() {
        Some(first) => first.extend(looks),
        None if looks.is_empty() => return Ok(found),
        None => batches.push(looks),
    }
    let mut missed = None;
    for batch in batches {
        match look(site, &batch) {
            Ok(answer) => {
                let named = |((run, number), files): ((RunId, u32), Files)| (format!("{run}.{number}"), files);
                found.extend(answer.attempts.into_iter().map(named));
            }
            Err(problem) if site.remote.by_hand() => missed = missed.or(Some(problem)),
            Err(problem) => return Err(problem),
        }
    }
    missed.map_or(Ok(found), Err)
}

fn look(site: &Site, asks: &[Ask]) -> Result<Answer, Problem> {
    let script = format!("cd {} || exit 3\n{}", site.path(&site.layout.runs()), gather::SCRIPT);
    let question = gather::question(asks);
    let call = Call { what: "look at the runs", script: &script, input: question.as_bytes(), limit: COLLECT };
    let reply = site.remote.fetch(&call)?;
    if reply.code != 0 {
        let said = crate::state::text::printable(reply.stderr.trim());
        let message = format!("the runs on {} cannot be looked at: {said}", site.name);
        return Err(
            Problem::new(Kind::Unavailable, "collect", message).hint(format!("git ar cluster doctor {}", site.name))
        );
    }
    gather::answer(asks, &reply.stdout)
}

/// What is asked about an attempt; with its run when it may be over.
pub(super) fn about(active: &Active, view: Option<&RunView>) -> Ask {
    let seeds = |view: &RunView| active.attempt.seeds.as_ref().unwrap_or(&view.run.seeds).as_slice().to_vec();
    Ask { run: active.found.id.clone(), attempt: active.number, seeds: view.map(seeds) }
}
