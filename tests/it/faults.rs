//! Calls to the system that fail one by one, in git-ar and in every git that it starts, as strace lets them: what was
//! there is there, or what was wanted, and the next command goes on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use crate::sandbox::{Sandbox, split};

/// Which calls fail, how, how a person reads that, and every how many of them one is tried.
const FAULTS: [(&str, &str, &str, usize); 5] = [
    ("write", "ENOSPC", "No space left", 1),
    ("fsync", "EIO", "Input/output error", 1),
    ("rename,renameat,renameat2", "EIO", "Input/output error", 1),
    ("mkdir,mkdirat", "EROFS", "Read-only file system", 1),
    ("openat", "EIO", "", 3),
];

/// What is seen of a repository: its files with their bytes, the tree of its commit, what git says of both.
#[derive(Debug, PartialEq)]
struct Seen(BTreeMap<PathBuf, Vec<u8>>, String, String);

fn seen(sandbox: &Sandbox) -> Seen {
    let walk = walkdir::WalkDir::new(sandbox.top()).into_iter().map(Result::unwrap);
    let kept = |path: &PathBuf| {
        let hidden =
            path.starts_with(sandbox.top().join(".git")) && !path.starts_with(sandbox.top().join(".git/hooks"));
        !hidden && !path.to_string_lossy().contains(".git-ar-tmp-")
    };
    let files = walk.filter(|e| e.file_type().is_file()).map(walkdir::DirEntry::into_path).filter(kept);
    let files = files.map(|path| (path.strip_prefix(sandbox.top()).unwrap().into(), std::fs::read(path).unwrap()));
    let status = sandbox.git("status --porcelain --untracked-files=all");
    let status = status.lines().filter(|line| !line.contains(".git-ar-tmp-")).collect();
    Seen(files.collect(), sandbox.git("rev-parse HEAD^{tree}"), status)
}

fn lab() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: reference\n");
    sandbox.commit("projects/anp/project.yaml", "schema: 1\ntitle: Digits\nquestion: Which net?\n");
    assert!(sandbox.run("iter new anp wider").contains("committed"));
    sandbox
}

fn copy(of: &Sandbox) -> Sandbox {
    let sandbox = Sandbox::empty().with_env("GIT_AR_NOW", "2026-01-06T08:00:00Z");
    let from = format!("{}/.", of.home().display());
    assert!(Command::new("cp").arg("-a").arg(from).arg(sandbox.home()).status().unwrap().success());
    sandbox
}

#[test]
#[allow(clippy::print_stderr, reason = "a test that cannot run says so")]
fn a_call_that_fails_anywhere_leaves_what_was_or_what_was_wanted() {
    let traced = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    let traced = traced.expect("strace is missing: apt-get install strace (cargo xtask test does)");
    if !traced.status.success() {
        return eprintln!("skipped: strace may not look at processes here");
    }
    let prepared = lab();
    for words in ["iter abandon anp/1 --reason \"too wide\"", "hook install", "undo"] {
        let done = copy(&prepared);
        let old = seen(&done);
        assert!(!done.run(words).contains("[exit"), "{words}");
        let new = seen(&done);
        for (calls, error, cause, step) in FAULTS {
            let failed =
                (1..).step_by(step).take_while(|at| one(&prepared, words, (calls, error, cause, *at), [&old, &new]));
            assert!(failed.count() < 500, "git ar {words}: {calls} does not end");
        }
    }
}

/// One run in which call number `at` of each process fails. Returns whether there was one.
fn one(prepared: &Sandbox, words: &str, fault: (&str, &str, &str, usize), [old, new]: [&Seen; 2]) -> bool {
    let (calls, error, cause, at) = fault;
    let sandbox = copy(prepared);
    let log = sandbox.home().join("calls").to_string_lossy().into_owned();
    let (trace, inject) = (format!("trace={calls}"), format!("inject={calls}:error={error}:when={at}"));
    let git_ar = env!("CARGO_BIN_EXE_git-ar");
    let mut arguments = ["-f", "-qq", "-o", &log, "-e", &trace, "-e", &inject, git_ar].map(String::from).to_vec();
    arguments.extend(split(words));
    let output = sandbox.output(sandbox.top(), "strace", &arguments, b"");
    let (said, list) = (sandbox.shown(&output), std::fs::read_to_string(&log).unwrap());
    if !list.contains("(INJECTED)") {
        return false;
    }
    let case = format!("git ar {words}, {calls} {at}:\n{said}");
    let now = seen(&sandbox);
    match output.status.code() {
        Some(0) => assert_eq!(&now, new, "{case}"),
        Some(12) => {
            assert!(&now == old || &now == new, "{case}{now:?}");
            // The call that failed may have been the one that told it.
            let untold = list.lines().any(|line| line.contains(" write(2, ") && line.contains("(INJECTED)"));
            assert!(untold || said.contains(cause) || said.contains("git could not"), "{case}");
        }
        // The program itself was not loaded, by the word of its loader.
        Some(127) if said.contains("loading shared libraries") => {}
        _ => panic!("{case}"),
    }
    if &now != new {
        let again = sandbox.run(words);
        assert!(!again.contains("[exit") && &seen(&sandbox) == new, "{case}again:\n{again}");
    }
    assert!(!sandbox.try_git(sandbox.top(), "fsck --strict --no-dangling --no-progress").contains("[exit"), "{case}");
    true
}
