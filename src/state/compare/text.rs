//! A comparison as Markdown: the text of the generated region in `analysis.md`.

use askama::Template;

use super::{Compared, Comparison, RunHealth};
use crate::state::board::BoardConfig;
use crate::state::markdown::{cell, difference, p_value, spread};
use crate::state::region;

/// The name of the region.
pub const REGION: &str = "comparison";

#[derive(Template)]
#[template(path = "board/comparison.md")]
struct Page {
    intro: String,
    rows: Vec<Row>,
    verdict: &'static str,
    why: String,
    health: Vec<Health>,
}

struct Row {
    label: String,
    mean: String,
    delta: String,
    p: String,
    score: &'static str,
}

struct Health {
    id: String,
    seeds: String,
    verdict: String,
}

impl Comparison {
    /// The text between the markers of the region.
    #[must_use]
    pub fn body(&self) -> String {
        let page = Page {
            intro: self.intro(),
            rows: self.rows.iter().map(|row| self.row(row)).collect(),
            verdict: self.score.verdict.words(),
            why: cell(&self.score.why),
            health: self.health.iter().map(health).collect(),
        };
        page.render().expect("a template of plain text does not fail") + "\n"
    }

    /// The whole region with its markers.
    #[must_use]
    pub fn render(&self) -> String {
        region::render(REGION, &self.body())
    }

    fn intro(&self) -> String {
        let metric = cell(&self.metric);
        let baseline = match (&self.baseline.name, self.baseline.summary, &self.baseline.missing) {
            (None, ..) => "No baseline is named.".to_string(),
            (Some(name), Some(s), _) => {
                let figures = spread(BoardConfig::is_share(&self.metric), s.mean, s.std, Some(s.n));
                format!("Baseline {}: {figures}.", cell(name))
            }
            (Some(name), None, why) => {
                let why = why.as_deref().unwrap_or("this iteration has no results yet");
                format!("Baseline {}: {}.", cell(name), cell(why))
            }
        };
        let unit = if BoardConfig::is_share(&self.metric) { " in per cent" } else { "" };
        format!(
            "{metric}{unit} at the end of training, mean ± sample deviation over seeds; p by Welch's t-test. {baseline}"
        )
    }

    fn row(&self, row: &Compared) -> Row {
        let share = BoardConfig::is_share(&self.metric);
        Row {
            label: cell(&row.label),
            mean: spread(share, row.summary.mean, row.summary.std, Some(row.summary.n)),
            delta: row.delta.map(|d| difference(share, d)).unwrap_or_default(),
            p: row.p.map(p_value).unwrap_or_default(),
            score: row.score.as_ref().map_or("(baseline)", |s| s.verdict.words()),
        }
    }
}

fn health(run: &RunHealth) -> Health {
    let mut said: Vec<String> = run.aside.iter().cloned().collect();
    for (seed, troubles) in &run.troubles {
        said.extend(troubles.iter().map(|trouble| format!("seed {seed} {trouble}")));
    }
    let verdict = if said.is_empty() { "healthy".into() } else { said.join("; ") };
    Health { id: cell(&run.run), seeds: run.seeds.clone(), verdict: cell(&verdict) }
}
