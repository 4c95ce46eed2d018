//! What a tick says, to people and programs.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::active::Active;
use super::decide::Then;
use super::judge::{End, told};
use super::seen::Sights;
use crate::ops::record::Recorded;
use crate::ops::run_show::verdict_word;
use crate::state::entities::Seeds;
use crate::state::problem::{Kind, Problem};
use crate::state::record::Verdict;

/// What came of a tick.
#[derive(Debug, Default, Serialize)]
pub struct Ticked {
    /// Submits that nobody had recorded, and what became of them.
    pub settled: Vec<String>,
    /// Cluster by cluster; those without an active attempt are not asked.
    pub clusters: Vec<ClusterTick>,
    /// Nothing was done.
    pub dry: bool,
    /// What was recorded.
    #[serde(flatten)]
    pub recorded: Recorded,
    /// What to know besides.
    #[serde(skip)]
    pub warnings: Vec<Problem>,
}

/// One cluster.
#[derive(Debug, Default, Serialize)]
pub struct ClusterTick {
    /// Its name.
    pub cluster: String,
    /// Why it gave no answer.
    pub unavailable: Option<String>,
    /// The kind of that.
    #[serde(skip)]
    pub failure: Option<Kind>,
    /// Seconds since it was asked, when that is too short ago to ask again.
    pub rested_s: Option<i64>,
    /// Attempts that go on.
    pub active: Vec<Line>,
    /// Attempts that have ended.
    pub ended: Vec<Line>,
}

/// One attempt.
#[derive(Debug, Serialize)]
pub struct Line {
    /// Its run.
    pub run: String,
    /// Its number.
    pub attempt: u32,
    /// Its project or iteration.
    pub place: String,
    /// The scheduler's id.
    pub job: Option<String>,
    /// What it does, or how it ended.
    pub said: String,
    /// When that was seen; none when nobody has looked yet.
    pub at: Option<Timestamp>,
    /// The verdict, when it has ended.
    pub verdict: Option<Verdict>,
    /// What ended it.
    pub cause: Option<&'static str>,
    /// What happens next.
    pub then: Option<String>,
    /// The number of the attempt that follows it.
    pub again: Option<u32>,
}

impl ClusterTick {
    pub(super) fn new(name: &str) -> Self {
        Self { cluster: name.to_string(), ..Self::default() }
    }
}

impl Line {
    /// An attempt that goes on.
    #[must_use]
    pub fn of(active: &Active, said: String, at: Timestamp) -> Self {
        Self {
            run: active.found.id.to_string(),
            attempt: active.number,
            place: active.found.place_name(),
            job: active.attempt.job.clone(),
            said,
            at: Some(at),
            verdict: None,
            cause: None,
            then: None,
            again: None,
        }
    }

    /// An attempt as it was seen last.
    #[must_use]
    pub fn known(active: &Active, sights: &Sights) -> Self {
        let sight = sights.attempts.get(&active.name());
        let said = sight.map_or_else(|| "submitted; nobody has looked yet".to_string(), |sight| sight.said.clone());
        Self { at: sight.map(|sight| sight.at), ..Self::of(active, said, Timestamp::UNIX_EPOCH) }
    }

    pub(super) fn ended(active: &Active, end: &End, at: Timestamp) -> Self {
        let seeds = Seeds::try_from(end.finished.clone()).map(|seeds| format!("seeds {seeds}")).ok();
        let reason = end.reason.clone();
        let said = [seeds, reason].into_iter().flatten().collect::<Vec<_>>().join("; ");
        let then = match &end.then {
            Then::Nothing => None,
            Then::Again { .. } => Some(format!("seeds {} go on from their checkpoint", left(end))),
            Then::Person(why) => Some(format!("not submitted again: {why}")),
        };
        let cause = told(end.verdict, end.cause);
        Self { verdict: Some(end.verdict), cause, then, ..Self::of(active, said, at) }
    }
}

/// The seeds without a result, for people.
fn left(end: &End) -> String {
    Seeds::try_from(end.left.clone()).map(|seeds| seeds.to_string()).unwrap_or_default()
}

impl Ticked {
    /// Attempts that go on, those just submitted again included.
    #[must_use]
    pub fn active(&self) -> usize {
        let again = |cluster: &ClusterTick| cluster.ended.iter().filter(|line| line.again.is_some()).count();
        self.clusters.iter().map(|cluster| cluster.active.len() + again(cluster)).sum()
    }

    /// Why a cluster gave no answer, when one gave none: what mends itself comes last.
    #[must_use]
    pub fn failure(&self) -> Option<Kind> {
        let kinds = || self.clusters.iter().filter_map(|cluster| cluster.failure);
        kinds().find(|kind| *kind != Kind::Unavailable).or_else(|| kinds().next())
    }

    /// What to type next.
    #[must_use]
    pub fn next(&self) -> Vec<String> {
        let mut next = Vec::new();
        let person = |line: &&Line| line.verdict.is_some_and(|v| v != Verdict::Succeeded) && line.again.is_none();
        let failed = self.clusters.iter().flat_map(|cluster| &cluster.ended).filter(person);
        next.extend(failed.take(3).map(|line| format!("git ar run triage {}", line.run)));
        if self.failure() == Some(Kind::Unavailable) {
            next.push("git ar handoff".into());
        }
        if self.active() > 0 {
            next.push("git ar tick --until-idle --every 10m".into());
        }
        next
    }
}

impl fmt::Display for Ticked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settled.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        if self.clusters.is_empty() {
            return writeln!(f, "no attempt is active");
        }
        self.clusters.iter().try_for_each(|cluster| cluster.fmt(f))?;
        if self.dry {
            writeln!(f, "nothing was done (--dry-run)")
        } else if self.clusters.iter().any(|cluster| !cluster.ended.is_empty()) {
            self.recorded.fmt(f)
        } else {
            writeln!(f, "nothing changed")
        }
    }
}

impl fmt::Display for ClusterTick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.active.len() + self.ended.len();
        let word = if count == 1 { "attempt" } else { "attempts" };
        write!(f, "{}: {count} {word}", self.cluster)?;
        match (&self.unavailable, self.rested_s) {
            (Some(_), _) => writeln!(f, ", no answer; as seen last:")?,
            (None, Some(age)) => writeln!(f, ", asked {age} s ago (--now asks again); as seen then:")?,
            (None, None) => writeln!(f)?,
        }
        self.ended.iter().chain(&self.active).try_for_each(|line| line.fmt(f))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {}.{}", self.run, self.attempt)?;
        self.job.iter().try_for_each(|job| write!(f, "  job {job}"))?;
        match self.verdict {
            Some(verdict) => {
                let cause = self.cause.map(|cause| format!(" ({cause})")).unwrap_or_default();
                write!(f, "  {}{cause}", verdict_word(verdict))?;
                if !self.said.is_empty() {
                    write!(f, ": {}", self.said)?;
                }
            }
            None => {
                write!(f, "  {}", self.said)?;
                self.at.iter().try_for_each(|at| write!(f, "  (seen {})", at.strftime("%Y-%m-%d %H:%M UTC")))?;
            }
        }
        writeln!(f)?;
        self.then.iter().try_for_each(|then| writeln!(f, "    {then}"))
    }
}
