//! What a training has behind it: epochs, curves, the best epoch, seconds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The metric by which the best epoch is chosen.
pub const SELECTION: &str = "val/accuracy";

/// As of some step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Whole epochs.
    pub epoch: u64,
    /// Steps of the epoch that has begun.
    pub step: u64,
    /// Sum of the losses of the images of these steps.
    pub loss: f64,
    /// One value per whole epoch for each series.
    pub curve: BTreeMap<String, Vec<f64>>,
    /// Seconds of each whole epoch.
    pub seconds: Vec<f64>,
    /// Seconds of everything, over every start.
    pub wall: f64,
    /// When the first start was, in seconds since 1970.
    pub started: f64,
}

/// Numbers as their bits: what is read is exactly what was written.
#[derive(Serialize, Deserialize)]
struct Stored {
    epoch: u64,
    step: u64,
    loss: u64,
    curve: BTreeMap<String, Vec<u64>>,
    seconds: Vec<u64>,
    wall: u64,
    started: u64,
}

impl History {
    /// Adds an epoch's values.
    pub fn note(&mut self, values: &[(&str, f64)]) {
        for (name, value) in values {
            self.curve.entry((*name).to_string()).or_default().push(*value);
        }
    }

    /// The best value of a series and its epoch (from 1); the first of equals.
    #[must_use]
    pub fn best(&self, series: &str) -> Option<(u64, f64)> {
        let values = self.curve.get(series)?.iter().copied().zip(1..);
        let better = |new: f64, old: f64| if is_maximized(series) { new > old } else { new < old };
        values.fold(None, |best, (value, epoch)| match best {
            Some((_, old)) if !better(value, old) => best,
            _ => Some((epoch, value)),
        })
    }

    /// The median of the epochs' seconds; 0 before the first.
    #[must_use]
    pub fn epoch_seconds(&self) -> f64 {
        let mut seconds = self.seconds.clone();
        seconds.sort_by(f64::total_cmp);
        seconds.get(seconds.len() / 2).copied().unwrap_or(0.0)
    }

    /// As text for a checkpoint.
    #[must_use]
    pub fn to_text(&self) -> String {
        let bits = |numbers: &[f64]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let stored = Stored {
            epoch: self.epoch,
            step: self.step,
            loss: self.loss.to_bits(),
            curve: self.curve.iter().map(|(name, values)| (name.clone(), bits(values))).collect(),
            seconds: bits(&self.seconds),
            wall: self.wall.to_bits(),
            started: self.started.to_bits(),
        };
        serde_json::to_string(&stored).expect("numbers and names are JSON")
    }

    /// What [`History::to_text`] wrote.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let stored: Stored = serde_json::from_str(text).ok()?;
        let numbers = |bits: &[u64]| bits.iter().map(|b| f64::from_bits(*b)).collect::<Vec<_>>();
        Some(Self {
            epoch: stored.epoch,
            step: stored.step,
            loss: f64::from_bits(stored.loss),
            curve: stored.curve.iter().map(|(name, bits)| (name.clone(), numbers(bits))).collect(),
            seconds: numbers(&stored.seconds),
            wall: f64::from_bits(stored.wall),
            started: f64::from_bits(stored.started),
        })
    }
}

/// Whether more is better.
#[must_use]
pub fn is_maximized(series: &str) -> bool {
    series.ends_with("accuracy")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_survives_its_text_to_the_bit() {
        let mut history =
            History { epoch: 2, step: 3, loss: 0.1 + 0.2, wall: 1e-300, started: 1.5, ..History::default() };
        history.note(&[("val/accuracy", 1.0 / 3.0), ("val/loss", 2.0)]);
        history.note(&[("val/accuracy", 1.0 / 3.0), ("val/loss", 1.0)]);
        assert_eq!(History::from_text(&history.to_text()).unwrap(), history);
        assert_eq!(history.best("val/accuracy"), Some((1, 1.0 / 3.0)));
        assert_eq!(history.best("val/loss"), Some((2, 1.0)));
        assert_eq!(history.best("nothing"), None);
        assert_eq!(History::from_text("{}"), None);
    }
}
