//! `git ar cluster doctor` and `setup` through a real ssh server.

use serde_json::{Value, json};

use crate::sandbox::Sandbox;
use crate::site::{PBS_18, PBS_23, Site, wait};

/// A repository with the site as its only cluster that has a scheduler.
fn repository(site: &Site, transport: &str, more: &str) -> Sandbox {
    let sandbox = site.enter(Sandbox::repository());
    assert!(sandbox.run("init").contains("committed"));
    sandbox.commit("configs/cluster/site.yaml", &format!("{}{more}", site.profile(transport)));
    sandbox
}

fn check(sandbox: &Sandbox, name: &str) -> Value {
    let output = sandbox.ar(&["cluster", "doctor", "--json", "site"]);
    let envelope: Value = serde_json::from_slice(&output.stdout).unwrap();
    envelope["data"]["checks"].as_array().unwrap().iter().find(|c| c["name"] == name).unwrap().clone()
}

#[test]
fn a_site_is_set_up_once_and_looked_at() {
    for (version, transport) in [(PBS_18, "ssh"), (PBS_23, "local")] {
        let site = Site::start(version);
        let sandbox = repository(&site, transport, "");
        assert_eq!(check(&sandbox, "scratch")["state"], "missing");
        let shown = sandbox.run("cluster setup site --dry-run");
        assert!(
            shown.contains("#PBS -N git-ar-setup-") && shown.contains("mkdir -p \"$ar_base/snapshots\""),
            "{shown}"
        );
        assert!(site.jobs().is_empty() && std::fs::read_dir(site.path("scratch")).unwrap().next().is_none());
        let first = sandbox.run("cluster setup site");
        assert!(first.contains("done     folders") && first.contains("done     job          0.vm"), "{first}");
        site.idle();
        wait(|| sandbox.run("cluster setup site").contains("ran on"), "the test job's result");
        let again = sandbox.run("cluster setup site");
        assert!(again.contains("already  folders") && again.contains("already  job"), "{again}");
        assert_eq!(site.jobs().len(), 1);
        assert_eq!(check(&sandbox, "scratch")["state"], "ok");
        assert_eq!(check(&sandbox, "queues")["state"], "ok");
        assert!(check(&sandbox, "scheduler")["found"].as_str().unwrap().contains(version));
    }
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let site = Site::start(PBS_18);
    let more = "account_required: true\nmodules: [no/such]\nfile_age_days: 90\n";
    let sandbox = repository(&site, "ssh", more);
    site.configure(json!({"queues": {"gpu_1": {"walltime": 3600}, "serial": {"walltime": 172_800, "enabled": false}}}));
    let said = sandbox.run("cluster doctor");
    for words in [
        "the profile allows 12:00:00, the scheduler 01:00:00",
        "serial: takes no jobs now",
        "the site refuses jobs without one",
        "no/such: there is no `module` command",
        "[exit 1]",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    let untrusting = repository(&site, "ssh", "setup: [\"touch \\\"$HOME/ran\\\"\"]\n").with_env("GIT_AR_TRUST", "");
    assert!(untrusting.run("cluster setup site --no-job").contains("[exit 4]"));
    assert!(!site.path("home/ran").exists());
    let text = sandbox.read("configs/cluster/site.yaml").replace("/pbs/bin", "/none");
    sandbox.commit("configs/cluster/site.yaml", &text);
    assert!(sandbox.run("cluster doctor site").contains("no qsub, qstat, qdel, qselect without a login shell"));
    let refused = sandbox.run("cluster setup site --no-job");
    assert!(refused.contains("failed   environment") && refused.contains("[exit 1]"), "{refused}");
}

#[test]
fn a_site_that_does_not_answer_is_neither_well_nor_ill() {
    let site = Site::start(PBS_18);
    let sandbox = repository(&site, "ssh", "");
    site.fault(json!({"down": {}}));
    assert!(sandbox.run("cluster doctor site").contains("cannot connect to server"));
    site.fault(json!({"down": null}));
    site.cut();
    for line in ["cluster doctor site", "cluster setup site"] {
        let said = sandbox.run(line);
        assert!(said.contains("Connection refused") && said.contains("[exit 7]") && said.contains("handoff"), "{said}");
    }
}

#[test]
fn a_refused_test_job_is_told_and_can_be_repeated() {
    let site = Site::start(PBS_18);
    let sandbox = repository(&site, "ssh", "");
    site.configure(json!({"project_required": true}));
    let refused = sandbox.run("cluster setup site");
    assert!(refused.contains("failed   job") && refused.contains("no valid project"), "{refused}");
    let text = sandbox.read("configs/cluster/site.yaml") + "account: ABCD1234\n";
    sandbox.commit("configs/cluster/site.yaml", &text);
    assert!(sandbox.run("cluster setup site").contains("done     job"));
    // The answer is lost after the job got in: it is found again, and not submitted twice.
    let text = text.replace("ABCD1234", "ABCD1235");
    sandbox.commit("configs/cluster/site.yaml", &text);
    site.fault(json!({"qsub-cut": {"times": 1}}));
    assert!(sandbox.run("cluster setup site").contains("[exit 7]"));
    let found = sandbox.run("cluster setup site");
    assert!(found.contains("waiting  job") || found.contains("already  job"), "{found}");
    site.idle();
    assert_eq!(site.jobs().len(), 2);
}

#[test]
fn what_lies_there_unused_is_listed_and_nothing_is_removed() {
    let site = Site::start(PBS_18);
    let sandbox = crate::submit::lab(&site, "ssh");
    let found = |name: &str| check(&sandbox, name)["found"].as_str().unwrap().to_string();
    assert!(sandbox.run("run submit mlp --seeds 0").contains("is queued"));
    for name in ["snapshots", "runs"] {
        let said = found(name);
        assert!(said.starts_with("1 of ") && !said.contains(';'), "{name}: {said}");
    }
    site.idle();
    assert!(sandbox.run("tick --now").contains("succeeded"));
    assert!(found("snapshots").contains("; used by no attempt that is active: 1 of "), "{}", found("snapshots"));
    assert!(found("runs").contains("; over and recorded: 1 of "), "{}", found("runs"));
    let runs = std::fs::read_dir(site.path("scratch")).unwrap().next().unwrap().unwrap().path().join("runs");
    std::fs::create_dir(runs.join("kzzzz-other")).unwrap();
    assert!(found("runs").contains("; not recorded in this clone: 1 of "), "{}", found("runs"));
    assert!(runs.join("kzzzz-other").exists());
}

#[test]
fn a_git_ar_that_does_not_start_there_is_told() {
    let site = Site::start(PBS_18);
    let sandbox = repository(&site, "ssh", "");
    for (trainer, words) in [
        ("reference", "no git-ar, which the trainer `reference` needs there"),
        ("[python3, train.py]", "no git-ar (jobs need none)"),
    ] {
        sandbox.write("configs/ar.yaml", &format!("schema: 1\nloop: off\ntrainer: {trainer}\n"));
        let said = check(&sandbox, "programs")["found"].as_str().unwrap().to_string();
        assert!(said.contains(words), "{said}");
    }
    let ours = site.path("home/bin/git-ar");
    std::fs::create_dir(ours.parent().unwrap()).unwrap();
    let put = |text: &str| {
        std::fs::write(&ours, text).unwrap();
        std::fs::set_permissions(&ours, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    };
    put("#!/bin/sh\necho 'git-ar: /lib64/libc.so.6: version `GLIBC_2.34` not found' >&2\nexit 1\n");
    let said = sandbox.run("cluster doctor site");
    for words in ["git-ar does not start there", "`GLIBC_2.34` not found", "cargo xtask static", "run submit --dry-run"]
    {
        assert!(said.contains(words), "{words}\n{said}");
    }
    assert!(!said.contains("[exit"), "jobs need none: {said}");
    put("#!/bin/sh\necho git-ar 0.1.0\n");
    assert!(check(&sandbox, "programs")["found"].as_str().unwrap().contains("git-ar 0.1.0"));
}
