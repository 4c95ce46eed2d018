//! Checkpoints: one safetensors file with the model, the learner's state and the history, written aside and renamed.
//!
//! The last and the one before it are kept. There is no generator to save: every draw comes from seed and epoch.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, View, serialize};
use tch::{Kind, Tensor};

use super::history::History;
use crate::runs::scratch;
use crate::state::problem::{Kind as What, Problem};

const LAST: &str = "checkpoint.safetensors";
const PREVIOUS: &str = "checkpoint.previous.safetensors";
const BEST: &str = "best.safetensors";

/// Where a seed's checkpoints are and whose they are.
#[derive(Clone, Debug)]
pub struct Shelf {
    /// The seed's folder.
    pub folder: PathBuf,
    /// The seed.
    pub seed: u64,
    /// Digest of the config that is trained.
    pub digest: String,
}

/// A checkpoint that was read.
#[derive(Debug)]
pub struct Checkpoint {
    /// What is behind it.
    pub history: History,
    tensors: HashMap<String, Tensor>,
}

impl Checkpoint {
    /// A copy of the tensor of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Tensor> {
        self.tensors.get(name).map(Tensor::shallow_clone)
    }
}

/// Why a file is not used.
enum Refusal {
    Broken(String),
    Foreign(String),
}

impl Shelf {
    /// Writes the last checkpoint; the one that was last becomes the previous.
    pub fn save(&self, tensors: &[(String, Tensor)], history: &History) -> Result<(), Problem> {
        let bytes = self.bytes(tensors, history);
        let last = self.folder.join(LAST);
        if last.exists() {
            std::fs::rename(&last, self.folder.join(PREVIOUS)).map_err(|e| scratch::failed("rename", &last, &e))?;
        }
        scratch::write(&last, &bytes)
    }

    /// Refuses a disk on which what a training keeps does not fit: after the first checkpoint the one before it, the
    /// best one, and the next while it is written.
    pub fn has_room(&self) -> Result<(), Problem> {
        let last = self.folder.join(LAST);
        let size = last.metadata().map_err(|e| scratch::failed("read", &last, &e))?.len();
        let Ok(disk) = rustix::fs::statvfs(&self.folder) else { return Ok(()) };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free >= 3 * size {
            return Ok(());
        }
        let message = format!("no space for checkpoints: {free} bytes are free, three more of {size} bytes are kept");
        Err(Problem::new(What::Io, "checkpoint", message)
            .at(self.folder.display().to_string())
            .hint("make room there, or train into a folder on another disk"))
    }

    /// Writes the weights of the best epoch.
    pub fn save_best(&self, tensors: &[(String, Tensor)], history: &History) -> Result<(), Problem> {
        scratch::write(&self.folder.join(BEST), &self.bytes(tensors, history))
    }

    /// The newest checkpoint that is whole and of this config, and what to say of those that are not.
    pub fn last(&self) -> Result<(Option<Checkpoint>, Vec<String>), Problem> {
        let mut words = Vec::new();
        let mut foreign = None;
        for name in [LAST, PREVIOUS] {
            match self.read(name)? {
                None => {}
                Some(Ok(checkpoint)) => return Ok((Some(checkpoint), words)),
                Some(Err(Refusal::Broken(why))) => words.push(format!("{name} is not used: {why}")),
                Some(Err(Refusal::Foreign(why))) => foreign = Some(why),
            }
        }
        match foreign {
            None => Ok((None, words)),
            Some(why) => Err(Problem::new(What::Invalid, "checkpoint", format!("the checkpoint here is {why}"))
                .at(self.folder.display().to_string())
                .hint("train into another run directory; each config and seed has its own")),
        }
    }

    /// The weights of the best epoch.
    pub fn best(&self) -> Result<Option<Checkpoint>, Problem> {
        Ok(self.read(BEST)?.and_then(Result::ok))
    }

    fn bytes(&self, tensors: &[(String, Tensor)], history: &History) -> Vec<u8> {
        let facts = HashMap::from([
            ("format".to_string(), "git-ar-train/1".to_string()),
            ("seed".to_string(), self.seed.to_string()),
            ("config_digest".to_string(), self.digest.clone()),
            ("history".to_string(), history.to_text()),
        ]);
        let views = tensors.iter().map(|(name, tensor)| (name.as_str(), Numbers::of(tensor)));
        serialize(views, &Some(facts)).expect("names are unique and shapes those of tensors")
    }

    fn read(&self, name: &str) -> Result<Option<Result<Checkpoint, Refusal>>, Problem> {
        let bytes = scratch::read(&self.folder.join(name))?;
        Ok(bytes.map(|bytes| self.parse(&bytes)))
    }

    fn parse(&self, bytes: &[u8]) -> Result<Checkpoint, Refusal> {
        let broken = |why: &dyn std::fmt::Display| Refusal::Broken(format!("cut short or damaged ({why})"));
        let (_, head) = SafeTensors::read_metadata(bytes).map_err(|e| broken(&e))?;
        let file = SafeTensors::deserialize(bytes).map_err(|e| broken(&e))?;
        let facts = head.metadata().as_ref().ok_or_else(|| broken(&"no facts"))?;
        let fact = |name: &str| facts.get(name).map(String::as_str).unwrap_or_default();
        if fact("config_digest") != self.digest {
            return Err(Refusal::Foreign("of another config".into()));
        }
        if fact("seed") != self.seed.to_string() {
            return Err(Refusal::Foreign(format!("of seed {}", fact("seed"))));
        }
        let history = History::from_text(fact("history")).ok_or_else(|| broken(&"no history"))?;
        let tensors = file.tensors().into_iter().map(|(name, view)| Some((name, tensor(&view)?)));
        let tensors = tensors.collect::<Option<_>>().ok_or_else(|| broken(&"an unknown kind of number"))?;
        Ok(Checkpoint { history, tensors })
    }
}

/// A tensor's numbers in this machine's order, which safetensors fixes as little-endian.
struct Numbers {
    kind: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Numbers {
    fn of(tensor: &Tensor) -> Self {
        let kind = match tensor.kind() {
            Kind::Int64 => Dtype::I64,
            _ => Dtype::F32,
        };
        let tensor = tensor.detach().to_device(tch::Device::Cpu).contiguous();
        let mut bytes = vec![0; tensor.numel() * kind.size()];
        tensor.copy_data_u8(&mut bytes, tensor.numel());
        Self { kind, shape: tensor.size().iter().map(|n| *n as usize).collect(), bytes }
    }
}

impl View for Numbers {
    fn dtype(&self) -> Dtype {
        self.kind
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

fn tensor(view: &safetensors::tensor::TensorView<'_>) -> Option<Tensor> {
    let kind = match view.dtype() {
        Dtype::F32 => Kind::Float,
        Dtype::I64 => Kind::Int64,
        _ => return None,
    };
    let shape: Vec<i64> = view.shape().iter().map(|n| *n as i64).collect();
    Some(Tensor::from_data_size(view.data(), &shape, kind))
}
