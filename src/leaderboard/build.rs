//! A tree to boards: which runs belong, which rows they make, what each section holds.

use std::collections::BTreeMap;

use super::extras;
use super::rank;
use super::source::{Folder, Program};
use super::table::{Board, Row, RunCell, SeedCell};
use crate::state::board::{BoardConfig, Column, Pool, PoolCode, Statistic};
use crate::state::health;
use crate::state::ids::RunId;
use crate::state::load::RunView;
use crate::state::pool::{Pooled, pool};
use crate::state::problem::{Kind, Problem};
use crate::state::record::Metric;
use crate::state::resolved::Resolved;
use crate::state::stats::summary;
use crate::state::text::nearest;
use crate::state::tree::Tree;

/// One board of a tree.
pub fn build(tree: &dyn Tree, name: &str) -> Result<Board, Problem> {
    let boards = build_all(tree)?;
    let names: Vec<String> = boards.iter().map(|b| b.name.clone()).collect();
    boards.into_iter().find(|b| b.name == name).ok_or_else(|| {
        let near = nearest(name, names.iter().map(String::as_str));
        let message = format!("there is no board `{}`", crate::state::text::printable(name));
        let hint = near.map_or_else(|| "git ar board   lists them".to_string(), |n| format!("git ar board show {n}"));
        Problem::new(Kind::Ambiguous, "unknown-board", message).hint(hint)
    })
}

/// Every board of a tree, in order of their names. The tree is read once.
pub fn build_all(tree: &dyn Tree) -> Result<Vec<Board>, Problem> {
    let program = Program::read(tree)?;
    Ok(program.boards.iter().map(|(name, config)| board(&program, name, config)).collect())
}

fn board(program: &Program, name: &str, config: &BoardConfig) -> Board {
    let mut rows = Vec::new();
    let mut board = Board {
        name: name.to_string(),
        config: config.clone(),
        updated: None,
        ranked: Vec::new(),
        active: Vec::new(),
        planned: Vec::new(),
        not_ranked: Vec::new(),
        excluded: Vec::new(),
        reported: config.reported.clone(),
        footnotes: Vec::new(),
        findings: Vec::new(),
    };
    for folder in &program.folders {
        let ours: BTreeMap<&RunId, (&RunView, &Resolved)> =
            folder.runs.iter().filter(|(_, c)| belongs(config, c)).map(|(r, c)| (&r.id, (r, c.as_ref()))).collect();
        let in_order: Vec<&RunView> = folder.runs.iter().map(|(r, _)| r).filter(|r| ours.contains_key(&r.id)).collect();
        let pooled = pool(in_order.iter().copied(), &|tree| family(&config.pool, tree));
        rows.extend(pooled.iter().map(|p| row(config, folder, p, ours[&p.runs[0].id].1)));
        rows.extend(in_order.iter().filter(|r| r.is_quarantined()).map(|r| quarantined(folder, r)));
        board.active.extend(extras::active(folder, &in_order));
        board.planned.extend(extras::planned(config, folder));
        board.excluded.extend(in_order.iter().filter_map(|r| extras::excluded(config, folder, r)));
        let exits = in_order.iter().flat_map(|r| r.attempts.values()).filter_map(|a| Some(a.exit.as_ref()?.at));
        board.updated = board.updated.into_iter().chain(exits).max();
    }
    name_rows(&mut rows);
    extras::compare(config, &program.folders, &mut rows);
    extras::footnotes(&mut board, program, &mut rows);
    extras::findings(&mut board, program, &rows);
    (board.ranked, board.not_ranked) = rank::split(config, rows);
    board
}

/// A board holds the runs whose config names its dataset.
fn belongs(board: &BoardConfig, config: &Resolved) -> bool {
    config.dataset() == Some(board.dataset.as_str())
}

/// The family of a code tree: its own digest, the first of its declared family, or one for all.
fn family(pool: &Pool, code_tree: &str) -> String {
    if pool.code == PoolCode::Any {
        return String::new();
    }
    let declared = pool.families.iter().find(|family| family.iter().any(|start| code_tree.starts_with(start.as_str())));
    declared.and_then(|family| family.first()).map_or(code_tree, String::as_str).to_string()
}

/// The value of a metric that the board ranks.
fn statistic(config: &BoardConfig) -> fn(&Metric) -> f64 {
    match config.statistic {
        Statistic::Final => |m| m.last,
        Statistic::Best => |m| m.best,
    }
}

fn row(config: &BoardConfig, folder: &Folder, pooled: &Pooled, resolved: &Resolved) -> Row {
    let of = statistic(config);
    let (values, test) = (pooled.values(&config.metric, of), pooled.values(&config.test_metric, |m| m.last));
    let mut code_trees: Vec<String> = pooled.runs.iter().map(|r| r.run.anchor.code_tree.clone()).collect();
    code_trees.dedup();
    let seed = |(seed, (run, metrics)): (&u64, &(&RunView, &crate::state::record::Metrics))| SeedCell {
        seed: *seed,
        run: run.id.to_string(),
        path: format!("{}/seed-{seed}/metrics.json", run.folder),
        value: values.get(seed).copied(),
        test: test.get(seed).copied(),
        epochs: metrics.epochs_run,
        wall_s: metrics.timing.wall_s,
        troubles: health::of_seed(run.seeds.get(seed), &config.metric, resolved.classes()),
    };
    let seeds: Vec<SeedCell> = pooled.seeds.iter().map(seed).collect();
    let spread = |values: &BTreeMap<u64, f64>| summary(&values.values().copied().collect::<Vec<_>>());
    let parameters: Vec<Option<u64>> = pooled.seeds.values().map(|(_, m)| m.params).collect();
    let mut row = Row {
        summary: spread(&values),
        test: spread(&test),
        parameters: parameters.first().copied().flatten().filter(|_| parameters.windows(2).all(|w| w[0] == w[1])),
        code_trees,
        values: columns(config, resolved),
        runs: pooled.runs.iter().map(|run| run_cell(run)).collect(),
        seeds,
        ..empty(folder, pooled.runs[0])
    };
    row.reasons = rank::reasons(config, pooled, &row);
    row
}

fn run_cell(run: &RunView) -> RunCell {
    RunCell {
        run: run.id.to_string(),
        folder: run.folder.clone(),
        commit: run.run.anchor.commit.clone(),
        cluster: run.run.cluster.clone(),
        seeds: run.run.seeds.to_string(),
    }
}

/// The config values that the board's own columns show.
fn columns(config: &BoardConfig, resolved: &Resolved) -> BTreeMap<String, String> {
    let value = |column: &Column| match column {
        Column::Config { title, path } => Some((title.clone(), resolved.at(path)?.to_string())),
        Column::Known(_) => None,
    };
    config.columns.iter().filter_map(value).collect()
}

/// A row of a run's experiment without any figures.
fn empty(folder: &Folder, run: &RunView) -> Row {
    let experiment = run.run.experiment.clone();
    Row {
        id: String::new(),
        rank: None,
        tier: None,
        project: folder.project.clone(),
        iteration: folder.iteration(),
        label: folder.label(&experiment, &run.run.overrides),
        config_digest: run.run.config_digest.clone(),
        code_trees: vec![run.run.anchor.code_tree.clone()],
        summary: None,
        test: None,
        p: None,
        delta: None,
        reported: None,
        runs: vec![run_cell(run)],
        seeds: Vec::new(),
        parameters: None,
        values: BTreeMap::new(),
        footnotes: folder.footnotes(&experiment),
        reasons: Vec::new(),
        experiment,
    }
}

fn quarantined(folder: &Folder, run: &RunView) -> Row {
    let reason = format!("{} is quarantined: what ran is not what was to run", run.id);
    Row { reasons: vec![reason], ..empty(folder, run) }
}

/// Give every row a name of its own: longer only where the short one is taken twice.
fn name_rows(rows: &mut [Row]) {
    let iteration = |row: &Row| row.iteration.map(|id| format!("{id}/")).unwrap_or_default();
    let short = |text: &str| text.chars().take(6).collect::<String>();
    let steps: [&dyn Fn(&Row) -> String; 4] = [
        &|row| format!("{}/{}{}", row.project, iteration(row), row.experiment),
        &|row| format!("@{}", short(&row.config_digest)),
        &|row| format!("+{}", row.code_trees.first().map(|c| short(c)).unwrap_or_default()),
        &|row| format!("-{}", row.runs.first().map(|r| r.run.as_str()).unwrap_or_default()),
    ];
    let mut pending: Vec<usize> = (0..rows.len()).collect();
    for step in steps {
        for index in &pending {
            let more = step(&rows[*index]);
            rows[*index].id.push_str(&more);
        }
        let mut uses: BTreeMap<String, usize> = BTreeMap::new();
        for row in rows.iter() {
            *uses.entry(row.id.clone()).or_default() += 1;
        }
        pending.retain(|index| uses[&rows[*index].id] > 1);
    }
}
