//! Long short-term memory (Hochreiter and Schmidhuber, 1997; the forget gate of Gers et al., 2000), row by row.
//!
//! ```text
//! i, f, o = σ(W xₜ + b + U hₜ₋₁ + c), each with weights of its own          g = tanh(likewise)
//! mₜ = f ∘ mₜ₋₁ + i ∘ g          hₜ = o ∘ tanh(mₜ)          scores = V h_T + d
//! ```
//! Several layers read the states of the layer below; the last layer's last state is read out.

use super::Shape;
pub use super::rows::Config;
use super::rows::RowReader;
use crate::train::layers::Cell;
use crate::train::params::Params;

/// The network for images of this shape.
pub fn new(params: &mut Params, config: &Config, shape: Shape) -> Result<RowReader, String> {
    RowReader::new(params, Cell::Lstm, config, shape)
}
