//! A board's sections as tables of plain text: what every renderer shows, before any escaping.

use super::table::{Active, Board, Excluded, Planned, Row};
use crate::state::board::{BoardConfig, Column, Known, Reported, Section, Standing};
use crate::state::ids::IterId;
use crate::state::markdown::{difference, p_value, spread};

/// One section.
pub(super) enum Part {
    /// A heading with a table below.
    Table(Table),
    /// A heading with items below, each a short key and a text.
    List { title: &'static str, items: Vec<(String, String)> },
}

/// A table of plain text.
pub(super) struct Table {
    pub(super) title: &'static str,
    pub(super) columns: Vec<Head>,
    pub(super) rows: Vec<Vec<String>>,
    /// What is said when there are no rows.
    pub(super) empty: &'static str,
    /// What is said above the rows.
    pub(super) note: String,
}

/// The head of a column.
pub(super) struct Head {
    pub(super) title: String,
    pub(super) right: bool,
}

/// The sections that have something to say, in the board's order. `ranked` is always there.
pub(super) fn parts(board: &Board) -> Vec<Part> {
    let parts = board.config.sections.iter().map(|section| match section {
        Section::Ranked => Part::Table(ranked(board)),
        Section::Active => Part::Table(active(board)),
        Section::Planned => Part::Table(planned(board)),
        Section::NotRanked => Part::Table(not_ranked(board)),
        Section::Excluded => Part::Table(excluded(board)),
        Section::Reported => Part::Table(reported(board)),
        Section::Footnotes => Part::List {
            title: section.title(),
            items: board.footnotes.iter().map(|n| (n.key.clone(), n.text.clone())).collect(),
        },
        Section::Findings => Part::List { title: section.title(), items: findings(board) },
    });
    let says = |part: &Part| match part {
        Part::Table(table) => !table.rows.is_empty() || !table.empty.is_empty(),
        Part::List { items, .. } => !items.is_empty(),
    };
    parts.filter(says).collect()
}

/// The lines above the sections: what is ranked, by which rules, and how fresh it is.
pub(super) fn preface(board: &Board) -> Vec<String> {
    let config = &board.config;
    let statistic = match config.statistic {
        crate::state::board::Statistic::Final => "at the end of training",
        crate::state::board::Statistic::Best => "at the best epoch",
    };
    let share = if BoardConfig::is_share(&config.metric) { " in per cent" } else { "" };
    let policy: Vec<String> = config.policy.iter().cloned().map(String::from).collect();
    let policy = if policy.is_empty() { "none".into() } else { policy.join(", ").replace(">=", "≥") };
    let updated =
        board.updated.map_or_else(|| "no results yet".into(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
    vec![
        format!("Ranked by {} {statistic}{share}, mean ± sample deviation over seeds.", config.metric),
        format!(
            "Policy: {policy}. Rows that {} does not separate from the leader of their tier (p ≥ {}) share its place.",
            config.ties.test.title(),
            config.ties.alpha
        ),
        format!("Updated: {updated}."),
    ]
}

fn ranked(board: &Board) -> Table {
    let config = &board.config;
    let heads: Vec<Head> = config.columns.iter().map(|c| head(config, c)).collect();
    let cells: Vec<Vec<String>> =
        board.ranked.iter().map(|row| config.columns.iter().map(|c| cell(config, row, c)).collect()).collect();
    drop_empty(Table {
        title: Section::Ranked.title(),
        columns: heads,
        rows: cells,
        empty: "No row fulfils the policy yet.",
        note: String::new(),
    })
}

fn head(config: &BoardConfig, column: &Column) -> Head {
    let known = match column {
        Column::Config { title, .. } => return Head { title: title.clone(), right: false },
        Column::Known(known) => *known,
    };
    let title = match known {
        Known::Mean => config.metric.clone(),
        Known::Test => config.test_metric.clone(),
        _ => known.title().to_string(),
    };
    let left = [Known::Project, Known::Iteration, Known::Model, Known::Notes];
    Head { title, right: !left.contains(&known) }
}

/// The text of one cell of the ranked section.
pub(super) fn cell(config: &BoardConfig, row: &Row, column: &Column) -> String {
    let share = BoardConfig::is_share(&config.metric);
    let known = match column {
        Column::Config { title, .. } => return row.values.get(title).cloned().unwrap_or_default(),
        Column::Known(known) => known,
    };
    match known {
        Known::Rank => row.rank.map(|r| r.to_string()).unwrap_or_default(),
        Known::Tier => row.tier.map(|t| t.to_string()).unwrap_or_default(),
        Known::Project => row.project.to_string(),
        Known::Iteration => iteration(row.iteration),
        Known::Model => row.label.clone(),
        Known::Mean => row.summary.map(|s| spread(share, s.mean, s.std, Some(s.n))).unwrap_or_default(),
        Known::Test => row
            .test
            .map(|s| spread(BoardConfig::is_share(&config.test_metric), s.mean, s.std, None))
            .unwrap_or_default(),
        Known::Delta => row.delta.as_ref().map_or_else(String::new, |d| {
            let p = d.p.map(|p| format!(" (p {})", p_value(p))).unwrap_or_default();
            format!("{}{p}", difference(share, d.value))
        }),
        Known::Reported => {
            row.reported.as_ref().map(|f| spread(share, f.mean, f.std, f.n.map(|n| n as usize))).unwrap_or_default()
        }
        Known::Seeds => row.seeds.len().to_string(),
        Known::Parameters => row.parameters.map(|n| n.to_string()).unwrap_or_default(),
        Known::Epochs => range(row.seeds.iter().map(|s| s.epochs)),
        Known::Time => time(row),
        Known::Health => {
            let healthy = row.seeds.iter().filter(|s| s.troubles.is_empty()).count();
            format!("{healthy} of {}", row.seeds.len())
        }
        Known::Notes => row.footnotes.join(", "),
    }
}

fn range(values: impl Iterator<Item = u64> + Clone) -> String {
    match (values.clone().min(), values.max()) {
        (Some(least), Some(most)) if least == most => least.to_string(),
        (Some(least), Some(most)) => format!("{least} to {most}"),
        _ => String::new(),
    }
}

/// The mean training time of a seed.
fn time(row: &Row) -> String {
    let total: f64 = row.seeds.iter().map(|s| s.wall_s).sum();
    match total / row.seeds.len() as f64 {
        s if !s.is_finite() || s <= 0.0 => String::new(),
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7200.0 => format!("{:.1} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

fn iteration(id: Option<IterId>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn heads<const N: usize>(titles: [&str; N]) -> Vec<Head> {
    titles.map(|title| Head { title: title.to_string(), right: false }).into()
}

fn active(board: &Board) -> Table {
    let row = |a: &Active| {
        let job = a.job.as_deref().map(|job| format!("{job} on {}", a.cluster)).unwrap_or_else(|| a.cluster.clone());
        vec![
            a.project.to_string(),
            iteration(a.iteration),
            a.label.clone(),
            job,
            format!("{}, seeds {}", a.status, a.seeds),
        ]
    };
    let elsewhere = standing(board, Standing::Active).map(|r| {
        vec![r.project.to_string(), r.iteration.to_string(), r.label.clone(), String::new(), "elsewhere".into()]
    });
    let rows = board.active.iter().map(row).chain(elsewhere).collect();
    Table {
        title: Section::Active.title(),
        columns: heads(["Project", "Iter", "Model", "Job", "Status"]),
        rows,
        empty: "",
        note: String::new(),
    }
}

fn planned(board: &Board) -> Table {
    let row = |p: &Planned| {
        let status = format!("seeds {}", p.seeds);
        vec![p.project.to_string(), iteration(p.iteration), p.label.clone(), status, p.footnotes.join(", ")]
    };
    let elsewhere = standing(board, Standing::Planned).map(|r| {
        let after: Vec<String> = r.after.iter().map(ToString::to_string).collect();
        let after = (!after.is_empty()).then(|| format!("after {}", after.join(", ")));
        let status: Vec<String> = after.into_iter().chain(r.note.clone()).collect();
        vec![r.project.to_string(), r.iteration.to_string(), r.label.clone(), status.join("; "), r.footnotes.join(", ")]
    });
    let rows = board.planned.iter().map(row).chain(elsewhere).collect();
    let columns = heads(["Project", "Iter", "Model", "Status", "Notes"]);
    drop_empty(Table { title: Section::Planned.title(), columns, rows, empty: "", note: String::new() })
}

fn not_ranked(board: &Board) -> Table {
    let share = BoardConfig::is_share(&board.config.metric);
    let row = |r: &Row| {
        let mean = r.summary.map(|s| spread(share, s.mean, s.std, Some(s.n))).unwrap_or_default();
        vec![
            r.project.to_string(),
            iteration(r.iteration),
            r.label.clone(),
            mean,
            r.reasons.join("; "),
            r.footnotes.join(", "),
        ]
    };
    let rows = board.not_ranked.iter().map(row).collect();
    let columns = heads(["Project", "Iter", "Model", "Result", "Why", "Notes"]);
    drop_empty(Table { title: Section::NotRanked.title(), columns, rows, empty: "", note: String::new() })
}

fn excluded(board: &Board) -> Table {
    let share = BoardConfig::is_share(&board.config.metric);
    let row = |e: &Excluded| {
        let mean = e.summary.map(|s| spread(share, s.mean, s.std, Some(s.n))).unwrap_or_default();
        let what = format!("{} seeds {}", e.run, e.seeds);
        let by = e.superseded_by.clone().unwrap_or_default();
        vec![e.project.to_string(), iteration(e.iteration), e.label.clone(), what, mean, e.reason.clone(), by]
    };
    let elsewhere = standing(board, Standing::Excluded).map(|r| {
        let reason = r.reason.clone().unwrap_or_default();
        let by = r.superseded_by.map(|id| id.to_string()).unwrap_or_default();
        vec![
            r.project.to_string(),
            r.iteration.to_string(),
            r.label.clone(),
            "reported".into(),
            result(share, r),
            reason,
            by,
        ]
    });
    let rows = board.excluded.iter().map(row).chain(elsewhere).collect();
    let columns = heads(["Project", "Iter", "Model", "Run", "Result", "Reason", "Superseded by"]);
    drop_empty(Table { title: Section::Excluded.title(), columns, rows, empty: "", note: String::new() })
}

fn reported(board: &Board) -> Table {
    let share = BoardConfig::is_share(&board.config.metric);
    let titles: Vec<&String> = board
        .config
        .columns
        .iter()
        .filter_map(|c| match c {
            Column::Config { title, .. } => Some(title),
            Column::Known(_) => None,
        })
        .collect();
    let row = |r: &Reported| {
        let mut cells = vec![r.project.to_string(), r.iteration.to_string(), r.label.clone()];
        cells.extend(titles.iter().map(|title| r.values.get(*title).cloned().unwrap_or_default()));
        let own = r.source.clone().unwrap_or_default();
        cells.extend([result(share, r), r.note.clone().unwrap_or_default(), r.footnotes.join(", "), own]);
        cells
    };
    let mut columns = heads(["Project", "Iter", "Model"]);
    columns.extend(titles.iter().map(|title| Head { title: (*title).clone(), right: false }));
    columns.extend(heads(["Reported", "Remark", "Notes", "Source"]));
    let rows = standing(board, Standing::Reported).map(row).collect();
    let note = board.config.source.as_ref().map(|source| format!("Source: {source}. Never ranked as ours."));
    drop_empty(Table { title: Section::Reported.title(), columns, rows, empty: "", note: note.unwrap_or_default() })
}

fn standing(board: &Board, standing: Standing) -> impl Iterator<Item = &Reported> {
    board.reported.iter().filter(move |r| r.standing == standing)
}

/// A reported result: words where there are words, the figures otherwise.
fn result(share: bool, reported: &Reported) -> String {
    let figures = |mean| spread(share, mean, reported.std, reported.n.map(|n| n as usize));
    reported.result.clone().or_else(|| reported.mean.map(figures)).unwrap_or_default()
}

fn findings(board: &Board) -> Vec<(String, String)> {
    let item = |f: &super::table::Found| {
        let key = match (&f.project, &f.id) {
            (Some(project), Some(id)) => format!("{project}/{id}"),
            _ => "reported".to_string(),
        };
        let cites = if f.cites.is_empty() { String::new() } else { format!(" ({})", f.cites.join(", ")) };
        (key, format!("{}{cites}", f.text))
    };
    board.findings.iter().map(item).collect()
}

/// The table without the columns that no row fills.
fn drop_empty(mut table: Table) -> Table {
    let filled: Vec<bool> = (0..table.columns.len())
        .map(|at| table.rows.is_empty() || table.rows.iter().any(|row| !row[at].is_empty()))
        .collect();
    let mut keep = filled.iter();
    table.columns.retain(|_| *keep.next().unwrap_or(&true));
    for row in &mut table.rows {
        let mut keep = filled.iter();
        row.retain(|_| *keep.next().unwrap_or(&true));
    }
    table
}
