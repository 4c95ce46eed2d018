//! Command-line overrides: their grammar, functions and casts, the sweeps they describe, and how they change a config.

mod apply;
mod functions;
mod lexer;
mod literal;
mod parser;
mod sort;
mod sweep;

pub(super) use apply::apply;
pub(super) use literal::Literal;
pub(super) use parser::parse;
pub(super) use sweep::Sweep;

use super::failure::Place;
use super::value::Value;

/// What an override does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// `key=value`.
    Change,
    /// `+key=value`.
    Add,
    /// `++key=value`.
    ForceAdd,
    /// `~key` and `~key=value`.
    Delete,
}

/// One override, read.
#[derive(Clone, Debug)]
pub(super) struct Override {
    pub(super) op: Op,
    /// The dotted key, or the group.
    pub(super) key: String,
    /// What stands behind `@`.
    pub(super) package: Option<String>,
    /// What stands behind `=`; none for `~key`.
    pub(super) given: Option<Given>,
    /// As it was typed.
    pub(super) line: String,
    /// Its place.
    pub(super) at: Place,
}

/// The right side of an override.
#[derive(Clone, Debug)]
pub(super) enum Given {
    /// One value.
    One(Literal),
    /// Several values, one for each job.
    Sweep(Sweep),
}

impl Override {
    /// The sweep, when this is one.
    pub(super) fn sweep(&self) -> Option<&Sweep> {
        match &self.given {
            Some(Given::Sweep(sweep)) => Some(sweep),
            _ => None,
        }
    }

    /// The value without its quotes; none for a sweep and for `~key`.
    pub(super) fn value(&self) -> Option<Value> {
        match &self.given {
            Some(Given::One(literal)) => Some(literal.value()),
            _ => None,
        }
    }

    /// Whether it changes Hydra's own settings.
    pub(super) fn is_hydra(&self) -> bool {
        self.key.starts_with("hydra.") || self.key.starts_with("hydra/")
    }

    /// The left side: prefix, key and package.
    pub(super) fn left(&self) -> String {
        let prefix = match self.op {
            Op::Change => "",
            Op::Add => "+",
            Op::ForceAdd => "++",
            Op::Delete => "~",
        };
        let package = self.package.as_ref().map_or(String::new(), |p| format!("@{p}"));
        format!("{prefix}{}{package}", self.key)
    }
}
