//! `iter new|list|show`: iterations of a project.

use std::fmt;

use serde::Serialize;

use super::record::{Recorded, Write};
use super::{Context, find, scaffold, start};
use crate::state::ids::IterId;
use crate::state::load::{self, IterationView};
use crate::state::phase::Phase;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::record::RunKind;
use crate::state::tree::{Tree, join};
use crate::state::yaml::edit;

/// A new iteration.
#[derive(Debug, Serialize)]
pub struct NewIteration {
    /// `project/id`.
    pub iteration: String,
    /// Its folder.
    pub folder: String,
    /// The iteration that it supersedes.
    pub supersedes: Option<IterId>,
    /// What was recorded.
    #[serde(flatten)]
    pub recorded: Recorded,
}

/// Plan an iteration on `topic`: with the next number, with `id`, or with the next letter after the one it supersedes,
/// whose question, hypothesis, prediction and survey it may inherit.
pub fn new(
    context: &Context<'_>,
    project: Option<&str>,
    topic: &str,
    id: Option<IterId>,
    supersedes: Option<IterId>,
    inherit: bool,
) -> Result<NewIteration, Problems> {
    let tree = context.repo.work_tree();
    let project = find::project(&tree, project)?;
    let folders = load::iteration_folders(&tree, &project)?;
    let old = supersedes.map(|id| find::iteration(&tree, Some(&format!("{project}/{id}")))).transpose()?;
    let next = folders.last().map_or(IterId::number(1), |(last, _)| last.next());
    let id = match (id, supersedes) {
        (Some(id), _) => id,
        (None, Some(old)) => free_letter(old, &folders).unwrap_or(next),
        (None, None) => next,
    };
    if let Some((_, taken)) = folders.iter().find(|(other, _)| *other == id) {
        let problem = Problem::new(Kind::Refused, "duplicate-id", format!("iteration {project}/{id} is there already"));
        return Err(problem.at(join(taken, "iteration.yaml")).hint(format!("git ar iter list {project}")).into());
    }
    let folder = format!("projects/{project}/iterations/{id}-{}", start::named(topic, start::ITERATION_SLUG)?);
    let mut writes = scaffold::iteration(&folder, topic, None);
    if let Some(old) = old.as_ref().filter(|_| inherit) {
        writes = inherited(&tree, old, &folder)?;
    }
    if let (Some(old), Some(Write { path, text: Some(text) })) = (supersedes, writes.first_mut()) {
        *text = edit::set(text, "supersedes", &format!("\"{old}\"")).map_err(|e| e.in_file(path))?;
    }
    let trailers = [("AR-Project", project.to_string()), ("AR-Iteration", id.to_string())];
    let recorded = context.record("iter new", writes, &format!("{project}/{id}: plan {topic}"), &trailers)?;
    Ok(NewIteration { iteration: format!("{project}/{id}"), folder, supersedes, recorded })
}

/// The first letter after `old` that is not taken.
fn free_letter(old: IterId, folders: &[(IterId, String)]) -> Option<IterId> {
    let mut id = old.successor()?;
    while folders.iter().any(|(other, _)| *other == id) {
        id = id.successor()?;
    }
    Some(id)
}

/// The old iteration's words as a new, planned iteration, with its survey.
fn inherited(tree: &dyn Tree, old: &IterationView, folder: &str) -> Result<Vec<Write>, Problem> {
    let reset = edit::set(&old.text, "phase", Phase::Planned.word()).and_then(|text| edit::set(&text, "steps", "[]"));
    let mut text = reset.map_err(|e| e.in_file(&old.path()))?;
    for (key, empty) in [("next", "[]"), ("waivers", "[]"), ("negative", "null")] {
        if old.line(key).is_some() {
            text = edit::set(&text, key, empty).map_err(|e| e.in_file(&old.path()))?;
        }
    }
    let mut writes = vec![Write::text(join(folder, "iteration.yaml"), text)];
    if let Some(survey) = tree.read(&join(&old.folder, "survey.md"))? {
        writes.push(Write::text(join(folder, "survey.md"), String::from_utf8_lossy(&survey)));
    }
    Ok(writes)
}

impl fmt::Display for NewIteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} is planned", self.iteration)?;
        writeln!(f, "  {}/iteration.yaml", self.folder)?;
        self.recorded.fmt(f)
    }
}

/// Iterations in a row each.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Iterations {
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    iteration: String,
    phase: Phase,
    question: String,
    supersedes: Option<IterId>,
    folder: String,
}

/// The iterations of one project, or of all.
pub fn list(context: &Context<'_>, project: Option<&str>) -> Result<Iterations, Problems> {
    let tree = context.repo.work_tree();
    let projects = match project {
        Some(name) => vec![find::project(&tree, Some(name))?],
        None => load::projects(&tree)?,
    };
    let mut rows = Vec::new();
    for slug in projects {
        for view in load::iterations(&tree, &slug)? {
            let (iteration, phase) = (view.name(), view.iteration.phase);
            let (question, supersedes) = (view.iteration.question, view.iteration.supersedes);
            rows.push(Row { iteration, phase, question, supersedes, folder: view.folder });
        }
    }
    Ok(Iterations { rows })
}

impl fmt::Display for Iterations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows.is_empty() {
            return writeln!(f, "no iteration yet");
        }
        let wide = self.rows.iter().map(|r| r.iteration.chars().count()).max().unwrap_or(0);
        for row in &self.rows {
            let question = row.question.lines().next().unwrap_or_default();
            writeln!(f, "{:<wide$}  {:<10}  {question}", row.iteration, row.phase.word())?;
        }
        Ok(())
    }
}

/// One iteration in full.
#[derive(Debug, Serialize)]
pub struct Shown {
    iteration: String,
    folder: String,
    phase: Phase,
    #[serde(flatten)]
    content: crate::state::entities::Iteration,
    runs: Vec<String>,
    #[serde(skip)]
    text: String,
}

/// Everything an iteration's file says, and its runs.
pub fn show(context: &Context<'_>, name: Option<&str>) -> Result<Shown, Problems> {
    let tree = context.repo.work_tree();
    let view = find::iteration(&tree, name)?;
    let runs = load::runs(&tree, &view.folder)?;
    let kind = |kind| if kind == RunKind::Smoke { "smoke" } else { "full" };
    let runs = runs.iter().map(|r| format!("{} ({}, seeds {})", r.id, kind(r.run.kind), r.run.seeds)).collect();
    Ok(Shown {
        iteration: view.name(),
        folder: view.folder,
        phase: view.iteration.phase,
        content: view.iteration,
        runs,
        text: view.text,
    })
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}  ({})", self.iteration, self.folder)?;
        for line in self.text.lines().filter(|l| !l.trim_start().starts_with('#')) {
            writeln!(f, "  {line}")?;
        }
        for run in &self.runs {
            writeln!(f, "  run {run}")?;
        }
        Ok(())
    }
}
