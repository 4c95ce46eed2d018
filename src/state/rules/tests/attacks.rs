//! Roads round the rules: each is refused, and the honest change beside it passes.

use super::*;

const CONCLUDE: &[&str] = &["survey", "implement", "experiment", "analyze", "conclude"];

fn text(tree: &MemoryTree, path: &str) -> String {
    String::from_utf8(tree.0[path].1.clone()).unwrap()
}

/// An iteration in phase conclude, with everything that its gates asked for.
fn analyzed() -> MemoryTree {
    let region = crate::state::region::render("comparison", "a table\n");
    let sections: String = Document::Analysis
        .template()
        .lines()
        .filter(|l| l.starts_with("## "))
        .map(|heading| format!("{heading}\nWords.\n"))
        .collect();
    let tree = with_run(with_run(at(CONCLUDE), "s1-a", "smoke"), "f1-a", "full");
    tree.with(&format!("{FOLDER}/analysis.md"), &format!("{sections}{region}"))
}

/// The tree with everything under one folder at another place.
fn renamed(tree: &MemoryTree, from: &str, to: &str) -> MemoryTree {
    MemoryTree(tree.0.iter().map(|(path, file)| (path.replace(from, to), file.clone())).collect())
}

#[test]
fn a_seed_or_an_attempt_has_one_name() {
    let full = with_run(at(EXPERIMENT), "f1-a", "full");
    let metrics = text(&full, &format!("{FOLDER}/runs/f1-a/seed-0/metrics.json")).replace("0.9", "0.99");
    for folder in ["seed-00", "seed-+0", "seed-", "seed-x"] {
        let tree = full.clone().with(&format!("{FOLDER}/runs/f1-a/{folder}/metrics.json"), &metrics);
        assert_eq!(codes(&full, &tree), ["misplaced"], "{folder}");
        let runs = load::runs(&tree, FOLDER).unwrap();
        assert_eq!(runs[0].seeds[&0].as_ref().unwrap().metrics["val/accuracy"].last, 0.9, "{folder}");
    }
    let attempt = text(&full, &format!("{FOLDER}/runs/f1-a/attempts/1.yaml"));
    let tree = full.clone().with(&format!("{FOLDER}/runs/f1-a/attempts/01.yaml"), &attempt);
    assert_eq!(codes(&full, &tree), ["misplaced"]);
}

#[test]
fn phases_turned_off_do_not_open_the_gates_of_the_same_commit() {
    let path = format!("{FOLDER}/iteration.yaml");
    let jump = at(SURVEY).with(load::SETTINGS, "schema: 1\nloop: off\n");
    let all = ["survey", "implement", "experiment", "analyze", "conclude", "concluded"];
    let jump = jump.with(&path, &iteration(&all, WRITTEN));
    assert_eq!(codes(&at(SURVEY), &jump), ["gate"]);
}

#[test]
fn a_run_lies_in_one_iteration() {
    let full = with_run(at(EXPERIMENT), "f1-a", "full");
    let second = full.clone().with("projects/p/iterations/2-b/iteration.yaml", &iteration(EXPERIMENT, WRITTEN));
    let copy = |to: &str| {
        let run: Vec<_> = full.0.iter().filter(|(p, _)| p.contains("/runs/")).collect();
        let copied = run.into_iter().map(|(path, file)| (path.replace(FOLDER, to), file.clone()));
        MemoryTree(second.0.clone().into_iter().chain(copied).collect())
    };
    assert_eq!(codes(&second, &copy("projects/p/iterations/2-b")), ["duplicate-id"]);
    assert_eq!(codes(&second, &copy("projects/p/iterations/3-c")), ["no-iteration"]);
    assert_eq!(codes(&second, &copy("projects/p")), ["no-iteration"]);
}

#[test]
fn a_rename_hides_no_edit() {
    let full = with_run(at(EXPERIMENT), "f1-a", "full");
    let other = WRITTEN.replace("minimal_effect: 0.9", "minimal_effect: 0.1");
    let late = iteration(EXPERIMENT, &other).replace("to: survey, at: 2026-01-01", "to: survey, at: 2026-01-02");
    for to in ["/1-b/", "/4-b/"] {
        let place = format!("projects/p/iterations{to}iteration.yaml");
        let moved = renamed(&full, "/1-a/", to);
        assert!(codes(&full, &moved).is_empty(), "{to} {:?}", judge(&full, &moved));
        assert!(codes(&full, &moved.clone().with(&place, &late)).contains(&"record-removed"), "{to}");
        // The old text left in another place is no new home for the runs.
        let decoy = moved
            .with(&place, &late)
            .with("projects/q/iterations/1-a/iteration.yaml", &text(&full, &format!("{FOLDER}/iteration.yaml")));
        assert!(codes(&full, &decoy).contains(&"record-removed"), "{to}");
    }
    let alone = full.clone().without(&format!("{FOLDER}/iteration.yaml"));
    let alone =
        alone.with("projects/p/iterations/4-b/iteration.yaml", &text(&full, &format!("{FOLDER}/iteration.yaml")));
    assert!(codes(&full, &alone).contains(&"record-removed"));
}

#[test]
fn what_has_ended_may_be_renamed_as_a_whole() {
    let before = analyzed();
    for (from, to) in [("/1-a/", "/4-b/"), ("projects/p/", "projects/other/")] {
        let after = renamed(&before, from, to);
        assert!(codes(&before, &after).is_empty(), "{to}: {:?}", judge(&before, &after));
    }
    let lost = before.clone().without("projects/p/project.yaml");
    assert_eq!(codes(&before, &lost), ["record-removed"]);
}

#[test]
fn what_a_gate_let_pass_stays() {
    let before = analyzed();
    let set = |file: &str, text: &str| codes(&before, &before.clone().with(&format!("{FOLDER}/{file}"), text));
    assert_eq!(set("survey.md", "nothing\n"), ["gate"]);
    assert_eq!(codes(&before, &before.clone().without(&format!("{FOLDER}/survey.md"))), ["gate"]);
    let analysis = text(&before, &format!("{FOLDER}/analysis.md"));
    assert!(set("analysis.md", &analysis.replace("Words.", "Other words.")).is_empty());
    // A forger can compute the marker's digest; the text is still not what the seeds give.
    let forged = crate::state::region::replace("a.md", &analysis, "comparison", "a better table\n").unwrap().unwrap();
    assert_eq!(set("analysis.md", &forged), ["gate"]);
}

#[test]
fn a_waiver_that_was_used_is_not_taken_back() {
    let path = format!("{FOLDER}/iteration.yaml");
    let waived = |phases| {
        let waiver = format!("{WRITTEN}waivers:\n  - {{gate: smoke, reason: no machine, expires: 2026-06-01}}\n");
        at(phases).with(&path, &iteration(phases, &waiver))
    };
    assert_eq!(codes(&waived(EXPERIMENT), &at(EXPERIMENT)), ["waiver-removed"]);
    assert!(codes(&waived(IMPLEMENT), &at(IMPLEMENT)).is_empty());
}

#[test]
fn steps_are_dated_in_order_and_not_ahead() {
    let path = format!("{FOLDER}/iteration.yaml");
    let dated = |day: &str| {
        let text = iteration(IMPLEMENT, WRITTEN);
        let last = text.rfind("2026-01-01").unwrap();
        at(SURVEY).with(&path, &format!("{}{day}{}", &text[..last], &text[last + 10..]))
    };
    for bad in ["1999-01-01", "2999-01-01"] {
        assert_eq!(codes(&at(SURVEY), &dated(bad)), ["misdated"], "{bad}");
    }
    assert!(codes(&at(SURVEY), &dated("2025-12-31")).is_empty());
}

#[test]
fn records_that_contradict_each_other_are_refused() {
    let start = at(EXPERIMENT);
    let full = with_run(start.clone(), "f1-a", "full");
    let attempt = |verdict: &str| {
        let text = format!(
            "schema: 1\ncluster: local\nsubmitted: 2026-01-01T00:00:00Z\n\
             start: {{at: 2026-01-01T00:00:00Z, host: h, commit: c0, manifest: other, config_digest: d-a}}\nverdict: {verdict}\n"
        );
        codes(&start, &full.clone().with(&format!("{FOLDER}/runs/f1-a/attempts/1.yaml"), &text))
    };
    assert_eq!(attempt("succeeded"), ["attempt"]);
    assert!(attempt("quarantined").is_empty());
    let excluded = "schema: 1\nreason: r\nat: 2026-01-01T00:00:00Z\nseeds: [7]\n";
    let tree = full.clone().with(&format!("{FOLDER}/runs/f1-a/exclusion.yaml"), excluded);
    assert_eq!(codes(&full, &tree), ["exclusion"]);
}

#[test]
fn look_alikes_of_places_and_values_are_refused() {
    let text = iteration(&[], "");
    let tree = base().with("projects/p/Iterations/1-a/iteration.yaml", &text);
    assert_eq!(codes(&base(), &tree), ["misplaced"]);
    let tree = base().with(&format!("{FOLDER}/iteration.yaml"), &text.replace("phase: ", "phase: !!python/name:x "));
    assert_eq!(codes(&base(), &tree), ["yaml"]);
    let mut link = base();
    link.0.insert(load::SETTINGS.into(), (EntryKind::Symlink, b"other.yaml".to_vec()));
    assert_eq!(codes(&base(), &link), ["not-a-file"]);
    let hidden = at(IMPLEMENT).with(
        &format!("{FOLDER}/survey.md"),
        "## What is known\nA <!-- [@x] -->\n## What is missing\nB.\n## What we expect\nC.\n",
    );
    assert_eq!(codes(&at(SURVEY), &hidden), ["gate"]);
}
