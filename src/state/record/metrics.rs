//! `metrics.json`, the public contract with every trainer (`docs/trainer-contract.md`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::state::entities::Direction;
use crate::state::{json, yaml};

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
    /// In what layers computed: `float32`, `bfloat16` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
    /// How images lay in memory, where not channel by channel: `channels_last`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_format: Option<String>,
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
