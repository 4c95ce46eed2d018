//! `board render`: write every board of what is committed, and commit exactly those files.

use std::fmt;

use serde::Serialize;

use crate::leaderboard::table::Board;
use crate::leaderboard::{self, Generated, README};
use crate::ops::Context;
use crate::ops::record::{Recorded, Write};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::tree::Tree;

/// What was rendered.
#[derive(Debug, Serialize)]
pub struct Rendered {
    /// The boards, by name.
    pub boards: Vec<String>,
    /// What was recorded.
    #[serde(flatten)]
    pub recorded: Recorded,
}

/// Render the boards of `HEAD` and commit them; with `--no-commit` those of the work tree, and leave them staged.
pub fn render(context: &Context<'_>) -> Result<Rendered, Problems> {
    let disk = context.repo.work_tree();
    if !context.commit {
        let boards = leaderboard::names(&disk)?;
        let behind = leaderboard::stale(&disk)?.iter().map(write).collect();
        return Ok(Rendered { boards, recorded: context.record("board render", behind, SUBJECT, &[])? });
    }
    let head = context.repo.head_tree()?;
    let boards = leaderboard::build_all(&head)?;
    let mut files = leaderboard::generated_from(&boards, &head)?;
    let mut warnings: Vec<Problem> = spare_readme(&disk, &boards, &mut files)?.into_iter().collect();
    warnings.extend(uncommitted(context, &disk, &files)?);
    let behind: Vec<Write> = files.iter().filter(|f| !f.is_current()).map(write).collect();
    let mut recorded = context.record("board render", behind, SUBJECT, &[])?;
    recorded.files.extend(restore(context, &disk, &files)?);
    recorded.changed = !recorded.files.is_empty();
    recorded.warnings.extend(warnings);
    Ok(Rendered { boards: boards.into_iter().map(|b| b.name).collect(), recorded })
}

const SUBJECT: &str = "board: render";

/// The files of every board that are behind in `after`, the tree that a verb is about to commit, ready to be
/// recorded along; and a warning when README.md has to wait because a person is editing it.
pub fn in_step(context: &Context<'_>, after: &dyn Tree) -> Result<(Vec<Write>, Option<Problem>), Problem> {
    let boards = leaderboard::build_all(after)?;
    let mut files = leaderboard::generated_from(&boards, after)?;
    let warning = spare_readme(&context.repo.work_tree(), &boards, &mut files)?;
    Ok((files.iter().filter(|f| !f.is_current()).map(write).collect(), warning))
}

/// Take README.md out when the one on disk differs in more than its boards: a commit would sweep up, or lose, what
/// a person has written there and not committed.
fn spare_readme(disk: &dyn Tree, boards: &[Board], files: &mut Vec<Generated>) -> Result<Option<Problem>, Problem> {
    let Some(at) = files.iter().position(|f| f.path == README) else { return Ok(None) };
    let filled = leaderboard::fill(boards, &text(disk, README)?.unwrap_or_default())?;
    if Some(&filled) == files[at].after.as_ref() {
        return Ok(None);
    }
    let file = files.remove(at);
    let message = "README.md has edits that are not committed, so its boards were left as they are";
    let problem = Problem::new(Kind::Stale, "readme-edited", message).at(README);
    Ok((!file.is_current()).then(|| problem.hint("commit README.md, then git ar board render").warn()))
}

fn write(file: &Generated) -> Write {
    Write { path: file.path.clone(), text: file.after.clone() }
}

fn text(tree: &dyn Tree, path: &str) -> Result<Option<String>, Problem> {
    Ok(tree.read(path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// A warning when the work tree would give other boards than `HEAD`.
fn uncommitted(context: &Context<'_>, disk: &dyn Tree, files: &[Generated]) -> Result<Option<Problem>, Problem> {
    let state =
        |path: &str| path.starts_with("configs/board/") || path.starts_with("projects/") && !path.ends_with(".md");
    let Some(first) = context.repo.dirty_paths()?.into_iter().find(|d| state(&d.path)) else { return Ok(None) };
    let theirs = leaderboard::generated(disk)?;
    let same = files.iter().all(|f| theirs.iter().any(|t| t.path == f.path && t.after == f.after));
    let message = format!("{} is not committed, so the boards do not show it", first.path);
    let problem = Problem::new(Kind::Stale, "not-committed", message).at(first.path);
    Ok((!same).then(|| problem.hint("commit it, then git ar board render").warn()))
}

/// Files that `HEAD` has right and the work tree has not: put right on disk, nothing to commit.
fn restore(context: &Context<'_>, disk: &dyn Tree, files: &[Generated]) -> Result<Vec<String>, Problem> {
    let mut wrong = Vec::new();
    for file in files.iter().filter(|f| f.is_current()) {
        if text(disk, &file.path)?.map(|t| t.replace("\r\n", "\n"))
            != file.after.as_ref().map(|t| t.replace("\r\n", "\n"))
        {
            wrong.push(file);
        }
    }
    if wrong.is_empty() {
        return Ok(Vec::new());
    }
    let mut transaction = context.repo.begin("board render")?;
    for file in &wrong {
        match &file.after {
            Some(text) => transaction.write(&file.path, text.as_bytes())?,
            None => transaction.remove(&file.path)?,
        }
    }
    transaction.write_out()?;
    Ok(wrong.into_iter().map(|f| f.path.clone()).collect())
}

impl fmt::Display for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.boards.is_empty() {
            return writeln!(f, "there is no board; configs/board/NAME.yaml makes one");
        }
        if !self.recorded.changed {
            return writeln!(f, "nothing changed: {} in step", boards(&self.boards));
        }
        for file in &self.recorded.files {
            writeln!(f, "wrote {file}")?;
        }
        match (&self.recorded.commit, self.recorded.files.is_empty()) {
            (Some(commit), _) => writeln!(f, "committed {}", &commit[..commit.len().min(10)]),
            (None, _) => writeln!(f, "not committed"),
        }
    }
}

fn boards(names: &[String]) -> String {
    match names {
        [one] => format!("board {one} is"),
        many => format!("boards {} are", many.join(", ")),
    }
}
