//! The cells of a plan: what its experiments compose to, in a tree.

use super::run_cells::Composer;
use crate::cluster::legal::{Wish, against};
use crate::cluster::profile::{Profile, Resources};
use crate::cluster::scheduler::seconds;
use crate::config;
use crate::state::entities::{Planned, Settings};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::rules::Cell;
use crate::state::text::printable;
use crate::state::tree::Tree;

/// The cells of one line of a plan.
pub fn of_plan(
    tree: &dyn Tree,
    settings: &Settings,
    planned: &Planned,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Cell>, Problems> {
    let composer = Composer { tree, dir: &settings.config_dir, env, typed: settings.trainer.is_built_in() };
    let cells = composer.cells(&planned.experiment, &planned.overrides)?;
    let named = |cell: super::run_cells::Cell| Cell {
        experiment: planned.experiment.clone(),
        overrides: cell.overrides,
        digest: cell.digest,
    };
    Ok(cells.into_iter().map(named).collect())
}

/// The digest of a stored config.
pub fn digest_of(path: &str, config: &[u8]) -> Result<String, Problem> {
    Ok(config::digest(&config::read(config, path)?))
}

/// What stands against one line of a plan on the cluster that it names, or that configs/ar.yaml names: an unknown
/// cluster or queue, too much walltime, too many cores, no account. Nothing on this machine.
pub fn against_cluster(tree: &dyn Tree, settings: &Settings, planned: &Planned) -> Result<Vec<Problem>, Problem> {
    let Some(name) = planned.cluster.as_deref().or(settings.cluster.as_deref()) else { return Ok(Vec::new()) };
    let profile = match Profile::read(tree, &settings.config_dir, name) {
        Ok(profile) => profile,
        Err(problem) => return Ok(vec![problem]),
    };
    if profile.scheduler.dialect().is_none() {
        return Ok(Vec::new());
    }
    let wrong = |text: &String| {
        let message = format!("`{}` is no walltime such as 12:00:00", printable(text));
        Problem::new(Kind::Usage, "walltime", message).hint("write `walltime: \"12:00:00\"`, or leave it out")
    };
    // Without a word about it the walltime is estimated and cut to the queue's limit.
    let walltime_s = match &planned.walltime {
        None => 1,
        Some(text) => match seconds(text).filter(|s| *s > 0) {
            Some(seconds) => seconds,
            None => return Ok(vec![wrong(text)]),
        },
    };
    let queue = planned.queue.as_deref().or(profile.default_queue.as_deref());
    let resources = profile.resources(queue, &Resources::default());
    Ok(against(&profile, &Wish { cluster: name, queue, resources: &resources, walltime_s }))
}
