//! YAML as text: the one reader, the one writer. No file is touched here.
//!
//! Reading goes through [`Node`]s that know their line, column and whether a scalar was quoted; state
//! files are decoded from nodes by serde ([`from_str`]), configs interpret nodes as OmegaConf does.
//! Writing quotes every string that a YAML 1.1 reader (PyYAML, OmegaConf) would take for something else.

mod de;
pub mod edit;
mod node;
mod strict;
mod write;

pub use de::{from_node, from_str};
pub use node::{Limits, Node, Value, parse, parse_documents};
pub use write::{quote, to_string};

use crate::state::problem::{Kind, Problem};

/// A place in a text; both numbers start at 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pos {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// What is wrong with a YAML text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// One sentence without a full stop.
    pub message: String,
    /// Where, when known.
    pub pos: Option<Pos>,
    /// What to do, when there is more to say than the message.
    pub hint: Option<String>,
}

impl Error {
    /// An error at a place.
    pub fn at(pos: Pos, message: impl Into<String>) -> Self {
        Self { message: message.into(), pos: Some(pos), hint: None }
    }

    /// The same error with a hint.
    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The problem as reported for the file `path`.
    #[must_use]
    pub fn in_file(self, path: &str) -> Problem {
        let mut problem = Problem::new(Kind::Invalid, "yaml", self.message).at(path);
        problem.line = self.pos.map(|p| p.line);
        problem.column = self.pos.map(|p| p.column);
        problem.hint = self.hint;
        problem
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.pos {
            Some(pos) => write!(f, "{}:{}: {}", pos.line, pos.column, self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Error {}
