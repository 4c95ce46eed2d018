//! `cargo xtask test`: every check and test, and at the end what ran, what was skipped and why.

use std::process::Command;
use std::time::Instant;

use crate::apt;
use crate::hook_managers;
use crate::hydra;
use crate::libtorch::{self, Libtorch};
use crate::run::{Failure, cargo, output, show};

/// How one step ended.
enum End {
    Passed,
    Failed(Failure),
    Skipped(String),
}

/// One step, its end and its seconds.
struct Step {
    name: &'static str,
    end: End,
    seconds: u64,
}

/// The steps so far.
#[derive(Default)]
struct Report(Vec<Step>);

impl Report {
    fn step(&mut self, name: &'static str, work: impl FnOnce() -> End) {
        eprintln!("\n=== {name}");
        let start = Instant::now();
        let end = work();
        if let End::Failed(failure) = &end {
            eprintln!("{failure}");
        }
        self.0.push(Step { name, end, seconds: start.elapsed().as_secs() });
    }

    fn engine(&mut self, name: &'static str, libtorch: &Libtorch, arguments: &[&str]) {
        let mut command = cargo(arguments);
        libtorch.tell(&mut command);
        self.step(name, || ended(show(&mut command)));
    }

    fn failed(&self) -> usize {
        self.0.iter().filter(|step| matches!(step.end, End::Failed(_))).count()
    }
}

/// Runs everything; without `engine` nothing that needs libtorch.
pub(crate) fn run(engine: bool) -> Result<(), Failure> {
    let mut report = Report::default();
    report.step("format", || with_tool("fmt", "rustfmt", &["fmt", "--all", "--check"]));
    report.step("programs of the system", || ended(apt::provide()));
    let lints = ["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"];
    report.step("lints", || with_tool("clippy", "clippy", &lints));
    let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
    report.step("hook managers", || match hook_managers::provide() {
        Ok(folder) => {
            tests.env("GIT_AR_HOOK_MANAGERS", folder);
            End::Passed
        }
        Err(failure) => End::Failed(failure),
    });
    report.step("Hydra, the oracle", || match hydra::provide() {
        Ok(found) => {
            found.tell(&mut tests);
            End::Passed
        }
        Err(failure) => End::Failed(failure),
    });
    report.step("tests", || ended(show(&mut tests)));
    crash_steps(&mut report);
    let least = ["test", "--no-default-features", "--lib", "--", "transport::"];
    report.step("without ssh2: tests", || ended(show(&mut cargo(&least))));
    report.step("without ssh2: lints", || {
        let least = ["clippy", "--quiet", "--no-default-features", "--all-targets", "--", "-D", "warnings"];
        with_tool("clippy", "clippy", &least)
    });
    if engine {
        engine_steps(&mut report);
    } else {
        for name in ["libtorch", "engine: tests", "engine: lints"] {
            report.0.push(Step { name, end: End::Skipped("--no-engine was given".into()), seconds: 0 });
        }
    }
    summary(&report)
}

/// A folder in memory: thousands of small repositories come and go there several times as fast as on a disk.
const MEMORY: &str = "/dev/shm";

/// Whether a folder has a GiB to spare.
fn has_room(folder: &str) -> bool {
    let told = output(Command::new("df").args(["-Pk", folder])).unwrap_or_default();
    let free = told.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
    free.is_some_and(|kib| kib >= 1 << 20)
}

/// A build in which every effect can be made to fail, and the kernel's own word on a write where it may be asked.
fn crash_steps(report: &mut Report) {
    // One test at a time: each works on two verbs at once already.
    let crash = ["test", "--features", "failpoints", "--test", "crash", "--no-fail-fast", "--", "--test-threads=1"];
    // Its kills strike only in this build.
    let property = ["test", "--features", "failpoints", "--test", "it", "property::"];
    let [mut crash, mut property] = [&crash[..], &property[..]].map(cargo);
    if std::env::var_os("TMPDIR").is_none() && has_room(MEMORY) {
        crash.env("TMPDIR", MEMORY);
        property.env("TMPDIR", MEMORY);
    }
    report.step("crashes: tests", || ended(show(&mut crash).and(show(&mut property))));
    let lints = ["clippy", "--quiet", "--features", "failpoints", "--all-targets", "--", "-D", "warnings"];
    report.step("crashes: lints", || with_tool("clippy", "clippy", &lints));
    for (name, program, arguments) in [
        ("crashes: full and read-only disks", "unshare", &["-rm", "true"][..]),
        ("crashes: the order of system calls", "strace", &["-o", "/dev/null", "true"][..]),
    ] {
        if output(Command::new(program).args(arguments)).is_none() {
            let why = format!("`{program} {}` does not work here", arguments.join(" "));
            report.0.push(Step { name, end: End::Skipped(why), seconds: 0 });
        }
    }
}

fn engine_steps(report: &mut Report) {
    let mut found = None;
    report.step("libtorch", || match libtorch::provide() {
        Ok(libtorch) => {
            eprintln!("{}", libtorch.folder().display());
            found = Some(libtorch);
            End::Passed
        }
        Err(failure) => End::Failed(failure),
    });
    let Some(libtorch) = found else {
        for name in ["engine: tests", "engine: lints"] {
            report.0.push(Step { name, end: End::Skipped("libtorch is missing".into()), seconds: 0 });
        }
        return;
    };
    report.engine(
        "engine: tests",
        &libtorch,
        &["test", "--no-fail-fast", "--features", "train", "--bin", "git-ar-train", "--test", "train"],
    );
    let lints = ["clippy", "--quiet", "--features", "train", "--all-targets", "--", "-D", "warnings"];
    if has("clippy") {
        report.engine("engine: lints", &libtorch, &lints);
    }
}

fn with_tool(subcommand: &str, component: &str, arguments: &[&str]) -> End {
    if has(subcommand) {
        ended(show(&mut cargo(arguments)))
    } else {
        End::Skipped(format!("cargo has no {subcommand} here (rustup component add {component})"))
    }
}

/// Whether cargo has this subcommand.
fn has(subcommand: &str) -> bool {
    let mut command: Command = cargo(&[subcommand, "--version"]);
    output(&mut command).is_some()
}

fn ended(outcome: Result<(), Failure>) -> End {
    match outcome {
        Ok(()) => End::Passed,
        Err(failure) => End::Failed(failure),
    }
}

fn summary(report: &Report) -> Result<(), Failure> {
    println!("\n=== what ran");
    for Step { name, end, seconds } in &report.0 {
        match end {
            End::Passed => println!("passed   {name} ({seconds} s)"),
            End::Failed(failure) => println!("FAILED   {name} ({seconds} s): {}", failure.message),
            End::Skipped(why) => println!("skipped  {name}: {why}"),
        }
    }
    match report.failed() {
        0 => Ok(()),
        failed => Err(Failure::new(format!("{failed} of {} steps failed", report.0.len()))),
    }
}
