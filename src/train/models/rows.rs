//! What recurrent networks over the rows of an image share: settings, layers of cells, one linear layer on the last state.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{Mode, Model, Shape};
use crate::train::layers::{Cell, Linear, Recurrent, rows};
use crate::train::params::Params;

/// Settings of a recurrent network.
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

/// Layers of cells that read an image row by row, from top to bottom. Each layer reads the states of the one below.
#[derive(Debug)]
pub struct RowReader {
    cells: Recurrent,
    output: Linear,
}

impl RowReader {
    /// The network of these cells for images of this shape.
    pub fn new(params: &mut Params, cell: Cell, config: &Config, shape: Shape) -> Result<Self, String> {
        let Config { hidden, layers } = *config;
        if hidden < 1 || layers < 1 {
            return Err(format!("at least 1 layer of at least 1 cell, not {layers} of {hidden}"));
        }
        Ok(Self {
            cells: Recurrent::new(params, cell, shape.channels * shape.columns, hidden, layers),
            output: Linear::new(params, "output", hidden, shape.classes),
        })
    }
}

impl Model for RowReader {
    fn forward(&self, x: &Tensor, _: Mode) -> Tensor {
        let x = rows(x); // (B, T, columns)
        let h = self.cells.forward(&x); // (B, hidden)
        self.output.forward(&h) // (B, classes)
    }
}
