//! How a prediction fared: one verdict for a row, one for the iteration.

use super::{Baseline, Compared, Score, Verdict};
use crate::state::board::BoardConfig;
use crate::state::entities::{Direction, Prediction};
use crate::state::markdown::{difference, number, p_value};

/// Differences with a p-value from here on are not told apart from chance.
const ALPHA: f64 = 0.05;

impl Score {
    fn new(verdict: Verdict, why: impl Into<String>) -> Self {
        Self { verdict, why: why.into() }
    }
}

/// Whether one row does what was predicted.
pub(super) fn of_row(prediction: Option<&Prediction>, row: &Compared, baseline: &Baseline) -> Score {
    let undecided = |why: String| Score::new(Verdict::NotDecided, why);
    let Some(prediction) = prediction else { return undecided("nothing was predicted".into()) };
    if let Some(doubt) = row.doubts.first() {
        return undecided(doubt.clone());
    }
    if row.summary.n < prediction.seeds as usize {
        return undecided(format!("{} of the {} predicted seeds have results", row.summary.n, prediction.seeds));
    }
    if prediction.baseline == "none" {
        return against_value(prediction, row.summary.mean);
    }
    match (&baseline.missing, row.delta) {
        (None, Some(delta)) => against_baseline(prediction, delta, row.p),
        (why, _) => undecided(why.clone().unwrap_or_else(|| "the baseline has no results".into())),
    }
}

/// Without a baseline the prediction is a value to reach.
fn against_value(prediction: &Prediction, mean: f64) -> Score {
    let share = BoardConfig::is_share(&prediction.metric);
    let reached = signed(prediction, mean) >= signed(prediction, prediction.minimal_effect);
    let (mean, wanted) = (number(share, mean), number(share, prediction.minimal_effect));
    match reached {
        true => Score::new(Verdict::Met, format!("the mean {mean} reaches the predicted {wanted}")),
        false => Score::new(Verdict::NotMet, format!("the mean {mean} does not reach the predicted {wanted}")),
    }
}

fn against_baseline(prediction: &Prediction, delta: f64, p: Option<f64>) -> Score {
    let share = BoardConfig::is_share(&prediction.metric);
    let found = difference(share, delta);
    let wanted = difference(share, signed(prediction, prediction.minimal_effect));
    if signed(prediction, delta) < prediction.minimal_effect {
        return Score::new(Verdict::NotMet, format!("{found} falls short of the predicted {wanted}"));
    }
    match p {
        Some(p) if p < ALPHA => {
            Score::new(Verdict::Met, format!("{found} reaches the predicted {wanted} (p {})", equals(p)))
        }
        Some(p) => {
            let why =
                format!("{found} reaches the predicted {wanted} but is not told apart from chance (p {})", equals(p));
            Score::new(Verdict::NotDecided, why)
        }
        None => Score::new(Verdict::NotDecided, format!("{found} from a single seed cannot be told apart from chance")),
    }
}

fn equals(p: f64) -> String {
    let p = p_value(p);
    if p.starts_with('<') { p } else { format!("= {p}") }
}

/// A value with its sign turned when less is better, so that more is better.
fn signed(prediction: &Prediction, value: f64) -> f64 {
    if prediction.direction == Direction::Maximize { value } else { -value }
}

/// The verdict on the iteration: that of its best row. `rows` are sorted, best first.
pub(super) fn overall(rows: &[Compared]) -> Score {
    let mut judged = rows.iter().filter_map(|row| row.score.as_ref().map(|score| (row, score)));
    let Some((best, score)) = judged.next() else {
        return Score::new(Verdict::NotDecided, "no row has results to judge");
    };
    let others = judged.count();
    let choice = match others {
        0 => String::new(),
        n => format!("; it is the best of {} rows, and p is not corrected for that choice", n + 1),
    };
    Score::new(score.verdict, format!("{}: {}{choice}", best.label, score.why))
}
