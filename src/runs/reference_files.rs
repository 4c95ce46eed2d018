//! The files of the reference trainer: the config it reads, its checkpoint, the metrics it writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::contract::Task;
use super::scratch;
use crate::state::entities::Direction;
use crate::state::problem::{Kind, Problem};
use crate::state::record::{Hardware, Metric, Metrics, Status, Timing};
use crate::state::yaml::{self, Limits, Node, Value};

/// What of a config the reference trainer reads.
#[derive(Clone, Debug, Deserialize)]
pub struct Recipe {
    /// Passes over the training images.
    pub epochs: u32,
    /// Images per step.
    pub batch_size: usize,
    /// The optimizer.
    pub optimizer: Optimizer,
    dataset: Named,
    model: Model,
    schedule: Option<Named>,
}

#[derive(Clone, Debug, Deserialize)]
struct Named {
    name: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Model {
    name: String,
    hidden: Vec<usize>,
}

/// `optimizer:` of a config.
#[derive(Clone, Debug, Deserialize)]
pub struct Optimizer {
    /// `sgd` or `adam`.
    pub name: String,
    /// Learning rate.
    pub lr: f32,
    /// Momentum of `sgd`.
    #[serde(default)]
    pub momentum: f32,
    /// Decay of the two moments of `adam`.
    #[serde(default = "betas")]
    pub betas: [f32; 2],
    /// Keeps `adam`'s division finite.
    #[serde(default = "eps")]
    pub eps: f32,
    /// Pull of the weights towards 0, added to the gradient.
    #[serde(default)]
    pub weight_decay: f32,
}

fn betas() -> [f32; 2] {
    [0.9, 0.999]
}

fn eps() -> f32 {
    1e-8
}

/// Keys that change what is trained, and that this trainer knows. Any other must be off: null, false or 0.
const KNOWN: [(&str, &[&str]); 3] = [
    ("model", &["name", "hidden", "activation", "inputs", "outputs", "classes", "bias"]),
    ("optimizer", &["name", "lr", "momentum", "betas", "eps", "weight_decay"]),
    ("schedule", &["name"]),
];

impl Recipe {
    /// The recipe in a config file. What this trainer cannot do is refused by name.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let shown = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|e| scratch::failed("read", path, &e))?;
        let node = yaml::parse(&bytes, Limits::default()).map_err(|e| e.in_file(&shown))?;
        let node = node.ok_or_else(|| cannot("the config is empty".into()).at(&shown))?;
        for (section, known) in KNOWN {
            if let Some(Value::Map(entries)) = node.get(section).map(|n| &n.value) {
                let extra = entries.iter().find(|(k, v)| !k.text().is_some_and(|k| known.contains(&k)) && !is_off(v));
                if let Some((key, _)) = extra {
                    let name = key.text().unwrap_or_default();
                    let message = format!("the reference trainer knows nothing of `{section}.{name}`");
                    return Err(cannot(message).at(&shown).line(Some(key.pos.line)));
                }
            }
        }
        let activation = node.get("model").and_then(|m| m.get("activation")).and_then(Node::text);
        if let Some(other) = activation.filter(|a| *a != "relu") {
            return Err(cannot(format!("model.activation is `{other}`; the reference trainer has relu")).at(&shown));
        }
        let recipe: Self = yaml::from_node(&node).map_err(|e| e.in_file(&shown))?;
        recipe.check().map_err(|message| cannot(message).at(&shown))?;
        Ok(recipe)
    }

    /// Units of the hidden layer.
    pub fn hidden(&self) -> usize {
        self.model.hidden[0]
    }

    fn check(&self) -> Result<(), String> {
        let only = |key: &str, value: &str, can: &[&str]| match can.contains(&value) {
            true => Ok(()),
            false => Err(format!("{key} is `{value}`; the reference trainer has {}", can.join(", "))),
        };
        only("dataset.name", &self.dataset.name, &["digits"])?;
        only("model.name", &self.model.name, &["ffnn"])?;
        only("optimizer.name", &self.optimizer.name, &["sgd", "adam"])?;
        only("schedule.name", self.schedule.as_ref().map_or("constant", |s| &s.name), &["constant"])?;
        let rule = &self.optimizer;
        let fraction = |x: f32| (0.0..1.0).contains(&x);
        match self.model.hidden[..] {
            [1..=4096] => {}
            [_] => return Err("model.hidden is not from 1 to 4096".into()),
            _ => {
                return Err(format!(
                    "model.hidden has {} layers; the reference trainer has one",
                    self.model.hidden.len()
                ));
            }
        }
        match () {
            () if !(1..=10_000).contains(&self.epochs) => Err("epochs is not from 1 to 10000".into()),
            () if !(1..=1257).contains(&self.batch_size) => {
                Err("batch_size is not from 1 to 1257, the number of training images".into())
            }
            () if rule.lr <= 0.0 => Err("optimizer.lr is not above 0".into()),
            () if !fraction(rule.momentum) => Err("optimizer.momentum is not from 0 to below 1".into()),
            () if !rule.betas.into_iter().all(fraction) => Err("optimizer.betas are not from 0 to below 1".into()),
            () if rule.eps <= 0.0 => Err("optimizer.eps is not above 0".into()),
            () if rule.weight_decay < 0.0 => Err("optimizer.weight_decay is below 0".into()),
            () => Ok(()),
        }
    }
}

fn is_off(value: &Node) -> bool {
    value.is_null() || matches!(value.text(), Some("false" | "0" | "0.0"))
}

fn cannot(message: String) -> Problem {
    Problem::new(Kind::Invalid, "reference-trainer", message)
        .hint("it trains a one-layer `ffnn` on `digits` with `sgd` or `adam`; set `trainer: engine` in configs/ar.yaml for more")
}

/// Everything that a training needs to go on, as of the end of an epoch. Written after every epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    /// Epochs behind it.
    pub epoch: u32,
    /// Steps behind it.
    pub step: u64,
    /// The net.
    pub weights: Vec<f32>,
    /// The optimizer's first moment.
    pub first: Vec<f32>,
    /// The optimizer's second moment.
    pub second: Vec<f32>,
    /// One value per epoch for each series.
    pub curve: BTreeMap<String, Vec<f64>>,
    /// Seconds of each epoch.
    pub seconds: Vec<f64>,
}

/// The checkpoint as a file: numbers as their bits, so that what is read is exactly what was written.
#[derive(Serialize, Deserialize)]
struct Stored {
    seed: u64,
    config_digest: String,
    epoch: u32,
    step: u64,
    numbers: [Vec<u32>; 3],
    curve: BTreeMap<String, Vec<u64>>,
    seconds: Vec<u64>,
}

fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|x| x.to_bits()).collect()
}

fn numbers(bits: &[u64]) -> Vec<f64> {
    bits.iter().map(|b| f64::from_bits(*b)).collect()
}

impl Checkpoint {
    /// The state before the first epoch.
    pub fn start(weights: Vec<f32>) -> Self {
        let zeros = vec![0.0; weights.len()];
        Self { first: zeros.clone(), second: zeros, weights, ..Self::default() }
    }

    /// Adds one epoch's values to the curves.
    pub fn note(&mut self, values: &[(&str, f64)]) {
        for (name, value) in values {
            self.curve.entry((*name).to_string()).or_default().push(*value);
        }
    }

    fn path(task: &Task) -> PathBuf {
        task.seed_dir().join("checkpoint.json")
    }

    /// Writes the checkpoint whole.
    pub fn save(&self, task: &Task) -> Result<(), Problem> {
        let list = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect();
        let stored = Stored {
            seed: task.seed,
            config_digest: task.config_digest.clone(),
            epoch: self.epoch,
            step: self.step,
            numbers: [list(&self.weights), list(&self.first), list(&self.second)],
            curve: self.curve.iter().map(|(name, values)| (name.clone(), bits(values))).collect(),
            seconds: bits(&self.seconds),
        };
        scratch::write(&Self::path(task), &serde_json::to_vec(&stored).expect("numbers and text"))
    }

    /// The checkpoint of this very task, if there is one; `parameters` is the number of weights it must have.
    pub fn load(task: &Task, parameters: usize) -> Result<Option<Self>, Problem> {
        let Some(bytes) = scratch::read(&Self::path(task))?.filter(|_| !task.smoke) else { return Ok(None) };
        let Ok(stored) = serde_json::from_slice::<Stored>(&bytes) else { return Ok(None) };
        let same = stored.seed == task.seed && stored.config_digest == task.config_digest;
        if !same || stored.numbers.iter().any(|list| list.len() != parameters) {
            return Ok(None);
        }
        let [weights, first, second] =
            stored.numbers.map(|list| list.into_iter().map(f32::from_bits).collect::<Vec<f32>>());
        let curve = stored.curve.iter().map(|(name, values)| (name.clone(), numbers(values))).collect();
        let seconds = numbers(&stored.seconds);
        Ok(Some(Self { epoch: stored.epoch, step: stored.step, weights, first, second, curve, seconds }))
    }
}

/// Whether this task has its result already.
pub fn finished(task: &Task) -> Result<bool, Problem> {
    let bytes = scratch::read(&task.seed_dir().join("metrics.json"))?;
    let metrics = bytes.and_then(|bytes| Metrics::from_json(&bytes).ok());
    Ok(metrics
        .is_some_and(|m| m.seed == task.seed && m.config_digest == task.config_digest && m.status != Status::Failed))
}

/// A curve as a metric: its last value, and its best with the epoch.
fn metric(name: &str, values: &[f64], first_epoch: u64) -> Option<Metric> {
    let direction = if name.ends_with("/loss") { Direction::Minimize } else { Direction::Maximize };
    let better = |a: f64, b: f64| if direction == Direction::Minimize { a < b } else { a > b };
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if better(*value, values[best]) {
            best = index;
        }
    }
    let (last, value) = (*values.last()?, *values.get(best)?);
    Some(Metric { last, best: value, best_epoch: first_epoch + best as u64, direction })
}

/// Writes `metrics.json`: with the test results, or with the message of what failed.
pub fn write_metrics(
    task: &Task,
    state: &Checkpoint,
    epochs: u32,
    end: Result<&BTreeMap<&str, f64>, &str>,
) -> Result<(), Problem> {
    let mut metrics = BTreeMap::new();
    if let Ok(test) = end {
        let curves = state.curve.iter().filter_map(|(name, values)| Some((name.clone(), metric(name, values, 1)?)));
        metrics.extend(curves);
        let last = |(name, value): (&&str, &f64)| Some(((*name).to_string(), metric(name, &[*value], epochs.into())?));
        metrics.extend(test.iter().filter_map(last));
    }
    let mut sorted = state.seconds.clone();
    sorted.sort_by(f64::total_cmp);
    let finite = |values: &Vec<f64>| values.iter().copied().filter(|v| v.is_finite()).collect();
    let metrics = Metrics {
        schema: 1,
        run: task.run.clone(),
        seed: task.seed,
        commit: task.commit.clone(),
        config_digest: task.config_digest.clone(),
        status: if end.is_ok() { Status::Completed } else { Status::Failed },
        epochs_planned: epochs.into(),
        epochs_run: state.epoch.into(),
        best_epoch: metrics.get("val/accuracy").map(|m| m.best_epoch),
        metrics,
        curve: state.curve.iter().map(|(name, values)| (name.clone(), finite(values))).collect(),
        params: Some(state.weights.len() as u64),
        timing: Timing {
            wall_s: state.seconds.iter().sum(),
            epoch_s: sorted.get(sorted.len() / 2).copied().unwrap_or_default(),
        },
        hardware: Hardware { device: "cpu".into(), threads: 1, ..Hardware::default() },
        wandb: None,
        error: end.err().map(str::to_string),
    };
    let value = serde_json::to_value(&metrics).expect("finite numbers and text");
    scratch::write(&task.seed_dir().join("metrics.json"), (lines(&value, 2) + "\n").as_bytes())
}

/// JSON with one key a line down to a depth, and lists in one line: short, and still fit for a diff.
fn lines(value: &serde_json::Value, depth: usize) -> String {
    let serde_json::Value::Object(map) = value else { return value.to_string() };
    if depth == 0 || map.is_empty() {
        return value.to_string();
    }
    let indent = "  ".repeat(3 - depth);
    let entries: Vec<String> = map.iter().map(|(k, v)| format!("{indent}\"{k}\": {}", lines(v, depth - 1))).collect();
    format!("{{\n{}\n{}}}", entries.join(",\n"), &indent[2..])
}
