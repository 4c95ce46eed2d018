//! Two at once: processes, clones, agents. Nothing is lost, one of two wins, and what both made is told.

use std::process::{Child, Stdio};

use crate::sandbox::{Sandbox, split};

/// A trainer that is done at once.
const TRAINER: &str = r#"mkdir -p "$AR_RUN_DIR/seed-$AR_SEED"
printf '{"schema":1,"run":"%s","seed":%s,"commit":"%s","config_digest":"%s","status":"completed","epochs_planned":1,"epochs_run":1,"metrics":{"val/accuracy":{"final":0.5,"best":0.5,"best_epoch":1,"direction":"maximize"}}}\n' \
    "$AR_RUN" "$AR_SEED" "$AR_COMMIT" "$AR_CONFIG_DIGEST" > "$AR_RUN_DIR/seed-$AR_SEED/metrics.json"
"#;

/// A repository in which `run local a` takes no time.
fn lab() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\nloop: off\ntrainer: [sh, train.sh]\n");
    sandbox.write("configs/config.yaml", "defaults:\n  - _self_\n  - experiment: null\nseed: 0\n");
    sandbox.write("configs/experiment/a.yaml", "# @package _global_\nmodel: {name: m}\n");
    sandbox.write("projects/p/project.yaml", "schema: 1\ntitle: P\nquestion: Q\n");
    sandbox.write("train.sh", TRAINER);
    sandbox.git("add -A");
    sandbox.git("commit -q -m start");
    sandbox.run("hook install");
    sandbox.run("trust");
    sandbox
}

fn start(sandbox: &Sandbox, words: &str) -> Child {
    let mut command = sandbox.command(sandbox.top(), env!("CARGO_BIN_EXE_git-ar"));
    command.args(split(words)).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn fifty_processes_that_record_runs_at_once_lose_none() {
    const MANY: usize = 50;
    let sandbox = lab();
    let children: Vec<Child> = (0..MANY).map(|seed| start(&sandbox, &format!("run local a --seeds {seed}"))).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", sandbox.shown(&output));
    }
    let files = sandbox.git("ls-tree -r --name-only HEAD projects/p/runs");
    for name in ["/run.yaml", "/attempts/1.yaml", "/metrics.json"] {
        assert_eq!(files.lines().filter(|path| path.ends_with(name)).count(), MANY, "{name}");
    }
    assert_eq!(sandbox.git("rev-list --count HEAD").trim(), (MANY + 1).to_string());
    assert!(sandbox.git("status --porcelain").is_empty());
    let said = sandbox.run(&format!("check --range HEAD~{MANY}..HEAD"));
    assert!(!said.contains("error") || said.contains("board"), "{said}");
    assert!(sandbox.run("check --tree HEAD").contains("in order"));
}

#[test]
fn of_two_moves_of_one_iteration_the_second_is_told_the_present_phase() {
    let sandbox = lab();
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: reference\n");
    sandbox.git("commit -q -a -m loop");
    sandbox.run("start nets");
    let both = ["too wide", "too deep"].map(|why| start(&sandbox, &format!("iter abandon 1 --reason \"{why}\"")));
    let both = both.map(|child| child.wait_with_output().unwrap());
    assert_eq!(both.iter().filter(|output| output.status.success()).count(), 1);
    let lost = both.iter().find(|output| !output.status.success()).unwrap();
    let said = sandbox.shown(lost);
    assert!(said.contains("abandoned") && (said.contains("[exit 8]") || said.contains("[exit 4]")), "{said}");
}

#[test]
fn two_clones_that_made_the_same_ids_are_told_and_renumbered() {
    let sandbox = lab();
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: reference\n");
    sandbox.git("commit -q -a -m loop");
    sandbox.git("clone -q . ../other");
    let other = sandbox.top().parent().unwrap().join("other");
    assert!(sandbox.run("iter new p \"wide nets\"").contains("p/1"));
    assert!(sandbox.run_in(&other, "iter new p \"deep nets\"").contains("p/1"));
    let said = sandbox.try_git(sandbox.top(), "pull -q --no-rebase --no-edit ../other develop");
    assert!(said.contains("projects/p/iterations/1-deep-nets/iteration.yaml:1"), "{said}");
    assert!(
        said.contains("projects/p/iterations/1-wide-nets/iteration.yaml") && said.contains("iter renumber"),
        "{said}"
    );
    // A merge made elsewhere went round the hook.
    sandbox.git("commit -q --no-verify --no-edit");
    let said = sandbox.run("check --range HEAD~1..HEAD");
    assert!(said.contains("used twice") && said.contains("1-wide-nets") && said.contains("1-deep-nets"), "{said}");
    let said = sandbox.run("iter renumber p/1-deep-nets 2");
    assert!(said.contains("p/1 is now p/2"), "{said}");
    assert!(sandbox.run("check --tree HEAD").contains("in order"));
    assert!(sandbox.run("check").contains("in order"));
}

#[test]
fn a_run_id_is_used_once_in_all_projects() {
    let sandbox = lab();
    assert!(sandbox.run("run local a --seeds 0").contains("committed"));
    sandbox.write("projects/q/project.yaml", "schema: 1\ntitle: Q\nquestion: Q\n");
    sandbox.git("add -A");
    sandbox.git("commit -q -m q");
    sandbox.sh(sandbox.top(), "cp -r projects/p/runs projects/q/runs");
    sandbox.git("add -A");
    let said = sandbox.try_git(sandbox.top(), "commit -q -m twice");
    assert!(said.contains("is there twice: the other one is projects/p/runs/"), "{said}");
    assert!(said.contains("--> projects/q/runs/") && said.contains("[exit 1]"), "{said}");
}
