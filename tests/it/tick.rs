//! `tick` from end to end: attempts that were submitted, what the scheduler and the run directories say of them, and the
//! one commit that comes of it.

use crate::lab::recorded::Lab;
use crate::lab::{has, lacks};
use crate::sandbox::Sandbox;

#[test]
fn what_ended_well_is_collected_into_one_commit_with_its_board() {
    let lab = Lab::new();
    let run = lab.submitted("ka001-mlp", &[0, 1]);
    lab.job(&run, "R", "");
    has(&lab.run("tick"), &["lab: 1 attempt", "ka001-mlp.1  job 1.vm  running  (seen 2026-", "nothing changed"]);
    // A scheduler that was just asked is left in peace.
    lab.job(&run, "F", "    Exit_status = 0\n    substate = 92\n");
    has(&lab.run("tick"), &["(--now asks again)", "running"]);
    assert_eq!(lab.queries(), 1);
    has(&lab.run("tick --now"), &["over for the scheduler; waiting for the job's own word"]);
    lab.started(&run);
    lab.result(&run, 0, 0.9);
    lab.result(&run, 1, 0.7);
    lab.ended(&run, 0, "");
    let before = lab.box_.git("rev-list --count HEAD");
    has(&lab.run("tick --now --dry-run"), &["succeeded: seeds 0-1", "nothing was done"]);
    assert_eq!(lab.box_.git("rev-list --count HEAD"), before);
    has(&lab.run("tick --now"), &["ka001-mlp.1  job 1.vm  succeeded: seeds 0-1", "committed"]);
    let files = lab.box_.git("show --format= --name-only HEAD");
    let folder = "projects/anp/runs/ka001-mlp";
    for file in ["attempts/1.yaml", "seed-0/metrics.json", "seed-1/metrics.json"] {
        has(&files, &[&format!("{folder}/{file}\n")]);
    }
    has(&files, &["leaderboard/digits.md\n"]);
    has(&lab.box_.git("log -1 --format=%B"), &["tick: run ka001-mlp succeeded, seeds 0-1", "AR-Run: ka001-mlp"]);
    let record = lab.box_.read(&format!("{folder}/attempts/1.yaml"));
    has(&record, &["job: 1.vm", "verdict: succeeded", "checked: \"2026-", "host: n1"]);
    assert_eq!(lab.box_.git("status --short"), "");
    has(&lab.run("check --range HEAD~1..HEAD"), &["in order"]);
    has(&lab.run("board check"), &["in step"]);
    // Repeated, nothing is left to ask.
    has(&lab.run("tick --now"), &["no attempt is active"]);
}

#[test]
fn a_scheduler_that_does_not_answer_changes_nothing() {
    let lab = Lab::new();
    let run = lab.submitted("ka001-mlp", &[0]);
    lab.started(&run);
    lab.result(&run, 0, 0.9);
    lab.ended(&run, 0, "");
    lab.job(&run, "R", "");
    lab.run("tick");
    for broken in
        ["echo 'qstat: cannot connect to server vm (errno=111)' >&2; exit 255", "kill -9 $$", "echo nonsense; exit 0"]
    {
        lab.qstat(broken);
        let said = lab.run("tick --now");
        has(&said, &["no answer; as seen last", "running  (seen 2026-01-05", "[exit 7]"]);
        assert_eq!(lab.box_.git("rev-list --count HEAD"), "2\n", "{broken}");
    }
    let json = lab.box_.ar(&["tick", "--now", "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json.status.code(), Some(7));
    has(&value["next"].to_string(), &["git ar handoff"]);
    lacks(&value["next"].to_string(), &["reset", "--force"]);
}

#[test]
fn a_job_that_vanished_is_unknown_until_it_says_itself_how_it_ended() {
    let lab = Lab::new();
    let run = lab.submitted("ka001-mlp", &[0]);
    lab.started(&run);
    has(&lab.run("tick"), &["not known to the scheduler", "began and said no more", "nothing changed"]);
    lab.beat(&run, 100_000);
    has(&lab.run("tick --now"), &["not known to the scheduler; last sign of life 27 h ago"]);
    lab.beat(&run, 10);
    has(&lab.run("tick --now"), &["not known to the scheduler, but its heartbeat goes on"]);
    lab.result(&run, 0, 0.9);
    lab.ended(&run, 0, "");
    has(&lab.run("tick --now"), &["succeeded: seeds 0", "committed"]);
}

#[test]
fn a_kill_is_told_by_its_cause_and_by_nothing_else() {
    let rows = [
        (
            "ka001-mlp",
            "    Exit_status = 0\n    substate = 92\n",
            143,
            "=>> PBS: job killed: walltime 17 exceeded limit 5",
            "killed (walltime)",
        ),
        ("kb001-mlp", "    Exit_status = -29\n    substate = 93\n", 143, "", "killed (walltime)"),
        ("kc001-mlp", "    Exit_status = 271\n    substate = 91\n", 143, "", "killed (deleted)"),
        ("kd001-mlp", "    Exit_status = 3\n    substate = 93\n", 3, "", "failed (code)"),
    ];
    let lab = Lab::new();
    for (id, state, code, errors, _) in rows {
        let run = lab.submitted(id, &[0]);
        lab.started(&run);
        lab.ended(&run, code, errors);
        lab.log(&run, 0, "epoch 1\nRuntimeError: CUDA error: an illegal memory access\n");
        lab.job(&run, "F", state);
    }
    let said = lab.run("tick");
    for (id, .., verdict) in rows {
        has(&said, &[&format!("{id}.1"), verdict]);
    }
    has(&said, &["its checkpoint did not move on", "it was deleted", "its code failed"]);
    has(&lab.box_.git("log -1 --format=%s"), &["tick: 4 attempts ended (1 failed, 3 killed)"]);
    assert_eq!(lab.queries(), 1, "one question for all jobs");
    has(&lab.box_.read("projects/anp/runs/ka001-mlp/attempts/1.yaml"), &["cause: walltime", "verdict: killed"]);
}

#[test]
fn only_whole_results_of_this_very_run_count() {
    let lab = Lab::new();
    let cut = lab.submitted("ka001-mlp", &[0]);
    let foreign = lab.submitted("kb001-mlp", &[0]);
    let elsewhere = lab.submitted("kc001-mlp", &[0]);
    for run in [&cut, &foreign, &elsewhere] {
        lab.started(run);
        lab.result(run, 0, 0.9);
        lab.ended(run, 0, "");
        lab.job(run, "F", "    Exit_status = 0\n    substate = 92\n");
    }
    lab.truncate(&cut, 0);
    lab.disguise(&foreign, 0);
    lab.source(&elsewhere, "/home/me/clone/net.py");
    let said = lab.run("tick");
    has(&said, &["ka001-mlp.1  job 1.vm  failed: seed 0: metrics.json is not the one"]);
    has(&said, &["kb001-mlp.1  job 2.vm  quarantined", "metrics.json has config_digest"]);
    has(&said, &["kc001-mlp.1  job 3.vm  quarantined", "from /home/me/clone/net.py, not from the snapshot"]);
    lacks(&lab.box_.git("show --format= --name-only HEAD"), &["metrics.json"]);
}

#[test]
fn an_edited_file_is_never_touched() {
    let lab = Lab::new();
    let run = lab.submitted("ka001-mlp", &[0]);
    lab.started(&run);
    lab.result(&run, 0, 0.9);
    lab.ended(&run, 0, "");
    lab.job(&run, "F", "    Exit_status = 0\n    substate = 92\n");
    let record = "projects/anp/runs/ka001-mlp/attempts/1.yaml";
    let text = lab.box_.read(record);
    lab.box_.write(record, &(text.clone() + "# mine\n"));
    let said = lab.run("tick");
    has(&said, &["the checkout of develop cannot follow", "attempts/1.yaml", "[exit 8]"]);
    assert_eq!(lab.box_.read(record), text.clone() + "# mine\n");
    assert_eq!(lab.box_.git("rev-list --count develop"), "2\n");
    lab.box_.write(record, &text);
    // Edits elsewhere, staged or not, and another branch are no hindrance.
    lab.box_.write("notes.md", "being written\n");
    lab.box_.write("added.md", "staged\n");
    lab.box_.git("add added.md");
    has(&lab.run("tick --now"), &["succeeded", "committed"]);
    assert_eq!(lab.box_.git("status --short"), "A  added.md\n M notes.md\n");
    assert_eq!(lab.box_.git("rev-list --count develop"), "3\n");
}

#[test]
fn another_branch_stays_where_it_is() {
    let lab = Lab::new();
    let run = lab.submitted("ka001-mlp", &[0]);
    lab.started(&run);
    lab.result(&run, 0, 0.9);
    lab.ended(&run, 0, "");
    lab.job(&run, "F", "    Exit_status = 0\n    substate = 92\n");
    lab.box_.git("checkout -q -b feature");
    lab.box_.commit("net.py", "x = 1\n");
    let mine = lab.box_.git("rev-parse HEAD");
    has(&lab.run("tick"), &["succeeded", "committed"]);
    assert_eq!(lab.box_.git("rev-parse HEAD"), mine);
    has(&lab.box_.git("log -1 --format=%s develop"), &["tick: run ka001-mlp succeeded"]);
}

#[test]
fn a_tick_waits_until_nothing_is_active_and_prints_its_schedule() {
    let lab = Lab::new();
    has(&lab.run("tick --until-idle --every 1s"), &["no attempt is active"]);
    let text = lab.run("tick --print-schedule --push");
    has(&text, &["*/10 * * * * ", " tick --push >/dev/null", "[Timer]", "SuccessExitStatus=7 8"]);
    has(&lab.run("tick --until-idle --every 1x"), &["write it as 90s, 10m or 2h", "[exit 2]"]);
    let other = Sandbox::repository();
    other.commit("configs/ar.yaml", "schema: 1\nbranch: main\n");
    has(&other.run("tick"), &["there is no branch main here", "git branch main origin/main", "[exit 4]"]);
}

#[test]
fn jobs_are_listed_explained_read_and_ended() {
    let lab = Lab::new();
    has(&lab.run("job"), &["no attempt is active"]);
    let run = lab.submitted("ka001-mlp", &[0, 1]);
    has(&lab.run("job"), &["lab: 1 active", "ka001-mlp.1  job 1.vm  submitted; nobody has looked yet"]);
    has(&lab.run("status"), &["lab: 1 active", "nobody has looked yet", "next: git ar tick"]);
    assert_eq!(lab.queries(), 0, "a list asks nobody");
    lab.job(&run, "Q", "    comment = Not Running: Insufficient amount of resource: ngpus\n");
    lab.run("tick");
    has(&lab.run("status"), &["queued (Not Running: Insufficient amount of resource: ngpus)  (seen 2026-01-05"]);
    has(&lab.run("job status"), &["queued (Not Running: Insufficient amount of resource: ngpus)  (seen 2026-01-05"]);
    has(
        &lab.run("job why ka0"),
        &["ka001-mlp.1 on lab, job 1.vm", "last tick  queued", "scheduler  queued (Q)", "queue gpu_1"],
    );
    lab.file(&run, "job-1.sh", "#!/bin/sh\n#PBS -N x\n");
    has(&lab.run("job script ka0"), &["#PBS -N x"]);
    lab.log(&run, 1, "epoch 1\nepoch 2\n\u{1b}[31mred\n");
    let logs = lab.run("job logs ka0 --lines 2");
    has(&logs, &["ka001-mlp.1 (lab)", "== seed-1/log", "epoch 2"]);
    lacks(&logs, &["epoch 1", "\u{1b}"]);
    lacks(&lab.run("job logs ka0 --seed 0"), &["epoch"]);
    has(&lab.run("job cancel ka0 --lost 'no reason'"), &["known to the scheduler, so it is not lost", "[exit 4]"]);
    has(&lab.run("job cancel ka0"), &["ka001-mlp.1: told to end", "next: git ar tick --now"]);
    lab.job(&run, "F", "    substate = 91\n");
    has(&lab.run("tick --now"), &["killed (deleted)", "it was deleted, so nobody submits it again"]);
    has(&lab.run("job cancel ka0"), &["nothing changed: no attempt is active"]);
    has(&lab.run("job why ka0"), &["record     killed (deleted)", "next: git ar run triage ka001-mlp"]);
    has(&lab.run("job why nobody"), &["no run begins with", "[exit 9]"]);
    // One that nobody knows any more is given up by a person's word, and only then.
    let other = lab.submitted("kb001-mlp", &[0]);
    lab.started(&other);
    has(&lab.run("tick --now"), &["not known to the scheduler; it began and said no more"]);
    has(&lab.run("job cancel kb0"), &["Unknown Job Id 2.vm"]);
    has(&lab.run("job cancel kb0 --lost 'the node burned down'"), &["kb001-mlp.1: given up", "committed"]);
    has(
        &lab.box_.read("projects/anp/runs/kb001-mlp/attempts/1.yaml"),
        &["verdict: killed", "by hand: the node burned down"],
    );
    lab.qstat("exit 255");
    has(&lab.run("job why kb0"), &["gives no answer"]);
}
