//! How a model learns from a batch. Back-propagation is one way; local rules are others.

pub mod backprop;
pub mod scale;

use tch::Tensor;

use super::models::Model;

/// A way of learning.
pub trait Learner {
    /// Learns from one batch and returns its mean loss from before (one number, on the device).
    fn learn(&mut self, model: &dyn Model, x: &Tensor, y: &Tensor, rate: f64) -> Tensor;

    /// What goes into a checkpoint, by name.
    fn state(&self) -> Vec<(String, Tensor)>;

    /// Takes back what [`Learner::state`] gave; false when something is missing or of another size.
    fn restore(&mut self, find: &dyn Fn(&str) -> Option<Tensor>) -> bool;
}
