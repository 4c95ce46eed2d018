//! What a claim can be recomputed from: a row of ours with its raw seeds, or a figure that somebody reports.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::state::board::{BoardConfig, Reported, Statistic, TieTest};
use crate::state::entities::Direction;
use crate::state::ids::{IterId, Slug};
use crate::state::load::RunView;
use crate::state::pool::Pooled;
use crate::state::stats::{Summary, mann_whitney, summary, welch};

/// A row of ours, or a reported one.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Its name for people.
    pub(super) name: String,
    /// Printed elsewhere, not measured here.
    pub(super) reported: bool,
    /// Its project.
    pub(super) project: Slug,
    /// Its iteration.
    pub(super) iteration: Option<IterId>,
    /// Its experiment.
    pub(super) experiment: Option<String>,
    /// What people call it.
    pub(super) label: String,
    /// Its runs.
    pub(super) runs: Vec<String>,
    /// Values that boards show, by title.
    pub(super) values: BTreeMap<String, String>,
    /// Final and best value by metric and seed.
    pub(super) seeds: BTreeMap<String, BTreeMap<u64, (f64, f64)>>,
    /// The printed figures.
    pub(super) printed: Option<Summary>,
    /// Trained numbers of the model.
    pub(super) params: Option<u64>,
    /// How it is judged.
    pub(super) rule: Rule,
}

/// How rows of one dataset are judged: as their board says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    /// The ranked metric.
    pub(super) metric: String,
    /// Its final or its best value.
    pub(super) best: bool,
    /// Which way it is better.
    pub(super) maximize: bool,
    /// The test.
    pub(super) test: TieTest,
    /// Rows with a p-value from here on are not separated.
    pub(super) alpha: f64,
}

impl Default for Rule {
    fn default() -> Self {
        let test = TieTest::Welch;
        Self { metric: "val/accuracy".into(), best: false, maximize: true, test, alpha: 0.05 }
    }
}

impl Rule {
    /// The rule of a board.
    pub(super) fn of(board: &BoardConfig) -> Self {
        Self {
            metric: board.metric.clone(),
            best: board.statistic == Statistic::Best,
            maximize: board.direction == Direction::Maximize,
            test: board.ties.test,
            alpha: board.ties.alpha,
        }
    }
}

/// A source as a verdict names it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Used {
    /// Its name.
    pub name: String,
    /// Printed elsewhere, not measured here.
    pub reported: bool,
    /// The metric.
    pub metric: String,
    /// Mean and spread, recomputed or as printed.
    pub summary: Option<Summary>,
    /// The runs behind it.
    pub runs: Vec<String>,
}

impl Source {
    /// A row of ours.
    pub(super) fn of_row(pooled: &Pooled<'_>, place: (&Slug, Option<IterId>), label: String, rule: Rule) -> Self {
        let (project, iteration) = place;
        let mut seeds: BTreeMap<String, BTreeMap<u64, (f64, f64)>> = BTreeMap::new();
        for (seed, (_, metrics)) in &pooled.seeds {
            for (name, metric) in &metrics.metrics {
                seeds.entry(name.clone()).or_default().insert(*seed, (metric.last, metric.best));
            }
        }
        let middle = iteration.map(|id| format!("{id}/")).unwrap_or_default();
        let overrides: String = pooled.overrides.iter().map(|o| format!(" {o}")).collect();
        Self {
            name: format!("{project}/{middle}{}{overrides}", pooled.experiment),
            reported: false,
            project: project.clone(),
            iteration,
            experiment: Some(pooled.experiment.to_string()),
            label,
            runs: pooled.runs.iter().map(|r| r.id.to_string()).collect(),
            values: BTreeMap::new(),
            seeds,
            printed: None,
            params: pooled.seeds.values().find_map(|(_, m)| m.params),
            rule,
        }
    }

    /// One run that is in no row: a smoke run, or an excluded one, which a text may name all the same.
    pub(super) fn of_run(run: &RunView, place: (&Slug, Option<IterId>), rule: Rule) -> Self {
        let mut seeds: BTreeMap<String, BTreeMap<u64, (f64, f64)>> = BTreeMap::new();
        for (seed, metrics) in run.seeds.iter().filter_map(|(s, m)| Some((s, m.as_ref().ok()?))) {
            for (name, metric) in &metrics.metrics {
                seeds.entry(name.clone()).or_default().insert(*seed, (metric.last, metric.best));
            }
        }
        Self {
            name: format!("run {}, which is in no row", run.id),
            reported: false,
            project: place.0.clone(),
            iteration: place.1,
            experiment: Some(run.run.experiment.clone()),
            label: run.run.experiment.clone(),
            runs: vec![run.id.to_string()],
            values: BTreeMap::new(),
            params: run.seeds.values().find_map(|m| m.as_ref().ok()?.params),
            seeds,
            printed: None,
            rule,
        }
    }

    /// A figure from elsewhere; none without a mean.
    pub(super) fn of_reported(row: &Reported, rule: Rule) -> Option<Self> {
        let n = row.n.map_or(0, |n| n as usize);
        Some(Self {
            name: format!("{} ({}/{}), as reported", row.label, row.project, row.iteration),
            reported: true,
            project: row.project.clone(),
            iteration: Some(row.iteration),
            experiment: row.experiment.clone(),
            label: row.label.clone(),
            runs: Vec::new(),
            values: row.values.clone(),
            seeds: BTreeMap::new(),
            printed: Some(Summary { n, mean: row.mean?, std: row.std }),
            params: None,
            rule,
        })
    }

    /// The values of a metric by seed.
    pub(super) fn by_seed(&self, metric: &str, best: bool) -> BTreeMap<u64, f64> {
        let of = |(seed, (last, top)): (&u64, &(f64, f64))| (*seed, if best { *top } else { *last });
        self.seeds.get(metric).into_iter().flatten().map(of).collect()
    }

    /// Mean and spread of a metric.
    pub(super) fn summary(&self, metric: &str, best: bool) -> Option<Summary> {
        let printed = self.printed.filter(|_| metric == self.rule.metric);
        printed.or_else(|| summary(&self.by_seed(metric, best).into_values().collect::<Vec<_>>()))
    }

    /// Mean and spread of the ranked metric.
    pub(super) fn ranked(&self) -> Option<Summary> {
        self.summary(&self.rule.metric, self.rule.best)
    }

    /// As a verdict names it.
    pub(super) fn used(&self, metric: &str) -> Used {
        let summary = self.summary(metric, self.rule.best && metric == self.rule.metric);
        Used {
            name: self.name.clone(),
            reported: self.reported,
            metric: metric.to_string(),
            summary,
            runs: self.runs.clone(),
        }
    }

    /// The words of its names and values, in small letters.
    pub(super) fn words(&self) -> BTreeSet<String> {
        let overrides = self.name.split_once(' ').map_or("", |(_, rest)| if self.reported { "" } else { rest });
        let texts = [self.label.as_str(), self.experiment.as_deref().unwrap_or_default(), overrides];
        let parts = texts.into_iter().chain(self.values.values().map(String::as_str));
        let split = |c: char| c.is_whitespace() || "_/+,()@;:".contains(c);
        let words = parts.flat_map(|text| text.split(split)).map(str::to_lowercase);
        words.filter(|w| w.len() > 1 && w.chars().any(char::is_alphabetic)).collect()
    }
}

/// The p-value of the difference of two sources; none when one side has fewer than two values.
pub(super) fn p_value(a: &Source, b: &Source, metric: &str) -> Option<f64> {
    let best = |s: &Source| s.rule.best && metric == s.rule.metric;
    let raw = |s: &Source| s.by_seed(metric, best(s)).into_values().collect::<Vec<f64>>();
    if a.rule.test == TieTest::MannWhitney && a.printed.is_none() && b.printed.is_none() {
        return mann_whitney(&raw(a), &raw(b));
    }
    welch(a.summary(metric, best(a))?, b.summary(metric, best(b))?)
}
