//! git-ar: run research on a PBS cluster with all of its state in git.
//!
//! The layers, each seeing only those before it: `state ← config ← repo ← cluster, runs ← leaderboard ← ops ← cli`.
//! `train` (feature `train`) is the engine: a side branch that sees `state`, `config` and `runs`.

pub mod cli;
pub mod cluster;
pub mod config;
pub mod leaderboard;
pub mod ops;
pub mod repo;
pub mod runs;
pub mod state;
