//! Long short-term memory (Hochreiter and Schmidhuber, 1997; the forget gate of Gers et al., 2000), row by row.
//!
//! ```text
//! i, f, o = σ(W xₜ + b + U hₜ₋₁ + c), each with weights of its own          g = tanh(likewise)
//! mₜ = f ∘ mₜ₋₁ + i ∘ g          hₜ = o ∘ tanh(mₜ)          scores = V h_T + d
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
pub struct Lstm {
    cells: Recurrent,
    output: Linear,
}

/// The network for images of this shape.
pub fn new(params: &mut Params, config: &Config, shape: Shape) -> Result<Lstm, String> {
    let Config { hidden, layers } = *config;
    if hidden < 1 || layers < 1 {
        return Err(format!("at least 1 layer of at least 1 cell, not {layers} of {hidden}"));
    }
    Ok(Lstm {
        cells: Recurrent::new(params, Cell::Lstm, shape.channels * shape.columns, hidden, layers),
        output: Linear::new(params, "output", hidden, shape.classes),
    })
}

impl Model for Lstm {
    fn forward(&self, x: &Tensor, _: Mode) -> Tensor {
        let x = rows(x); // (B, T, columns)
        let h = self.cells.forward(&x); // (B, hidden)
        self.output.forward(&h) // (B, classes)
    }
}
