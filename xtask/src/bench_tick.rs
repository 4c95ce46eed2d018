//! `git ar tick` in a repository of 10,000 recorded runs with 500 active jobs: time, memory, and how often the scheduler
//! is asked.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::bench_repo;
use crate::run::{Failure, at, cargo, show, top};

/// Active jobs.
const ACTIVE: usize = 500;
/// A scheduler that knows every job and counts its calls.
const QSTAT: &str = "#!/bin/sh\necho asked >>\"$BENCH/asked\"\nshift\nstate=$(cat \"$BENCH/state\")\nfor id; do\n\
    printf 'Job Id: %s\\n    Job_Name = bench\\n    job_state = %s\\n    queue = gpu_1\\n    Exit_status = 0\\n    substate = 92\\n\\n' \"$id\" \"$state\"\n\
    done\n";

/// Makes the repository in `folder` (which must not exist) and times a tick while all jobs run, when all have ended, and
/// when nothing is active.
pub(crate) fn run(folder: &Path) -> Result<(), Failure> {
    if folder.exists() {
        return Err(Failure::new(format!("{} exists", folder.display())).hint("name a folder that does not"));
    }
    show(&mut cargo(&["build", "--release", "--bin", "git-ar"]))?;
    let repo = folder.join("repo");
    bench_repo::make(&repo)?;
    submit(folder, &repo)?;
    println!("10000 runs on record, {ACTIVE} attempts active");
    tick(folder, &repo, "R", "all jobs run")?;
    tick(folder, &repo, "F", "all jobs have ended")?;
    tick(folder, &repo, "F", "nothing is active")
}

/// Gives the newest runs an attempt without a verdict, and a run directory with whole results.
fn submit(folder: &Path, repo: &Path) -> Result<(), Failure> {
    let write = |path: &Path, text: &str| -> Result<(), Failure> {
        std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).map_err(at(path))?;
        std::fs::write(path, text).map_err(at(path))
    };
    let scratch = folder.join("scratch");
    let profile = format!(
        "schema: 1\nscheduler: pbs\ntransport: local\nscratch: {}\nscheduler_path: {}\ndefault_queue: gpu_1\n",
        scratch.display(),
        folder.join("bin").display()
    );
    write(&repo.join("configs/cluster/bench.yaml"), &profile)?;
    let qstat = folder.join("bin/qstat");
    write(&qstat, QSTAT)?;
    std::fs::set_permissions(&qstat, std::fs::Permissions::from_mode(0o755)).map_err(at(&qstat))?;
    let root = said(repo, &["rev-list", "--max-parents=0", "HEAD"])?;
    let runs = scratch.join(format!("repo-{}", &root[..8])).join("runs");
    for n in 0..ACTIVE {
        let (id, number) = (bench_repo::ITERATIONS - n / bench_repo::RUNS_EACH, n % bench_repo::RUNS_EACH);
        let (name, record) = bench_repo::run_folder(id, number);
        let attempt = format!(
            "schema: 1\ncluster: bench\njob: \"{}.vm\"\nname: {name}.2\nsubmitted: 2026-01-03T10:00:00Z\n\
             resources: {{queue: gpu_1, walltime: \"01:00:00\"}}\n",
            n + 1
        );
        write(&repo.join(&record).join("attempts/2.yaml"), &attempt)?;
        let (commit, digest) = ("1".repeat(40), format!("{:064x}", id * bench_repo::RUNS_EACH + number));
        let start = format!(
            r#"{{"at":"2026-01-03T10:01:00Z","host":"n","commit":"{commit}","manifest":"{digest}","config_digest":"{digest}"}}"#
        );
        let dir = runs.join(&name);
        write(&dir.join("start-2.json"), &start)?;
        write(&dir.join("exit-2.json"), r#"{"at":"2026-01-03T11:00:00Z","code":0,"seeds":{"0":0}}"#)?;
        write(&dir.join("heartbeat-2"), "")?;
        write(&dir.join("seed-0/log"), &"epoch\n".repeat(500))?;
    }
    bench_repo::git(repo, &["add", "-A"])?;
    bench_repo::git(repo, &["commit", "-q", "-m", "bench: 500 attempts"])
}

fn said(repo: &Path, words: &[&str]) -> Result<String, Failure> {
    let output = Command::new("git").current_dir(repo).args(words).output().map_err(at(repo))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// One tick, with its time, the most memory it held, and the scheduler's calls.
fn tick(folder: &Path, repo: &Path, state: &str, what: &str) -> Result<(), Failure> {
    let (asked, file) = (folder.join("asked"), folder.join("state"));
    std::fs::write(&asked, "").map_err(at(&asked))?;
    std::fs::write(&file, state).map_err(at(&file))?;
    let mut child = Command::new(top().join("target/release/git-ar"))
        .current_dir(repo)
        .args(["tick", "--now"])
        .env("BENCH", folder)
        .env("GIT_AR_TRUST", "all")
        .stdout(Stdio::null())
        .spawn()
        .map_err(at(repo))?;
    let began = Instant::now();
    let mut most = 0;
    let status = loop {
        most = most.max(memory(child.id()));
        if let Some(status) = child.try_wait().map_err(at(repo))? {
            break status;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    let calls = std::fs::read_to_string(&asked).map_err(at(&asked))?.lines().count();
    let mut line = String::new();
    let _ = write!(line, "{what:<22} {:6.2} s  {:5} MiB", began.elapsed().as_secs_f64(), most / 1024);
    println!("{line}  scheduler asked {calls} times  {status}");
    Ok(())
}

/// The most memory that a process held so far, in KiB.
fn memory(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
