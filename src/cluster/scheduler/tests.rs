//! The dialects against what real servers said: every recorded reply is read, and means what it meant.

use serde_json::Value;

use super::*;
use crate::cluster::cause::{Cause, classify};
use crate::state::record::Exit;

const PBS_18: &str = include_str!("../../../tests/data/pbs/pbspro-18.1.4.jsonl");
const PBS_23: &str = include_str!("../../../tests/data/pbs/openpbs-23.06.06.jsonl");

/// One recorded command with its reply.
struct Recorded {
    name: String,
    command: String,
    reply: Reply,
}

fn recorded(text: &str) -> Vec<Recorded> {
    let read = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_string();
        let code = i32::try_from(value["rc"].as_i64().unwrap()).unwrap();
        let reply = Reply { code, stdout: text("stdout"), stderr: text("stderr") };
        Recorded { name: text("name"), command: text("command"), reply }
    };
    text.lines().map(read).collect()
}

fn reply(text: &str, name: &str) -> Reply {
    let found = recorded(text).into_iter().find(|r| r.name == name);
    found.unwrap_or_else(|| panic!("{name} is recorded")).reply
}

fn pbs() -> &'static dyn Dialect {
    Scheduler::Pbs.dialect().unwrap()
}

fn slurm() -> &'static dyn Dialect {
    Scheduler::Slurm.dialect().unwrap()
}

fn said(code: i32, stdout: &str, stderr: &str) -> Reply {
    Reply { code, stdout: stdout.into(), stderr: stderr.into() }
}

fn known(looked: Looked) -> BTreeMap<String, JobState> {
    match looked {
        Looked::Known(known) => known,
        Looked::Unavailable(why) => panic!("{why}"),
    }
}

fn ids(all: &[&str]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

fn one(text: &str, name: &str, id: &str) -> JobState {
    known(pbs().states(&ids(&[id]), &reply(text, name))).remove(id).unwrap_or_else(|| panic!("{name}: {id}"))
}

#[test]
fn clocks_are_read() {
    for (text, wanted) in [("00:00:05", 5), ("1:00", 60), ("48:00:00", 172_800), ("2-01:00:00", 176_400), ("7", 7)] {
        assert_eq!(seconds(text), Some(wanted), "{text}");
    }
    for bad in ["", "1:2:3:4", "x", "1h", "INVALID", "UNLIMITED", "-1", "1:-2", "99999999999999999999"] {
        assert_eq!(seconds(bad), None, "{bad}");
    }
    assert_eq!(clock(176_405), "49:00:05");
}

#[test]
fn every_recorded_qsub_is_an_id_a_refusal_or_no_answer() {
    let mut counts = [0; 3];
    for recorded in [PBS_18, PBS_23].into_iter().flat_map(recorded) {
        let last = recorded.command.rsplit(';').next().unwrap().trim_start();
        if !last.contains("qsub ") || recorded.command.starts_with("qstat") {
            continue;
        }
        let (name, code) = (&recorded.name, recorded.reply.code);
        let met = pbs().job_id(&recorded.reply);
        match (&met, code) {
            (Submitted::Id(id), 0) => {
                assert!(recorded.reply.stdout.starts_with(id.as_str()), "{name}");
                counts[0] += 1;
            }
            (Submitted::Unavailable(_), 162) => counts[2] += 1,
            (Submitted::Refused(words), 1..) if code != 162 => {
                assert!(words.contains("qsub: ") && words.len() <= 500 && !words.contains('\n'), "{name}: {words}");
                counts[1] += 1;
            }
            _ => panic!("{name}: {met:?}"),
        }
    }
    assert!(counts[0] > 30 && counts[1] >= 12 && counts[2] == 1, "{counts:?}");
    for (code, words) in [
        (188, "violates queue"),
        (38, "per-user limit"),
        (32, "no project"),
        (170, "Unknown queue"),
        (173, "not enabled"),
    ] {
        let met = pbs().job_id(&said(code, "", &format!("qsub: {words}\n")));
        assert_eq!(met, Submitted::Refused(format!("qsub: {words}")));
    }
}

#[test]
fn no_trusted_id_is_no_answer() {
    for stdout in ["", "\n", "Welcome\n", "12 34.vm\n", "vm.7\n", "7.\n", "7.vm extra\n", "-1\n"] {
        assert!(matches!(pbs().job_id(&said(0, stdout, "")), Submitted::Unavailable(_)), "{stdout:?}");
    }
    for good in ["7.vm\n", "7353072.sched01\r\n", "8[].vm", "qsub: notice\n7\n"] {
        assert!(matches!(pbs().job_id(&said(0, good, "")), Submitted::Id(_)), "{good:?}");
    }
    // An id beside a failure: the job may be there.
    for code in [1, 38, 137] {
        let said = said(code, "7.vm\n", "qsub: would exceed a limit");
        assert!(matches!(pbs().job_id(&said), Submitted::Unavailable(words) if words.contains("7.vm")), "{code}");
    }
    for (code, stderr) in [
        (137, ""),
        (143, "qsub: warning"),
        (255, "ssh: connect to host x: Connection refused"),
        (1, "qsub: cannot connect to server vm (errno=15010)"),
    ] {
        assert!(matches!(pbs().job_id(&said(code, "", stderr)), Submitted::Unavailable(_)), "{stderr}");
    }
    let shown = pbs().job_id(&said(1, "", "qsub: \u{1b}[31mno\u{202e}\n"));
    assert_eq!(shown, Submitted::Refused("qsub: ^[[31mnoU+202E".into()));
}

#[test]
fn every_state_that_was_seen_is_known() {
    use JobPhase::*;
    let cases = [
        (PBS_23, "qstat-f-Q", "4", "Q", Queued),
        (PBS_23, "qstat-f-H", "5.vm", "H", Held),
        (PBS_23, "qstat-f-dep", "28", "H", Held),
        (PBS_23, "qstat-f-R", "7", "R", Running),
        (PBS_23, "qstat-f-array-running", "23[]", "B", Running),
        (PBS_18, "qstat-f-H", "11.vm", "H", Held),
        (PBS_18, "qstat-xf-fail", "1", "F", Finished),
    ];
    for (text, name, id, raw, phase) in cases {
        let state = one(text, name, id);
        assert_eq!((state.raw.as_str(), state.phase), (raw, phase), "{name}");
    }
    for (letter, phase) in [
        ("T", Waiting),
        ("W", Waiting),
        ("S", Suspended),
        ("U", Suspended),
        ("E", Exiting),
        ("M", Moved),
        ("X", Finished),
        ("C", Finished),
        ("?", Other("?".into())),
    ] {
        let text = format!("Job Id: 1.vm\n    job_state = {letter}\n");
        assert_eq!(known(pbs().states(&ids(&["1"]), &said(0, &text, "")))["1"].phase, phase);
    }
}

#[test]
fn every_exit_that_was_seen_has_its_cause() {
    let cases = [
        (PBS_18, "qstat-xf-fail", "1", Some(7), Cause::Code),
        (PBS_18, "qstat-xf-wall", "2", Some(271), Cause::Walltime),
        (PBS_18, "qstat-xf-trapexit", "4", Some(0), Cause::Walltime),
        (PBS_18, "qstat-xf-segv", "5", Some(139), Cause::Code),
        (PBS_18, "qstat-xf-badshell", "8", Some(254), Cause::Code),
        (PBS_18, "qstat-xfw-pyckpt-repeat", "21", Some(271), Cause::Walltime),
        (PBS_23, "qstat-xfw", "2", Some(-29), Cause::Walltime),
        (PBS_23, "qstat-xf-ok-text", "0", Some(0), Cause::Unknown),
        (PBS_23, "qsig-usr1-result", "95", Some(266), Cause::Code),
    ];
    for (text, name, id, status, cause) in cases {
        let state = one(text, name, id);
        assert_eq!(state.exit_status, status, "{name}");
        assert_eq!(classify(Some(&state), None, ""), cause, "{name}: {state:?}");
        // Our own file says that everything is done: whatever came after does not fail it.
        let done = Exit { code: 0, ..Exit::default() };
        assert_eq!(classify(Some(&state), Some(&done), ""), Cause::Finished, "{name}");
    }
    // What PBS says of jobs that were deleted was recorded as JSON only; the keys are the same.
    for (text, cause) in [
        (
            "job_state = F\n    substate = 91\n    Exit_status = 271\n    comment = Job run at Sun and terminated by alice@vm",
            Cause::Deleted,
        ),
        ("job_state = F\n    substate = 91", Cause::Deleted),
        ("job_state = F\n    substate = 93\n    Exit_status = -2", Cause::Node),
        ("job_state = H\n    run_count = 21", Cause::Node),
        ("job_state = F\n    substate = 93\n    Exit_status = -27", Cause::Memory),
    ] {
        let text = format!("Job Id: 1.vm\n    {text}\n");
        let state = known(pbs().states(&ids(&["1"]), &said(0, &text, ""))).remove("1").unwrap();
        assert_eq!(classify(Some(&state), None, ""), cause, "{text}");
    }
    let stopped = Exit { code: 143, signal: Some("TERM".into()), ..Exit::default() };
    let tail = "=>> PBS: job killed: walltime 17 exceeded limit 5\n";
    assert_eq!(classify(None, Some(&stopped), tail), Cause::Walltime);
    assert_eq!(classify(None, Some(&stopped), ""), Cause::Unknown);
    assert_eq!(classify(None, Some(&Exit { code: 1, ..Exit::default() }), ""), Cause::Code);
    assert_eq!(
        classify(None, Some(&Exit { code: 1, ..Exit::default() }), "RuntimeError: CUDA out of memory."),
        Cause::Memory
    );
    assert_eq!(classify(None, None, ""), Cause::Unknown);
}

#[test]
fn folded_and_unfolded_forms_say_the_same() {
    let folded = one(PBS_18, "qstat-xf-wall", "2");
    assert_eq!(folded, one(PBS_18, "qstat-fw", "2"));
    assert_eq!((folded.used_s > folded.asked_s, folded.asked_s), (true, Some(5)));
    assert_eq!(folded.queue.as_deref(), Some("serial"));
    let crlf = reply(PBS_18, "qstat-xf-wall");
    let crlf = Reply { stdout: crlf.stdout.replace('\n', "\r\n"), ..crlf };
    assert_eq!(known(pbs().states(&ids(&["2"]), &crlf))["2"], folded);
}

#[test]
fn an_id_is_known_unknown_or_not_answered() {
    let three = reply(PBS_23, "f-3ids-unknown-middle");
    let found = known(pbs().states(&ids(&["5", "99999", "7.vm"]), &three));
    assert_eq!(found.keys().collect::<Vec<_>>(), ["5", "7.vm"]);
    assert!(known(pbs().states(&ids(&["99999.vm"]), &reply(PBS_18, "qstat-x-unknown"))).is_empty());
    // A reply that came back short proves nothing, and neither does a server that is away.
    let short = reply(PBS_23, "f-3ids-ok");
    assert!(matches!(pbs().states(&ids(&["5", "7", "8"]), &short), Looked::Unavailable(_)));
    for (code, stderr) in
        [(255, "Connection refused\nqstat: cannot connect to server vm (errno=15010)"), (0, ""), (153, ""), (124, "")]
    {
        assert!(matches!(pbs().states(&ids(&["5"]), &said(code, "", stderr)), Looked::Unavailable(_)), "{code}");
    }
    let finished = reply(PBS_18, "qstat-finished-no-x");
    assert!(matches!(pbs().states(&ids(&["0"]), &finished), Looked::Unavailable(_)));
}

#[test]
fn arrays_bring_their_members() {
    for (text, name, id, parent) in [(PBS_18, "qstat-xtf-array", "9[].vm", 1), (PBS_23, "qstat-xtf-arr", "23[]", 0)] {
        let array = one(text, name, id);
        assert_eq!(array.exit_status, Some(parent), "{name}: the parent's status says nothing of its members");
        let codes: Vec<_> = array.members.iter().map(|(n, m)| (*n, m.exit_status.unwrap())).collect();
        assert_eq!(codes, [(1, 0), (2, 5), (3, 0), (4, 0), (5, 0), (6, 0)], "{name}");
    }
    assert_eq!(pbs().query(&ids(&["7", "8[]"]))[1], "-xtfw");
    assert_eq!(pbs().query(&ids(&["7"]))[1], "-xfw");
}

#[test]
fn a_server_without_history_is_asked_without_it() {
    let off = said(36, "", "qstat: PBS is not configured to maintain job history 7.vm\n");
    let asked = |question: Vec<String>| pbs().without_history(&question, &off).unwrap();
    assert_eq!(asked(pbs().query(&ids(&["7.vm", "8.vm"]))), ["qstat", "-fw", "7.vm", "8.vm"]);
    assert_eq!(asked(pbs().query(&ids(&["8[].vm"]))), ["qstat", "-tfw", "8[].vm"]);
    let find = asked(pbs().find("ka-x.1"));
    assert!(find[2].starts_with("qselect -u ") && find[4] == "ka-x.1", "{find:?}");
    for reply in [reply(PBS_18, "qstat-x-unknown"), reply(PBS_18, "qstat-fw"), said(255, "", "Connection refused")] {
        assert_eq!(pbs().without_history(&pbs().query(&ids(&["7"])), &reply), None);
    }
}

#[test]
fn a_job_names_itself_or_its_array() {
    for (own, id) in
        [("7.vm", Some("7.vm")), ("8[3].vm", Some("8[].vm")), ("8[3]", Some("8[]")), ("?", None), ("", None)]
    {
        assert_eq!(pbs().id_of(own).as_deref(), id, "{own}");
    }
    assert_eq!((slurm().id_of("44").as_deref(), slurm().id_of("44_1")), (Some("44"), None));
}

#[test]
fn jobs_are_found_by_name() {
    let found = pbs().found(&reply(PBS_18, "qselect-x-N")).unwrap();
    assert_eq!(found, ["6.vm", "12.vm"]);
    assert_eq!(pbs().found(&reply(PBS_23, "qselect-u")).unwrap().len(), 4);
    assert_eq!(pbs().found(&said(0, "", "")), Ok(vec![]));
    assert!(pbs().found(&said(0, "Welcome to 7.vm\n", "")).is_err());
    assert!(pbs().found(&reply(PBS_23, "down-server-qdel")).unwrap_err().contains("Connection refused"));
    assert_eq!(slurm().found(&said(0, "44\n44_1\n45\n", "")).unwrap(), ["44", "45"]);
    assert!(slurm().found(&said(0, "last login\n", "")).is_err());
}

#[test]
fn slurm_says_the_same_in_columns() {
    assert_eq!(slurm().job_id(&said(0, "44\n", "")), Submitted::Id("44".into()));
    assert_eq!(slurm().job_id(&said(0, "44;tiny\n", "")), Submitted::Id("44".into()));
    let away = "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)";
    assert!(matches!(slurm().job_id(&said(1, "", away)), Submitted::Unavailable(_)));
    let no =
        "sbatch: error: Batch job submission failed: Requested time limit is invalid (missing or exceeds some limit)";
    assert!(matches!(slurm().job_id(&said(1, "", no)), Submitted::Refused(_)));
    let rows = "43|RUNNING|serial|0:12|5:00|2026-11-22T17:42:15|None\n46_1|COMPLETED|serial|0:15|5:00|2026-11-22T17:42:30|None\n\
                46_2|PENDING|serial|0:00|5:00|N/A|Resources\n47|TIMEOUT|serial|1:20|1:00|2026-11-22T17:42:48|TimeLimit\n48|PENDING|serial|0:00|5:00|N/A|JobHeldUser\n";
    let states = known(slurm().states(&ids(&["43", "46", "47", "48", "99"]), &said(0, rows, "")));
    assert_eq!(states["43"].phase, JobPhase::Running);
    assert_eq!((&states["46"].phase, states["46"].members.len()), (&JobPhase::Queued, 2));
    assert_eq!(classify(Some(&states["47"]), None, ""), Cause::Walltime);
    assert_eq!((&states["48"].phase, states.contains_key("99")), (&JobPhase::Held, false));
    let accounted = "47|TIMEOUT|serial|00:01:20|00:01:00|2026-11-22T17:42:48|0:15\n45|CANCELLED by 1001|serial|00:00:00|00:05:00|None|0:0\n";
    let states = known(slurm().states(&ids(&["47", "45"]), &said(0, accounted, "")));
    assert_eq!((states["47"].exit_status, states["45"].raw.as_str()), (Some(143), "CANCELLED"));
    let gone = said(1, "", "slurm_load_jobs error: Invalid job id specified\n");
    assert!(known(slurm().states(&ids(&["9"]), &gone)).is_empty());
    assert!(matches!(slurm().states(&ids(&["9"]), &said(1, "", away)), Looked::Unavailable(_)));
    assert!(matches!(slurm().states(&ids(&["9"]), &said(0, "no such thing\n", "")), Looked::Unavailable(_)));
    for (word, cause) in [
        ("OUT_OF_MEMORY", Cause::Memory),
        ("NODE_FAIL", Cause::Node),
        ("CANCELLED", Cause::Deleted),
        ("FAILED", Cause::Code),
        ("COMPLETED", Cause::Unknown),
    ] {
        let row = format!("1|{word}|q|0:01|1:00|N/A|None\n");
        let state = known(slurm().states(&ids(&["1"]), &said(0, &row, ""))).remove("1").unwrap();
        assert_eq!((state.phase.is_over(), classify(Some(&state), None, "")), (true, cause), "{word}");
    }
}

/// Recorded replies, cut, doubled and with bytes exchanged: no text makes a parser panic, and no cut reply is an answer
/// for an id that it does not name.
#[test]
fn no_text_breaks_a_parser() {
    let mut chance = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |below: usize| {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        usize::try_from(chance >> 8).unwrap() % below.max(1)
    };
    let all: Vec<Reply> = [PBS_18, PBS_23].into_iter().flat_map(recorded).map(|r| r.reply).collect();
    let odd = ['\0', '\u{1b}', '\r', '\n', '\t', '=', '[', ']', '|', '_', '-', 'é', '\u{202e}', '9', ':'];
    for _ in 0..3000 {
        let mut text: Vec<char> = all[next(all.len())].stdout.chars().take(4000).collect();
        for _ in 0..next(8) {
            let at = next(text.len() + 1);
            match next(4) {
                0 => text.truncate(at),
                1 => text.insert(at, odd[next(odd.len())]),
                2 if at < text.len() => text[at] = odd[next(odd.len())],
                _ => text.extend_from_within(at..),
            }
            text.truncate(20_000);
        }
        let text: String = text.into_iter().collect();
        let (codes, streams) = ([0, 1, 35, 153, 255], [("", ""), (text.as_str(), ""), ("", text.as_str())]);
        let (stdout, stderr) = streams[next(3)];
        let reply = said(codes[next(5)], stdout, stderr);
        let asked = ids(&["2", "9[].vm", "46", "\u{1b}"]);
        for dialect in [pbs(), slurm()] {
            let _ = (dialect.job_id(&reply), dialect.found(&reply));
            if let (Looked::Known(known), 0) = (dialect.states(&asked, &reply), reply.code) {
                assert!(known.values().all(|state| !state.raw.contains('\u{1b}')));
            }
        }
    }
}

#[test]
fn what_a_real_slurm_said_is_read() {
    let text = include_str!("../../../tests/data/pbs/slurm-22.05.8-native.txt");
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut counts = [0; 3];
    for block in text.split("$ ").filter(|block| !block.is_empty()) {
        let (command, rest) = block.split_once('\n').unwrap();
        let (output, code) = rest.rsplit_once("[rc=").unwrap();
        let (errors, printed): (Vec<&str>, Vec<&str>) = output.lines().partition(|l| l.starts_with("[stderr] "));
        let reply = said(code.trim().trim_end_matches(']').parse().unwrap(), &printed.join("\n"), &errors.join("\n"));
        if command.starts_with("sbatch") {
            match slurm().job_id(&reply) {
                Submitted::Id(_) => counts[0] += 1,
                Submitted::Refused(words) => assert!(words.contains("invalid partition"), "{words}"),
                Submitted::Unavailable(words) => assert!(words.contains("Unable to contact"), "{words}"),
            }
        } else if command.contains("--format=%F") {
            assert_eq!(slurm().found(&reply).unwrap(), ["4"]);
        } else if command.starts_with("squeue") || command.starts_with("sacct -X --noheader") {
            match slurm().states(&ids(&["1", "2", "3", "4", "5", "6", "7", "99999"]), &reply) {
                Looked::Unavailable(words) => {
                    assert!(words.contains("Unable to contact"), "{words}");
                    counts[2] += 1;
                }
                Looked::Known(known) => {
                    counts[1] += 1;
                    for (id, state) in known {
                        seen.entry(id).or_default().push(state.raw);
                    }
                }
            }
        }
    }
    assert_eq!(counts, [7, 6, 1]);
    assert_eq!(seen["3"], ["RUNNING", "RUNNING", "TIMEOUT"]);
    assert_eq!(
        (&seen["2"][1], &seen["5"][1], &seen["4"][1]),
        (&"FAILED".into(), &"CANCELLED".into(), &"COMPLETED".into())
    );
    assert!(!seen.contains_key("99999"));
}
