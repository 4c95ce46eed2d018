//! The cells of a plan: what its experiments compose to.

use crate::state::entities::{Planned, Settings};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::rules::Cell;
use crate::state::tree::{Tree, digest};

/// The cells of one line of a plan.
pub fn of_plan(
    _tree: &dyn Tree,
    _settings: &Settings,
    planned: &Planned,
    _env: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Cell>, Problems> {
    let message = format!("{} does not compose: composition is not built in yet", planned.experiment);
    Err(Problem::new(Kind::Invalid, "compose", message).into())
}

/// The digest of a stored config.
pub fn digest_of(_path: &str, config: &[u8]) -> Result<String, Problem> {
    Ok(digest(config))
}
