//! Why an attempt ended: the scheduler's word, our own exit file and the tail of the job's standard error together.

use std::fmt;

use super::scheduler::{JobPhase, JobState};
use crate::state::record::Exit;

/// Why an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It came to its own end with 0.
    Finished,
    /// Its walltime was used up.
    Walltime,
    /// It asked for less memory than it took.
    Memory,
    /// A person or an operator ended it.
    Deleted,
    /// The node or the scheduler failed it, not its code.
    Node,
    /// The trainer failed.
    Code,
    /// The evidence does not say.
    Unknown,
}

impl Cause {
    /// Its word in records.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Walltime => "walltime",
            Self::Memory => "memory",
            Self::Deleted => "deleted",
            Self::Node => "node",
            Self::Code => "code",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Starts after which PBS gives a job up and holds it.
const MOST_STARTS: u32 = 20;

/// Why an attempt ended. Our own exit file is believed first: a scheduler was seen to report 0 after a walltime kill, and
/// a job that ended well is not failed because of what came after.
#[must_use]
pub fn classify(state: Option<&JobState>, exit: Option<&Exit>, stderr_tail: &str) -> Cause {
    if exit.is_some_and(|exit| exit.code == 0 && exit.signal.is_none()) {
        return Cause::Finished;
    }
    let told = told(stderr_tail).or_else(|| state.and_then(scheduler));
    let code = || exit.filter(|exit| exit.signal.is_none()).map(|_| Cause::Code);
    match told {
        // The trainer failed by itself, and the scheduler only repeats the status.
        Some(Cause::Code) | None => code().or(told).unwrap_or(Cause::Unknown),
        Some(cause) => cause,
    }
}

/// What the scheduler wrote into the job's standard error, or the trainer about memory.
fn told(tail: &str) -> Option<Cause> {
    let tail = tail.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| tail.contains(word));
    if has(&["pbs: job killed: walltime", "due to time limit"]) {
        return Some(Cause::Walltime);
    }
    let memory = [
        "pbs: job killed: mem",
        "pbs: job killed: vmem",
        "cgroup mem limit exceeded",
        "oom-kill",
        "oom_kill",
        "out-of-memory",
        "exceeded memory limit",
        "exceeded job memory limit",
        "cuda out of memory",
        "cuda error: out of memory",
        "std::bad_alloc",
        "memoryerror",
    ];
    if has(&memory) {
        return Some(Cause::Memory);
    }
    has(&["due to node failure", "due to preemption"]).then_some(Cause::Node)
}

/// What the scheduler's own account says.
fn scheduler(state: &JobState) -> Option<Cause> {
    let comment = state.comment.as_deref().unwrap_or_default().to_ascii_lowercase();
    let full = state.used_s.zip(state.asked_s).map(|(used, asked)| used >= asked);
    match state.raw.as_str() {
        "TIMEOUT" | "DEADLINE" => return Some(Cause::Walltime),
        "OUT_OF_MEMORY" => return Some(Cause::Memory),
        "CANCELLED" => return Some(Cause::Deleted),
        "NODE_FAIL" | "BOOT_FAIL" | "PREEMPTED" => return Some(Cause::Node),
        "FAILED" => return Some(Cause::Code),
        _ => {}
    }
    if state.phase == JobPhase::Held && state.starts.is_some_and(|starts| starts >= MOST_STARTS) {
        return Some(Cause::Node);
    }
    match (state.exit_status, state.substate) {
        (Some(-29), _) => Some(Cause::Walltime),
        (Some(-27 | -26), _) => Some(Cause::Memory),
        (_, Some(91)) => Some(Cause::Deleted),
        _ if comment.contains("terminated by") => Some(Cause::Deleted),
        _ if comment.contains("exceeded resource walltime") => Some(Cause::Walltime),
        (Some(status), _) if status < 0 => Some(Cause::Node),
        // Without a signal of ours the time tells: a job that was killed before its limit was killed for something else.
        (Some(271 | 265 | 143 | 137), _) => match full {
            Some(true) => Some(Cause::Walltime),
            Some(false) => None,
            None => (state.substate == Some(93)).then_some(Cause::Walltime),
        },
        (Some(0) | None, _) => full.filter(|full| *full).map(|_| Cause::Walltime),
        (Some(_), _) => Some(if full == Some(true) { Cause::Walltime } else { Cause::Code }),
    }
}
