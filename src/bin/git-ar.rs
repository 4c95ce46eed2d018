//! The command `git-ar`, which git runs as `git ar`.

use std::process::ExitCode;

fn main() -> ExitCode {
    git_ar::cli::main()
}
