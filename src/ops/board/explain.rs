//! `board explain`: the files and numbers behind one row.

use std::fmt;

use serde::Serialize;

use crate::leaderboard::{self, table::Board, table::Row, terminal};
use crate::ops::Context;
use crate::state::board::BoardConfig;
use crate::state::markdown::{difference, p_value, spread};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::text::{nearest, printable};

/// One row with everything that it stands on.
#[derive(Serialize)]
pub struct Explained {
    /// The board.
    pub board: String,
    /// The row.
    pub row: Row,
    #[serde(skip)]
    config: BoardConfig,
    #[serde(skip)]
    width: Option<u16>,
}

/// The row that `name` means: its id, a unique beginning of it, its experiment, its label, a run of it, or its
/// place on the board.
pub fn explain(
    context: &Context<'_>,
    name: &str,
    board: Option<&str>,
    width: Option<u16>,
) -> Result<Explained, Problems> {
    let tree = context.repo.work_tree();
    let boards = match board {
        Some(board) => vec![leaderboard::build(&tree, board)?],
        None => leaderboard::build_all(&tree)?,
    };
    let (board, row) = find(&boards, name)?;
    Ok(Explained { board: board.name.clone(), row: row.clone(), config: board.config.clone(), width })
}

fn find<'a>(boards: &'a [Board], name: &str) -> Result<(&'a Board, &'a Row), Problem> {
    let rows = || boards.iter().flat_map(|b| b.rows().map(move |row| (b, row)));
    let place = name.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
    if let ([board], Some(place)) = (boards, place) {
        return board
            .ranked
            .get(place)
            .map(|row| (board, row))
            .ok_or_else(|| unknown(name, &format!("board {} has {} ranked rows", board.name, board.ranked.len())));
    }
    let ways: [&dyn Fn(&Row) -> bool; 5] = [
        &|row| row.id == name,
        &|row| row.id.starts_with(name),
        &|row| row.experiment == name || row.label == name,
        &|row| row.runs.iter().any(|run| run.run.starts_with(name)),
        &|row| row.id.contains(name),
    ];
    for way in ways {
        let found: Vec<_> = rows().filter(|(_, row)| way(row)).collect();
        match found.as_slice() {
            [] => {}
            [one] => return Ok(*one),
            several => {
                let ids: Vec<&str> = several.iter().map(|(_, row)| row.id.as_str()).collect();
                let message = format!("`{}` fits {} rows: {}", printable(name), several.len(), ids.join(", "));
                let hint = format!("git ar board explain {}", ids[0]);
                return Err(Problem::new(Kind::Ambiguous, "ambiguous", message).hint(hint));
            }
        }
    }
    let ids: Vec<String> = rows().flat_map(|(_, row)| [row.id.clone(), row.experiment.clone()]).collect();
    let near = nearest(name, ids.iter().map(String::as_str));
    Err(unknown(name, &near.map_or_else(String::new, |near| format!("did you mean {near}?"))))
}

fn unknown(name: &str, more: &str) -> Problem {
    let more = if more.is_empty() { String::new() } else { format!("; {more}") };
    let message = format!("no row is named `{}`{more}", printable(name));
    Problem::new(Kind::Ambiguous, "unknown-row", message).hint("git ar board show   lists the rows")
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = &self.row;
        let share = BoardConfig::is_share(&self.config.metric);
        writeln!(f, "{}  {}", row.id, row.label)?;
        match (row.rank, row.tier) {
            (Some(rank), Some(tier)) => write!(f, "board {}: place {rank}, tier {tier}", self.board)?,
            _ => write!(f, "board {}: not ranked", self.board)?,
        }
        writeln!(
            f,
            "{}",
            row.p.map(|p| format!(", p {} against the leader of its tier", p_value(p))).unwrap_or_default()
        )?;
        for reason in &row.reasons {
            writeln!(f, "  because: {reason}")?;
        }
        if let Some(s) = row.summary {
            writeln!(f, "{}: {}", self.config.metric, spread(share, s.mean, s.std, Some(s.n)))?;
        }
        if let Some(delta) = &row.delta {
            let p = delta.p.map(|p| format!(", p {}", p_value(p))).unwrap_or_default();
            writeln!(f, "difference to {}: {}{p}", delta.to, difference(share, delta.value))?;
        }
        if let Some(figure) = &row.reported {
            let n = figure.n.map(|n| n as usize);
            writeln!(f, "reported: {} ({})", spread(share, figure.mean, figure.std, n), figure.source)?;
        }
        writeln!(f, "config digest {}", row.config_digest)?;
        for code in &row.code_trees {
            writeln!(f, "code tree {code}")?;
        }
        for run in &row.runs {
            let commit: String = run.commit.chars().take(10).collect();
            writeln!(f, "run {} on {}, seeds {}, anchor {commit}: {}", run.run, run.cluster, run.seeds, run.folder)?;
        }
        if row.seeds.is_empty() {
            return Ok(());
        }
        write!(f, "\n{}", terminal::seeds(&self.config, row, self.width))
    }
}
