//! A board as a value: what every renderer shows and what `leaderboard/<board>.json` holds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::state::board::{BoardConfig, Reported};
use crate::state::health::Trouble;
use crate::state::ids::{IterId, Slug};
use crate::state::stats::Summary;

/// One board.
#[derive(Clone, Debug, Serialize)]
pub struct Board {
    /// Its name, as in `configs/board/<name>.yaml`.
    pub name: String,
    /// How it is set up.
    #[serde(skip)]
    pub config: BoardConfig,
    /// When its newest result was made, UTC; none without results.
    pub updated: Option<Timestamp>,
    /// Rows that fulfil the policy, best first.
    pub ranked: Vec<Row>,
    /// Runs without a verdict.
    pub active: Vec<Active>,
    /// What iterations plan and have not run.
    pub planned: Vec<Planned>,
    /// Rows that do not fulfil the policy.
    pub not_ranked: Vec<Row>,
    /// Runs or seeds set aside.
    pub excluded: Vec<Excluded>,
    /// Figures from elsewhere.
    pub reported: Vec<Reported>,
    /// Notes by key, in order of the keys.
    pub footnotes: Vec<Footnote>,
    /// What was found, here and elsewhere.
    pub findings: Vec<Found>,
}

/// One row: the seeds of one config and one family of code trees.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its name for commands: `<project>/<iteration>/<experiment>`, longer where that is not unique.
    pub id: String,
    /// Its place, from 1; rows of one tier share the place of their leader. None when it is not ranked.
    pub rank: Option<usize>,
    /// Its tier, from 1.
    pub tier: Option<usize>,
    /// The project.
    pub project: Slug,
    /// The iteration; none with `loop: off`.
    pub iteration: Option<IterId>,
    /// The experiment.
    pub experiment: String,
    /// What people read.
    pub label: String,
    /// Digest of the config.
    pub config_digest: String,
    /// The code trees, oldest first.
    pub code_trees: Vec<String>,
    /// The ranked metric over seeds.
    pub summary: Option<Summary>,
    /// The metric beside it.
    pub test: Option<Summary>,
    /// p-value against the leader of its tier.
    pub p: Option<f64>,
    /// Difference to the row that its iteration compares with.
    pub delta: Option<Delta>,
    /// The figure reported elsewhere for this experiment.
    pub reported: Option<Figure>,
    /// Its runs, oldest first.
    pub runs: Vec<RunCell>,
    /// Every seed that counts.
    pub seeds: Vec<SeedCell>,
    /// Trained numbers of the model.
    pub parameters: Option<u64>,
    /// Values of the config that the board shows, by title.
    pub values: BTreeMap<String, String>,
    /// Footnote keys.
    pub footnotes: Vec<String>,
    /// Why it is not ranked; empty when it is.
    pub reasons: Vec<String>,
}

/// One run of a row.
#[derive(Clone, Debug, Serialize)]
pub struct RunCell {
    /// The run.
    pub run: String,
    /// Its folder.
    pub folder: String,
    /// The anchor's commit.
    pub commit: String,
    /// Where it ran.
    pub cluster: String,
    /// The seeds it was asked for.
    pub seeds: String,
}

/// One seed of a row and the file behind it.
#[derive(Clone, Debug, Serialize)]
pub struct SeedCell {
    /// The seed.
    pub seed: u64,
    /// The run.
    pub run: String,
    /// Its `metrics.json`.
    pub path: String,
    /// The ranked value.
    pub value: Option<f64>,
    /// The value beside it.
    pub test: Option<f64>,
    /// Epochs run.
    pub epochs: u64,
    /// Seconds of training.
    pub wall_s: f64,
    /// What is wrong with the training.
    pub troubles: Vec<Trouble>,
}

/// A difference to another row.
#[derive(Clone, Debug, Serialize)]
pub struct Delta {
    /// The other row.
    pub to: String,
    /// This row's mean less the other's.
    pub value: f64,
    /// The tie test's p-value, from raw seeds.
    pub p: Option<f64>,
}

/// A figure from elsewhere.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// Mean over seeds.
    pub mean: f64,
    /// Standard deviation over seeds.
    pub std: Option<f64>,
    /// How many seeds.
    pub n: Option<u32>,
    /// Where it is from.
    pub source: String,
}

/// A run without a verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Active {
    /// The project.
    pub project: Slug,
    /// The iteration.
    pub iteration: Option<IterId>,
    /// What people read.
    pub label: String,
    /// The run.
    pub run: String,
    /// Its seeds.
    pub seeds: String,
    /// The cluster.
    pub cluster: String,
    /// The scheduler's id of its latest job.
    pub job: Option<String>,
    /// How far it is.
    pub status: &'static str,
}

/// A line of a plan that was not run yet.
#[derive(Clone, Debug, Serialize)]
pub struct Planned {
    /// The project.
    pub project: Slug,
    /// The iteration.
    pub iteration: Option<IterId>,
    /// What people read.
    pub label: String,
    /// The seeds that are planned.
    pub seeds: String,
    /// Footnote keys.
    pub footnotes: Vec<String>,
}

/// A run, or some of its seeds, that does not count.
#[derive(Clone, Debug, Serialize)]
pub struct Excluded {
    /// The project.
    pub project: Slug,
    /// The iteration.
    pub iteration: Option<IterId>,
    /// What people read.
    pub label: String,
    /// The run.
    pub run: String,
    /// Its excluded seeds.
    pub seeds: String,
    /// The excluded seeds' figures, where there are any.
    pub summary: Option<Summary>,
    /// Why.
    pub reason: String,
    /// The run that replaces it.
    pub superseded_by: Option<String>,
}

/// A note with its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Footnote {
    /// The key.
    pub key: String,
    /// The note.
    pub text: String,
}

/// A finding.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// The project, for a finding of this repository.
    pub project: Option<Slug>,
    /// Its id, for a finding of this repository.
    pub id: Option<String>,
    /// The finding.
    pub text: String,
    /// The runs it stands on.
    pub cites: Vec<String>,
    /// Where it is from, for a finding from elsewhere.
    pub source: Option<String>,
}

impl Row {
    /// The ranked values of its seeds.
    #[must_use]
    pub fn samples(&self) -> Vec<f64> {
        self.seeds.iter().filter_map(|s| s.value).collect()
    }
}

impl Board {
    /// Every row with results, ranked ones first.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.ranked.iter().chain(&self.not_ranked)
    }
}
