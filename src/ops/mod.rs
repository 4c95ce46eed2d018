//! L5: one use case per file. A use case takes a [`Context`] and plain values, and returns an outcome that can be
//! shown (`Display`) and serialized; it prints nothing.

pub mod board;
pub mod cells;
pub mod check;
pub mod claim;
pub mod cluster;
pub mod cluster_doctor;
pub mod cluster_setup;
pub mod config;
pub mod data;
pub mod demo;
pub mod doctor;
pub mod facts;
pub mod find;
pub mod gates;
pub mod handoff;
pub mod hook;
pub mod init;
pub mod iter;
pub mod job;
mod mark;
pub mod merge_driver;
pub mod migrate;
pub mod phase;
pub mod project;
pub mod record;
pub mod renumber;
pub mod resume;
pub mod run;
pub mod run_attempt;
pub mod run_cells;
pub mod run_diff;
pub mod run_exclude;
mod run_job;
pub mod run_local;
mod run_same;
pub mod run_show;
pub mod run_triage;
pub mod run_verify;
mod scaffold;
pub mod schema;
pub mod site;
pub mod start;
pub mod status;
pub mod submit;
pub mod taint;
pub mod tick;
pub mod train;
pub mod trust;
pub mod undo;
pub mod venv;

use std::path::PathBuf;

use crate::repo::Repo;
use crate::state::entities::Settings;

/// What a use case acts on and with. Clock, chance and environment come in here and nowhere else.
pub struct Context<'a> {
    /// The repository.
    pub repo: Repo,
    /// `configs/ar.yaml`.
    pub settings: Settings,
    /// The time of the command.
    pub now: jiff::Timestamp,
    /// The only chance.
    pub entropy: u64,
    /// The environment.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Where progress is told.
    pub progress: &'a dyn Progress,
    /// Commit what a verb changes; otherwise it is left staged.
    pub commit: bool,
    /// Push the branch after the commit.
    pub push: bool,
    /// This binary.
    pub exe: PathBuf,
}

/// Told while a use case works, one line at a time.
pub trait Progress {
    /// One line, as it happens.
    fn say(&self, line: &str);
}
