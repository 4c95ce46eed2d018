//! `run submit` and `tick` together on a site with a scheduler that runs jobs: kills and resumes, lost answers, receipts.

use serde_json::{Value, json};

use crate::lab::{AT_ONCE, IN_EPOCHS, has, lacks, latest};
use crate::sandbox::Sandbox;
use crate::site::{PBS_18, PBS_23, Site};

fn lab(site: &Site, transport: &str) -> Sandbox {
    site.lab(transport, IN_EPOCHS)
}

/// The only run, and the folder of its record.
fn only_run(sandbox: &Sandbox) -> (String, String) {
    let run = latest(sandbox);
    (run.clone(), format!("projects/anp/runs/{run}"))
}

/// Ticks until nothing is active, each time when every job has ended; what the ticks said.
fn ticks(site: &Site, sandbox: &Sandbox) -> String {
    let mut said = String::new();
    for _ in 0..8 {
        site.idle();
        let tick = sandbox.run("tick --now");
        said.push_str(&tick);
        if tick.contains("no attempt is active") {
            return said;
        }
    }
    panic!("it never came to an end:\n{said}")
}

#[test]
fn a_walltime_kill_goes_on_from_its_checkpoint_with_one_unbroken_curve() {
    for (version, transport) in [(PBS_18, "ssh"), (PBS_23, "local")] {
        let site = Site::start(version);
        // What PBS Pro 18 was seen to report after a walltime kill.
        site.fault(if version == PBS_18 { json!({"walltime-exit": {"code": 0}}) } else { json!({}) });
        let sandbox = lab(&site, transport);
        has(&sandbox.run("run submit mlp epochs=40 --seeds 0 --walltime 00:02:00"), &["is queued on site"]);
        let said = ticks(&site, &sandbox);
        let (run, folder) = only_run(&sandbox);
        has(&said, &[&format!("{run}.1  job"), "killed (walltime)", "goes on as attempt 2, job", "succeeded: seeds 0"]);
        let first = sandbox.read(&format!("{folder}/attempts/1.yaml"));
        has(&first, &["verdict: killed", "cause: walltime", "checkpoints:", "code: 143"]);
        let metrics: Value = serde_json::from_str(&sandbox.read(&format!("{folder}/seed-0/metrics.json"))).unwrap();
        let curve: Vec<f64> =
            metrics["curve"]["val/accuracy"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        let unbroken: Vec<f64> = (1..=40).map(|e| f64::from(100 + e) / 1000.0).collect();
        assert_eq!(curve, unbroken);
        let walltimes: Vec<i64> = site.jobs().iter().map(|job| job["walltime"].as_i64().unwrap()).collect();
        assert!(walltimes.windows(2).all(|pair| pair[0] < pair[1]), "the walltime grows: {walltimes:?}");
        has(&sandbox.run(&format!("run show {run}")), &["succeeded"]);
        assert_eq!(sandbox.git("status --short"), "");
        has(&sandbox.run("check --range origin/develop..HEAD"), &["in order"]);
    }
}

#[test]
fn a_submit_whose_answer_was_lost_is_found_by_the_tick() {
    let site = Site::start(PBS_18);
    let sandbox = lab(&site, "ssh");
    site.fault(json!({"qsub-cut": {"times": 1}}));
    has(&sandbox.run("run submit mlp --seeds 0"), &["[exit 7]"]);
    site.fault(json!({"qsub-cut": null}));
    site.idle();
    let said = sandbox.run("tick --now");
    has(&said, &["its submit got through as job", "it is recorded now", "succeeded: seeds 0"]);
    assert_eq!(site.jobs().len(), 1);
    has(&sandbox.run("tick --now"), &["no attempt is active"]);
    has(&sandbox.run("run submit mlp --seeds 0"), &["has its result in run", "nothing is left to submit"]);
    // The run, looked at again; then its record is tampered with.
    let (run, folder) = only_run(&sandbox);
    let verified = sandbox.run(&format!("run verify {run}"));
    has(
        &verified,
        &["as recorded", "ok     anchor", "ok     snapshot", "ok     config", "ok     composed", "ok     seed 0"],
    );
    let metrics = format!("{folder}/seed-0/metrics.json");
    sandbox.write(&metrics, &sandbox.read(&metrics).replace("\"seed\":0", "\"seed\":1"));
    has(&sandbox.run(&format!("run verify {run}")), &["1 of", "WRONG  seed 0", "has seed `1`", "[exit 1]"]);
}

#[test]
fn what_was_submitted_on_the_site_itself_is_recorded_from_its_receipt() {
    let site = Site::without_ssh(PBS_18);
    let sandbox = lab(&site, "local");
    let clone = sandbox.home().join("clone");
    sandbox.sh(sandbox.home(), "git clone -q -b develop remote.git clone");
    let said = sandbox.run_in(&clone, "run submit mlp --seeds 0 --here");
    has(&said, &["is queued"]);
    assert_eq!(sandbox.try_git(&clone, "rev-list --count HEAD"), "1\n", "{said}");
    has(&sandbox.run("tick --now"), &["no attempt is active"]);
    site.idle();
    has(
        &sandbox.run("tick --now --cluster site"),
        &["submitted on site itself as job", "succeeded: seeds 0", "committed"],
    );
    has(&sandbox.run("tick --now --cluster site"), &["no attempt is active"]);
    assert_eq!(sandbox.git("rev-list --count HEAD"), "3\n");
}

#[test]
fn a_failed_job_is_submitted_again_by_a_person_alone() {
    let site = Site::without_ssh(PBS_23);
    let sandbox = lab(&site, "local");
    std::fs::write(site.path("scratch/fail"), "").unwrap();
    sandbox.run("run submit mlp --seeds 0-1 --seeds-as sequence");
    has(
        &ticks(&site, &sandbox),
        &["failed (code)", "seed 0: the trainer ended with exit status 3", "not submitted again"],
    );
    let (run, folder) = only_run(&sandbox);
    assert_eq!(site.jobs().len(), 1);
    let triage = sandbox.run("run triage");
    has(&triage, &[&format!("{run}.1  failed (code)"), "  | Error: the data is not ready", "git ar job logs"]);
    std::fs::remove_file(site.path("scratch/fail")).unwrap();
    has(&sandbox.run(&format!("job resubmit {run}")), &["seeds 0-1: attempt 2, job 1.vm", "committed"]);
    has(&sandbox.run(&format!("job resubmit {run}")), &["nothing changed: attempt 2 is active"]);
    has(&ticks(&site, &sandbox), &[&format!("{run}.2"), "succeeded: seeds 0-1"]);
    has(&sandbox.run(&format!("job resubmit {run}")), &["nothing changed: every seed has its result"]);
    has(&sandbox.run("run triage"), &["nothing needs to be looked at"]);
    assert!(sandbox.top().join(&folder).join("seed-1/metrics.json").exists());
    has(&sandbox.run(&format!("job script {run} --attempt 1")), &["#PBS -N"]);
}

#[test]
fn seeds_as_an_array_and_as_jobs_of_their_own_are_collected_alike() {
    let site = Site::without_ssh(PBS_18);
    let sandbox = lab(&site, "local");
    for (seeds, form, attempts) in [("0-1", "array", 1), ("2-3", "jobs", 2)] {
        has(&sandbox.run(&format!("run submit mlp --seeds {seeds} --seeds-as {form}")), &["is queued on site"]);
        let said = ticks(&site, &sandbox);
        assert_eq!(said.matches("succeeded: seeds").count(), attempts, "{said}");
        has(&sandbox.run("run list"), &[&format!("{seeds} (2)  succeeded")]);
    }
    has(&sandbox.run("run triage"), &["nothing needs to be looked at"]);
}

#[test]
fn an_attempt_is_made_again_so_often_and_then_waits_for_a_person() {
    let site = Site::without_ssh(PBS_18);
    let sandbox = lab(&site, "local");
    let profile = format!("{}resubmit: 1\n", site.profile("local"));
    sandbox.commit("configs/cluster/site.yaml", &profile);
    sandbox.git("push -q origin develop");
    has(&sandbox.run("run submit mlp epochs=4000 --seeds 0 --walltime 00:02:00"), &["is queued on site"]);
    let said = ticks(&site, &sandbox);
    has(&said, &["killed (walltime)", "goes on as attempt 2, job 1.vm, for 00:03:00"]);
    has(&said, &["not submitted again: it was submitted again once already"]);
    assert_eq!(said.matches("goes on as").count(), 1, "{said}");
    has(&sandbox.run("tick --now"), &["no attempt is active"]);
    assert_eq!(site.jobs().len(), 2);
    let (run, folder) = only_run(&sandbox);
    has(&sandbox.read(&format!("{folder}/attempts/2.yaml")), &["verdict: killed", "cause: walltime"]);
    has(&sandbox.run("run triage"), &[&format!("git ar job resubmit {run}")]);
}

#[test]
fn a_checkpoint_that_stands_still_is_not_tried_again() {
    let site = Site::without_ssh(PBS_23);
    let sandbox = site.lab(
        "local",
        "d=$AR_RUN_DIR/seed-$AR_SEED; mkdir -p \"$d\"\n[ -e \"$d/ckpt\" ] || echo 1 >\"$d/ckpt\"\nsleep 60\n",
    );
    sandbox.run("run submit mlp --seeds 0 --walltime 00:01:00");
    let said = ticks(&site, &sandbox);
    has(&said, &["goes on as attempt 2", "not submitted again: its checkpoint did not move on"]);
    assert_eq!(site.jobs().len(), 2);
}

#[test]
fn a_scheduler_that_hangs_keeps_no_other_cluster_waiting() {
    let (site, other) = (Site::without_ssh(PBS_18), Site::without_ssh(PBS_23));
    let sandbox = lab(&site, "local");
    sandbox.commit("configs/cluster/other.yaml", &other.profile("local"));
    sandbox.git("push -q origin develop");
    for (cluster, seed) in [("site", 0), ("other", 1)] {
        has(&sandbox.run(&format!("run submit mlp --seeds {seed} --cluster {cluster}")), &["is queued on"]);
    }
    sandbox.commit("configs/cluster/site.yaml", &format!("{}patience_s: 4\n", site.profile("local")));
    site.idle();
    other.idle();
    site.fault(json!({"qstat-hang": {}}));
    let said = sandbox.run("tick --now");
    has(&said, &["cannot ask the scheduler on site: no answer within 4 s", "other: 1 attempt", "succeeded: seeds 1"]);
    has(&said, &["site: 1 attempt, no answer; as seen last:", "committed", "[exit 7]"]);
    has(&sandbox.run("run list"), &["1 (1)  succeeded", "0 (0)  active"]);
    site.fault(json!({"qstat-hang": null}));
    has(&sandbox.run("tick --now"), &["succeeded: seeds 0", "committed"]);
    assert_eq!((site.jobs().len(), other.jobs().len()), (1, 1));
}

#[test]
fn a_site_whose_clock_is_a_day_off_is_judged_by_its_own_clock() {
    for off in [86_400, -86_400] {
        let site = Site::without_ssh(PBS_18);
        site.clock(off);
        let sandbox = lab(&site, "local");
        sandbox.run("run submit mlp epochs=12 --seeds 0");
        let (run, folder) = only_run(&sandbox);
        site.until_in_scratch(&format!("runs/{run}/heartbeat-1"));
        lacks(&sandbox.run("tick --now"), &["last sign of life", "[exit"]);
        // Forgotten while it runs, it is alive by its heartbeat.
        site.forget(0);
        has(&sandbox.run("tick --now"), &["not known to the scheduler, but its heartbeat goes on"]);
        site.idle();
        has(&sandbox.run("tick --now"), &["succeeded: seeds 0", "committed"]);
        let record: String = sandbox.read(&format!("{folder}/attempts/1.yaml"));
        let day = if off > 0 { 1 } else { -1 };
        let today = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * day);
        has(&record, &[&format!("at: \"{}", today.strftime("%Y-%m-%d"))]);
        let shown = sandbox.run(&format!("run show {run}"));
        lacks(&shown, &[" -", "ago", "[exit"]);
    }
}

#[test]
fn an_arrays_members_are_judged_one_by_one_whatever_its_parent_reports() {
    for (version, parent) in [(PBS_18, 1), (PBS_23, 0)] {
        let site = Site::without_ssh(version);
        let sandbox = site.lab(
            "local",
            &format!("[ \"$AR_SEED\" != 1 ] || {{ echo 'Error: no such layer' >&2; exit 3; }}\n{AT_ONCE}"),
        );
        sandbox.run("run submit mlp --seeds 0-2 --seeds-as array");
        site.idle();
        assert_eq!(site.jobs()[0]["exit"], parent, "{version}");
        let said = sandbox.run("tick --now");
        has(&said, &["failed (code): seeds 0,2; seed 1: the trainer ended with exit status 3"]);
        let (_, folder) = only_run(&sandbox);
        let files = sandbox.git(&format!("ls-files {folder}"));
        has(&files, &["seed-0/metrics.json", "seed-2/metrics.json"]);
        lacks(&files, &["seed-1/"]);
    }
}
