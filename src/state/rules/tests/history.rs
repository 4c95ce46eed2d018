//! What a squash or a merge shows of the history behind it: the records tell of edits that came after them, and every
//! side's records are kept.

use super::*;
use crate::state::frozen::Frozen;

const BACK: &[&str] = &["survey", "implement", "experiment", "implement!a better idea", "experiment"];

fn view(tree: &MemoryTree) -> IterationView {
    load::iteration(tree, &"p".to_string().try_into().unwrap(), "1".parse().unwrap(), FOLDER).unwrap().unwrap()
}

/// The tree with a full run that was recorded in it.
fn recorded(tree: MemoryTree, id: &str) -> MemoryTree {
    let Frozen { steps, digest } = Frozen::of(&view(&tree).iteration);
    let path = format!("{FOLDER}/runs/{id}/run.yaml");
    let tree = with_run(tree, id, "full");
    let run = String::from_utf8(tree.0[&path].1.clone()).unwrap();
    tree.with(&path, &format!("{run}frozen: {{steps: {steps}, digest: {digest}}}\n"))
}

/// The same runs under an iteration with these steps and this text.
fn edited(tree: &MemoryTree, phases: &[&str], from: &str, to: &str) -> MemoryTree {
    assert!(WRITTEN.contains(from));
    tree.clone().with(&format!("{FOLDER}/iteration.yaml"), &iteration(phases, &WRITTEN.replace(from, to)))
}

#[test]
fn a_squash_brings_no_edit_of_what_its_runs_were_recorded_for() {
    let branch = recorded(with_run(at(EXPERIMENT), "s1-a", "smoke"), "f1-a");
    let squash = |tree: &MemoryTree| codes(&base(), tree);
    assert!(squash(&branch).is_empty(), "{:?}", judge(&base(), &branch));
    for (from, to) in [
        ("question: q", "question: other"),
        ("hypothesis: h", "hypothesis: other"),
        ("minimal_effect: 0.9", "minimal_effect: 0.1"),
        ("seeds: [0]", "seeds: [0, 1]"),
    ] {
        assert_eq!(squash(&edited(&branch, EXPERIMENT, from, to)), ["frozen"], "{to}");
        assert_eq!(squash(&edited(&branch, ANALYZE, from, to)), ["frozen"], "{to}");
        // With the step back that the edit needs, which everybody reads.
        assert!(squash(&edited(&branch, BACK, from, to)).is_empty(), "{to}");
    }
    // A step back that is left out of the squash: a run that was recorded after it knows of it.
    let later = recorded(edited(&branch, BACK, "minimal_effect: 0.9", "minimal_effect: 0.1"), "g1-a");
    assert!(squash(&later).is_empty());
    assert_eq!(squash(&edited(&later, EXPERIMENT, "minimal_effect: 0.9", "minimal_effect: 0.1")), ["frozen"]);
    // Results of what is under way are collected whatever the iteration says by now.
    let bent = edited(&branch, EXPERIMENT, "hypothesis: h", "hypothesis: other");
    let more = bent.clone().with(
        &format!("{FOLDER}/runs/f1-a/attempts/2.yaml"),
        "schema: 1\ncluster: local\nsubmitted: 2026-01-02T00:00:00Z\nverdict: failed\n",
    );
    assert!(codes(&bent, &more).is_empty());
}

#[test]
fn a_merge_keeps_the_records_and_steps_of_every_side() {
    let (side, develop) = (at(EXPERIMENT), with_run(at(ANALYZE), "f1-a", "full"));
    let kept = |first: &MemoryTree, other: &MemoryTree, merge: &MemoryTree| -> Vec<&'static str> {
        let changes = merge.changes_since(other);
        let facts = Given { comparison: "a table\n", after: merge.clone() };
        let today = "2026-06-01".parse().unwrap();
        let case = Case { before: other, after: merge, changes: &changes, facts: &facts, today };
        merged(&case, first).unwrap().into_iter().map(|p| p.code).collect()
    };
    assert!(kept(&side, &develop, &develop).is_empty());
    assert!(kept(&develop, &side, &develop).is_empty());
    // The other way round, without the run: against its first parent nothing is missing.
    assert!(codes(&side, &side).is_empty());
    assert_eq!(
        kept(&side, &develop, &side),
        ["steps-rewritten"].into_iter().chain(["record-removed"; 4]).collect::<Vec<_>>()
    );
    let metrics = format!("{FOLDER}/runs/f1-a/seed-0/metrics.json");
    let better = String::from_utf8(develop.0[&metrics].1.clone()).unwrap().replace("0.9", "0.99");
    assert_eq!(kept(&side, &develop, &develop.clone().with(&metrics, &better)), ["record-changed"]);
    // Where both have it and differ, the first parent's counts.
    let first = develop.clone().with(&metrics, &better);
    assert!(kept(&first, &develop, &first).is_empty());
    // One side renamed the iteration, the other went on in it.
    let renamed = |tree: &MemoryTree| {
        MemoryTree(tree.0.iter().map(|(path, file)| (path.replace("/1-a/", "/2-b/"), file.clone())).collect())
    };
    assert!(kept(&renamed(&side), &develop, &renamed(&develop)).is_empty());
    // Two roads: one of them is kept.
    let other = at(&["survey", "abandoned!done elsewhere"]);
    assert!(kept(&side, &other, &side).is_empty());
}
