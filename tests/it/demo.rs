//! `git ar demo`: the whole loop, with real commits, trainings and refusals.

use crate::sandbox::Sandbox;

#[test]
fn the_demo_goes_from_a_direction_to_a_ranked_board() {
    let sandbox = Sandbox::empty();
    let said = sandbox.run("demo");
    for refusal in ["no step leads from survey to experiment", "measured values are never edited"] {
        assert!(said.contains(refusal), "{said}");
    }
    for line in ["$ git ar phase next", "digits_wide", "concluded", "Prediction: met", "in step"] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    let folder = sandbox.top().join("git-ar-demo");
    assert_eq!(sandbox.try_git(&folder, "status --porcelain"), "", "{said}");
    let checked = sandbox.run_in(&folder, "check --tree HEAD");
    assert!(!checked.contains("[exit"), "{checked}");
    let survey = sandbox.sh(&folder, "cat projects/*/iterations/*/survey.md projects/*/iterations/*/analysis.md");
    assert_eq!(survey.matches("text is the demo's").count(), 2, "{survey}");
    // A folder that holds something is never played over.
    let again = sandbox.run("demo");
    assert!(again.contains("not empty") && again.contains("[exit 2]"), "{again}");
}

#[test]
fn the_engine_is_asked_for_by_name_and_told_when_missing() {
    let sandbox = Sandbox::empty();
    let exe = std::path::Path::new(env!("CARGO_BIN_EXE_git-ar"));
    if exe.with_file_name("git-ar-train").exists() {
        eprintln!("skipped: the engine is built beside git-ar here");
        return;
    }
    let said = sandbox.run("demo --engine lab");
    assert!(said.contains("cargo xtask engine") && said.contains("[exit 2]"), "{said}");
    assert!(!sandbox.top().join("lab").exists());
}
