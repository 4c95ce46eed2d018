//! Edits that a squash or a merge would hide: the records that come along tell of them, and the honest road is open.

use crate::sandbox::Sandbox;

const FILE: &str = "projects/p/iterations/1-a/iteration.yaml";
const PREDICTION: &str =
    "{metric: val/accuracy, direction: maximize, baseline: none, reason: first, minimal_effect: 0.4, seeds: 1}";
const TRAINER: &str = r#"[ ! -f "$HOME/meanwhile" ] || sh "$HOME/meanwhile"
mkdir -p "$AR_RUN_DIR/seed-$AR_SEED"
printf '{"schema":1,"run":"%s","seed":%s,"commit":"%s","config_digest":"%s","status":"completed","epochs_planned":1,"epochs_run":1,"metrics":{"val/accuracy":{"final":0.5,"best":0.5,"best_epoch":1,"direction":"maximize"}}}\n' \
    "$AR_RUN" "$AR_SEED" "$AR_COMMIT" "$AR_CONFIG_DIGEST" > "$AR_RUN_DIR/seed-$AR_SEED/metrics.json"
"#;

/// An iteration in experiment on `develop`, and the branch `side`, checked out.
fn planned() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: [sh, train.sh]\n");
    sandbox.write("configs/config.yaml", "defaults:\n  - _self_\n  - experiment: null\nseed: 0\n");
    sandbox.write("configs/experiment/a.yaml", "# @package _global_\nmodel: {name: m}\n");
    sandbox.write("projects/p/project.yaml", "schema: 1\ntitle: P\nquestion: Q\n");
    sandbox.write("train.sh", TRAINER);
    let steps: String = ["survey", "implement", "experiment"]
        .map(|to| format!("  - {{to: {to}, at: 2026-01-05T07:00:00Z}}\n"))
        .concat();
    let plan = "plan:\n  - {experiment: a, seeds: [0]}\n";
    let text = format!(
        "schema: 1\nphase: experiment\nsteps:\n{steps}question: q\nhypothesis: h\nprediction: {PREDICTION}\n{plan}"
    );
    sandbox.commit(FILE, &text);
    sandbox.run("hook install");
    sandbox.run("trust");
    sandbox.git("switch -q -c side");
    sandbox
}

/// The same with its full run.
fn ran() -> Sandbox {
    let sandbox = planned();
    let said = sandbox.run("run local a");
    assert!(said.contains("committed"), "{said}");
    sandbox
}

fn lower(sandbox: &Sandbox) {
    let text = sandbox.read(FILE).replace("minimal_effect: 0.4", "minimal_effect: 0.1");
    sandbox.write(FILE, &text);
}

fn squash(sandbox: &Sandbox) -> String {
    sandbox.git("switch -q develop");
    sandbox.git("merge -q --squash side");
    sandbox.try_git(sandbox.top(), "commit -q -m squashed")
}

#[test]
fn a_prediction_that_was_edited_after_its_run_is_no_squash() {
    let sandbox = ran();
    let run = sandbox.git("grep -h frozen HEAD -- projects");
    assert!(run.contains("frozen:"), "{run}");
    lower(&sandbox);
    sandbox.git("commit -q -a --no-verify -m lower");
    let said = squash(&sandbox);
    assert!(
        said.contains("was recorded") && said.contains(&format!("--> {FILE}:")) && said.contains("[exit 1]"),
        "{said}"
    );
    // Past the hook it is told in CI, also when somebody looks at the tree alone.
    let base = sandbox.git("rev-parse HEAD").trim().to_string();
    sandbox.git("commit -q --no-verify -m squashed");
    assert!(sandbox.run(&format!("check --range {base}..HEAD")).contains("was recorded"));
    assert!(sandbox.run("check --tree HEAD").contains("[exit 4]"));
    // What stood there written again, everything is in order.
    let text = sandbox.read(FILE).replace("minimal_effect: 0.1", "minimal_effect: 0.4");
    sandbox.write(FILE, &text);
    assert_eq!(sandbox.try_git(sandbox.top(), "commit -q -a -m back --no-verify"), "");
    assert!(sandbox.run("check --tree HEAD").contains("in order"));
}

#[test]
fn an_honest_squash_passes_also_with_a_step_back() {
    let sandbox = ran();
    assert_eq!(squash(&sandbox), "");
    let sandbox = ran();
    assert!(sandbox.run("phase back --to implement --reason \"a smaller effect matters\"").contains("implement"));
    lower(&sandbox);
    sandbox.git("commit -q -a -m lower");
    assert_eq!(squash(&sandbox), "");
    assert!(sandbox.run("check --tree HEAD").contains("in order"));
}

#[test]
fn a_plan_that_changes_while_a_first_run_trains_refuses_no_result() {
    for commit in ["git commit -q -a -m lower", ":"] {
        let sandbox = planned();
        let line = format!("cd \"$HOME/repo\" && sed -i s/0.4/0.1/ {FILE} && {commit}\n");
        std::fs::write(sandbox.home().join("meanwhile"), line).unwrap();
        let said = sandbox.run("run local a");
        assert!(said.contains("committed") && sandbox.read(FILE).contains("0.1"), "{commit}: {said}");
        assert!(sandbox.run("check --tree HEAD").contains("in order"));
        // What lay uncommitted has come too late.
        let said = sandbox.try_git(sandbox.top(), "commit -q -a -m late");
        assert_eq!(said.contains("is frozen since the full run"), commit == ":", "{said}");
    }
}

#[test]
fn a_merge_made_the_other_way_round_takes_no_record_away() {
    let sandbox = ran();
    sandbox.git("switch -q develop");
    sandbox.git("merge -q --ff-only side");
    let base = sandbox.git("rev-parse HEAD").trim().to_string();
    // A branch from before the run takes the place of develop, which becomes its second parent.
    sandbox.git("switch -q -c old HEAD~1");
    sandbox.commit("notes.txt", "1\n");
    sandbox.sh(sandbox.top(), "git merge -q --no-verify -s ours --no-edit develop");
    assert!(!sandbox.top().join("projects/p/iterations/1-a/runs").exists());
    let said = sandbox.run(&format!("check --range {base}..HEAD"));
    assert!(said.contains("a record that is there already is left out"), "{said}");
    sandbox.git("switch -q develop");
    sandbox.git("merge -q --ff-only old");
    sandbox.git("init -q --bare ../remote.git");
    sandbox.git("remote add origin ../remote.git");
    sandbox.git(&format!("push -q --no-verify origin {base}:refs/heads/develop"));
    let said = sandbox.try_git(sandbox.top(), "push -q origin develop");
    assert!(said.contains("is left out") && said.contains("[exit 1]"), "{said}");
    // With a conflict to mend, the hook sees it before it is a commit.
    sandbox.git(&format!("reset -q --hard {base}"));
    sandbox.git("switch -q -C old HEAD~1");
    sandbox.commit("train.sh", "exit 1\n");
    sandbox.git("switch -q develop");
    sandbox.commit("train.sh", "exit 2\n");
    sandbox.git("switch -q old");
    sandbox.try_git(sandbox.top(), "merge -q develop");
    let said = sandbox.sh(sandbox.top(), "git checkout -q --ours train.sh; git rm -rqf projects/p/iterations/1-a/runs; git add -A; git commit -q -m merged");
    assert!(said.contains("is left out") && said.contains("[exit 1]"), "{said}");
    let said = sandbox.sh(sandbox.top(), "git checkout -q develop -- projects && git commit -q -m merged");
    assert_eq!(said, "");
}

#[test]
fn a_branch_that_is_moved_elsewhere_keeps_its_records() {
    let sandbox = ran();
    sandbox.git("switch -q develop");
    sandbox.git("merge -q --ff-only side");
    sandbox.git("init -q --bare ../remote.git");
    sandbox.git("remote add origin ../remote.git");
    sandbox.git("push -q --no-verify origin develop side");
    // As if the run had never been: every commit of it is in order.
    sandbox.git("reset -q --hard HEAD~1");
    sandbox.commit("notes.txt", "1\n");
    let bare = sandbox.top().parent().unwrap().join("remote.git");
    let push = |words: &str| sandbox.try_git(sandbox.top(), &format!("push -q {words}"));
    let said = push("--force origin develop");
    assert!(said.contains("a record that is there already is left out") && said.contains("[exit 1]"), "{said}");
    assert!(sandbox.run_in(&bare, "hook install --pre-receive").contains("installed"));
    let said = push("--force --no-verify origin develop");
    assert!(said.contains("a record that is there already is left out") && said.contains("[exit 1]"), "{said}");
    // A branch of one's own is rewritten at will, and so is develop when its records come along.
    assert_eq!(push("--force --no-verify origin develop:side"), "");
    sandbox.git("fetch -q origin");
    sandbox.git("reset -q --hard origin/develop");
    sandbox.git("commit -q --amend -m reworded");
    let said = push("--force origin develop");
    assert!(!said.contains("[exit"), "{said}");
}

#[test]
fn what_one_clone_replaces_is_not_what_is_judged() {
    let sandbox = ran();
    let base = sandbox.git("rev-parse HEAD").trim().to_string();
    let metrics = sandbox.git("ls-files *metrics.json").trim().to_string();
    let lie = format!("sed -i s/0.5/0.9/g {metrics}; git commit -q --no-verify -am better");
    // To the git of this clone the commit changes nothing.
    let hidden = format!("git replace HEAD $(git commit-tree -p {base} -m nothing {base}^{{tree}})");
    sandbox.sh(sandbox.top(), &format!("{lie}; {hidden}"));
    assert_eq!(sandbox.git(&format!("diff --stat {base} HEAD")), "");
    let said = sandbox.run(&format!("check --range {base}..side"));
    assert!(said.contains("measured values are never edited"), "{said}");
}
