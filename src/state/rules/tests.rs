//! The rules on trees in memory.

mod attacks;
mod evidence;
mod history;

use super::*;
use crate::state::problem::Problem;
use crate::state::tree::{EntryKind, MemoryTree, digest};

/// Facts as a test wants them: one cell per planned line, one code tree.
struct Given {
    comparison: &'static str,
    after: MemoryTree,
}

impl Facts for Given {
    fn cells(&self, planned: &Planned) -> Result<Vec<Cell>, Problems> {
        if planned.experiment == "broken" {
            return Err(Problem::new(Kind::Invalid, "compose", "it does not compose").into());
        }
        let cell = Cell {
            experiment: planned.experiment.clone(),
            overrides: Vec::new(),
            digest: format!("d-{}", planned.experiment),
        };
        Ok(vec![cell])
    }

    fn against_cluster(&self, planned: &Planned) -> Result<Vec<Problem>, Problem> {
        let long = planned.walltime.as_deref() == Some("99:00:00");
        Ok(long.then(|| Problem::new(Kind::Usage, "queue", "too long")).into_iter().collect())
    }

    fn config_digest(&self, _: &str, config: &[u8]) -> Result<String, Problem> {
        Ok(String::from_utf8_lossy(config).trim().to_string())
    }

    fn code_tree(&self) -> Result<String, Problem> {
        Ok("code".into())
    }

    fn code_tree_of(&self, commit: &str) -> Result<Option<String>, Problem> {
        Ok((commit == "c0").then(|| "code".into()))
    }

    fn is_known_code(&self, code_tree: &str) -> Result<bool, Problem> {
        Ok(code_tree == "code")
    }

    fn claims(&self, documents: &[String]) -> Result<Vec<Claim>, Problem> {
        let checker = crate::state::claims::Checker::new(&self.after)?;
        let texts = documents.iter().filter_map(|path| Some((path, self.after.read(path).unwrap()?)));
        texts.map(|(path, bytes)| checker.file(path, &bytes)).collect::<Result<Vec<_>, _>>().map(|c| c.concat())
    }

    fn comparison(&self, _: &IterationView, _: &[RunView]) -> Result<String, Problem> {
        Ok(self.comparison.into())
    }
}

const FOLDER: &str = "projects/p/iterations/1-a";
const WRITTEN: &str = "question: q\nhypothesis: h\nprediction: {metric: val/accuracy, direction: maximize, baseline: none, reason: first, minimal_effect: 0.9, seeds: 1}\nplan:\n  - {experiment: a, seeds: [0]}\n";

fn judge(before: &MemoryTree, after: &MemoryTree) -> Vec<Problem> {
    let changes = after.changes_since(before);
    let facts = Given { comparison: "a table\n", after: after.clone() };
    let today = "2026-06-01".parse().unwrap();
    transitions(&Case { before, after, changes: &changes, facts: &facts, today }).unwrap()
}

/// The codes of what is wrong, each once.
fn codes(before: &MemoryTree, after: &MemoryTree) -> Vec<&'static str> {
    let mut codes: Vec<_> = judge(before, after).into_iter().map(|p| p.code).collect();
    codes.dedup();
    codes
}

fn iteration(phases: &[&str], rest: &str) -> String {
    let steps: String = phases
        .iter()
        .map(|p| match p.split_once('!') {
            Some((to, reason)) => format!("  - {{to: {to}, at: 2026-01-01T00:00:00Z, reason: {reason}}}\n"),
            None => format!("  - {{to: {p}, at: 2026-01-01T00:00:00Z}}\n"),
        })
        .collect();
    let phase = phases.last().map_or("planned", |p| p.split('!').next().unwrap());
    let steps = if steps.is_empty() { "steps: []\n".into() } else { format!("steps:\n{steps}") };
    format!("schema: 1\nphase: {phase}\n{steps}{rest}")
}

fn base() -> MemoryTree {
    MemoryTree::default()
        .with(load::SETTINGS, "schema: 1\n")
        .with("projects/p/project.yaml", "schema: 1\ntitle: P\nquestion: q\n")
        .with("projects/p/references.yaml", "schema: 1\nreferences:\n  - {key: x, title: X, doi: 10.1/x, says: y}\n")
}

fn at(phases: &[&str]) -> MemoryTree {
    let survey = "## What is known\nA [@x].\n## What is missing\nB.\n## What we expect\nC.\n";
    base()
        .with(&format!("{FOLDER}/iteration.yaml"), &iteration(phases, WRITTEN))
        .with(&format!("{FOLDER}/survey.md"), survey)
}

fn with_run(tree: MemoryTree, id: &str, kind: &str) -> MemoryTree {
    let folder = format!("{FOLDER}/runs/{id}");
    let run = format!(
        "schema: 1\nkind: {kind}\nexperiment: a\ncluster: local\ncreated: 2026-01-01T00:00:00Z\nanchor: {{commit: c0, code_tree: code, manifest: m}}\n\
         command: [x]\nconfig_digest: d-a\nseeds: [0]\n"
    );
    let metrics = format!(
        "{{\"schema\":1,\"run\":\"{id}\",\"seed\":0,\"commit\":\"c0\",\"config_digest\":\"d-a\",\"status\":\"completed\",\"epochs_planned\":1,\"epochs_run\":1,\n\
         \"metrics\":{{\"val/accuracy\":{{\"final\":0.9,\"best\":0.9,\"best_epoch\":1,\"direction\":\"maximize\"}}}}}}"
    );
    tree.with(&format!("{folder}/run.yaml"), &run)
        .with(&format!("{folder}/config.yaml"), "d-a\n")
        .with(
            &format!("{folder}/attempts/1.yaml"),
            "schema: 1\ncluster: local\nsubmitted: 2026-01-01T00:00:00Z\nverdict: succeeded\n",
        )
        .with(&format!("{folder}/seed-0/metrics.json"), &metrics)
}

const SURVEY: &[&str] = &["survey"];
const IMPLEMENT: &[&str] = &["survey", "implement"];
const EXPERIMENT: &[&str] = &["survey", "implement", "experiment"];
const ANALYZE: &[&str] = &["survey", "implement", "experiment", "analyze"];

#[test]
fn the_legal_path_passes() {
    let smoke = |t| with_run(t, "s1-a", "smoke");
    let full = |t| with_run(smoke(t), "f1-a", "full");
    let nothing: [&str; 0] = [];
    assert_eq!(codes(&MemoryTree::default(), &base()), nothing);
    assert_eq!(codes(&base(), &at(SURVEY)), nothing);
    assert_eq!(codes(&at(SURVEY), &at(IMPLEMENT)), nothing);
    assert_eq!(codes(&smoke(at(IMPLEMENT)), &smoke(at(EXPERIMENT))), nothing);
    assert_eq!(codes(&smoke(at(EXPERIMENT)), &full(at(EXPERIMENT))), nothing);
    assert_eq!(codes(&full(at(EXPERIMENT)), &full(at(ANALYZE))), nothing);
    // A squash brings three steps at once; each gate holds at its end.
    assert_eq!(codes(&base(), &full(at(ANALYZE))), nothing);
}

#[test]
fn gates_hold_what_is_not_done() {
    let unwritten = base().with(&format!("{FOLDER}/iteration.yaml"), &iteration(IMPLEMENT, ""));
    let found = judge(&at(SURVEY), &unwritten);
    assert!(found.iter().any(|p| p.message.contains("survey.md is missing")), "{found:?}");
    assert!(found.iter().all(|p| p.kind == Kind::Refused && p.hint.is_some() && p.path.is_some()), "{found:?}");
    let template = at(IMPLEMENT).with(&format!("{FOLDER}/survey.md"), Document::Survey.template());
    assert_eq!(judge(&at(SURVEY), &template).len(), 4);
    assert_eq!(codes(&at(IMPLEMENT), &at(EXPERIMENT)), ["gate"]);
    let smoke = with_run(at(EXPERIMENT), "s1-a", "smoke");
    assert_eq!(codes(&smoke, &with_run(at(ANALYZE), "s1-a", "smoke")), ["gate"]);
    let long = WRITTEN.replace("seeds: [0]}", "seeds: [0], walltime: \"99:00:00\"}");
    let long =
        |steps| with_run(base(), "s1-a", "smoke").with(&format!("{FOLDER}/iteration.yaml"), &iteration(steps, &long));
    let found = judge(&long(IMPLEMENT), &long(EXPERIMENT));
    assert!(found[0].message.contains("too long") && found[0].line.is_some(), "{found:?}");
}

#[test]
fn a_waiver_sets_one_gate_aside_until_its_day() {
    let waived = |day: &str| {
        let waiver = format!("{WRITTEN}waivers:\n  - {{gate: smoke, reason: no machine, expires: {day}}}\n");
        at(IMPLEMENT).with(&format!("{FOLDER}/iteration.yaml"), &iteration(EXPERIMENT, &waiver))
    };
    // By the day of the step, which a branch that is merged months later keeps.
    assert!(codes(&at(IMPLEMENT), &waived("2026-01-01")).is_empty());
    assert_eq!(codes(&at(IMPLEMENT), &waived("2025-12-31")), ["gate"]);
    let unknown = WRITTEN.to_string() + "waivers:\n  - {gate: smokey, reason: r, expires: 2027-01-01}\n";
    let unknown = at(SURVEY).with(&format!("{FOLDER}/iteration.yaml"), &iteration(SURVEY, &unknown));
    assert_eq!(codes(&at(SURVEY), &unknown), ["waiver"]);
}

#[test]
fn steps_are_appended_one_by_one() {
    let set = |phases: &[&str]| at(SURVEY).with(&format!("{FOLDER}/iteration.yaml"), &iteration(phases, WRITTEN));
    assert_eq!(codes(&at(SURVEY), &set(&["survey", "experiment"])), ["no-such-step"]);
    assert_eq!(codes(&at(IMPLEMENT), &set(&["survey"])), ["steps-rewritten"]);
    assert_eq!(codes(&at(IMPLEMENT), &set(&["survey", "implement", "survey"])), ["no-reason"]);
    assert!(codes(&at(IMPLEMENT), &set(&["survey", "implement", "survey!because"])).is_empty());
    let jump = iteration(SURVEY, WRITTEN).replace("phase: survey", "phase: experiment");
    let jump = judge(&at(SURVEY), &at(SURVEY).with(&format!("{FOLDER}/iteration.yaml"), &jump));
    assert_eq!((jump[0].code, jump[0].line), ("phase-jump", Some(2)));
    assert_eq!(codes(&set(&["abandoned!x"]), &set(&["abandoned!x", "survey"])), ["no-such-step"]);
}

#[test]
fn what_was_measured_stays() {
    let full = with_run(at(EXPERIMENT), "f1-a", "full");
    let metrics = format!("{FOLDER}/runs/f1-a/seed-0/metrics.json");
    let edited = String::from_utf8(full.0[&metrics].1.clone()).unwrap().replace("0.9", "0.99");
    assert_eq!(codes(&full, &full.clone().with(&metrics, &edited)), ["record-changed"]);
    assert_eq!(codes(&full, &full.clone().without(&metrics)), ["record-removed"]);
    let attempt = format!("{FOLDER}/runs/f1-a/attempts/1.yaml");
    let more = String::from_utf8(full.0[&attempt].1.clone()).unwrap() + "job: \"12\"\n";
    assert!(codes(&full, &full.clone().with(&attempt, &more)).is_empty());
    let other = more.replace("succeeded", "failed");
    assert_eq!(codes(&full, &full.clone().with(&attempt, &other)), ["record-changed"]);
    // Renaming the iteration's folder moves its records, which is legal.
    let mut moved = MemoryTree::default();
    for (path, file) in &full.0 {
        moved.0.insert(path.replace("/1-a/", "/2-b/"), file.clone());
    }
    assert!(codes(&full, &moved).is_empty(), "{:?}", judge(&full, &moved));
}

#[test]
fn the_question_is_frozen_by_a_full_run() {
    let full = |phases| with_run(at(phases), "f1-a", "full");
    let ask = |phases: &[&str]| {
        full(EXPERIMENT).with(
            &format!("{FOLDER}/iteration.yaml"),
            &iteration(phases, &WRITTEN.replace("hypothesis: h", "hypothesis: other")),
        )
    };
    assert_eq!(codes(&full(EXPERIMENT), &ask(EXPERIMENT)), ["frozen"]);
    assert!(codes(&full(EXPERIMENT), &ask(&["survey", "implement", "experiment", "implement!new"])).is_empty());
    assert!(
        codes(
            &at(EXPERIMENT),
            &at(EXPERIMENT).with(
                &format!("{FOLDER}/iteration.yaml"),
                &iteration(EXPERIMENT, &WRITTEN.replace("hypothesis: h", "hypothesis: other"))
            )
        )
        .is_empty()
    );
}

#[test]
fn full_runs_start_in_experiment() {
    assert_eq!(codes(&at(SURVEY), &with_run(at(SURVEY), "f1-a", "full")), ["phase"]);
    assert!(codes(&at(IMPLEMENT), &with_run(at(IMPLEMENT), "s1-a", "smoke")).is_empty());
}

#[test]
fn records_belong_together() {
    let start = at(EXPERIMENT);
    let full = with_run(start.clone(), "f1-a", "full");
    let change = |file: &str, from: &str, to: &str| {
        let path = format!("{FOLDER}/runs/f1-a/{file}");
        let text = String::from_utf8(full.0[&path].1.clone()).unwrap();
        assert!(text.contains(from));
        codes(&start, &full.clone().with(&path, &text.replacen(from, to, 1)))
    };
    assert_eq!(change("config.yaml", "d-a", "d-b"), ["digest"]);
    assert_eq!(change("run.yaml", "code_tree: code", "code_tree: other"), ["anchor"]);
    // The commit is lost to a rebase; its code is still reachable, or it is not.
    assert_eq!(change("run.yaml", "c0", "c9"), ["metrics"]);
    assert_eq!(
        change("run.yaml", "commit: c0, code_tree: code", "commit: c9, code_tree: lost"),
        ["anchor-absent", "metrics"]
    );
    assert_eq!(change("seed-0/metrics.json", "\"seed\":0", "\"seed\":1"), ["metrics"]);
    assert_eq!(change("seed-0/metrics.json", "0.9", "NaN"), ["metrics"]);
    assert_eq!(change("seed-0/metrics.json", "\"d-a\"", "\"d-b\""), ["metrics"]);
    assert_eq!(codes(&start, &full.clone().without(&format!("{FOLDER}/runs/f1-a/run.yaml"))), ["no-run"]);
    assert_eq!(codes(&start, &full.clone().without(&format!("{FOLDER}/runs/f1-a/attempts/1.yaml"))), ["metrics"]);
}

#[test]
fn files_are_files_and_ids_are_used_once() {
    let mut link = at(SURVEY);
    link.0.insert("projects/p/project.yaml".into(), (EntryKind::Symlink, b"/etc/passwd".to_vec()));
    assert_eq!(codes(&at(SURVEY), &link), ["not-a-file"]);
    let twice = at(SURVEY).with("projects/p/iterations/1-b/iteration.yaml", &iteration(&[], ""));
    assert_eq!(codes(&at(SURVEY), &twice), ["duplicate-id"]);
    let typo = at(SURVEY).with("projects/p/project.yaml", "schema: 1\ntitle: P\nqeustion: q\n");
    let found = judge(&at(SURVEY), &typo);
    assert_eq!((found[0].line, found[0].kind), (Some(3), Kind::Invalid));
    assert!(found[0].hint.as_deref().unwrap().contains("`question`"));
    let conflict = at(SURVEY).with("projects/p/project.yaml", "schema: 1\n<<<<<<< HEAD\ntitle: P\n");
    assert_eq!((judge(&at(SURVEY), &conflict)[0].code, judge(&at(SURVEY), &conflict)[0].line), ("conflict", Some(2)));
}

#[test]
fn a_run_cannot_be_moved_out_of_sight() {
    let full = with_run(at(EXPERIMENT), "f1-a", "full");
    let mut elsewhere = MemoryTree::default();
    for (path, file) in &full.0 {
        elsewhere.0.insert(path.replace("1-a/runs", "2-b/runs"), file.clone());
    }
    let other = iteration(EXPERIMENT, WRITTEN);
    let (before, after) = [full, elsewhere].map(|t| t.with("projects/p/iterations/2-b/iteration.yaml", &other)).into();
    assert_eq!(codes(&before, &after), ["record-removed"]);
}

#[test]
fn state_lies_where_commands_find_it() {
    for folder in ["projects/p/iterations/08-a", "projects/p/iterations/notes", "projects/P_x/iterations/1-a"] {
        let tree = base().with(&format!("{folder}/iteration.yaml"), &iteration(&[], ""));
        assert_eq!(codes(&base(), &tree), ["misplaced"], "{folder}");
    }
    let mut link = base();
    link.0.insert("projects/q".into(), (EntryKind::Symlink, b"p".to_vec()));
    assert_eq!(codes(&base(), &link), ["not-a-file"]);
}

#[test]
fn phases_are_not_turned_off_to_get_round_a_gate() {
    let off = |tree: MemoryTree| tree.with(load::SETTINGS, "schema: 1\nloop: off\n");
    assert_eq!(codes(&at(SURVEY), &off(at(SURVEY))), ["loop-off"]);
    assert!(codes(&base(), &off(base())).is_empty());
    let unwritten = base().with(&format!("{FOLDER}/iteration.yaml"), &iteration(IMPLEMENT, ""));
    assert!(codes(&off(base()), &off(unwritten)).is_empty());
    let jump = base().with(&format!("{FOLDER}/iteration.yaml"), &iteration(&["survey", "conclude"], ""));
    assert_eq!(codes(&off(base()), &off(jump)), ["no-such-step"]);
}

#[test]
fn secrets_and_generated_text_are_guarded() {
    assert_eq!(codes(&base(), &base().with(".env", "A=1")), ["secret"]);
    assert!(codes(&base(), &base().with(".env.example", "A=")).is_empty());
    assert_eq!(codes(&base(), &base().with("key", "-----BEGIN OPENSSH PRIVATE KEY-----\n")), ["secret"]);
    let board = crate::state::region::render("board x", "| a |\n");
    assert!(codes(&base(), &base().with("leaderboard/x.md", &board)).is_empty());
    assert_eq!(codes(&base(), &base().with("leaderboard/x.md", &board.replace("| a |", "| b |"))), ["region-edited"]);
}

#[test]
fn a_tree_without_settings_is_left_alone() {
    let foreign = MemoryTree::default().with("projects/p/project.yaml", "not ours: [");
    assert!(codes(&MemoryTree::default(), &foreign).is_empty());
    assert_eq!(codes(&base(), &base().without(load::SETTINGS)), ["settings-removed"]);
    assert_eq!(digest(b"").len(), 64);
}
