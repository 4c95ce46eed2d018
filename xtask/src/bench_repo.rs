//! A research repository of 1,000 iterations and 10,000 runs, and what git-ar costs in it beside git.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::run::{Failure, at, cargo, show, top};

pub(crate) const ITERATIONS: usize = 1000;
pub(crate) const RUNS_EACH: usize = 10;
/// How often each command is timed; commands alternate, so that a busy machine troubles them alike.
const ROUNDS: usize = 25;

/// Makes the repository in `folder` (which must not exist), changes one iteration, and times git-ar beside git.
pub(crate) fn run(folder: &Path) -> Result<(), Failure> {
    if folder.exists() {
        return Err(Failure::new(format!("{} exists", folder.display())).hint("name a folder that does not"));
    }
    show(&mut cargo(&["build", "--release", "--bin", "git-ar"]))?;
    let program = top().join("target/release/git-ar");
    make(folder)?;
    change(folder)?;
    println!("{ITERATIONS} iterations, {} runs; median of {ROUNDS} rounds", ITERATIONS * RUNS_EACH);
    let ar = |words: &[&str]| (program.clone(), words.iter().map(ToString::to_string).collect::<Vec<_>>());
    let git = |words: &[&str]| (PathBuf::from("git"), words.iter().map(ToString::to_string).collect::<Vec<_>>());
    compare(
        folder,
        "pre-commit check",
        2.0,
        &ar(&["hook", "run", "pre-commit"]),
        &git(&["diff", "--cached", "--quiet"]),
    )?;
    compare(folder, "status", 1.5, &ar(&["status"]), &git(&["status"]))
}

type Line = (PathBuf, Vec<String>);

/// Times two commands in turn and prints the ratio of their medians beside what is promised.
fn compare(folder: &Path, what: &str, promised: f64, ours: &Line, gits: &Line) -> Result<(), Failure> {
    let (mut our_times, mut git_times) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        our_times.push(time(folder, ours)?);
        git_times.push(time(folder, gits)?);
    }
    let (our, git) = (median(our_times), median(git_times));
    let ratio = our.as_secs_f64() / git.as_secs_f64();
    let (our, git) = (our.as_secs_f64() * 1e3, git.as_secs_f64() * 1e3);
    println!("{what:<18} git-ar {our:6.1} ms   git {git:6.1} ms   ratio {ratio:.2} (promised: at most {promised})");
    Ok(())
}

fn time(folder: &Path, (program, words): &Line) -> Result<Duration, Failure> {
    let mut command = Command::new(program);
    command.current_dir(folder).args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().map_err(at(program))?;
    let took = start.elapsed();
    // `git diff --quiet` says by 1 that there are changes.
    match status.code() {
        Some(0 | 1) => Ok(took),
        _ => Err(Failure::new(format!("{} {} ended with {status}", program.display(), words.join(" ")))),
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Makes the repository through `git fast-import` and checks it out.
pub(crate) fn make(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(at(folder))?;
    git(folder, &["init", "-q", "-b", "develop"])?;
    let mut import = Command::new("git")
        .current_dir(folder)
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .map_err(at(folder))?;
    let stream = stream();
    import.stdin.take().expect("stdin is piped").write_all(stream.as_bytes()).map_err(at(folder))?;
    let status = import.wait().map_err(at(folder))?;
    if !status.success() {
        return Err(Failure::new(format!("git fast-import ended with {status}")));
    }
    git(folder, &["reset", "-q", "--hard", "develop"])?;
    git(folder, &["config", "user.name", "Bench"])?;
    git(folder, &["config", "user.email", "bench@example.org"])
}

/// Rewrites one iteration's question and stages it.
fn change(folder: &Path) -> Result<(), Failure> {
    let path = folder.join(iteration_folder(ITERATIONS)).join("iteration.yaml");
    let text = std::fs::read_to_string(&path).map_err(at(&path))?;
    std::fs::write(&path, text.replace("question: \"\"", "question: Does it work?")).map_err(at(&path))?;
    git(folder, &["add", "-A"])
}

pub(crate) fn git(folder: &Path, words: &[&str]) -> Result<(), Failure> {
    show(Command::new("git").current_dir(folder).args(words))
}

/// The whole history as one commit.
fn stream() -> String {
    let mut out = String::from("commit refs/heads/develop\ncommitter Bench <bench@example.org> 1767600000 +0000\n");
    data(&mut out, "bench: everything");
    file(&mut out, "configs/ar.yaml", "schema: 1\n");
    file(&mut out, "train.py", "print('train')\n");
    file(
        &mut out,
        "projects/big/project.yaml",
        "schema: 1\ntitle: Big\nquestion: How large may it grow?\nladder: []\n",
    );
    file(&mut out, "projects/big/references.yaml", "schema: 1\nreferences: []\n");
    for id in 1..=ITERATIONS {
        let folder = iteration_folder(id);
        file(&mut out, &format!("{folder}/iteration.yaml"), &iteration(id));
        for document in ["survey", "analysis", "conclusion"] {
            file(&mut out, &format!("{folder}/{document}.md"), &format!("# {document} of {id}\n"));
        }
        for number in 0..RUNS_EACH {
            run_files(&mut out, id, number);
        }
    }
    out.push('\n');
    out
}

fn iteration_folder(id: usize) -> String {
    format!("projects/big/iterations/{id}-bench-{id}")
}

/// Every iteration but the last is concluded; the last is in its survey.
fn iteration(id: usize) -> String {
    let phases = ["survey", "implement", "experiment", "analyze", "conclude", "concluded"];
    let taken = if id == ITERATIONS { 1 } else { phases.len() };
    let mut text = format!("schema: 1\nphase: {}\nsteps:\n", phases[taken - 1]);
    for (day, phase) in phases[..taken].iter().enumerate() {
        let _ = writeln!(text, "  - {{to: {phase}, at: 2026-01-0{}T08:00:00Z}}", day + 1);
    }
    text.push_str("question: \"\"\nhypothesis: \"\"\nplan: []\nnext: []\n");
    text
}

/// A run's id and the folder of its record.
pub(crate) fn run_folder(id: usize, number: usize) -> (String, String) {
    let name = format!("b{id}x{number}-bench");
    let folder = format!("{}/runs/{name}", iteration_folder(id));
    (name, folder)
}

fn run_files(out: &mut String, id: usize, number: usize) {
    let digest = format!("{:064x}", id * RUNS_EACH + number);
    let commit = "1".repeat(40);
    let (name, folder) = run_folder(id, number);
    let run = format!(
        "schema: 1\nkind: full\nexperiment: bench\ncluster: local\ncreated: 2026-01-03T08:00:00Z\n\
         anchor: {{commit: '{commit}', code_tree: '{digest}', manifest: '{digest}'}}\n\
         command: [git-ar, reference-trainer]\nconfig_digest: '{digest}'\nseeds: [0]\n"
    );
    file(out, &format!("{folder}/run.yaml"), &run);
    file(out, &format!("{folder}/config.yaml"), &format!("epochs: 3\nname: {name}\n"));
    let attempt = "schema: 1\ncluster: local\nsubmitted: 2026-01-03T08:00:00Z\n\
                   exit: {at: 2026-01-03T09:00:00Z, code: 0}\nverdict: succeeded\n";
    file(out, &format!("{folder}/attempts/1.yaml"), attempt);
    let metrics = format!(
        "{{\"schema\": 1, \"run\": \"{name}\", \"seed\": 0, \"commit\": \"{commit}\", \"config_digest\": \"{digest}\", \
         \"status\": \"completed\", \"epochs_planned\": 3, \"epochs_run\": 3, \"best_epoch\": 3, \"metrics\": \
         {{\"val/accuracy\": {{\"final\": 0.9, \"best\": 0.9, \"best_epoch\": 3, \"direction\": \"maximize\"}}}}}}\n"
    );
    file(out, &format!("{folder}/seed-0/metrics.json"), &metrics);
}

fn file(out: &mut String, path: &str, text: &str) {
    let _ = writeln!(out, "M 100644 inline {path}");
    data(out, text);
}

fn data(out: &mut String, text: &str) {
    let _ = writeln!(out, "data {}\n{text}", text.len());
}
