//! How the gates of an iteration stand: `gate list`, `phase show`, `phase why`, and `gate waive`.

use std::fmt;

use jiff::civil::Date;
use serde::Serialize;

use super::facts::TreeFacts;
use super::record::{Recorded, Write};
use super::{Context, check, find, phase};
use crate::state::load::IterationView;
use crate::state::overlay::Overlay;
use crate::state::phase::Phase;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::rules::{Evidence, GATES, GateResult, Outcome, gates_of};
use crate::state::text::nearest;
use crate::state::yaml::{edit, quote};

/// How one iteration stands before its next step.
#[derive(Debug, Serialize)]
pub struct Standing {
    /// `project/id`.
    pub iteration: String,
    /// The file.
    pub path: String,
    /// Where it stands.
    pub phase: Phase,
    /// Where the next step leads.
    pub next_phase: Option<Phase>,
    /// The gates on the way.
    pub gates: Vec<GateLine>,
}

/// One gate for people and programs.
#[derive(Debug, Serialize)]
pub struct GateLine {
    /// Its name.
    pub gate: &'static str,
    /// What it verifies.
    pub about: &'static str,
    /// `met`, `unmet` or `waived`.
    pub state: &'static str,
    /// What is missing.
    pub problems: Vec<Problem>,
    /// The waiver's reason and last day.
    pub waiver: Option<String>,
}

impl From<GateResult> for GateLine {
    fn from(result: GateResult) -> Self {
        let (state, problems, waiver) = match result.outcome {
            Outcome::Met => ("met", Vec::new(), None),
            Outcome::Unmet(problems) => ("unmet", problems, None),
            Outcome::Waived(reason, day) => ("waived", Vec::new(), Some(format!("{reason} (until {day})"))),
        };
        Self { gate: result.gate.name, about: result.gate.about, state, problems, waiver }
    }
}

/// How the iteration that `name` means stands, as its files are on disk.
pub fn standing(context: &Context<'_>, name: Option<&str>) -> Result<Standing, Problems> {
    let view = find::iteration(&context.repo.work_tree(), name)?;
    of_view(context, view)
}

/// How one iteration stands: judged on what its next step would commit, HEAD with the person's own edits on top.
pub(super) fn of_view(context: &Context<'_>, view: IterationView) -> Result<Standing, Problems> {
    let head = context.repo.head_tree()?;
    let edits = phase::own_edits(&head, &context.repo.work_tree(), &view)?;
    let tree = &Overlay::new(&head, edits.into_iter().map(|w| (w.path, w.text.map(String::into_bytes))));
    let facts = TreeFacts { context, tree };
    let phase = view.iteration.phase;
    let (iteration, path) = (view.name(), view.path());
    let evidence = Evidence::gather(tree, view)?;
    let results = gates_of(phase, &evidence, &facts, check::today(context))?;
    let gates = results.into_iter().map(GateLine::from).collect();
    Ok(Standing { iteration, path, phase, next_phase: phase.next(), gates })
}

impl Standing {
    /// Whether the next step is free.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.next_phase.is_some() && self.gates.iter().all(|g| g.state != "unmet")
    }

    /// What to type next: what mends the first gates, or the step itself.
    #[must_use]
    pub fn next(&self) -> Vec<String> {
        if self.next_phase.is_none() {
            return vec!["git ar start \"TOPIC\"".into()];
        }
        if self.is_open() {
            return vec![format!("git ar phase next {}", self.iteration)];
        }
        let problems = self.gates.iter().flat_map(|g| &g.problems);
        // A hint that is one command is offered; one that explains stays with its problem.
        let is_command = |hint: &String| hint.starts_with("git ar ") && !hint.contains("; ") && !hint.contains("  ");
        let mut hints: Vec<String> = problems.filter_map(|p| p.hint.clone()).filter(is_command).collect();
        hints.dedup();
        hints.truncate(3);
        hints.push(format!("git ar phase why {}", self.iteration));
        hints
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.next_phase {
            Some(next) => writeln!(f, "{} is in phase {}; the next step leads to {next}", self.iteration, self.phase)?,
            None => writeln!(f, "{} is {}; no step leads on", self.iteration, self.phase)?,
        }
        for gate in &self.gates {
            let mark = match gate.state {
                "met" => "ok  ",
                "waived" => "set aside",
                _ => "open",
            };
            writeln!(f, "  {mark}  {:<11} {}", gate.gate, gate.about)?;
            if let Some(waiver) = &gate.waiver {
                writeln!(f, "        waived: {waiver}")?;
            }
            for problem in &gate.problems {
                writeln!(f, "        {problem}")?;
                if let Some(hint) = &problem.hint {
                    writeln!(f, "          {hint}")?;
                }
            }
        }
        if self.gates.is_empty() && self.next_phase.is_some() {
            writeln!(f, "  no gate stands before that step")?;
        }
        Ok(())
    }
}

/// A waiver that was written.
#[derive(Debug, Serialize)]
pub struct Waived {
    /// `project/id`.
    pub iteration: String,
    /// The gate.
    pub gate: String,
    /// The last day it holds.
    pub expires: Date,
    /// What was recorded.
    #[serde(flatten)]
    pub recorded: Recorded,
}

/// Set a gate aside, with a reason and a last day.
pub fn waive(
    context: &Context<'_>,
    name: Option<&str>,
    gate: &str,
    reason: &str,
    expires: Date,
) -> Result<Waived, Problems> {
    let tree = context.repo.work_tree();
    let view = find::iteration(&tree, name)?;
    if !GATES.iter().any(|g| g.name == gate) {
        let near = nearest(gate, GATES.iter().map(|g| g.name)).map(|n| format!("; did you mean `{n}`?"));
        let message = format!("there is no gate `{gate}`{}", near.unwrap_or_default());
        return Err(Problem::new(Kind::Usage, "usage", message).hint("git ar gate list").into());
    }
    if reason.trim().is_empty() {
        return Err(Problem::new(Kind::Usage, "usage", "a waiver needs its reason")
            .hint(format!("git ar gate waive {gate} --reason TEXT"))
            .into());
    }
    if expires < check::today(context) {
        return Err(
            Problem::new(Kind::Usage, "usage", format!("{expires} is over; a waiver ends in the future")).into()
        );
    }
    let item = format!(
        "{{gate: {gate}, reason: {}, expires: {}}}",
        serde_json::Value::from(reason),
        quote(&expires.to_string())
    );
    let text = edit::append(&view.text, "waivers", &item).map_err(|e| e.in_file(&view.path()))?;
    let trailers = [("AR-Project", view.project.to_string()), ("AR-Iteration", view.id.to_string())];
    let subject = format!("{}: waive gate {gate} until {expires}", view.name());
    let recorded = context.record("gate waive", vec![Write::text(view.path(), text)], &subject, &trailers)?;
    Ok(Waived { iteration: view.name(), gate: gate.into(), expires, recorded })
}

impl fmt::Display for Waived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "gate {} of {} is set aside until {}", self.gate, self.iteration, self.expires)?;
        self.recorded.fmt(f)
    }
}
