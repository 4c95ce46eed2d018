//! A feed-forward network, the multi-layer perceptron of Rumelhart, Hinton and Williams (1986) with rectified units.
//!
//! ```text
//! h₀ = the image as one row          hₗ = max(0, Wₗ hₗ₋₁ + bₗ)          scores = W hₙ + b
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
}

fn hidden() -> Vec<i64> {
    vec![256, 128]
}

/// Its layers.
#[derive(Debug)]
pub struct Ffnn {
    hidden: Vec<Linear>,
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
    Ok(Ffnn { hidden: layers, output: Linear::new(params, "output", inputs, shape.classes) })
}

impl Model for Ffnn {
    fn forward(&self, x: &Tensor, _: Mode) -> Tensor {
        let mut h = x.flatten(1, -1); // (B, pixels)
        for layer in &self.hidden {
            h = layer.forward(&h).relu_(); // (B, units)
        }
        self.output.forward(&h) // (B, classes)
    }
}
