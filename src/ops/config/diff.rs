//! `config diff`: what two experiments, or one at two commits, set differently.

use serde::Serialize;

use super::{Source, warnings};
use crate::config::{Composer, Job, Value};
use crate::ops::Context;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::text::nearest;

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// The experiment.
    pub experiment: String,
    /// The commit; the work tree otherwise.
    pub revision: Option<String>,
}

impl Side {
    /// `NAME`, or `REVISION:NAME`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.split_once(':') {
            Some((revision, name)) => Self { experiment: name.into(), revision: Some(revision.into()) },
            None => Self { experiment: text.into(), revision: None },
        }
    }
}

/// A key that differs.
#[derive(Debug, PartialEq, Serialize)]
pub struct Change {
    /// Its dotted path.
    pub path: String,
    /// Its value on the first side.
    pub a: Option<Value>,
    /// Its value on the second side.
    pub b: Option<Value>,
}

/// What two configs set differently.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// The keys that differ, in the order of the first config.
    pub changes: Vec<Change>,
    /// What is worth a warning.
    #[serde(skip)]
    pub warnings: Vec<Problem>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.changes.is_empty() {
            return writeln!(f, "the configs are the same");
        }
        for change in &self.changes {
            for (sign, value) in [('-', &change.a), ('+', &change.b)] {
                if let Some(value) = value {
                    writeln!(f, "{sign} {}: {}", change.path, value.to_yaml().trim_end())?;
                }
            }
        }
        Ok(())
    }
}

/// Compares two experiments. The overrides go to both; what comes from the environment is compared as written.
pub fn diff(context: &Context<'_>, a: &Side, b: &Side, overrides: &[String]) -> Result<Difference, Problems> {
    let mut told = Vec::new();
    let mut compose = |side: &Side| -> Result<Value, Problems> {
        let source = Source::of(context, side.revision.as_deref())?;
        let mut composer = Composer::new(source.tree.as_ref(), &source.dir, context.env);
        let known = composer.experiments();
        if !known.contains(&side.experiment) {
            return Err(unknown(side, &known).into());
        }
        let selection = composer.experiment(&side.experiment);
        let all: Vec<String> = std::iter::once(selection.choice).chain(overrides.iter().cloned()).collect();
        let composed = composer.compose(selection.name, &all, Job::default())?;
        told.extend(warnings(&composed));
        composed.stored()
    };
    let (a, b) = (compose(a)?, compose(b)?);
    told.dedup();
    Ok(Difference { changes: changes(&a, &b), warnings: told })
}

/// The keys in which two configs differ, in the order of the first.
#[must_use]
pub fn changes(a: &Value, b: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare("", Some(a), Some(b), &mut changes);
    changes
}

fn unknown(side: &Side, known: &[String]) -> Problem {
    let place = side.revision.as_ref().map_or(String::new(), |revision| format!(" at {revision}"));
    let message = format!("there is no experiment `{}`{place}", side.experiment);
    let meant = nearest(&side.experiment, known.iter().map(String::as_str));
    let meant = meant.map_or(String::new(), |name| format!("did you mean `{name}`? "));
    let hint = format!("{meant}experiments: {}", known.join(", "));
    Problem::new(Kind::Invalid, "no-such-experiment", message).hint(hint)
}

fn compare(path: &str, a: Option<&Value>, b: Option<&Value>, changes: &mut Vec<Change>) {
    if let (Some(Value::Map(a)), Some(Value::Map(b))) = (a, b) {
        let full = |key: &str| if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
        for (key, value) in a.iter() {
            compare(&full(&key.to_string()), Some(value), b.get(key), changes);
        }
        for (key, value) in b.iter().filter(|(key, _)| a.get(key).is_none()) {
            compare(&full(&key.to_string()), None, Some(value), changes);
        }
    } else if a != b {
        changes.push(Change { path: path.to_string(), a: a.cloned(), b: b.cloned() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read;

    #[test]
    fn keys_that_differ() {
        let value = |text: &str| read(text.as_bytes(), "c").unwrap();
        let (a, b) = (value("a: {x: 1, y: 2}\nb: 1\n"), value("b: 1\na: {x: 1, z: 3}\nc: [1]\n"));
        let changes = changes(&a, &b);
        let paths: Vec<&str> = changes.iter().map(|c| c.path.as_str()).collect();
        assert_eq!(paths, ["a.y", "a.z", "c"]);
        let side = Side { experiment: "e".into(), revision: Some("HEAD~1".into()) };
        assert_eq!(Side::parse("HEAD~1:e"), side);
    }
}
