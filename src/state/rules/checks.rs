//! What each gate verifies: one function per gate, which returns what is missing.

use std::collections::BTreeSet;

use super::documents::{Document, line_of_section, said, untouched_sections};
use super::view::Evidence;
use super::{Cell, Facts};
use crate::state::load::RunView;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::record::{RunKind, Status, Verdict};

/// A refusal that points at a key of `iteration.yaml`.
fn unmet(evidence: &Evidence, key: &str, message: impl Into<String>, hint: impl Into<String>) -> Problem {
    let view = &evidence.view;
    Problem::new(Kind::Refused, "gate", message).at(view.path()).line(view.line(key).or(view.line("phase"))).hint(hint)
}

fn edit(key: &str) -> String {
    format!("write `{key}:` in iteration.yaml (git ar schema iteration tells its form), then git ar phase next")
}

pub(super) fn question(evidence: &Evidence, _: &dyn Facts) -> Result<Vec<Problem>, Problem> {
    let iteration = &evidence.view.iteration;
    let keys = [("question", &iteration.question), ("hypothesis", &iteration.hypothesis)];
    let empty = keys.into_iter().filter(|(_, text)| text.trim().is_empty());
    Ok(empty.map(|(key, _)| unmet(evidence, key, format!("`{key}` is empty"), edit(key))).collect())
}

pub(super) fn prediction(evidence: &Evidence, _: &dyn Facts) -> Result<Vec<Problem>, Problem> {
    let Some(prediction) = &evidence.view.iteration.prediction else {
        let hint = "write prediction: {metric: val/accuracy, direction: maximize, baseline: none, reason: TEXT, minimal_effect: 0.005, seeds: 3}";
        return Ok(vec![unmet(evidence, "prediction", "`prediction` is missing", hint)]);
    };
    let mut found = Vec::new();
    let mut wrong = |message: &str| found.push(unmet(evidence, "prediction", message, edit("prediction")));
    if prediction.baseline == "none" && prediction.reason.as_deref().is_none_or(|r| r.trim().is_empty()) {
        wrong("`baseline: none` needs a `reason`");
    }
    if prediction.seeds == 0 {
        wrong("`seeds` is 0; a prediction is about at least one seed");
    }
    if prediction.minimal_effect < 0.0 {
        wrong("`minimal_effect` is negative; it is the smallest difference that counts");
    }
    if prediction.metric.trim().is_empty() {
        wrong("`metric` is empty");
    }
    Ok(found)
}

/// The sections of a document in which nothing was written.
fn document(evidence: &Evidence, document: Document, text: Option<&String>) -> Vec<Problem> {
    let path = format!("{}/{}", evidence.view.folder, document.file());
    let Some(text) = text else {
        let problem = Problem::new(Kind::Refused, "gate", format!("{} is missing", document.file())).at(path);
        return vec![problem.hint(format!("git ar phase show {}   says what belongs there", evidence.view.name()))];
    };
    let untouched = untouched_sections(document, text).into_iter().map(|heading| {
        let message = format!("section `{heading}` of {} is as in its template", document.file());
        let problem =
            Problem::new(Kind::Refused, "gate", message).at(&path).line(line_of_section(text, heading).or(Some(1)));
        problem.hint(format!("write what belongs under `## {heading}`; comments do not count"))
    });
    untouched.collect()
}

pub(super) fn survey(evidence: &Evidence, _: &dyn Facts) -> Result<Vec<Problem>, Problem> {
    Ok(document(evidence, Document::Survey, evidence.survey.as_ref()))
}

pub(super) fn analysis(evidence: &Evidence, _: &dyn Facts) -> Result<Vec<Problem>, Problem> {
    Ok(document(evidence, Document::Analysis, evidence.analysis.as_ref()))
}

pub(super) fn conclusion(evidence: &Evidence, _: &dyn Facts) -> Result<Vec<Problem>, Problem> {
    Ok(document(evidence, Document::Conclusion, evidence.conclusion.as_ref()))
}

pub(super) fn references(evidence: &Evidence, _: &dyn Facts) -> Result<Vec<Problem>, Problem> {
    let text = said(evidence.survey.as_deref().unwrap_or_default());
    let list = &evidence.references.references;
    if list.iter().any(|r| text.contains(&format!("[@{}]", r.key))) {
        return Ok(Vec::new());
    }
    let path = format!("projects/{}/references.yaml", evidence.view.project);
    let (message, hint) = match list.is_empty() {
        true => (
            "nothing is listed as read".to_string(),
            format!("add an entry to {path} and cite it in survey.md as [@key]"),
        ),
        false => (
            "survey.md cites none of the entries".to_string(),
            format!("cite one in survey.md, such as [@{}]", list[0].key),
        ),
    };
    Ok(vec![Problem::new(Kind::Refused, "gate", message).at(path).line(Some(1)).hint(hint)])
}

/// The cells of the whole plan with their seeds.
fn cells<'a>(evidence: &'a Evidence, facts: &dyn Facts) -> Result<Vec<(Cell, &'a [u64])>, Problems> {
    let mut found = Vec::new();
    for planned in &evidence.view.iteration.plan {
        let cells = facts.cells(planned)?;
        found.extend(cells.into_iter().map(|cell| (cell, planned.seeds.as_slice())));
    }
    Ok(found)
}

pub(super) fn plan(evidence: &Evidence, facts: &dyn Facts) -> Result<Vec<Problem>, Problem> {
    let iteration = &evidence.view.iteration;
    if iteration.plan.is_empty() {
        let hint =
            "write plan: as a list of {experiment: NAME, seeds: 0-4}; NAME is a config under configs/experiment/";
        return Ok(vec![unmet(evidence, "plan", "`plan` names no experiment", hint)]);
    }
    if let Err(problems) = cells(evidence, facts) {
        return Ok(problems.0.into_iter().filter(|p| !p.warning).collect());
    }
    let wanted = iteration.prediction.as_ref().map_or(0, |p| p.seeds as usize);
    let short = iteration.plan.iter().filter(|p| p.seeds.as_slice().len() < wanted);
    Ok(short
        .map(|p| {
            let message = format!(
                "{} is planned with {} seeds, the prediction is about {wanted}",
                p.experiment,
                p.seeds.as_slice().len()
            );
            unmet(evidence, "plan", message, "give the plan as many seeds as the prediction")
        })
        .collect())
}

pub(super) fn cluster(evidence: &Evidence, facts: &dyn Facts) -> Result<Vec<Problem>, Problem> {
    let mut found = Vec::new();
    for planned in &evidence.view.iteration.plan {
        for problem in facts.against_cluster(planned)? {
            let message = format!("{}: {}", planned.experiment, problem.message);
            let unmet = unmet(evidence, "plan", message, problem.hint.unwrap_or_default());
            if !found.contains(&unmet) {
                found.push(unmet);
            }
        }
    }
    Ok(found)
}

/// Whether a run ended well: an attempt that succeeded, and finite metrics for at least one seed.
fn succeeded(run: &RunView) -> bool {
    let ended = run.last_attempt().is_some_and(|a| a.verdict == Some(Verdict::Succeeded));
    ended && run.seeds.values().any(|s| s.as_ref().is_ok_and(|m| m.status != Status::Failed))
}

pub(super) fn smoke(evidence: &Evidence, facts: &dyn Facts) -> Result<Vec<Problem>, Problem> {
    let Ok(cells) = cells(evidence, facts) else { return Ok(Vec::new()) };
    let runs = &evidence.runs;
    // A branch that is merged when its runs are done may have gone on since; its full runs say which code counted. One
    // that is merged before them meets other code: a smoke run that comes with it was judged by the branch's own.
    let counts = |r: &&RunView| r.run.kind == RunKind::Full || evidence.arrived.contains(&r.id);
    let mut codes: BTreeSet<String> = runs.iter().filter(counts).map(|r| r.run.anchor.code_tree.clone()).collect();
    codes.insert(facts.code_tree()?);
    let mut found = Vec::new();
    for (cell, _) in cells {
        let of_cell = |r: &&RunView| r.run.kind == RunKind::Smoke && r.run.config_digest == cell.digest;
        if runs.iter().filter(of_cell).any(|r| codes.contains(&r.run.anchor.code_tree) && succeeded(r)) {
            continue;
        }
        let (message, hint) = (smoke_message(runs, &cell), format!("git ar run smoke {}", typed(&cell)));
        found.push(unmet(evidence, "plan", message, hint));
    }
    Ok(found)
}

fn smoke_message(runs: &[RunView], cell: &Cell) -> String {
    let name = typed(cell);
    let last = runs.iter().rev().find(|r| r.run.kind == RunKind::Smoke && r.run.config_digest == cell.digest);
    match last {
        None => format!("{name} has no smoke run with this config"),
        Some(run) if !succeeded(run) => format!("the smoke run {} of {name} did not end well", run.id),
        Some(run) => format!("the smoke run {} of {name} was made with other code", run.id),
    }
}

/// A cell as one types it.
fn typed(cell: &Cell) -> String {
    std::iter::once(&cell.experiment).chain(&cell.overrides).cloned().collect::<Vec<_>>().join(" ")
}

pub(super) fn seeds(evidence: &Evidence, facts: &dyn Facts) -> Result<Vec<Problem>, Problem> {
    let cells = match cells(evidence, facts) {
        Ok(cells) => cells,
        Err(problems) => return Ok(problems.0.into_iter().filter(|p| !p.warning).collect()),
    };
    let mut found = Vec::new();
    for (cell, seeds) in cells {
        let settled =
            |seed: &u64| full_runs(evidence).any(|r| r.run.config_digest == cell.digest && is_settled(r, *seed));
        let missing: Vec<String> = seeds.iter().filter(|seed| !settled(seed)).map(u64::to_string).collect();
        if !missing.is_empty() {
            let missing = missing.join(",");
            let message = format!("{} lacks seed {missing}", typed(&cell));
            found.push(unmet(
                evidence,
                "plan",
                message,
                format!("git ar run local {} --seeds {missing}", typed(&cell)),
            ));
        }
    }
    Ok(found)
}

pub(super) fn full_runs(evidence: &Evidence) -> impl Iterator<Item = &RunView> {
    evidence.runs.iter().filter(|r| r.run.kind == RunKind::Full)
}

/// A seed with a terminal result, or excluded with its reason.
fn is_settled(run: &RunView, seed: u64) -> bool {
    let finished = run.seeds.get(&seed).is_some_and(|m| m.as_ref().is_ok_and(|m| m.status != Status::Failed));
    run.run.seeds.as_slice().contains(&seed) && (run.excluded(seed).is_some() || (finished && !run.is_quarantined()))
}

pub(super) fn result(evidence: &Evidence, facts: &dyn Facts) -> Result<Vec<Problem>, Problem> {
    // What does not compose is told by the gate `seeds`. A run of something that was not planned answers nothing.
    let planned: Option<BTreeSet<String>> =
        cells(evidence, facts).ok().map(|cells| cells.into_iter().map(|(cell, _)| cell.digest).collect());
    let valid = |r: &RunView| {
        !r.is_quarantined()
            && planned.as_ref().is_none_or(|p| p.contains(&r.run.config_digest))
            && r.seeds
                .iter()
                .any(|(s, m)| r.excluded(*s).is_none() && m.as_ref().is_ok_and(|m| m.status != Status::Failed))
    };
    let negative = evidence.view.iteration.negative.as_deref().is_some_and(|n| !n.trim().is_empty());
    if negative || full_runs(evidence).any(valid) {
        return Ok(Vec::new());
    }
    let hint = "git ar run local EXPERIMENT; or write `negative:` with the reason in iteration.yaml";
    Ok(vec![unmet(evidence, "negative", "no full run of the plan is valid", hint)])
}

pub(super) fn active(evidence: &Evidence, _: &dyn Facts) -> Result<Vec<Problem>, Problem> {
    let active = evidence.runs.iter().filter(|r| r.is_active());
    Ok(active
        .map(|r| {
            unmet(
                evidence,
                "phase",
                format!("run {} has an attempt without a verdict", r.id),
                "git ar tick   asks its cluster and records how it ended",
            )
        })
        .collect())
}

pub(super) fn metrics(evidence: &Evidence, _: &dyn Facts) -> Result<Vec<Problem>, Problem> {
    let mut found = Vec::new();
    for run in &evidence.runs {
        for (seed, result) in &run.seeds {
            if let Err(message) = result {
                let path = format!("{}/seed-{seed}/metrics.json", run.folder);
                let problem = Problem::new(Kind::Refused, "gate", message.clone()).at(path).line(Some(1));
                found.push(problem.hint(format!("git ar run exclude {} --reason TEXT", run.id)));
            }
        }
    }
    Ok(found)
}

pub(super) fn next(evidence: &Evidence, _: &dyn Facts) -> Result<Vec<Problem>, Problem> {
    let mut found = Vec::new();
    if evidence.view.iteration.next.iter().all(|n| n.trim().is_empty()) {
        found.push(unmet(
            evidence,
            "next",
            "`next` names no direction",
            "write next: [none], or the directions that follow",
        ));
    }
    if let Some(id) = evidence.view.iteration.supersedes {
        match &evidence.superseded {
            Some(old) if old.iteration.phase.is_end() => {}
            Some(old) => {
                let message = format!("it supersedes {id}, which is still in phase {}", old.iteration.phase);
                found.push(unmet(
                    evidence,
                    "supersedes",
                    message,
                    format!("git ar iter abandon {} --reason TEXT", old.name()),
                ));
            }
            None => found.push(unmet(
                evidence,
                "supersedes",
                format!("it supersedes {id}, which does not exist"),
                edit("supersedes"),
            )),
        }
    }
    let known: BTreeSet<_> = evidence.runs.iter().map(|r| &r.id).collect();
    for run in &evidence.runs {
        let successor = run.exclusion.as_ref().and_then(|e| e.superseded_by.as_ref());
        if let Some(gone) = successor.filter(|id| !known.contains(id)) {
            let message = format!("run {} is superseded by {gone}, which is not a run of this iteration", run.id);
            found.push(unmet(evidence, "phase", message, format!("git ar run show {}", run.id)));
        }
    }
    Ok(found)
}
