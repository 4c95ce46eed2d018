//! Evidence that cannot be talked round: each road an agent might try, and the honest one beside it.

use super::*;

const CONCLUDE: &[&str] = &["survey", "implement", "experiment", "analyze", "conclude"];
const CONCLUDED: &[&str] = &["survey", "implement", "experiment", "analyze", "conclude", "concluded"];
const FINDING: &str = "projects/p/findings/one.yaml";

fn text(tree: &MemoryTree, path: &str) -> String {
    String::from_utf8(tree.0[path].1.clone()).unwrap()
}

/// The tree with an exclusion of run `id`.
fn excluded(tree: MemoryTree, id: &str, rest: &str) -> MemoryTree {
    let exclusion = format!("schema: 1\nreason: r\nat: 2026-01-01T00:00:00Z\n{rest}");
    tree.with(&format!("{FOLDER}/runs/{id}/exclusion.yaml"), &exclusion)
}

fn ran(phases: &[&str]) -> MemoryTree {
    with_run(with_run(at(phases), "s1-a", "smoke"), "f1-a", "full")
}

fn with_document(tree: MemoryTree, document: Document, words: &str) -> MemoryTree {
    let heads = document.template().lines().filter(|l| l.starts_with("## "));
    let sections: String = heads.map(|head| format!("{head}\n{words}\n")).collect();
    let region = crate::state::region::render("comparison", "a table\n");
    let region = if document == Document::Analysis { region } else { String::new() };
    tree.with(&format!("{FOLDER}/{}", document.file()), &format!("{sections}{region}"))
}

/// What stands between an iteration in one phase and the next.
fn gates(before: &MemoryTree, after: &MemoryTree) -> Vec<String> {
    judge(before, after).into_iter().filter(|p| p.code == "gate").map(|p| p.message).collect()
}

#[test]
fn excluding_every_run_passes_no_gate() {
    let no_run = ["no full run of the plan is valid".to_string()];
    for rest in ["", "seeds: [0]\n", "superseded_by: s1-a\n", "cause: bug\nfixed_by: c0\n"] {
        let (before, after) = (excluded(ran(EXPERIMENT), "f1-a", rest), excluded(ran(ANALYZE), "f1-a", rest));
        assert_eq!(gates(&before, &after), no_run, "{rest}");
    }
    let withdrawn = |phases| excluded(ran(phases), "f1-a", "withdrawn: it was right\n");
    assert!(gates(&withdrawn(EXPERIMENT), &withdrawn(ANALYZE)).is_empty());
    // With the seeds waived too.
    let waived = |phases| {
        let waiver = format!("{WRITTEN}waivers:\n  - {{gate: seeds, reason: r, expires: 2027-01-01}}\n");
        excluded(ran(phases), "f1-a", "").with(&format!("{FOLDER}/iteration.yaml"), &iteration(phases, &waiver))
    };
    assert_eq!(gates(&waived(EXPERIMENT), &waived(ANALYZE)), no_run);
    // Said openly, it is a negative result.
    let negative = |phases| {
        let rest = format!("{WRITTEN}negative: every seed diverged\n");
        excluded(ran(phases), "f1-a", "").with(&format!("{FOLDER}/iteration.yaml"), &iteration(phases, &rest))
    };
    assert!(gates(&negative(EXPERIMENT), &negative(ANALYZE)).is_empty());
}

#[test]
fn a_run_of_something_else_does_not_stand_in() {
    let other = |phases| {
        let mut tree = excluded(ran(phases), "f1-a", "");
        let run = with_run(MemoryTree::default(), "g1-b", "full");
        for (path, (kind, bytes)) in run.0 {
            let text =
                String::from_utf8(bytes).unwrap().replace("d-a", "d-b").replace("experiment: a", "experiment: b");
            tree.0.insert(path, (kind, text.into_bytes()));
        }
        tree
    };
    assert_eq!(gates(&other(EXPERIMENT), &other(ANALYZE)), ["no full run of the plan is valid"]);
}

#[test]
fn findings_of_a_concluded_iteration_stay() {
    let finding = |text: &str, rest: &str| format!("schema: 1\ntext: {text}\ncites: [f1-a]\n{rest}");
    let base = ran(CONCLUDED).with(FINDING, &finding("it reaches 90 %", ""));
    let set = |path: &str, text: &str| codes(&base, &base.clone().with(path, text));
    assert_eq!(set(FINDING, &finding("it reaches 95 %", "")), ["finding-frozen"]);
    assert_eq!(set(FINDING, "schema: 1\ntext: it reaches 90 %\ncites: []\n"), ["finding-frozen"]);
    assert_eq!(codes(&base, &base.clone().without(FINDING)), ["finding-frozen"]);
    assert_eq!(set(FINDING, &finding("it reaches 90 %", "supersedes: one\n"))[0], "supersedes");
    let two = "projects/p/findings/two.yaml";
    assert!(set(two, &finding("it reaches 90 % on one seed", "supersedes: one\n")).is_empty());
    assert_eq!(set(two, &finding("more", "supersedes: none-such\n")), ["supersedes"]);
    // A comment or another quoting changes nothing, and while the iteration is open everything may change.
    assert!(set(FINDING, &finding("\"it reaches 90 %\"  # a remark", "")).is_empty());
    let open = ran(CONCLUDE).with(FINDING, &finding("it reaches 90 %", ""));
    assert!(codes(&open, &open.clone().with(FINDING, &finding("it reaches 95 %", ""))).is_empty());
    // Swapped under another name: the old one is missed.
    let moved = base.clone().without(FINDING).with(two, &finding("it reaches 95 %", ""));
    assert_eq!(codes(&base, &moved), ["finding-frozen"]);
}

#[test]
fn what_the_seeds_contradict_does_not_pass() {
    let analysis = |phases, words| with_document(ran(phases), Document::Analysis, words);
    let step = |words| gates(&analysis(ANALYZE, words), &analysis(CONCLUDE, words));
    assert!(step("It reaches 90.0 %.").is_empty());
    let lie = step("It reaches 95.0 %.");
    assert!(lie.len() == 3 && lie[0].contains("`95.0 %` is contradicted"), "{lie:?}");
    assert_eq!(step("`f1-a` reaches **95.0&nbsp;%**.").len(), 3);
    assert_eq!(step("An accuracy of 0.95.").len(), 3);
    let conclusion = |phases, words, finding: &str| {
        let tree = with_document(analysis(phases, "Words."), Document::Conclusion, words);
        let rest = format!("{WRITTEN}next: [none]\n");
        let tree = tree.with(&format!("{FOLDER}/iteration.yaml"), &iteration(phases, &rest));
        tree.with(FINDING, &format!("schema: 1\ntext: {finding}\ncites: [f1-a]\n"))
    };
    let step =
        |words, finding: &str| gates(&conclusion(CONCLUDE, words, finding), &conclusion(CONCLUDED, words, finding));
    assert!(step("It reaches 90 %.", "it reaches 90 %").is_empty());
    assert_eq!(step("It reaches 95 %.", "it reaches 90 %").len(), 3);
    assert_eq!(step("Words.", "it reaches 95 %").len(), 1);
    // Once the gate is behind, the document is held to it.
    let kept = analysis(CONCLUDE, "It reaches 90 %.");
    assert_eq!(codes(&kept, &analysis(CONCLUDE, "It reaches 95 %.")), ["gate"]);
}

#[test]
fn phases_that_were_off_are_judged_when_they_are_turned_on() {
    let with = |tree: MemoryTree, word: &str| tree.with(load::SETTINGS, &format!("schema: 1\nloop: {word}\n"));
    let turn = |tree: MemoryTree| codes(&with(tree.clone(), "off"), &with(tree, "on"));
    let bare = |phases| base().with(&format!("{FOLDER}/iteration.yaml"), &iteration(phases, ""));
    assert_eq!(turn(bare(ANALYZE)), ["loop-on"]);
    assert_eq!(turn(bare(IMPLEMENT)), ["loop-on"]);
    assert!(turn(bare(SURVEY)).is_empty());
    assert!(turn(ran(ANALYZE)).is_empty(), "{:?}", turn(ran(ANALYZE)));
    let ended = judge(&with(bare(CONCLUDED), "off"), &with(bare(CONCLUDED), "on"));
    assert!(
        ended.len() == 1 && ended[0].warning && ended[0].message.contains("ended while phases were off"),
        "{ended:?}"
    );
}

#[test]
fn the_plan_stays_frozen_on_every_road() {
    let full = ran(EXPERIMENT);
    let path = format!("{FOLDER}/iteration.yaml");
    for (key, from, to) in [
        ("hypothesis", "hypothesis: h", "hypothesis: other"),
        ("prediction", "minimal_effect: 0.9", "minimal_effect: 0.1"),
        ("prediction", "metric: val/accuracy", "metric: test/accuracy"),
        ("plan", "seeds: [0]", "seeds: [0, 1]"),
        ("question", "question: q", "question: other"),
    ] {
        let edited = full.clone().with(&path, &text(&full, &path).replace(from, to));
        assert_eq!(codes(&full, &edited), ["frozen"], "{key}");
        let back = text(&full, &path).replace(from, to);
        let back = back.replacen("phase: experiment", "phase: implement", 1).replacen(
            "  - {to: experiment, at: 2026-01-01T00:00:00Z}\n",
            "  - {to: experiment, at: 2026-01-01T00:00:00Z}\n  - {to: implement, at: 2026-01-01T00:00:00Z, reason: r}\n",
            1,
        );
        assert!(codes(&full, &full.clone().with(&path, &back)).is_empty(), "{key}");
    }
    // Deleted and added again: the deletion is refused, whatever follows.
    assert!(codes(&full, &full.clone().without(&path)).contains(&"record-removed"));
    // Another iteration that supersedes it does not take its runs along.
    let successor = full.clone().with(
        "projects/p/iterations/1b-a/iteration.yaml",
        &iteration(
            EXPERIMENT,
            &format!("{WRITTEN}supersedes: 1\n").replace("minimal_effect: 0.9", "minimal_effect: 0.1"),
        ),
    );
    let copied: Vec<_> = full
        .0
        .iter()
        .filter(|(p, _)| p.contains("/runs/f1-a/"))
        .map(|(p, f)| (p.replace("/1-a/", "/1b-a/"), f.clone()))
        .collect();
    let with_runs = MemoryTree(successor.0.clone().into_iter().chain(copied).collect());
    assert!(codes(&successor, &with_runs).contains(&"duplicate-id"));
}
