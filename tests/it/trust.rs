//! Nothing that a tracked file names is started before a person of the clone agreed to it.

use crate::sandbox::Sandbox;

/// A repository whose trainer leaves a mark when it is started.
fn marked() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\nloop: off\ntrainer: [sh, mark.sh]\n");
    sandbox.write("configs/config.yaml", "defaults:\n  - _self_\n  - experiment: null\nseed: 0\n");
    sandbox.write("configs/experiment/a.yaml", "# @package _global_\nmodel: {name: m}\n");
    sandbox.write("projects/p/project.yaml", "schema: 1\ntitle: P\nquestion: Q\n");
    sandbox.write("mark.sh", "touch \"$HOME/started\"; exit 1\n");
    sandbox.git("add -A");
    sandbox.git("commit -q -m start");
    sandbox
}

fn started(sandbox: &Sandbox) -> bool {
    std::fs::remove_file(sandbox.home().join("started")).is_ok()
}

#[test]
fn a_trainer_of_the_repository_waits_for_a_persons_word() {
    let sandbox = marked();
    for verb in ["run local a", "run smoke a", "train experiment=a"] {
        let said = sandbox.run(verb);
        assert!(said.contains("nobody has trusted in this clone yet: sh mark.sh"), "{said}");
        assert!(said.contains("--> configs/ar.yaml:3") && said.contains("git ar trust") && said.contains("[exit 4]"));
        assert!(!started(&sandbox));
    }
    assert!(sandbox.run("trust --list").contains("not trusted"));
    assert!(sandbox.run("trust").contains("recorded in this clone's git configuration"));
    assert!(sandbox.run("trust").contains("nothing changed"));
    sandbox.run("train experiment=a");
    assert!(started(&sandbox));
    // It is this clone's word; another clone asks again, and so do other words.
    sandbox.git("clone -q . ../other");
    let other = sandbox.top().parent().unwrap().join("other");
    assert!(sandbox.run_in(&other, "train experiment=a").contains("nobody has trusted"));
    sandbox.commit("configs/ar.yaml", "schema: 1\nloop: off\ntrainer: [sh, mark.sh, --more]\n");
    assert!(sandbox.run("train experiment=a").contains("sh mark.sh --more"));
    assert!(!started(&sandbox));
    sandbox.run("trust");
    assert!(sandbox.run("trust --revoke").contains("nothing is trusted"));
    assert!(sandbox.run("run local a").contains("[exit 4]") && !started(&sandbox));
}

#[test]
fn what_a_profile_puts_around_the_trainer_waits_too_and_ci_says_it_in_a_variable() {
    let sandbox = marked();
    sandbox.write("configs/ar.yaml", "schema: 1\nloop: off\ntrainer: reference\n");
    let profile = "schema: 1\nscheduler: local\ntransport: local\nlauncher: [sh, mark.sh]\n";
    sandbox.commit("configs/cluster/local.yaml", profile);
    let said = sandbox.run("train experiment=a");
    assert!(said.contains("sh mark.sh") && said.contains("local.yaml:4") && !started(&sandbox), "{said}");
    let list = sandbox.ar(&["trust", "--list", "--json"]);
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    let digest = list["data"]["items"][0]["digest"].as_str().unwrap().to_string();
    for (value, runs) in [(&digest[..16], true), (&digest[..4], false), ("", false), ("1", false), ("all", true)] {
        sandbox.sh(sandbox.top(), &format!("GIT_AR_TRUST={value} git-ar train experiment=a"));
        assert_eq!(started(&sandbox), runs, "{value}");
    }
}

#[test]
fn the_trainers_that_come_with_git_ar_need_no_word() {
    let sandbox = Sandbox::repository();
    sandbox.run("init --runs-only --trainer reference");
    assert!(sandbox.run("trust").contains("there is nothing to trust"));
    assert!(!sandbox.run("run smoke digits_ffnn_adam").contains("not trusted"));
}
