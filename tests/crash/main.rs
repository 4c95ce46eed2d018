//! What a crash leaves behind: for every verb that writes, the process is killed at its first effect on the disk, its
//! second, and so on until it succeeds; likewise for a full, a read-only and a broken disk. Built with the feature
//! `failpoints`; `cargo xtask test` runs it.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by panicking, in its helpers too")]

mod cases;
mod coverage;
mod disk;
mod judge;
#[path = "../it/lab/mod.rs"]
#[allow(dead_code, reason = "the other test binary uses the rest")]
mod lab;
mod loops;
mod panics;
mod places;
#[path = "../it/sandbox.rs"]
#[allow(dead_code, reason = "the other test binary uses the rest")]
mod sandbox;
mod server;
