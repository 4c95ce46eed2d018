//! `cargo xtask`: what a developer of git-ar runs.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a command line; words are its output")]

mod apt;
mod bench_repo;
mod bench_tick;
mod elf;
mod engine;
mod hook_managers;
mod hydra;
mod libtorch;
mod portable;
mod run;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
What a developer of git-ar runs

usage: cargo xtask <command>

  test [--no-engine]    set up everything, then run every check and test; the end says what ran
  engine [--root DIR]   build git-ar and git-ar-train (release) and install both into DIR/bin
                        (default: where cargo installs programs)
  static [FILE]         build git-ar (release) as one file without any library, and prove that it is one;
                        with FILE only prove it
  bench-repo DIR        make a repository of 1,000 iterations and 10,000 runs in DIR, and time git-ar beside git
  bench-tick DIR        the same repository in DIR with 500 active jobs, and what a tick costs there
  hook-managers         fetch pre-commit, lefthook and husky for the tests, once for all checkouts
  libtorch              fetch libtorch, once for all checkouts, and print its folder

environment:
  LIBTORCH=DIR            use this libtorch 2.11.0 and fetch nothing
  LIBTORCH_USE_PYTORCH=1  use the one inside python3's PyTorch 2.11.0, with its CUDA
  XDG_CACHE_HOME=DIR      keep the fetched one below DIR/git-ar instead of ~/.cache/git-ar";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["test"] => test::run(true),
        ["test", "--no-engine"] => test::run(false),
        ["engine"] => engine::install(None),
        ["engine", "--root", root] => engine::install(Some(root.as_ref())),
        ["static"] => portable::build(),
        ["static", file] => portable::prove(file.as_ref()),
        ["bench-repo", folder] => bench_repo::run(folder.as_ref()),
        ["bench-tick", folder] => bench_tick::run(folder.as_ref()),
        ["libtorch"] => libtorch::provide().map(|found| println!("{}", found.folder().display())),
        ["hook-managers"] => hook_managers::provide().map(|found| println!("{}", found.display())),
        [] | ["help" | "-h" | "--help"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => {
            eprintln!("error: `{}` is not a command of xtask\n\n{USAGE}", arguments.join(" "));
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
