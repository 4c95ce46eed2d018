//! A training in a process and a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use git_ar::state::record::{Metrics, Timing};

/// A small network on the built-in digits.
pub(crate) const DIGITS: &str = "epochs: 3\nbatch_size: 64\ndataset: {name: digits}\nmodel: {name: ffnn, hidden: [32]}\n\
                                 optimizer: {name: adam, lr: 0.003}\ndevice: cpu\n";

/// A folder with a config and a run directory.
pub(crate) struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    /// With this config.
    pub(crate) fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.yaml"), config).unwrap();
        Self { folder }
    }

    /// The folder of seed 0.
    pub(crate) fn seed_dir(&self) -> PathBuf {
        self.folder.path().join("run/seed-0")
    }

    /// The engine's process for this scene, with nothing of this environment but the way to its libraries.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_git-ar-train"));
        command.env_clear().env("OMP_NUM_THREADS", "1").args(arguments);
        command.env("AR_CONFIG", self.folder.path().join("config.yaml"));
        command.env("AR_RUN_DIR", self.folder.path().join("run")).env("AR_SEED", "0");
        command
    }

    /// What that process says, with its exit status.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        spoken(&self.command(arguments).output().unwrap())
    }

    /// The result of seed 0 without what differs from run to run.
    pub(crate) fn metrics(&self) -> Metrics {
        timeless(Metrics::from_json(&std::fs::read(self.seed_dir().join("metrics.json")).unwrap()).unwrap())
    }

    /// The scene's folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Exit status and both outputs in one text.
pub(crate) fn spoken(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{:?}\n{}{}", output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Metrics without what differs from run to run.
pub(crate) fn timeless(mut metrics: Metrics) -> Metrics {
    metrics.timing = Timing::default();
    metrics
}
