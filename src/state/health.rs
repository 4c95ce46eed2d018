//! How well a training went, read from its `metrics.json`: what every analysis must say about every run.

use serde::Serialize;

use super::entities::Direction;
use super::record::{Metrics, Status};
use super::text::printable;

/// What is wrong with one seed's training. No trouble means healthy.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "trouble", rename_all = "snake_case")]
pub enum Trouble {
    /// There is no result.
    Missing,
    /// The `metrics.json` cannot be used (numbers that are not finite, wrong types).
    Invalid {
        /// What is wrong with it.
        why: String,
    },
    /// The trainer says that it failed.
    Failed {
        /// What it says.
        why: String,
    },
    /// The metric is not in the result.
    NoMetric {
        /// Its name.
        metric: String,
    },
    /// No better than guessing.
    Collapsed {
        /// What was reached, a fraction.
        value: f64,
        /// What guessing reaches, a fraction.
        chance: f64,
    },
    /// It stopped by its own rule before the last epoch.
    StoppedEarly {
        /// Epochs run.
        after: u64,
        /// Epochs planned.
        planned: u64,
    },
    /// It was still improving when it ended.
    NotConverged {
        /// The epoch of the best value.
        best_epoch: u64,
        /// Epochs run.
        epochs: u64,
    },
}

/// Share of a training's whole gain that may still come in its last tenth.
const LATE_GAIN: f64 = 0.02;
/// A result within this share of the way from chance to 1 is no better than guessing.
const NEAR_CHANCE: f64 = 0.05;

/// What is wrong with one seed; `classes` is how many there are to guess from, where that is known.
#[must_use]
pub fn of_seed(result: Option<&Result<Metrics, String>>, metric: &str, classes: Option<u64>) -> Vec<Trouble> {
    match result {
        None => vec![Trouble::Missing],
        Some(Err(why)) => vec![Trouble::Invalid { why: printable(why) }],
        Some(Ok(metrics)) if metrics.status == Status::Failed => {
            let why = metrics.error.as_deref().unwrap_or("the trainer gives no reason");
            vec![Trouble::Failed { why: printable(why) }]
        }
        Some(Ok(metrics)) => of_metrics(metrics, metric, classes),
    }
}

fn of_metrics(metrics: &Metrics, metric: &str, classes: Option<u64>) -> Vec<Trouble> {
    let Some(measured) = metrics.metrics.get(metric) else {
        return vec![Trouble::NoMetric { metric: metric.to_string() }];
    };
    let mut troubles = Vec::new();
    if let Some(chance) = chance(metric, classes)
        && measured.last < chance + NEAR_CHANCE * (1.0 - chance)
    {
        troubles.push(Trouble::Collapsed { value: measured.last, chance });
    }
    if metrics.status == Status::EarlyStopped {
        troubles.push(Trouble::StoppedEarly { after: metrics.epochs_run, planned: metrics.epochs_planned });
    }
    if metrics.status == Status::Completed
        && is_late(measured.best_epoch, metrics.epochs_run)
        && gained_late(metrics.curve.get(metric).map(Vec::as_slice), measured.direction, metrics.epochs_run)
    {
        troubles.push(Trouble::NotConverged { best_epoch: measured.best_epoch, epochs: metrics.epochs_run });
    }
    troubles
}

fn chance(metric: &str, classes: Option<u64>) -> Option<f64> {
    classes.filter(|n| *n > 1 && metric.ends_with("accuracy")).map(|n| 1.0 / n as f64)
}

/// Whether an epoch (from 1) lies in the last tenth of all.
fn is_late(epoch: u64, epochs: u64) -> bool {
    epoch.saturating_mul(10) > epochs.saturating_mul(9)
}

/// Whether the last tenth brought more than [`LATE_GAIN`] of the whole gain. On a plateau the best epoch falls
/// anywhere by chance, so its place alone says little; without a curve it is all there is.
fn gained_late(curve: Option<&[f64]>, direction: Direction, epochs: u64) -> bool {
    let Some(curve) = curve.filter(|c| c.len() as u64 == epochs && c.len() > 1) else { return true };
    let sign = if direction == Direction::Maximize { 1.0 } else { -1.0 };
    let best = |values: &[f64]| values.iter().map(|v| sign * v).fold(f64::NEG_INFINITY, f64::max);
    let early = curve.len() * 9 / 10;
    let (before, all) = (best(&curve[..early.max(1)]), best(curve));
    all - before > LATE_GAIN * (all - sign * curve[0])
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("seed missing"),
            Self::Invalid { why } => write!(f, "metrics.json invalid: {why}"),
            Self::Failed { why } => write!(f, "failed: {why}"),
            Self::NoMetric { metric } => write!(f, "no `{}`", printable(metric)),
            Self::Collapsed { value, chance } => {
                write!(f, "collapsed to chance: {:.2} % where guessing gives {:.2} %", value * 100.0, chance * 100.0)
            }
            Self::StoppedEarly { after, planned } => write!(f, "stopped early: after {after} of {planned} epochs"),
            Self::NotConverged { best_epoch, epochs } => {
                write!(f, "not converged: best epoch {best_epoch} of {epochs}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(status: &str, epochs: u64, best_epoch: u64, last: f64, curve: &[f64]) -> Result<Metrics, String> {
        let text = format!(
            r#"{{"schema":1,"run":"a","seed":0,"commit":"c","config_digest":"d","status":"{status}","epochs_planned":50,"epochs_run":{epochs},
            "metrics":{{"val/accuracy":{{"final":{last},"best":0.98,"best_epoch":{best_epoch},"direction":"maximize"}}}},
            "curve":{{"val/accuracy":{curve:?}}}}}"#
        );
        Metrics::from_json(text.as_bytes())
    }

    fn troubles(result: &Result<Metrics, String>) -> Vec<Trouble> {
        of_seed(Some(result), "val/accuracy", Some(10))
    }

    #[test]
    fn every_verdict_has_its_case() {
        assert_eq!(troubles(&metrics("completed", 50, 30, 0.98, &[])), []);
        assert_eq!(
            troubles(&metrics("completed", 50, 46, 0.98, &[])),
            [Trouble::NotConverged { best_epoch: 46, epochs: 50 }]
        );
        assert_eq!(troubles(&metrics("completed", 50, 45, 0.98, &[])), []);
        assert_eq!(
            troubles(&metrics("early_stopped", 11, 1, 0.98, &[])),
            [Trouble::StoppedEarly { after: 11, planned: 50 }]
        );
        let collapsed = troubles(&metrics("completed", 50, 3, 0.1135, &[]));
        assert_eq!(collapsed, [Trouble::Collapsed { value: 0.1135, chance: 0.1 }]);
        assert_eq!(of_seed(None, "val/accuracy", None), [Trouble::Missing]);
        assert!(matches!(troubles(&Err("NaN".into()))[..], [Trouble::Invalid { .. }]));
        assert!(matches!(troubles(&metrics("failed", 3, 3, 0.2, &[]))[..], [Trouble::Failed { .. }]));
        let other = of_seed(Some(&metrics("completed", 50, 3, 0.9, &[])), "val/loss", None);
        assert!(matches!(other[..], [Trouble::NoMetric { .. }]));
    }

    #[test]
    fn a_plateau_is_converged_wherever_its_best_epoch_fell() {
        let mut curve: Vec<f64> = (0..50_i32).map(|e| 0.98 - 0.08 * 0.7_f64.powi(e)).collect();
        curve[48] += 0.0005;
        assert_eq!(troubles(&metrics("completed", 50, 49, 0.98, &curve)), []);
        let rising: Vec<f64> = (0..50).map(|e| 0.5 + 0.009 * f64::from(e)).collect();
        assert_eq!(troubles(&metrics("completed", 50, 50, 0.94, &rising)).len(), 1);
    }
}
