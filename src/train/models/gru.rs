//! Gated recurrent units (Cho et al., 2014) that read an image row by row, from top to bottom.
//!
//! ```text
//! r = σ(Wᵣ xₜ + bᵣ + Uᵣ hₜ₋₁ + cᵣ)          z = σ(W_z xₜ + b_z + U_z hₜ₋₁ + c_z)
//! n = tanh(Wₙ xₜ + bₙ + r ∘ (Uₙ hₜ₋₁ + cₙ))   hₜ = (1 - z) ∘ n + z ∘ hₜ₋₁          scores = V h_T + d
//! ```
//! Several layers read the states of the layer below; the last layer's last state is read out.

use super::Shape;
pub use super::rows::Config;
use super::rows::RowReader;
use crate::train::layers::Cell;
use crate::train::params::Params;

/// The network for images of this shape.
pub fn new(params: &mut Params, config: &Config, shape: Shape) -> Result<RowReader, String> {
    RowReader::new(params, Cell::Gru, config, shape)
}
