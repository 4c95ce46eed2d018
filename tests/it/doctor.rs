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
    // `init` takes the engine where it is built.
    let text = sandbox.read("configs/ar.yaml").replace("trainer: reference", "trainer: engine");
    let text = text.replace("trainer: engine", "trainer: [no-such-trainer]");
    sandbox.write("configs/ar.yaml", &text);
    let said = sandbox.run("doctor");
    assert!(said.contains("missing  trainer      `no-such-trainer` is not on PATH"), "{said}");
}

#[test]
fn what_killed_commands_left_is_mended_once_and_the_rest_is_told() {
    let sandbox = Sandbox::empty();
    sandbox.run("init");
    // What a hook sees while a change is under way is what a kill would leave: its note, its lock, its kept files.
    let hook = sandbox.top().join(".git/hooks/pre-commit");
    let own = std::fs::read(&hook).unwrap();
    std::fs::write(&hook, "#!/bin/sh\ncp -a .git/ar ../ar-seen\nexit 1\n").unwrap();
    sandbox.run("project new Nets");
    std::fs::write(&hook, own).unwrap();
    sandbox.sh(sandbox.top(), "cp -a ../ar-seen/. .git/ar/");
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let lock = sandbox.read(".git/ar/lock");
    let mut owner: serde_json::Value = serde_json::from_str(lock.lines().next().unwrap()).unwrap();
    owner["pid"] = child.id().into();
    sandbox.write(".git/ar/lock", &format!("{owner}\n"));
    // Whoever made this one may be at work on another machine.
    sandbox.write("projects/.git-ar-tmp-00000000-1-0", "");
    std::fs::remove_file(&hook).unwrap();
    let looked = sandbox.run("doctor");
    assert!(looked.contains("the lock of process") && looked.contains("a change half-way"), "{looked}");
    assert!(sandbox.top().join(".git/ar/lock").exists() && looked.contains("git ar doctor --fix"), "{looked}");
    let said = sandbox.run("doctor --fix");
    for what in ["mended   lock of process", "mended   hooks installed", "left     projects/.git-ar-tmp-00000000-1-0"] {
        assert!(said.contains(what), "{what}\n{said}");
    }
    let again = sandbox.run("doctor --fix");
    assert!(!again.contains("mended ") && again.contains("left     projects/.git-ar-tmp-00000000-1-0"), "{again}");
    std::fs::remove_file(sandbox.top().join("projects/.git-ar-tmp-00000000-1-0")).unwrap();
    assert!(sandbox.run("doctor --fix").contains("nothing to mend"));
    assert!(sandbox.run("project new Nets").contains("committed"));
}
