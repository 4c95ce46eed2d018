//! A board as Markdown. Text from outside is escaped cell by cell, so that no label can leave its cell.

use askama::Template;

use super::sections::{self, Part, Table};
use super::table::Board;
use crate::state::board::{BoardConfig, Section};
use crate::state::markdown::{cell, spread};

#[derive(Template)]
#[template(path = "board/board.md")]
struct Page {
    hashes: &'static str,
    title: String,
    preface: Vec<String>,
    parts: Vec<Shown>,
    /// The page with everything, for a board inside another document.
    page: Option<String>,
}

struct Shown {
    title: &'static str,
    empty: &'static str,
    heads: Vec<String>,
    marks: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    items: Vec<(String, String)>,
    note: String,
    /// Folded away until a reader asks, so that a board inside another document stays short.
    folded: bool,
}

#[derive(Template)]
#[template(path = "board/index.md")]
struct Index {
    rows: Vec<IndexRow>,
}

struct IndexRow {
    title: String,
    file: String,
    ranked: usize,
    first: String,
    updated: String,
}

/// How deep the board's title stands: on a page of its own, or inside another document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// A page of its own.
    Page,
    /// Inside a document that has a title of its own.
    Inside,
}

/// The board's text, without region markers.
pub(super) fn board(board: &Board, depth: Depth) -> String {
    let page = Page {
        hashes: if depth == Depth::Page { "#" } else { "###" },
        title: cell(&board.config.title),
        preface: sections::preface(board).iter().map(|line| cell(line)).collect(),
        parts: sections::parts(board).into_iter().map(|part| shown(part, depth)).collect(),
        page: (depth == Depth::Inside).then(|| format!("leaderboard/{}.md", board.name)),
    };
    page.render().expect("a template of plain text does not fail") + "\n"
}

/// The text of `leaderboard/README.md`, without region markers.
pub(super) fn index(boards: &[Board]) -> String {
    let row = |board: &Board| {
        let share = BoardConfig::is_share(&board.config.metric);
        let first = board.ranked.first().and_then(|row| {
            let s = row.summary?;
            Some(format!("{}: {}", row.label, spread(share, s.mean, s.std, Some(s.n))))
        });
        IndexRow {
            title: cell(&board.config.title),
            file: format!("{}.md", board.name),
            ranked: board.ranked.len(),
            first: cell(&first.unwrap_or_default()),
            updated: board.updated.map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default(),
        }
    };
    let index = Index { rows: boards.iter().map(row).collect() };
    index.render().expect("a template of plain text does not fail") + "\n"
}

fn shown(part: Part, depth: Depth) -> Shown {
    let folded = |title: &str| {
        depth == Depth::Inside && ![Section::Ranked, Section::Active].map(Section::title).contains(&title)
    };
    match part {
        Part::Table(Table { title, columns, rows, empty, note }) => Shown {
            title,
            empty,
            heads: columns.iter().map(|c| cell(&c.title)).collect(),
            marks: columns.iter().map(|c| if c.right { "---:" } else { ":---" }).collect(),
            rows: rows.iter().map(|row| row.iter().map(|text| cell(text)).collect()).collect(),
            items: Vec::new(),
            note: cell(&note),
            folded: folded(title),
        },
        Part::List { title, items } => Shown {
            title,
            empty: "",
            heads: Vec::new(),
            marks: Vec::new(),
            rows: Vec::new(),
            items: items.iter().map(|(key, text)| (cell(key), cell(text))).collect(),
            note: String::new(),
            folded: folded(title),
        },
    }
}
