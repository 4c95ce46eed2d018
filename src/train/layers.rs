//! Layers: parameters with their usual names and initial values, and one `forward` each.
//!
//! Weights and biases start uniform in ±1/√(inputs of one output), which is what PyTorch does by default.

use tch::Tensor;

use super::params::Params;

/// y = x Wᵀ + b
#[derive(Debug)]
pub struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    /// A layer from `inputs` to `outputs` numbers.
    pub fn new(params: &mut Params, name: &str, inputs: i64, outputs: i64) -> Self {
        let bound = 1.0 / (inputs as f64).sqrt();
        Self {
            weight: params.uniform(format!("{name}.weight"), &[outputs, inputs], bound),
            bias: params.uniform(format!("{name}.bias"), &[outputs], bound),
        }
    }

    /// (B, inputs) -> (B, outputs)
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.linear(&self.weight, Some(&self.bias))
    }
}
