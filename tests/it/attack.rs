//! Roads that an agent takes when it wants a gate to pass without the work: each is refused, by the hook or at the next
//! rung. The rules themselves are tried on trees in memory in `state::rules`; here the real commands and plain git.

use crate::sandbox::Sandbox;

const FOLDER: &str = "projects/p/iterations/1-a";
const RUN: &str = "projects/p/iterations/1-a/runs/aaaa1-narrow";

/// A repository with hooks and an iteration in phase experiment, with a smoke and a full run of its one cell. What led
/// there was committed before the hooks were on.
fn experiment() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: [python3, train.py]\n");
    sandbox.write("configs/experiment/narrow.yaml", "# @package _global_\ndataset: {name: digits}\n");
    sandbox.write("configs/board/digits.yaml", "schema: 1\ntitle: Digits\ndataset: digits\n");
    sandbox.write("projects/p/project.yaml", "schema: 1\ntitle: P\nquestion: q\n");
    sandbox
        .write("projects/p/references.yaml", "schema: 1\nreferences:\n  - {key: x, title: X, doi: 10.1/x, says: y}\n");
    sandbox.write(
        &format!("{FOLDER}/survey.md"),
        "## What is known\nMuch [@x].\n## What is missing\nWidth.\n## What we expect\nMore.\n",
    );
    sandbox.write(
        &format!("{FOLDER}/iteration.yaml"),
        "schema: 1\nphase: experiment\nsteps:\n  - {to: survey, at: \"2026-01-01T00:00:00Z\"}\n  - {to: implement, at: \"2026-01-01T00:00:00Z\"}\n  \
         - {to: experiment, at: \"2026-01-01T00:00:00Z\"}\nquestion: q\nhypothesis: h\n\
         prediction: {metric: val/accuracy, direction: maximize, baseline: none, reason: first, minimal_effect: 0.9, seeds: 2}\n\
         plan:\n  - {experiment: narrow, seeds: 0-1}\n",
    );
    let anchor = sandbox.commit("train.py", "print()\n");
    let said = sandbox.run("config digest +experiment=narrow");
    let digest = said.split_whitespace().find(|w| w.len() == 64).unwrap_or_else(|| panic!("{said}")).to_string();
    let code = sandbox.sh(
        sandbox.top(),
        "git ls-tree -rz HEAD | tr '\\0' '\\n' | awk -F '\\t' '$2 !~ /^(projects|leaderboard|docs)\\// && $2 !~ /\\.md$/' | sha256sum | cut -d' ' -f1",
    );
    run(&sandbox, RUN, "full", (&anchor, code.trim(), &digest), &[0.90, 0.91]);
    run(&sandbox, &RUN.replace("aaaa1", "ssss1"), "smoke", (&anchor, code.trim(), &digest), &[0.2]);
    sandbox.git("add -A");
    sandbox.git("commit -q -m runs");
    let installed = sandbox.run("hook install");
    assert!(installed.contains("pre-commit"), "{installed}");
    let said = sandbox.run("check --tree HEAD");
    assert!(said.contains("in order"), "{said}");
    sandbox
}

fn run(sandbox: &Sandbox, folder: &str, kind: &str, (commit, code, digest): (&str, &str, &str), values: &[f64]) {
    let id = folder.rsplit('/').next().unwrap();
    sandbox.write(
        &format!("{folder}/run.yaml"),
        &format!(
            "schema: 1\nkind: {kind}\nexperiment: narrow\ncluster: local\ncreated: 2026-01-02T03:04:05Z\nanchor: {{commit: {commit}, code_tree: {code}, manifest: m}}\n\
             command: [x]\nconfig_digest: {digest}\nseeds: 0-{}\n",
            values.len() - 1
        ),
    );
    sandbox.write(&format!("{folder}/config.yaml"), "dataset: {name: digits}\n");
    let attempt = "schema: 1\ncluster: local\nsubmitted: 2026-01-02T03:04:05Z\nexit: {at: 2026-01-02T04:00:00Z, code: 0}\nverdict: succeeded\n";
    sandbox.write(&format!("{folder}/attempts/1.yaml"), attempt);
    for (seed, value) in values.iter().enumerate() {
        let metrics = format!(
            r#"{{"schema":1,"run":"{id}","seed":{seed},"commit":"{commit}","config_digest":"{digest}","status":"completed","epochs_planned":10,"epochs_run":10,
            "metrics":{{"val/accuracy":{{"final":{value},"best":{value},"best_epoch":5,"direction":"maximize"}}}}}}"#
        );
        sandbox.write(&format!("{folder}/seed-{seed}/metrics.json"), &metrics);
    }
}

/// The same in phase analyze, with an honest analysis that is not committed.
fn analyze() -> Sandbox {
    let sandbox = experiment();
    let said = sandbox.run("phase next");
    assert!(said.contains("experiment → analyze"), "{said}");
    write_analysis(&sandbox, "It ends at 90.5 ± 0.7 %.");
    sandbox
}

fn write_analysis(sandbox: &Sandbox, words: &str) {
    let path = format!("{FOLDER}/analysis.md");
    let text = sandbox.read(&path);
    let heads = ["## Results\n", "## Health\n", "## Prediction\n"];
    let text = heads.iter().fold(text, |text, head| text.replacen(head, &format!("{head}\n{words}\n"), 1));
    sandbox.write(&path, &text);
}

/// What `git commit` says to a change by hand, and that HEAD stayed.
fn refused(sandbox: &Sandbox, line: &str) -> String {
    let head = sandbox.git("rev-parse HEAD");
    let said = sandbox.sh(sandbox.top(), &format!("{line} && git add -A && git commit -q -m by-hand"));
    assert_eq!(sandbox.git("rev-parse HEAD"), head, "{line}\n{said}");
    sandbox.git("reset -q --hard");
    sandbox.git("clean -qfd");
    said
}

#[test]
fn the_honest_road_is_open() {
    let sandbox = analyze();
    let said = sandbox.run("phase next");
    assert!(said.contains("analyze → conclude"), "{said}");
    let path = format!("{FOLDER}/conclusion.md");
    let text = ["## Answer\n", "## Limits\n", "## Next\n"]
        .iter()
        .fold(sandbox.read(&path), |text, head| text.replacen(head, &format!("{head}\nIt ends at 90.5 %.\n"), 1));
    sandbox.write(&path, &text);
    sandbox.write("projects/p/findings/one.yaml", "schema: 1\ntext: it ends at 90.5 %\ncites: [aaaa1-narrow]\n");
    let iteration = format!("{FOLDER}/iteration.yaml");
    sandbox.write(&iteration, &(sandbox.read(&iteration) + "next: [none]\n"));
    let said = sandbox.run("phase next");
    assert!(said.contains("conclude → concluded"), "{said}");
    // Afterwards its finding stands.
    let said = refused(&sandbox, "sed -i s/90.5/99.5/ projects/p/findings/one.yaml");
    assert!(said.contains("which is concluded, is changed") && said.contains("supersedes: one"), "{said}");
    let said = refused(&sandbox, "git rm -q projects/p/findings/one.yaml");
    assert!(said.contains("which is concluded, is removed"), "{said}");
    let said = refused(&sandbox, &format!("sed -i s/90.5/99.5/ {FOLDER}/conclusion.md"));
    assert!(said.contains("`99.5 %` is contradicted"), "{said}");
}

#[test]
fn figures_that_the_seeds_do_not_give_stop_the_step() {
    for lie in [
        "It ends at 95.5 %.",
        "It ends at 90.5 ± 0.1 %.",
        "An accuracy of 0.955.",
        "aaaa1 reaches **95.5**&nbsp;%.",
        "> It ends at 95.5 per cent.",
    ] {
        let sandbox = analyze();
        write_analysis(&sandbox, lie);
        let said = sandbox.run("phase next");
        assert!(
            said.contains("stays in analyze") && said.contains("is contradicted by the raw seeds"),
            "{lie}\n{said}"
        );
        assert!(said.contains("val/accuracy 90.50 ± 0.71 (n=2)") && said.contains("[exit 4]"), "{lie}\n{said}");
    }
}

#[test]
fn excluding_what_was_measured_passes_nothing() {
    for words in ["", "--seeds 0-1", "--cause bug"] {
        let sandbox = experiment();
        sandbox.run(&format!("run exclude aaaa1 --reason \"not good enough\" {words}"));
        let said = sandbox.run("phase next");
        assert!(said.contains("no full run of the plan is valid") && said.contains("[exit 4]"), "{words}\n{said}");
    }
    let sandbox = experiment();
    sandbox.run("run exclude aaaa1 --reason \"not good enough\"");
    sandbox.run("gate waive seeds --reason \"no time\" --until 2026-12-01");
    assert!(sandbox.run("phase next").contains("no full run of the plan is valid"));
    sandbox.run("run exclude aaaa1 --withdraw \"it was right\"");
    assert!(sandbox.run("phase next").contains("experiment → analyze"));
}

#[test]
fn records_and_promises_are_not_edited_by_hand() {
    let sandbox = experiment();
    for (line, words) in [
        (format!("sed -i s/0.91/0.99/g {RUN}/seed-1/metrics.json"), "measured values are never edited"),
        (format!("git rm -q {RUN}/seed-0/metrics.json"), "a record is removed"),
        (format!("mv {RUN} /tmp/gone-$$; rm -rf /tmp/gone-$$"), "a record is removed"),
        (
            format!("sed -i 's/minimal_effect: 0.9/minimal_effect: 0.1/' {FOLDER}/iteration.yaml"),
            "`prediction` is changed, but it is frozen",
        ),
        (
            format!("sed -i 's/hypothesis: h/hypothesis: g/' {FOLDER}/iteration.yaml"),
            "`hypothesis` is changed, but it is frozen",
        ),
        (
            format!("sed -i 's/seeds: 0-1}}/seeds: [0]}}/' {FOLDER}/iteration.yaml"),
            "`plan` is changed, but it is frozen",
        ),
        (
            format!(
                "git mv {FOLDER} projects/p/iterations/1-b && sed -i 's/hypothesis: h/hypothesis: g/' projects/p/iterations/1-b/iteration.yaml"
            ),
            "a record is removed",
        ),
        ("printf 'schema: 1\\nloop: off\\n' > configs/ar.yaml".to_string(), "phases are turned off while"),
        ("git rm -q configs/ar.yaml".to_string(), "is removed"),
        (format!("rm {FOLDER}/survey.md && ln -s /etc/hostname {FOLDER}/survey.md"), "error"),
        (format!("printf '## What is known\\n.\\n' > {FOLDER}/survey.md"), "as in its template"),
    ] {
        let said = refused(&sandbox, &line);
        assert!(said.contains(words), "{line}\n{said}");
    }
}

#[test]
fn what_went_round_the_hook_is_told_at_the_push_and_in_ci() {
    let sandbox = experiment();
    sandbox.git("init -q --bare ../remote.git");
    sandbox.git("remote add origin ../remote.git");
    let base = sandbox.git("rev-parse HEAD").trim().to_string();
    let push = "push -q origin develop";
    sandbox.git("push -q --no-verify origin develop");
    sandbox.commit("notes.txt", "1\n");
    // Boards that are behind are told, and stop nothing.
    let said = sandbox.try_git(sandbox.top(), push);
    assert!(said.contains("warning") && said.contains("leaderboard/digits.md") && !said.contains("[exit"), "{said}");
    sandbox.sh(
        sandbox.top(),
        &format!("sed -i s/0.91/0.99/g {RUN}/seed-1/metrics.json; git commit -q --no-verify -am better"),
    );
    for road in ["", "git revert --no-edit HEAD -n; git commit -q --no-verify -m back"] {
        sandbox.sh(sandbox.top(), road);
        let said = sandbox.try_git(sandbox.top(), push);
        assert!(said.contains("measured values are never edited") && said.contains("[exit 1]"), "{said}");
        let said = sandbox.run(&format!("check --range {base}..HEAD"));
        assert!(said.contains("measured values are never edited"), "{said}");
    }
}

#[test]
fn a_waiver_counts_on_the_day_of_its_step() {
    let sandbox = experiment();
    sandbox.run("run exclude aaaa1 --reason \"not good enough\"");
    let base = sandbox.git("rev-parse HEAD").trim().to_string();
    sandbox.git("checkout -q -b side");
    sandbox.run("gate waive result --reason \"shown as is\" --until 2026-01-06");
    assert!(sandbox.run("phase next").contains("experiment → analyze"));
    sandbox.git("checkout -q develop");
    sandbox.commit("notes.txt", "1\n");
    // Merged months later: the step was made in time.
    let merge =
        "GIT_COMMITTER_DATE='1780000000 +0000' GIT_AUTHOR_DATE='1780000000 +0000' git merge -q --no-edit --no-ff side";
    let said = sandbox.sh(sandbox.top(), merge);
    assert!(!said.contains("error"), "{said}");
    let said = sandbox.run(&format!("check --range {base}..HEAD"));
    assert!(!said.contains("gate") && !said.contains("no full run"), "{said}");
    sandbox.run("board render");
    // The board says so beside the rows that stand on it.
    let said = sandbox.run("gate list p/1");
    assert!(said.contains("analysis"), "{said}");
}

#[test]
fn results_that_git_was_told_not_to_see_are_not_compared() {
    let sandbox = experiment();
    let metrics = format!("{RUN}/seed-1/metrics.json");
    sandbox.git(&format!("update-index --skip-worktree {metrics}"));
    sandbox.write(&metrics, &sandbox.read(&metrics).replace("0.91", "0.99"));
    let said = sandbox.run("phase next");
    assert!(said.contains("experiment → analyze"), "{said}");
    let analysis = sandbox.git(&format!("show HEAD:{FOLDER}/analysis.md"));
    assert!(analysis.contains("90.50") && !analysis.contains("94.50"), "{analysis}");
}
