//! Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, 2019).
//!
//! ```text
//! AdamW only: w <- w - lr λ w            else: g <- g + λ w
//! m <- β₁ m + (1-β₁) g     v <- β₂ v + (1-β₂) g²
//! w <- w - lr/(1-β₁ᵗ) · m / (√v / √(1-β₂ᵗ) + ε)
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
    /// Decay of the means of g and g².
    #[serde(default = "betas")]
    pub betas: [f64; 2],
    /// Added to the root.
    #[serde(default = "eps")]
    pub eps: f64,
    /// λ.
    #[serde(default)]
    pub weight_decay: f64,
    /// AdamW.
    #[serde(skip)]
    pub decoupled: bool,
}

pub(super) fn betas() -> [f64; 2] {
    [0.9, 0.999]
}

pub(super) fn eps() -> f64 {
    1e-8
}

/// The rule with its two means and its number of steps.
pub struct Adam {
    config: Config,
    slots: Slots<2>,
}

/// The factors of one step.
#[derive(Clone, Copy)]
struct Factors {
    shrink: f64,
    decay: f64,
    betas: [f64; 2],
    rate: f64,
    root: f64,
    eps: f64,
}

impl Adam {
    /// Both means start at 0.
    #[must_use]
    pub fn new(config: Config, joined: &Joined) -> Self {
        Self { config, slots: Slots::new(["mean", "square"], true, joined) }
    }

    /// Counts a step and gives its factors.
    fn count(&mut self, rate: f64) -> Factors {
        let steps = self.slots.steps.get_or_insert_default();
        *steps += 1;
        let t = *steps as f64;
        let Config { betas, eps, weight_decay, decoupled, .. } = self.config;
        Factors {
            shrink: if decoupled { 1.0 - rate * weight_decay } else { 1.0 },
            decay: if decoupled { 0.0 } else { weight_decay },
            betas,
            rate: rate / (1.0 - betas[0].powf(t)),
            root: (1.0 - betas[1].powf(t)).sqrt(),
            eps,
        }
    }

    /// One pass over memory.
    fn fused(&mut self, gradients: &[Tensor], factors: Factors) {
        self.slots.each(gradients, |w, [m, v], g| widest(Step { w, m, v, g, factors }));
    }

    /// The same as operations on tensors, for other devices.
    fn composed(&mut self, gradients: &[Tensor], f: Factors) {
        let mut g = self.slots.gathered(gradients);
        let Slots { numbers: w, kept: [m, v], .. } = &mut self.slots;
        let _ = w.g_mul_scalar_(f.shrink);
        let _ = g.g_add_(&(f.decay * &*w));
        let _ = m.g_mul_scalar_(f.betas[0]).g_add_(&(&g * (1.0 - f.betas[0])));
        let _ = v.g_mul_scalar_(f.betas[1]).g_add_(&(g.square() * (1.0 - f.betas[1])));
        let step = &*m / (v.sqrt() / f.root + f.eps) * f.rate;
        let _ = w.g_sub_(&step);
    }
}

impl Optimizer for Adam {
    fn step(&mut self, gradients: &[Tensor], rate: f64) {
        let factors = self.count(rate);
        if self.slots.is_plain() { self.fused(gradients, factors) } else { self.composed(gradients, factors) }
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
    m: &'a mut [f32],
    v: &'a mut [f32],
    g: &'a [f32],
    factors: Factors,
}

impl Pass for Step<'_> {
    #[inline(always)]
    fn run(self) {
        let Factors { shrink, decay, betas, rate, root, eps } = self.factors;
        let (shrink, decay, rate, eps) = (shrink as f32, decay as f32, rate as f32, eps as f32);
        let (keep_m, take_m) = (betas[0] as f32, (1.0 - betas[0]) as f32);
        let (keep_v, take_v) = (betas[1] as f32, (1.0 - betas[1]) as f32);
        let root = (1.0 / root) as f32;
        for (((w, m), v), g) in self.w.iter_mut().zip(self.m).zip(self.v).zip(self.g) {
            let shrunk = *w * shrink;
            let g = g + decay * shrunk;
            *m = keep_m * *m + take_m * g;
            *v = keep_v * *v + take_v * g * g;
            *w = shrunk - rate * *m / (v.sqrt() * root + eps);
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
        let config = Config { lr: 0.1, betas: betas(), eps: eps(), weight_decay: 0.1, decoupled };
        let mut optimizer = Adam::new(config, &joined);
        for step in 1..4 {
            let gradient = |count: i64| (Tensor::arange(count, (Kind::Float, Device::Cpu)) * f64::from(step)).sin();
            let gradients = [gradient(15).view([3, 5]), gradient(37)];
            let factors = optimizer.count(0.1);
            if fused { optimizer.fused(&gradients, factors) } else { optimizer.composed(&gradients, factors) }
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
