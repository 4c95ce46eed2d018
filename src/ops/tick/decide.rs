//! Evidence in, judgement out: what is known of an attempt, whether it is over, and whether it goes on. Pure.
//!
//! Two sources are needed before an attempt is over: the scheduler, which no longer runs the job, and the job itself,
//! which wrote how it ended. Where one of them is silent the attempt stays as it is, with what was seen last.

use crate::cluster::cause::{Cause, classify};
use crate::cluster::scheduler::{JobPhase, JobState};
use crate::state::record::{Exit, Verdict};

/// How long a job that the scheduler no longer runs may take to show its exit file: network file systems lag.
const LAG_S: i64 = 120;
/// A heartbeat, touched every minute, that is older than this has stopped.
const SILENT_S: i64 = 600;
/// Starts after which PBS gives a job up and holds it.
const MOST_STARTS: u32 = 20;

/// What the scheduler says of a job.
#[derive(Clone, Copy, Debug)]
pub(super) enum Seen<'a> {
    /// It knows it.
    State(&'a JobState),
    /// It answered, and does not know it.
    Gone,
}

/// What is known of an attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence<'a> {
    /// The scheduler's word.
    pub(super) seen: Seen<'a>,
    /// How the job says that it ended.
    pub(super) exit: Option<&'a Exit>,
    /// It attested its start.
    pub(super) started: bool,
    /// Seconds since its last sign of life.
    pub(super) heartbeat_s: Option<i64>,
    /// The end of its standard error.
    pub(super) errors: &'a str,
    /// Seconds since the scheduler was first seen to be done with it.
    pub(super) waited_s: i64,
}

/// What an attempt is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It waits or runs, or its end is not proven yet; in words.
    Active(String),
    /// The scheduler does not know it, and it never said how it ended; in words. Nobody guesses.
    Lost(String),
    /// It is over, and why.
    Over(Cause),
}

/// Whether an attempt is over.
pub(super) fn standing(evidence: &Evidence<'_>) -> Standing {
    let Evidence { seen, exit, started, heartbeat_s, errors, waited_s } = *evidence;
    let beats = heartbeat_s.is_some_and(|age| age < SILENT_S);
    match seen {
        // Its new server is not asked; the job itself says how it ended.
        Seen::State(state) if state.phase == JobPhase::Moved && exit.is_some() => {
            Standing::Over(classify(None, exit, errors))
        }
        Seen::State(state) if !state.phase.is_over() => Standing::Active(told(state, heartbeat_s)),
        Seen::State(state) => match exit {
            Some(_) => Standing::Over(classify(Some(state), exit, errors)),
            // It never began, so nothing of it can come late.
            None if !started && never_began(state) => Standing::Over(classify(Some(state), None, errors)),
            None if waited_s < LAG_S => {
                Standing::Active("over for the scheduler; waiting for the job's own word about its end".into())
            }
            None => Standing::Over(classify(Some(state), None, errors)),
        },
        Seen::Gone if exit.is_some() => Standing::Over(classify(None, exit, errors)),
        Seen::Gone if beats => Standing::Active("not known to the scheduler, but its heartbeat goes on".into()),
        Seen::Gone => Standing::Lost(match heartbeat_s {
            Some(age) => format!("not known to the scheduler; last sign of life {}", ago(age)),
            None if started => "not known to the scheduler; it began and said no more".into(),
            None => "not known to the scheduler, and it never began".into(),
        }),
    }
}

/// What an attempt does whose job is not over for the scheduler, in words.
pub(super) fn running(seen: Seen<'_>, heartbeat_s: Option<i64>) -> String {
    match seen {
        Seen::State(state) => told(state, heartbeat_s),
        Seen::Gone => "not known to the scheduler".into(),
    }
}

/// A job that ended without ever having run: taken out of the queue, or given up before its first line.
fn never_began(state: &JobState) -> bool {
    state.exit_status.is_none() || state.exit_status.is_some_and(|status| status < 0 && status != -29)
}

/// What a job that is not over does, in words.
fn told(state: &JobState, heartbeat_s: Option<i64>) -> String {
    let mut text = state.phase.word().to_string();
    if state.phase == JobPhase::Held && state.starts.is_some_and(|starts| starts >= MOST_STARTS) {
        let starts = state.starts.unwrap_or_default();
        text = format!("held after {starts} starts that failed; it will not start any more");
    }
    if state.phase == JobPhase::Moved {
        text.push_str(" to another server");
    }
    let alone = matches!(state.phase, JobPhase::Running | JobPhase::Moved);
    let silent = heartbeat_s.filter(|age| *age >= SILENT_S && alone);
    if let Some(age) = silent {
        text.push_str(&format!(", but its last sign of life was {}", ago(age)));
    }
    let members = state.members.values().filter(|member| !member.phase.is_over()).count();
    if !state.members.is_empty() {
        text.push_str(&format!(", {members} of {} members left", state.members.len()));
    }
    if let Some(comment) = state.comment.as_deref().filter(|_| matches!(state.phase, JobPhase::Queued | JobPhase::Held))
    {
        text.push_str(&format!(" ({comment})"));
    }
    text
}

/// A span of time for people.
#[must_use]
pub fn ago(seconds: i64) -> String {
    match seconds {
        s if s < 120 => format!("{s} s ago"),
        s if s < 7200 => format!("{} min ago", s / 60),
        s if s < 172_800 => format!("{} h ago", s / 3600),
        s => format!("{} days ago", s / 86_400),
    }
}

/// The verdict on an attempt that is over. `complete`: every seed of it has its result; `foreign`: something else ran.
pub(super) fn verdict(cause: Cause, complete: bool, foreign: bool) -> Verdict {
    match cause {
        _ if foreign => Verdict::Quarantined,
        // Killed after its last seed: the results are whole, and that is what was asked for.
        _ if complete => Verdict::Succeeded,
        Cause::Finished | Cause::Code => Verdict::Failed,
        Cause::Walltime | Cause::Memory | Cause::Deleted | Cause::Node | Cause::Unknown => Verdict::Killed,
    }
}

/// What decides about another attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) verdict: Verdict,
    pub(super) cause: Cause,
    /// Attempts that were made again by themselves before this one.
    pub(super) again: u32,
    /// How often that may be.
    pub(super) most: u32,
    /// The checkpoint is another one than after the attempt before, or a seed was finished.
    pub(super) moved: bool,
    /// What it was given, in seconds.
    pub(super) walltime_s: Option<u64>,
    /// The most that its queue gives.
    pub(super) most_s: Option<u64>,
}

/// Whether there is another attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing is left to do.
    Nothing,
    /// Once more, with this walltime where it is another one.
    Again { walltime_s: Option<u64> },
    /// A person has to look; why.
    Person(String),
}

/// Whether an attempt that is over is followed by another.
pub(super) fn then(turn: &Turn) -> Then {
    let person = |why: &str| Then::Person(why.to_string());
    match (turn.verdict, turn.cause) {
        (Verdict::Succeeded, _) => Then::Nothing,
        (Verdict::Quarantined, _) => person("what ran is not what was to run"),
        (Verdict::Failed, Cause::Finished) => person("it ended without a result that counts, and would again"),
        (Verdict::Failed, _) => person("its code failed, and would fail again"),
        (_, Cause::Memory) => person("it needs more memory, and would be killed again"),
        (_, Cause::Deleted) => person("it was deleted, so nobody submits it again by itself"),
        _ if !turn.moved => person("its checkpoint did not move on, so the same would happen again"),
        _ if turn.again >= turn.most => Then::Person(match turn.most {
            0 => "the cluster's profile says `resubmit: 0`".into(),
            1 => "it was submitted again once already".into(),
            _ => format!("it was submitted again {} times already", turn.again),
        }),
        (_, cause) => Then::Again { walltime_s: grown(turn).filter(|_| cause == Cause::Walltime) },
    }
}

/// Half as much again, up to the queue's limit; none when nothing is gained.
fn grown(turn: &Turn) -> Option<u64> {
    let now = turn.walltime_s?;
    let wanted = now.saturating_add(now / 2).div_ceil(60) * 60;
    let wanted = turn.most_s.map_or(wanted, |most| wanted.min(most));
    (wanted > now).then_some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(phase: JobPhase) -> JobState {
        JobState { phase, ..JobState::default() }
    }

    fn over(exit_status: Option<i32>, substate: i32, comment: &str) -> JobState {
        let comment = Some(comment.to_string());
        JobState { exit_status, substate: Some(substate), comment, raw: "F".into(), ..job(JobPhase::Finished) }
    }

    fn exit(code: i32) -> Exit {
        Exit { code, signal: (code == 143).then(|| "TERM".to_string()), ..Exit::default() }
    }

    fn evidence(seen: Seen<'_>) -> Evidence<'_> {
        Evidence { seen, exit: None, started: true, heartbeat_s: None, errors: "", waited_s: 0 }
    }

    const WALLTIME: &str = "=>> PBS: job killed: walltime 17 exceeded limit 5\n";

    /// The rows of the facts: what the scheduler says, our exit code, the job's standard error, and what it means.
    #[test]
    fn every_recorded_end_has_its_cause() {
        let rows: [(&str, JobState, Option<i32>, &str, Cause); 12] = [
            ("exit 7", over(Some(7), 93, "and failed"), Some(7), "", Cause::Code),
            ("ok", over(Some(0), 92, "and finished"), Some(0), "", Cause::Finished),
            ("walltime, PBS Pro 18", over(Some(271), 93, "and failed"), Some(143), WALLTIME, Cause::Walltime),
            ("walltime, OpenPBS 23", over(Some(-29), 93, "exceeded resource walltime"), Some(143), "", Cause::Walltime),
            ("walltime that reports 0", over(Some(0), 92, "and finished"), Some(143), WALLTIME, Cause::Walltime),
            ("walltime that reports 42", over(Some(42), 93, "and failed"), Some(143), WALLTIME, Cause::Walltime),
            ("walltime before any word", over(Some(-29), 93, "exceeded resource walltime"), None, "", Cause::Walltime),
            ("qdel while running", over(Some(271), 91, "terminated by alice@vm"), Some(143), "", Cause::Deleted),
            ("qdel in the queue", over(None, 91, ""), None, "", Cause::Deleted),
            ("start failed", over(Some(-2), 93, ""), None, "", Cause::Node),
            ("given up", over(Some(-3), 93, ""), None, "", Cause::Node),
            ("segv in the script", over(Some(139), 93, "and failed"), None, "", Cause::Code),
        ];
        for (what, state, code, errors, cause) in rows {
            let exit = code.map(exit);
            let known = Evidence { exit: exit.as_ref(), errors, waited_s: LAG_S, ..evidence(Seen::State(&state)) };
            assert_eq!(standing(&known), Standing::Over(cause), "{what}");
        }
    }

    #[test]
    fn an_end_needs_both_sources() {
        let finished = over(Some(0), 92, "and finished");
        let early = evidence(Seen::State(&finished));
        assert!(matches!(standing(&early), Standing::Active(t) if t.contains("waiting")));
        assert!(matches!(standing(&Evidence { waited_s: LAG_S, ..early }), Standing::Over(_)));
        // Deleted in the queue: nothing can come late.
        let deleted = over(None, 91, "");
        let never = Evidence { started: false, ..evidence(Seen::State(&deleted)) };
        assert_eq!(standing(&never), Standing::Over(Cause::Deleted));
        // An exit file under a job that the scheduler still runs is no end yet.
        let running = job(JobPhase::Running);
        let ended = exit(0);
        let both = Evidence { exit: Some(&ended), ..evidence(Seen::State(&running)) };
        assert_eq!(standing(&both), Standing::Active("running".into()));
    }

    #[test]
    fn a_job_that_vanished_is_never_failed_by_a_guess() {
        let gone = evidence(Seen::Gone);
        assert!(matches!(standing(&Evidence { waited_s: 1 << 40, ..gone }), Standing::Lost(_)));
        assert!(
            matches!(standing(&Evidence { started: false, ..gone }), Standing::Lost(t) if t.contains("never began"))
        );
        let beating = Evidence { heartbeat_s: Some(30), ..gone };
        assert!(matches!(standing(&beating), Standing::Active(t) if t.contains("heartbeat goes on")));
        let silent = Evidence { heartbeat_s: Some(90_000), ..gone };
        assert!(matches!(standing(&silent), Standing::Lost(t) if t.contains("25 h ago")));
        for (code, cause) in [(0, Cause::Finished), (3, Cause::Code), (143, Cause::Unknown)] {
            let exit = exit(code);
            assert_eq!(standing(&Evidence { exit: Some(&exit), ..gone }), Standing::Over(cause), "{code}");
        }
    }

    #[test]
    fn every_phase_that_is_not_over_is_told() {
        use JobPhase as P;
        for phase in [P::Queued, P::Held, P::Waiting, P::Running, P::Suspended, P::Exiting, P::Other("Z".into())] {
            let state = job(phase.clone());
            assert_eq!(standing(&evidence(Seen::State(&state))), Standing::Active(phase.word().into()));
        }
        let moved = job(P::Moved);
        let moved = evidence(Seen::State(&moved));
        assert_eq!(standing(&moved), Standing::Active("moved to another server".into()));
        let ended = exit(3);
        assert_eq!(standing(&Evidence { exit: Some(&ended), ..moved }), Standing::Over(Cause::Code));
        let held = JobState { starts: Some(21), ..job(P::Held) };
        assert!(matches!(standing(&evidence(Seen::State(&held))), Standing::Active(t) if t.contains("21 starts")));
        let running = job(P::Running);
        let silent = Evidence { heartbeat_s: Some(1200), ..evidence(Seen::State(&running)) };
        assert_eq!(standing(&silent), Standing::Active("running, but its last sign of life was 20 min ago".into()));
    }

    #[test]
    fn the_verdict_follows_the_cause() {
        use Cause as C;
        assert_eq!(verdict(C::Finished, true, false), Verdict::Succeeded);
        assert_eq!(verdict(C::Walltime, true, false), Verdict::Succeeded);
        assert_eq!(verdict(C::Finished, true, true), Verdict::Quarantined);
        assert_eq!(verdict(C::Finished, false, false), Verdict::Failed);
        assert_eq!(verdict(C::Code, false, false), Verdict::Failed);
        for cause in [C::Walltime, C::Memory, C::Deleted, C::Node, C::Unknown] {
            assert_eq!(verdict(cause, false, false), Verdict::Killed, "{cause:?}");
        }
    }

    #[test]
    fn only_what_moved_on_is_submitted_again() {
        use Cause as C;
        let turn = Turn {
            verdict: Verdict::Killed,
            cause: C::Walltime,
            again: 0,
            most: 3,
            moved: true,
            walltime_s: Some(3600),
            most_s: Some(43_200),
        };
        assert_eq!(then(&turn), Then::Again { walltime_s: Some(5400) });
        assert_eq!(then(&Turn { most_s: Some(4000), ..turn }), Then::Again { walltime_s: Some(4000) });
        assert_eq!(then(&Turn { most_s: Some(3600), ..turn }), Then::Again { walltime_s: None });
        // The walltime grows only after a walltime kill.
        for cause in [C::Node, C::Unknown] {
            assert_eq!(then(&Turn { cause, ..turn }), Then::Again { walltime_s: None }, "{cause:?}");
        }
        let person = |turn: Turn| matches!(then(&turn), Then::Person(_));
        assert!(person(Turn { moved: false, ..turn }));
        assert!(person(Turn { again: 3, ..turn }));
        assert!(person(Turn { cause: C::Memory, ..turn }) && person(Turn { cause: C::Deleted, ..turn }));
        assert!(person(Turn { verdict: Verdict::Failed, cause: C::Code, ..turn }));
        assert!(person(Turn { verdict: Verdict::Quarantined, ..turn }));
        assert_eq!(then(&Turn { verdict: Verdict::Succeeded, ..turn }), Then::Nothing);
    }
}
