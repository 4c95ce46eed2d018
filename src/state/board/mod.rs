//! `configs/board/<name>.yaml`: what a board shows, what it takes to be ranked, and figures reported elsewhere.

mod words;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entities::Direction;
use super::ids::{IterId, Slug};
use super::problem::{Kind, Problem};
use super::yaml::{self, Node, Value};

pub use words::{Column, Known, Predicate, Section};

/// One board's file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoardConfig {
    /// File version.
    pub schema: u32,
    /// Title for people.
    pub title: String,
    /// The dataset whose runs belong here, as `dataset.name` stands in a run's config.
    pub dataset: String,
    /// What is ranked.
    #[serde(default = "val_accuracy")]
    pub metric: String,
    /// Which value of the metric is ranked.
    #[serde(default)]
    pub statistic: Statistic,
    /// What is shown beside it.
    #[serde(default = "test_accuracy")]
    pub test_metric: String,
    /// Which way the metric is better.
    #[serde(default = "maximize")]
    pub direction: Direction,
    /// The columns of the ranked section; a column without any value is left out.
    #[serde(default = "Column::usual")]
    pub columns: Vec<Column>,
    /// What a row must fulfil to be ranked.
    #[serde(default = "Predicate::usual")]
    pub policy: Vec<Predicate>,
    /// The sections and their order.
    #[serde(default = "Section::all")]
    pub sections: Vec<Section>,
    /// When two rows count as level.
    #[serde(default)]
    pub ties: Ties,
    /// Which runs make one row.
    #[serde(default)]
    pub pool: Pool,
    /// Notes by key; rows name their keys.
    #[serde(default)]
    pub footnotes: BTreeMap<String, String>,
    /// Where the reported figures are from, unless one says otherwise.
    #[serde(default)]
    pub source: Option<String>,
    /// Figures from elsewhere: shown as reported, never ranked.
    #[serde(default)]
    pub reported: Vec<Reported>,
    /// Findings from elsewhere, shown as reported.
    #[serde(default)]
    pub findings: Vec<String>,
}

fn val_accuracy() -> String {
    "val/accuracy".into()
}

fn test_accuracy() -> String {
    "test/accuracy".into()
}

fn maximize() -> Direction {
    Direction::Maximize
}

/// Which value of a metric counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Statistic {
    /// At the end of training.
    #[default]
    Final,
    /// The best epoch; it is chosen on the data it is judged by.
    Best,
}

/// When two rows are level.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ties {
    /// The test.
    #[serde(default)]
    pub test: TieTest,
    /// Rows with a p-value from here on are level.
    #[serde(default = "five_per_cent")]
    pub alpha: f64,
}

fn five_per_cent() -> f64 {
    0.05
}

impl Default for Ties {
    fn default() -> Self {
        Self { test: TieTest::Welch, alpha: five_per_cent() }
    }
}

/// A test on two rows' seeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TieTest {
    /// Welch's t-test.
    #[default]
    Welch,
    /// Mann and Whitney's rank test.
    MannWhitney,
}

impl TieTest {
    /// Its name for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Welch => "Welch's t-test",
            Self::MannWhitney => "the Mann-Whitney test",
        }
    }
}

/// Which runs of one config digest make one row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Whether the code must be the same.
    #[serde(default)]
    pub code: PoolCode,
    /// Code trees (beginnings of their digests, at least 6 digits) that count as the same code.
    #[serde(default)]
    pub families: Vec<Vec<String>>,
}

/// Whether runs of different code trees make one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PoolCode {
    /// Only one code tree, or one family of them.
    #[default]
    Same,
    /// Any code tree.
    Any,
}

/// A figure from elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reported {
    /// The project it belongs to.
    pub project: Slug,
    /// The iteration there.
    pub iteration: IterId,
    /// What was measured, for people.
    pub label: String,
    /// Mean over seeds; accuracies are fractions.
    #[serde(default)]
    pub mean: Option<f64>,
    /// Standard deviation over seeds, as reported.
    #[serde(default)]
    pub std: Option<f64>,
    /// How many seeds.
    #[serde(default)]
    pub n: Option<u32>,
    /// The result in words, where no mean is reported.
    #[serde(default)]
    pub result: Option<String>,
    /// Where it stands on its own board.
    #[serde(default)]
    pub standing: Standing,
    /// Why it is excluded there.
    #[serde(default)]
    pub reason: Option<String>,
    /// The iteration that replaces it.
    #[serde(default)]
    pub superseded_by: Option<IterId>,
    /// The iterations that a planned one waits for.
    #[serde(default)]
    pub after: Vec<IterId>,
    /// A remark.
    #[serde(default)]
    pub note: Option<String>,
    /// Where it is from, when not from the board's `source`.
    #[serde(default)]
    pub source: Option<String>,
    /// Footnote keys.
    #[serde(default)]
    pub footnotes: Vec<String>,
    /// The experiment here that repeats it: the figure is shown beside that row.
    #[serde(default)]
    pub experiment: Option<String>,
    /// Values for the board's `Title=…` columns.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
}

/// Where a reported row stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It has a figure.
    #[default]
    Reported,
    /// It is being run there.
    Active,
    /// It is planned there.
    Planned,
    /// It is excluded there.
    Excluded,
}

impl BoardConfig {
    /// The board that a file holds, checked.
    pub fn read(path: &str, text: &str) -> Result<Self, Problem> {
        let node = yaml::parse(text.as_bytes(), yaml::Limits::default()).map_err(|e| e.in_file(path))?;
        let node = node.ok_or_else(|| Problem::new(Kind::Invalid, "yaml", "the file is empty").at(path))?;
        let board: Self = yaml::from_node(&node).map_err(|e| e.in_file(path))?;
        board.check(&node).map_err(|problem| problem.at(path))?;
        Ok(board)
    }

    fn check(&self, node: &Node) -> Result<(), Problem> {
        let bad = |key: &str, message: String| {
            let line = node.get(key).map(|n| n.pos.line);
            Problem::new(Kind::Invalid, "board", message).line(line)
        };
        if self.schema != 1 {
            return Err(bad("schema", format!("schema {} is not known here; this git-ar reads 1", self.schema)));
        }
        if !(self.ties.alpha > 0.0 && self.ties.alpha < 1.0) {
            return Err(bad("ties", format!("alpha {} is not between 0 and 1", self.ties.alpha)));
        }
        if self.pool.families.iter().flatten().any(|f| f.len() < 6 || !f.bytes().all(|b| b.is_ascii_hexdigit())) {
            return Err(bad("pool", "a family lists code tree digests of at least 6 hexadecimal digits".into()));
        }
        for (index, reported) in self.reported.iter().enumerate() {
            self.check_reported(reported).map_err(|message| {
                let Some(Value::List(items)) = node.get("reported").map(|n| &n.value) else {
                    return bad("reported", message);
                };
                Problem::new(Kind::Invalid, "board", message).line(items.get(index).map(|n| n.pos.line))
            })?;
        }
        Ok(())
    }

    fn check_reported(&self, reported: &Reported) -> Result<(), String> {
        let label = super::text::printable(&reported.label);
        if reported.source.is_none() && self.source.is_none() {
            return Err(format!("`{label}` names no source; add `source:` to it or to the board"));
        }
        if let Some(key) = reported.footnotes.iter().find(|key| !self.footnotes.contains_key(*key)) {
            return Err(format!("`{label}` names the footnote `{key}`, which `footnotes` does not hold"));
        }
        if reported.std.is_some_and(|std| std < 0.0) || reported.std.is_some() && reported.mean.is_none() {
            return Err(format!("`{label}` has a std that is negative or without its mean"));
        }
        match reported.standing {
            Standing::Reported if reported.mean.is_none() && reported.result.is_none() => {
                Err(format!("`{label}` has neither `mean` nor `result`"))
            }
            Standing::Excluded if reported.reason.is_none() => Err(format!("`{label}` is excluded without `reason`")),
            _ => Ok(()),
        }
    }

    /// Whether values of the metric are fractions that people read as per cent.
    #[must_use]
    pub fn is_share(metric: &str) -> bool {
        metric.ends_with("accuracy")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "schema: 1\ntitle: MNIST\ndataset: mnist\n";

    #[test]
    fn three_lines_make_a_board() {
        let board = BoardConfig::read("b.yaml", LEAST).unwrap();
        assert_eq!(
            (board.metric.as_str(), board.statistic, board.ties.alpha),
            ("val/accuracy", Statistic::Final, 0.05)
        );
        assert_eq!(board.policy, [Predicate::Valid]);
        assert_eq!(board.sections.len(), Section::ALL.len());
    }

    #[test]
    fn slips_are_refused_with_their_place() {
        for (more, line, words) in [
            ("polcy: [valid]\n", 4, "polcy"),
            ("policy:\n  - valid\n  - seeds > 5\n", 6, "seeds > 5"),
            ("columns: [rank, modle]\n", 4, "`model`"),
            ("ties: {alpha: 5}\n", 4, "alpha"),
            ("pool: {families: [[abc]]}\n", 4, "6 hexadecimal"),
            ("sections: [rankd]\n", 4, "rankd"),
            ("reported:\n  - {project: p, iteration: 1, label: L, mean: 0.9}\n", 5, "source"),
            ("source: s\nreported:\n  - {project: p, iteration: 1, label: L, mean: 0.9, footnotes: [A]}\n", 6, "`A`"),
            ("source: s\nreported:\n  - {project: p, iteration: 1, label: L}\n", 6, "neither"),
        ] {
            let problem = BoardConfig::read("b.yaml", &format!("{LEAST}{more}")).unwrap_err();
            let said = format!("{} {}", problem.message, problem.hint.clone().unwrap_or_default());
            assert!(problem.line == Some(line) && said.contains(words), "{more}: {problem:?}");
        }
    }
}
