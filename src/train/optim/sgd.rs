//! Stochastic gradient descent with momentum (Polyak, 1964), Nesterov's (1983) where asked, and weight decay.
//!
//! ```text
//! g <- g + λ w          v <- μ v + g          w <- w - lr v          Nesterov: w <- w - lr (g + μ v)
//! ```

use serde::Deserialize;
use tch::Tensor;

use super::Optimizer;
use super::slots::Slots;
use crate::train::memory::{Pass, widest};
use crate::train::params::Joined;

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

/// The rule with its velocity.
pub struct Sgd {
    config: Config,
    slots: Slots<1>,
}

impl Sgd {
    /// The velocity starts at 0.
    #[must_use]
    pub fn new(config: Config, joined: &Joined) -> Self {
        Self { config, slots: Slots::new(["velocity"], false, joined) }
    }

    /// One pass over memory.
    fn fused(&mut self, gradients: &[Tensor], rate: f64) {
        let Config { momentum, nesterov, weight_decay, .. } = self.config;
        let factors = [rate, momentum, weight_decay].map(|x| x as f32);
        self.slots.each(gradients, |w, [v], g| widest(Step { w, v, g, factors, nesterov }));
    }

    /// The same as operations on tensors, for other devices.
    fn composed(&mut self, gradients: &[Tensor], rate: f64) {
        let Config { momentum, nesterov, weight_decay, .. } = self.config;
        let mut g = self.slots.gathered(gradients);
        let Slots { numbers: w, kept: [v], .. } = &mut self.slots;
        let _ = g.g_add_(&(weight_decay * &*w));
        let _ = v.g_mul_scalar_(momentum).g_add_(&g);
        let step = if nesterov { g + momentum * &*v } else { v.shallow_clone() };
        let _ = w.g_sub_(&(step * rate));
    }
}

impl Optimizer for Sgd {
    fn step(&mut self, gradients: &[Tensor], rate: f64) {
        if self.slots.is_plain() { self.fused(gradients, rate) } else { self.composed(gradients, rate) }
    }

    fn state(&self) -> Vec<(&'static str, Tensor)> {
        self.slots.state()
    }

    fn restore(&mut self, find: &dyn Fn(&str) -> Option<Tensor>) -> bool {
        self.slots.restore(find)
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
