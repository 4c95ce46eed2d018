//! A feed-forward network, the multi-layer perceptron of Rumelhart, Hinton and Williams (1986); φ is max(0, x) unless said.
//!
//! ```text
//! h₀ = the image as one row          hₗ = φ(Wₗ hₗ₋₁ + bₗ)          scores = W hₙ + b
//! ```

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{Mode, Model, Shape};
use crate::train::layers::Linear;
use crate::train::params::Params;

/// Its settings.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Units of each hidden layer.
    #[serde(default = "hidden")]
    pub hidden: Vec<i64>,
    /// What follows each hidden layer.
    #[serde(default)]
    pub activation: Activation,
}

/// What follows a hidden layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// max(0, x)
    #[default]
    Relu,
    /// The hyperbolic tangent.
    Tanh,
    /// x Φ(x)
    Gelu,
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
}

impl Activation {
    fn apply(self, mut x: Tensor) -> Tensor {
        match self {
            Self::Relu => x.relu_(),
            Self::Tanh => x.tanh_(),
            Self::Gelu => x.gelu("none"),
            Self::Sigmoid => x.sigmoid_(),
        }
    }
}

fn hidden() -> Vec<i64> {
    vec![256, 128]
}

/// Its layers.
#[derive(Debug)]
pub struct Ffnn {
    hidden: Vec<Linear>,
    activation: Activation,
    output: Linear,
}

/// The network for images of this shape.
pub fn new(params: &mut Params, config: &Config, shape: Shape) -> Result<Ffnn, String> {
    if let Some(units) = config.hidden.iter().find(|units| **units < 1) {
        return Err(format!("a hidden layer has at least 1 unit, not {units}"));
    }
    let mut inputs = shape.pixels();
    let mut layers = Vec::new();
    for (index, units) in config.hidden.iter().enumerate() {
        layers.push(Linear::new(params, &format!("hidden{}", index + 1), inputs, *units));
        inputs = *units;
    }
    Ok(Ffnn { hidden: layers, activation: config.activation, output: Linear::new(params, "output", inputs, shape.classes) })
}

impl Model for Ffnn {
    fn forward(&self, x: &Tensor, _: Mode) -> Tensor {
        let mut h = x.flatten(1, -1); // (B, pixels)
        for layer in &self.hidden {
            h = self.activation.apply(layer.forward(&h)); // (B, units)
        }
        self.output.forward(&h) // (B, classes)
    }
}
