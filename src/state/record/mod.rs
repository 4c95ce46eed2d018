//! What a run leaves in git: `run.yaml`, attempts, `metrics.json`; why it does not count is in `exclusion`.

mod metrics;

use std::collections::BTreeMap;

pub use metrics::{Hardware, Metric, Metrics, Status, Timing, Tracking};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entities::Seeds;
use super::frozen::Frozen;
use super::ids::RunId;

/// `run.yaml`: one submission of an experiment at one anchor. Never changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// File version.
    pub schema: u32,
    /// Smoke or full.
    pub kind: RunKind,
    /// The experiment's name.
    pub experiment: String,
    /// Overrides it was composed with, the seed apart.
    #[serde(default)]
    pub overrides: Vec<String>,
    /// Where it was submitted.
    pub cluster: String,
    /// When, UTC.
    pub created: jiff::Timestamp,
    /// The commit and the code it belongs to.
    pub anchor: Anchor,
    /// What was started for each seed.
    pub command: Vec<String>,
    /// Digest of the resolved config, without seed, paths, device and tracking.
    pub config_digest: String,
    /// Its seeds.
    pub seeds: Seeds,
    /// What was asked of the scheduler.
    #[serde(default)]
    pub resources: Resources,
    /// The run that it repeats, from the same commit and config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun_of: Option<RunId>,
    /// What its iteration said when it was recorded; a full run's, with phases on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<Frozen>,
}

/// Smoke or full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunKind {
    /// A few batches, to see that it works.
    Smoke,
    /// The whole recipe; only these are ranked.
    Full,
}

/// What a run was started from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The commit, in full.
    pub commit: String,
    /// Digest of the code tree.
    pub code_tree: String,
    /// Digest of the snapshot's manifest.
    pub manifest: String,
}

/// What was asked of the scheduler.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// Queue, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Walltime as `HH:MM:SS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walltime: Option<String>,
}

/// `attempts/<n>.yaml`: one scheduler job of a run. Keys are added, never changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// File version.
    pub schema: u32,
    /// The cluster.
    pub cluster: String,
    /// The scheduler's id; for `local` the process id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The job's name at the scheduler, by which it is found again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was submitted.
    pub submitted: jiff::Timestamp,
    /// The seeds it trains; all of the run's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seeds: Option<Seeds>,
    /// How the seeds share the job; one after another when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seeds_as: Option<SeedsAs>,
    /// What was asked of the scheduler for it.
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,
    /// Digest of its job script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// When the evidence for the verdict was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<jiff::Timestamp>,
    /// What the job attested when it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Start>,
    /// What the job wrote when it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
    /// The judgement; none while it is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// One word for what ended it, such as `walltime`; none for a success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Why the verdict is not `succeeded`, seed by seed where seeds differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What each seed's checkpoint looked like at the end, as a short digest of names, sizes and times.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checkpoints: BTreeMap<u64, String>,
}

impl Resources {
    /// Nothing was asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How the seeds of a run become scheduler jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SeedsAs {
    /// One job trains them one after another.
    Sequence,
    /// One job for each.
    Jobs,
    /// One job array with a member for each.
    Array,
}

impl Attempt {
    /// An attempt that was just submitted.
    #[must_use]
    pub fn new(cluster: impl Into<String>, submitted: jiff::Timestamp) -> Self {
        Self { schema: 1, cluster: cluster.into(), submitted, ..Self::default() }
    }
}

/// `start.json`: what really ran.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// When.
    pub at: jiff::Timestamp,
    /// The host's name.
    pub host: String,
    /// The anchor's commit, as the snapshot says.
    pub commit: String,
    /// The manifest's digest, as computed on the spot.
    pub manifest: String,
    /// The config's digest.
    pub config_digest: String,
    /// The scheduler's id, as the job's own environment says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The modules that were loaded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// Where the program's own module came from, relative to the snapshot where it lies in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// `exit.json`: how it ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exit {
    /// When.
    pub at: jiff::Timestamp,
    /// The exit status; the first that is not 0 when there are several seeds.
    pub code: i32,
    /// The exit status of each seed that was started.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub seeds: BTreeMap<u64, i32>,
    /// The signal that the job was told to stop with, such as `TERM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
}

/// The judgement on an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every seed left valid metrics and the exit status was 0.
    Succeeded,
    /// The trainer failed.
    Failed,
    /// It was stopped from outside.
    Killed,
    /// What ran is not what was to run.
    Quarantined,
}
