//! How long a job may take: what earlier runs took, handed to the estimate.

use crate::cluster::walltime::{self, Estimate, Known};
use crate::ops::run::Place;
use crate::state::load::{self, RunView};
use crate::state::problem::Problem;
use crate::state::record::{Run, RunKind};
use crate::state::resolved::Resolved;
use crate::state::tree::Tree;

/// A few batches take this long at most, in seconds.
const SMOKE: u64 = 1800;

/// The walltime for so many seeds of a run, one after another. `run` comes with its recorded config.
pub(super) fn estimate(
    tree: &dyn Tree,
    place: &Place,
    (run, stored): (&Run, &str),
    seeds: u64,
    cap: Option<u64>,
) -> Result<Estimate, Problem> {
    if run.kind == RunKind::Smoke {
        let walltime_s = SMOKE.min(cap.unwrap_or(SMOKE));
        let from = "a smoke run is a few batches".to_string();
        return Ok(Estimate { walltime_s, capped: walltime_s < SMOKE, p_kill: None, from });
    }
    let views = load::runs(tree, &place.folder)?;
    let same = seconds(&views, |other| other.config_digest == run.config_digest);
    let earlier = if same.is_empty() { seconds(&views, |other| other.experiment == run.experiment) } else { same };
    let model = Resolved::parse(stored.as_bytes()).at("model.name").map(str::to_string);
    Ok(walltime::estimate(&Known { seeds, earlier, stated: None, model, cap }))
}

/// What the full seeds of some runs took.
fn seconds(views: &[RunView], which: impl Fn(&Run) -> bool) -> Vec<f64> {
    let full = views.iter().filter(|view| view.run.kind == RunKind::Full && which(&view.run));
    full.flat_map(|view| view.seeds.values().flatten()).map(|m| m.timing.wall_s).filter(|s| *s > 0.0).collect()
}
