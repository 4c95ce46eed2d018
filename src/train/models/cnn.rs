//! A small convolutional network after LeCun, Bottou, Bengio and Haffner (1998): two convolutions, one linear layer.
//!
//! ```text
//! h₁ = pool(max(0, K₁ * x + b₁))      h₂ = pool(max(0, K₂ * h₁ + b₂))      scores = W h₂ + b
//! ```
//! `*` keeps the image's size, `pool` takes the greatest of each 2×2.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{Mode, Model, Shape};
use crate::train::layers::{Conv, Linear};
use crate::train::params::Params;

/// Its settings.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Channels of the two convolutions.
    #[serde(default = "channels")]
    pub channels: [i64; 2],
    /// Rows and columns of a kernel, an odd number.
    #[serde(default = "kernel")]
    pub kernel: i64,
}

fn channels() -> [i64; 2] {
    [32, 64]
}

fn kernel() -> i64 {
    3
}

/// Its layers.
#[derive(Debug)]
pub struct Cnn {
    convs: [Conv; 2],
    output: Linear,
}

/// The network for images of this shape.
pub fn new(params: &mut Params, config: &Config, shape: Shape) -> Result<Cnn, String> {
    let Config { channels: [first, second], kernel } = *config;
    if first < 1 || second < 1 || kernel < 1 || kernel % 2 == 0 {
        return Err(format!("channels {first} and {second} are at least 1, and the kernel {kernel} is odd"));
    }
    if shape.rows < 4 || shape.columns < 4 {
        return Err(format!("two poolings need images of 4×4 and more, not {shape}"));
    }
    let left = second * (shape.rows / 4) * (shape.columns / 4);
    Ok(Cnn {
        convs: [
            Conv::same(params, "conv1", shape.channels, first, kernel),
            Conv::same(params, "conv2", first, second, kernel),
        ],
        output: Linear::new(params, "output", left, shape.classes),
    })
}

impl Model for Cnn {
    fn forward(&self, x: &Tensor, _: Mode) -> Tensor {
        let pool = |mut h: Tensor| h.relu_().max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], false);
        let h = pool(self.convs[0].forward(x)); // (B, 32, H/2, W/2)
        let h = pool(self.convs[1].forward(&h)); // (B, 64, H/4, W/4)
        self.output.forward(&h.flatten(1, -1)) // (B, classes)
    }
}
