//! A trainer that a group already has, in Python with Hydra: a few lines beside it, and it goes through `run local` to
//! the board.

use std::process::{Command, Stdio};

use crate::lab::{has, latest, push};
use crate::sandbox::Sandbox;
use crate::site::{PBS_18, Site};

/// The group's own files: its loop, and the lines beside it.
pub(crate) const TRAIN: &str = include_str!("../data/trainer/hydra/train.py");
pub(crate) const BESIDE: &str = include_str!("../data/trainer/hydra/ar_train.py");

/// A Python that has Hydra, and where its packages lie.
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
pub(crate) fn python() -> Option<(String, String)> {
    let python = std::env::var("GIT_AR_PYTHON").unwrap_or_else(|_| "python3".into());
    let found = Command::new(&python).args(["-c", "import hydra, omegaconf"]).stderr(Stdio::null()).status();
    let packages = std::env::var("PYTHONPATH").unwrap_or_default();
    if found.is_ok_and(|status| status.success()) {
        return Some((python, packages));
    }
    assert!(std::env::var("CI").is_err(), "CI must have a Python with hydra-core 1.3 (or GIT_AR_PYTHON naming one)");
    eprintln!(
        "skipped: the trainer in Python, because there is no Python with hydra-core (cargo xtask test fetches it)"
    );
    None
}

/// Its files in a repository, whose configs both Hydra and git-ar read.
pub(crate) fn write(sandbox: &Sandbox, python: &str) {
    sandbox.write("configs/ar.yaml", &format!("schema: 1\nloop: off\ntrainer: [{python}, ar_train.py]\n"));
    let config = "defaults:\n  - _self_\n  - experiment: null\nseed: 0\nepochs: 3\noptimizer: {lr: 0.1}\n";
    sandbox.write("configs/config.yaml", config);
    let experiment = "# @package _global_\ndataset: {name: clouds}\nmodel: {name: logistic}\noptimizer: {lr: 0.05}\n";
    sandbox.write("configs/experiment/slow.yaml", experiment);
    sandbox.write("configs/board/clouds.yaml", "schema: 1\ntitle: Clouds\ndataset: clouds\nmetric: val/accuracy\n");
    sandbox.write("projects/lab/project.yaml", "schema: 1\ntitle: Lab\nquestion: Which rate?\n");
    sandbox.write("train.py", TRAIN);
    sandbox.write("ar_train.py", BESIDE);
}

#[test]
fn the_same_trainer_runs_on_a_cluster_and_goes_on_after_a_kill() {
    let Some((python, packages)) = python() else { return };
    let site = Site::without_ssh(PBS_18);
    let sandbox = site.enter(Sandbox::repository()).with_env("PYTHONPATH", &packages);
    write(&sandbox, &python);
    // Its packages are the site's own: nothing of the environment in which a job is submitted is passed on.
    let setup = format!("setup: ['export PYTHONPATH=\"{packages}\"']\n");
    sandbox.write("configs/cluster/site.yaml", &format!("{}{setup}", site.profile("local")));
    sandbox.git("add -A");
    sandbox.git("commit -q -m start");
    push(&sandbox);
    has(&sandbox.run("run smoke slow --cluster site"), &["smoke run", "is queued on site"]);
    has(&sandbox.run("run submit slow --seeds 0-1 --seeds-as sequence"), &["is queued on site"]);
    // It is killed by its walltime in the middle, and its curve is that of an unbroken training.
    site.idle();
    has(&sandbox.run("run submit slow epochs=40 --seeds 2"), &["is queued on site", "job 2.vm"]);
    site.until_in_scratch(&format!("runs/{}/seed-2/checkpoint.json", latest(&sandbox)));
    site.use_up(2);
    let mut said = String::new();
    while !said.contains("no attempt is active") {
        site.idle();
        said.push_str(&sandbox.run("tick --now"));
        assert!(!said.contains("  failed") && !said.contains("  quarantined") && said.len() < 20_000, "{said}");
    }
    has(&said, &["killed (walltime)", "goes on as attempt 2", "succeeded: seeds 0-1", "succeeded: seeds 2"]);
    let board = sandbox.read("leaderboard/clouds.md");
    assert!(board.contains("slow") && board.contains("± "), "{board}");
    has(&sandbox.run("board check"), &["in step"]);
    let curve = |run: &str| -> Vec<f64> {
        let text = sandbox.read(&format!("projects/lab/runs/{run}/seed-2/metrics.json"));
        let metrics: serde_json::Value = serde_json::from_str(&text).unwrap();
        metrics["curve"]["val/accuracy"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
    };
    let resumed = curve(&latest(&sandbox));
    // With one more epoch it is another run, and the epochs before are the same.
    has(&sandbox.run("run local slow epochs=41 --seeds 2"), &["succeeded"]);
    assert_eq!((resumed.len(), &resumed[..]), (40, &curve(&latest(&sandbox))[..40]));
}

#[test]
fn a_hydra_trainer_needs_a_few_lines() {
    let Some((python, packages)) = python() else { return };
    let sandbox = Sandbox::repository().with_env("PYTHONPATH", &packages).with_env("GIT_AR_TRUST", "all");
    write(&sandbox, &python);
    sandbox.git("add -A");
    sandbox.git("commit -q -m start");
    let own = sandbox.sh(sandbox.top(), &format!("{python} train.py experiment=slow hydra.run.dir=../own"));
    assert!(own.contains("epoch 3: 0."), "{own}");
    let ran = sandbox.run("run local slow --seeds 0-1");
    assert!(ran.contains("succeeded") && ran.contains("3 of 3 epochs"), "{ran}");
    // The same configs, the same loop: the same figures as on one's own.
    let alone = own.lines().find_map(|line| line.strip_prefix("epoch 3: ")).unwrap();
    assert!(ran.contains(&format!("seed 0: val/accuracy {alone}")), "{own}\n{ran}");
    sandbox.run("board render");
    let board = sandbox.read("leaderboard/clouds.md");
    assert!(board.contains("slow") && board.contains("± "), "{board}");
    assert!(BESIDE.lines().count() <= 30, "the lines beside the trainer are few");
    let contract = include_str!("../../docs/trainer-contract.md");
    for file in [TRAIN, BESIDE] {
        assert!(contract.contains(&format!("```python\n{file}```")), "docs/trainer-contract.md shows other files");
    }
}
