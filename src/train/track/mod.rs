//! Tracking without internet and without Python: W&B offline runs and TensorBoard event files.
//!
//! Both are copies of what `metrics.json` and the checkpoint know. They are begun anew at every start from the history of
//! the checkpoint and then grow by one epoch at a time, so that a stopped and resumed training tracks each epoch once.

mod tensorboard;
mod wandb;
mod wire;

pub use wandb::Place;

use std::path::Path;

use super::history::History;
use crate::config::Value;
use crate::runs::contract::Task;
use crate::state::problem::Problem;
use crate::state::record::{Metrics, Tracking};

/// Somewhere that epochs are told to.
pub trait Tracker {
    /// Begins anew with everything that is behind the training.
    fn start(&mut self, history: &History) -> Result<(), Problem>;
    /// Adds the last epoch.
    fn epoch(&mut self, history: &History) -> Result<(), Problem>;
    /// Closes with the result.
    fn end(&mut self, metrics: &Metrics) -> Result<(), Problem>;
    /// What `metrics.json` says of it.
    fn tracking(&self) -> Option<Tracking> {
        None
    }
}

/// What the config asks for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The project, where W&B is on.
    pub wandb: Option<Place>,
    /// Whether TensorBoard is on.
    pub tensorboard: bool,
}

/// The trackers of one seed. A smoke run has none.
#[must_use]
pub fn trackers(wanted: &Wanted, task: &Task, config: &Value) -> Vec<Box<dyn Tracker>> {
    let mut trackers: Vec<Box<dyn Tracker>> = Vec::new();
    if task.smoke {
        return trackers;
    }
    if let Some(place) = &wanted.wandb {
        trackers.push(Box::new(wandb::Wandb::new(place.clone(), task, config.clone())));
    }
    if wanted.tensorboard {
        trackers.push(Box::new(tensorboard::TensorBoard::new(task)));
    }
    trackers
}

/// When an epoch (from 0) ended, in seconds since 1970: the start plus the seconds of training.
fn ended(history: &History, epoch: usize) -> f64 {
    history.started + history.seconds[..=epoch].iter().sum::<f64>()
}

/// The values of an epoch (from 0).
fn values(history: &History, epoch: usize) -> impl Iterator<Item = (&str, f64)> {
    history.curve.iter().filter_map(move |(name, values)| Some((name.as_str(), *values.get(epoch)?)))
}

/// Removes what an earlier start left in a folder.
fn clear(folder: &Path, what: impl Fn(&str) -> bool) -> Result<(), Problem> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.file_name().and_then(|name| name.to_str()).is_some_and(&what) {
            let gone = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            gone.map_err(|e| crate::runs::scratch::failed("remove", &path, &e))?;
        }
    }
    Ok(())
}
