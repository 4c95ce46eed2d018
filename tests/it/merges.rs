//! Two branches that changed one state file, through git's own merge, rebase and cherry-pick.

use crate::sandbox::Sandbox;

const PROJECT: &str = "projects/nets";
const FILE: &str = "projects/nets/iterations/1-nets/iteration.yaml";

/// A repository with hooks and merge driver, one iteration in survey, and the branch `side`, on `develop`.
fn forked() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: reference\n# mine\nx-lab: {bench: 7}\n");
    sandbox.git("add -A");
    sandbox.git("commit -q -m init");
    assert!(sandbox.run("hook install").contains("merge driver      installed"));
    assert!(sandbox.run("start nets").contains("nets/1 in phase survey"));
    sandbox.git("branch side");
    sandbox
}

/// Commits an edit of a file on the present branch.
fn edit(sandbox: &Sandbox, path: &str, pairs: &[(&str, &str)]) {
    let mut text = sandbox.read(path);
    for (from, to) in pairs {
        assert!(text.contains(from), "`{from}` is not in:\n{text}");
        text = text.replacen(from, to, 1);
    }
    sandbox.commit(path, &text);
}

/// The survey of the only iteration, written, so that it can be left.
fn survey(sandbox: &Sandbox) {
    let prediction = "prediction: {metric: val/accuracy, direction: maximize, baseline: none, reason: first, minimal_effect: 0.9, seeds: 2}";
    edit(sandbox, FILE, &[("hypothesis: \"\"", "hypothesis: width helps"), ("prediction: null", prediction)]);
    let text = "## What is known\nMuch [@x].\n\n## What is missing\nWidth.\n\n## What we expect\nMore.\n";
    sandbox.commit("projects/nets/iterations/1-nets/survey.md", text);
    let text = "schema: 1\nreferences:\n  - {key: x, title: X, doi: 10.1000/x, says: much}\n";
    sandbox.commit("projects/nets/references.yaml", text);
}

#[test]
fn branches_that_changed_different_things_merge_without_a_person() {
    for road in ["merge --no-edit side", "rebase side", "cherry-pick side"] {
        let sandbox = forked();
        survey(&sandbox);
        assert!(sandbox.run("phase next").contains("survey → implement"));
        edit(&sandbox, "configs/ar.yaml", &[("bench: 7", "bench: 8")]);
        sandbox.git("checkout -q side");
        sandbox
            .write(FILE, &(sandbox.read(FILE).replacen("next: []", "next: [deeper]  # maybe", 1) + "x-note: kept\n"));
        let settings = sandbox.read("configs/ar.yaml") + "min_version: \"0.1.0\"\n";
        sandbox.commit("configs/ar.yaml", &settings);
        sandbox.git("checkout -q develop");
        let said = sandbox.try_git(sandbox.top(), road);
        assert!(!said.contains("[exit"), "{road}: {said}");
        let text = sandbox.read(FILE);
        for kept in ["phase: implement", "to: implement", "width helps", "next: [deeper]  # maybe", "x-note: kept"] {
            assert!(text.contains(kept), "{road}: `{kept}` is not in:\n{text}");
        }
        let settings = sandbox.read("configs/ar.yaml");
        assert!(settings.contains("# mine\nx-lab: {bench: 8}\nmin_version"), "{settings}");
        assert!(sandbox.git("status --porcelain").is_empty());
        assert!(sandbox.run("check --tree HEAD").contains("in order"));
        assert!(sandbox.run("check --range HEAD~3..HEAD").contains("in order"), "{road}");
    }
}

#[test]
fn steps_that_part_ways_are_a_clear_conflict() {
    let sandbox = forked();
    survey(&sandbox);
    sandbox.run("phase next");
    sandbox.git("checkout -q side");
    assert!(sandbox.run("iter abandon 1 --reason \"somebody did it\"").contains("abandoned"));
    sandbox.git("checkout -q develop");
    let said = sandbox.try_git(sandbox.top(), "merge side");
    assert!(said.contains("both sides changed `phase`, `steps`") && said.contains("CONFLICT"), "{said}");
    let text = sandbox.read(FILE);
    assert!(text.contains("<<<<<<< HEAD: phase implement\n") && text.contains(">>>>>>> side: phase abandoned\n"));
    // Left as it is, it cannot be committed.
    sandbox.git("add -A");
    let said = sandbox.try_git(sandbox.top(), "commit -q --no-edit");
    assert!(said.contains("conflict marker") && said.contains("[exit 1]"), "{said}");
    sandbox.git(&format!("checkout --quiet HEAD -- {FILE}"));
    sandbox.git("add -A");
    sandbox.git("commit -q --no-edit");
    assert!(sandbox.read(FILE).contains("phase: implement"));
}

#[test]
fn lists_grow_on_both_sides_and_generated_text_never_stops_a_merge() {
    let sandbox = forked();
    let region = |body: &str| format!("# Title\n\n{}\nafter\n", git_ar::state::region::render("board x", body));
    sandbox.commit("README.md", &region("| 0 |\n"));
    sandbox.commit("leaderboard/x.md", &region("| 0 |\n"));
    let reference = |key: &str| format!("  - {{key: {key}, title: T, doi: 10.1000/{key}}}\n");
    let list =
        |keys: &[&str]| format!("schema: 1\nreferences:\n{}", keys.iter().map(|k| reference(k)).collect::<String>());
    sandbox.commit("projects/nets/references.yaml", &list(&["a"]));
    sandbox.git("branch -f side");
    sandbox.commit("projects/nets/references.yaml", &list(&["a", "ours"]));
    sandbox.commit("README.md", &region("| 1 |\n").replace("# Title", "# Ours"));
    sandbox.commit("leaderboard/x.md", &region("| 1 |\n"));
    sandbox.git("checkout -q side");
    sandbox.commit("projects/nets/references.yaml", &list(&["a", "theirs"]));
    sandbox.commit("README.md", &region("| 2 |\n").replace("after", "behind"));
    sandbox.commit("leaderboard/x.md", &region("| 2 |\n"));
    sandbox.git("checkout -q develop");
    let said = sandbox.try_git(sandbox.top(), "merge --no-edit side");
    assert!(!said.contains("[exit") && said.contains("git ar board render"), "{said}");
    assert_eq!(sandbox.read("projects/nets/references.yaml"), list(&["a", "ours", "theirs"]));
    assert_eq!(sandbox.read("README.md"), region("| 1 |\n").replace("# Title", "# Ours").replace("after", "behind"));
    assert!(sandbox.git("status --porcelain").is_empty());
}

#[test]
fn without_git_ar_git_merges_by_lines() {
    let sandbox = forked();
    edit(&sandbox, FILE, &[("hypothesis: \"\"", "hypothesis: a")]);
    sandbox.git("checkout -q side");
    edit(&sandbox, FILE, &[("hypothesis: \"\"", "hypothesis: b")]);
    let said = sandbox.sh(sandbox.top(), "PATH=/usr/bin:/bin; git merge develop");
    assert!(said.contains("CONFLICT"), "{said}");
    assert!(sandbox.read(FILE).contains("<<<<<<<"), "{}", sandbox.read(FILE));
}

#[test]
fn a_run_that_two_clones_recorded_is_never_mixed() {
    let sandbox = Sandbox::repository();
    let folder = sandbox.top();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("o", "");
    write("a", "{\"seed\": 0, \"x\": 1}\n");
    write("b", "{\"seed\": 0, \"x\": 2}\n");
    let said = sandbox.run(&format!("merge-driver o a b {PROJECT}/runs/kq7f3-a/seed-0/metrics.json"));
    assert!(said.contains("run kq7f3-a has two different records") && said.contains("[exit 1]"), "{said}");
    assert_eq!(std::fs::read_to_string(folder.join("a")).unwrap(), "{\"seed\": 0, \"x\": 1}\n");
    // A file that is no text is git's business.
    write("a", "\u{0}1");
    write("b", "\u{0}2");
    let said = sandbox.run("merge-driver o a b README.md");
    assert!(said.contains("[exit"), "{said}");
}

/// The way of working: a feature branch with an agent's commits, merged or squashed, pulled elsewhere.
#[test]
fn a_feature_branch_is_merged_or_squashed_and_pulled_elsewhere() {
    for squash in [false, true] {
        let sandbox = forked();
        let parent = sandbox.top().parent().unwrap().to_path_buf();
        sandbox.git("init -q --bare -b develop ../remote.git");
        sandbox.git("remote add origin ../remote.git");
        sandbox.git("push -q -u origin develop");
        sandbox.git("clone -q ../remote.git ../cluster");
        sandbox.git("checkout -q -b feature/width");
        sandbox.commit(
            "configs/config.yaml",
            "defaults: [_self_, {experiment: null}]\nseed: 0\nepochs: 3\nbatch_size: 64\n",
        );
        let mlp = "# @package _global_\ndataset: {name: digits}\nmodel: {name: ffnn, hidden: [8]}\noptimizer: {name: sgd, lr: 0.1}\n";
        sandbox.commit("configs/experiment/mlp.yaml", mlp);
        edit(&sandbox, FILE, &[("plan: []", "plan: [{experiment: mlp, seeds: 0-1}]")]);
        survey(&sandbox);
        sandbox.run("phase next");
        sandbox.run("phase back --to survey --reason \"one more paper\"");
        sandbox.run("phase next");
        let smoke = sandbox.run("run smoke mlp");
        assert!(smoke.contains("succeeded"), "{smoke}");
        let next = sandbox.run("phase next");
        assert!(next.contains("implement → experiment"), "{next}");
        assert!(sandbox.run("check --range develop..feature/width").contains("in order"));
        sandbox.git("push -q origin feature/width");
        sandbox.git("checkout -q develop");
        // The code went on meanwhile: the smoke run belongs to the branch's.
        sandbox.commit("tool.py", "print('meanwhile')\n");
        match squash {
            true => {
                sandbox.git("merge -q --squash feature/width");
                sandbox.git("commit -q -m squashed");
            }
            false => _ = sandbox.git("merge -q --no-ff --no-edit feature/width"),
        }
        assert!(sandbox.run("check --range origin/develop..develop").contains("in order"));
        sandbox.git("push -q origin develop");
        let cluster = parent.join("cluster");
        let before = sandbox.try_git(&cluster, "rev-parse HEAD");
        let said = sandbox.try_git(&cluster, "pull -q --ff-only");
        assert!(!said.contains("[exit"), "{said}");
        let said = sandbox.run_in(&cluster, &format!("check --range {}..HEAD", before.trim()));
        assert!(said.contains("in order"), "{said}");
        assert!(sandbox.run_in(&cluster, "status").contains("nets/1"));
    }
}
