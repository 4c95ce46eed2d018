//! What went wrong, as a value: every refusal, finding and failure in one shape for people and programs.

use serde::Serialize;

/// The kind of a problem; its number is the process's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// A check or diff found something.
    Found = 1,
    /// Wrong arguments.
    Usage = 2,
    /// Code that is not committed (or not pushed).
    DirtyCode = 3,
    /// A transition or gate refused.
    Refused = 4,
    /// A state file is invalid.
    Invalid = 5,
    /// Generated output is stale.
    Stale = 6,
    /// The cluster does not answer; try later.
    Unavailable = 7,
    /// Somebody else holds the lock.
    Locked = 8,
    /// An id fits several things, or nothing.
    Ambiguous = 9,
    /// Not a git-ar repository.
    NotARepository = 10,
    /// The scheduler said no; repeating will not help.
    SchedulerRefused = 11,
    /// Disk full, permission and the like.
    Io = 12,
    /// A bug in git-ar.
    Bug = 70,
    /// Interrupted.
    Interrupted = 130,
}

/// One problem: what, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The kind, which decides the exit code.
    #[serde(skip)]
    pub kind: Kind,
    /// A warning is told and does not fail.
    #[serde(skip)]
    pub warning: bool,
    /// A stable word for programs, such as `frozen` or `duplicate-id`.
    pub code: &'static str,
    /// File, relative to the repository's top.
    pub path: Option<String>,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column, from 1.
    pub column: Option<u32>,
    /// The line itself, as far as it is short enough to be shown.
    #[serde(skip)]
    pub snippet: Option<String>,
    /// One sentence without a full stop.
    pub message: String,
    /// The command or edit that mends it.
    #[serde(rename = "fix")]
    pub hint: Option<String>,
}

impl Problem {
    /// A problem without a place.
    pub fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            warning: false,
            code,
            path: None,
            line: None,
            column: None,
            snippet: None,
            message: message.into(),
            hint: None,
        }
    }

    /// The same problem in a file.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The same problem on a line.
    #[must_use]
    pub fn line(mut self, line: Option<u32>) -> Self {
        self.line = line;
        self
    }

    /// The same problem with its line out of the text that it was found in.
    #[must_use]
    pub fn quoting(mut self, text: &[u8]) -> Self {
        let line = self.line.and_then(|line| text.split(|b| *b == b'\n').nth(line.checked_sub(1)? as usize));
        let line = line.map(|line| String::from_utf8_lossy(line).trim_end().to_string());
        self.snippet = line.filter(|line| !line.trim().is_empty() && line.chars().count() <= 100);
        self
    }

    /// The same problem with what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same problem as a warning.
    #[must_use]
    pub fn warn(mut self) -> Self {
        self.warning = true;
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{path}")?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

/// One or more problems; the first decides the exit code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// `Ok` when nothing in here is more than a warning.
    pub fn into_result(self) -> Result<Vec<Problem>, Problems> {
        if self.0.iter().all(|p| p.warning) { Ok(self.0) } else { Err(self) }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
