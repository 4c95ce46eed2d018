//! The hooks' verdict is about what would be committed, whatever road a commit takes.

use std::path::{Path, PathBuf};

use crate::sandbox::Sandbox;

const PLACE: &str = "projects/p/iterations/1-first/iteration.yaml";
const GOOD: &str = "schema: 1\nphase: planned\nquestion: Does it hold?\n";
const BAD: &str = "schema: 1\nphase: planned\nqeustion: Does it hold?\n";

/// A managed repository with one planned iteration and the hooks on.
fn managed() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\n");
    sandbox.write("projects/p/project.yaml", "schema: 1\ntitle: P\nquestion: Why?\nladder: []\n");
    sandbox.write(PLACE, "schema: 1\nphase: planned\n");
    sandbox.write("notes.txt", "1\n");
    sandbox.git("add -A");
    sandbox.git("commit -q -m first");
    assert!(!sandbox.run("hook install").contains("[exit"));
    sandbox
}

fn put(folder: &Path, text: &str) {
    std::fs::write(folder.join(PLACE), text).unwrap();
}

/// A road to a commit: its name, the folder below the top where it starts, and the line of shell.
const ROADS: [(&str, &str, &str); 7] = [
    ("commit", "", "git add -u && git commit -q -m x"),
    ("-a", "", "git commit -q -a -m x"),
    ("-p", "", "yes | git commit -q -p -m x >/dev/null"),
    ("--only", "", "git commit -q --only projects -m x"),
    ("--include", "", "git commit -q --include projects -m x"),
    ("--amend", "", "git add -u && git commit -q --amend --no-edit"),
    ("sub-folder", "projects/p", "git commit -q -a -m x"),
];

#[test]
fn every_road_to_a_commit_gets_the_same_verdict() {
    for (name, folder, line) in ROADS {
        let sandbox = managed();
        refuses_bad_takes_good(&sandbox, sandbox.top(), name, folder, line);
    }
}

#[test]
fn so_it_is_in_a_linked_worktree() {
    for (name, folder, line) in ROADS {
        let sandbox = managed();
        sandbox.git("worktree add -q ../other");
        let other = sandbox.top().parent().unwrap().join("other");
        refuses_bad_takes_good(&sandbox, &other, name, folder, line);
    }
}

#[test]
fn so_it_is_with_git_dir_exported_and_in_a_submodule() {
    let sandbox = managed();
    let outer = Sandbox::repository();
    outer.commit("a", "1");
    outer.git(&format!("-c protocol.file.allow=always submodule add -q {} sub", sandbox.top().display()));
    let sub = outer.top().join("sub");
    assert!(!outer.run_in(&sub, "hook install").contains("[exit"));
    refuses_bad_takes_good(&outer, &sub, "submodule", "", "git commit -q -a -m x");

    let line = format!("export GIT_DIR={0}/.git GIT_WORK_TREE={0}; git commit -q -a -m x", sandbox.top().display());
    refuses_bad_takes_good(&sandbox, sandbox.top(), "GIT_DIR", "projects/p", &line);
}

fn refuses_bad_takes_good(sandbox: &Sandbox, top: &Path, name: &str, folder: &str, line: &str) {
    let place: PathBuf = top.join(folder);
    let head = sandbox.try_git(top, "rev-parse HEAD");
    put(top, BAD);
    let said = sandbox.sh(&place, line);
    assert!(said.contains("[exit 1]") && said.contains(&format!("{PLACE}:3")), "{name}: {said}");
    assert_eq!(sandbox.try_git(top, "rev-parse HEAD"), head, "{name}");
    assert_eq!(std::fs::read_to_string(top.join(PLACE)).unwrap(), BAD, "{name}");
    put(top, GOOD);
    let said = sandbox.sh(&place, line);
    assert_eq!(said, "", "{name}");
    assert_ne!(sandbox.try_git(top, "rev-parse HEAD"), head, "{name}");
}

#[test]
fn what_is_staged_counts_and_not_what_lies_in_the_work_tree() {
    let sandbox = managed();
    put(sandbox.top(), BAD);
    sandbox.git("add -u");
    put(sandbox.top(), GOOD);
    assert!(sandbox.try_git(sandbox.top(), "commit -q -m x").contains("[exit 1]"));
    sandbox.git("add -u");
    put(sandbox.top(), BAD);
    sandbox.write("configs/ar.yaml", "schema: 1\nnonsense: yes\n");
    assert_eq!(sandbox.try_git(sandbox.top(), "commit -q -m x"), "");
}

#[test]
fn a_merge_is_checked_whether_clean_or_mended_by_hand() {
    let sandbox = managed();
    sandbox.git("checkout -q -b side");
    put(sandbox.top(), BAD);
    sandbox.git("commit -q -a --no-verify -m bad");
    sandbox.git("checkout -q develop");
    sandbox.write("notes.txt", "2\n");
    sandbox.git("commit -q -a -m other");
    let head = sandbox.git("rev-parse HEAD");
    let said = sandbox.try_git(sandbox.top(), "merge --no-edit side");
    assert!(said.contains("[exit") && said.contains(&format!("{PLACE}:3")), "{said}");
    sandbox.git("merge --abort");
    let said = sandbox.sh(sandbox.top(), "git merge -q --squash side && git commit -q -m squashed");
    assert!(said.contains("[exit 1]"), "{said}");
    sandbox.git("reset -q --hard");
    assert_eq!(sandbox.git("rev-parse HEAD"), head);
}

#[test]
fn a_push_names_the_first_bad_commit() {
    let sandbox = managed();
    sandbox.git("init -q --bare ../remote.git");
    sandbox.git("remote add origin ../remote.git");
    assert_eq!(sandbox.try_git(sandbox.top(), "push -q origin develop"), "");
    put(sandbox.top(), BAD);
    sandbox.git("commit -q -a --no-verify -m bad");
    let bad = sandbox.git("rev-parse --short=10 HEAD");
    put(sandbox.top(), GOOD);
    sandbox.git("commit -q -a --no-verify -m mended");
    let said = sandbox.try_git(sandbox.top(), "push origin develop develop:refs/heads/copy");
    assert!(said.contains(&format!("commit {}", bad.trim())) && said.contains(&format!("{PLACE}:3")), "{said}");
    assert!(sandbox.try_git(sandbox.top(), "push -q origin --delete develop").is_empty());
}

#[test]
fn a_repository_that_is_not_managed_is_left_alone() {
    let sandbox = Sandbox::repository();
    sandbox.run("hook install");
    sandbox.write(PLACE, "nonsense\n");
    sandbox.git("add -A");
    assert_eq!(sandbox.try_git(sandbox.top(), "commit -q -m x"), "");
}
