//! `phase next` and `phase back`, and the end by `iter abandon`: one step of one iteration.

use std::fmt;

use serde::Serialize;

use super::record::{Recorded, Write};
use super::{Context, board, find, gates, scaffold};
use crate::state::compare;
use crate::state::entities::Step;
use crate::state::load::{self, IterationView};
use crate::state::overlay::Overlay;
use crate::state::phase::{Move, Phase};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::region;
use crate::state::rules::Document;
use crate::state::tree::{Tree, files, join};
use crate::state::yaml::edit;

/// The generated region in `analysis.md`.
const COMPARISON: &str = "comparison";

/// A step that was made.
#[derive(Debug, Serialize)]
pub struct Stepped {
    /// `project/id`.
    pub iteration: String,
    /// Where it stood.
    pub from: Phase,
    /// Where it stands.
    pub to: Phase,
    /// The document that was laid out, if any.
    pub document: Option<String>,
    /// What was recorded.
    #[serde(flatten)]
    pub recorded: Recorded,
}

/// One step forward for the iteration that `name` means. What a person wrote in its folder, in the project's
/// references and findings goes into the same commit.
pub fn next(context: &Context<'_>, name: Option<&str>) -> Result<Stepped, Problems> {
    let tree = context.repo.work_tree();
    let view = find::iteration(&tree, name)?;
    let Some(to) = view.iteration.phase.next() else { return Err(ended(&view).into()) };
    step(context, &tree, &view, to, None)
}

/// One step back, with its reason.
pub fn back(context: &Context<'_>, name: Option<&str>, to: Phase, reason: &str) -> Result<Stepped, Problems> {
    let tree = context.repo.work_tree();
    let view = find::iteration(&tree, name)?;
    if view.iteration.phase.step(to) != Some(Move::Back) {
        let from = view.iteration.phase;
        let legal: Vec<&str> =
            from.reachable().into_iter().filter(|p| from.step(*p) == Some(Move::Back)).map(Phase::word).collect();
        let message = match legal.as_slice() {
            [] => format!("no step leads back from {from}"),
            legal => format!("no step leads back from {from} to {to}; there is {}", legal.join(", ")),
        };
        return Err(refused(&view, message, "git ar phase show").into());
    }
    step(context, &tree, &view, to, Some(reason))
}

/// The end of an iteration that is given up, with its reason.
pub fn abandon(context: &Context<'_>, name: &str, reason: &str) -> Result<Stepped, Problems> {
    let tree = context.repo.work_tree();
    let view = find::iteration(&tree, Some(name))?;
    if view.iteration.phase.is_end() {
        return Err(ended(&view).into());
    }
    step(context, &tree, &view, Phase::Abandoned, Some(reason))
}

fn refused(view: &IterationView, message: String, hint: &str) -> Problem {
    Problem::new(Kind::Refused, "phase", message).at(view.path()).line(view.line("phase")).hint(hint)
}

fn ended(view: &IterationView) -> Problem {
    let phase = view.iteration.phase;
    let message = format!("iteration {} is {phase}; it is never reopened", view.name());
    refused(view, message, &format!("git ar iter new {} \"TOPIC\" --supersedes {}", view.project, view.id))
}

fn step(
    context: &Context<'_>,
    tree: &dyn Tree,
    view: &IterationView,
    to: Phase,
    reason: Option<&str>,
) -> Result<Stepped, Problems> {
    if reason.is_some_and(|r| r.trim().is_empty()) {
        return Err(Problem::new(Kind::Usage, "usage", "the reason is empty").hint("--reason TEXT").into());
    }
    let from = view.iteration.phase;
    let head = context.repo.head_tree()?;
    let mut writes = own_edits(&head, tree, view)?;
    set(&mut writes, Write::text(view.path(), stepped(view, to, reason, context.now)?));
    let document = document_of(to).filter(|d| !on_disk(tree, view, *d));
    writes.extend(document.map(|d| scaffold::document(&view.folder, d)));
    if to == Phase::Analyze || from == Phase::Analyze && to == Phase::Conclude {
        compared(&head, tree, view, &mut writes)?;
    }
    let waits = match to {
        Phase::Concluded => boards_in_step(context, &head, &mut writes)?,
        _ => None,
    };
    let trailers =
        [("AR-Project", view.project.to_string()), ("AR-Iteration", view.id.to_string()), ("AR-Phase", to.to_string())];
    let subject = format!("{}: {from} → {to}", view.name());
    let mut recorded =
        context.record("phase", writes, &subject, &trailers).map_err(|problems| explained(problems, view, to))?;
    recorded.warnings.extend(waits);
    if matches!(to, Phase::Conclude | Phase::Concluded) && recorded.commit.is_some() {
        recorded.warnings.extend(super::claim::warnings(context, &view.folder)?);
    }
    let document = document.map(|d| join(&view.folder, d.file()));
    Ok(Stepped { iteration: view.name(), from, to, document, recorded })
}

/// The text of `iteration.yaml` after the step; only its own lines change.
fn stepped(view: &IterationView, to: Phase, reason: Option<&str>, at: jiff::Timestamp) -> Result<String, Problem> {
    let line = scaffold::step(&Step { to, at, reason: reason.map(str::to_string) });
    let text = edit::set(&view.text, "phase", to.word());
    text.and_then(|text| edit::append(&text, "steps", &line)).map_err(|e| e.in_file(&view.path()))
}

/// The document that a phase writes.
fn document_of(phase: Phase) -> Option<Document> {
    match phase {
        Phase::Survey => Some(Document::Survey),
        Phase::Analyze => Some(Document::Analysis),
        Phase::Conclude => Some(Document::Conclusion),
        _ => None,
    }
}

fn on_disk(tree: &dyn Tree, view: &IterationView, document: Document) -> bool {
    tree.read(&join(&view.folder, document.file())).is_ok_and(|found| found.is_some())
}

/// Puts a write in the place of an earlier one to the same path.
fn set(writes: &mut Vec<Write>, write: Write) {
    writes.retain(|w| w.path != write.path);
    writes.push(write);
}

/// What a person wrote since the last commit in the iteration's own files: everything in its folder but the runs,
/// and the project's file, references and findings.
pub(super) fn own_edits(head: &dyn Tree, tree: &dyn Tree, view: &IterationView) -> Result<Vec<Write>, Problem> {
    let project = format!("projects/{}", view.project);
    let mut candidates: Vec<String> = tree
        .list(&view.folder)?
        .into_iter()
        .filter(|e| e.kind != crate::state::tree::EntryKind::Folder)
        .map(|e| join(&view.folder, &e.name))
        .collect();
    candidates.extend(files(tree, &join(&project, "findings"))?.into_iter().map(|(path, _)| path));
    candidates.extend(["project.yaml", "references.yaml"].map(|name| join(&project, name)));
    let mut writes = Vec::new();
    for path in candidates {
        let Some(bytes) = tree.read(&path)? else { continue };
        let kept = path.ends_with(".md") || path.ends_with(".yaml");
        if kept && head.read(&path)?.as_ref() != Some(&bytes) {
            let text = String::from_utf8(bytes)
                .map_err(|_| Problem::new(Kind::Invalid, "text", "not UTF-8 text").at(&path))?;
            writes.push(Write::text(path, text));
        }
    }
    Ok(writes)
}

/// Health, comparison and score in `analysis.md`, rendered from the raw seeds as they are committed: the disk may hold
/// other ones, which git was told not to see.
fn compared(head: &dyn Tree, tree: &dyn Tree, view: &IterationView, writes: &mut Vec<Write>) -> Result<(), Problem> {
    let runs = load::runs(head, &view.folder)?;
    let body = compare::iteration(head, view, &runs)?.body();
    let path = join(&view.folder, Document::Analysis.file());
    let written = writes.iter().find(|w| w.path == path).and_then(|w| w.text.clone());
    let text = match written {
        Some(text) => text,
        None => String::from_utf8_lossy(&tree.read(&path)?.unwrap_or_default()).into_owned(),
    };
    let text = match region::replace(&path, &text, COMPARISON, &body)? {
        Some(text) => text,
        None => placed(&text, &region::render(COMPARISON, &body)),
    };
    set(writes, Write::text(path, text));
    Ok(())
}

/// The boards as they will be with these writes, in the same commit; a warning when one has to wait.
fn boards_in_step(context: &Context<'_>, head: &dyn Tree, writes: &mut Vec<Write>) -> Result<Option<Problem>, Problem> {
    let files = writes.iter().map(|w| (w.path.clone(), w.text.clone().map(String::into_bytes)));
    let after = Overlay::new(head, files.collect::<Vec<_>>());
    let (boards, warning) = board::in_step(context, &after)?;
    boards.into_iter().for_each(|file| set(writes, file));
    Ok(warning)
}

/// A document that lacks the region gets it at the end of its first section.
fn placed(text: &str, region: &str) -> String {
    let second = text.match_indices("\n## ").nth(1).map_or(text.len(), |(at, _)| at + 1);
    let (head, tail) = text.split_at(second);
    format!("{}\n\n{region}\n{tail}", head.trim_end())
}

/// Render `comparison` in `analysis.md` anew, without a step.
pub fn write_comparison(context: &Context<'_>, name: Option<&str>) -> Result<Recorded, Problems> {
    let tree = context.repo.work_tree();
    let view = find::iteration(&tree, name)?;
    if !on_disk(&tree, &view, Document::Analysis) {
        let message = format!("{} has no analysis.md yet; it comes with phase analyze", view.name());
        return Err(refused(&view, message, &format!("git ar phase show {}", view.name())).into());
    }
    let mut writes = Vec::new();
    compared(&context.repo.head_tree()?, &tree, &view, &mut writes)?;
    let trailers = [("AR-Project", view.project.to_string()), ("AR-Iteration", view.id.to_string())];
    context.record("phase show", writes, &format!("{}: compare anew", view.name()), &trailers)
}

/// A refused step says where it would have led.
fn explained(mut problems: Problems, view: &IterationView, to: Phase) -> Problems {
    if problems.0.iter().any(|p| p.code == "gate") {
        let missing = problems.0.iter().filter(|p| p.code == "gate").count();
        let message =
            format!("{} stays in {}: {missing} of what {to} asks for is missing", view.name(), view.iteration.phase);
        let summary = refused(view, message, &format!("git ar phase why {}", view.name()));
        problems.0.insert(0, summary);
    }
    problems
}

impl Stepped {
    /// What to type next.
    #[must_use]
    pub fn next(&self, context: &Context<'_>) -> Vec<String> {
        match gates::standing(context, Some(&self.iteration)) {
            Ok(standing) => standing.next(),
            Err(_) => vec![format!("git ar phase why {}", self.iteration)],
        }
    }
}

impl fmt::Display for Stepped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} → {}", self.iteration, self.from, self.to)?;
        if let Some(document) = &self.document {
            writeln!(f, "  write {document}")?;
        }
        self.recorded.fmt(f)
    }
}
