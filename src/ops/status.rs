//! `status`: where everything stands, in one page, from the files.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::Context;
use super::job::{self, Listed};
use crate::repo::Head;
use crate::state::entities::Switch;
use crate::state::load;
use crate::state::phase::Phase;
use crate::state::problem::Problems;

/// Where everything stands.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The branch, when one is checked out.
    pub branch: Option<String>,
    /// The branch that holds the program's state.
    pub state_branch: String,
    /// Whether phases are on.
    pub phases: bool,
    /// The projects.
    pub projects: Vec<ProjectStatus>,
    /// Attempts on clusters that nobody has judged yet, of the iterations that are worked on.
    pub jobs: Listed,
}

/// One project.
#[derive(Debug, Serialize)]
pub struct ProjectStatus {
    /// Its folder name.
    pub project: String,
    /// Iterations that are worked on.
    pub active: Vec<Active>,
    /// How many iterations are in which phase.
    pub phases: BTreeMap<Phase, usize>,
}

/// An iteration that is worked on.
#[derive(Debug, Serialize)]
pub struct Active {
    /// `project/id`.
    pub iteration: String,
    /// Where it stands.
    pub phase: Phase,
    /// Since when.
    pub since: Option<jiff::Timestamp>,
    /// Its question.
    pub question: String,
    /// How many runs it has, smoke runs among them.
    pub runs: usize,
}

/// Read the state on disk. Of iterations that are not worked on only `iteration.yaml` is read.
pub fn status(context: &Context<'_>) -> Result<Status, Problems> {
    let tree = context.repo.work_tree();
    let Head { branch, .. } = context.repo.head()?;
    let (mut projects, mut places) = (Vec::new(), Vec::new());
    for slug in load::projects(&tree)? {
        places.push(format!("projects/{slug}"));
        let mut project = ProjectStatus { project: slug.to_string(), active: Vec::new(), phases: BTreeMap::new() };
        for view in load::iterations(&tree, &slug)? {
            let phase = view.iteration.phase;
            *project.phases.entry(phase).or_insert(0) += 1;
            if phase.is_active() {
                let runs = crate::state::tree::Tree::list(&tree, &format!("{}/runs", view.folder))?.len();
                let since = view.iteration.steps.last().map(|s| s.at);
                places.push(view.folder.clone());
                project.active.push(Active {
                    iteration: view.name(),
                    phase,
                    since,
                    question: view.iteration.question,
                    runs,
                });
            }
        }
        projects.push(project);
    }
    let phases = context.settings.phases == Switch::On;
    let jobs = job::in_places(context, &tree, &places)?;
    Ok(Status { branch, state_branch: context.settings.branch.clone(), phases, projects, jobs })
}

impl Status {
    /// What to type next.
    #[must_use]
    pub fn next(&self) -> Vec<String> {
        let active: Vec<&Active> = self.projects.iter().flat_map(|p| &p.active).collect();
        let mut next: Vec<String> = (self.jobs.count() > 0).then(|| "git ar tick".to_string()).into_iter().collect();
        next.extend(match active.as_slice() {
            [] if !self.phases => vec!["git ar run local EXPERIMENT".into(), "git ar board".into()],
            [] => vec!["git ar start \"TOPIC\"".into()],
            [one] => vec![format!("git ar phase why {}", one.iteration)],
            _ => vec!["git ar resume".into()],
        });
        next
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.branch {
            Some(branch) if *branch == self.state_branch => writeln!(f, "on {branch}")?,
            Some(branch) => writeln!(f, "on {branch} (state lives on {})", self.state_branch)?,
            None => writeln!(f, "on a commit without a branch (state lives on {})", self.state_branch)?,
        }
        if !self.phases {
            writeln!(f, "phases are off (configs/ar.yaml: loop)")?;
        }
        if self.projects.is_empty() {
            writeln!(f, "no project yet")?;
        }
        for project in &self.projects {
            let counts: Vec<String> = project.phases.iter().map(|(phase, n)| format!("{n} {phase}")).collect();
            writeln!(
                f,
                "{}: {}",
                project.project,
                if counts.is_empty() { "no iteration".into() } else { counts.join(", ") }
            )?;
            for active in &project.active {
                let since =
                    active.since.map(|t| format!(" since {}", t.strftime("%Y-%m-%d %H:%M UTC"))).unwrap_or_default();
                let runs = match active.runs {
                    0 => String::new(),
                    1 => ", 1 run".into(),
                    n => format!(", {n} runs"),
                };
                writeln!(f, "  {}  {}{since}{runs}", active.iteration, active.phase)?;
                writeln!(f, "    {}", active.question.lines().next().unwrap_or_default())?;
            }
        }
        if self.jobs.count() > 0 {
            self.jobs.fmt(f)?;
        }
        Ok(())
    }
}
