//! The engine `git-ar-train`.
//!
//! Its code is part of this program and not of the library: an object file of the library that mentions libtorch can
//! be drawn into `git-ar` by any generic function that it happens to hold, and would bring libtorch with it.

#[path = "../train/mod.rs"]
pub mod train;

// The layers that the engine sees, under the names that they have in the library.
use git_ar::{config, runs, state};

fn main() -> std::process::ExitCode {
    train::cli::main()
}
