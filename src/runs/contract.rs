//! The contract with a trainer as values: what it is given, and where it puts what it returns.
//!
//! A trainer is any command. It is told everything through environment variables (the constants below), writes
//! `$AR_RUN_DIR/seed-$AR_SEED/metrics.json`, and ends with 0, or with [`STOPPED`] after a checkpoint on SIGTERM.
//! `docs/trainer-contract.md` is this file for people.

use std::path::{Path, PathBuf};

use crate::state::problem::{Kind, Problem};

/// The run's scratch directory.
pub const RUN_DIR: &str = "AR_RUN_DIR";
/// The seed, a whole number from 0.
pub const SEED: &str = "AR_SEED";
/// Path of the resolved config, one YAML file.
pub const CONFIG: &str = "AR_CONFIG";
/// `1` for a smoke run: a few batches.
pub const SMOKE: &str = "AR_SMOKE";
/// The run's id; `local` outside a run.
pub const RUN: &str = "AR_RUN";
/// The anchor's commit, in full.
pub const COMMIT: &str = "AR_COMMIT";
/// The config's digest.
pub const CONFIG_DIGEST: &str = "AR_CONFIG_DIGEST";

/// Exit status of a trainer that was asked to stop (SIGTERM) and left a checkpoint.
pub const STOPPED: i32 = 143;

/// What a trainer is asked to do: one seed of one config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Where the run's files go.
    pub run_dir: PathBuf,
    /// The seed.
    pub seed: u64,
    /// The resolved config.
    pub config: PathBuf,
    /// Only a few batches.
    pub smoke: bool,
    /// The run's id; `local` outside a run.
    pub run: String,
    /// The anchor's commit; empty outside a run.
    pub commit: String,
    /// The config's digest; empty outside a run.
    pub config_digest: String,
}

impl Task {
    /// The task that an environment describes. Only the first three variables are required.
    pub fn from_env(env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Problem> {
        let required = |name: &'static str| {
            env(name).filter(|v| !v.is_empty()).ok_or_else(|| {
                Problem::new(Kind::Usage, "trainer-env", format!("{name} is not set"))
                    .hint("a trainer is started by `git ar train` or `git ar run local`; docs/trainer-contract.md lists what it is given")
            })
        };
        let seed = required(SEED)?;
        let seed = seed.parse().map_err(|_| {
            Problem::new(Kind::Usage, "trainer-env", format!("{SEED}=`{seed}` is no whole number from 0"))
        })?;
        Ok(Self {
            run_dir: required(RUN_DIR)?.into(),
            seed,
            config: required(CONFIG)?.into(),
            smoke: env(SMOKE).is_some_and(|v| v == "1"),
            run: env(RUN).unwrap_or_else(|| "local".into()),
            commit: env(COMMIT).unwrap_or_default(),
            config_digest: env(CONFIG_DIGEST).unwrap_or_default(),
        })
    }

    /// The environment that describes this task.
    #[must_use]
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let mut env = vec![
            (RUN_DIR, self.run_dir.display().to_string()),
            (SEED, self.seed.to_string()),
            (CONFIG, self.config.display().to_string()),
            (RUN, self.run.clone()),
            (COMMIT, self.commit.clone()),
            (CONFIG_DIGEST, self.config_digest.clone()),
        ];
        if self.smoke {
            env.push((SMOKE, "1".into()));
        }
        env
    }

    /// The seed's own folder in the run directory.
    #[must_use]
    pub fn seed_dir(&self) -> PathBuf {
        seed_dir(&self.run_dir, self.seed)
    }
}

/// The folder of a seed in a run directory.
#[must_use]
pub fn seed_dir(run_dir: &Path, seed: u64) -> PathBuf {
    run_dir.join(format!("seed-{seed}"))
}

/// Where a trainer leaves a seed's result.
#[must_use]
pub fn metrics_file(run_dir: &Path, seed: u64) -> PathBuf {
    seed_dir(run_dir, seed).join("metrics.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_survives_its_environment() {
        let task = Task {
            run_dir: "/s/r".into(),
            seed: 3,
            config: "/s/r/config.yaml".into(),
            smoke: true,
            run: "kq7f3-a".into(),
            commit: "c0ffee".into(),
            config_digest: "d1".into(),
        };
        let env = task.env();
        let lookup = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone());
        assert_eq!(Task::from_env(&lookup).unwrap(), task);
        let without = |gone: &'static str| move |name: &str| (name != gone).then(|| "1".to_string());
        assert_eq!(Task::from_env(&without(SEED)).unwrap_err().message, "AR_SEED is not set");
        assert!(Task::from_env(&|_: &str| Some("x".into())).is_err());
    }
}
