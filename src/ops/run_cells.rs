//! Which cells a run verb is about: the plan's, or those that the overrides make, each with its seeds.

use super::run::Place;
use crate::config;
use crate::state::entities::{Planned, Seeds};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::record::RunKind;
use crate::state::tree::Tree;

/// The config that every composition starts from, `config.yaml` in the folder of the configs.
const PRIMARY: &str = "config";

/// One resolved config of an experiment, seeds apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The overrides that make it, the experiment and the seed apart.
    pub overrides: Vec<String>,
    /// The config's digest.
    pub digest: String,
    /// The config as it is recorded: what comes from the environment stays unresolved.
    pub stored: String,
    /// The config as the trainer reads it.
    pub resolved: String,
}

/// The configs and the environment that cells are composed from.
pub struct Composer<'a> {
    /// The files: `HEAD` for a run, the disk for a training without a record.
    pub tree: &'a dyn Tree,
    /// The folder of the configs.
    pub dir: &'a str,
    /// The environment, for `oc.env`.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

impl Composer<'_> {
    /// The jobs of a list of overrides: one, or several when they sweep.
    pub fn expand(&self, overrides: &[String]) -> Result<Vec<Vec<String>>, Problems> {
        config::expand(&self.request(overrides))
    }

    /// One composed config.
    pub fn compose<'b>(&'b self, overrides: &'b [String]) -> Result<config::Composed<'b>, Problems> {
        config::compose(&self.request(overrides))
    }

    fn request<'b>(&'b self, overrides: &'b [String]) -> config::Request<'b> {
        let job = config::Job::default();
        config::Request { tree: self.tree, dir: self.dir, name: Some(PRIMARY), overrides, env: self.env, job }
    }

    /// The cells of an experiment with overrides.
    pub fn cells(&self, experiment: &str, overrides: &[String]) -> Result<Vec<Cell>, Problems> {
        if let Some(seed) = overrides.iter().find(|o| o.trim_start_matches('+').starts_with("seed=")) {
            let problem = Problem::new(
                Kind::Usage,
                "usage",
                format!("`{seed}` is no override of a run: a run has a list of seeds"),
            );
            return Err(problem.hint("name them with --seeds, such as --seeds 0-4").into());
        }
        let first = format!("experiment={experiment}");
        let all: Vec<String> = std::iter::once(first.clone()).chain(overrides.iter().cloned()).collect();
        self.expand(&all)?.into_iter().map(|job| self.cell(&job, &first)).collect()
    }

    fn cell(&self, job: &[String], experiment: &str) -> Result<Cell, Problems> {
        let composed = self.compose(job)?;
        let stored = composed.stored()?;
        Ok(Cell {
            overrides: job.iter().filter(|o| *o != experiment).cloned().collect(),
            digest: config::digest(&stored),
            stored: stored.to_yaml(),
            resolved: composed.resolved()?.to_yaml(),
        })
    }
}

/// What a run verb was asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Smoke or full.
    pub kind: RunKind,
    /// The experiment.
    pub experiment: String,
    /// Overrides as typed.
    pub overrides: Vec<String>,
    /// Seeds as typed.
    pub seeds: Option<Seeds>,
}

/// The cells that are wanted, each with its seeds. Without overrides they are the plan's.
pub fn cells(composer: &Composer<'_>, place: &Place, wanted: &Wanted) -> Result<Vec<(Cell, Seeds)>, Problems> {
    let mut planned: Vec<(Cell, Seeds)> = Vec::new();
    let plan = place.iteration.as_ref().map_or(&[] as &[Planned], |view| &view.iteration.plan);
    for entry in plan.iter().filter(|entry| entry.experiment == wanted.experiment) {
        let cells = composer.cells(&entry.experiment, &entry.overrides)?;
        planned.extend(cells.into_iter().map(|cell| (cell, entry.seeds.clone())));
    }
    if wanted.overrides.is_empty() && !planned.is_empty() {
        return Ok(planned.into_iter().map(|(cell, seeds)| (cell, choose(wanted, Some(seeds)))).collect());
    }
    let typed = composer.cells(&wanted.experiment, &wanted.overrides)?;
    let with_seeds = |cell: Cell| {
        let seeds = planned.iter().find(|(other, _)| other.digest == cell.digest).map(|(_, seeds)| seeds.clone());
        match (&wanted.seeds, seeds, place.iteration.is_some() && wanted.kind == RunKind::Full) {
            (None, None, true) => Err(unplanned(place, wanted)),
            (_, seeds, _) => Ok((cell, choose(wanted, seeds))),
        }
    };
    typed.into_iter().map(|cell| with_seeds(cell).map_err(Problems::from)).collect()
}

/// The seeds typed, else those planned, else 0; a smoke run has one.
fn choose(wanted: &Wanted, planned: Option<Seeds>) -> Seeds {
    let seeds = wanted.seeds.clone().or(planned);
    let first = seeds.as_ref().map_or(0, |seeds| seeds.as_slice()[0]);
    match (wanted.kind, seeds) {
        (RunKind::Full, Some(seeds)) => seeds,
        _ => Seeds::try_from(vec![first]).expect("one seed"),
    }
}

fn unplanned(place: &Place, wanted: &Wanted) -> Problem {
    let what = std::iter::once(&wanted.experiment).chain(&wanted.overrides).cloned().collect::<Vec<_>>().join(" ");
    let problem =
        Problem::new(Kind::Usage, "unplanned", format!("the plan of {} has no seeds for {what}", place.name()));
    let problem = match &place.iteration {
        Some(view) => problem.at(view.path()).line(view.line("plan")),
        None => problem,
    };
    problem.hint("name the seeds with --seeds, such as --seeds 0-4")
}
