//! `board show` and the bare `board`: one board as tables for a terminal, or the list of boards.

use std::fmt;

use serde::Serialize;

use crate::leaderboard::{self, table::Board, terminal};
use crate::ops::Context;
use crate::state::board::BoardConfig;
use crate::state::markdown::spread;
use crate::state::problem::Problems;

/// One board.
#[derive(Serialize)]
pub struct Shown {
    #[serde(flatten)]
    board: Board,
    #[serde(skip)]
    width: Option<u16>,
}

/// The boards of the work tree.
#[derive(Serialize)]
pub struct Listed {
    /// One line each.
    pub boards: Vec<Line>,
    #[serde(skip)]
    width: Option<u16>,
}

/// One board in a list.
#[derive(Serialize)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// How many rows are ranked.
    pub ranked: usize,
    /// How many runs are active.
    pub active: usize,
    /// How many rows have results and are not ranked.
    pub not_ranked: usize,
    /// The first row with its figures.
    pub first: Option<String>,
}

/// One board of the work tree; without a name the only one. `width` is the terminal's, in columns.
pub fn show(context: &Context<'_>, name: Option<&str>, width: Option<u16>) -> Result<Option<Shown>, Problems> {
    let tree = context.repo.work_tree();
    let names = leaderboard::names(&tree)?;
    let name = match (name, names.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => only,
        (None, _) => return Ok(None),
    };
    Ok(Some(Shown { board: leaderboard::build(&tree, name)?, width }))
}

/// The boards of the work tree.
pub fn list(context: &Context<'_>, width: Option<u16>) -> Result<Listed, Problems> {
    let boards = leaderboard::build_all(&context.repo.work_tree())?;
    Ok(Listed { boards: boards.iter().map(line).collect(), width })
}

fn line(board: &Board) -> Line {
    let share = BoardConfig::is_share(&board.config.metric);
    let first = board.ranked.first().and_then(|row| {
        let s = row.summary?;
        Some(format!("{}: {}", row.label, spread(share, s.mean, s.std, Some(s.n))))
    });
    Line {
        name: board.name.clone(),
        title: board.config.title.clone(),
        ranked: board.ranked.len(),
        active: board.active.len(),
        not_ranked: board.not_ranked.len(),
        first,
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&terminal::board(&self.board, self.width))
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.boards.is_empty() {
            return writeln!(f, "there is no board; configs/board/NAME.yaml makes one");
        }
        let heads = [
            ("Board", false),
            ("Title", false),
            ("Ranked", true),
            ("Active", true),
            ("Not ranked", true),
            ("First", false),
        ];
        let heads = heads.map(|(title, right)| (title.to_string(), right));
        let row = |b: &Line| {
            let counts = [b.ranked, b.active, b.not_ranked].map(|n| n.to_string());
            let [ranked, active, not_ranked] = counts;
            vec![b.name.clone(), b.title.clone(), ranked, active, not_ranked, b.first.clone().unwrap_or_default()]
        };
        f.write_str(&terminal::table(&heads, &self.boards.iter().map(row).collect::<Vec<_>>(), self.width))
    }
}
