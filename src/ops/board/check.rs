//! `board check`: how the generated files of the work tree differ from what its results give.

use std::fmt;

use serde::Serialize;
use similar::TextDiff;

use crate::leaderboard::{self, Generated};
use crate::ops::Context;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::tree::{Change, Tree};

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
    Ok(drift(&context.repo.work_tree())?)
}

/// Which generated files of a tree are behind.
pub fn drift(tree: &dyn Tree) -> Result<Drift, Problem> {
    let files = leaderboard::stale(tree)?.iter().map(behind).collect();
    Ok(Drift { boards: leaderboard::names(tree)?, files })
}

/// A warning when these changes bear on boards and no board changes along. The boards are not computed: that would
/// read every run.
pub fn may_be_behind(tree: &dyn Tree, changes: &[Change]) -> Result<Option<Problem>, Problem> {
    let bears = |path: &str| {
        let result = ["/metrics.json", "/exclusion.yaml"].iter().any(|end| path.ends_with(end));
        path.starts_with("projects/") && result || path.starts_with("configs/board/")
    };
    let Some(first) = changes.iter().find(|c| bears(&c.path)) else { return Ok(None) };
    if changes.iter().any(|c| c.path.starts_with("leaderboard/")) || leaderboard::names(tree)?.is_empty() {
        return Ok(None);
    }
    let problem = Problem::new(Kind::Stale, "boards-behind", "the boards do not show this change yet").at(&first.path);
    Ok(Some(problem.hint("git ar board render, after this commit").warn()))
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
