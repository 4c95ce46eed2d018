//! Keys stay where they are: out of commits, records, logs, jobs and the arguments of processes.

use std::os::unix::fs::PermissionsExt as _;

use crate::sandbox::Sandbox;
use crate::site::{PBS_18, Site};
use crate::submit;

/// A key as the tracking service gives it. Put together here, for this file is committed too.
fn key() -> String {
    "5ec2e7".repeat(7)[..40].to_string()
}

#[test]
fn a_key_is_not_committed() {
    let sandbox = Sandbox::repository();
    sandbox.commit("configs/ar.yaml", "schema: 1\ntrainer: reference\n");
    sandbox.run("hook install");
    let key = key();
    for (path, text, place) in [
        (".env", format!("A={key}\n"), ".env"),
        ("deep/er/.env.local", "A=1\n".to_string(), "deep/er/.env.local"),
        ("id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3\n".to_string(), "id_ed25519:1"),
        ("configs/wandb.yaml", format!("a: 1\nwandb:\n  api_key: {key}\n"), "configs/wandb.yaml:3"),
        ("train.py", format!("import os\nos.environ['WANDB_API_KEY'] = '{key}'\n"), "train.py:2"),
        ("job.sh", format!("export WANDB_API_KEY={key}\n"), "job.sh:1"),
        ("notes.md", format!("token: ghp_{}\n", "a1".repeat(18)), "notes.md:1"),
    ] {
        sandbox.write(path, &text);
        sandbox.git(&format!("add -f {path}"));
        let said = sandbox.try_git(sandbox.top(), "commit -q -m key");
        assert!(said.contains(&format!("--> {place}\n")) && said.contains("[exit 1]"), "{path}: {said}");
        assert!(!said.contains(&key), "{said}");
        sandbox.git(&format!("rm -q -f {path}"));
    }
    // What only looks like one.
    sandbox.commit("run.txt", &format!("commit: {key}\nWANDB_API_KEY=${{oc.env:WANDB_API_KEY}}\n"));
}

#[test]
fn an_environment_file_that_others_can_read_is_told() {
    let sandbox = Sandbox::repository();
    sandbox.run("init --trainer reference");
    sandbox.write(".env", "WANDB_API_KEY=x\n");
    let set =
        |mode| std::fs::set_permissions(sandbox.top().join(".env"), std::fs::Permissions::from_mode(mode)).unwrap();
    set(0o644);
    assert!(sandbox.run("doctor").contains("chmod 600 .env"));
    set(0o600);
    assert!(!sandbox.run("doctor").contains("chmod 600"));
}

#[test]
fn a_key_in_a_config_is_told_before_anything_is_trained() {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\nloop: off\ntrainer: [sh, train.sh]\n");
    sandbox.write("configs/config.yaml", "defaults:\n  - _self_\n  - experiment: null\nseed: 0\n");
    sandbox.write("configs/experiment/a.yaml", "# @package _global_\nmodel: {name: m}\n");
    sandbox.write("projects/p/project.yaml", "schema: 1\ntitle: P\nquestion: Q\n");
    sandbox.commit("train.sh", "touch \"$HOME/started\"\n");
    sandbox.run("trust");
    let said = sandbox.run(&format!("run local a +wandb.api_key={}", key()));
    assert!(said.contains("holds a key of a service") && said.contains("[exit 4]"), "{said}");
    assert!(!said.contains(&key()) && !sandbox.home().join("started").exists(), "{said}");
    sandbox.run("run local a '+wandb.api_key=${oc.env:KEY,none}'");
    assert!(sandbox.home().join("started").exists());
}

/// Whatever the environment and `.env` hold, none of it is in a job, on the site, in git or in what a process is called
/// with.
#[test]
fn a_submit_takes_no_key_along() {
    let key = key();
    let site = Site::start(PBS_18);
    let sandbox = submit::lab(&site, "ssh").with_env("WANDB_API_KEY", &key).with_env("AR_LAB_SECRET", &key);
    sandbox.write(".gitignore", ".env\n");
    sandbox.commit("configs/experiment/mlp.yaml", "# @package _global_\ndataset: {name: digits}\nmodel: {name: ffnn, hidden: [8]}\noptimizer: {name: sgd, lr: 0.1}\nsecret: ${oc.env:AR_LAB_SECRET,none}\n");
    sandbox.write("configs/ar.yaml", "schema: 1\nloop: off\ntrainer: [sh, ./train.sh]\n");
    sandbox.git("push -q origin develop");
    sandbox.write(".env", &format!("WANDB_API_KEY={key}\n"));
    // Every ssh that is started notes what it is called with and what it is told.
    let ssh = site.path("client/ssh");
    let real = std::fs::read_to_string(&ssh).unwrap().replace("#!/bin/sh\n", "");
    let log = site.path("client/called");
    let line = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$@\" >> {0}\ntee -a {0} | {1}\n",
        log.display(),
        real.trim().trim_start_matches("exec ")
    );
    std::fs::write(&ssh, line).unwrap();
    let said = sandbox.run("run submit mlp --seeds 0") + &sandbox.run("run submit mlp --seeds 1 --dry-run");
    assert!(said.contains("is queued on site") && !said.contains(&key), "{said}");
    site.idle();
    let told = sandbox.run("tick --now") + &sandbox.run("run list --json") + &sandbox.run("run show --json");
    assert!(!told.contains(&key), "{told}");
    let called = std::fs::read_to_string(&log).unwrap();
    assert!(called.contains("qsub") && !called.contains(&key) && !called.contains("qsub -V"), "{called}");
    assert!(site.calls().iter().all(|call| !call.contains(&key) && !call.contains(" -V")), "{:?}", site.calls());
    let grep = |folder: &std::path::Path| sandbox.sh(folder, &format!("grep -rl {key} . || true"));
    assert_eq!(grep(&site.path("scratch")), "");
    assert_eq!(grep(&site.path("pbs")), "");
    assert_eq!(grep(sandbox.top()).trim(), "./.env");
    assert_eq!(sandbox.sh(sandbox.top(), &format!("git log -p --all | grep -c {key} || true")).trim(), "0");
}
