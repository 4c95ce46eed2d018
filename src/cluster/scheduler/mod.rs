//! Schedulers as text: what is asked of one, and what its replies mean. No process, no clock.
//!
//! A dialect is one file with pure functions: arguments out, replies in. Whoever reaches the site runs the arguments
//! and hands the [`Reply`] back. A question has three answers: known, proven unknown, and *unavailable*, which is
//! neither success nor failure.

mod asked;
mod pbs;
mod pbs_reply;
mod slurm;
mod slurm_reply;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::profile::Resources;
use super::reply::Reply;
use crate::state::problem::Problem;

/// A scheduler's dialect, as a profile names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scheduler {
    /// None: jobs start at once, as processes.
    Local,
    /// PBS Professional and OpenPBS.
    Pbs,
    /// Slurm.
    Slurm,
}

impl Scheduler {
    /// What speaks to it; none for `local`, which has nobody to speak to.
    #[must_use]
    pub fn dialect(self) -> Option<&'static dyn Dialect> {
        match self {
            Self::Local => None,
            Self::Pbs => Some(&pbs::Pbs),
            Self::Slurm => Some(&slurm::Slurm),
        }
    }

    /// Its word in a profile.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Pbs => "pbs",
            Self::Slurm => "slurm",
        }
    }
}

/// What is asked of a scheduler for one job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    /// The job's name there, made by [`job_name`]: a submit whose answer was lost is found again by it.
    pub name: String,
    /// The queue; the scheduler's own default when absent.
    pub queue: Option<String>,
    /// The account (PBS: project) that pays.
    pub account: Option<String>,
    /// Nodes, cores, GPUs, memory.
    pub resources: Resources,
    /// Seconds.
    pub walltime_s: u64,
    /// Where its standard output goes, relative to the folder of submission.
    pub output: String,
    /// Where its standard error goes, likewise.
    pub error: String,
    /// Members of an array, numbered from 0; none for a job by itself. One member is no array.
    pub array: Option<u32>,
    /// Further options of the profile, such as `-m abe`.
    pub extra: Vec<String>,
}

/// What came of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// The scheduler took it.
    Id(String),
    /// The scheduler said no, in these words; repeating does not help.
    Refused(String),
    /// No answer that can be trusted: the job may be there.
    Unavailable(String),
}

/// What a query brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// Jobs by the id that was asked for. An id that is not in here is proven unknown to the scheduler.
    Known(BTreeMap<String, JobState>),
    /// No answer that can be trusted, and why.
    Unavailable(String),
}

/// One job as the scheduler sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobState {
    /// Where it stands.
    pub phase: JobPhase,
    /// The exit status; negative ones are the scheduler's own.
    pub exit_status: Option<i32>,
    /// PBS's finer state.
    pub substate: Option<i32>,
    /// The scheduler's remark, printable.
    pub comment: Option<String>,
    /// The queue it is in.
    pub queue: Option<String>,
    /// Walltime used, in seconds.
    pub used_s: Option<u64>,
    /// Walltime asked for, in seconds.
    pub asked_s: Option<u64>,
    /// When it started, as the scheduler writes it.
    pub started: Option<String>,
    /// How often the scheduler started it.
    pub starts: Option<u32>,
    /// The state's letter or word as the scheduler said it.
    pub raw: String,
    /// Members of an array by index.
    pub members: BTreeMap<u32, JobState>,
}

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobPhase {
    /// It waits for its turn.
    Queued,
    /// Somebody or something holds it.
    Held,
    /// It waits for a time, or is on its way into a queue.
    Waiting,
    /// It runs.
    Running,
    /// It runs and is stopped.
    Suspended,
    /// It is ending.
    Exiting,
    /// It went to another server.
    Moved,
    /// It is over.
    Finished,
    /// A word that is not known here, shown as it is.
    Other(String),
}

impl Default for JobPhase {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl JobPhase {
    /// Nothing more comes from it here.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Finished)
    }

    /// The scheduler tells no more of it: it is over, or another server's.
    #[must_use]
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Finished | Self::Moved)
    }

    /// One word for people.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Queued => "queued",
            Self::Held => "held",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Suspended => "suspended",
            Self::Exiting => "exiting",
            Self::Moved => "moved",
            Self::Finished => "finished",
            Self::Other(word) => word,
        }
    }
}

/// How one scheduler is spoken to. All of it is text.
pub trait Dialect: Sync {
    /// The lines at the top of a job script that say what is asked for.
    ///
    /// # Errors
    /// [`crate::state::problem::Kind::Invalid`] when a value cannot stand in such a line; it names the value.
    fn directives(&self, spec: &Spec) -> Result<Vec<String>, Problem>;

    /// The command that submits a script, from the folder in which the job's files go.
    fn submit(&self, script: &str) -> Vec<String>;

    /// What the reply to [`Dialect::submit`] means.
    fn job_id(&self, reply: &Reply) -> Submitted;

    /// One command that asks for all of these jobs.
    fn query(&self, ids: &[String]) -> Vec<String>;

    /// What the reply to [`Dialect::query`] or [`Dialect::fallback`] means for these ids.
    fn states(&self, ids: &[String], reply: &Reply) -> Looked;

    /// The command that ends a job.
    fn cancel(&self, id: &str) -> Vec<String>;

    /// The command that finds jobs by their exact name, finished ones included.
    fn find(&self, name: &str) -> Vec<String>;

    /// The ids in the reply to [`Dialect::find`].
    ///
    /// # Errors
    /// The scheduler's words when it did not answer.
    fn found(&self, reply: &Reply) -> Result<Vec<String>, String>;

    /// The question again for a scheduler that keeps no history of finished jobs, when its reply to `question` says so.
    fn without_history(&self, question: &[String], reply: &Reply) -> Option<Vec<String>> {
        let _ = (question, reply);
        None
    }

    /// The id under which a job is asked for, from the one that it finds in its own environment; for a member of an
    /// array that of the array. None when it is no id.
    fn id_of(&self, own: &str) -> Option<String>;

    /// A second source for a job that the first no longer knows; read by [`Dialect::states`].
    fn fallback(&self, id: &str) -> Option<Vec<String>> {
        let _ = id;
        None
    }

    /// The variable in which a job finds its own id.
    fn id_variable(&self) -> &'static str;

    /// The variable in which a member of an array finds its index.
    fn index_variable(&self) -> &'static str;

    /// The variable in which a job finds the folder of its submission.
    fn folder_variable(&self) -> &'static str;
}

/// The name of an attempt at the scheduler. Run ids hold nothing but letters, digits, `-` and `_`.
#[must_use]
pub fn job_name(run: &crate::state::ids::RunId, attempt: u32) -> String {
    format!("{run}.{attempt}")
}

/// Why a further option of a profile cannot stand in a job script; none when it can.
#[must_use]
pub fn wrong_option(option: &str) -> Option<String> {
    asked::extra(option).err()
}

/// The words of a scheduler as they may be shown: one line, control characters visible, at most 500 characters.
fn words(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    crate::state::text::printable(&lines.join("; ").replace('\t', " ")).chars().take(500).collect()
}

/// What a command said when it said anything: standard error, else standard output, else its exit status.
fn said(reply: &Reply) -> String {
    let all = [words(&reply.stderr), words(&reply.stdout)];
    all.into_iter().find(|w| !w.is_empty()).unwrap_or_else(|| format!("exit status {} without a word", reply.code))
}

/// Seconds of `[D-]HH:MM:SS`, `MM:SS` or `SS`.
#[must_use]
pub fn seconds(text: &str) -> Option<u64> {
    let (days, clock) =
        text.trim().split_once('-').map_or(Some((0, text.trim())), |(d, c)| Some((d.parse().ok()?, c)))?;
    let mut parts = clock.split(':').map(|part| {
        let digits = !part.is_empty() && part.len() <= 9 && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<u64>().ok()).flatten()
    });
    let total =
        parts.try_fold((0u64, 0), |(total, n), part| Some((total.checked_mul(60)?.checked_add(part?)?, n + 1)))?;
    let days: u64 = days;
    (total.1 <= 3).then(|| days.checked_mul(86_400)?.checked_add(total.0)).flatten()
}

/// `HH:MM:SS`, hours as many as there are.
#[must_use]
pub fn clock(seconds: u64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests;
