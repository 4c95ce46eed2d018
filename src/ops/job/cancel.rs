//! `job cancel`: ends a job at its scheduler, or gives up one that nobody knows any more.

use std::fmt;

use serde::Serialize;

use super::Named;
use crate::cluster::scheduler::{JobPhase, Looked};
use crate::ops::Context;
use crate::ops::record::{Recorded, Write};
use crate::ops::run::Found;
use crate::ops::site::Site;
use crate::ops::tick::{self, active};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::record::Verdict;
use crate::state::text::printable;
use crate::state::yaml::to_string;

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Canceled {
    /// `RUN.ATTEMPT` of every attempt that was told to end, with the scheduler's words.
    pub told: Vec<(String, String)>,
    /// Attempts that were given up.
    pub given_up: Vec<String>,
    /// What was recorded.
    #[serde(flatten)]
    pub recorded: Recorded,
}

/// Tells the scheduler to end the active attempts of a run. With `lost`, a reason, attempts that the scheduler does not
/// know are recorded as killed; that is the only way in which somebody's word alone ends an attempt.
///
/// # Errors
/// [`Kind::Unavailable`] when the scheduler gives no answer, [`Kind::Refused`] when `lost` is not true.
pub fn cancel(
    context: &Context<'_>,
    name: &str,
    attempt: Option<u32>,
    lost: Option<&str>,
) -> Result<Canceled, Problems> {
    let named = Named::find(context, name, attempt)?;
    let mut actives = active::of_run(&named.tree, &named.found)?;
    actives.retain(|active| attempt.is_none_or(|number| number == active.number));
    let mut canceled = Canceled { told: Vec::new(), given_up: Vec::new(), recorded: Recorded::default() };
    if actives.is_empty() {
        return Ok(canceled);
    }
    let site = named.site(context)?;
    let mut writes = Vec::new();
    for active in &actives {
        match lost {
            None => canceled.told.push((active.name(), tell(&site, active)?)),
            Some(reason) => {
                writes.push(give_up(context, &site, active, reason)?);
                canceled.given_up.push(active.name());
            }
        }
    }
    if !writes.is_empty() {
        let subject = format!("job: {} given up", canceled.given_up.join(", "));
        canceled.recorded = tick::commit(context, &subject, &trailers(&named.found), &writes)?;
    }
    Ok(canceled)
}

fn trailers(found: &Found) -> Vec<(&'static str, String)> {
    vec![("AR-Run", found.id.to_string())]
}

fn tell(site: &Site, active: &active::Active) -> Result<String, Problem> {
    let Some(job) = &active.attempt.job else {
        let message = format!("the record of {} names no job", active.name());
        return Err(
            Problem::new(Kind::Ambiguous, "no-job", message).hint("git ar tick   finds out what became of a submit")
        );
    };
    let reply = site.ask("end a job", &site.dialect.cancel(job))?;
    let words = [reply.stderr.trim(), reply.stdout.trim()].into_iter().find(|w| !w.is_empty()).unwrap_or_default();
    let words = printable(words);
    Ok(match (reply.code, words.is_empty()) {
        (0, true) => "told to end".into(),
        (0, false) => format!("told to end: {words}"),
        (code, true) => format!("the scheduler ended with {code}, without a word"),
        (code, false) => format!("the scheduler ended with {code}: {words}"),
    })
}

/// The record of an attempt that nobody knows any more.
fn give_up(context: &Context<'_>, site: &Site, active: &active::Active, reason: &str) -> Result<Write, Problem> {
    if let Some(job) = &active.attempt.job {
        let ids = std::slice::from_ref(job);
        let mut commands = vec![site.dialect.query(ids)];
        commands.extend(site.dialect.fallback(job));
        for command in commands {
            let known = match site.dialect.states(ids, &site.ask("ask the scheduler", &command)?) {
                Looked::Known(states) => states.get(job).is_some_and(|state| state.phase != JobPhase::Moved),
                Looked::Unavailable(why) => return Err(Problem::new(Kind::Unavailable, "scheduler", why)),
            };
            if known {
                let message = format!("{} is known to the scheduler, so it is not lost", active.name());
                return Err(Problem::new(Kind::Refused, "not-lost", message)
                    .hint(format!("git ar job cancel {}, then git ar tick", active.found.id)));
            }
        }
    }
    #[derive(Serialize)]
    struct Added<'a> {
        verdict: Verdict,
        cause: &'a str,
        reason: String,
        checked: jiff::Timestamp,
    }
    let reason = format!("given up by hand: {}", printable(reason.trim()));
    let keys = Added { verdict: Verdict::Killed, cause: "unknown", reason, checked: context.now };
    tick::append(active, &to_string(&keys))
}

impl fmt::Display for Canceled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.told.is_empty() && self.given_up.is_empty() {
            return writeln!(f, "nothing changed: no attempt is active");
        }
        self.told.iter().try_for_each(|(name, words)| writeln!(f, "{name}: {words}"))?;
        if self.given_up.is_empty() {
            return writeln!(f, "the next tick records how it ended");
        }
        self.given_up.iter().try_for_each(|name| writeln!(f, "{name}: given up"))?;
        self.recorded.fmt(f)
    }
}
