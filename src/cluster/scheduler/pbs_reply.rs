//! What PBS answers: the id of `qsub`, the long form of `qstat -xfw`, the list of `qselect`.

use std::collections::BTreeMap;

use super::{JobPhase, JobState, Looked, Submitted, said, seconds, words};
use crate::cluster::reply::Reply;
use crate::state::text::printable;

/// Words of a server that does not answer now; anything else that it says is a refusal.
const AWAY: [&str; 14] = [
    "cannot connect",
    "couldn't connect",
    "connection refused",
    "connection timed out",
    "connection reset",
    "timed out",
    "premature end of message",
    "communication failure",
    "end of file",
    "shutting down",
    "temporarily unavailable",
    "no route to host",
    "broken pipe",
    "errno=150",
];

fn is_away(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    AWAY.iter().any(|word| text.contains(word))
}

/// The id in `qsub`'s reply. A status of 0 without an id is no answer: the job may be there.
pub(super) fn job_id(reply: &Reply) -> Submitted {
    let id = reply.stdout.lines().rev().map(str::trim).find(|line| !line.is_empty()).filter(|line| is_id(line));
    match (reply.code, id) {
        (0, Some(id)) => Submitted::Id(id.to_string()),
        // It says both. Whether the job is there is found out by its name.
        (code, Some(id)) => {
            Submitted::Unavailable(format!("qsub ended with {code} although it printed job id {id}: {}", said(reply)))
        }
        // Killed by a signal, it had no last word.
        (129..=143, None) => Submitted::Unavailable(format!("qsub was killed: {}", said(reply))),
        (0, None) => Submitted::Unavailable(format!("qsub ended with 0 and printed no job id: {}", said(reply))),
        _ if reply.stderr.trim().is_empty() || is_away(&reply.stderr) => Submitted::Unavailable(said(reply)),
        _ => Submitted::Refused(said(reply)),
    }
}

/// `123.server`, `123`, `123[].server`, `123[4].server`.
fn is_id(text: &str) -> bool {
    let (number, server) = text.split_once('.').map_or((text, None), |(n, s)| (n, Some(s)));
    let digits = |t: &str| !t.is_empty() && t.len() <= 18 && t.bytes().all(|b| b.is_ascii_digit());
    let number = match number.split_once('[') {
        None => digits(number),
        Some((number, index)) => digits(number) && index.strip_suffix(']').is_some_and(|i| i.is_empty() || digits(i)),
    };
    let host =
        |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.' || b == b'_');
    number && server.is_none_or(host)
}

/// An id without its server, which people leave out and servers write in several ways.
fn short(id: &str) -> &str {
    id.split('.').next().unwrap_or(id)
}

/// The id of a job, or of the array of a member such as `8[3].vm`.
pub(super) fn whole(id: &str) -> Option<String> {
    let id = Some(id.trim()).filter(|id| is_id(id))?;
    Some(match (id.split_once('['), id.split_once(']')) {
        (Some((number, _)), Some((_, server))) => format!("{number}[]{server}"),
        _ => id.to_string(),
    })
}

/// The array and the index of a member such as `8[3].vm`.
fn member(id: &str) -> Option<(String, u32)> {
    let (array, rest) = short(id).split_once('[')?;
    Some((format!("{array}[]"), rest.strip_suffix(']')?.parse().ok()?))
}

/// The states in the long form. Every id must either be there or be named as unknown; a short answer is none.
pub(super) fn states(ids: &[String], reply: &Reply) -> Looked {
    let jobs = jobs(&reply.stdout);
    let mut known = BTreeMap::new();
    let mut members: BTreeMap<String, BTreeMap<u32, JobState>> = BTreeMap::new();
    for (id, state) in jobs {
        if let Some((array, index)) = member(&id) {
            members.entry(array).or_default().insert(index, state.clone());
        }
        known.insert(short(&id).to_string(), state);
    }
    let unknown = unknown(&reply.stderr);
    let mut found = BTreeMap::new();
    for id in ids {
        match known.get(short(id)) {
            Some(state) => {
                let members = members.get(short(id)).cloned().unwrap_or_default();
                found.insert(id.clone(), JobState { members, ..state.clone() });
            }
            None if unknown.contains(&short(id)) => {}
            None => return Looked::Unavailable(missing(id, reply)),
        }
    }
    Looked::Known(found)
}

fn missing(id: &str, reply: &Reply) -> String {
    match reply.code {
        0 => format!("qstat ended with 0 and says nothing of job {}", printable(id)),
        _ => said(reply),
    }
}

/// The ids that the server says it does not know.
fn unknown(stderr: &str) -> Vec<&str> {
    let named = stderr.lines().filter_map(|line| line.split_once("Unknown Job Id").map(|(_, id)| id.trim()));
    named.map(short).collect()
}

/// The jobs of a long form, folded or not, in the order in which they are printed.
fn jobs(text: &str) -> Vec<(String, JobState)> {
    let mut jobs: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for line in text.lines() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if let Some(id) = line.strip_prefix("Job Id:").map(str::trim).filter(|id| is_id(id)) {
            jobs.push((id.to_string(), Vec::new()));
            continue;
        }
        let Some((_, keys)) = jobs.last_mut() else { continue };
        if let Some(rest) = line.strip_prefix('\t') {
            // A folded line goes on in the middle of a word.
            if let Some((_, value)) = keys.last_mut() {
                value.push_str(rest);
            }
        } else if let Some((key, value)) = line.strip_prefix("    ").and_then(|l| l.split_once(" = ")) {
            keys.push((key.to_string(), value.to_string()));
        }
    }
    jobs.into_iter().map(|(id, keys)| (id, state(&keys))).collect()
}

fn state(keys: &[(String, String)]) -> JobState {
    let first = |name: &str| keys.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim());
    // What a person's environment holds is printed before the end of the job: the last one is the server's.
    let last = |name: &str| keys.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.trim());
    let raw = first("job_state").unwrap_or_default();
    JobState {
        phase: phase(raw),
        exit_status: last("Exit_status").and_then(|v| v.parse().ok()),
        substate: first("substate").and_then(|v| v.parse().ok()),
        comment: last("comment").map(words).filter(|c| !c.is_empty()),
        queue: first("queue").map(words),
        used_s: first("resources_used.walltime").and_then(seconds),
        asked_s: first("Resource_List.walltime").and_then(seconds),
        started: first("stime").map(words),
        starts: last("run_count").and_then(|v| v.parse().ok()),
        raw: words(raw),
        members: BTreeMap::new(),
    }
}

fn phase(letter: &str) -> JobPhase {
    match letter {
        "Q" => JobPhase::Queued,
        "H" => JobPhase::Held,
        "W" | "T" => JobPhase::Waiting,
        "R" | "B" => JobPhase::Running,
        "S" | "U" => JobPhase::Suspended,
        "E" => JobPhase::Exiting,
        "M" => JobPhase::Moved,
        "F" | "X" | "C" => JobPhase::Finished,
        other => JobPhase::Other(words(other)),
    }
}

/// The ids of `qselect`; none is an answer, too.
pub(super) fn found(reply: &Reply) -> Result<Vec<String>, String> {
    let ids: Vec<&str> = reply.stdout.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match ids.iter().find(|id| !is_id(id)) {
        _ if reply.code != 0 => Err(said(reply)),
        Some(strange) => Err(format!("qselect printed `{}`, which is no job id", words(strange))),
        None => Ok(ids.into_iter().map(String::from).collect()),
    }
}
