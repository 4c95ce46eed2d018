//! What stands beside the ranked rows: active, planned and excluded runs, differences, footnotes, findings.

use std::collections::{BTreeMap, BTreeSet};

use super::rank;
use super::source::{Folder, Program};
use super::table::{Active, Board, Delta, Excluded, Figure, Footnote, Found, Planned, Row};
use crate::state::board::{BoardConfig, Standing, Statistic};
use crate::state::entities::Seeds;
use crate::state::load::RunView;
use crate::state::row::RowName;
use crate::state::stats::summary;

pub(super) fn active(folder: &Folder, runs: &[&RunView]) -> Vec<Active> {
    let active = runs.iter().filter(|r| r.is_active());
    let row = |run: &&RunView| {
        let last = run.last_attempt();
        Active {
            project: folder.project.clone(),
            iteration: folder.iteration(),
            label: folder.label(&run.run.experiment, &run.run.overrides),
            run: run.id.to_string(),
            seeds: run.run.seeds.to_string(),
            cluster: run.run.cluster.clone(),
            job: last.and_then(|a| a.job.clone()),
            status: if last.is_some_and(|a| a.start.is_some()) { "running" } else { "submitted" },
        }
    };
    active.map(row).collect()
}

/// The plan's lines that no full run has taken up, of iterations that are not at their end. A plan names
/// experiments, and an experiment belongs to the board whose dataset begins its name, as `mnist` in `mnist_srnn`.
pub(super) fn planned(config: &BoardConfig, folder: &Folder) -> Vec<Planned> {
    let Some(view) = folder.view.as_ref().filter(|v| !v.iteration.phase.is_end()) else { return Vec::new() };
    let taken: BTreeSet<&str> = folder.runs.iter().map(|(r, _)| r.run.experiment.as_str()).collect();
    let ours = |experiment: &str| {
        let base = experiment.rsplit('/').next().unwrap_or(experiment);
        base.strip_prefix(&config.dataset).is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '-']))
    };
    let lines = view.iteration.plan.iter().filter(|p| ours(&p.experiment) && !taken.contains(p.experiment.as_str()));
    let row = |planned: &crate::state::entities::Planned| Planned {
        project: folder.project.clone(),
        iteration: folder.iteration(),
        label: folder.label(&planned.experiment, &planned.overrides),
        seeds: planned.seeds.to_string(),
        footnotes: folder.footnotes(&planned.experiment),
    };
    lines.map(row).collect()
}

pub(super) fn excluded(config: &BoardConfig, folder: &Folder, run: &RunView) -> Option<Excluded> {
    let exclusion = run.exclusion.as_ref().filter(|e| e.withdrawn.is_none())?;
    let seeds = run.run.seeds.as_slice().iter().copied().filter(|seed| run.excluded(*seed).is_some());
    let seeds: Vec<u64> = seeds.collect();
    let value = |seed: &u64| {
        let metric = run.seeds.get(seed)?.as_ref().ok()?.metrics.get(&config.metric)?;
        Some(if config.statistic == Statistic::Best { metric.best } else { metric.last })
    };
    Some(Excluded {
        project: folder.project.clone(),
        iteration: folder.iteration(),
        label: folder.label(&run.run.experiment, &run.run.overrides),
        run: run.id.to_string(),
        summary: summary(&seeds.iter().filter_map(value).collect::<Vec<_>>()),
        seeds: Seeds::try_from(seeds).map(|s| s.to_string()).unwrap_or_default(),
        reason: exclusion.reason.clone(),
        superseded_by: exclusion.superseded_by.as_ref().map(ToString::to_string),
    })
}

/// Differences to the rows that iterations compare with, and figures reported for the same experiment.
pub(super) fn compare(config: &BoardConfig, folders: &[Folder], rows: &mut [Row]) {
    let compare_to: BTreeMap<_, RowName> = folders
        .iter()
        .filter_map(|f| f.view.as_ref())
        .filter_map(|v| Some(((v.project.clone(), Some(v.id)), v.iteration.compare_to.as_ref()?.parse().ok()?)))
        .collect();
    let all = rows.to_vec();
    for row in rows {
        row.reported = reported(config, row);
        let Some(name) = compare_to.get(&(row.project.clone(), row.iteration)) else { continue };
        let named =
            |r: &&Row| (&r.project, r.iteration, &r.experiment) == (&name.project, name.iteration, &name.experiment);
        let others: Vec<&Row> = all.iter().filter(named).filter(|r| r.summary.is_some() && r.id != row.id).collect();
        if let ([other], Some(own)) = (&others[..], row.summary) {
            row.delta = other.summary.map(|base| Delta {
                to: other.id.clone(),
                value: own.mean - base.mean,
                p: rank::p_value(config, row, other).map(rank::rounded),
            });
        }
    }
}

fn reported(config: &BoardConfig, row: &Row) -> Option<Figure> {
    let same = |r: &&crate::state::board::Reported| r.experiment.as_ref() == Some(&row.experiment);
    let reported = config.reported.iter().filter(|r| r.standing == Standing::Reported).find(same)?;
    let source = reported.source.clone().or_else(|| config.source.clone()).unwrap_or_default();
    Some(Figure { mean: reported.mean?, std: reported.std, n: reported.n, source })
}

/// The board's own notes that some row names, and a note for every waiver that a shown row's iteration stands on.
pub(super) fn footnotes(board: &mut Board, program: &Program, rows: &mut [Row]) {
    let mut notes: Vec<Footnote> = Vec::new();
    let iterations: BTreeSet<_> = rows.iter().filter_map(|r| Some((r.project.clone(), r.iteration?))).collect();
    let views = program.folders.iter().filter_map(|f| f.view.as_ref());
    let mut waived: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for view in views.filter(|v| iterations.contains(&(v.project.clone(), v.id))) {
        for waiver in &view.iteration.waivers {
            let key = format!("w{}", waived.values().map(Vec::len).sum::<usize>() + 1);
            let text = format!(
                "gate {} of {} set aside until {}: {}",
                waiver.gate,
                view.name(),
                waiver.expires,
                waiver.reason
            );
            notes.push(Footnote { key: key.clone(), text });
            waived.entry((view.project.clone(), Some(view.id))).or_default().push(key);
        }
    }
    for row in rows.iter_mut() {
        row.footnotes.extend(waived.get(&(row.project.clone(), row.iteration)).cloned().unwrap_or_default());
    }
    let named: BTreeSet<&String> = rows
        .iter()
        .flat_map(|r| &r.footnotes)
        .chain(board.planned.iter().flat_map(|p| &p.footnotes))
        .chain(board.reported.iter().flat_map(|r| &r.footnotes))
        .collect();
    let own = board.config.footnotes.iter().filter(|(key, _)| named.contains(key));
    notes.extend(own.map(|(key, text)| Footnote { key: key.clone(), text: text.clone() }));
    notes.sort_by_key(|note| key_order(&note.key));
    board.footnotes = notes;
}

/// Numbers by size, then words, then the keys of waivers.
fn key_order(key: &str) -> (u8, u64, String) {
    match key.parse() {
        Ok(number) => (0, number, String::new()),
        Err(_) => match key.strip_prefix('w').and_then(|n| n.parse().ok()) {
            Some(number) => (2, number, String::new()),
            None => (1, 0, key.to_string()),
        },
    }
}

/// Findings that cite a run on this board, then those from elsewhere.
pub(super) fn findings(board: &mut Board, program: &Program, rows: &[Row]) {
    let shown: BTreeSet<&str> = rows.iter().flat_map(|r| &r.seeds).map(|s| s.run.as_str()).collect();
    for (project, id, finding) in &program.findings {
        let newer = program.findings.iter().find(|(p, _, f)| p == project && f.supersedes.as_ref() == Some(id));
        let behind = newer.map_or(String::new(), |(_, newer, _)| format!(" (superseded by {newer})"));
        if finding.cites.iter().any(|run| shown.contains(run.as_str())) {
            board.findings.push(Found {
                project: Some(project.clone()),
                id: Some(id.clone()),
                text: if behind.is_empty() {
                    finding.text.clone()
                } else {
                    format!("{}{behind}", finding.text.trim_end())
                },
                cites: finding.cites.iter().map(ToString::to_string).collect(),
                source: None,
            });
        }
    }
    let source = board.config.source.clone();
    board.findings.extend(board.config.findings.iter().map(|text| Found {
        project: None,
        id: None,
        text: text.clone(),
        cites: Vec::new(),
        source: source.clone(),
    }));
}
