//! The engine: its models learn, stop, go on and refuse; `git-ar` stays free of libtorch.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by panicking, in its helpers too")]

mod common;
mod curve;
mod input;
mod kill;
mod linking;
mod resume;
