//! Every reply of a real PBS server about a job, as a tick takes it, and what becomes of jobs that move, wait for ever or
//! are forgotten.

use serde_json::Value;

use crate::lab::recorded::{Lab, Run};
use crate::lab::{has, lacks};

const PBS_18: &str = include_str!("../data/pbs/pbspro-18.1.4.jsonl");
const PBS_23: &str = include_str!("../data/pbs/openpbs-23.06.06.jsonl");

/// What a server said.
fn recorded(version: &str, name: &str) -> String {
    let mut replies = version.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let found = replies.find(|reply| reply["name"] == name).unwrap_or_else(|| panic!("{name} is recorded"));
    found["stdout"].as_str().unwrap().to_string()
}

/// A run whose job the server describes in these words.
fn described(lab: &Lab, id: &str, version: &str, name: &str) -> Run {
    let run = lab.submitted(id, &[0]);
    lab.says(&run, &recorded(version, name));
    run
}

const KILLED: &str = "=>> PBS: job killed: walltime 17 exceeded limit 5\n";

#[test]
fn every_recorded_end_gets_its_verdict() {
    let lab = Lab::new();
    // What the job itself said: its exit status and standard error.
    let rows = [
        ("ka001-a", PBS_18, "qstat-xf-fail", 7, "", "failed (code)"),
        ("ka002-a", PBS_18, "qstat-xf-wall", 143, KILLED, "killed (walltime)"),
        // The same kill was seen to report 0 and 42, also before its standard error arrives.
        ("ka003-a", PBS_18, "qstat-xf-trapexit", 143, KILLED, "killed (walltime)"),
        ("ka004-a", PBS_18, "qstat-xf-trapexit", 143, "", "killed (walltime)"),
        ("ka005-a", PBS_18, "qstat-xfw-tx1-repeat", 143, "", "killed (walltime)"),
        ("ka006-a", PBS_18, "qstat-xf-badout", 0, "", "succeeded: seeds 0"),
        ("ka007-a", PBS_23, "qstat-xfw", 143, "", "killed (walltime)"),
        ("ka008-a", PBS_23, "qstat-xf-ok-text", 0, "", "succeeded: seeds 0"),
        // Done before the kill: what was asked for is there, whatever the server reports.
        ("ka009-a", PBS_23, "qstat-xfw", 0, "", "succeeded: seeds 0"),
    ];
    for (id, version, name, code, errors, _) in rows {
        let run = described(&lab, id, version, name);
        lab.started(&run);
        if code == 0 {
            lab.result(&run, 0, 0.9);
        }
        lab.ended(&run, code, errors);
    }
    let said = lab.run("tick");
    for (id, .., verdict) in rows {
        let line = said.lines().find(|line| line.contains(id)).unwrap();
        has(line, &[verdict]);
    }
    assert_eq!(lab.queries(), 1, "one question for all jobs");
}

#[test]
fn an_end_without_the_jobs_own_word_is_waited_for_and_then_told_by_the_server() {
    let lab = Lab::new();
    let rows = [
        ("ka001-a", PBS_18, "qstat-xf-segv", "failed (code)", "exit status 139"),
        ("ka002-a", PBS_18, "qstat-xf-badshell", "failed (code)", ""),
        ("ka003-a", PBS_18, "qstat-xf-wall", "killed (walltime)", "exit status 271"),
        ("ka004-a", PBS_23, "qstat-xfw", "killed (walltime)", "exceeded resource walltime"),
        ("ka005-a", PBS_23, "qstat-xf-ok-text", "killed (unknown)", "and finished, exit status 0"),
        ("ka006-a", PBS_23, "qsig-usr1-result", "failed (code)", ""),
    ];
    for (id, version, name, ..) in rows {
        lab.started(&described(&lab, id, version, name));
    }
    let first = lab.run("tick");
    assert_eq!(first.matches("waiting for the job's own word").count(), rows.len(), "{first}");
    // A clock that was a day ahead at that tick does not prolong the wait.
    lab.box_.pass(-86_400);
    lab.run("tick --now");
    lab.box_.pass(121);
    let said = lab.run("tick --now");
    for (id, _, _, verdict, _) in rows {
        has(said.lines().find(|line| line.contains(id)).unwrap(), &[verdict]);
    }
    for (id, _, _, _, reason) in rows.iter().filter(|row| row.3.starts_with("killed")) {
        has(&lab.box_.read(&format!("projects/anp/runs/{id}/attempts/1.yaml")), &[reason]);
    }
}

#[test]
fn every_recorded_state_of_a_job_that_goes_on_is_told_in_its_words() {
    let lab = Lab::new();
    let rows = [
        ("ka001-a", PBS_23, "qstat-f-Q", "queued"),
        ("ka002-a", PBS_23, "qstat-f-H", "held"),
        ("ka003-a", PBS_23, "qstat-f-dep", "held"),
        ("ka004-a", PBS_23, "qstat-f-R", "running"),
        ("ka005-a", PBS_18, "qstat-f-H", "held"),
        ("ka006-a", PBS_23, "qstat-f-requeued2", "running"),
    ];
    for (id, version, name, _) in rows {
        described(&lab, id, version, name);
    }
    for (letter, id) in ["T", "W", "S", "U", "E", "Z"].iter().zip(1..) {
        let run = lab.submitted(&format!("kb00{id}-a"), &[0]);
        lab.job(&run, letter, "");
    }
    let said = lab.run("tick");
    let words = ["waiting", "waiting", "suspended", "suspended", "exiting", "Z"];
    let other = words.iter().zip(1..).map(|(word, id)| (format!("kb00{id}-a"), *word));
    for (id, word) in rows.iter().map(|row| (row.0.to_string(), row.3)).chain(other) {
        has(said.lines().find(|line| line.contains(&id)).unwrap(), &[word, "(seen 2026-01-05"]);
    }
    has(&lab.run("job why ka006"), &["started 2 times"]);
    assert_eq!(lab.box_.git("rev-list --count HEAD"), "2\n");
}

#[test]
fn a_job_that_moved_to_another_server_ends_by_its_own_word() {
    let lab = Lab::new();
    let run = lab.submitted("ka001-a", &[0]);
    lab.started(&run);
    lab.job(&run, "M", "");
    lab.beat(&run, 30);
    has(&lab.run("tick --now"), &["moved to another server  (seen"]);
    lab.beat(&run, 90_000);
    has(&lab.run("tick --now"), &["moved to another server, but its last sign of life was 25 h ago"]);
    lab.result(&run, 0, 0.9);
    lab.ended(&run, 0, "");
    has(&lab.run("tick --now"), &["job 1.vm  succeeded: seeds 0", "committed"]);
    // One that never says anything ends by a person's word.
    let silent = lab.submitted("kb001-a", &[0]);
    lab.job(&silent, "M", "");
    has(&lab.run("job cancel kb0 --lost 'the other server was switched off'"), &["given up", "committed"]);
}

#[test]
fn a_job_that_cannot_start_any_more_is_told_and_is_not_waiting() {
    let lab = Lab::new();
    let run = lab.submitted("ka001-a", &[0]);
    let comment = "    comment = job held, too many failed attempts to run\n    run_count = 21\n";
    lab.job(&run, "H", comment);
    has(
        &lab.run("tick"),
        &["held after 21 starts that failed; it will not start any more", "too many failed attempts"],
    );
    // Deleted then, it has no exit status; the negative one is the server's own.
    lab.job(&run, "F", "    substate = 91\n");
    has(&lab.run("tick --now"), &["killed (deleted)"]);
    let never = lab.submitted("kb001-a", &[0]);
    lab.job(&never, "F", "    Exit_status = -2\n    substate = 93\n");
    has(&lab.run("tick --now"), &["killed (node)", "its checkpoint did not move on"]);
}

#[test]
fn a_server_that_restarts_or_answers_in_part_proves_nothing() {
    let lab = Lab::new();
    let runs = [lab.submitted("ka001-a", &[0]), lab.submitted("kb001-a", &[0])];
    for run in &runs {
        lab.started(run);
        lab.job(run, "R", "");
    }
    lab.run("tick");
    let before = lab.box_.git("rev-parse HEAD");
    for away in [
        "echo 'Connection refused' >&2; echo 'qstat: cannot connect to server vm (errno=15010)' >&2; exit 255",
        "echo 'qstat: End of File' >&2; exit 1",
        "echo 'qstat: Server is shutting down' >&2; exit 1",
        "cat \"$HOME/jobs/1.vm\"; exit 0",
        "cat \"$HOME/jobs/1.vm\"; kill -9 $$",
        "echo 'qstat: Unknown Job Id' >&2; exit 153",
    ] {
        lab.qstat(away);
        has(&lab.run("tick --now"), &["no answer; as seen last", "running  (seen", "[exit 7]"]);
        assert_eq!(lab.box_.git("rev-parse HEAD"), before, "{away}");
    }
    // It comes back without a memory: what the jobs say themselves is what counts.
    lab.qstat("");
    runs.iter().for_each(|run| lab.forget(run));
    lab.beat(&runs[0], 20);
    let said = lab.run("tick --now");
    has(&said, &["not known to the scheduler, but its heartbeat goes on", "it began and said no more"]);
    lacks(&said, &["[exit", "failed", "killed"]);
}

#[test]
fn among_many_runs_one_question_is_asked_for_those_that_are_active() {
    let lab = Lab::new();
    lab.submitted("ka000-a", &[0]);
    let folder = |id: &str| lab.box_.top().join("projects/anp/runs").join(id);
    let verdict = "verdict: killed\ncause: deleted\nreason: it was deleted\nchecked: 2026-01-05T07:30:00Z\n";
    let path = "projects/anp/runs/ka000-a/attempts/1.yaml";
    lab.box_.write(path, &(lab.box_.read(path) + verdict));
    for n in 1..300 {
        let id = format!("ka{n:03}-a");
        let line = format!("cp -r {} {}", folder("ka000-a").display(), folder(&id).display());
        assert_eq!(lab.box_.sh(lab.box_.top(), &line), "");
    }
    let active: Vec<Run> = (0..15).map(|n| lab.submitted(&format!("kb{n:03}-a"), &[0])).collect();
    for run in &active {
        lab.job(run, "R", "");
    }
    has(&lab.run("tick"), &["lab: 15 attempts"]);
    assert_eq!(lab.queries(), 1);
    // The next answer brings some ends, and is one question again.
    for run in &active[..5] {
        lab.started(run);
        lab.result(run, 0, 0.8);
        lab.ended(run, 0, "");
        lab.job(run, "F", "    Exit_status = 0\n    substate = 92\n");
    }
    let said = lab.run("tick --now");
    has(&said, &["lab: 15 attempts", "committed"]);
    assert_eq!((said.matches("succeeded: seeds 0").count(), lab.queries()), (5, 2));
    lacks(&lab.box_.git("show --format= --name-only HEAD"), &["ka0"]);
}
