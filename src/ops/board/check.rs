//! `board check`: how the generated files of the work tree differ from what its results give.

use std::fmt;

use serde::Serialize;
use similar::TextDiff;

use crate::leaderboard::{self, Generated};
use crate::ops::Context;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::region;
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

/// Warnings about boards that these changes leave behind. Boards that change along are computed and compared, because
/// a marker's digest shows a slip and not a forger; where none changes nothing is computed, for that would read every
/// run.
pub fn may_be_behind(before: &dyn Tree, after: &dyn Tree, changes: &[Change]) -> Result<Vec<Problem>, Problem> {
    let bears = |path: &str| {
        let result = ["/metrics.json", "/exclusion.yaml"].iter().any(|end| path.ends_with(end));
        path.starts_with("projects/") && result || path.starts_with("configs/board/")
    };
    let mut generated = false;
    for change in changes {
        let readme = change.path == leaderboard::README && boards_of(before)? != boards_of(after)?;
        generated |= readme || change.path.starts_with("leaderboard/");
    }
    if generated {
        return Ok(drift(after)?.problems().into_iter().map(Problem::warn).collect());
    }
    match changes.iter().find(|c| bears(&c.path)) {
        Some(first) if !leaderboard::names(after)?.is_empty() => {
            let message = "the boards do not show this change yet";
            let problem = Problem::new(Kind::Stale, "boards-behind", message).at(&first.path);
            Ok(vec![problem.hint("git ar board render, after this commit").warn()])
        }
        _ => Ok(Vec::new()),
    }
}

/// The texts of the boards in a tree's README.
fn boards_of(tree: &dyn Tree) -> Result<Vec<String>, Problem> {
    let bytes = tree.read(leaderboard::README)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let regions = region::find(leaderboard::README, &text).unwrap_or_default();
    Ok(regions.into_iter().map(|r| text[r.whole].to_string()).collect())
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
