//! An iteration against its baseline, from raw seeds: differences, the prediction's score, every run's health.
//!
//! It is rendered into the generated region `comparison` of `analysis.md`; the gate recomputes it and compares.

use std::collections::BTreeMap;

use serde::Serialize;

use super::entities::Direction;
use super::health::{self, Trouble};
use super::load::{self, IterationView, RunView};
use super::pool::{Pooled, label, pool};
use super::problem::Problem;
use super::record::RunKind;
use super::resolved::Configs;
use super::row::RowName;
use super::stats::{Summary, summary, welch};
use super::text::printable;
use super::tree::Tree;

mod score;
mod text;

pub use text::REGION;

/// What the analysis of an iteration stands on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The metric, at the end of training.
    pub metric: String,
    /// The row that is compared with.
    pub baseline: Baseline,
    /// The iteration's rows, best first.
    pub rows: Vec<Compared>,
    /// How the prediction fared on the best row.
    pub score: Score,
    /// Every full run's health.
    pub health: Vec<RunHealth>,
}

/// The row that is compared with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Baseline {
    /// Its name; none when the prediction names none.
    pub name: Option<String>,
    /// Its figures.
    pub summary: Option<Summary>,
    /// Why it has none.
    pub missing: Option<String>,
    /// Its place among the iteration's own rows, when it is one of them.
    #[serde(skip)]
    own: Option<usize>,
}

/// One row of the iteration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// What people read.
    pub label: String,
    /// Values by seed.
    pub seeds: BTreeMap<u64, f64>,
    /// Mean and spread.
    pub summary: Summary,
    /// Difference to the baseline's mean.
    pub delta: Option<f64>,
    /// Welch's p-value for that difference.
    pub p: Option<f64>,
    /// Whether the row does what was predicted; none for the baseline itself.
    pub score: Option<Score>,
    /// Why its figures cannot be trusted.
    pub doubts: Vec<String>,
}

/// How a prediction fared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in one sentence.
    pub why: String,
}

/// What a prediction turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It came true.
    Met,
    /// It did not.
    NotMet,
    /// The data does not say.
    NotDecided,
}

impl Verdict {
    /// The words for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::NotDecided => "not decided",
        }
    }
}

/// The health of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunHealth {
    /// The run.
    pub run: String,
    /// Its seeds, as `0-4`.
    pub seeds: String,
    /// What is wrong, by seed; empty when it is healthy.
    pub troubles: BTreeMap<u64, Vec<Trouble>>,
    /// Why the run as a whole does not count, when it does not.
    pub aside: Option<String>,
}

/// The comparison of one iteration; `runs` are the iteration's own.
pub fn iteration(tree: &dyn Tree, view: &IterationView, runs: &[RunView]) -> Result<Comparison, Problem> {
    let prediction = view.iteration.prediction.as_ref();
    let metric = prediction.map_or("val/accuracy", |p| p.metric.as_str());
    let own = pool(runs, &str::to_string);
    let name =
        prediction.map(|p| p.baseline.as_str()).filter(|b| *b != "none").or(view.iteration.compare_to.as_deref());
    let baseline = match name {
        Some(name) if !own.is_empty() => find_baseline(tree, view, &own, name, metric)?,
        _ => Baseline { name: name.map(str::to_string), summary: None, missing: None, own: None },
    };
    let mut rows: Vec<Compared> = Vec::new();
    for (index, row) in own.iter().enumerate() {
        let other = (baseline.own != Some(index)).then_some(&baseline);
        rows.extend(
            compared(view, row, other, metric)
                .map(|row| Compared { score: other.map(|baseline| score::of_row(prediction, &row, baseline)), ..row }),
        );
    }
    let sign = if prediction.is_some_and(|p| p.direction == Direction::Minimize) { 1.0 } else { -1.0 };
    rows.sort_by(|a, b| (sign * a.summary.mean).total_cmp(&(sign * b.summary.mean)).then(a.label.cmp(&b.label)));
    let score = score::overall(&rows);
    Ok(Comparison { metric: metric.into(), baseline, rows, score, health: healths(tree, runs, metric)? })
}

/// The baseline's figures, from this iteration's own rows or from another's.
fn find_baseline(
    tree: &dyn Tree,
    view: &IterationView,
    own: &[Pooled],
    text: &str,
    metric: &str,
) -> Result<Baseline, Problem> {
    let none = |why: String| Baseline { name: Some(text.to_string()), summary: None, missing: Some(why), own: None };
    let name: RowName = match text.parse() {
        Ok(name) => name,
        Err(why) => return Ok(none(why)),
    };
    if name.project == view.project && name.iteration == Some(view.id) {
        return Ok(choose(own, &name, metric).map_or_else(none, |(index, summary)| Baseline {
            name: Some(text.to_string()),
            summary: Some(summary),
            missing: None,
            own: Some(index),
        }));
    }
    let folders = load::iteration_folders(tree, &name.project)?;
    let folder = match name.iteration {
        Some(id) => folders.into_iter().find(|(other, _)| *other == id).map(|(_, folder)| folder),
        None => Some(format!("projects/{}", name.project)),
    };
    let Some(folder) = folder else { return Ok(none(format!("there is no iteration of {text}"))) };
    let runs = load::runs(tree, &folder)?;
    let chosen = choose(&pool(&runs, &str::to_string), &name, metric);
    Ok(chosen.map_or_else(none, |(_, summary)| Baseline {
        name: Some(text.to_string()),
        summary: Some(summary),
        missing: None,
        own: None,
    }))
}

/// The one row that a name means: with several, the one without overrides.
fn choose(rows: &[Pooled], name: &RowName, metric: &str) -> Result<(usize, Summary), String> {
    let figures = |row: &Pooled| summary(&row.values(metric, |m| m.last).into_values().collect::<Vec<_>>());
    let named = rows.iter().enumerate().filter(|(_, r)| r.experiment == name.experiment && r.doubts.is_empty());
    let mut found: Vec<_> = named.filter_map(|(i, row)| Some((i, row, figures(row)?))).collect();
    if found.len() > 1 {
        found.retain(|(_, row, _)| row.overrides.is_empty());
    }
    match found[..] {
        [(index, _, summary)] => Ok((index, summary)),
        [] => Err(format!("{name} has no results of {}", printable(metric))),
        _ => Err(format!("{name} means {} rows", found.len())),
    }
}

/// One row's figures and its difference to the baseline, which is `None` for the baseline itself.
fn compared(view: &IterationView, row: &Pooled, baseline: Option<&Baseline>, metric: &str) -> Option<Compared> {
    let seeds = row.values(metric, |m| m.last);
    let figures = summary(&seeds.values().copied().collect::<Vec<_>>())?;
    let against = baseline.and_then(|b| b.summary);
    let given = view.iteration.display.rows.get(row.experiment).map(String::as_str);
    Some(Compared {
        label: label(given, row.experiment, row.overrides),
        seeds,
        summary: figures,
        delta: against.map(|b| figures.mean - b.mean),
        p: against.and_then(|b| welch(figures, b)),
        score: None,
        doubts: row.doubts.clone(),
    })
}

fn healths(tree: &dyn Tree, runs: &[RunView], metric: &str) -> Result<Vec<RunHealth>, Problem> {
    let mut configs = Configs::default();
    let mut found = Vec::new();
    for run in runs.iter().filter(|r| r.run.kind == RunKind::Full) {
        let classes = configs.of(tree, &run.folder)?.classes();
        let counted = run.run.seeds.as_slice().iter().filter(|seed| run.excluded(**seed).is_none());
        let troubles = counted.map(|seed| (*seed, health::of_seed(run.seeds.get(seed), metric, classes)));
        let reason = run.exclusion.as_ref().filter(|e| e.withdrawn.is_none());
        let excluded = |e: &super::exclusion::Exclusion| {
            let which = e.seeds.as_ref().map(|s| format!(" (seeds {s})")).unwrap_or_default();
            format!("excluded{which}: {}", e.reason)
        };
        let active = run.is_active().then(|| "active: no verdict yet".to_string());
        let quarantined = run.is_quarantined().then(|| "quarantined: what ran is not what was to run".to_string());
        found.push(RunHealth {
            run: run.id.to_string(),
            seeds: run.run.seeds.to_string(),
            troubles: troubles.filter(|(_, t)| !t.is_empty() && active.is_none()).collect(),
            aside: quarantined.or(active.clone()).or(reason.map(excluded)),
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
