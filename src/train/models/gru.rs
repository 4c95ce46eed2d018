//! Gated recurrent units (Cho et al., 2014) that read an image row by row, from top to bottom.
//!
//! ```text
//! r = σ(Wᵣ xₜ + bᵣ + Uᵣ hₜ₋₁ + cᵣ)          z = σ(W_z xₜ + b_z + U_z hₜ₋₁ + c_z)
//! n = tanh(Wₙ xₜ + bₙ + r ∘ (Uₙ hₜ₋₁ + cₙ))   hₜ = (1 - z) ∘ n + z ∘ hₜ₋₁          scores = V h_T + d
//! ```
//! Several layers read the states of the layer below; the last layer's last state is read out.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{Mode, Model, Shape};
use crate::train::layers::{Cell, Linear, Recurrent, rows};
use crate::train::params::Params;

/// Its settings.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Cells of each layer.
    #[serde(default = "hidden")]
    pub hidden: i64,
    /// Layers.
    #[serde(default = "layers")]
    pub layers: i64,
}

fn hidden() -> i64 {
    256
}

fn layers() -> i64 {
    2
}

/// Its layers.
#[derive(Debug)]
pub struct Gru {
    cells: Recurrent,
    output: Linear,
}

/// The network for images of this shape.
pub fn new(params: &mut Params, config: &Config, shape: Shape) -> Result<Gru, String> {
    let Config { hidden, layers } = *config;
    if hidden < 1 || layers < 1 {
        return Err(format!("at least 1 layer of at least 1 cell, not {layers} of {hidden}"));
    }
    Ok(Gru {
        cells: Recurrent::new(params, Cell::Gru, shape.channels * shape.columns, hidden, layers),
        output: Linear::new(params, "output", hidden, shape.classes),
    })
}

impl Model for Gru {
    fn forward(&self, x: &Tensor, _: Mode) -> Tensor {
        let x = rows(x); // (B, T, columns)
        let h = self.cells.forward(&x); // (B, hidden)
        self.output.forward(&h) // (B, classes)
    }
}
