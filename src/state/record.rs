//! What a run leaves in git: `run.yaml`, attempts, `metrics.json`; why it does not count is in `exclusion`.
//!
//! `metrics.json` is the public contract with every trainer (`docs/trainer-contract.md`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entities::{Direction, Seeds};
use super::ids::RunId;
use super::{json, yaml};

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

/// `metrics.json`: one seed's result, written by any trainer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// File version.
    pub schema: u32,
    /// The run's id; `local` for a training outside a run.
    pub run: String,
    /// The seed.
    pub seed: u64,
    /// The anchor's commit, in full.
    pub commit: String,
    /// Digest of the config that was trained.
    pub config_digest: String,
    /// How it ended.
    pub status: Status,
    /// Epochs that the config asks for.
    pub epochs_planned: u64,
    /// Epochs that were run.
    pub epochs_run: u64,
    /// The epoch with the best selection metric, from 1; none before the first.
    #[serde(default)]
    pub best_epoch: Option<u64>,
    /// Metrics by name, such as `val/accuracy`.
    pub metrics: BTreeMap<String, Metric>,
    /// One value per epoch for each series, bounded in number.
    #[serde(default)]
    pub curve: BTreeMap<String, Vec<f64>>,
    /// Trained numbers of the model.
    #[serde(default)]
    pub params: Option<u64>,
    /// Seconds.
    #[serde(default)]
    pub timing: Timing,
    /// What it ran on.
    #[serde(default)]
    pub hardware: Hardware,
    /// Tracking, where there is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wandb: Option<Tracking>,
    /// Why, when the status is `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How a seed ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All epochs.
    Completed,
    /// Stopped by its own rule.
    EarlyStopped,
    /// Failed.
    Failed,
}

/// One metric of one seed. Accuracies are fractions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// At the end of training.
    #[serde(rename = "final")]
    pub last: f64,
    /// The best over all epochs.
    pub best: f64,
    /// The epoch of the best, from 1.
    pub best_epoch: u64,
    /// Which way is better.
    pub direction: Direction,
}

/// Seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// The whole training, over every start.
    #[serde(default)]
    pub wall_s: f64,
    /// The median epoch.
    #[serde(default)]
    pub epoch_s: f64,
}

/// What it ran on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hardware {
    /// `cpu`, `cuda:0` …
    #[serde(default)]
    pub device: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Threads.
    #[serde(default)]
    pub threads: u32,
}

/// Where it is tracked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tracking {
    /// The run's id there.
    pub id: String,
    /// The project there.
    #[serde(default)]
    pub project: Option<String>,
}

impl Metrics {
    /// At most this many values in one curve.
    pub const CURVE_MOST: usize = 10_000;

    /// The metrics that a text holds; the message says what is wrong and in which line.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let line = |pos: Option<yaml::Pos>| pos.map(|pos| format!(" (line {})", pos.line)).unwrap_or_default();
        Self::read(bytes).map_err(|error| format!("{}{}", error.message, line(error.pos)))
    }

    /// The metrics that a text holds, or what is wrong with it and where.
    pub fn read(bytes: &[u8]) -> Result<Self, yaml::Error> {
        let unplaced = |message: String| yaml::Error { message, pos: None, hint: None };
        if bytes.len() > 4 << 20 {
            return Err(unplaced(format!("{} bytes; at most 4 MiB", bytes.len())));
        }
        match bytes.iter().find(|b| !b.is_ascii_whitespace()) {
            None => return Err(unplaced("the file is empty".into())),
            Some(b'{') => json::check(bytes)?,
            // An array would be taken for the keys in order.
            Some(_) => return Err(unplaced("this is no JSON object; metrics.json begins with `{`".into())),
        }
        let metrics: Self = match serde_json::from_slice(bytes) {
            Ok(metrics) => metrics,
            Err(error) => Self::without_own_keys(bytes)
                .ok_or_else(|| newer(bytes).unwrap_or_else(|| json::located(&error, bytes)))?,
        };
        metrics.validate().map(|()| metrics).map_err(unplaced)
    }

    /// The metrics without keys that begin with `x-`, which belong to the trainer.
    fn without_own_keys(bytes: &[u8]) -> Option<Self> {
        let mut value: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes).ok()?;
        value.retain(|key, _| !key.starts_with("x-"));
        serde_json::from_value(value.into()).ok()
    }

    fn validate(&self) -> Result<(), String> {
        let terminal = self.status != Status::Failed;
        let finite = |m: &Metric| m.last.is_finite() && m.best.is_finite();
        if self.schema != 1 {
            return Err(format!("schema {} is not known here; this git-ar reads 1", self.schema));
        }
        if terminal && self.metrics.is_empty() {
            return Err("`metrics` is empty".into());
        }
        if let Some((name, _)) = self.metrics.iter().find(|(_, m)| !finite(m)) {
            return Err(format!("`{name}` is not finite"));
        }
        let fraction = |m: &Metric| (0.0..=1.0).contains(&m.last) && (0.0..=1.0).contains(&m.best);
        let accuracy = |name: &str| name.rsplit('/').next() == Some("accuracy");
        if let Some((name, m)) = self.metrics.iter().find(|(name, m)| accuracy(name) && !fraction(m)) {
            return Err(format!("`{name}` is {} (best {}); an accuracy is a fraction from 0 to 1", m.last, m.best));
        }
        if let Some((name, _)) = self.curve.iter().find(|(_, c)| c.len() > Self::CURVE_MOST) {
            return Err(format!("curve `{name}` has more than {} values", Self::CURVE_MOST));
        }
        if self.epochs_run > self.epochs_planned {
            return Err(format!("epochs_run {} is above epochs_planned {}", self.epochs_run, self.epochs_planned));
        }
        if self.status == Status::Completed && self.epochs_run < self.epochs_planned {
            return Err(format!("status is completed after {} of {} epochs", self.epochs_run, self.epochs_planned));
        }
        Ok(())
    }
}

/// What a file of a newer version is told as, whatever else does not read in it.
fn newer(bytes: &[u8]) -> Option<yaml::Error> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let version = value.get("schema")?.as_u64().filter(|version| *version > 1)?;
    let message = format!("schema {version} is newer than this git-ar, which reads 1");
    Some(yaml::Error { message, pos: None, hint: Some("install a newer git-ar; the file stays as it is".into()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"schema":1,"run":"a","seed":0,"commit":"c","config_digest":"d","status":"completed","epochs_planned":2,"epochs_run":2,
        "metrics":{"val/accuracy":{"final":0.9,"best":0.9,"best_epoch":2,"direction":"maximize"}}}"#;

    #[test]
    fn metrics_are_checked() {
        assert!(Metrics::from_json(GOOD.as_bytes()).is_ok());
        assert!(Metrics::from_json(GOOD.replacen('{', "{\"x-lab\":1,", 1).as_bytes()).is_ok());
        assert_eq!(Metrics::from_json(b" \n").unwrap_err(), "the file is empty");
        for other in ["[1, \"a\", 0]", "null", "\u{feff}{}"] {
            assert!(Metrics::from_json(other.as_bytes()).unwrap_err().contains("no JSON object"), "{other}");
        }
        for (from, to) in [
            ("0.9,\"best\"", "NaN,\"best\""),
            ("0.9,\"best\"", "\"0.9\",\"best\""),
            ("\"seed\":0,", ""),
            ("\"epochs_run\":2", "\"epochs_run\":3"),
            ("\"run\"", "\"runn\""),
            ("0.9,\"best\"", "1e999,\"best\""),
            ("0.9,\"best\"", "98.1,\"best\""),
            ("\"seed\":0,", "\"seed\":0,\"seed\":1,"),
            ("\"final\":0.9", "\"final\":0.9,\"final\":0.99"),
            ("{\"schema\"", "{\"x-lab\":1,\"run\":\"b\",\"schema\""),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert!(Metrics::from_json(text.as_bytes()).is_err(), "{text}");
        }
    }
}
