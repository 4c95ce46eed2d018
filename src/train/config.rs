//! The resolved config as the engine reads it: every key known, every value in its range.
//!
//! ```yaml
//! seed: 0            # the contract's AR_SEED goes first
//! epochs: 50
//! batch_size: 128
//! dataset: {name: mnist, dir: null, normalize: true, augment: false}
//! model: {name: ffnn, hidden: [256, 128]}
//! optimizer: {name: adam, lr: 0.001, betas: [0.9, 0.999], eps: 1.0e-08, weight_decay: 0.0}
//! schedule: {name: constant}
//! grad_clip: null
//! early_stopping: null      # or {metric: val/accuracy, patience: 10}
//! device: auto              # cpu, cuda, cuda:1
//! precision: float32        # bfloat16, float16
//! memory_format: auto       # contiguous, channels_last
//! wandb: {enabled: false, project: null}
//! tensorboard: {enabled: false}
//! ```

use serde::Deserialize;

use super::precision::{MemoryFormat, Precision};
use super::track::{Place, Wanted};
use super::{optim, schedule};
use crate::state::problem::Problem;
use crate::state::yaml::{Error, Limits, Node, Pos, Value, from_node, parse};

/// What is trained and how.
#[derive(Clone, Debug)]
pub struct Config {
    /// The seed in the file, which the contract's `AR_SEED` overrides.
    pub seed: Option<u64>,
    /// Passes over the training images.
    pub epochs: u64,
    /// Images per step.
    pub batch_size: usize,
    /// The images.
    pub dataset: Dataset,
    /// The model.
    pub model: Model,
    /// The optimizer.
    pub optimizer: optim::Config,
    /// How the learning rate changes.
    pub schedule: schedule::Config,
    /// Greatest norm of the whole gradient.
    pub grad_clip: Option<f64>,
    /// When to stop before the last epoch.
    pub early_stopping: Option<EarlyStopping>,
    /// `auto`, `cpu`, `cuda` or `cuda:N`.
    pub device: String,
    /// What layers compute in.
    pub precision: Precision,
    /// How images lie in memory.
    pub memory_format: MemoryFormat,
    /// Where epochs are told to.
    pub tracking: Wanted,
}

/// `dataset:`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// One of `data::NAMES`.
    pub name: String,
    /// The folder of its files, or the folder above; `AR_DATA` where it is null.
    #[serde(default)]
    pub dir: Option<String>,
    /// Whether pixels are brought to mean 0 and deviation 1; they lie in 0..1 otherwise.
    #[serde(default = "yes")]
    pub normalize: bool,
    /// Random crops and flips of the training images.
    #[serde(default)]
    pub augment: bool,
}

/// `model:`, whose keys are the model's own.
#[derive(Clone, Debug)]
pub struct Model {
    /// One of `models::NAMES`.
    pub name: String,
    /// The other keys.
    pub settings: Node,
}

/// `early_stopping:`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// What must improve.
    #[serde(default = "val_accuracy")]
    pub metric: String,
    /// Epochs without improvement before the end.
    pub patience: u64,
}

/// The keys that are read as they are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    #[serde(default)]
    seed: Option<u64>,
    epochs: u64,
    batch_size: usize,
    dataset: Dataset,
    #[serde(default)]
    grad_clip: Option<f64>,
    #[serde(default)]
    early_stopping: Option<EarlyStopping>,
    #[serde(default = "auto")]
    device: String,
    #[serde(default)]
    precision: Precision,
    #[serde(default)]
    memory_format: MemoryFormat,
    #[serde(default)]
    wandb: Option<Wandb>,
    #[serde(default)]
    tensorboard: Option<TensorBoard>,
    #[serde(default)]
    project: Option<String>,
}

/// `wandb:`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wandb {
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    project: Option<String>,
    #[serde(default)]
    entity: Option<String>,
    #[serde(default)]
    mode: Option<String>,
}

/// `tensorboard:`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TensorBoard {
    #[serde(default)]
    enabled: bool,
}

impl Plain {
    fn tracking(&self) -> Wanted {
        let project = |wandb: &Wandb| wandb.project.clone().or_else(|| self.project.clone());
        let place = |wandb: &Wandb| Place {
            entity: wandb.entity.clone(),
            project: project(wandb).unwrap_or_else(|| "git-ar".into()),
        };
        Wanted {
            wandb: self.wandb.as_ref().filter(|w| w.enabled && w.mode.as_deref() != Some("disabled")).map(place),
            tensorboard: self.tensorboard.as_ref().is_some_and(|t| t.enabled),
        }
    }
}

fn yes() -> bool {
    true
}

fn auto() -> String {
    "auto".into()
}

fn val_accuracy() -> String {
    "val/accuracy".into()
}

/// What may have to improve.
const SERIES: [&str; 3] = ["val/accuracy", "val/loss", "train/loss"];

/// Keys that say how a run is called; they change nothing here.
const ASIDE: [&str; 2] = ["experiment", "tags"];

impl Config {
    /// The config in a file's text; problems name `path`.
    pub fn read(text: &[u8], path: &str) -> Result<Self, Problem> {
        Self::from_text(text).map_err(|error| error.in_file(path))
    }

    fn from_text(text: &[u8]) -> Result<Self, Error> {
        let start = Pos { line: 1, column: 1 };
        let node = parse(text, Limits::default())?.ok_or_else(|| Error::at(start, "the config is empty"))?;
        let (model, settings) = named(&node, "model")?;
        let model = Model { name: model.to_string(), settings };
        let (name, settings) = named(&node, "optimizer")?;
        let optimizer = optim::Config::read(name, &settings)?;
        let schedule = match node.get("schedule").filter(|n| !n.is_null()) {
            Some(_) => named(&node, "schedule").and_then(|(name, node)| schedule::Config::read(name, &node))?,
            None => schedule::Config::default(),
        };
        let rest = without(&node, &[&ASIDE[..], &["model", "optimizer", "schedule"]].concat());
        let plain: Plain = from_node(&rest)?;
        let tracking = plain.tracking();
        let config = Self {
            seed: plain.seed,
            epochs: plain.epochs,
            batch_size: plain.batch_size,
            dataset: plain.dataset,
            model,
            optimizer,
            schedule,
            grad_clip: plain.grad_clip,
            early_stopping: plain.early_stopping,
            device: plain.device,
            precision: plain.precision,
            memory_format: plain.memory_format,
            tracking,
        };
        config.check(&node).map(|()| config)
    }

    fn check(&self, node: &Node) -> Result<(), Error> {
        let place = |key: &str| node.get(key).map_or(node.pos, |n| n.pos);
        let wrong = |key: &str, message: String| Err(Error::at(place(key), message));
        match self {
            Self { epochs: 0, .. } => wrong("epochs", "`epochs` is 0; at least 1".into()),
            Self { batch_size: 0, .. } => wrong("batch_size", "`batch_size` is 0; at least 1".into()),
            Self { grad_clip: Some(clip), .. } if *clip <= 0.0 => {
                wrong("grad_clip", format!("`grad_clip` is {clip}; it is above 0, or null"))
            }
            Self { early_stopping: Some(EarlyStopping { patience: 0, .. }), .. } => {
                wrong("early_stopping", "`patience` is 0; at least 1".into())
            }
            Self { early_stopping: Some(rule), .. } if !SERIES.contains(&rule.metric.as_str()) => wrong(
                "early_stopping",
                format!("no metric is named `{}`; there are {}", rule.metric, SERIES.join(", ")),
            ),
            _ => Ok(()),
        }
    }
}

/// The `name` of a section and its other keys.
fn named<'a>(node: &'a Node, section: &str) -> Result<(&'a str, Node), Error> {
    let found = node.get(section).ok_or_else(|| Error::at(node.pos, format!("key `{section}` is missing")))?;
    let name = found.get("name").and_then(Node::text);
    let name = name.ok_or_else(|| Error::at(found.pos, format!("key `name` is missing in `{section}`")))?;
    Ok((name, without(found, &["name"])))
}

/// A mapping without some of its keys.
fn without(node: &Node, keys: &[&str]) -> Node {
    let mut node = node.clone();
    if let Value::Map(entries) = &mut node.value {
        entries.retain(|(key, _)| !key.text().is_some_and(|text| keys.contains(&text)));
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "epochs: 2\nbatch_size: 32\ndataset: {name: digits}\nmodel: {name: ffnn, hidden: [8]}\n\
                        optimizer:\n  name: adam\n  lr: 1e-3\nwandb: {enabled: false}\n";

    fn wrong(from: &str, to: &str) -> Error {
        Config::from_text(GOOD.replacen(from, to, 1).as_bytes()).expect_err("refused")
    }

    #[test]
    fn a_config_is_read() {
        let config = Config::from_text(GOOD.as_bytes()).unwrap();
        assert_eq!((config.epochs, config.optimizer.rate(), config.device.as_str()), (2, 1e-3, "auto"));
        assert_eq!((config.precision, config.memory_format), (Precision::Float32, MemoryFormat::Auto));
        let config = format!("{GOOD}precision: bfloat16\nmemory_format: channels_last\n");
        let config = Config::from_text(config.as_bytes()).unwrap();
        assert_eq!((config.precision, config.memory_format), (Precision::Bfloat16, MemoryFormat::ChannelsLast));
    }

    #[test]
    fn tracking_is_what_the_config_asks_for() {
        let text = GOOD.replace("{enabled: false}", "{enabled: true, project: anp}\ntensorboard: {enabled: true}");
        let Wanted { wandb, tensorboard } = Config::from_text(text.as_bytes()).unwrap().tracking;
        assert_eq!((wandb.map(|place| place.project).as_deref(), tensorboard), (Some("anp"), true));
        assert!(Config::from_text(GOOD.as_bytes()).unwrap().tracking.wandb.is_none());
    }

    #[test]
    fn errors_name_the_line_and_what_is_meant() {
        let typo = wrong("batch_size", "batch_sise");
        assert_eq!((typo.pos.unwrap().line, typo.message.as_str()), (2, "unknown key `batch_sise`"));
        assert!(typo.hint.unwrap().contains("`batch_size`"));
        assert_eq!(wrong("lr: 1e-3", "lr: -1").pos.unwrap().line, 7);
        assert!(wrong("lr: 1e-3", "lrr: 1").message.contains("lrr"));
        assert!(wrong("name: adam", "name: adan").hint.unwrap().contains("`adam`"));
        assert!(wrong("epochs: 2", "epochs: 0").message.contains("at least 1"));
        assert!(wrong("epochs: 2", "epochs: 2\nprecision: float23").message.contains("float23"));
        assert!(Config::from_text(b"").unwrap_err().message.contains("empty"));
    }
}
