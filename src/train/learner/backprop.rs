//! Back-propagation: the gradient of the loss, then one step of the optimizer.

use tch::{Kind, Tensor};

use super::Learner;
use super::scale::Scale;
use crate::train::models::Model;
use crate::train::optim::Optimizer;

/// Gradient and optimizer.
pub struct Backprop {
    leaves: Vec<Tensor>,
    optimizer: Box<dyn Optimizer>,
    clip: Option<f64>,
    scale: Option<Scale>,
}

impl Backprop {
    /// Learning of these parameters. `clip` bounds the norm of the whole gradient.
    #[must_use]
    pub fn new(leaves: Vec<Tensor>, optimizer: Box<dyn Optimizer>, clip: Option<f64>, scale: Option<Scale>) -> Self {
        Self { leaves, optimizer, clip, scale }
    }
}

impl Learner for Backprop {
    fn learn(&mut self, model: &dyn Model, x: &Tensor, y: &Tensor, rate: f64) -> Tensor {
        let loss = model.loss(x, y);
        let scaled = self.scale.as_ref().map_or_else(|| loss.shallow_clone(), |scale| scale.up(&loss));
        let mut gradients = Tensor::run_backward(&[&scaled], &self.leaves, false, false);
        let _guard = tch::no_grad_guard();
        if self.scale.as_mut().is_some_and(|scale| !scale.down(&mut gradients)) {
            return loss.detach();
        }
        if let Some(most) = self.clip {
            clip(&mut gradients, most);
        }
        self.optimizer.step(&gradients, rate);
        loss.detach()
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        let own = self.optimizer.state().into_iter().map(|(name, tensor)| (format!("optimizer.{name}"), tensor));
        own.chain(self.scale.iter().map(|scale| ("scale".to_string(), scale.state()))).collect()
    }

    fn restore(&mut self, find: &dyn Fn(&str) -> Option<Tensor>) -> bool {
        let scaled = self.scale.as_mut().is_none_or(|scale| find("scale").is_some_and(|state| scale.restore(&state)));
        scaled && self.optimizer.restore(&|name| find(&format!("optimizer.{name}")))
    }
}

/// Scales the gradients so that their norm together is at most `most`.
fn clip(gradients: &mut [Tensor], most: f64) {
    let squares: Vec<Tensor> = gradients.iter().map(|g| g.square().sum(Kind::Float)).collect();
    let norm = Tensor::stack(&squares, 0).sum(Kind::Float).sqrt();
    let factor = (most / (norm + 1e-6)).clamp_max(1.0);
    for gradient in gradients {
        let _ = gradient.g_mul_(&factor);
    }
}
