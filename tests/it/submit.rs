//! Submits to a cluster from end to end: the order of steps, answers that are lost, scripts, anchors.

use serde_json::json;

use crate::lab::{AT_ONCE, has, json_of, latest};
use crate::sandbox::Sandbox;
use crate::site::{PBS_18, Site};

/// A research repository whose cluster the site is.
pub(crate) fn lab(site: &Site, transport: &str) -> Sandbox {
    site.lab(transport, AT_ONCE)
}

#[test]
fn a_submit_is_one_job_and_one_commit() {
    let site = Site::start(PBS_18);
    let sandbox = lab(&site, "ssh");
    let said = sandbox.run("run submit mlp --seeds 0-1 --seeds-as sequence");
    has(&said, &["full run", "is queued on site", "job 0.vm", "seeds 0-1, queue gpu_1", "committed"]);
    assert_eq!(site.jobs().len(), 1);
    let list = json_of(&sandbox, &["run", "list"]);
    let run = list["data"]["runs"][0]["run"].as_str().unwrap().to_string();
    assert_eq!(list["data"]["runs"][0]["state"], "active");
    let folder = format!("projects/anp/runs/{run}");
    let files = sandbox.git("show --format= --name-only HEAD");
    assert_eq!(files, ["attempts/1.yaml", "config.yaml", "run.yaml"].map(|file| format!("{folder}/{file}\n")).concat());
    let attempt = sandbox.read(&format!("{folder}/attempts/1.yaml"));
    has(&attempt, &["cluster: site", "job: ", &format!("name: {run}.1"), "queue: gpu_1", "seeds:"]);
    assert!(!attempt.contains("verdict"), "{attempt}");
    // The same command again changes nothing.
    let again = sandbox.run("run submit mlp --seeds 0-1 --seeds-as sequence");
    has(&again, &[&format!("seed 0 is on its way in run {run}"), "nothing is left to submit"]);
    assert_eq!(site.jobs().len(), 1);
    site.idle();
    assert_eq!(site.jobs()[0]["exit"], 0, "{:?}", site.jobs());
}

#[test]
fn a_dry_run_prints_the_very_script_and_touches_nothing() {
    let site = Site::start(PBS_18);
    let sandbox = lab(&site, "ssh");
    site.cut();
    let before = sandbox.git("rev-parse HEAD");
    let output = sandbox.ar(&["run", "submit", "mlp", "--seeds", "0-1", "--seeds-as", "sequence", "--dry-run"]);
    let script = String::from_utf8(output.stdout).unwrap();
    has(&script, &["#!/bin/sh\n#PBS -S /bin/sh\n", "#PBS -q gpu_1"]);
    assert!(!sandbox.top().join(".git/ar/journal.ndjson").exists());
    assert_eq!(std::fs::read_dir(site.path("scratch")).unwrap().count(), 0);
    assert_eq!((before, sandbox.git("status --short")), (sandbox.git("rev-parse HEAD"), String::new()));
    site.serve("");
    sandbox.run("run submit mlp --seeds 0-1 --seeds-as sequence");
    let folder = std::fs::read_dir(site.path("scratch")).unwrap().next().unwrap().unwrap().path();
    let run = std::fs::read_dir(folder.join("runs")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::read_to_string(run.join("job-1.sh")).unwrap(), script);
}

#[test]
fn an_answer_that_is_lost_is_found_again() {
    let site = Site::start(PBS_18);
    let sandbox = lab(&site, "ssh");
    for fault in ["qsub-cut", "qsub-silent"] {
        let before = site.jobs().len();
        site.fault(json!({fault: {"times": 1}}));
        let seeds = before.to_string();
        let lost = sandbox.run(&format!("run submit mlp --seeds {seeds}"));
        if fault == "qsub-cut" {
            has(&lost, &["[exit 7]"]);
        }
        site.fault(json!({fault: null}));
        let found = sandbox.run(&format!("run submit mlp --seeds {seeds}"));
        has(&found, &[&format!("seed {seeds} is on its way in run")]);
        assert_eq!(site.jobs().len(), before + 1, "{lost}\n{found}");
    }
    has(&sandbox.run("doctor"), &["nothing is pending"]);
}

#[test]
fn a_refusal_is_told_in_the_schedulers_words_and_can_be_repeated() {
    let site = Site::start(PBS_18);
    let sandbox = lab(&site, "local");
    let before = sandbox.git("rev-parse HEAD");
    site.fault(json!({"qsub-says": {"recorded": "err-walltime", "times": 1}}));
    let refused = sandbox.run("run submit mlp --seeds 0");
    has(&refused, &["the scheduler of site refused run", "[exit 11]"]);
    assert_eq!((before, sandbox.git("status --short")), (sandbox.git("rev-parse HEAD"), String::new()));
    site.fault(json!({"qsub-says": null}));
    has(&sandbox.run("run submit mlp --seeds 0"), &["is queued on site"]);
    assert_eq!(site.jobs().len(), 1);
}

#[test]
fn a_server_that_is_down_is_no_failure() {
    let site = Site::start(PBS_18);
    let sandbox = lab(&site, "local");
    site.fault(json!({"down": {"times": 9}}));
    has(&sandbox.run("run submit mlp --seeds 0"), &["[exit 7]"]);
    has(&sandbox.run("doctor"), &["pending: submit"]);
    site.fault(json!({"down": null}));
    has(&sandbox.run("run submit mlp --seeds 0"), &["is queued on site"]);
    assert_eq!(site.jobs().len(), 1);
    has(&sandbox.run("doctor"), &["nothing is pending"]);
}

#[test]
fn code_that_nobody_else_sees_is_refused_and_prose_is_not() {
    let site = Site::without_ssh(PBS_18);
    let sandbox = lab(&site, "local");
    sandbox.write("net.py", "x = 1\n");
    has(&sandbox.run("run submit mlp --seeds 0"), &["code is not committed: net.py", "[exit 3]"]);
    sandbox.commit("net.py", "x = 1\n");
    has(&sandbox.run("run submit mlp --seeds 0"), &["is not pushed", "git push origin develop", "[exit 3]"]);
    sandbox.git("push -q origin develop");
    let anchor = sandbox.git("rev-parse HEAD");
    sandbox.commit("notes.md", "prose\n");
    sandbox.write("notes.md", "more prose\n");
    has(&sandbox.run("run submit mlp --seeds 0"), &["is queued on site"]);
    let record = sandbox.git("show HEAD:projects/anp/runs -- ");
    let run = record.lines().last().unwrap().trim_end_matches('/').to_string();
    has(&sandbox.read(&format!("projects/anp/runs/{run}/run.yaml")), &[anchor.trim()]);
    sandbox.git("switch -q -c feature");
    has(&sandbox.run("run submit mlp --seeds 1"), &["branch feature", "git switch develop", "[exit 4]"]);
}

#[test]
fn two_clones_submit_the_same_thing_once() {
    let site = Site::without_ssh(PBS_18);
    let sandbox = lab(&site, "local");
    let other = sandbox.home().join("other");
    sandbox.sh(sandbox.home(), "git clone -q -b develop remote.git other");
    has(&sandbox.run("run submit mlp --seeds 0-1 --seeds-as sequence"), &["is queued on site"]);
    has(&sandbox.run_in(&other, "run submit mlp --seeds 0-1 --seeds-as sequence"), &["is queued on site"]);
    assert_eq!(site.jobs().len(), 1);
    let tree = |folder| sandbox.try_git(folder, "rev-parse HEAD:projects");
    assert_eq!(tree(sandbox.top()), tree(&other));
}

#[test]
fn seeds_become_an_array_when_that_is_asked_for() {
    let site = Site::without_ssh(PBS_18);
    let sandbox = lab(&site, "local");
    has(&sandbox.run("run submit mlp --seeds 0-2 --seeds-as array"), &["job 0[].vm: seeds 0-2"]);
    let run = latest(&sandbox);
    has(&sandbox.read(&format!("projects/anp/runs/{run}/attempts/1.yaml")), &["seeds_as: array", "0[].vm"]);
}

#[test]
fn a_clone_there_is_pulled_and_never_changed_otherwise() {
    let site = Site::without_ssh(PBS_18);
    let sandbox = lab(&site, "local");
    let clone = site.path("home/clone");
    sandbox.sh(sandbox.home(), &format!("git clone -q -b develop remote.git {}", clone.display()));
    let profile = format!("{}delivery: pull\nclone: {}\n", site.profile("local"), clone.display());
    sandbox.commit("configs/cluster/site.yaml", &profile);
    sandbox.git("push -q origin develop");
    let anchor = sandbox.git("rev-parse HEAD").trim().to_string();
    has(&sandbox.run("run submit mlp --seeds 0"), &["pulling", "is queued on site"]);
    assert_eq!(sandbox.try_git(&clone, "rev-parse HEAD").trim(), anchor);
    // What is edited there stays, and says so with both commits.
    sandbox.commit("net.py", "x = 1\n");
    sandbox.git("push -q origin develop");
    let newer = sandbox.git("rev-parse HEAD").trim().to_string();
    std::fs::write(clone.join("train.sh"), "edited\n").unwrap();
    has(&sandbox.run("run submit mlp --seeds 1"), &[&anchor, &newer, "has edited files", "[exit 4]"]);
    assert_eq!(std::fs::read_to_string(clone.join("train.sh")).unwrap(), "edited\n");
    assert_eq!(site.jobs().len(), 1);
}

#[test]
fn a_clone_there_that_cannot_follow_is_named_with_both_commits() {
    let site = Site::without_ssh(PBS_18);
    let sandbox = lab(&site, "local");
    let clone = site.path("home/clone");
    sandbox.sh(sandbox.home(), &format!("git clone -q -b develop remote.git {}", clone.display()));
    let profile = format!("{}delivery: pull\nclone: {}\n", site.profile("local"), clone.display());
    sandbox.commit("configs/cluster/site.yaml", &profile);
    sandbox.git("push -q origin develop");
    let anchor = sandbox.git("rev-parse HEAD").trim().to_string();
    let there = |line: &str| sandbox.sh(&clone, line).trim().to_string();
    for (before, words, after) in [
        ("git switch -q -c other", "is on other at", "git switch -q develop; git branch -q -d other"),
        ("git switch -q --detach", "is on no branch at", "git switch -q develop"),
        ("git commit -q --allow-empty -m mine", "git pull --ff-only says", "git reset -q --keep HEAD~1"),
        (
            "git remote set-url origin ../gone.git",
            "git pull --ff-only says",
            "git remote set-url origin ../../remote.git",
        ),
        ("mv .git .gone", "is no clone of the repository", "mv .gone .git"),
    ] {
        there(before);
        let (head, status) = (there("git rev-parse HEAD"), there("git status -s"));
        let said = sandbox.run("run submit mlp --seeds 0");
        has(&said, &[words, "[exit 4]", "nothing in it was changed"]);
        assert!(words.contains("no clone") || said.contains(&anchor) && said.contains(&head), "{before}: {said}");
        assert_eq!((there("git rev-parse HEAD"), there("git status -s")), (head, status), "{before}");
        there(after);
    }
    assert!(site.jobs().is_empty());
}

#[test]
fn a_submit_on_the_login_node_leaves_a_receipt_and_no_commit() {
    let site = Site::without_ssh(PBS_18);
    let sandbox = lab(&site, "local");
    let there = sandbox.home().join("there");
    sandbox.sh(sandbox.home(), "git clone -q -b develop remote.git there");
    let head = sandbox.try_git(&there, "rev-parse HEAD");
    has(&sandbox.run_in(&there, "run submit mlp --seeds 0 --here"), &["is queued on site", "a receipt is left"]);
    assert_eq!(
        (head, String::new()),
        (sandbox.try_git(&there, "rev-parse HEAD"), sandbox.try_git(&there, "status --short"))
    );
    assert_eq!(site.jobs().len(), 1);
    // From the person's own clone it is the same run, and no second job.
    has(&sandbox.run("run submit mlp --seeds 0"), &["is queued on site", "committed"]);
    assert_eq!(site.jobs().len(), 1);
}

#[test]
fn a_run_is_repeated_from_its_own_commit() {
    let site = Site::without_ssh(PBS_18);
    let sandbox = lab(&site, "local");
    let anchor = sandbox.git("rev-parse HEAD").trim().to_string();
    sandbox.run("run submit mlp --seeds 0");
    let old = latest(&sandbox);
    sandbox.commit("train.sh", &format!("{AT_ONCE}# newer\n"));
    has(&sandbox.run(&format!("run rerun {old}")), &["full run", "is queued on site", "committed"]);
    let new = latest(&sandbox);
    let record = sandbox.read(&format!("projects/anp/runs/{new}/run.yaml"));
    has(&record, &[&format!("rerun_of: {old}"), &format!("commit: {anchor}")]);
    has(&sandbox.run(&format!("run rerun {old}")), &[&format!("seed 0 is on its way in run {new}"), "nothing is left"]);
    has(&sandbox.run(&format!("run diff {old} {new}")), &["the configs are the same", "- run", "+ run"]);
    assert_eq!(site.jobs().len(), 2);
}

#[test]
fn hostile_values_stay_values() {
    let site = Site::without_ssh(PBS_18);
    let sandbox = lab(&site, "local");
    let note = "+note=\"$(touch hacked) `id` #PBS -q x 'a\"";
    let output = sandbox.ar(&["run", "submit", "mlp", note, "--seeds", "0", "--dry-run"]);
    let said = sandbox.shown(&output);
    assert!(!said.contains("hacked"), "{said}");
    for (option, value) in
        [("--queue", "gpu_1\n#PBS -V"), ("--queue", "-x"), ("--cluster", "../../etc"), ("--walltime", "1:00:00;id")]
    {
        let value = format!("{option}={value}");
        let refused = sandbox.ar(&["run", "submit", "mlp", "--seeds", "0", "--dry-run", &value]);
        assert!(!refused.status.success(), "{value}: {}", sandbox.shown(&refused));
    }
    assert!(site.jobs().is_empty() && !sandbox.top().join("hacked").exists());
}
