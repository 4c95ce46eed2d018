//! `job why`: everything that is known of one attempt, its scheduler asked right now.

use std::fmt;

use serde::Serialize;

use super::Named;
use crate::cluster::scheduler::{JobState, Looked};
use crate::ops::Context;
use crate::ops::run_show::verdict_word;
use crate::ops::tick::seen::Sights;
use crate::state::problem::Problem;
use crate::state::record::Verdict;

/// What is known of an attempt.
#[derive(Debug, Serialize)]
pub struct Why {
    /// `RUN.ATTEMPT`.
    pub attempt: String,
    /// The cluster.
    pub cluster: String,
    /// The scheduler's id.
    pub job: Option<String>,
    /// The verdict, when there is one.
    pub verdict: Option<Verdict>,
    /// What ended it.
    pub cause: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// What the scheduler says now, line by line.
    pub scheduler: Vec<String>,
    /// What was seen last.
    pub seen: Option<String>,
    /// What to type next.
    #[serde(skip)]
    pub next: Vec<String>,
}

/// Why an attempt does not run, or how it ended.
///
/// # Errors
/// [`Kind::Ambiguous`](crate::state::problem::Kind::Ambiguous) for an unknown run. A cluster that does not answer is part
/// of what is told.
pub fn why(context: &Context<'_>, name: &str, attempt: Option<u32>) -> Result<Why, Problem> {
    let named = Named::find(context, name, attempt)?;
    let sights = Sights::read(context.repo.common_dir(), &named.attempt.cluster);
    let sight = sights.attempts.get(&named.name()).filter(|_| named.attempt.verdict.is_none());
    let seen = sight.map(|sight| format!("{} (seen {})", sight.said, sight.at.strftime("%Y-%m-%d %H:%M UTC")));
    let run = &named.found.id;
    let next = match named.attempt.verdict {
        None => vec![format!("git ar job logs {run}"), "git ar tick --now".into()],
        Some(Verdict::Succeeded) => vec![format!("git ar run show {run}")],
        Some(_) => vec![format!("git ar run triage {run}")],
    };
    let scheduler = if named.attempt.job.is_some() { asked(context, &named) } else { Vec::new() };
    Ok(Why {
        attempt: named.name(),
        cluster: named.attempt.cluster.clone(),
        job: named.attempt.job.clone(),
        verdict: named.attempt.verdict,
        cause: named.attempt.cause.clone(),
        reason: named.attempt.reason.clone(),
        scheduler,
        seen,
        next,
    })
}

/// What the scheduler says of the job.
fn asked(context: &Context<'_>, named: &Named) -> Vec<String> {
    if named.attempt.cluster == crate::cluster::profile::LOCAL {
        return vec!["it ran on this machine, which has no scheduler".into()];
    }
    match state(context, named) {
        Ok(Some(state)) => told(&state),
        Ok(None) => vec!["does not know this job".into()],
        Err(problem) => vec![format!("gives no answer: {}", problem.message)],
    }
}

fn state(context: &Context<'_>, named: &Named) -> Result<Option<JobState>, Problem> {
    let site = named.site(context)?;
    let id = named.job()?;
    let ids = std::slice::from_ref(id);
    let mut commands = vec![site.dialect.query(ids)];
    commands.extend(site.dialect.fallback(id));
    for command in commands {
        match site.dialect.states(ids, &site.ask("ask the scheduler", &command)?) {
            Looked::Known(mut states) => {
                if let Some(state) = states.remove(id) {
                    return Ok(Some(state));
                }
            }
            Looked::Unavailable(why) => {
                return Err(Problem::new(crate::state::problem::Kind::Unavailable, "scheduler", why));
            }
        }
    }
    Ok(None)
}

fn told(state: &JobState) -> Vec<String> {
    let mut lines = vec![format!("{} ({})", state.phase.word(), state.raw)];
    lines.extend(state.queue.as_ref().map(|queue| format!("queue {queue}")));
    lines.extend(state.comment.clone());
    lines.extend(state.exit_status.map(|status| format!("exit status {status}")));
    if let (Some(used), Some(asked)) = (state.used_s, state.asked_s) {
        let clock = crate::cluster::scheduler::clock;
        lines.push(format!("walltime {} of {}", clock(used), clock(asked)));
    }
    lines.extend(state.starts.filter(|starts| *starts > 1).map(|starts| format!("started {starts} times")));
    if !state.members.is_empty() {
        let over = state.members.values().filter(|member| member.phase.is_over()).count();
        lines.push(format!("{over} of {} members are over", state.members.len()));
    }
    lines
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.attempt, self.cluster)?;
        self.job.iter().try_for_each(|job| write!(f, ", job {job}"))?;
        writeln!(f)?;
        if let Some(verdict) = self.verdict {
            let cause = self.cause.as_ref().map(|cause| format!(" ({cause})")).unwrap_or_default();
            let reason = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            writeln!(f, "  record     {}{cause}{reason}", verdict_word(verdict))?;
        }
        self.seen.iter().try_for_each(|seen| writeln!(f, "  last tick  {seen}"))?;
        self.scheduler.iter().try_for_each(|line| writeln!(f, "  scheduler  {line}"))
    }
}
