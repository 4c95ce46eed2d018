//! `board check`: how the generated files of the work tree differ from what its results give.

use std::fmt;

use serde::Serialize;
use similar::TextDiff;

use crate::leaderboard::{self, Generated};
use crate::ops::Context;
use crate::state::problem::{Kind, Problem, Problems};

/// Which files are behind.
#[derive(Debug, Serialize)]
pub struct Drift {
    /// The boards that were looked at.
    pub boards: Vec<String>,
    /// The files that are behind.
    pub files: Vec<Behind>,
}

/// One file that is behind.
#[derive(Debug, Serialize)]
pub struct Behind {
    /// Its path.
    pub path: String,
    /// A unified diff from what it holds to what it must hold.
    pub diff: String,
}

/// Compare without changing anything.
pub fn check(context: &Context<'_>) -> Result<Drift, Problems> {
    let tree = context.repo.work_tree();
    let files = leaderboard::stale(&tree)?.iter().map(behind).collect();
    Ok(Drift { boards: leaderboard::names(&tree)?, files })
}

fn behind(file: &Generated) -> Behind {
    let (before, after) = (file.before.as_deref().unwrap_or_default(), file.after.as_deref().unwrap_or_default());
    let name = |side: &str, text: &Option<String>| match text {
        Some(_) => format!("{side}/{}", file.path),
        None => "/dev/null".to_string(),
    };
    let before = before.replace("\r\n", "\n");
    let diff = TextDiff::from_lines(before.as_str(), after);
    let diff = diff.unified_diff().header(&name("a", &file.before), &name("b", &file.after)).to_string();
    Behind { path: file.path.clone(), diff }
}

impl Drift {
    /// The files as problems, for the exit code and for programs.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let stale = |file: &Behind| {
            let message = format!("{} is not what the results give", file.path);
            Problem::new(Kind::Stale, "stale", message).at(&file.path).hint("git ar board render")
        };
        self.files.iter().map(stale).collect()
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.files.is_empty() {
            return match self.boards.as_slice() {
                [] => writeln!(f, "there is no board"),
                names => writeln!(f, "in step: {}", names.join(", ")),
            };
        }
        self.files.iter().try_for_each(|file| f.write_str(&file.diff))
    }
}
