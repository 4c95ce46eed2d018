//! Commands on a cluster that only a person reaches: sheets go there, receipts come back, the record is the same.

use std::path::Path;

use serde_json::Value;

use crate::sandbox::Sandbox;
use crate::site::{PBS_18, Site};
use crate::submit::lab;

/// What the person does: runs the sheet on the site, and keeps its receipt in the home folder.
fn carry(site: &Site, sandbox: &Sandbox, said: &Value) {
    for sheet in said["data"]["sheets"].as_array().unwrap() {
        let output = std::process::Command::new("sh")
            .arg(sheet["file"].as_str().unwrap())
            .current_dir(site.path("home"))
            .env_clear()
            .env("HOME", site.path("home"))
            .env("PATH", "/usr/bin:/bin")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::write(sandbox.home().join("receipt"), output.stdout).unwrap();
    }
}

fn json(sandbox: &Sandbox, words: &[&str]) -> Value {
    let output = sandbox.ar(words);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", sandbox.shown(&output)))
}

/// Sheets and receipts until the command is done; how many there were.
fn all_by_hand(site: &Site, sandbox: &Sandbox, words: &[&str]) -> (usize, Value) {
    let mut said = json(sandbox, &[&["handoff", "--json"], words].concat());
    let receipt = sandbox.home().join("receipt");
    let mut rounds = 0;
    while said["data"]["sheets"].is_array() {
        rounds += 1;
        assert!(rounds < 5, "{said}");
        carry(site, sandbox, &said);
        said = json(sandbox, &["handoff", "--json", "--receipt", receipt.to_str().unwrap()]);
    }
    (rounds, said)
}

#[test]
fn a_run_is_submitted_and_collected_by_hand() {
    let site = Site::without_ssh(PBS_18);
    let sandbox = lab(&site, "ssh");
    let said = sandbox.run("handoff run submit mlp --seeds 0");
    for words in
        ["1. look at the sheet", "site:git-ar-", "1) prepare the folders", "2) store the snapshot", "3) submit a job"]
    {
        assert!(said.contains(words), "{words}\n{said}");
    }
    assert!(site.jobs().is_empty() && sandbox.git("status --short").is_empty());
    assert!(sandbox.run("handoff tick").contains("[exit 8]"), "one thing at a time");
    let (rounds, done) = all_by_hand(&site, &sandbox, &["run", "submit", "mlp", "--seeds", "0"]);
    assert_eq!(rounds, 1, "{done}");
    assert_eq!(site.jobs().len(), 1);
    let list = json(&sandbox, &["run", "list", "--json"]);
    assert_eq!(list["data"]["runs"][0]["state"], "active");
    let run = list["data"]["runs"][0]["run"].as_str().unwrap();
    assert!(sandbox.read(&format!("projects/anp/runs/{run}/attempts/1.yaml")).contains("job: "));
    site.idle();
    let (rounds, done) = all_by_hand(&site, &sandbox, &[]);
    assert_eq!((rounds, &done["ok"]), (1, &Value::Bool(true)), "{done}");
    let list = json(&sandbox, &["run", "list", "--json"]);
    assert_eq!(list["data"]["runs"][0]["state"], "succeeded", "{done}");
    assert_eq!(sandbox.git("status --short"), "");
    assert!(!sandbox.top().join(".git/ar/handoff/waiting.json").exists());
}

#[test]
fn one_sheet_is_enough_for_a_tick_whatever_the_scheduler_says() {
    let site = Site::without_ssh(PBS_18);
    let sandbox = lab(&site, "ssh");
    all_by_hand(&site, &sandbox, &["run", "submit", "mlp", "--seeds", "0"]);
    site.idle();
    site.starts(false);
    all_by_hand(&site, &sandbox, &["run", "submit", "mlp", "epochs=4", "--seeds", "0"]);
    let said = json(&sandbox, &["handoff", "--json"]);
    let steps = said["data"]["sheets"][0]["steps"].to_string();
    assert_eq!(steps, "[\"look for receipts\",\"ask the scheduler\",\"look at the runs\"]");
    let (rounds, done) = all_by_hand(&site, &sandbox, &[]);
    assert_eq!(rounds, 1, "{done}");
    let clusters = &done["data"]["clusters"][0];
    assert_eq!((clusters["ended"].as_array().unwrap().len(), clusters["active"].as_array().unwrap().len()), (1, 1));
    assert!(clusters["active"].to_string().contains("queued"), "{done}");
}

#[test]
fn a_sheet_that_is_run_twice_submits_once_and_a_foreign_receipt_is_refused() {
    let site = Site::without_ssh(PBS_18);
    let sandbox = lab(&site, "ssh");
    let said = json(&sandbox, &["handoff", "--json", "run", "submit", "mlp", "--seeds", "0"]);
    carry(&site, &sandbox, &said);
    carry(&site, &sandbox, &said);
    assert_eq!(site.jobs().len(), 1);
    let receipt = sandbox.home().join("receipt");
    let text = std::fs::read_to_string(&receipt).unwrap();
    let take = |text: &str| {
        std::fs::write(&receipt, text).unwrap();
        sandbox.run(&format!("handoff --receipt {}", receipt.display()))
    };
    for bad in [
        text[..text.len() - 80].to_string(),
        text.replacen("call", "c4ll", 1),
        text.replace("receipt 1 ", "receipt 1 0"),
        "hello\n".into(),
    ] {
        let refused = take(&bad);
        assert!(refused.contains("this receipt is not taken") && refused.contains("[exit 5]"), "{refused}");
    }
    // The second time the job was there already, so what was submitted is read once more.
    assert!(take(&text).contains("1) read what was submitted"));
    let (rounds, done) = all_by_hand(&site, &sandbox, &[]);
    assert!(rounds == 1 && done["data"]["cells"].is_array(), "{done}");
    assert!(take(&text).contains("nothing waits for a receipt"));
    assert_eq!(site.jobs().len(), 1);
    assert!(Path::new(&receipt).exists());
}

#[test]
fn what_waits_can_be_dropped() {
    let site = Site::without_ssh(PBS_18);
    let sandbox = lab(&site, "ssh");
    assert!(sandbox.run("handoff cluster doctor site").contains("1) look round"));
    assert!(sandbox.run("handoff").contains("1) look round"), "the same sheet again");
    assert!(sandbox.run("handoff --drop").contains("waits no more"));
    assert!(sandbox.run("handoff --drop").contains("nothing waits"));
    assert!(sandbox.run("handoff handoff").contains("[exit 2]"));
    let (rounds, done) = all_by_hand(&site, &sandbox, &["cluster", "doctor", "site"]);
    assert!(rounds >= 1 && done["data"]["checks"].is_array(), "{done}");
}
