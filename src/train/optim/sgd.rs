//! Stochastic gradient descent with momentum (Polyak, 1964), Nesterov's (1983) where asked, and weight decay.
//!
//! ```text
//! g <- g + λ w          v <- μ v + g          w <- w - lr v          Nesterov: w <- w - lr (g + μ v)
//! ```

use serde::Deserialize;
use tch::Tensor;

use super::Optimizer;
use crate::train::memory::{Pass, floats, floats_mut, is_plain, widest};
use crate::train::params::{Joined, Span};

/// Its settings.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Learning rate before any schedule.
    pub lr: f64,
    /// μ.
    #[serde(default)]
    pub momentum: f64,
    /// Looks ahead along the momentum.
    #[serde(default)]
    pub nesterov: bool,
    /// λ.
    #[serde(default)]
    pub weight_decay: f64,
}

/// The velocity.
pub struct Sgd {
    config: Config,
    flat: Tensor,
    spans: Vec<Span>,
    velocity: Tensor,
}

impl Sgd {
    /// The velocity starts at 0.
    #[must_use]
    pub fn new(config: Config, joined: &Joined) -> Self {
        let velocity = joined.flat.zeros_like();
        Self { config, velocity, flat: joined.flat.shallow_clone(), spans: joined.spans.clone() }
    }

    /// One pass over memory.
    fn fused(&mut self, gradients: &[Tensor], rate: f64) {
        let Config { momentum, nesterov, weight_decay, .. } = self.config;
        let (w, v) = (floats_mut(&mut self.flat), floats_mut(&mut self.velocity));
        for (gradient, span) in gradients.iter().zip(&self.spans) {
            let place = span.start..span.start + span.len;
            widest(Step {
                w: &mut w[place.clone()],
                v: &mut v[place],
                g: floats(gradient),
                factors: [rate, momentum, weight_decay].map(|x| x as f32),
                nesterov,
            });
        }
    }

    /// The same as operations on tensors, for other devices.
    fn composed(&mut self, gradients: &[Tensor], rate: f64) {
        let Config { momentum, nesterov, weight_decay, .. } = self.config;
        for (gradient, Span { start, len }) in gradients.iter().zip(&self.spans) {
            let part = |all: &Tensor| all.narrow(0, *start as i64, *len as i64);
            let (mut w, mut v) = (part(&self.flat), part(&self.velocity));
            let g = gradient.flatten(0, -1) + weight_decay * &w;
            let _ = v.g_mul_scalar_(momentum).g_add_(&g);
            let step = if nesterov { g + momentum * &v } else { v };
            let _ = w.g_sub_(&(step * rate));
        }
    }
}

impl Optimizer for Sgd {
    fn step(&mut self, gradients: &[Tensor], rate: f64) {
        if is_plain(&self.flat) {
            let gradients: Vec<Tensor> = gradients.iter().map(Tensor::contiguous).collect();
            self.fused(&gradients, rate);
        } else {
            self.composed(gradients, rate);
        }
    }

    fn state(&self) -> Vec<(&'static str, Tensor)> {
        vec![("velocity", self.velocity.shallow_clone())]
    }

    fn restore(&mut self, find: &dyn Fn(&str) -> Option<Tensor>) -> bool {
        let Some(velocity) = find("velocity").filter(|v| v.size() == self.velocity.size()) else { return false };
        self.velocity.copy_(&velocity);
        true
    }
}

/// One step on one parameter.
struct Step<'a> {
    w: &'a mut [f32],
    v: &'a mut [f32],
    g: &'a [f32],
    factors: [f32; 3],
    nesterov: bool,
}

impl Pass for Step<'_> {
    #[inline(always)]
    fn run(self) {
        let [rate, momentum, decay] = self.factors;
        let ahead = if self.nesterov { momentum } else { 0.0 };
        let own = if self.nesterov { 1.0 } else { 0.0 };
        for ((w, v), g) in self.w.iter_mut().zip(self.v).zip(self.g) {
            let g = g + decay * *w;
            *v = momentum * *v + g;
            let step = own * g + (1.0 - own + ahead) * *v;
            *w -= rate * step;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::params::Params;
    use tch::{Device, Kind};

    /// Weights after three steps, by one pass or by operations on tensors.
    fn stepped(decoupled: bool, fused: bool) -> Tensor {
        let mut params = Params::new(1);
        let _ = (params.uniform("a", &[3, 5], 1.0), params.uniform("b", &[37], 1.0));
        let joined = params.join(Device::Cpu);
        let config = Config { lr: 0.1, momentum: 0.9, nesterov: decoupled, weight_decay: 0.1 };
        let mut optimizer = Sgd::new(config, &joined);
        for step in 1..4 {
            let gradient = |count: i64| (Tensor::arange(count, (Kind::Float, Device::Cpu)) * f64::from(step)).sin();
            let gradients = [gradient(15).view([3, 5]), gradient(37)];
            if fused { optimizer.fused(&gradients, 0.1) } else { optimizer.composed(&gradients, 0.1) }
        }
        joined.flat
    }

    #[test]
    fn one_pass_and_operations_on_tensors_agree() {
        for decoupled in [false, true] {
            let apart = (stepped(decoupled, true) - stepped(decoupled, false)).abs().max().double_value(&[]);
            assert!(apart < 1e-6, "{apart}");
        }
    }
}
