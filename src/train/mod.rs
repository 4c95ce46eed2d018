//! The engine: libtorch networks, trained as a paper would, by the contract of every trainer.
//!
//! Open [`fit`] first: it is the one training loop. A model is one file in `models`, one word in its list, one YAML in
//! `configs/model`. A side branch: it belongs to the binary
//! `git-ar-train` alone.

pub mod augment;
pub mod bench;
pub mod checkpoint;
pub mod cli;
pub mod config;
pub mod data;
pub mod describe;
pub mod device;
pub mod evaluate;
pub mod fit;
pub mod history;
pub mod layers;
pub mod learner;
pub mod memory;
pub mod models;
pub mod optim;
pub mod params;
pub mod precision;
pub mod progress;
pub mod report;
pub mod schedule;
pub mod session;
pub mod stop;
pub mod trace;
pub mod track;

#[cfg(test)]
mod tests;
