//! A board for a terminal: tables that fit its width, control characters shown as text.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use super::sections::{self, Part};
use super::table::{Board, Row};
use crate::state::board::BoardConfig;
use crate::state::markdown::number;
use crate::state::text::printable;

/// The board as text, at most `width` columns wide where one is given.
#[must_use]
pub fn board(board: &Board, width: Option<u16>) -> String {
    let mut text = format!("{}\n", printable(&board.config.title));
    for line in sections::preface(board) {
        text.push_str(&format!("{}\n", printable(&line)));
    }
    for part in sections::parts(board) {
        match part {
            Part::Table(part) => {
                text.push_str(&format!("\n{}\n", part.title));
                if !part.note.is_empty() {
                    text.push_str(&format!("{}\n", one_line(&part.note)));
                }
                let heads: Vec<(String, bool)> = part.columns.into_iter().map(|c| (c.title, c.right)).collect();
                match part.rows.is_empty() {
                    true => text.push_str(&format!("{}\n", part.empty)),
                    false => text.push_str(&table(&heads, &part.rows, width)),
                }
            }
            Part::List { title, items } => {
                text.push_str(&format!("\n{title}\n"));
                for (key, item) in items {
                    text.push_str(&format!("{}: {}\n", one_line(&key), one_line(&item)));
                }
            }
        }
    }
    text
}

/// The files behind a row, seed by seed.
#[must_use]
pub fn seeds(config: &BoardConfig, row: &Row, width: Option<u16>) -> String {
    let heads = [
        ("Seed", true),
        (config.metric.as_str(), true),
        (config.test_metric.as_str(), true),
        ("Epochs", true),
        ("Health", false),
        ("File", false),
    ];
    let value =
        |metric: &str, value: Option<f64>| value.map(|v| number(BoardConfig::is_share(metric), v)).unwrap_or_default();
    let cells = row.seeds.iter().map(|seed| {
        let troubles: Vec<String> = seed.troubles.iter().map(ToString::to_string).collect();
        vec![
            seed.seed.to_string(),
            value(&config.metric, seed.value),
            value(&config.test_metric, seed.test),
            seed.epochs.to_string(),
            if troubles.is_empty() { "healthy".into() } else { troubles.join("; ") },
            seed.path.clone(),
        ]
    });
    let heads = heads.map(|(title, right)| (title.to_string(), right));
    table(&heads, &cells.collect::<Vec<_>>(), width)
}

/// A table; `heads` say whether a column is aligned right.
#[must_use]
pub fn table(heads: &[(String, bool)], rows: &[Vec<String>], width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─')));
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table.set_header(heads.iter().map(|(title, _)| one_line(title)));
    for row in rows {
        table.add_row(row.iter().map(|cell| one_line(cell)));
    }
    for (column, (_, right)) in table.column_iter_mut().zip(heads) {
        column.set_cell_alignment(if *right { CellAlignment::Right } else { CellAlignment::Left });
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_string()).collect();
    lines.join("\n") + "\n"
}

fn one_line(text: &str) -> String {
    printable(&text.replace(['\n', '\r', '\t'], " "))
}
