//! `doctor`: what this machine and this repository have and lack, and how to get what is missing.

mod checks;
mod mend;
mod remains;

use std::fmt;
use std::path::Path;

use serde::Serialize;

/// How one check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nothing to do.
    Ok,
    /// Something cannot be used until it is mended; the rest works.
    Missing,
    /// git-ar does not work here.
    Broken,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What.
    pub name: String,
    /// How it came out.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do, a line each.
    pub fix: Vec<String>,
}

impl Check {
    pub(super) fn ok(name: &str, found: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Ok, found: found.into(), fix: Vec::new() }
    }

    pub(super) fn bad(name: &str, state: State, found: impl Into<String>, fix: Vec<String>) -> Self {
        Self { name: name.into(), state, found: found.into(), fix }
    }
}

/// Everything that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The checks in order.
    pub checks: Vec<Check>,
    /// What was mended; none when nothing was to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mended: Option<Vec<String>>,
    /// What could not be mended, with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
}

/// What the checks look at.
pub struct Patient<'a> {
    /// The folder of the command.
    pub folder: &'a Path,
    /// This binary.
    pub exe: &'a Path,
    /// The environment.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

/// Look at everything. Needs no repository, and changes nothing.
#[must_use]
pub fn doctor(patient: &Patient<'_>) -> Outcome {
    Outcome { checks: checks::all(patient), mended: None, left: Vec::new() }
}

/// Mend what can be mended without a guess, then look at everything.
#[must_use]
pub fn fix(patient: &Patient<'_>) -> Outcome {
    let mended = mend::mend(patient);
    Outcome { checks: checks::all(patient), mended: Some(mended.done), left: mended.left }
}

impl Outcome {
    /// Whether git-ar can work here.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.checks.iter().all(|check| check.state < State::Broken)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.mended.iter().flatten() {
            writeln!(f, "mended   {line}")?;
        }
        for line in &self.left {
            writeln!(f, "left     {line}")?;
        }
        if self.mended.as_ref().is_some_and(Vec::is_empty) && self.left.is_empty() {
            writeln!(f, "nothing to mend")?;
        }
        for check in &self.checks {
            check.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.state {
            State::Ok => "ok",
            State::Missing => "missing",
            State::Broken => "broken",
        };
        writeln!(f, "{word:<8} {:<12} {}", self.name, self.found)?;
        self.fix.iter().try_for_each(|line| writeln!(f, "{:<22} {line}", ""))
    }
}
