//! Optimizers: one pass over all trained numbers, with their state in the checkpoint.
//!
//! `tch` has optimizers too; they neither save nor load their state.

pub mod adam;
pub mod sgd;
pub mod slots;

use tch::Tensor;

use super::models::unknown;
use super::params::Joined;
use crate::state::yaml::{Error, Node, from_node};

/// A rule that turns gradients into steps.
pub trait Optimizer {
    /// One step at a learning rate; the gradients in the order of the parameters.
    fn step(&mut self, gradients: &[Tensor], rate: f64);

    /// What goes into a checkpoint.
    fn state(&self) -> Vec<(&'static str, Tensor)>;

    /// Takes back what [`Optimizer::state`] gave; false when something is missing or of another size.
    fn restore(&mut self, find: &dyn Fn(&str) -> Option<Tensor>) -> bool;
}

/// Every optimizer's name.
pub const NAMES: &[&str] = &["adam", "adamw", "sgd"];

/// An optimizer's settings, checked.
#[derive(Clone, Debug, PartialEq)]
pub enum Config {
    /// Adam, or AdamW when it is decoupled.
    Adam(adam::Config),
    /// Gradient descent with or without momentum.
    Sgd(sgd::Config),
}

impl Config {
    /// The settings that `name` and its keys describe.
    pub fn read(name: &str, settings: &Node) -> Result<Self, Error> {
        let config = match name {
            "adam" => Self::Adam(from_node(settings)?),
            "adamw" => Self::Adam(adam::Config { decoupled: true, ..from_node(settings)? }),
            "sgd" => Self::Sgd(from_node(settings)?),
            _ => return Err(unknown("optimizer", name, NAMES, settings)),
        };
        config.check(settings)?;
        Ok(config)
    }

    /// Adam as it comes.
    #[must_use]
    pub fn adam(lr: f64) -> Self {
        Self::Adam(adam::Config { lr, betas: adam::betas(), eps: adam::eps(), weight_decay: 0.0, decoupled: false })
    }

    /// The learning rate before any schedule.
    #[must_use]
    pub fn rate(&self) -> f64 {
        match self {
            Self::Adam(config) => config.lr,
            Self::Sgd(config) => config.lr,
        }
    }

    /// The optimizer for these parameters.
    #[must_use]
    pub fn build(&self, joined: &Joined) -> Box<dyn Optimizer> {
        match self {
            Self::Adam(config) => Box::new(adam::Adam::new(config.clone(), joined)),
            Self::Sgd(config) => Box::new(sgd::Sgd::new(config.clone(), joined)),
        }
    }

    fn check(&self, settings: &Node) -> Result<(), Error> {
        let (decay, fractions, key) = match self {
            Self::Adam(c) => {
                at_least_0(settings, "eps", c.eps)?;
                (c.weight_decay, c.betas.to_vec(), "betas")
            }
            Self::Sgd(c) if c.nesterov && c.momentum == 0.0 => {
                return Err(Error::at(place(settings, "nesterov"), "`nesterov` needs a momentum above 0"));
            }
            Self::Sgd(c) => (c.weight_decay, vec![c.momentum], "momentum"),
        };
        at_least_0(settings, "lr", self.rate())?;
        at_least_0(settings, "weight_decay", decay)?;
        match fractions.iter().find(|x| !(0.0..1.0).contains(*x)) {
            Some(x) => Err(Error::at(place(settings, key), format!("`{key}` has {x}; it lies from 0 to below 1"))),
            None => Ok(()),
        }
    }
}

fn at_least_0(settings: &Node, key: &str, value: f64) -> Result<(), Error> {
    if value >= 0.0 {
        return Ok(());
    }
    Err(Error::at(place(settings, key), format!("`{key}` is {value}; it is 0 or above")))
}

fn place(settings: &Node, key: &str) -> crate::state::yaml::Pos {
    settings.get(key).map_or(settings.pos, |node| node.pos)
}
