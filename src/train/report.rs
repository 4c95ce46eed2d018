//! `metrics.json` of one seed, by the contract with every trainer.

use std::collections::BTreeMap;

use super::history::{History, SELECTION, is_maximized};
use crate::runs::contract::{Task, metrics_file};
use crate::runs::scratch;
use crate::state::entities::Direction;
use crate::state::problem::{Kind, Problem};
use crate::state::record::{Hardware, Metric, Metrics, Status, Timing, Tracking};

/// What is known apart from the history.
#[derive(Clone, Debug)]
pub struct Facts {
    /// How it ended.
    pub status: Status,
    /// Why, when it failed.
    pub error: Option<String>,
    /// Epochs that were to be run.
    pub planned: u64,
    /// Measured once, with the weights of the best epoch.
    pub test: Vec<(&'static str, f64)>,
    /// Trained numbers.
    pub params: u64,
    /// What it ran on.
    pub hardware: Hardware,
    /// Where it is tracked.
    pub wandb: Option<Tracking>,
}

/// The metrics of a training that has ended.
#[must_use]
pub fn metrics(task: &Task, history: &History, facts: &Facts) -> Metrics {
    let best_epoch = history.best(SELECTION).map(|(epoch, _)| epoch);
    let direction = |name: &str| if is_maximized(name) { Direction::Maximize } else { Direction::Minimize };
    let mut metrics = BTreeMap::new();
    for (name, values) in &history.curve {
        if let (Some(last), Some((best_epoch, best))) = (values.last(), history.best(name))
            && name != "lr"
        {
            metrics.insert(name.clone(), Metric { last: *last, best, best_epoch, direction: direction(name) });
        }
    }
    for (name, value) in &facts.test {
        let measured = Metric {
            last: *value,
            best: *value,
            best_epoch: best_epoch.unwrap_or(history.epoch),
            direction: direction(name),
        };
        metrics.insert((*name).to_string(), measured);
    }
    let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
    metrics.retain(|_, metric| finite(&[metric.last, metric.best]));
    let curve = history.curve.iter().filter(|(_, values)| finite(values));
    Metrics {
        schema: 1,
        run: task.run.clone(),
        seed: task.seed,
        commit: task.commit.clone(),
        config_digest: task.config_digest.clone(),
        status: facts.status,
        epochs_planned: facts.planned,
        epochs_run: history.epoch,
        best_epoch,
        metrics,
        curve: curve.map(|(name, values)| (name.clone(), thinned(values))).collect(),
        params: Some(facts.params),
        timing: Timing { wall_s: history.wall, epoch_s: history.epoch_seconds() },
        hardware: facts.hardware.clone(),
        wandb: facts.wandb.clone(),
        error: facts.error.clone(),
    }
}

/// A curve within the contract's bound: every second value, or third, and so on.
fn thinned(values: &[f64]) -> Vec<f64> {
    let every = values.len().div_ceil(Metrics::CURVE_MOST).max(1);
    values.iter().copied().skip((values.len() + every - 1) % every).step_by(every).collect()
}

/// Writes them where the contract says.
pub fn write(task: &Task, metrics: &Metrics) -> Result<(), Problem> {
    let text = serde_json::to_string_pretty(metrics).expect("numbers are finite and keys are text");
    scratch::write(&metrics_file(&task.run_dir, task.seed), format!("{text}\n").as_bytes())
}

/// The result of this very training when it has ended well earlier.
pub fn finished(task: &Task) -> Result<Option<Metrics>, Problem> {
    let path = metrics_file(&task.run_dir, task.seed);
    let Some(bytes) = scratch::read(&path)? else { return Ok(None) };
    let shown = path.display().to_string();
    let broken = |why| Problem::new(Kind::Invalid, "metrics", why).at(&shown);
    let metrics = Metrics::from_json(&bytes).map_err(broken)?;
    if metrics.config_digest != task.config_digest || metrics.seed != task.seed {
        return Err(broken("this is the result of another config or seed".into())
            .hint("train into another run directory; each config has its own"));
    }
    Ok(Some(metrics).filter(|m| m.status != Status::Failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_curves_keep_their_last_value() {
        let long: Vec<f64> = (0..25_001).map(f64::from).collect();
        let thin = thinned(&long);
        assert!(thin.len() <= Metrics::CURVE_MOST && thin.last() == Some(&25_000.0));
        assert_eq!(thinned(&[1.0, 2.0]), [1.0, 2.0]);
    }
}
