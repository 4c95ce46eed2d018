//! Trainings in this process, small and on the built-in digits.

mod learning;
mod models;
mod precision;
mod resume;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use tch::Device;

use super::config::Config;
use super::data;
use super::fit::{End, Job, fit};
use super::history::History;
use super::progress::Watcher;
use crate::runs::contract::Task;
use crate::state::problem::Problem;
use crate::state::record::{Hardware, Metrics, Timing};

/// A small network; an epoch has 20 steps.
const DIGITS: &str = "epochs: 3\nbatch_size: 64\ndataset: {name: digits}\nmodel: {name: ffnn, hidden: [32]}\n\
                      optimizer: {name: adam, lr: 0.003}\ndevice: cpu\n";

/// A config and a folder for its run.
struct Scene {
    folder: tempfile::TempDir,
    config: String,
}

impl Scene {
    fn new(config: &str) -> Self {
        tch::set_num_threads(1);
        Self { folder: tempfile::tempdir().unwrap(), config: config.to_string() }
    }

    fn task(&self, seed: u64) -> Task {
        Task {
            run_dir: self.folder.path().join("run"),
            seed,
            config: "config.yaml".into(),
            smoke: false,
            run: "local".into(),
            commit: "c0ffee".into(),
            config_digest: "d1".into(),
        }
    }

    fn seed_dir(&self, seed: u64) -> PathBuf {
        self.task(seed).seed_dir()
    }

    /// Trains; asked to stop after `steps` where that is given.
    fn fit(&self, task: &Task, steps: Option<usize>) -> Result<End, Problem> {
        let config = Config::read(self.config.as_bytes(), "config.yaml").unwrap();
        let data = data::load(&config.dataset, None, Device::Cpu).unwrap();
        let stop = AtomicBool::new(false);
        let hardware = Hardware::default();
        let written = crate::config::read(self.config.as_bytes(), "config.yaml").unwrap();
        let job = Job {
            task,
            config: &config,
            written: &written,
            data: &data,
            device: Device::Cpu,
            hardware: &hardware,
            stop: &stop,
        };
        fit(job, &mut Stopper { left: steps, stop: &stop })
    }

    /// Trains a seed to its end.
    fn finish(&self, seed: u64) -> Metrics {
        match self.fit(&self.task(seed), None).unwrap() {
            End::Finished(metrics) => *metrics,
            End::Stopped => panic!("nobody asked it to stop"),
        }
    }
}

/// Metrics without what differs from run to run.
fn timeless(mut metrics: Metrics) -> Metrics {
    metrics.timing = Timing::default();
    metrics
}

/// Asks a training to stop after some steps.
struct Stopper<'a> {
    left: Option<usize>,
    stop: &'a AtomicBool,
}

impl Watcher for Stopper<'_> {
    fn start(&mut self, _: u64, _: u64, _: u64, _: &History) {}

    fn step(&mut self) {
        self.left = self.left.map(|left| left.saturating_sub(1));
        self.stop.store(self.left == Some(0), Ordering::Relaxed);
    }

    fn epoch(&mut self, _: &History) {}

    fn say(&mut self, _: &str) {}

    fn end(&mut self) {}
}
