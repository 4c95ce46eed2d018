//! Runs as the verbs see them: where their records are, which one a prefix means, in which state they are.

use serde::Serialize;

use super::{Context, find};
use crate::runs::layout::Record;
use crate::state::entities::Switch;
use crate::state::ids::{IterId, RunId, Slug};
use crate::state::load::{self, IterationView, RunView};
use crate::state::phase::Phase;
use crate::state::problem::{Kind, Problem};
use crate::state::record::{Attempt, Run, RunKind, Verdict};
use crate::state::text::nearest;
use crate::state::tree::{EntryKind, Tree, join};

/// Where the runs of an iteration, or of a project with `loop: off`, are recorded.
#[derive(Clone, Debug)]
pub struct Place {
    /// The project.
    pub project: Slug,
    /// The iteration; none with `loop: off`.
    pub iteration: Option<IterationView>,
    /// The folder in which `runs/` lies.
    pub folder: String,
}

impl Place {
    /// The place that is meant: the iteration named, or the active one; with `loop: off` the project.
    pub fn find(
        context: &Context<'_>,
        tree: &dyn Tree,
        iteration: Option<&str>,
        project: Option<&str>,
    ) -> Result<Self, Problem> {
        if context.settings.phases == Switch::Off {
            if load::projects(tree)?.is_empty() {
                let problem = Problem::new(Kind::Ambiguous, "none", "there is no project yet; a run belongs to one");
                return Err(problem.hint("git ar project new \"TITLE\""));
            }
            let project = find::project(tree, project)?;
            return Ok(Self { folder: format!("projects/{project}"), project, iteration: None });
        }
        let named = match (iteration, project) {
            (Some(id), Some(project)) if !id.contains('/') => Some(format!("{project}/{id}")),
            (id, _) => id.map(str::to_string),
        };
        let view = match (named, project) {
            (None, Some(project)) => only_active_of(tree, &find::project(tree, Some(project))?)?,
            (named, _) => find::iteration(tree, named.as_deref())?,
        };
        Ok(Self { project: view.project.clone(), folder: view.folder.clone(), iteration: Some(view) })
    }

    /// As commands take it: `project/id`, or the project.
    #[must_use]
    pub fn name(&self) -> String {
        self.iteration.as_ref().map_or_else(|| self.project.to_string(), IterationView::name)
    }

    /// Refuses a run of this kind in a phase to which it does not belong.
    pub fn allow(&self, kind: RunKind) -> Result<(), Problem> {
        let Some(view) = &self.iteration else { return Ok(()) };
        let (allowed, rule): (&[Phase], &str) = match kind {
            RunKind::Full => (&[Phase::Experiment], "full runs start in experiment"),
            RunKind::Smoke => (&[Phase::Implement, Phase::Experiment], "smoke runs belong to implement and experiment"),
        };
        let phase = view.iteration.phase;
        if allowed.contains(&phase) {
            return Ok(());
        }
        let message = format!("iteration {} is in phase {phase}; {rule}", view.name());
        let problem = Problem::new(Kind::Refused, "phase", message).at(view.path()).line(view.line("phase"));
        Err(problem.hint(format!("git ar phase why {}", view.name())))
    }

    /// The trailers of a commit about a run in here.
    #[must_use]
    pub fn trailers(&self, run: &RunId) -> Vec<(&'static str, String)> {
        let iteration = self.iteration.iter().map(|view| ("AR-Iteration", view.id.to_string()));
        std::iter::once(("AR-Project", self.project.to_string()))
            .chain(iteration)
            .chain([("AR-Run", run.to_string())])
            .collect()
    }
}

fn only_active_of(tree: &dyn Tree, project: &Slug) -> Result<IterationView, Problem> {
    let mut active: Vec<IterationView> =
        load::iterations(tree, project)?.into_iter().filter(|view| view.iteration.phase.is_active()).collect();
    if active.len() == 1 {
        return Ok(active.remove(0));
    }
    let message = format!("project {project} has {} active iterations; say which one", active.len());
    Err(Problem::new(Kind::Ambiguous, "ambiguous", message)
        .hint("git ar iter list   then name it with --iter PROJECT/ID"))
}

/// A run by the names of its folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its project.
    pub project: Slug,
    /// Its iteration; none with `loop: off`.
    pub iteration: Option<IterId>,
    /// The folder in which `runs/` lies.
    pub parent: String,
    /// Its id.
    pub id: RunId,
}

/// Every run by the names of the folders; no file is read.
pub fn all(tree: &dyn Tree) -> Result<Vec<Found>, Problem> {
    let mut found = Vec::new();
    for project in load::projects(tree)? {
        let iterations = load::iteration_folders(tree, &project)?.into_iter().map(|(id, folder)| (Some(id), folder));
        for (iteration, parent) in std::iter::once((None, format!("projects/{project}"))).chain(iterations) {
            let entries = tree.list(&join(&parent, "runs"))?;
            let ids =
                entries.into_iter().filter(|e| e.kind == EntryKind::Folder).filter_map(|e| e.name.try_into().ok());
            found.extend(ids.map(|id| Found { project: project.clone(), iteration, parent: parent.clone(), id }));
        }
    }
    Ok(found)
}

/// The runs in the folder of an iteration, or of a project, by the names of the folders.
pub fn in_place(tree: &dyn Tree, parent: &str) -> Result<Vec<Found>, Problem> {
    let iteration = parent.rsplit_once("/iterations/").and_then(|(_, name)| IterId::of_folder(name));
    let slug = parent.split('/').nth(1).and_then(|name| Slug::try_from(name).ok());
    let Some(project) = slug else { return Ok(Vec::new()) };
    let entries = tree.list(&join(parent, "runs"))?.into_iter().filter(|e| e.kind == EntryKind::Folder);
    let ids = entries.filter_map(|e| RunId::try_from(e.name).ok());
    Ok(ids.map(|id| Found { project: project.clone(), iteration, parent: parent.to_string(), id }).collect())
}

impl Found {
    /// The place it is recorded in.
    pub fn place(&self, tree: &dyn Tree) -> Result<Place, Problem> {
        let (project, folder) = (self.project.clone(), self.parent.clone());
        let load = |id| load::iteration(tree, &self.project, id, &self.parent);
        Ok(Place { iteration: self.iteration.map(load).transpose()?.flatten(), project, folder })
    }

    /// Its place as commands take it: `project/id`, or the project.
    #[must_use]
    pub fn place_name(&self) -> String {
        self.iteration.map_or_else(|| self.project.to_string(), |id| format!("{}/{id}", self.project))
    }

    /// Its record.
    pub fn view(&self, tree: &dyn Tree) -> Result<RunView, Problem> {
        let record = Record::new(&self.parent, &self.id);
        load::run(tree, self.id.clone(), &record.folder)?.ok_or_else(|| no_record(&record))
    }

    /// When it was submitted.
    pub fn created(&self, tree: &dyn Tree) -> Result<jiff::Timestamp, Problem> {
        let record = Record::new(&self.parent, &self.id);
        let run: Option<Run> = load::read(tree, &record.run())?;
        run.map(|run| run.created).ok_or_else(|| no_record(&record))
    }
}

fn no_record(record: &Record) -> Problem {
    let problem = Problem::new(Kind::Invalid, "no-run", "run.yaml is missing").at(record.run());
    problem.hint(format!("git log -- {}   tells what became of it", record.folder))
}

/// The run that `name` begins.
pub fn one(tree: &dyn Tree, name: &str) -> Result<(Place, RunView), Problem> {
    let all = all(tree)?;
    let mut fits: Vec<&Found> = all.iter().filter(|run| run.id.as_str().starts_with(name)).collect();
    if let Some(exact) = fits.iter().find(|run| run.id.as_str() == name) {
        fits = vec![*exact];
    }
    match fits.as_slice() {
        [one] => Ok((one.place(tree)?, one.view(tree)?)),
        [] => {
            let near = nearest(name, all.iter().map(|run| run.id.as_str()));
            let near = near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            let problem = Problem::new(Kind::Ambiguous, "unknown-id", format!("no run begins with `{name}`{near}"));
            Err(problem.hint("git ar run list"))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|run| run.id.as_str()).take(12).collect();
            let message = format!("`{name}` begins {} runs: {}", several.len(), names.join(", "));
            Err(Problem::new(Kind::Ambiguous, "ambiguous", message).hint("type more of the id"))
        }
    }
}

/// Where a run stands. Derived, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Every seed has its result.
    Succeeded,
    /// An attempt has no verdict yet.
    Active,
    /// The latest attempt failed.
    Failed,
    /// The latest attempt was stopped.
    Killed,
    /// What ran is not what was to run.
    Quarantined,
    /// It does not count, in whole or in part.
    Excluded,
}

impl State {
    /// The state of a run.
    #[must_use]
    pub fn of(run: &RunView) -> Self {
        let seeds = run.run.seeds.as_slice();
        if seeds.iter().any(|seed| run.excluded(*seed).is_some()) {
            return Self::Excluded;
        }
        if run.is_quarantined() {
            return Self::Quarantined;
        }
        if run.is_active() || run.attempts.is_empty() {
            return Self::Active;
        }
        // Several jobs may share the seeds: the latest that did not end well tells what is missing.
        let whole = run.run.kind == RunKind::Full && seeds.iter().all(|seed| finished(run).any(|s| s == *seed));
        let ended_badly = |a: &&Attempt| a.verdict.is_some_and(|verdict| verdict != Verdict::Succeeded);
        let several = run.attempts.values().any(|a| a.seeds.as_ref().is_some_and(|own| *own != run.run.seeds));
        let telling = match several {
            true if !whole => run.attempts.values().rev().find(ended_badly).or(run.last_attempt()),
            true => None,
            false => run.last_attempt(),
        };
        match telling.and_then(|attempt| attempt.verdict) {
            None | Some(Verdict::Succeeded) => Self::Succeeded,
            Some(Verdict::Failed) => Self::Failed,
            Some(Verdict::Killed | Verdict::Quarantined) => Self::Killed,
        }
    }

    /// The word for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Active => "active",
            Self::Failed => "failed",
            Self::Killed => "killed",
            Self::Quarantined => "quarantined",
            Self::Excluded => "excluded",
        }
    }
}

/// Smoke or full, as a word.
#[must_use]
pub fn kind_word(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Smoke => "smoke",
        RunKind::Full => "full",
    }
}

/// The seeds of a run that have a result.
pub fn finished(run: &RunView) -> impl Iterator<Item = u64> {
    run.seeds.iter().filter(|(_, result)| result.is_ok()).map(|(seed, _)| *seed)
}
