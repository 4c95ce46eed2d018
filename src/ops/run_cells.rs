//! Which cells a run verb is about: the plan's, or those that the overrides make, each with its seeds.

use super::run::Place;
use crate::config::{self, Composed, Job, PRIMARY, Selection};
use crate::state::entities::{Planned, Seeds};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::record::RunKind;
use crate::state::rules::key_in;
use crate::state::tree::Tree;

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
    /// Whether the trainer is a built-in one, whose keys are known.
    pub typed: bool,
}

impl<'a> Composer<'a> {
    /// The cells of an experiment with overrides: one, or several when they, or the experiment itself, sweep.
    pub fn cells(&self, experiment: &str, overrides: &[String]) -> Result<Vec<Cell>, Problems> {
        if let Some(seed) = overrides.iter().find(|o| o.trim_start_matches('+').starts_with("seed=")) {
            let message = format!("`{seed}` is no override of a run: a run has a list of seeds");
            let problem = Problem::new(Kind::Usage, "usage", message);
            return Err(problem.hint("name them with --seeds, such as --seeds 0-4").into());
        }
        let Selection { name, choice } = self.open().experiment(experiment);
        let all: Vec<String> = std::iter::once(choice.clone()).chain(overrides.iter().cloned()).collect();
        let jobs = self.jobs(name, &all)?;
        jobs.into_iter().map(|(job, composed)| cell(job, &composed, &choice, self.typed)).collect()
    }

    /// The jobs of a sweep, each with its overrides and its config.
    pub fn sweep(&self, overrides: &[String]) -> Result<Vec<(Vec<String>, Composed<'a>)>, Problems> {
        self.jobs(Some(PRIMARY), overrides)
    }

    /// One config; a sweep is refused.
    pub fn one(&self, overrides: &[String]) -> Result<Composed<'a>, Problems> {
        self.open().compose(Some(PRIMARY), overrides, Job::default())
    }

    fn jobs(&self, name: Option<&str>, overrides: &[String]) -> Result<Vec<(Vec<String>, Composed<'a>)>, Problems> {
        super::config::check_dir(self.tree, self.dir)?;
        let mut composer = self.open();
        let jobs = composer.expand(name, overrides, Job::default())?;
        if let Some((_, problems)) = jobs.failed {
            return Err(problems);
        }
        let places = 0..jobs.jobs.len();
        places.map(|at| Ok((jobs.jobs[at].clone(), composer.job(name, &jobs, at, Job::default())?))).collect()
    }

    fn open(&self) -> config::Composer<'a> {
        config::Composer::new(self.tree, self.dir, self.env)
    }
}

fn cell(job: Vec<String>, composed: &Composed<'_>, choice: &str, typed: bool) -> Result<Cell, Problems> {
    let stored = composed.stored()?;
    if typed {
        super::config::fits(composed, &stored)?;
    }
    let text = stored.to_yaml();
    // It would be refused with the results, when they are to be committed.
    if let Some(line) = key_in(&text) {
        let message = format!("the composed config holds a key of a service, in its line {line}");
        let problem = Problem::new(Kind::Refused, "secret", message);
        return Err(problem.hint("let it name a variable instead, such as ${oc.env:WANDB_API_KEY}").into());
    }
    Ok(Cell {
        overrides: job.into_iter().filter(|o| o != choice).collect(),
        digest: config::digest(&stored),
        stored: text,
        resolved: composed.resolved()?.to_yaml(),
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tree::MemoryTree;

    const PRIMARY_TEXT: &str = "defaults:\n  - _self_\n  - experiment: null\nseed: 0\nlr: 1e-3\n";

    fn cells_of(tree: &MemoryTree, overrides: &[&str]) -> Vec<Cell> {
        let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
        Composer { tree, dir: "configs", env: &|_| None, typed: false }.cells("e1", &overrides).unwrap()
    }

    #[test]
    fn a_cell_is_named_by_its_overrides_and_known_by_its_digest() {
        let bare = MemoryTree::default().with("configs/experiment/e1.yaml", "# @package _global_\nlr: 0.1\n");
        let unlisted = bare.clone().with("configs/config.yaml", "seed: 0\n");
        let listed = bare.clone().with("configs/config.yaml", PRIMARY_TEXT);
        for tree in [&bare, &unlisted, &listed] {
            let plain = cells_of(tree, &[]);
            assert!(plain.len() == 1 && plain[0].overrides.is_empty(), "{plain:?}");
            let swept = cells_of(tree, &["lr=0.1,0.2"]);
            let names: Vec<_> = swept.iter().map(|c| c.overrides.join(" ")).collect();
            assert_eq!(names, ["lr=0.1", "lr=0.2"]);
            assert!(swept[0].digest == plain[0].digest && swept[1].digest != plain[0].digest);
        }
        assert_eq!(cells_of(&bare, &[])[0].digest, cells_of(&unlisted, &[])[0].digest);
        let composer = Composer { tree: &listed, dir: "configs", env: &|_| None, typed: false };
        assert_eq!(composer.cells("e1", &["+seed=1".into()]).unwrap_err().0[0].kind, Kind::Usage);
        assert!(composer.cells("e2", &[]).is_err());
    }

    #[test]
    fn the_environment_is_in_what_is_trained_and_not_in_what_is_stored() {
        let text = "# @package _global_\nmodel: {hidden: 3}\ndata: ${oc.env:AR_DATA,null}\n";
        let tree = MemoryTree::default().with("configs/experiment/e1.yaml", text);
        let composed = |value: &'static str| {
            let env = move |name: &str| (name == "AR_DATA").then(|| value.to_string());
            Composer { tree: &tree, dir: "configs", env: &env, typed: false }.cells("e1", &[]).unwrap().remove(0)
        };
        let (one, two) = (composed("/a"), composed("/b"));
        assert_eq!((&one.stored, &one.digest), (&two.stored, &two.digest));
        assert!(one.resolved.contains("data: /a") && one.stored.contains("${oc.env:AR_DATA"), "{}", one.stored);
    }
}
