//! Where the files of a run are: its record in the repository, its scratch outside of every work tree.

use std::path::{Path, PathBuf};

use super::contract;
use crate::state::ids::RunId;
use crate::state::tree::{digest, join};

/// The record of one run: paths from the top of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The run's folder.
    pub folder: String,
}

impl Record {
    /// The record of a run in the folder of its iteration, or of its project with `loop: off`.
    #[must_use]
    pub fn new(parent: &str, run: &RunId) -> Self {
        Self { folder: format!("{parent}/runs/{run}") }
    }

    /// What was submitted.
    #[must_use]
    pub fn run(&self) -> String {
        join(&self.folder, "run.yaml")
    }

    /// The config as composed.
    #[must_use]
    pub fn config(&self) -> String {
        join(&self.folder, "config.yaml")
    }

    /// One attempt, from 1.
    #[must_use]
    pub fn attempt(&self, number: u32) -> String {
        format!("{}/attempts/{number}.yaml", self.folder)
    }

    /// One seed's result.
    #[must_use]
    pub fn metrics(&self, seed: u64) -> String {
        format!("{}/seed-{seed}/metrics.json", self.folder)
    }

    /// Why it does not count.
    #[must_use]
    pub fn exclusion(&self) -> String {
        join(&self.folder, "exclusion.yaml")
    }
}

/// Scratch of the cluster `local`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scratch {
    root: PathBuf,
}

impl Scratch {
    /// Scratch inside git's own folder, which every work tree of a repository shares and none contains.
    #[must_use]
    pub fn of(common_dir: &Path) -> Self {
        Self { root: common_dir.join("ar").join("scratch") }
    }

    /// The folder that holds all of it: what a container must see.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the files of a code tree lie.
    #[must_use]
    pub fn snapshot(&self, code_tree: &str) -> PathBuf {
        self.root.join("snapshots").join(code_tree)
    }

    /// Where a run works.
    #[must_use]
    pub fn run(&self, run: &RunId) -> RunDir {
        RunDir { path: self.root.join("runs").join(run.as_str()) }
    }

    /// Where every run works.
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Where a training outside a run works: the same config, seed and code lead to the same folder.
    #[must_use]
    pub fn training(&self, config_digest: &str, seed: u64, code: &str) -> RunDir {
        let key = digest(format!("{config_digest}\n{seed}\n{code}").as_bytes());
        RunDir { path: self.root.join("train").join(&key[..12]) }
    }
}

/// A run's directory in scratch: `AR_RUN_DIR`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    /// The directory.
    pub path: PathBuf,
}

impl RunDir {
    /// The run as it will be recorded; what is there was started.
    #[must_use]
    pub fn run(&self) -> PathBuf {
        self.path.join("run.yaml")
    }

    /// The config that the trainer reads.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.path.join("config.yaml")
    }

    /// What was attested at the start of the latest attempt.
    #[must_use]
    pub fn start(&self) -> PathBuf {
        self.path.join("start.json")
    }

    /// How the latest attempt ended.
    #[must_use]
    pub fn exit(&self) -> PathBuf {
        self.path.join("exit.json")
    }

    /// Held while something runs in here.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// What the trainer of one seed printed.
    #[must_use]
    pub fn log(&self, seed: u64) -> PathBuf {
        contract::seed_dir(&self.path, seed).join("log")
    }

    /// One seed's result.
    #[must_use]
    pub fn metrics(&self, seed: u64) -> PathBuf {
        contract::metrics_file(&self.path, seed)
    }
}
