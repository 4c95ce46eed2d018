//! How the code gets to a site and what runs there: a clone that cannot be pulled is left as it is, and a job runs its
//! anchor however far the branch has moved.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::{AT_ONCE, has, lacks, latest};
use crate::sandbox::Sandbox;
use crate::site::{PBS_18, Site};

/// A site with a clone that is pulled, and the repository whose cluster it is.
fn pulled(trainer: &str) -> (Site, Sandbox, PathBuf) {
    let site = Site::without_ssh(PBS_18);
    let sandbox = site.lab("local", trainer);
    let clone = site.path("home/clone");
    sandbox.sh(sandbox.home(), &format!("git clone -q -b develop remote.git {}", clone.display()));
    let profile = format!("{}delivery: pull\nclone: {}\n", site.profile("local"), clone.display());
    sandbox.commit("configs/cluster/site.yaml", &profile);
    sandbox.git("push -q origin develop");
    (site, sandbox, clone)
}

/// Everything in a clone that a reset, a stash or a checkout would change.
fn all_of(sandbox: &Sandbox, clone: &Path) -> String {
    let line = "git log --oneline -g HEAD; git symbolic-ref HEAD; git status --porcelain; git stash list; \
                git for-each-ref refs/heads refs/tags; git ls-files -s; find . -path ./.git -prune -o -type f -print | sort | xargs sha256sum";
    sandbox.sh(clone, line)
}

#[test]
fn a_clone_that_cannot_be_pulled_is_named_with_both_commits_and_left_alone() {
    // What was done in the clone, and what the refusal says of it.
    let rows = [
        ("git -c user.name=x -c user.email=x commit -q --allow-empty -m mine", "git pull --ff-only says"),
        ("git switch -q -c feature", "is on feature"),
        ("git checkout -q --detach", "is on no branch"),
        ("echo edited >>train.sh", "has edited files"),
        ("echo edited >>train.sh; git add train.sh", "has edited files"),
        ("echo in the way >new.py", "git pull --ff-only says"),
        ("git remote set-url origin /nowhere", "git pull --ff-only says"),
        (
            "git init -q --bare ../old.git; git push -q ../old.git develop; git remote set-url origin \"$PWD/../old.git\"",
            "does not hold commit",
        ),
        ("git branch --unset-upstream", "git pull --ff-only says"),
    ];
    for (change, words) in rows {
        let (site, sandbox, clone) = pulled(AT_ONCE);
        assert_eq!(sandbox.sh(&clone, &format!("git pull -q; {change}")), "", "{change}");
        sandbox.commit("new.py", "x = 1\n");
        sandbox.git("push -q origin develop");
        let anchor = sandbox.git("rev-parse HEAD").trim().to_string();
        let there = sandbox.try_git(&clone, "rev-parse HEAD").trim().to_string();
        assert_ne!(anchor, there);
        let before = all_of(&sandbox, &clone);
        let said = sandbox.run("run submit mlp --seeds 0");
        has(&said, &[words, &anchor, &there, "mend the clone there by hand", "[exit 4]"]);
        lacks(&said, &["reset", "stash", "--force", "clean -"]);
        assert_eq!(all_of(&sandbox, &clone), before, "{change}");
        assert!(site.jobs().is_empty() && sandbox.git("status --short").is_empty(), "{change}");
        lacks(&sandbox.run("doctor"), &["not settled", "pending:"]);
    }
}

/// A trainer whose result is a file of its code.
fn measuring() -> String {
    AT_ONCE.replace("\"final\":0.5", "\"final\":'\"$(cat level.txt)\"'")
}

#[test]
fn the_branch_moves_and_each_job_runs_its_anchor() {
    for delivery in ["archive", "pull"] {
        let (site, sandbox, clone) = pulled(&measuring());
        if delivery == "archive" {
            sandbox.commit("configs/cluster/site.yaml", &site.profile("local"));
        }
        site.starts(false);
        for (seed, level) in ["0.1", "0.2", "0.3"].iter().enumerate() {
            sandbox.commit("level.txt", &format!("{level}\n"));
            sandbox.git("push -q origin develop");
            has(&sandbox.run(&format!("run submit mlp --seeds {seed}")), &["is queued on site"]);
        }
        sandbox.commit("level.txt", "0.9\n");
        sandbox.git("push -q origin develop");
        if delivery == "pull" {
            assert_eq!(sandbox.sh(&clone, "git pull -q && cat level.txt"), "0.9\n");
        }
        assert!(site.jobs().iter().all(|job| job["state"] == "Q"));
        site.starts(true);
        site.idle();
        has(&sandbox.run("tick --now"), &["succeeded: seeds 0", "succeeded: seeds 1", "succeeded: seeds 2"]);
        for (seed, level) in ["0.1", "0.2", "0.3"].iter().enumerate() {
            let found = sandbox.git(&format!("grep -h final -- projects/anp/runs/*/seed-{seed}/metrics.json"));
            has(&found, &[&format!("\"final\":{level}")]);
        }
        has(&sandbox.run(&format!("run verify {}", latest(&sandbox))), &["as recorded", "ok     snapshot"]);
    }
}

/// Submits with the site's scratch, or its clone, on a disk without space; `$1` names it, `$2` is its size.
const ON_A_SMALL_DISK: &str = r#"
mv "$1" "$1.large" && mkdir "$1" && mount -t tmpfs -o size="$2" none "$1" && cp -a "$1.large/." "$1/" || exit 99
git-ar run submit mlp --seeds 0
code=$?
find "$1" -name '.new-*' -o -name '.in-*' -o -name '.pull-*'
umount "$1" && rmdir "$1" && mv "$1.large" "$1"
exit "$code"
"#;

#[test]
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn a_site_without_space_is_told_and_nothing_is_submitted() {
    let may = Command::new("unshare").args(["-rm", "true"]).output().is_ok_and(|output| output.status.success());
    assert!(may || std::env::var("CI").is_err(), "`unshare -rm` must be permitted in CI");
    if !may {
        eprintln!("skipped: `unshare -rm` is not permitted here, so no small disk can be made");
        return;
    }
    for place in ["scratch", "home/clone"] {
        let (site, sandbox, clone) = pulled(AT_ONCE);
        assert_eq!(sandbox.sh(&clone, "git pull -q"), "");
        // Nothing of it can be packed smaller.
        sandbox.sh(sandbox.top(), "head -c 3000000 /dev/urandom >large.bin");
        sandbox.git("add -A");
        sandbox.git("commit -q -m large");
        sandbox.git("push -q origin develop");
        let place = site.path(place).display().to_string();
        let words = ["-rm", "sh", "-c", ON_A_SMALL_DISK, "sh", &place, "1500k"].map(String::from);
        let said = sandbox.shown(&sandbox.output(sandbox.top(), "unshare", &words, b""));
        has(&said, &["space", "hint: "]);
        // What had arrived is taken away again, so that nothing fills the disk.
        lacks(&said, &["/.new-", "/.in-", "/.pull-", "git reset", "rm -"]);
        assert!(said.contains("[exit 4]") || said.contains("[exit 12]"), "{said}");
        assert!(site.jobs().is_empty(), "{said}");
        has(&sandbox.run("run submit mlp --seeds 0"), &["is queued on site"]);
    }
}
