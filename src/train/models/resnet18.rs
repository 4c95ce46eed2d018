//! ResNet-18 (He, Zhang, Ren and Sun, 2016) with the stem for small images: 3×3, stride 1, no pooling.
//!
//! ```text
//! block(x) = max(0, N₂(K₂ * max(0, N₁(K₁ * x))) + skip(x))          N: batch normalisation
//! skip(x)  = x, or N(K * x) with a 1×1 kernel where the shape changes
//! scores   = W mean(four stages of two blocks (stem(x))) + b
//! ```

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{Mode, Model, Shape};
use crate::train::layers::{BatchNorm, Conv, Linear};
use crate::train::params::Params;

/// Its settings.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Channels of the stem and of the first stage; each later stage has twice as many.
    #[serde(default = "width")]
    pub width: i64,
    /// Blocks of each stage.
    #[serde(default = "blocks")]
    pub blocks: [usize; 4],
}

fn width() -> i64 {
    64
}

fn blocks() -> [usize; 4] {
    [2; 4]
}

/// A convolution and its normalisation.
#[derive(Debug)]
struct Step {
    conv: Conv,
    norm: BatchNorm,
}

impl Step {
    fn new(params: &mut Params, name: [&str; 2], channels: [i64; 2], size: i64, stride: i64) -> Self {
        let [conv, norm] = name;
        Self {
            conv: Conv::plain(params, conv, channels, size, stride),
            norm: BatchNorm::new(params, norm, channels[1]),
        }
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Tensor {
        self.norm.forward(&self.conv.forward(x), mode)
    }
}

/// Two steps and the way past them.
#[derive(Debug)]
struct Block {
    first: Step,
    second: Step,
    skip: Option<Step>,
}

impl Block {
    fn new(params: &mut Params, name: &str, channels: [i64; 2], stride: i64) -> Self {
        let [from, to] = channels;
        let mut step = |conv: &str, norm: &str, channels, size, stride| {
            Step::new(params, [&format!("{name}.{conv}"), &format!("{name}.{norm}")], channels, size, stride)
        };
        Self {
            first: step("conv1", "bn1", channels, 3, stride),
            second: step("conv2", "bn2", [to, to], 3, 1),
            skip: (stride != 1 || from != to).then(|| step("skip.conv", "skip.bn", channels, 1, stride)),
        }
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Tensor {
        let h = self.first.forward(x, mode).relu_();
        let mut h = self.second.forward(&h, mode);
        let _ = match &self.skip {
            Some(skip) => h.g_add_(&skip.forward(x, mode)),
            None => h.g_add_(x),
        };
        h.relu_()
    }
}

/// Its layers.
#[derive(Debug)]
pub struct ResNet {
    stem: Step,
    blocks: Vec<Block>,
    output: Linear,
}

/// The network for images of this shape.
pub fn new(params: &mut Params, config: &Config, shape: Shape) -> Result<ResNet, String> {
    let Config { width, blocks: numbers } = *config;
    if width < 1 || numbers.contains(&0) {
        return Err(format!("at least 1 channel and 1 block a stage, not width {width} and blocks {numbers:?}"));
    }
    if shape.rows < 8 || shape.columns < 8 {
        return Err(format!("three halvings need images of 8×8 and more, not {shape}"));
    }
    let stem = Step::new(params, ["conv1", "bn1"], [shape.channels, width], 3, 1);
    let (mut blocks, mut from) = (Vec::new(), width);
    for (stage, number) in numbers.iter().enumerate() {
        let to = width << stage;
        for index in 0..*number {
            let stride = if stage > 0 && index == 0 { 2 } else { 1 };
            blocks.push(Block::new(params, &format!("layer{}.{index}", stage + 1), [from, to], stride));
            from = to;
        }
    }
    Ok(ResNet { stem, blocks, output: Linear::new(params, "output", from, shape.classes) })
}

impl Model for ResNet {
    fn forward(&self, x: &Tensor, mode: Mode) -> Tensor {
        let mut h = self.stem.forward(x, mode).relu_(); // (B, 64, H, W)
        for block in &self.blocks {
            h = block.forward(&h, mode); // (B, 64·2ˢ, H/2ˢ, W/2ˢ) in stage s from 0
        }
        let h = h.mean_dim([2i64, 3].as_slice(), false, None); // (B, 512)
        self.output.forward(&h) // (B, classes)
    }
}
