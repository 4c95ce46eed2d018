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

#[test]
fn a_board_that_many_render_at_once_is_whole_at_any_moment() {
    let sandbox = lab();
    sandbox.write("configs/experiment/a.yaml", "# @package _global_\ndataset: {name: digits}\nmodel: {name: m}\n");
    sandbox.commit("configs/board/digits.yaml", "schema: 1\ntitle: Digits\ndataset: digits\n");
    sandbox.run("board render");
    let page = sandbox.top().join("leaderboard/digits.md");
    // Each round has new results, so that every round has something to write.
    for round in 0..3 {
        assert!(sandbox.run(&format!("run local a --seeds {round} --no-commit")).contains("staged"));
        sandbox.git("commit -q -m result");
        let old = std::fs::read(&page).unwrap();
        let mut children: Vec<Child> = (0..8).map(|_| start(&sandbox, "board render")).collect();
        let mut seen = std::collections::BTreeSet::new();
        while children.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
            seen.insert(std::fs::read(&page).unwrap());
        }
        for child in children {
            let output = child.wait_with_output().unwrap();
            // One of them writes; another finds it done, or is told that somebody else is at it.
            assert!(matches!(output.status.code(), Some(0 | 8)), "{}", sandbox.shown(&output));
        }
        let new = std::fs::read(&page).unwrap();
        assert!(new != old && seen.iter().all(|bytes| *bytes == old || *bytes == new), "round {round}");
        assert!(sandbox.run("board check").contains("in step"));
        assert_eq!(sandbox.git("log --format=%s -1 -- leaderboard"), sandbox.git("log --format=%s -1"));
        assert!(sandbox.git("status --porcelain").is_empty());
    }
}

#[test]
fn a_push_that_is_refused_loses_no_row_and_is_made_up_for() {
    let sandbox = lab();
    sandbox.write("configs/experiment/a.yaml", "# @package _global_\ndataset: {name: digits}\nmodel: {name: m}\n");
    sandbox.write("README.md", "# Lab\n\n<!-- ar:begin board digits -->\n<!-- ar:end board digits -->\n");
    sandbox.commit("configs/board/digits.yaml", "schema: 1\ntitle: Digits\ndataset: digits\n");
    sandbox.git("init -q --bare -b develop ../remote.git");
    sandbox.git("remote add origin ../remote.git");
    sandbox.git("push -q -u origin develop");
    sandbox.git("clone -q ../remote.git ../other");
    let other = sandbox.top().parent().unwrap().join("other");
    sandbox.run_in(&other, "hook install");
    sandbox.run_in(&other, "trust");
    let render = |folder: &std::path::Path| sandbox.run_in(folder, "board render --push");
    for round in 0..2 {
        // Somebody else's results come first, each time.
        sandbox.run_in(&other, &format!("run local a --seeds {}", 10 + round));
        assert!(render(&other).contains("committed"));
        sandbox.run(&format!("run local a --seeds {round}"));
        let said = render(sandbox.top());
        assert!(said.contains("did not take develop") && said.contains("[exit 7]"), "{said}");
        assert!(!said.contains("--force"), "{said}");
        // Their work and ours come together without a person; what is rendered from both is pushed.
        let said = sandbox.try_git(sandbox.top(), "pull -q --no-rebase --no-edit");
        assert!(!said.contains("[exit"), "{said}");
        let said = render(sandbox.top());
        assert!(!said.contains("[exit"), "{said}");
        assert_eq!(sandbox.git("rev-parse HEAD"), sandbox.git("rev-parse origin/develop"));
        let page = sandbox.read("leaderboard/digits.md");
        assert!(page.contains(&format!("(n={})", 2 * (round + 1))), "{page}");
        sandbox.try_git(&other, "pull -q --ff-only");
        assert!(sandbox.run_in(&other, "board check").contains("in step"));
    }
    // Refused for another reason: what is committed is pushed by the same command later.
    sandbox.run("run local a --seeds 7");
    sandbox.git("remote set-url origin ../gone.git");
    assert!(render(sandbox.top()).contains("[exit 7]"));
    sandbox.git("remote set-url origin ../remote.git");
    let said = render(sandbox.top());
    assert!(said.contains("nothing changed") && !said.contains("[exit"), "{said}");
    assert_eq!(
        sandbox.git("rev-parse HEAD"),
        sandbox.git("ls-remote origin develop").split_whitespace().next().unwrap().to_string() + "\n"
    );
}
