//! Every test that looks at the tool from outside, in one binary. A module per command or concern.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by panicking, in its helpers too")]

mod attack;
mod board;
mod claims;
mod cli;
mod cluster_site;
mod clusters;
mod concurrency;
mod config;
mod data;
mod demo;
mod doctor;
mod handoff;
mod hooks;
mod hydra;
mod init;
mod lab;
mod locks;
mod managers;
mod merges;
mod migrate;
mod never_twice;
mod oracle;
mod own_trainer;
mod phases;
mod property;
mod recording;
mod reference;
mod roads;
mod runs;
mod sandbox;
mod schema;
mod shapes;
mod site;
mod slurm;
mod submit;
mod tick;
mod tick_site;
mod tidy;
mod trust;
mod undo;
mod verdicts;
mod wire;
#[cfg(feature = "ssh2")]
mod wire_ssh2;
