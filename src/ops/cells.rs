//! The cells of a plan: what its experiments compose to, in a tree.

use super::run_cells::Composer;
use crate::config;
use crate::state::entities::{Planned, Settings};
use crate::state::problem::{Problem, Problems};
use crate::state::rules::Cell;
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
