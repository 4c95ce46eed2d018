//! `run diff`: what two runs were made of, and what came of them, side by side.

use std::fmt;

use serde::Serialize;

use super::config::diff::{Change, changes};
use super::{Context, run};
use crate::config;
use crate::runs::layout::Record;
use crate::state::load::RunView;
use crate::state::problem::{Kind, Problem};
use crate::state::stats::summary;
use crate::state::tree::Tree;

/// A fact in which two runs differ.
#[derive(Debug, Serialize)]
pub struct Fact {
    /// What.
    pub name: &'static str,
    /// The first run's.
    pub a: String,
    /// The second run's.
    pub b: String,
}

/// One metric over the seeds of both runs.
#[derive(Debug, Serialize)]
pub struct Figure {
    /// Its name.
    pub name: String,
    /// Mean over the first run's seeds, and how many there are.
    pub a: Option<(f64, usize)>,
    /// The second run's.
    pub b: Option<(f64, usize)>,
}

/// What two runs differ in.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// The first run.
    pub a: String,
    /// The second run.
    pub b: String,
    /// Facts that differ.
    pub facts: Vec<Fact>,
    /// Keys of the configs that differ.
    pub config: Vec<Change>,
    /// Every metric that one of them has; finals.
    pub metrics: Vec<Figure>,
}

/// Compares two runs, each by a unique prefix of its id.
///
/// # Errors
/// [`Kind::Ambiguous`] for a name that fits no run or several, [`Kind::Invalid`] for a record that does not read.
pub fn diff(context: &Context<'_>, a: &str, b: &str) -> Result<Difference, Problem> {
    let tree = context.repo.work_tree();
    let ((_, a), (_, b)) = (run::one(&tree, a)?, run::one(&tree, b)?);
    let fact = |name, value: fn(&RunView) -> String| {
        let (a, b) = (value(&a), value(&b));
        (a != b).then_some(Fact { name, a, b })
    };
    let facts = [
        fact("commit", |v| v.run.anchor.commit.clone()),
        fact("code tree", |v| v.run.anchor.code_tree.clone()),
        fact("experiment", |v| [std::slice::from_ref(&v.run.experiment), &v.run.overrides].concat().join(" ")),
        fact("kind", |v| run::kind_word(v.run.kind).into()),
        fact("cluster", |v| v.run.cluster.clone()),
        fact("command", |v| v.run.command.join(" ")),
        fact("seeds", |v| v.run.seeds.to_string()),
        fact("state", |v| run::State::of(v).word().into()),
    ];
    Ok(Difference {
        config: changes(&config_of(&tree, &a)?, &config_of(&tree, &b)?),
        metrics: figures(&a, &b),
        facts: facts.into_iter().flatten().collect(),
        a: a.id.to_string(),
        b: b.id.to_string(),
    })
}

fn config_of(tree: &dyn Tree, view: &RunView) -> Result<config::Value, Problem> {
    let path = Record { folder: view.folder.clone() }.config();
    let text = tree.read(&path)?;
    let missing = || Problem::new(Kind::Invalid, "no-config", "the run's config is missing").at(path.clone());
    config::read(&text.ok_or_else(missing)?, &path)
}

fn figures(a: &RunView, b: &RunView) -> Vec<Figure> {
    let names = |view: &RunView| -> Vec<String> {
        view.seeds.values().flatten().flat_map(|m| m.metrics.keys().cloned()).collect()
    };
    let mut all = [names(a), names(b)].concat();
    all.sort();
    all.dedup();
    let mean = |view: &RunView, name: &str| {
        let finals: Vec<f64> = view.seeds.values().flatten().filter_map(|m| Some(m.metrics.get(name)?.last)).collect();
        summary(&finals).map(|s| (s.mean, finals.len()))
    };
    all.into_iter().map(|name| Figure { a: mean(a, &name), b: mean(b, &name), name }).collect()
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "- run {}\n+ run {}", self.a, self.b)?;
        for fact in &self.facts {
            writeln!(f, "- {}: {}\n+ {}: {}", fact.name, fact.a, fact.name, fact.b)?;
        }
        match self.config.is_empty() {
            true => writeln!(f, "the configs are the same")?,
            false => writeln!(f, "config:")?,
        }
        for change in &self.config {
            for (sign, value) in [('-', &change.a), ('+', &change.b)] {
                if let Some(value) = value {
                    writeln!(f, "{sign}   {}: {}", change.path, value.to_yaml().trim_end())?;
                }
            }
        }
        for figure in &self.metrics {
            let shown = |side: &Option<(f64, usize)>| {
                side.map_or("-".to_string(), |(mean, n)| {
                    format!("{mean:.4} ({n} seed{})", if n == 1 { "" } else { "s" })
                })
            };
            writeln!(f, "{}: {} | {}", figure.name, shown(&figure.a), shown(&figure.b))?;
        }
        Ok(())
    }
}
