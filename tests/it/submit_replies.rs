//! Every way in which `qsub` can answer a submit, as real servers did: what is refused is told and can be repeated, and
//! what is not certain is found out before anything is sent a second time.

use serde_json::{Value, json};

use crate::lab::{has, lacks};
use crate::sandbox::Sandbox;
use crate::site::{PBS_18, PBS_23, Site};
use crate::submit::lab;

const REPLIES: [&str; 3] = [
    include_str!("../data/pbs/pbspro-18.1.4.jsonl"),
    include_str!("../data/pbs/openpbs-23.06.06.jsonl"),
    include_str!("../data/pbs/noted.jsonl"),
];

/// The recorded replies of `qsub` that are no id: name, exit status, first words.
fn refusals() -> Vec<(String, i64, String)> {
    let all = REPLIES.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str::<Value>(line).unwrap());
    let qsub = all.filter(|reply| {
        let command = reply["command"].as_str().unwrap();
        command.rsplit([';', '|']).next().unwrap().contains("qsub ") && reply["rc"] != 0
    });
    let words = |reply: &Value| reply["stderr"].as_str().unwrap().lines().last().unwrap().trim().to_string();
    let mut found: Vec<(String, i64, String)> = qsub
        .map(|reply| (reply["name"].as_str().unwrap().to_string(), reply["rc"].as_i64().unwrap(), words(&reply)))
        .collect();
    found.sort_by_key(|(_, code, _)| *code);
    found.dedup_by_key(|(_, code, _)| *code);
    found
}

fn head(sandbox: &Sandbox) -> (String, String) {
    (sandbox.git("rev-parse HEAD"), sandbox.git("status --short"))
}

#[test]
fn every_recorded_refusal_is_told_in_its_own_words_and_leaves_nothing() {
    let site = Site::without_ssh(PBS_23);
    let sandbox = lab(&site, "local");
    let before = head(&sandbox);
    let refusals = refusals();
    let codes: Vec<i64> = refusals.iter().map(|(_, code, _)| *code).collect();
    for code in [1, 2, 5, 6, 32, 38, 162, 170, 187, 188] {
        assert!(codes.contains(&code), "{code} is not among {codes:?}");
    }
    for (name, code, words) in &refusals {
        site.fault(json!({"qsub-says": {"recorded": name, "times": 1}}));
        let said = sandbox.run("run submit mlp --seeds 0");
        match code {
            162 => has(&said, &["nobody can say yet", "[exit 7]"]),
            // The usage that follows a wrong option is cut.
            2 => has(&said, &["the scheduler of site refused run", "qsub: ", "[exit 11]"]),
            _ => has(&said, &["the scheduler of site refused run", words, "[exit 11]"]),
        }
        lacks(&said, &["--force", "rm -"]);
        assert_eq!(head(&sandbox), before, "{name}");
    }
    has(&sandbox.run("run submit mlp --seeds 0"), &["is queued on site"]);
    assert_eq!(site.jobs().len(), 1);
    has(&sandbox.run("doctor"), &["nothing is pending"]);
}

#[test]
fn an_id_beside_a_failure_is_neither_believed_nor_sent_again() {
    let site = Site::without_ssh(PBS_18);
    let sandbox = lab(&site, "local");
    let odd = [
        json!({"out": "ID\n", "err": "qsub: hook said something\n", "code": 1}),
        json!({"out": "ID\n", "code": 38, "err": "qsub: would exceed queue gpu_1's per-user limit\n"}),
        json!({"out": "Welcome to the cluster\n7 jobs\n"}),
        json!({"out": "\u{1b}[31mID\n", "err": "qsub: warning\n", "code": 137}),
    ];
    for (seed, odd) in odd.iter().enumerate() {
        let mut fault = odd.clone();
        fault["times"] = 1.into();
        site.fault(json!({ "qsub-odd": fault }));
        let said = sandbox.run(&format!("run submit mlp --seeds {seed}"));
        has(&said, &["is queued on site", &format!("job {seed}.vm"), "committed"]);
        assert_eq!(site.jobs().len(), seed + 1, "{odd}");
    }
    has(&sandbox.run("doctor"), &["nothing is pending"]);
}

#[test]
fn what_was_refused_mended_and_then_lost_is_found() {
    let site = Site::start(PBS_18);
    let sandbox = lab(&site, "ssh");
    site.fault(json!({"qsub-says": {"recorded": "err-maxqueued", "times": 1}}));
    has(&sandbox.run("run submit mlp --seeds 0"), &["per-user limit", "[exit 11]"]);
    site.fault(json!({"qsub-says": null, "qsub-cut": {"times": 1}}));
    has(&sandbox.run("run submit mlp --seeds 0"), &["[exit 7]"]);
    has(&sandbox.run("tick --now"), &["its submit got through as job 0.vm; it is recorded now"]);
    assert_eq!(site.jobs().len(), 1);
}

#[test]
fn a_job_that_was_over_before_its_id_arrived_is_known_by_its_own_word() {
    // A server that keeps no history forgets a job at once; the first one is over before anybody looks.
    let site = Site::start(PBS_18);
    site.configure(json!({"history": false}));
    let sandbox = lab(&site, "ssh");
    site.fault(json!({"qsub-cut": {"times": 1}}));
    has(&sandbox.run("run submit mlp --seeds 0"), &["[exit 7]"]);
    site.idle();
    has(&sandbox.run("run submit mlp --seeds 0"), &["seed 0 is on its way in run"]);
    assert_eq!(site.jobs().len(), 1);
    has(&sandbox.run("tick --now"), &["job 0.vm  succeeded: seeds 0"]);
    // The members of an array name the array.
    site.fault(json!({"qsub-cut": {"times": 1}}));
    has(&sandbox.run("run submit mlp --seeds 1-2 --seeds-as array"), &["[exit 7]"]);
    site.idle();
    let said = sandbox.run("tick --now");
    has(&said, &["its submit got through as job 1[].vm; it is recorded now", "succeeded: seeds 1-2"]);
    assert_eq!(site.jobs().len(), 2);
}

#[test]
fn a_job_of_the_same_name_is_somebody_elses() {
    let site = Site::without_ssh(PBS_18);
    let sandbox = lab(&site, "local").with_env("ME", "alice");
    // Everybody has a folder of their own, and what is submitted from the same commit has the same name.
    let scratch = format!("scratch: {}", site.path("scratch").display());
    let profile = site.profile("local").replace(&scratch, &format!("{scratch}/$ME"));
    sandbox.commit("configs/cluster/site.yaml", &profile);
    sandbox.git("push -q origin develop");
    let other = sandbox.home().join("other");
    sandbox.sh(sandbox.home(), "git clone -q -b develop remote.git other");
    site.configure(json!({"owner": "alice"}));
    has(&sandbox.run("run submit mlp --seeds 0"), &["is queued on site"]);
    site.configure(json!({"owner": null}));
    let submit = || {
        let mut command = sandbox.command(&other, env!("CARGO_BIN_EXE_git-ar"));
        sandbox.shown(&command.args(["run", "submit", "mlp", "--seeds", "0"]).env("ME", "bob").output().unwrap())
    };
    // The answer says nothing, and no job got in: that of the other person is none of ours.
    site.fault(json!({"qsub-says": {"recorded": "qdel-running", "times": 1}}));
    has(&submit(), &["printed no job id", "[exit 7]"]);
    has(&submit(), &["is queued on site", "job 1.vm"]);
    let names: Vec<String> = site.jobs().iter().map(|job| job["name"].to_string()).collect();
    assert_eq!((names.len(), &names[0]), (2, &names[1]));
}

#[test]
fn a_server_without_history_is_asked_about_the_present() {
    let site = Site::without_ssh(PBS_23);
    site.configure(json!({"history": false}));
    let sandbox = lab(&site, "local");
    site.starts(false);
    has(&sandbox.run("run submit mlp --seeds 0"), &["is queued on site"]);
    has(&sandbox.run("tick --now"), &["job 0.vm  queued"]);
    has(&sandbox.run("job why ''"), &["scheduler  queued (Q)"]);
    site.starts(true);
    site.idle();
    has(&sandbox.run("tick --now"), &["job 0.vm  succeeded: seeds 0", "committed"]);
    let asked: Vec<String> = site.calls().into_iter().filter(|call| call.starts_with("qstat")).collect();
    assert_eq!(asked, ["qstat -xfw 0.vm", "qstat -fw 0.vm"].repeat(3));
}
