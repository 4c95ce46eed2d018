//! A recurrent network (Elman, 1990) that reads an image row by row, from top to bottom.
//!
//! ```text
//! hₜ = tanh(W xₜ + b + U hₜ₋₁ + c)          scores = V h_T + d
//! ```
//! Several layers read the states of the layer below; the last layer's last state is read out.

use super::Shape;
pub use super::rows::Config;
use super::rows::RowReader;
use crate::train::layers::Cell;
use crate::train::params::Params;

/// The network for images of this shape.
pub fn new(params: &mut Params, config: &Config, shape: Shape) -> Result<RowReader, String> {
    RowReader::new(params, Cell::Tanh, config, shape)
}
