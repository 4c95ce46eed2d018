//! One attempt judged: what it left, checked against its run, becomes a verdict and the files that record it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::active::Active;
use super::decide::{self, Evidence, Seen, Standing, Then, Turn};
use crate::cluster::cause::Cause;
use crate::cluster::profile::Profile;
use crate::cluster::scheduler::seconds;
use crate::ops::record::Write;
use crate::runs::collect::{self, Left};
use crate::runs::gather::Files;
use crate::runs::layout::Record;
use crate::state::load::{self, RunView};
use crate::state::problem::{Kind, Problem};
use crate::state::record::{Attempt, Exit, Run, SeedsAs, Start, Verdict};
use crate::state::yaml::to_string;

/// How often an attempt is made again by itself where the cluster's profile does not say.
const AGAIN: u32 = 3;
/// Characters of a reason that are recorded.
const REASON_MOST: usize = 2000;

/// An attempt that is over.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub(super) verdict: Verdict,
    pub(super) cause: Cause,
    pub(super) reason: Option<String>,
    /// The seeds that got their result with it.
    pub(super) finished: Vec<u64>,
    /// The seeds that have none.
    pub(super) left: Vec<u64>,
    /// The record's files.
    pub(super) writes: Vec<Write>,
    /// Whether there is another attempt.
    pub(super) then: Then,
    /// The end of its logs.
    pub(super) logs: String,
}

/// What is known of an attempt, all in one place.
pub(super) struct Facts<'a> {
    pub(super) active: &'a Active,
    pub(super) view: &'a RunView,
    pub(super) profile: &'a Profile,
    pub(super) seen: Seen<'a>,
    pub(super) files: &'a Files,
    /// Seconds since the scheduler was first seen to be done with it.
    pub(super) waited_s: i64,
    pub(super) now: Timestamp,
}

/// The keys that an attempt gets when it is over.
#[derive(Serialize)]
struct Added<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<&'a Start>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<&'a Exit>,
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    checked: Timestamp,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    checkpoints: BTreeMap<u64, String>,
}

impl Facts<'_> {
    /// Whether the attempt is over.
    pub(super) fn standing(&self) -> Standing {
        let exit = self.exit();
        decide::standing(&Evidence {
            seen: self.seen,
            exit: exit.as_ref(),
            started: !self.files.starts.is_empty(),
            heartbeat_s: self.files.heartbeat_s,
            errors: &self.files.errors,
            waited_s: self.waited_s,
        })
    }

    fn exit(&self) -> Option<Exit> {
        let array = self.active.attempt.seeds_as == Some(SeedsAs::Array);
        let members = self.seeds().len();
        self.files.exit(if array && members > 1 { members } else { 1 })
    }

    /// The seeds of the attempt.
    fn seeds(&self) -> &[u64] {
        self.active.attempt.seeds.as_ref().unwrap_or(&self.view.run.seeds).as_slice()
    }

    /// The judgement on an attempt that is over.
    pub(super) fn end(&self, cause: Cause) -> Result<End, Problem> {
        let exit = self.exit();
        let lefts = self.lefts(exit.as_ref());
        let foreign = self.mismatch(&lefts);
        let has_result = |seed: &u64| matches!(self.view.seeds.get(seed), Some(Ok(_)));
        let is_result = |left: &Left| matches!(left, Left::Result(..));
        let complete = lefts.iter().all(|(seed, left)| has_result(seed) || is_result(left));
        let verdict = decide::verdict(cause, complete, foreign.is_some());
        let counts = verdict != Verdict::Quarantined;
        let new = |(seed, left): &&(u64, Left)| counts && is_result(left) && !has_result(seed);
        let finished: Vec<u64> = lefts.iter().filter(new).map(|(seed, _)| *seed).collect();
        let without = |(seed, left): &&(u64, Left)| !has_result(seed) && !is_result(left);
        let left: Vec<u64> = lefts.iter().filter(without).map(|(seed, _)| *seed).collect();
        let reason = (verdict != Verdict::Succeeded).then(|| self.reason(cause, foreign, &lefts));
        let mut writes = vec![self.record(verdict, cause, exit.as_ref(), reason.as_deref())?];
        let record = Record::new(&self.active.found.parent, &self.active.found.id);
        for (seed, left) in &lefts {
            if let (Left::Result(_, text), true) = (left, finished.contains(seed)) {
                writes.push(Write::text(record.metrics(*seed), text.clone()));
            }
        }
        let moved = !finished.is_empty() || self.moved_on();
        let then = decide::then(&self.turn(verdict, cause, moved));
        Ok(End { verdict, cause, reason, finished, left, writes, then, logs: self.logs() })
    }

    /// What every seed left.
    fn lefts(&self, exit: Option<&Exit>) -> Vec<(u64, Left)> {
        let (id, run) = (&self.active.found.id, &self.view.run);
        let one = |seed: &u64| {
            let code = exit.and_then(|exit| exit.seeds.get(seed).copied());
            let left = match self.files.seeds.get(seed) {
                Some(files) => collect::sent(files, id, run, *seed, code),
                None => Left::Nothing("it was not started".into()),
            };
            (*seed, left)
        };
        self.seeds().iter().map(one).collect()
    }

    /// Why what ran is not what was to run.
    fn mismatch(&self, lefts: &[(u64, Left)]) -> Option<String> {
        let attested = self.files.starts.iter().find_map(|start| differs(start, &self.view.run));
        let of_seed = |(seed, left): &(u64, Left)| match left {
            Left::Foreign(reason) => Some(format!("seed {seed}: {reason}")),
            _ => None,
        };
        let results = lefts
            .iter()
            .any(|(seed, left)| matches!(left, Left::Result(..)) && !matches!(self.view.seeds.get(seed), Some(Ok(_))));
        let silent = (results && self.files.starts.is_empty() && !self.attested_before())
            .then(|| "there are results, but no job attested what it ran".to_string());
        attested.or_else(|| lefts.iter().find_map(of_seed)).or(silent)
    }

    fn attested_before(&self) -> bool {
        self.view.attempts.values().any(|attempt| attempt.start.is_some())
    }

    fn reason(&self, cause: Cause, foreign: Option<String>, lefts: &[(u64, Left)]) -> String {
        let mut parts: Vec<String> = foreign.into_iter().collect();
        if let (Seen::State(state), true) = (self.seen, parts.is_empty()) {
            let status = state.exit_status.map(|status| format!("exit status {status}"));
            let words = [state.comment.clone(), status].into_iter().flatten().collect::<Vec<_>>().join(", ");
            if !words.is_empty() && !matches!(cause, Cause::Code | Cause::Finished) {
                parts.push(format!("the scheduler says: {words}"));
            }
        }
        let seeds = lefts.iter().filter_map(|(seed, left)| match left {
            Left::Nothing(reason) if !matches!(self.view.seeds.get(seed), Some(Ok(_))) => {
                Some(format!("seed {seed}: {reason}"))
            }
            _ => None,
        });
        parts.extend(seeds);
        let text = crate::state::text::printable(&parts.join("; "));
        let text = if text.is_empty() { format!("ended by {cause}") } else { text };
        text.chars().take(REASON_MOST).collect()
    }

    /// The attempt's record with what is new.
    fn record(
        &self,
        verdict: Verdict,
        cause: Cause,
        exit: Option<&Exit>,
        reason: Option<&str>,
    ) -> Result<Write, Problem> {
        let known = &self.active.attempt;
        let start = self.files.starts.iter().find(|s| differs(s, &self.view.run).is_some());
        let start = start.or(self.files.starts.first()).filter(|_| known.start.is_none());
        let added = Added {
            start,
            exit: exit.filter(|_| known.exit.is_none()),
            verdict,
            cause: told(verdict, cause).filter(|_| known.cause.is_none()),
            reason: reason.filter(|_| known.reason.is_none()),
            checked: self.now,
            checkpoints: if known.checkpoints.is_empty() { self.checkpoints() } else { BTreeMap::new() },
        };
        append(self.active, &to_string(&added))
    }

    /// A short digest of each seed's checkpoint.
    fn checkpoints(&self) -> BTreeMap<u64, String> {
        let short = |digest: &str| digest.chars().take(16).collect::<String>();
        self.files.seeds.iter().filter_map(|(seed, f)| Some((*seed, short(f.checkpoint.as_deref()?)))).collect()
    }

    /// Whether a seed's checkpoint is another one than after the last attempt that had this seed.
    fn moved_on(&self) -> bool {
        let earlier = || self.view.attempts.range(..self.active.number).rev();
        let last = |seed: &u64| earlier().find_map(|(_, attempt)| attempt.checkpoints.get(seed));
        self.checkpoints().iter().any(|(seed, now)| last(seed) != Some(now))
    }

    fn turn(&self, verdict: Verdict, cause: Cause, moved: bool) -> Turn {
        let mine = self.seeds();
        let shares = |attempt: &Attempt| {
            attempt.seeds.as_ref().is_none_or(|seeds| seeds.as_slice().iter().any(|seed| mine.contains(seed)))
        };
        let before = self.view.attempts.range(..self.active.number).filter(|(_, attempt)| shares(attempt)).count();
        let resources = &self.active.attempt.resources;
        let queue = resources.queue.as_ref().or(self.profile.default_queue.as_ref());
        Turn {
            verdict,
            cause,
            again: u32::try_from(before).unwrap_or(u32::MAX),
            most: self.profile.resubmit.unwrap_or(AGAIN),
            moved,
            walltime_s: resources.walltime.as_deref().and_then(seconds),
            most_s: queue.and_then(|name| self.profile.queues.get(name)).and_then(|queue| queue.max_walltime_s()),
        }
    }

    fn logs(&self) -> String {
        let mut text = String::new();
        if !self.files.errors.trim().is_empty() {
            text.push_str(&format!("== job\n{}\n", self.files.errors.trim_end()));
        }
        for (seed, files) in self.files.seeds.iter().filter(|(_, files)| !files.log.trim().is_empty()) {
            text.push_str(&format!("== seed {seed}\n{}\n", files.log.trim_end()));
        }
        text
    }
}

/// The record with further keys at its end; what it says already stays byte for byte.
///
/// # Errors
/// [`Kind::Invalid`] for a record in a form that takes no more keys.
pub fn append(active: &Active, keys: &str) -> Result<Write, Problem> {
    let text = active.text.trim_end_matches(['\n', ' ']).to_string() + "\n" + keys;
    let read = load::parse::<Attempt>(&active.path, text.as_bytes());
    match read {
        Ok(_) => Ok(Write::text(active.path.clone(), text)),
        Err(problem) => {
            let message = format!("the record cannot take more keys: {}", problem.message);
            let problem = Problem::new(Kind::Invalid, "attempt", message).at(&active.path);
            Err(problem.hint("write it as the tool does, one key a line"))
        }
    }
}

/// The word for what ended an attempt, where it is not told by the verdict alone.
pub(super) fn told(verdict: Verdict, cause: Cause) -> Option<&'static str> {
    let tells = matches!(verdict, Verdict::Failed | Verdict::Killed) && cause != Cause::Finished;
    tells.then(|| cause.word())
}

/// What a job attested that is not what its run says.
#[must_use]
pub fn differs(start: &Start, run: &Run) -> Option<String> {
    let anchor = &run.anchor;
    let pairs = [
        ("commit", &start.commit, &anchor.commit),
        ("snapshot", &start.manifest, &anchor.manifest),
        ("config", &start.config_digest, &run.config_digest),
    ];
    let other = pairs.into_iter().find(|(_, ran, wanted)| ran != wanted);
    if let Some((what, ran, wanted)) = other {
        let short = |id: &str| id.chars().take(12).collect::<String>();
        return Some(format!("the job started with another {what}: {}, not {}", short(ran), short(wanted)));
    }
    let outside = |source: &&String| source.starts_with(['/', '~']) || source.split('/').any(|part| part == "..");
    let source = start.source.as_ref().filter(outside)?;
    Some(format!("the program's own module came from {source}, not from the snapshot (an editable install?)"))
}
