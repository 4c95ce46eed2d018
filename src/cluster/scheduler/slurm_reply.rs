//! What Slurm answers: the id of `sbatch --parsable`, the columns of `squeue` and `sacct`.

use std::collections::BTreeMap;

use super::{JobPhase, JobState, Looked, Submitted, said, seconds, words};
use crate::cluster::reply::Reply;

/// Words of a controller that does not answer now; anything else that it says is a refusal.
const AWAY: [&str; 12] = [
    "unable to contact slurm controller",
    "socket timed out",
    "zero bytes were transmitted",
    "transport endpoint is not connected",
    "connection refused",
    "connection timed out",
    "connection reset",
    "temporarily unable to accept job",
    "resource temporarily unavailable",
    "controller is in standby",
    "backup controller",
    "munge",
];

fn is_away(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    AWAY.iter().any(|word| text.contains(word))
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit())
}

/// A job's id.
pub(super) fn id(text: &str) -> Option<String> {
    Some(text.trim()).filter(|id| digits(id)).map(str::to_string)
}

/// The id in `sbatch`'s reply, without the name of a cluster behind it.
pub(super) fn job_id(reply: &Reply) -> Submitted {
    let last = reply.stdout.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let id = last.split(';').next().unwrap_or_default();
    match reply.code {
        0 if digits(id) => Submitted::Id(id.to_string()),
        0 => Submitted::Unavailable(format!("sbatch ended with 0 and printed no job id: {}", said(reply))),
        // It says both. Whether the job is there is found out by its name.
        code if digits(id) => {
            Submitted::Unavailable(format!("sbatch ended with {code} although it printed job id {id}: {}", said(reply)))
        }
        _ if reply.stderr.trim().is_empty() || is_away(&reply.stderr) => Submitted::Unavailable(said(reply)),
        _ => Submitted::Refused(said(reply)),
    }
}

/// The jobs of the columns. One that is asked for and not there is unknown to the controller: it answers several ids
/// with those that it knows, and a single unknown one with an error.
pub(super) fn states(ids: &[String], reply: &Reply) -> Looked {
    let gone = ["Invalid job id specified", "accounting storage is disabled"];
    if reply.code != 0 && !gone.iter().any(|words| reply.stderr.contains(words)) {
        return Looked::Unavailable(said(reply));
    }
    let mut alone: BTreeMap<String, JobState> = BTreeMap::new();
    let mut members: BTreeMap<String, BTreeMap<u32, JobState>> = BTreeMap::new();
    for line in reply.stdout.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let Some((id, indices, state)) = row(line) else {
            return Looked::Unavailable(format!("the scheduler printed `{}`, which is no row of jobs", words(line)));
        };
        match indices {
            None => _ = alone.insert(id, state),
            Some(indices) => {
                let of = members.entry(id).or_default();
                of.extend(indices.into_iter().map(|index| (index, state.clone())));
            }
        }
    }
    let whole = |id: &String| {
        let members = members.get(id).cloned();
        let state = alone.get(id).cloned().or_else(|| members.as_ref().and_then(of_members))?;
        Some((id.clone(), JobState { members: members.unwrap_or_default(), ..state }))
    };
    Looked::Known(ids.iter().filter_map(whole).collect())
}

/// An array stands where the least advanced of its members stands; it is over when all are.
fn of_members(members: &BTreeMap<u32, JobState>) -> Option<JobState> {
    let running = members.values().find(|m| matches!(m.phase, JobPhase::Running | JobPhase::Exiting));
    let open = members.values().find(|m| !m.phase.is_over());
    let failed = members.values().find(|m| m.exit_status.is_some_and(|code| code != 0) || m.raw != "COMPLETED");
    running.or(open).or(failed).or_else(|| members.values().next()).cloned()
}

/// One row: id, indices of an array's members, state.
fn row(line: &str) -> Option<(String, Option<Vec<u32>>, JobState)> {
    let columns: Vec<&str> = line.splitn(7, '|').collect();
    let [id, raw, queue, used, limit, start, last] = columns[..] else { return None };
    let (id, indices) = match id.split_once('_') {
        None => (id, None),
        Some((id, rest)) => (id, Some(indices(rest)?)),
    };
    if !digits(id) {
        return None;
    }
    let exit =
        last.split_once(':').and_then(|(code, signal)| Some((code.parse::<i32>().ok()?, signal.parse::<i32>().ok()?)));
    let word = raw.split([' ', '+']).next().unwrap_or_default();
    let phase = phase(word, last);
    let state = JobState {
        exit_status: exit
            .filter(|_| phase.is_over())
            .map(|(code, signal)| if signal == 0 { code } else { 128 + signal }),
        phase,
        substate: None,
        comment: (exit.is_none() && !matches!(last, "None" | "")).then(|| words(last)),
        queue: Some(words(queue)),
        used_s: seconds(used),
        asked_s: seconds(limit),
        started: (!matches!(start, "N/A" | "Unknown" | "None" | "")).then(|| words(start)),
        starts: None,
        raw: words(word),
        members: BTreeMap::new(),
    };
    Some((id.to_string(), indices, state))
}

/// `3`, or `[1-3,5%2]` of members that still wait together.
fn indices(text: &str) -> Option<Vec<u32>> {
    let Some(list) = text.strip_prefix('[').map(|t| t.trim_end_matches(']')) else {
        return Some(vec![text.parse().ok()?]);
    };
    let mut found = Vec::new();
    for part in list.split('%').next()?.split(',').filter(|part| *part != "...") {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to): (u32, u32) = (from.parse().ok()?, to.parse().ok()?);
        if to.checked_sub(from)? > 10_000 {
            return None;
        }
        found.extend(from..=to);
    }
    Some(found)
}

fn phase(word: &str, reason: &str) -> JobPhase {
    match word {
        "PENDING" if reason.contains("Held") => JobPhase::Held,
        "PENDING" if matches!(reason, "BeginTime" | "Dependency" | "DependencyNeverSatisfied") => JobPhase::Waiting,
        "PENDING" | "REQUEUED" | "REQUEUE_FED" => JobPhase::Queued,
        "REQUEUE_HOLD" | "SPECIAL_EXIT" | "RESV_DEL_HOLD" => JobPhase::Held,
        "RUNNING" | "CONFIGURING" | "RESIZING" => JobPhase::Running,
        "SUSPENDED" | "STOPPED" => JobPhase::Suspended,
        "COMPLETING" | "SIGNALING" | "STAGE_OUT" => JobPhase::Exiting,
        "REVOKED" => JobPhase::Moved,
        "COMPLETED" | "CANCELLED" | "FAILED" | "TIMEOUT" | "NODE_FAIL" | "PREEMPTED" | "BOOT_FAIL" | "DEADLINE"
        | "OUT_OF_MEMORY" => JobPhase::Finished,
        other => JobPhase::Other(words(other)),
    }
}

/// The ids that were found by name, each once.
pub(super) fn found(reply: &Reply) -> Result<Vec<String>, String> {
    if reply.code != 0 {
        return Err(said(reply));
    }
    let mut ids = Vec::new();
    for line in reply.stdout.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let id = line.split(['_', '+']).next().unwrap_or_default();
        if !digits(id) {
            return Err(format!("the scheduler printed `{}`, which is no job id", words(line)));
        }
        if !ids.iter().any(|known| known == id) {
            ids.push(id.to_string());
        }
    }
    Ok(ids)
}
