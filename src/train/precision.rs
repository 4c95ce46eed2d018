//! Mixed precision (Micikevicius and others, 2018), and images whose channels lie beside each other.
//!
//! ```text
//! layers:  y = f(round x, round w)          weights, their gradients, the optimizer, statistics and the loss: float32
//! ```
//! A layer computes in the kind of its input and rounds its weights to it, so a model is brought to a precision by its
//! images alone. What is in a checkpoint is the same in every precision.

use serde::Deserialize;
use tch::{Device, Kind, Tensor};

use super::learner::scale::Scale;
use super::models::{Mode, Model};
use super::params::Params;
use crate::state::problem::{Kind as What, Problem};
use crate::state::record::Hardware;

/// `precision:`, what layers compute in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 24 bits of a number count.
    #[default]
    Float32,
    /// 8 bits count; the range is float32's.
    Bfloat16,
    /// 11 bits count; the range is so small that the loss is scaled.
    Float16,
}

/// `memory_format:`, how images lie in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum MemoryFormat {
    /// Channels last where convolutions run on a GPU below float32, else contiguous.
    #[default]
    Auto,
    /// Channel by channel.
    Contiguous,
    /// Pixel by pixel, with all of its channels.
    ChannelsLast,
}

impl Precision {
    /// Its word in a config.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Bfloat16 => "bfloat16",
            Self::Float16 => "float16",
        }
    }

    /// Refuses what a device cannot train with: a processor has neither the speed nor all operations of float16.
    pub fn check(self, device: Device) -> Result<(), Problem> {
        if self != Self::Float16 || device.is_cuda() {
            return Ok(());
        }
        Err(Problem::new(What::Invalid, "precision", "precision is float16, which is for GPUs; the device is cpu")
            .hint("set precision: bfloat16, or float32"))
    }

    /// The scaling of the loss that it needs.
    #[must_use]
    pub fn scale(self) -> Option<Scale> {
        (self == Self::Float16).then(Scale::default)
    }

    fn kind(self) -> Kind {
        match self {
            Self::Float32 => Kind::Float,
            Self::Bfloat16 => Kind::BFloat16,
            Self::Float16 => Kind::Half,
        }
    }
}

/// In what a training computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numerics {
    /// What layers compute in.
    pub precision: Precision,
    /// Whether images lie pixel by pixel.
    pub channels_last: bool,
}

impl Numerics {
    /// What was asked for, for a model with these parameters on this device.
    #[must_use]
    pub fn new(precision: Precision, format: MemoryFormat, device: Device, params: &Params) -> Self {
        // Tensor cores read pixels with all of their channels; cuDNN turns the images round otherwise.
        let helps = || device.is_cuda() && precision != Precision::Float32 && params.has_kernels();
        let channels_last = match format {
            MemoryFormat::Auto => helps(),
            MemoryFormat::Contiguous => false,
            MemoryFormat::ChannelsLast => true,
        };
        Self { precision, channels_last }
    }

    /// The model, computing so.
    #[must_use]
    pub fn around(self, model: Box<dyn Model>) -> Box<dyn Model> {
        match self {
            Self { precision: Precision::Float32, channels_last: false } => model,
            numerics => Box::new(Cast { model, numerics }),
        }
    }

    /// What `metrics.json` tells of the machine and of how it computed.
    #[must_use]
    pub fn told(self, hardware: &Hardware) -> Hardware {
        let memory_format = self.channels_last.then(|| "channels_last".to_string());
        Hardware { precision: Some(self.precision.name().into()), memory_format, ..hardware.clone() }
    }

    /// Images (B, channels, rows, columns) as the layers want them.
    fn images(self, x: &Tensor) -> Tensor {
        let kind = self.precision.kind();
        match x.size4() {
            Ok((batch, channels, rows, columns)) if self.channels_last => {
                let strides = [channels * rows * columns, 1, columns * channels, channels];
                let mut images = Tensor::empty_strided([batch, channels, rows, columns], strides, (kind, x.device()));
                images.copy_(x);
                images
            }
            _ => x.to_kind(kind),
        }
    }
}

/// A model whose images are cast on the way in and whose scores are float32.
struct Cast {
    model: Box<dyn Model>,
    numerics: Numerics,
}

impl Model for Cast {
    fn forward(&self, x: &Tensor, mode: Mode) -> Tensor {
        self.model.forward(&self.numerics.images(x), mode).to_kind(Kind::Float)
    }

    fn loss(&self, x: &Tensor, y: &Tensor) -> Tensor {
        self.model.loss(&self.numerics.images(x), y)
    }
}
