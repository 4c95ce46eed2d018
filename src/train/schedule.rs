//! How the learning rate changes from epoch to epoch.
//!
//! ```text
//! cosine (Loshchilov and Hutter, 2017):  lr = η + (base - η) (1 + cos(π e / T)) / 2          step: lr = base γ^⌊e / size⌋
//! warm-up over n epochs, before any of them:  lr = base (e + 1) / (n + 1)                      e: epochs behind it
//! ```

use serde::Deserialize;

use super::models::unknown;
use crate::state::yaml::{Error, Node, from_node};

/// Every schedule's name.
pub const NAMES: &[&str] = &["constant", "cosine", "step"];

/// A schedule with its settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    shape: Shape,
    warmup: u64,
}

#[derive(Clone, Debug, Default, PartialEq)]
enum Shape {
    #[default]
    Constant,
    Cosine {
        t_max: Option<u64>,
        eta_min: f64,
    },
    Step {
        size: u64,
        gamma: f64,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Constant {
    #[serde(default)]
    warmup: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cosine {
    #[serde(default)]
    t_max: Option<u64>,
    #[serde(default)]
    eta_min: f64,
    #[serde(default)]
    warmup: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    step_size: u64,
    #[serde(default = "tenth")]
    gamma: f64,
    #[serde(default)]
    warmup: u64,
}

fn tenth() -> f64 {
    0.1
}

impl Config {
    /// The schedule that `name` and its keys describe.
    pub fn read(name: &str, settings: &Node) -> Result<Self, Error> {
        let (shape, warmup) = match name {
            "constant" => (Shape::Constant, from_node::<Constant>(settings)?.warmup),
            "cosine" => {
                let Cosine { t_max, eta_min, warmup } = from_node(settings)?;
                (Shape::Cosine { t_max, eta_min }, warmup)
            }
            "step" => {
                let Step { step_size: size, gamma, warmup } = from_node(settings)?;
                (Shape::Step { size, gamma }, warmup)
            }
            _ => return Err(unknown("schedule", name, NAMES, settings)),
        };
        let wrong = match &shape {
            Shape::Cosine { t_max: Some(0), .. } => "`t_max` is 0; at least 1, or null for all epochs",
            Shape::Cosine { eta_min, .. } if *eta_min < 0.0 => "`eta_min` is below 0",
            Shape::Step { size: 0, .. } => "`step_size` is 0; at least 1",
            Shape::Step { gamma, .. } if *gamma < 0.0 => "`gamma` is below 0",
            _ => return Ok(Self { shape, warmup }),
        };
        Err(Error::at(settings.pos, wrong))
    }

    /// The learning rate of an epoch (from 0) of `epochs`.
    #[must_use]
    pub fn rate(&self, base: f64, epoch: u64, epochs: u64) -> f64 {
        if epoch < self.warmup {
            return base * (epoch + 1) as f64 / (self.warmup + 1) as f64;
        }
        let (epoch, epochs) = (epoch - self.warmup, epochs.saturating_sub(self.warmup).max(1));
        match self.shape {
            Shape::Constant => base,
            Shape::Cosine { t_max, eta_min } => {
                let angle = std::f64::consts::PI * epoch as f64 / t_max.unwrap_or(epochs) as f64;
                eta_min + (base - eta_min) * (1.0 + angle.cos()) / 2.0
            }
            Shape::Step { size, gamma } => base * gamma.powf((epoch / size) as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::yaml::{Limits, parse};

    fn rates(name: &str, settings: &str) -> Vec<f64> {
        let settings = parse(settings.as_bytes(), Limits::default()).unwrap().unwrap();
        let schedule = Config::read(name, &settings).unwrap();
        (0..4).map(|epoch| (schedule.rate(0.1, epoch, 4) * 1e6).round() / 1e6).collect()
    }

    #[test]
    fn schedules_follow_their_equations() {
        assert_eq!(rates("constant", "{}"), [0.1; 4]);
        assert_eq!(rates("cosine", "{}"), [0.1, 0.085355, 0.05, 0.014645]);
        assert_eq!(rates("cosine", "{t_max: 2, eta_min: 0.02}"), [0.1, 0.06, 0.02, 0.06]);
        assert_eq!(rates("step", "{step_size: 2}"), [0.1, 0.1, 0.01, 0.01]);
        assert_eq!(rates("constant", "{warmup: 1}"), [0.05, 0.1, 0.1, 0.1]);
    }

    #[test]
    fn wrong_settings_are_refused() {
        for (name, settings) in [("cosine", "{t_max: 0}"), ("step", "{step_size: 0}"), ("step", "{}"), ("cosin", "{}")]
        {
            let settings = parse(settings.as_bytes(), Limits::default()).unwrap().unwrap();
            assert!(Config::read(name, &settings).is_err(), "{name}");
        }
    }
}
