//! Which rows are ranked, in which order, and which share a tier.

use super::table::Row;
use crate::state::board::{BoardConfig, Predicate, TieTest};
use crate::state::entities::Direction;
use crate::state::health::Trouble;
use crate::state::pool::Pooled;
use crate::state::stats::{mann_whitney, welch};
use crate::state::text::printable;

/// Why a row is not ranked; empty when it is. The first reasons are those that no policy sets aside.
pub(super) fn reasons(config: &BoardConfig, pooled: &Pooled, row: &Row) -> Vec<String> {
    let mut reasons = pooled.doubts.clone();
    let metric = printable(&config.metric);
    for (seed, (run, metrics)) in &pooled.seeds {
        match metrics.metrics.get(&config.metric) {
            None => reasons.push(format!("seed {seed} in {} has no `{metric}`", run.id)),
            Some(m) if m.direction != config.direction => {
                reasons.push(format!("seed {seed} in {} wants `{metric}` the other way round", run.id));
            }
            Some(_) => {}
        }
    }
    if pooled.seeds.is_empty() {
        reasons.push("no seed has a result".into());
    }
    for predicate in &config.policy {
        match predicate {
            Predicate::Valid => reasons.extend(pooled.gaps.values().cloned()),
            Predicate::Seeds(least) if row.seeds.len() < *least => {
                let are = if row.seeds.len() == 1 { "seed" } else { "seeds" };
                reasons.push(format!("{} {are}; at least {least} are asked for", row.seeds.len()));
            }
            Predicate::Seeds(_) => {}
            Predicate::Converged => reasons.extend(row.seeds.iter().filter_map(|cell| {
                let late = cell.troubles.iter().find(|t| matches!(t, Trouble::NotConverged { .. }))?;
                Some(format!("seed {} {late}", cell.seed))
            })),
        }
    }
    reasons
}

/// The ranked rows in order, with their places, and the others.
pub(super) fn split(config: &BoardConfig, rows: Vec<Row>) -> (Vec<Row>, Vec<Row>) {
    let (mut ranked, mut others): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|r| r.reasons.is_empty());
    let better = |row: &Row| {
        let mean = row.summary.map_or(f64::NEG_INFINITY, |s| s.mean);
        if config.direction == Direction::Maximize { -mean } else { mean }
    };
    ranked.sort_by(|a, b| better(a).total_cmp(&better(b)).then_with(|| a.id.cmp(&b.id)));
    others.sort_by(|a, b| (&a.project, a.iteration, &a.id).cmp(&(&b.project, b.iteration, &b.id)));
    place(config, &mut ranked);
    (ranked, others)
}

/// Places and tiers: a row that the test does not separate from its tier's leader shares that leader's place.
fn place(config: &BoardConfig, ranked: &mut [Row]) {
    let (mut leader, mut tier) = (0, 0);
    for index in 0..ranked.len() {
        let p = p_value(config, &ranked[leader], &ranked[index]);
        let separated = index == 0 || p.is_some_and(|p| p < config.ties.alpha);
        if separated {
            (leader, tier) = (index, tier + 1);
        }
        let row = &mut ranked[index];
        row.p = p.filter(|_| !separated).map(rounded);
        (row.rank, row.tier) = (Some(leader + 1), Some(tier));
    }
}

/// The tie test's p-value for two rows; `None` when the seeds are too few to say anything.
pub(super) fn p_value(config: &BoardConfig, a: &Row, b: &Row) -> Option<f64> {
    match config.ties.test {
        TieTest::Welch => welch(a.summary?, b.summary?),
        TieTest::MannWhitney => mann_whitney(&a.samples(), &b.samples()),
    }
}

/// To six decimals: the last digits of a logarithm differ between machines, a board's bytes must not.
pub(super) fn rounded(p: f64) -> f64 {
    (p * 1e6).round() / 1e6
}
