//! `resume` and `next`: what a fresh session needs to know to go on, from files alone.

use std::fmt;

use serde::Serialize;

use super::gates::{self, Standing};
use super::job::{self, Listed};
use super::{Context, find};
use crate::state::entities::{Planned, Prediction, Step};
use crate::state::load;
use crate::state::phase::Phase;
use crate::state::problem::Problems;
use crate::state::record::{RunKind, Verdict};

/// Steps and runs that are told; the older ones are in the files.
const TOLD: usize = 6;

/// One iteration as a fresh session finds it.
#[derive(Debug, Serialize)]
pub struct Resumed {
    /// The project's question.
    pub project_question: String,
    /// The iteration's question.
    pub question: String,
    /// Its hypothesis.
    pub hypothesis: String,
    /// Its prediction.
    pub prediction: Option<Prediction>,
    /// Its plan.
    pub plan: Vec<Planned>,
    /// Its last steps, oldest first.
    pub steps: Vec<Step>,
    /// Its last runs, oldest first.
    pub runs: Vec<RunLine>,
    /// Its attempts on clusters that nobody has judged yet.
    pub jobs: Listed,
    /// Its gates.
    pub standing: Standing,
}

/// One run in a line.
#[derive(Debug, Serialize)]
pub struct RunLine {
    /// Its id.
    pub run: String,
    /// Smoke or full.
    pub kind: RunKind,
    /// Its seeds.
    pub seeds: String,
    /// Seeds with a result.
    pub collected: usize,
    /// The last attempt's verdict; none while it is active.
    pub verdict: Option<Verdict>,
}

/// Gather what the next session needs for one iteration, or for the one that is active.
pub fn resume(context: &Context<'_>, name: Option<&str>) -> Result<Resumed, Problems> {
    let tree = context.repo.work_tree();
    let view = find::iteration(&tree, name)?;
    let project = load::project(&tree, &view.project)?;
    let runs = load::runs(&tree, &view.folder)?;
    let line = |r: &load::RunView| RunLine {
        run: r.id.to_string(),
        kind: r.run.kind,
        seeds: r.run.seeds.to_string(),
        collected: r.seeds.len(),
        verdict: r.last_attempt().and_then(|a| a.verdict),
    };
    let iteration = view.iteration.clone();
    let steps = iteration.steps;
    Ok(Resumed {
        project_question: project.map(|p| p.question).unwrap_or_default(),
        question: iteration.question,
        hypothesis: iteration.hypothesis,
        prediction: iteration.prediction,
        plan: iteration.plan,
        steps: steps[steps.len().saturating_sub(TOLD)..].to_vec(),
        runs: runs[runs.len().saturating_sub(TOLD)..].iter().map(line).collect(),
        jobs: job::in_places(context, &tree, std::slice::from_ref(&view.folder))?,
        standing: gates::of_view(context, view)?,
    })
}

impl Resumed {
    /// What to type next.
    #[must_use]
    pub fn next(&self) -> Vec<String> {
        let tick = (self.jobs.count() > 0).then(|| "git ar tick".to_string());
        tick.into_iter().chain(self.standing.next()).collect()
    }
}

impl fmt::Display for Resumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "program:    {}", self.project_question)?;
        writeln!(f, "question:   {}", self.question)?;
        let or_open = |text: &str| if text.trim().is_empty() { "(open)".to_string() } else { text.to_string() };
        writeln!(f, "hypothesis: {}", or_open(&self.hypothesis))?;
        match &self.prediction {
            Some(p) => writeln!(
                f,
                "prediction: {} against {}, effect {} over {} seeds",
                p.metric, p.baseline, p.minimal_effect, p.seeds
            )?,
            None => writeln!(f, "prediction: (open)")?,
        }
        for planned in &self.plan {
            writeln!(f, "plan:       {} {} seeds {}", planned.experiment, planned.overrides.join(" "), planned.seeds)?;
        }
        for step in &self.steps {
            let reason = step.reason.as_ref().map(|r| format!("  ({r})")).unwrap_or_default();
            writeln!(f, "step:       {} {}{reason}", step.at.strftime("%Y-%m-%d %H:%M"), step.to)?;
        }
        for run in &self.runs {
            let kind = if run.kind == RunKind::Smoke { "smoke" } else { "full" };
            let verdict = run.verdict.map_or("active".to_string(), |v| format!("{v:?}").to_lowercase());
            writeln!(f, "run:        {} {kind} seeds {} ({} collected) {verdict}", run.run, run.seeds, run.collected)?;
        }
        if self.jobs.count() > 0 {
            self.jobs.fmt(f)?;
        }
        writeln!(f)?;
        self.standing.fmt(f)
    }
}

/// The commands to type next, and nothing else.
#[derive(Debug, Serialize)]
pub struct Next {
    /// Where the iteration stands; none when none is open.
    pub phase: Option<Phase>,
    /// The iteration.
    pub iteration: Option<String>,
    /// The commands, the most useful first.
    pub commands: Vec<String>,
}

/// What to type next for one iteration, or for the one that is active.
pub fn next(context: &Context<'_>, name: Option<&str>) -> Result<Next, Problems> {
    match gates::standing(context, name) {
        Ok(standing) => {
            let folder = find::iteration(&context.repo.work_tree(), Some(&standing.iteration))?.folder;
            let jobs = job::in_places(context, &context.repo.work_tree(), &[folder])?;
            let tick = (jobs.count() > 0).then(|| "git ar tick".to_string());
            let commands = tick.into_iter().chain(standing.next()).collect();
            Ok(Next { phase: Some(standing.phase), commands, iteration: Some(standing.iteration) })
        }
        Err(problems) if name.is_none() && problems.0.iter().any(|p| p.code == "none") => {
            let commands = super::status::status(context)?.next();
            Ok(Next { phase: None, iteration: None, commands })
        }
        Err(problems) => Err(problems),
    }
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.commands.iter().try_for_each(|command| writeln!(f, "{command}"))
    }
}
