//! Tests of commits beside the checkout, with the real git.

use std::path::Path;

use super::*;
use crate::repo::Committed;

struct Lab {
    folder: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        let lab = Self { folder: tempfile::tempdir().unwrap() };
        let git = Git::at(lab.top());
        git.init("develop").unwrap();
        for (key, value) in [("user.name", "T"), ("user.email", "t@example.org"), ("commit.gpgSign", "false")] {
            git.config_set(key, value).unwrap();
        }
        lab.write("a", "1\n");
        lab.write("b", "1\n");
        lab.git(&["add", "-A"]);
        lab.git(&["commit", "-q", "-m", "start"]);
        lab
    }

    fn top(&self) -> &Path {
        self.folder.path()
    }

    fn repo(&self) -> Repo {
        Repo::discover(self.top(), Environment::Ignored).unwrap()
    }

    fn git(&self, words: &[&str]) -> String {
        Git::at(self.top()).text(words).unwrap()
    }

    fn write(&self, path: &str, text: &str) {
        std::fs::write(self.top().join(path), text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.top().join(path)).unwrap_or_default()
    }
}

fn commit(apart: &Apart, path: &str, text: &str) -> String {
    let mut transaction = apart.repo.begin("a test").unwrap();
    transaction.write(path, text).unwrap();
    match transaction.commit("apart", &[]).unwrap() {
        Committed::Made(id) => id,
        Committed::Nothing => panic!("nothing was committed"),
    }
}

#[test]
fn the_checkout_follows_around_other_edits() {
    let lab = Lab::new();
    let apart = lab.repo().apart("develop").unwrap();
    lab.write("a", "edited\n");
    lab.write("staged", "new\n");
    lab.git(&["add", "staged"]);
    let id = commit(&apart, "runs/r/run.yaml", "x: 1\n");
    assert_eq!(lab.repo().branch_tip("develop").as_deref(), Some(apart.tip()), "the branch moves only at the end");
    assert_eq!(apart.land("tick").unwrap(), id);
    assert_eq!(lab.git(&["rev-parse", "HEAD"]).trim(), id);
    assert_eq!(lab.git(&["status", "--short"]), " M a\nA  staged\n");
    assert_eq!((lab.read("a"), lab.read("runs/r/run.yaml")), ("edited\n".into(), "x: 1\n".into()));
    assert!(lab.git(&["reflog", "-1"]).contains("tick"));
    // The second time the worktree is there already, and is brought to the tip.
    let again = lab.repo().apart("develop").unwrap();
    assert_eq!(again.tip(), id);
    assert_eq!(again.land("tick").unwrap(), id);
}

#[test]
fn a_repository_that_was_copied_gets_a_worktree_of_its_own() {
    let lab = Lab::new();
    let apart = lab.repo().apart("develop").unwrap();
    let copy = tempfile::tempdir().unwrap();
    let status = std::process::Command::new("cp").arg("-a").arg(lab.top().join(".")).arg(copy.path()).status().unwrap();
    assert!(status.success());
    let other = Repo::discover(copy.path(), Environment::Ignored).unwrap();
    let there = other.apart("develop").unwrap();
    let id = commit(&there, "a", "2\n");
    assert_eq!(there.land("tick").unwrap(), id);
    assert_eq!(std::fs::read_to_string(copy.path().join("a")).unwrap(), "2\n");
    assert_eq!((lab.repo().branch_tip("develop").as_deref(), lab.read("a")), (Some(apart.tip()), "1\n".into()));
}

#[test]
fn an_edited_or_staged_or_unknown_file_is_not_touched() {
    let spoil: [fn(&Lab); 3] = [
        |lab| lab.write("a", "edited\n"),
        |lab| {
            lab.write("a", "staged\n");
            lab.git(&["add", "a"]);
        },
        |lab| lab.write("new", "mine\n"),
    ];
    for (n, spoil) in spoil.into_iter().enumerate() {
        let lab = Lab::new();
        lab.git(&["config", "merge.autoStash", "true"]);
        let apart = lab.repo().apart("develop").unwrap();
        commit(&apart, if n == 2 { "new" } else { "a" }, "tick\n");
        spoil(&lab);
        let before = (lab.read("a"), lab.read("new"), lab.git(&["status", "--short"]));
        let problem = apart.land("tick").unwrap_err();
        assert_eq!((problem.kind, problem.code), (Kind::Locked, "edited"), "{n}");
        assert_eq!((lab.read("a"), lab.read("new"), lab.git(&["status", "--short"])), before);
        assert_eq!(lab.repo().branch_tip("develop").as_deref(), Some(apart.tip()));
    }
}

#[test]
fn a_branch_that_is_not_checked_out_moves_alone() {
    let lab = Lab::new();
    lab.git(&["checkout", "-q", "-b", "feature"]);
    let apart = lab.repo().apart("develop").unwrap();
    let id = commit(&apart, "a", "tick\n");
    lab.write("a", "edited\n");
    apart.land("tick").unwrap();
    assert_eq!(lab.git(&["rev-parse", "develop"]).trim(), id);
    assert_eq!((lab.read("a"), lab.git(&["branch", "--show-current"])), ("edited\n".into(), "feature\n".into()));
    assert!(lab.repo().apart("nowhere").err().unwrap().hint.unwrap().contains("git branch nowhere"));
}

#[test]
fn the_checkout_may_be_a_linked_worktree() {
    let lab = Lab::new();
    lab.git(&["checkout", "-q", "-b", "feature"]);
    let other = tempfile::tempdir().unwrap();
    let place = other.path().join("w");
    lab.git(&["worktree", "add", "-q", &place.to_string_lossy(), "develop"]);
    let apart = lab.repo().apart("develop").unwrap();
    commit(&apart, "a", "tick\n");
    apart.land("tick").unwrap();
    assert_eq!(std::fs::read_to_string(place.join("a")).unwrap(), "tick\n");
    assert_eq!(lab.read("a"), "1\n");
    // Started from the linked worktree, the very same place is used.
    let repo = Repo::discover(&place, Environment::Ignored).unwrap();
    assert_eq!(repo.apart("develop").unwrap().repo.top(), apart.repo.top());
    // In two checkouts at once nobody can say which one follows.
    lab.git(&["checkout", "-q", "--ignore-other-worktrees", "develop"]);
    let apart = lab.repo().apart("develop").unwrap();
    commit(&apart, "a", "again\n");
    assert_eq!(apart.land("tick").unwrap_err().code, "several-checkouts");
}

#[test]
fn a_branch_that_moved_meanwhile_is_not_moved_back() {
    for elsewhere in [false, true] {
        let lab = Lab::new();
        let apart = lab.repo().apart("develop").unwrap();
        commit(&apart, "c", "tick\n");
        lab.write("b", "2\n");
        lab.git(&["commit", "-q", "-a", "-m", "theirs"]);
        let theirs = lab.git(&["rev-parse", "HEAD"]);
        if elsewhere {
            lab.git(&["checkout", "-q", "-b", "feature"]);
        }
        assert_eq!(apart.land("tick").unwrap_err().code, OVERTAKEN);
        assert_eq!(lab.git(&["rev-parse", "develop"]), theirs);
        let again = lab.repo().apart("develop").unwrap();
        commit(&again, "c", "tick\n");
        again.land("tick").unwrap();
        assert_eq!(lab.git(&["log", "--format=%s", "develop"]), "apart\ntheirs\nstart\n");
    }
}

#[test]
fn nothing_lands_in_the_middle_of_a_merge_or_rebase() {
    let lab = Lab::new();
    lab.git(&["checkout", "-q", "-b", "other"]);
    lab.write("a", "other\n");
    lab.git(&["commit", "-q", "-a", "-m", "other"]);
    lab.git(&["checkout", "-q", "develop"]);
    lab.write("a", "develop\n");
    lab.git(&["commit", "-q", "-a", "-m", "develop"]);
    for (begin, end) in [("merge", "merge"), ("rebase", "rebase")] {
        let apart = lab.repo().apart("develop").unwrap();
        commit(&apart, "c", begin);
        assert!(Git::at(lab.top()).text(&[begin, "other"]).is_err());
        assert_eq!(apart.may_land().unwrap_err().code, "in-progress", "{begin}");
        assert_eq!(apart.land("tick").unwrap_err().kind, Kind::Locked);
        lab.git(&[end, "--abort"]);
        apart.land("tick").unwrap();
    }
}

#[test]
fn hooks_judge_these_commits_as_any_other() {
    use std::os::unix::fs::PermissionsExt as _;
    let lab = Lab::new();
    let hook = lab.top().join(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\ntest -e a || exit 3\ngit diff --cached --name-only >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let apart = lab.repo().apart("develop").unwrap();
    let mut transaction = apart.repo.begin("a test").unwrap();
    transaction.write("c", "1\n").unwrap();
    let problem = transaction.commit("apart", &[]).unwrap_err();
    assert_eq!(problem.code, "commit-refused");
    assert!(problem.message.contains('c'), "{problem}");
}

#[test]
fn what_a_killed_process_left_is_gone() {
    let lab = Lab::new();
    let apart = lab.repo().apart("develop").unwrap();
    let top = apart.repo.top().to_path_buf();
    commit(&apart, "c", "never landed\n");
    std::fs::write(top.join("a"), "half\n").unwrap();
    let again = lab.repo().apart("develop").unwrap();
    assert_eq!(again.repo.git().text(&["status", "--short"]).unwrap(), "");
    assert_eq!(std::fs::read_to_string(top.join("a")).unwrap(), "1\n");
    // The folder went, and git still remembers it.
    std::fs::remove_dir_all(&top).unwrap();
    lab.repo().apart("develop").unwrap();
    // Somebody works in it.
    Git::at(&top).text(&["checkout", "-q", "-b", "mine"]).unwrap();
    assert_eq!(lab.repo().apart("develop").err().unwrap().code, "apart");
}
