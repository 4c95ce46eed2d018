//! Runs on this machine from end to end: phases, anchors, snapshots, trainers of any kind, stops and second attempts.

use std::process::Stdio;

use crate::lab::{has, latest};
use crate::sandbox::Sandbox;

const PYTHON: &str = include_str!("../data/trainer/train.py");
const SHELL: &str = include_str!("../data/trainer/train.sh");

/// A research repository with one experiment on the digits; `settings` are lines of `configs/ar.yaml`.
fn lab(settings: &str) -> Sandbox {
    let sandbox = Sandbox::repository();
    std::fs::create_dir(sandbox.home().join("data")).unwrap();
    let sandbox = sandbox.with_env("AR_DATA", "../data");
    sandbox.write("configs/ar.yaml", &format!("schema: 1\n{settings}\n"));
    sandbox.write(
        "configs/config.yaml",
        "defaults:\n  - _self_\n  - experiment: null\nseed: 0\nepochs: 3\nbatch_size: 64\n",
    );
    sandbox.write(
        "configs/experiment/mlp.yaml",
        "# @package _global_\ndataset: {name: digits}\nmodel: {name: ffnn, hidden: [8]}\n\
         optimizer: {name: sgd, lr: 0.1, momentum: 0.9}\n",
    );
    sandbox.write("projects/anp/project.yaml", "schema: 1\ntitle: Digits\nquestion: Which net?\n");
    sandbox.write("train.sh", SHELL);
    sandbox.write("notes.md", "prose\n");
    sandbox.git("add -A");
    sandbox.git("commit -q -m start");
    sandbox.run("trust");
    sandbox
}

/// The same with one iteration in a phase, two seeds planned.
fn iteration(phase: &str) -> Sandbox {
    let sandbox = lab("trainer: reference");
    let phases = ["survey", "implement", "experiment"];
    let passed = &phases[..=phases.iter().position(|p| *p == phase).unwrap()];
    let steps: String = passed.iter().map(|p| format!("  - {{to: {p}, at: 2026-01-05T07:00:00Z}}\n")).collect();
    let plan = "plan:\n  - experiment: mlp\n    seeds: 0-1\n";
    let text = format!("schema: 1\nquestion: Does it learn?\nphase: {phase}\nsteps:\n{steps}{plan}");
    sandbox.commit("projects/anp/iterations/1-mlp/iteration.yaml", &text);
    sandbox
}

#[test]
fn runs_belong_to_their_phases() {
    let sandbox = iteration("survey");
    let refused = sandbox.run("run local mlp");
    assert_eq!(
        refused,
        "[stderr]\nerror: iteration anp/1 is in phase survey; full runs start in experiment\n  \
         --> projects/anp/iterations/1-mlp/iteration.yaml:3\nhint: git ar phase why anp/1\n[exit 4]\n"
    );
    has(&sandbox.run("run smoke mlp"), &["smoke runs belong to implement", "[exit 4]"]);
    let sandbox = iteration("implement");
    has(&sandbox.run("run local mlp"), &["full runs start in experiment", "[exit 4]"]);
    has(&sandbox.run("run smoke mlp"), &["smoke run", "succeeded", "seed 0: val/accuracy", "committed"]);
    has(&sandbox.run("run smoke mlp"), &["nothing is left to do"]);
}

#[test]
fn a_full_run_is_one_commit_of_exactly_its_files() {
    let sandbox = iteration("experiment");
    sandbox.write("notes.md", "prose that is being written\n");
    let said = sandbox.run("run local mlp -j 2");
    has(&said, &["full run", "succeeded", "seed 0: val/accuracy", "seed 1: val/accuracy", "committed"]);
    let run = latest(&sandbox);
    assert!(run.ends_with("-mlp") && run.len() == 9, "{run}");
    let folder = format!("projects/anp/iterations/1-mlp/runs/{run}");
    let files = sandbox.git("show --format= --name-only HEAD");
    let expected = ["attempts/1.yaml", "config.yaml", "run.yaml", "seed-0/metrics.json", "seed-1/metrics.json"];
    assert_eq!(files, expected.map(|file| format!("{folder}/{file}\n")).concat());
    let trailers = format!("AR-Project: anp\nAR-Iteration: 1\nAR-Run: {run}\n");
    has(&sandbox.git("log -1 --format=%B"), &[&trailers]);
    let record = sandbox.read(&format!("{folder}/run.yaml"));
    let commit = sandbox.git("rev-parse HEAD~1");
    has(&record, &["kind: full", &format!("commit: {}", commit.trim()), "experiment: mlp"]);
    let metrics = sandbox.read(&format!("{folder}/seed-1/metrics.json"));
    has(&metrics, &[commit.trim(), "\"status\": \"completed\"", "\"epochs_run\": 3"]);
    has(&sandbox.git("status --short"), &[" M notes.md"]);
    has(&sandbox.run("run local mlp"), &[&format!("seed 1 has its result in run {run}"), "nothing is left to do"]);
    assert_eq!(sandbox.git("rev-parse HEAD~1"), commit);
    // Another seed is another run; the snapshot is the same.
    has(&sandbox.run("run local mlp --seeds 0-2"), &["seed 0 has its result in", "seed 2: val/accuracy"]);
    let snapshots = std::fs::read_dir(sandbox.top().join(".git/ar/scratch/snapshots")).unwrap().count();
    assert_eq!(snapshots, 1);
    has(&sandbox.run(&format!("run show {}", &run[..4])), &[&run, "attempt 1   succeeded", "seed 0"]);
    has(&sandbox.run("run"), &[&run, "full  0-1 (2)  succeeded"]);
}

#[test]
fn the_same_seed_gives_the_same_numbers() {
    let numbers = || {
        let sandbox = lab("trainer: reference\nloop: off");
        sandbox.run("run local mlp --seeds 3");
        let text = sandbox.read(&format!("projects/anp/runs/{}/seed-3/metrics.json", latest(&sandbox)));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        value["curve"].to_string()
    };
    assert_eq!(numbers(), numbers());
}

#[test]
fn code_that_is_not_committed_is_refused_and_prose_is_not() {
    let sandbox = lab("trainer: reference\nloop: off");
    sandbox.write("net.py", "x = 1\n");
    has(&sandbox.run("run local mlp"), &["code is not committed: net.py", "git commit", "[exit 3]"]);
    sandbox.git("add net.py");
    has(&sandbox.run("run local mlp"), &["code is not committed: net.py", "[exit 3]"]);
    std::fs::remove_file(sandbox.top().join("net.py")).unwrap();
    sandbox.git("reset -q");
    sandbox.write("docs/a.txt", "prose\n");
    has(&sandbox.run("run local mlp --seeds 0"), &["succeeded"]);
}

#[test]
fn in_the_middle_of_a_merge_nothing_is_started() {
    let sandbox = lab("trainer: reference\nloop: off");
    sandbox.git("checkout -q -b other");
    sandbox.commit("notes.md", "theirs\n");
    sandbox.git("checkout -q develop");
    sandbox.commit("notes.md", "ours\n");
    sandbox.try_git(sandbox.top(), "merge other");
    has(&sandbox.run("run local mlp --seeds 0"), &["in the middle of", "[exit 4]"]);
    assert!(!sandbox.top().join(".git/ar/scratch/runs").exists());
}

#[test]
fn a_second_signal_does_not_wait_for_the_trainer() {
    let sandbox = lab("trainer: [sh, stubborn.sh]\nloop: off");
    // It ends with its data's folder, so that nothing of it outlives the test, however that ends.
    let until_ready = "while [ -d \"$AR_DATA\" ] && [ ! -e \"$AR_DATA/ready\" ]; do sleep 0.05; done";
    sandbox.commit("stubborn.sh", &format!("trap '' TERM\necho started\n{until_ready}\n"));
    let mut command = sandbox.command(sandbox.top(), env!("CARGO_BIN_EXE_git-ar"));
    command.args(["run", "local", "mlp", "--seeds", "1"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    sandbox.sh(sandbox.top(), "until grep -qs started .git/ar/scratch/runs/*/seed-1/log; do sleep 0.02; done");
    sandbox.sh(sandbox.top(), &format!("kill -TERM {}", child.id()));
    let mut line = String::new();
    while !line.contains("stopping") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut stderr, &mut line).unwrap() > 0, "it never said that it stops");
    }
    sandbox.sh(sandbox.top(), &format!("kill -TERM {}", child.id()));
    assert_eq!(child.wait().unwrap().code(), Some(143));
    std::fs::write(sandbox.home().join("data/ready"), "").unwrap();
    assert_eq!(sandbox.git("rev-list --count HEAD"), "2\n");
}

#[test]
fn a_person_s_mistakes_are_told() {
    let sandbox = lab("trainer: reference\nloop: off");
    has(&sandbox.run("run local mlp seed=1"), &["--seeds", "[exit 2]"]);
    has(&sandbox.run("run local mlp --seeds 3-1"), &["no range of seeds", "[exit 2]"]);
    has(&sandbox.run("run local nothing"), &["nothing", "error:"]);
    has(&sandbox.run("run show x"), &["no run begins with `x`", "[exit 9]"]);
    sandbox.run("run local mlp --seeds 0");
    sandbox.run("run local mlp --seeds 1");
    let both = sandbox.run("run show ''");
    has(&both, &["begins 2 runs", "[exit 9]"]);
    // A smoke run and a full run of what the trainer cannot do: failed, recorded, told.
    let failed = sandbox.run("run local mlp model.hidden=[8,8] --seeds 0");
    has(&failed, &["full run", "failed", "has 2 layers", "committed", "[exit 1]"]);
    sandbox.sh(sandbox.top(), "rm -r projects");
    has(&sandbox.run("run local mlp --seeds 0"), &["no project yet", "git ar project new", "[exit 9]"]);
    let engine = lab("trainer: [no-such-trainer]\nloop: off");
    has(&engine.run("run local mlp --seeds 0"), &["cannot start the trainer `no-such-trainer`", "configs/ar.yaml"]);
    assert_eq!(engine.git("rev-list --count HEAD"), "1\n");
}

#[test]
fn an_exclusion_is_written_added_to_and_withdrawn() {
    let sandbox = lab("trainer: reference\nloop: off");
    sandbox.run("run local mlp --seeds 0-1");
    let run = latest(&sandbox);
    let exclude = |words: &str| sandbox.run(&format!("run exclude {run} {words}"));
    has(&exclude(""), &["needs its reason", "[exit 2]"]);
    has(&exclude("--reason x --seeds 7"), &["seed 7 is not one of", "[exit 2]"]);
    has(&exclude("--withdraw x"), &["not excluded", "[exit 4]"]);
    has(&exclude("--reason 'labels: shuffled' --seeds 1"), &["seeds 1 is excluded: labels: shuffled", "committed"]);
    has(&exclude("--reason 'labels: shuffled' --seeds 1"), &["nothing changed"]);
    has(&exclude("--reason other"), &["excluded already", "[exit 4]"]);
    let path = format!("projects/anp/runs/{run}/exclusion.yaml");
    sandbox.write(&path, &(sandbox.read(&path) + "# seen by me\n"));
    sandbox.git("commit -qam comment");
    has(&exclude("--cause data"), &["committed"]);
    has(&sandbox.read(&path), &["# seen by me", "cause: data", "reason: \"labels: shuffled\""]);
    has(&sandbox.run("run list"), &["excluded"]);
    has(&exclude("--withdraw 'they were right'"), &["counts again: they were right"]);
    has(&exclude("--reason again"), &["withdrawn", "[exit 4]"]);
    has(&sandbox.run("run list"), &["succeeded"]);
    // A seed that is excluded by hand is trained again when a person asks for it.
    let other = lab("trainer: reference\nloop: off");
    other.run("run local mlp --seeds 0");
    let first = latest(&other);
    other.run(&format!("run exclude {first} --reason broken"));
    has(&other.run("run local mlp --seeds 0"), &["full run", "succeeded"]);
    assert_ne!(latest(&other), first);
}

#[test]
fn a_python_trainer_keeps_the_contract_in_a_few_lines() {
    let sandbox = lab("trainer: [python3, train.py]\nloop: off");
    if !sandbox.sh(sandbox.top(), "python3 -c ''").is_empty() {
        // Without Python there is nothing to run; the shell trainer below covers the same path.
        return;
    }
    sandbox.commit("train.py", PYTHON);
    has(&sandbox.run("run smoke mlp"), &["smoke run", "succeeded", "1 of 1 epochs"]);
    has(&sandbox.run("run local mlp --seeds 0-1"), &["full run", "succeeded", "3 of 3 epochs"]);
    assert_eq!(sandbox.git("status --short"), "");
    let contract = include_str!("../../docs/trainer-contract.md");
    assert!(contract.contains(&format!("```python\n{PYTHON}```")), "docs/trainer-contract.md shows another trainer");
}

#[test]
fn a_trainer_runs_in_the_snapshot_and_a_failed_seed_is_tried_again() {
    let sandbox = lab("trainer: [sh, train.sh]\nloop: off");
    let failed = sandbox.run("run local mlp --seeds 0-1");
    has(&failed, &["full run", "failed", "seed 0: val/accuracy 0.5000", "(Error: the data is not ready)", "[exit 1]"]);
    let run = latest(&sandbox);
    let folder = format!("projects/anp/runs/{run}");
    has(
        &sandbox.read(&format!("{folder}/attempts/1.yaml")),
        &["verdict: failed", "code: 3", "seed 1: the trainer ended"],
    );
    assert!(!sandbox.top().join(&folder).join("seed-1").exists());
    let seen = sandbox.read(&format!(".git/ar/scratch/runs/{run}/seed-0/seen"));
    let lines: Vec<&str> = seen.lines().collect();
    assert!(lines[0].contains("/ar/scratch/snapshots/"), "{seen}");
    assert_eq!((lines[1], &lines[3..]), (lines[0], &["configs", "train.sh"][..]));
    assert!(lines[2].starts_with('/') && lines[2].ends_with("/data"), "{seen}");
    std::fs::write(sandbox.home().join("data/ready"), "").unwrap();
    let again = sandbox.run("run local mlp --seeds 0-1");
    has(&again, &["seed 0 has its result in", &format!("full run {run}, attempt 2 succeeded"), "seed 1: val/accuracy"]);
    assert_eq!(latest(&sandbox), run);
    let files = sandbox.git("show --format= --name-only HEAD");
    assert_eq!(files, format!("{folder}/attempts/2.yaml\n{folder}/seed-1/metrics.json\n"));
    has(&sandbox.run("run local mlp --seeds 0-1"), &["nothing is left to do"]);
}

#[test]
fn a_result_of_something_else_is_quarantined() {
    let sandbox = lab("trainer: [./train.sh]\nloop: off");
    sandbox.sh(sandbox.top(), "chmod +x train.sh && git commit -qam mode");
    std::fs::write(sandbox.home().join("data/falsify"), "").unwrap();
    let said = sandbox.run("run local mlp --seeds 0");
    has(&said, &["quarantined", "metrics.json has config_digest `0000`", "[exit 1]"]);
    let folder = format!("projects/anp/runs/{}", latest(&sandbox));
    assert!(!sandbox.top().join(&folder).join("seed-0").exists());
    std::fs::remove_file(sandbox.home().join("data/falsify")).unwrap();
    has(&sandbox.run("run local mlp --seeds 0"), &["full run", "succeeded"]);
    assert!(!folder.ends_with(&latest(&sandbox)));
}

#[test]
fn a_stop_is_recorded_and_the_same_command_goes_on() {
    let sandbox = lab("trainer: [sh, train.sh]\nloop: off");
    std::fs::write(sandbox.home().join("data/wait"), "").unwrap();
    let mut command = sandbox.command(sandbox.top(), env!("CARGO_BIN_EXE_git-ar"));
    command.args(["run", "local", "mlp", "--seeds", "1"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let wait = "until grep -qs started .git/ar/scratch/runs/*/seed-1/log; do sleep 0.02; done";
    sandbox.sh(sandbox.top(), wait);
    // Nobody else may work in this run directory meanwhile, nor train one of its seeds elsewhere.
    has(&sandbox.run("run local mlp --seeds 1"), &["a job is running in", "[exit 8]"]);
    has(&sandbox.run("run local mlp --seeds 0-1"), &["a job is running in", "[exit 8]"]);
    sandbox.sh(sandbox.top(), &format!("kill -INT {}", child.id()));
    let said = sandbox.shown(&child.wait_with_output().unwrap());
    has(&said, &["stopping", "killed", "seed 1: stopped", "committed", "[exit 130]"]);
    let run = latest(&sandbox);
    has(&sandbox.read(&format!("projects/anp/runs/{run}/attempts/1.yaml")), &["verdict: killed", "code: 143"]);
    std::fs::write(sandbox.home().join("data/ready"), "").unwrap();
    has(&sandbox.run("run local mlp --seeds 1"), &[&format!("full run {run}, attempt 2 succeeded")]);
}

#[test]
fn an_attempt_that_nobody_recorded_is_told_and_goes_on() {
    let sandbox = lab("trainer: [sh, train.sh]\nloop: off");
    std::fs::write(sandbox.home().join("data/wait"), "").unwrap();
    let mut command = sandbox.command(sandbox.top(), env!("CARGO_BIN_EXE_git-ar"));
    command.args(["run", "local", "mlp", "--seeds", "1"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    sandbox.sh(sandbox.top(), "until grep -qs started .git/ar/scratch/runs/*/seed-1/log; do sleep 0.02; done");
    child.kill().unwrap();
    child.wait().unwrap();
    has(&sandbox.run("run local mlp --seeds 1"), &["a job is running in", "[exit 8]"]);
    std::fs::write(sandbox.home().join("data/ready"), "").unwrap();
    sandbox
        .sh(sandbox.top(), "until [ -e .git/ar/scratch/runs/*/seed-1/metrics.json ]; do sleep 0.02; done; sleep 0.2");
    has(&sandbox.run("run local mlp --seeds 1"), &["attempt 2 succeeded"]);
    let first = sandbox.read(&format!("projects/anp/runs/{}/attempts/1.yaml", latest(&sandbox)));
    has(&first, &["verdict: killed", "git-ar ended before it could record"]);
}

#[test]
fn a_result_whose_commit_was_refused_is_recorded_without_training() {
    let sandbox = lab("trainer: reference\nloop: off");
    let hook = sandbox.top().join(".git/hooks/pre-commit");
    sandbox.sh(
        sandbox.top(),
        "mkdir -p .git/hooks && printf '#!/bin/sh\nexit 1\n' > .git/hooks/pre-commit && chmod +x .git/hooks/pre-commit",
    );
    let refused = sandbox.run("run local mlp --seeds 0");
    has(&refused, &["git did not make the commit", "the results are kept in", "[exit 4]"]);
    assert_eq!(sandbox.git("status --short"), "");
    std::fs::remove_file(hook).unwrap();
    has(&sandbox.run("run local mlp --seeds 0"), &["ended earlier and was not recorded", "full run", "succeeded"]);
    let attempts = sandbox.git("show --format= --name-only HEAD");
    assert!(attempts.contains("attempts/1.yaml") && !attempts.contains("attempts/2.yaml"), "{attempts}");
}

#[test]
fn runs_that_end_at_the_same_time_are_all_recorded() {
    let sandbox = lab("trainer: [sh, train.sh]\nloop: off");
    std::fs::write(sandbox.home().join("data/ready"), "").unwrap();
    let start = |seed: u64| {
        let mut command = sandbox.command(sandbox.top(), env!("CARGO_BIN_EXE_git-ar"));
        command.args(["run", "local", "mlp", "--seeds", &seed.to_string()]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..4).map(start).collect();
    for child in children {
        has(&sandbox.shown(&child.wait_with_output().unwrap()), &["succeeded", "committed"]);
    }
    assert_eq!(sandbox.git("rev-list --count HEAD"), "5\n");
    assert_eq!(sandbox.git("status --short"), "");
}

#[test]
fn train_leaves_no_record_and_goes_on() {
    let sandbox = lab("trainer: reference\nloop: off");
    let first = sandbox.run("train experiment=mlp seed=4 epochs=2");
    has(&first, &["training in $TOP/.git/ar/scratch/train/", "epoch 2/2", "2 of 2 epochs"]);
    has(&sandbox.run("train experiment=mlp seed=4 epochs=2"), &["finished earlier"]);
    assert!(!sandbox.run("train --fresh experiment=mlp seed=4 epochs=2").contains("finished earlier"));
    let sweep = sandbox.run("train --multirun experiment=mlp seed=4,5 epochs=2 optimizer.lr=0.1,-1 -j 2");
    has(&sweep, &["optimizer.lr=-1: the trainer ended", "optimizer.lr is not above 0", "[exit 1]"]);
    assert_eq!(sweep.matches("2 of 2 epochs").count(), 3, "two results and one line of progress:\n{sweep}");
    assert_eq!(sandbox.git("status --short"), "");
    assert_eq!(sandbox.git("rev-list --count HEAD"), "1\n");
    // Code that changed is other code, committed or not.
    sandbox.write("net.py", "x = 1\n");
    assert!(!sandbox.run("train experiment=mlp seed=4 epochs=2").contains("finished earlier"));
    has(&sandbox.run("reference-trainer"), &["AR_SEED is not set", "[exit 2]"]);
}
