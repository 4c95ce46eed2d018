//! Boards over trees in memory.

use super::*;
use crate::state::problem::Problem;
use crate::state::region;
use crate::state::tree::{MemoryTree, Tree};

const BOARD: &str = "schema: 1\ntitle: MNIST\ndataset: mnist\npolicy: [valid, seeds >= 2]\n";
const ITERATION: &str =
    "schema: 1\nphase: experiment\ndisplay:\n  rows: {mnist_a: \"A | (1)\"}\n  footnotes: {mnist_a: [A]}\n";
const FOLDER: &str = "projects/p/iterations/1-first";

/// A tree with one board and one iteration.
struct Sample(MemoryTree);

impl Sample {
    fn new() -> Self {
        let tree = MemoryTree::default()
            .with("configs/board/mnist.yaml", &format!("{BOARD}footnotes: {{A: \"a note\", B: unused}}\n"))
            .with("projects/p/project.yaml", "schema: 1\ntitle: P\nquestion: Q\n")
            .with(&format!("{FOLDER}/iteration.yaml"), ITERATION);
        Self(tree)
    }

    fn file(mut self, path: &str, text: &str) -> Self {
        self.0 = self.0.with(path, text);
        self
    }

    /// A full run of `experiment` with one result per value, seeds from `first`.
    fn run(self, id: &str, experiment: &str, first: u64, values: &[f64]) -> Self {
        let folder = format!("{FOLDER}/runs/{id}");
        let last = first + values.len() as u64 - 1;
        let run = format!(
            "schema: 1\nkind: full\nexperiment: {experiment}\ncluster: local\ncreated: 2026-01-02T03:04:05Z\n\
             anchor: {{commit: c0, code_tree: aaaaaa, manifest: m}}\ncommand: [x]\nconfig_digest: d-{experiment}\nseeds: {first}-{last}\n"
        );
        let attempt = "schema: 1\ncluster: local\njob: \"77\"\nsubmitted: 2026-01-02T03:04:05Z\n\
             exit: {at: 2026-01-02T04:00:00Z, code: 0}\nverdict: succeeded\n";
        let mut sample = self
            .file(&format!("{folder}/run.yaml"), &run)
            .file(&format!("{folder}/config.yaml"), "dataset: {name: mnist, classes: 10}\noptimizer: {name: adam}\n")
            .file(&format!("{folder}/attempts/1.yaml"), attempt);
        for (value, seed) in values.iter().zip(first..) {
            let metrics = format!(
                r#"{{"schema":1,"run":"{id}","seed":{seed},"commit":"c0","config_digest":"d-{experiment}","status":"completed","epochs_planned":10,"epochs_run":10,
                "metrics":{{"val/accuracy":{{"final":{value},"best":{value},"best_epoch":5,"direction":"maximize"}}}}}}"#
            );
            sample = sample.file(&format!("{folder}/seed-{seed}/metrics.json"), &metrics);
        }
        sample
    }

    fn board(&self) -> table::Board {
        build(&self.0, "mnist").unwrap()
    }

    /// The tree after a render.
    fn rendered(&self) -> MemoryTree {
        let mut tree = self.0.clone();
        for file in generated(&tree).unwrap() {
            tree = match file.after {
                Some(text) => tree.with(&file.path, &text),
                None => tree.without(&file.path),
            };
        }
        tree
    }
}

fn text(tree: &MemoryTree, path: &str) -> String {
    String::from_utf8(tree.read(path).unwrap().unwrap_or_else(|| panic!("no {path}"))).unwrap()
}

#[test]
fn rows_are_ranked_by_mean_and_level_rows_share_a_tier() {
    let board = Sample::new()
        .run("a-a", "mnist_a", 0, &[0.90, 0.91, 0.92])
        .run("b-b", "mnist_b", 0, &[0.905, 0.912, 0.921])
        .run("c-c", "mnist_c", 0, &[0.50, 0.51, 0.52])
        .board();
    let places: Vec<_> =
        board.ranked.iter().map(|r| (r.experiment.as_str(), r.rank.unwrap(), r.tier.unwrap())).collect();
    assert_eq!(places, [("mnist_b", 1, 1), ("mnist_a", 1, 1), ("mnist_c", 3, 2)]);
    assert_eq!(board.updated.unwrap().to_string(), "2026-01-02T04:00:00Z");
    assert_eq!(board.ranked[0].id, "p/1/mnist_b");
    assert_eq!(board.footnotes.len(), 1);
}

#[test]
fn what_may_not_be_ranked_is_listed_with_its_reason() {
    let quarantined = "schema: 1\ncluster: local\nsubmitted: 2026-01-02T03:04:05Z\nverdict: quarantined\n";
    let active = "schema: 1\ncluster: chpc\njob: \"9.srv\"\nsubmitted: 2026-01-02T03:04:05Z\n";
    let sample = Sample::new()
        .run("a-a", "mnist_a", 0, &[0.90, 0.91])
        .run("b-a", "mnist_a", 1, &[0.99, 0.99])
        .run("c-b", "mnist_b", 0, &[0.9])
        .run("d-c", "mnist_c", 0, &[0.9, 0.9])
        .file(&format!("{FOLDER}/runs/d-c/attempts/1.yaml"), quarantined)
        .run("e-d", "mnist_d", 0, &[0.9, 0.9])
        .file(&format!("{FOLDER}/runs/e-d/seed-1/metrics.json"), "{\"schema\": NaN}")
        .run("f-e", "mnist_e", 0, &[0.9, 0.9])
        .file(&format!("{FOLDER}/runs/f-e/attempts/2.yaml"), active)
        .run("g-f", "mnist_f", 0, &[0.9, 0.9])
        .file(&format!("{FOLDER}/runs/g-f/exclusion.yaml"), "schema: 1\nreason: a bug\nat: 2026-01-03T00:00:00Z\n");
    let board = sample.board();
    assert!(board.ranked.is_empty());
    let reasons: Vec<String> =
        board.not_ranked.iter().map(|r| format!("{}: {}", r.experiment, r.reasons.join("; "))).collect();
    for (reason, words) in
        reasons.iter().zip(["seed 1 is counted twice", "1 seed; at least 2", "quarantined", "is invalid"])
    {
        assert!(reason.contains(words), "{reasons:?}");
    }
    assert_eq!(reasons.len(), 4);
    assert_eq!((board.active.len(), board.active[0].job.as_deref()), (1, Some("9.srv")));
    assert_eq!((board.excluded.len(), board.excluded[0].reason.as_str()), (1, "a bug"));
}

#[test]
fn plans_differences_waivers_and_findings_are_shown() {
    let iteration = "schema: 1\nphase: experiment\ncompare_to: p/1/mnist_a\nplan:\n  - {experiment: mnist_z, seeds: 0-4}\n  \
        - {experiment: cifar10_z, seeds: 0-4}\n  - {experiment: mnist_a, seeds: 0-1}\nwaivers:\n  \
        - {gate: smoke, reason: no queue, expires: 2026-03-01}\n";
    let board = Sample::new()
        .file(&format!("{FOLDER}/iteration.yaml"), iteration)
        .file("projects/p/findings/one.yaml", "schema: 1\ntext: It works\ncites: [b-b]\n")
        .run("a-a", "mnist_a", 0, &[0.90, 0.91])
        .run("b-b", "mnist_b", 0, &[0.95, 0.96])
        .board();
    assert_eq!(board.planned.iter().map(|p| p.label.as_str()).collect::<Vec<_>>(), ["mnist_z"]);
    let delta = board.ranked[0].delta.as_ref().unwrap();
    assert!((delta.value - 0.05).abs() < 1e-12 && delta.to == "p/1/mnist_a" && delta.p.is_some());
    assert_eq!(
        (board.ranked[0].footnotes.as_slice(), board.footnotes[0].key.as_str()),
        (&["w1".to_string()][..], "w1")
    );
    assert_eq!(board.findings[0].text, "It works");
}

#[test]
fn reported_figures_are_shown_beside_and_never_ranked() {
    let reported = "source: a paper\nreported:\n  - {project: q, iteration: 8b, label: Theirs, mean: 0.999, std: 0.001, n: 5, experiment: mnist_a}\n  \
        - {project: q, iteration: 9, label: Gone, standing: excluded, reason: a bug, result: \"~11 %\"}\n";
    let sample = Sample::new().file("configs/board/mnist.yaml", &format!("{BOARD}{reported}")).run(
        "a-a",
        "mnist_a",
        0,
        &[0.9, 0.91],
    );
    let board = sample.board();
    assert_eq!(board.ranked.len(), 1);
    assert_eq!(board.ranked[0].reported.as_ref().unwrap().mean, 0.999);
    let page = text(&sample.rendered(), "leaderboard/mnist.md");
    assert!(page.contains("Source: a paper. Never ranked as ours.\n\n| Project | Iter | Model | Reported |"), "{page}");
    assert!(page.contains("| q | 9 | Gone | reported | &#126;11 % | a bug |"), "{page}");
}

#[test]
fn sweeps_make_one_row_a_cell_and_every_row_has_its_own_name() {
    let other = |text: &str| text.replace("d-mnist_a", "e-mnist_a");
    let sample = Sample::new().run("a-a", "mnist_a", 0, &[0.9, 0.91]).run("b-a", "mnist_a", 0, &[0.8, 0.81]);
    let mut tree = sample.0.clone();
    for path in ["run.yaml", "seed-0/metrics.json", "seed-1/metrics.json"] {
        let path = format!("{FOLDER}/runs/b-a/{path}");
        tree = tree.clone().with(&path, &other(&text(&tree, &path)));
    }
    let board = build(&tree, "mnist").unwrap();
    let ids: Vec<&str> = board.rows().map(|r| r.id.as_str()).collect();
    assert_eq!(ids, ["p/1/mnist_a@d-mnis", "p/1/mnist_a@e-mnis"]);
}

#[test]
fn rendering_twice_changes_nothing_and_hostile_labels_stay_in_their_cell() {
    let readme = "# Lab\n\n<!-- ar:begin board mnist -->\n<!-- ar:end board mnist -->\n\nbye\n";
    let sample = Sample::new().file("README.md", readme).run("a-a", "mnist_a", 0, &[0.9, 0.91]);
    assert_eq!(stale(&sample.0).unwrap().len(), 4);
    let tree = sample.rendered();
    assert_eq!(stale(&tree).unwrap(), []);
    let page = text(&tree, "leaderboard/mnist.md");
    assert_eq!(region::verify("leaderboard/mnist.md", &page).unwrap(), []);
    assert!(page.contains("| 1 | p | 1 | A &#124; (1) | 90.50 ± 0.71 (n=2) | A |"), "{page}");
    let readme = text(&tree, "README.md");
    assert!(readme.starts_with("# Lab\n") && readme.ends_with("\n\nbye\n") && readme.contains("### MNIST"));
    assert!(
        text(&tree, "leaderboard/mnist.json")
            .contains("\"path\": \"projects/p/iterations/1-first/runs/a-a/seed-0/metrics.json\"")
    );
}

#[test]
fn a_board_that_is_gone_takes_its_files_along() {
    let sample = Sample::new().run("a-a", "mnist_a", 0, &[0.9, 0.91]);
    let readme = "<!-- ar:begin board mnist -->\n<!-- ar:end board mnist -->\n";
    let tree = sample.file("README.md", readme).rendered().without("configs/board/mnist.yaml");
    let gone = stale(&tree.with("leaderboard/notes.md", "mine\n")).unwrap();
    let paths: Vec<&str> = gone.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(paths, ["README.md", "leaderboard/mnist.md", "leaderboard/mnist.json"]);
    assert!(gone[0].after.as_ref().unwrap().contains("There is no board mnist."));
}

#[test]
fn a_board_that_nobody_knows_is_told_apart() {
    let problem: Problem = build(&Sample::new().0, "mnst").unwrap_err();
    assert!(problem.message.contains("no board `mnst`") && problem.hint.unwrap().contains("mnist"));
}

#[test]
fn the_terminal_shows_the_same_board() {
    let sample = Sample::new().run("a-a", "mnist_a", 0, &[0.9, 0.91]).run("c-b", "mnist_b", 0, &[0.9]);
    let shown = terminal::board(&sample.board(), Some(100));
    insta::assert_snapshot!(shown, @r"
    MNIST
    Ranked by val/accuracy at the end of training in per cent, mean ± sample deviation over seeds.
    Policy: valid, seeds ≥ 2. Rows that Welch's t-test does not separate from the leader of their tier (p ≥ 0.05) share its place.
    Updated: 2026-01-02 04:00 UTC.

    Ranked
     #  Project  Iter  Model          val/accuracy  Notes
    ──────────────────────────────────────────────────────
     1  p        1     A | (1)  90.50 ± 0.71 (n=2)  A

    Not ranked
     Project  Iter  Model    Result       Why
    ───────────────────────────────────────────────────────────────────────
     p        1     mnist_b  90.00 (n=1)  1 seed; at least 2 are asked for

    Footnotes
    A: a note
    ");
}
