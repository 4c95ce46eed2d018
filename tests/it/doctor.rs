//! `git ar doctor`: what is missing is named with its cure, and nothing is changed.

use crate::sandbox::Sandbox;

#[test]
fn outside_of_a_repository_it_says_how_to_begin() {
    let sandbox = Sandbox::empty();
    let said = sandbox.run("doctor");
    assert!(said.contains("broken   repository") && said.contains("git ar init"), "{said}");
    assert!(said.contains("git ar data fetch mnist"), "{said}");
    assert!(said.contains("export AR_DATA=DIR") && said.contains("[exit 1]"), "{said}");
}

#[test]
fn a_new_repository_is_well_and_data_that_is_cut_is_told() {
    let sandbox = Sandbox::empty();
    sandbox.run("init");
    let said = sandbox.run("doctor");
    assert!(!said.contains("broken") && !said.contains("[exit"), "{said}");
    assert!(said.contains("ok       hooks        pre-commit, pre-merge-commit, pre-push"), "{said}");
    let data = sandbox.home().join("data/mnist");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("t10k-labels-idx1-ubyte.gz"), "cut").unwrap();
    let sandbox = sandbox.with_env("AR_DATA", data.parent().unwrap().to_str().unwrap());
    let report: serde_json::Value = serde_json::from_slice(&sandbox.ar(&["doctor", "--json"]).stdout).unwrap();
    let checks = report["data"]["checks"].as_array().unwrap();
    let mnist = checks.iter().find(|c| c["name"] == "data mnist").unwrap();
    assert!(mnist["found"].as_str().unwrap().contains("t10k-labels-idx1-ubyte.gz has 3 bytes, not 4542"), "{mnist}");
    assert_eq!((&mnist["state"], &report["ok"]), (&"missing".into(), &true.into()));
}

#[test]
fn a_trainer_that_is_not_there_is_told() {
    let sandbox = Sandbox::empty();
    sandbox.run("init");
    let text = sandbox.read("configs/ar.yaml").replace("trainer: reference", "trainer: [no-such-trainer]");
    sandbox.write("configs/ar.yaml", &text);
    let said = sandbox.run("doctor");
    assert!(said.contains("missing  trainer      `no-such-trainer` is not on PATH"), "{said}");
}
