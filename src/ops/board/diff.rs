//! `board diff`: which rows entered, left or moved between two trees.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::leaderboard::table::{Board, Row};
use crate::leaderboard::{self, terminal};
use crate::ops::Context;
use crate::state::board::BoardConfig;
use crate::state::markdown::{difference, spread};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::stats::Summary;
use crate::state::tree::Tree;

/// What differs between two trees' boards.
#[derive(Debug, Serialize)]
pub struct Differences {
    /// The earlier side, as it was named.
    pub from: String,
    /// The later side.
    pub to: String,
    /// The boards that were compared.
    pub boards: Vec<String>,
    /// The rows that differ, by board and place.
    pub rows: Vec<Moved>,
    #[serde(skip)]
    width: Option<u16>,
}

/// One row that differs.
#[derive(Clone, Debug, Serialize)]
pub struct Moved {
    /// The board.
    pub board: String,
    /// The row.
    pub row: String,
    /// What people read.
    pub label: String,
    /// `entered`, `left` or `moved`, by its place among the ranked rows; `changed` where it is ranked on neither side.
    pub change: &'static str,
    /// It before.
    pub before: Option<Side>,
    /// It after.
    pub after: Option<Side>,
    /// The later mean less the earlier one.
    pub delta: Option<f64>,
    #[serde(skip)]
    share: bool,
}

/// A row on one side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// Its place among the ranked rows.
    pub rank: Option<usize>,
    /// Its tier.
    pub tier: Option<usize>,
    /// The ranked metric over its seeds.
    pub summary: Option<Summary>,
    /// Why it is not ranked.
    pub reasons: Vec<String>,
}

/// Compare the boards of `from` (`HEAD` when absent) with those of `to` (the work tree when absent). `A..B` in `from`
/// means both.
///
/// # Errors
/// [`Kind::Ambiguous`] for a revision or board that is not there.
pub fn diff(
    context: &Context<'_>,
    from: Option<&str>,
    to: Option<&str>,
    board: Option<&str>,
    width: Option<u16>,
) -> Result<Differences, Problems> {
    let (from, to) = match from.and_then(|range| range.split_once("..")) {
        Some((a, b)) if to.is_none() => (a, Some(if b.is_empty() { "HEAD" } else { b })),
        _ => (from.unwrap_or("HEAD"), to),
    };
    let before = match context.repo.head()?.commit {
        None if from == "HEAD" => Vec::new(),
        _ => leaderboard::build_all(&context.repo.commit_tree(from)?)?,
    };
    let after = match to {
        Some(rev) => leaderboard::build_all(&context.repo.commit_tree(rev)?)?,
        None => leaderboard::build_all(&context.repo.work_tree())?,
    };
    let mut names: Vec<String> = before.iter().chain(&after).map(|b| b.name.clone()).collect();
    names.sort();
    names.dedup();
    if let Some(name) = board.filter(|name| !names.iter().any(|n| n == name)) {
        let message = format!("neither side has a board `{}`", crate::state::text::printable(name));
        return Err(Problem::new(Kind::Ambiguous, "unknown-board", message).hint("git ar board").into());
    }
    names.retain(|name| board.is_none_or(|wanted| wanted == name));
    let mut rows = between(&before, &after);
    rows.retain(|row| names.contains(&row.board));
    let to = to.unwrap_or("the work tree").to_string();
    Ok(Differences { from: from.to_string(), to, boards: names, rows, width })
}

/// The rows that differ once `after`, a tree that is about to be committed, stands in the place of `before`.
pub(in crate::ops) fn of_trees(before: &dyn Tree, after: &dyn Tree) -> Result<Vec<Moved>, Problem> {
    Ok(between(&leaderboard::build_all(before)?, &leaderboard::build_all(after)?))
}

/// What makes a row the same one on both sides.
fn key(row: &Row) -> (String, String, String) {
    let place = format!("{}/{}", row.project, row.iteration.map(|id| id.to_string()).unwrap_or_default());
    (place, row.config_digest.clone(), row.code_trees.first().cloned().unwrap_or_default())
}

fn between(before: &[Board], after: &[Board]) -> Vec<Moved> {
    let mut found = Vec::new();
    let mut names: Vec<&str> = before.iter().chain(after).map(|b| b.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let of = |boards: &[Board]| boards.iter().find(|b| b.name == name).cloned();
        let (old, new) = (of(before), of(after));
        let share = old.as_ref().or(new.as_ref()).is_some_and(|b| BoardConfig::is_share(&b.config.metric));
        let mut sides: BTreeMap<_, (Option<Row>, Option<Row>)> = BTreeMap::new();
        for row in old.iter().flat_map(Board::rows) {
            sides.entry(key(row)).or_default().0.get_or_insert_with(|| row.clone());
        }
        for row in new.iter().flat_map(Board::rows) {
            sides.entry(key(row)).or_default().1.get_or_insert_with(|| row.clone());
        }
        let mut rows: Vec<Moved> = sides.into_values().filter_map(|(a, b)| moved(name, a, b, share)).collect();
        let place = |m: &Moved| m.after.as_ref().and_then(|s| s.rank).or(m.before.as_ref().and_then(|s| s.rank));
        rows.sort_by_key(|m| (place(m).is_none(), place(m), m.row.clone()));
        found.extend(rows);
    }
    found
}

fn moved(board: &str, before: Option<Row>, after: Option<Row>, share: bool) -> Option<Moved> {
    let side = |row: &Row| Side { rank: row.rank, tier: row.tier, summary: row.summary, reasons: row.reasons.clone() };
    let shown = after.as_ref().or(before.as_ref())?;
    let (row, label) = (shown.id.clone(), shown.label.clone());
    let (before, after) = (before.as_ref().map(side), after.as_ref().map(side));
    if before == after {
        return None;
    }
    let ranked = |s: &Option<Side>| s.as_ref().is_some_and(|s| s.rank.is_some());
    let change = match (ranked(&before), ranked(&after)) {
        (false, true) => "entered",
        (true, false) => "left",
        (true, true) => "moved",
        (false, false) => "changed",
    };
    let mean = |s: &Option<Side>| s.as_ref()?.summary.map(|s| s.mean);
    let delta = mean(&after).zip(mean(&before)).map(|(a, b)| a - b);
    Some(Moved { board: board.to_string(), row, label, change, before, after, delta, share })
}

/// Rows that differ as a table.
pub(in crate::ops) fn table(rows: &[Moved], width: Option<u16>) -> String {
    let heads = [
        ("Board", false),
        ("Row", false),
        ("Change", false),
        ("Place", true),
        ("Before", true),
        ("After", true),
        ("Delta", true),
        ("Why", false),
    ];
    let heads = heads.map(|(title, right)| (title.to_string(), right));
    let place = |s: &Option<Side>| s.as_ref().and_then(|s| s.rank).map_or("-".to_string(), |rank| rank.to_string());
    let figures = |m: &Moved, s: &Option<Side>| match s.as_ref().and_then(|s| s.summary) {
        Some(s) => spread(m.share, s.mean, s.std, Some(s.n)),
        None => "-".to_string(),
    };
    let line = |m: &Moved| {
        let why = m.after.as_ref().and_then(|s| s.reasons.first()).cloned();
        let gone = m.after.is_none().then(|| "no result counts".to_string());
        vec![
            m.board.clone(),
            m.row.clone(),
            m.change.to_string(),
            format!("{} → {}", place(&m.before), place(&m.after)),
            figures(m, &m.before),
            figures(m, &m.after),
            m.delta.filter(|d| *d != 0.0).map(|d| difference(m.share, d)).unwrap_or_default(),
            why.or(gone).unwrap_or_default(),
        ]
    };
    terminal::table(&heads, &rows.iter().map(line).collect::<Vec<_>>(), width)
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows.is_empty() {
            return writeln!(f, "no row differs between {} and {}", self.from, self.to);
        }
        writeln!(f, "from {} to {}", self.from, self.to)?;
        f.write_str(&table(&self.rows, self.width))
    }
}
