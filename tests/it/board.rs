//! `git ar board`: render, check, show, explain over a repository with runs.

use serde_json::Value;

use super::sandbox::Sandbox;

const FOLDER: &str = "projects/digits/iterations/1-mlp";

/// A repository with a board, an iteration and a README that has a place for the board.
fn repository() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: reference\n");
    sandbox
        .write("configs/board/digits.yaml", "schema: 1\ntitle: Digits\ndataset: digits\npolicy: [valid, seeds >= 3]\n");
    sandbox.write("README.md", "# Lab\n\n<!-- ar:begin board digits -->\n<!-- ar:end board digits -->\n");
    sandbox.write("projects/digits/project.yaml", "schema: 1\ntitle: Digits\nquestion: How small?\n");
    sandbox.write(
        &format!("{FOLDER}/iteration.yaml"),
        "schema: 1\nphase: survey\nsteps:\n  - {to: survey, at: 2026-01-01T00:00:00Z}\ncompare_to: digits/1/small\n",
    );
    run(&sandbox, "aaaaa-small", "small", &[0.90, 0.91, 0.92]);
    run(&sandbox, "bbbbb-large", "large", &[0.95, 0.96, 0.97]);
    run(&sandbox, "ccccc-tiny", "tiny", &[0.50, 0.51]);
    sandbox.git("add -A");
    sandbox.git("commit -q -m start");
    sandbox
}

fn run(sandbox: &Sandbox, id: &str, experiment: &str, values: &[f64]) {
    let folder = format!("{FOLDER}/runs/{id}");
    let last = values.len() - 1;
    sandbox.write(
        &format!("{folder}/run.yaml"),
        &format!(
            "schema: 1\nkind: full\nexperiment: {experiment}\ncluster: local\ncreated: 2026-01-02T03:04:05Z\n\
             anchor: {{commit: c0ffee, code_tree: aaaaaa, manifest: m}}\ncommand: [x]\nconfig_digest: d-{experiment}\nseeds: 0-{last}\n"
        ),
    );
    sandbox.write(&format!("{folder}/config.yaml"), "dataset: {name: digits, classes: 10}\n");
    let attempt = "schema: 1\ncluster: local\njob: \"77\"\nsubmitted: 2026-01-02T03:04:05Z\n\
                   exit: {at: 2026-01-02T04:00:00Z, code: 0}\nverdict: succeeded\n";
    sandbox.write(&format!("{folder}/attempts/1.yaml"), attempt);
    for (seed, value) in values.iter().enumerate() {
        let metrics = format!(
            r#"{{"schema":1,"run":"{id}","seed":{seed},"commit":"c0ffee","config_digest":"d-{experiment}","status":"completed","epochs_planned":10,"epochs_run":10,
            "metrics":{{"val/accuracy":{{"final":{value},"best":{value},"best_epoch":5,"direction":"maximize"}}}}}}"#
        );
        sandbox.write(&format!("{folder}/seed-{seed}/metrics.json"), &metrics);
    }
}

fn json(sandbox: &Sandbox, words: &[&str]) -> Value {
    serde_json::from_slice(&sandbox.ar(words).stdout).unwrap()
}

#[test]
fn a_render_is_one_commit_and_the_second_changes_nothing() {
    let sandbox = repository();
    let said = sandbox.run("board render");
    for file in ["leaderboard/digits.md", "leaderboard/digits.json", "leaderboard/README.md", "README.md"] {
        assert!(said.contains(&format!("wrote {file}")), "{said}");
    }
    assert_eq!(sandbox.git("status --porcelain"), "");
    let before = sandbox.git("rev-parse HEAD");
    insta::assert_snapshot!(sandbox.run("board render"), @"nothing changed: board digits is in step");
    assert_eq!(sandbox.git("rev-parse HEAD"), before);
    insta::assert_snapshot!(sandbox.run("board check"), @"in step: digits");
    insta::assert_snapshot!(sandbox.read("README.md"), @r"
    # Lab

    <!-- ar:begin board digits sha256=28b20f5daab4ad87 -->
    ### Digits

    Ranked by val/accuracy at the end of training in per cent, mean ± sample deviation over seeds.
    Policy: valid, seeds ≥ 3. Rows that Welch's t-test does not separate from the leader of their tier (p ≥ 0.05) share its place.
    Updated: 2026-01-02 04:00 UTC.

    #### Ranked

    | # | Project | Iter | Model | val/accuracy | Delta |
    |---:|:---|:---|:---|---:|---:|
    | 1 | digits | 1 | large | 96.00 ± 1.00 (n=3) | +5.00 pp (p 0.0036) |
    | 2 | digits | 1 | small | 91.00 ± 1.00 (n=3) |  |

    <details><summary>Not ranked</summary>

    | Project | Iter | Model | Result | Why |
    |:---|:---|:---|:---|:---|
    | digits | 1 | tiny | 50.50 ± 0.71 (n=2) | 2 seeds; at least 3 are asked for |

    </details>

    The whole board: [leaderboard/digits.md](leaderboard/digits.md)
    <!-- ar:end board digits -->
    ");
}

#[test]
fn drift_is_a_diff_and_exit_6() {
    let sandbox = repository();
    sandbox.run("board render");
    run(&sandbox, "ccccc-tiny", "tiny", &[0.50, 0.51, 0.52]);
    sandbox.git("add -A");
    sandbox.git("commit -q -m more");
    let said = sandbox.run("board check");
    assert!(said.contains("--- a/leaderboard/digits.md\n+++ b/leaderboard/digits.md\n"), "{said}");
    assert!(said.contains("+| 3 | digits | 1 | tiny | 51.00 ± 1.00 (n=3) |"), "{said}");
    assert!(said.ends_with("next: git ar board render\n[exit 6]\n"), "{said}");
    let envelope = json(&sandbox, &["board", "check", "--json"]);
    assert_eq!((&envelope["ok"], &envelope["errors"][0]["code"]), (&false.into(), &"stale".into()));
    assert!(sandbox.run("board render").contains("committed"));
    assert_eq!(sandbox.ar(&["board", "check"]).status.code(), Some(0));
}

#[test]
fn show_and_explain_name_the_files_behind_the_figures() {
    let sandbox = repository();
    insta::assert_snapshot!(sandbox.run("board"), @r"
     Board   Title   Ranked  Active  Not ranked  First
    ───────────────────────────────────────────────────────────────────────
     digits  Digits       2       0           1  large: 96.00 ± 1.00 (n=3)
    [stderr]
    next: git ar board show digits
    ");
    insta::assert_snapshot!(sandbox.run("board show"), @r"
    Digits
    Ranked by val/accuracy at the end of training in per cent, mean ± sample deviation over seeds.
    Policy: valid, seeds ≥ 3. Rows that Welch's t-test does not separate from the leader of their tier (p ≥ 0.05) share its place.
    Updated: 2026-01-02 04:00 UTC.

    Ranked
     #  Project  Iter  Model        val/accuracy                Delta
    ──────────────────────────────────────────────────────────────────
     1  digits   1     large  96.00 ± 1.00 (n=3)  +5.00 pp (p 0.0036)
     2  digits   1     small  91.00 ± 1.00 (n=3)

    Not ranked
     Project  Iter  Model  Result              Why
    ─────────────────────────────────────────────────────────────────────────────
     digits   1     tiny   50.50 ± 0.71 (n=2)  2 seeds; at least 3 are asked for
    ");
    insta::assert_snapshot!(sandbox.run("board explain large"), @r"
    digits/1/large  large
    board digits: place 1, tier 1
    val/accuracy: 96.00 ± 1.00 (n=3)
    difference to digits/1/small: +5.00 pp, p 0.0036
    config digest d-large
    code tree aaaaaa
    run bbbbb-large on local, seeds 0-2, anchor c0ffee: projects/digits/iterations/1-mlp/runs/bbbbb-large

     Seed  val/accuracy  test/accuracy  Epochs  Health   File
    ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
        0         95.00                     10  healthy  projects/digits/iterations/1-mlp/runs/bbbbb-large/seed-0/metrics.json
        1         96.00                     10  healthy  projects/digits/iterations/1-mlp/runs/bbbbb-large/seed-1/metrics.json
        2         97.00                     10  healthy  projects/digits/iterations/1-mlp/runs/bbbbb-large/seed-2/metrics.json
    ");
    insta::assert_snapshot!(sandbox.run("board explain lrge"), @r"
    [stderr]
    error: no row is named `lrge`; did you mean large?
    hint: git ar board show   lists the rows
    [exit 9]
    ");
    let row = json(&sandbox, &["board", "explain", "1", "--board", "digits", "--json"]);
    assert_eq!(row["data"]["row"]["seeds"][2]["path"], format!("{FOLDER}/runs/bbbbb-large/seed-2/metrics.json"));
    assert_eq!(sandbox.ar(&["board", "explain", "digits/1"]).status.code(), Some(9));
}

#[test]
fn edits_of_a_person_are_left_alone() {
    let sandbox = repository();
    let mine = sandbox.read("README.md").replace("# Lab", "# My lab");
    sandbox.write("README.md", &mine);
    let said = sandbox.run("board render");
    assert!(said.contains("README.md has edits that are not committed"), "{said}");
    assert_eq!(sandbox.read("README.md"), mine);
    assert_eq!(sandbox.git("status --porcelain"), " M README.md\n");
    sandbox.git("commit -q -a -m mine");
    assert!(sandbox.run("board render").contains("wrote README.md"));
}

#[test]
fn results_that_are_not_committed_are_told_and_not_rendered() {
    let sandbox = repository();
    run(&sandbox, "ddddd-new", "new", &[0.99, 0.99, 0.99]);
    let said = sandbox.run("board render");
    assert!(said.contains("is not committed, so the boards do not show it"), "{said}");
    assert!(!sandbox.read("leaderboard/digits.md").contains("99.00"));
    let staged = sandbox.run("board render --no-commit");
    assert!(staged.contains("not committed"), "{staged}");
    assert!(sandbox.read("leaderboard/digits.md").contains("99.00"));
}

#[test]
fn a_page_edited_by_hand_is_put_right() {
    let sandbox = repository();
    sandbox.run("board render");
    let page = sandbox.read("leaderboard/digits.md");
    sandbox.write("leaderboard/digits.md", &page.replace("96.00", "99.00"));
    assert_eq!(sandbox.ar(&["board", "check"]).status.code(), Some(6));
    assert!(sandbox.run("board render").contains("wrote leaderboard/digits.md"));
    assert_eq!((sandbox.read("leaderboard/digits.md"), sandbox.git("status --porcelain")), (page, String::new()));
}

#[test]
fn a_board_with_a_slip_names_its_line() {
    let sandbox = repository();
    sandbox.write("configs/board/digits.yaml", "schema: 1\ntitle: Digits\ndataset: digits\npolcy: [valid]\n");
    insta::assert_snapshot!(sandbox.run("board show digits"), @r"
    [stderr]
    error: unknown key `polcy`
      --> configs/board/digits.yaml:4:1
    hint: did you mean `policy`? keys of your own begin with `x-`
    [exit 5]
    ");
}

#[test]
fn this_repository_s_own_boards_hold_the_program() {
    use git_ar::state::board::{BoardConfig, Standing};
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/board");
    let read = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        BoardConfig::read(name, &text).unwrap_or_else(|problem| panic!("{problem}"))
    };
    let mnist = read("mnist.yaml");
    let count = |standing| mnist.reported.iter().filter(|r| r.standing == standing).count();
    assert_eq!((count(Standing::Reported), count(Standing::Excluded)), (22, 11));
    assert!(mnist.reported.iter().filter_map(|r| r.mean).all(|mean| mean < 1.0));
    assert_eq!(read("cifar10.yaml").reported.len(), 4);
}

#[test]
fn a_range_ends_with_its_boards_in_step() {
    let sandbox = repository();
    let start = sandbox.git("rev-parse HEAD").trim().to_string();
    sandbox.commit("configs/board/more.yaml", "schema: 1\ntitle: More\ndataset: more\n");
    let said = sandbox.run(&format!("check --range {start}..HEAD"));
    assert!(
        said.contains("leaderboard/more.md is not what the results give") && said.ends_with("[exit 6]\n"),
        "{said}"
    );
    sandbox.run("board render");
    assert!(!sandbox.run(&format!("check --range {start}..HEAD")).contains("[exit"));
    sandbox.write("configs/board/more.yaml", "schema: 1\ntitle: Many more\ndataset: more\n");
    sandbox.git("add -A");
    let said = sandbox.run("check --staged");
    assert!(said.contains("warning: the boards do not show this change yet") && !said.contains("[exit"), "{said}");
}
