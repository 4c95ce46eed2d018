//! Runs to rows: which seeds count, which are doubtful, which are not there.
//!
//! A row pools the full runs of one folder (an iteration, or a project with `loop: off`) that share their config
//! digest and their family of code trees. Smoke runs, active runs, quarantined runs and excluded seeds are out.

use std::collections::BTreeMap;

use super::load::RunView;
use super::record::{Metrics, RunKind, Status};
use super::text::printable;

/// One row before it is judged.
#[derive(Clone, Debug)]
pub struct Pooled<'a> {
    /// The experiment's name.
    pub experiment: &'a str,
    /// The overrides that its oldest run was composed with.
    pub overrides: &'a [String],
    /// Digest of the config that all its runs share.
    pub config_digest: &'a str,
    /// Family of the code trees.
    pub family: String,
    /// Its runs, oldest first.
    pub runs: Vec<&'a RunView>,
    /// The results that count, by seed, each with its run.
    pub seeds: BTreeMap<u64, (&'a RunView, &'a Metrics)>,
    /// Why its figures cannot be trusted; such a row is never ranked.
    pub doubts: Vec<String>,
    /// Seeds that were asked for and have no result, with the reason.
    pub gaps: BTreeMap<u64, String>,
}

/// Whether any seed of a run can count in a row.
#[must_use]
pub fn counts(run: &RunView) -> bool {
    run.run.kind == RunKind::Full
        && !run.is_active()
        && !run.is_quarantined()
        && run.run.seeds.as_slice().iter().any(|seed| run.excluded(*seed).is_none())
}

/// The rows of `runs`, in order of their oldest runs. `family` maps a code tree to its family.
pub fn pool<'a>(runs: impl IntoIterator<Item = &'a RunView>, family: &dyn Fn(&str) -> String) -> Vec<Pooled<'a>> {
    let mut rows: Vec<Pooled<'a>> = Vec::new();
    for run in runs.into_iter().filter(|r| counts(r)) {
        let family = family(&run.run.anchor.code_tree);
        let found = rows.iter().position(|r| r.config_digest == run.run.config_digest && r.family == family);
        let index = found.unwrap_or_else(|| {
            rows.push(Pooled {
                experiment: &run.run.experiment,
                overrides: &run.run.overrides,
                config_digest: &run.run.config_digest,
                family,
                runs: Vec::new(),
                seeds: BTreeMap::new(),
                doubts: Vec::new(),
                gaps: BTreeMap::new(),
            });
            rows.len() - 1
        });
        rows[index].add(run);
    }
    rows
}

/// What people read for a cell: the label that was given to its experiment, or the experiment's name; then its
/// overrides, which tell the cells of a sweep apart.
#[must_use]
pub fn label(given: Option<&str>, experiment: &str, overrides: &[String]) -> String {
    match (given, overrides) {
        (Some(label), []) => label.to_string(),
        (Some(label), overrides) => format!("{label} ({})", overrides.join(" ")),
        (None, overrides) => {
            std::iter::once(experiment).chain(overrides.iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
        }
    }
}

impl<'a> Pooled<'a> {
    /// The values of one metric by seed; a seed without the metric is left out.
    #[must_use]
    pub fn values(&self, metric: &str, of: impl Fn(&super::record::Metric) -> f64) -> BTreeMap<u64, f64> {
        let value =
            |(seed, (_, metrics)): (&u64, &(&RunView, &Metrics))| Some((*seed, of(metrics.metrics.get(metric)?)));
        self.seeds.iter().filter_map(value).collect()
    }

    fn add(&mut self, run: &'a RunView) {
        self.runs.push(run);
        self.doubts.extend(unattested(run));
        for (seed, result) in &run.seeds {
            if run.excluded(*seed).is_some() {
                continue;
            }
            match result {
                Ok(metrics) if metrics.status == Status::Failed => {
                    let why = metrics.error.as_deref().unwrap_or("the trainer gives no reason");
                    self.gap(*seed, format!("seed {seed} failed in {}: {}", run.id, printable(why)));
                }
                Ok(metrics) => self.count(*seed, run, metrics),
                Err(why) => {
                    self.gap(
                        *seed,
                        format!("metrics.json of seed {seed} in {} is invalid: {}", run.id, printable(why)),
                    );
                }
            }
        }
        for seed in run.run.seeds.as_slice() {
            if run.excluded(*seed).is_none() && !run.seeds.contains_key(seed) {
                self.gap(*seed, format!("seed {seed} has no result in {}", run.id));
            }
        }
    }

    fn count(&mut self, seed: u64, run: &'a RunView, metrics: &'a Metrics) {
        self.doubts.extend(mismatch(seed, run, metrics));
        self.gaps.remove(&seed);
        if let Some((first, _)) = self.seeds.get(&seed) {
            self.doubts.push(format!("seed {seed} is counted twice, in {} and {}", first.id, run.id));
        } else {
            self.seeds.insert(seed, (run, metrics));
        }
    }

    fn gap(&mut self, seed: u64, why: String) {
        if !self.seeds.contains_key(&seed) {
            self.gaps.insert(seed, why);
        }
    }
}

/// Why nothing attests that this run is what it says.
fn unattested(run: &RunView) -> Option<String> {
    if run.attempts.is_empty() {
        return Some(format!("{} has results without an attempt", run.id));
    }
    let starts = run.attempts.iter().filter_map(|(number, attempt)| Some((number, attempt.start.as_ref()?)));
    for (number, start) in starts {
        let differs = [
            ("commit", start.commit != run.run.anchor.commit),
            ("manifest", start.manifest != run.run.anchor.manifest),
            ("config digest", start.config_digest != run.run.config_digest),
        ];
        if let Some((what, _)) = differs.into_iter().find(|(_, differs)| *differs) {
            return Some(format!("attempt {number} of {} started with another {what} than run.yaml names", run.id));
        }
    }
    None
}

/// Why a result is not this run's.
fn mismatch(seed: u64, run: &RunView, metrics: &Metrics) -> Option<String> {
    let differs = [
        ("run", metrics.run != run.id.as_str()),
        ("seed", metrics.seed != seed),
        ("commit", metrics.commit != run.run.anchor.commit),
        ("config digest", metrics.config_digest != run.run.config_digest),
    ];
    if let Some((what, _)) = differs.into_iter().find(|(_, differs)| *differs) {
        return Some(format!("metrics.json of seed {seed} in {} names another {what}", run.id));
    }
    let asked = run.run.seeds.as_slice().contains(&seed);
    (!asked).then(|| format!("seed {seed} is none of the seeds of {}", run.id))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::state::ids::RunId;
    use crate::state::yaml::from_str;

    /// A full run with results, as it would be read from its folder.
    pub(crate) fn run(id: &str, experiment: &str, seeds: &str, values: &[(u64, f64)]) -> RunView {
        let text = format!(
            "{{schema: 1, kind: full, experiment: {experiment}, cluster: local, created: 2026-01-02T03:04:05Z,
            anchor: {{commit: c0, code_tree: aaaaaa, manifest: m}}, command: [x], config_digest: d-{experiment}, seeds: {seeds}}}"
        );
        let attempt = "{schema: 1, cluster: local, submitted: 2026-01-02T03:04:05Z, exit: {at: 2026-01-02T03:05:05Z, code: 0}, verdict: succeeded}";
        let metrics = |seed: u64, value: f64| {
            let text = format!(
                r#"{{"schema":1,"run":"{id}","seed":{seed},"commit":"c0","config_digest":"d-{experiment}","status":"completed","epochs_planned":10,"epochs_run":10,
                "metrics":{{"val/accuracy":{{"final":{value},"best":{value},"best_epoch":5,"direction":"maximize"}}}}}}"#
            );
            Metrics::from_json(text.as_bytes())
        };
        RunView {
            id: RunId::try_from(id).unwrap(),
            folder: format!("projects/p/iterations/1-a/runs/{id}"),
            run: from_str(&text).unwrap(),
            attempts: [(1, from_str(attempt).unwrap())].into(),
            seeds: values.iter().map(|(seed, value)| (*seed, metrics(*seed, *value))).collect(),
            exclusion: None,
        }
    }

    fn same(tree: &str) -> String {
        tree.to_string()
    }

    #[test]
    fn seeds_of_one_config_and_code_make_one_row() {
        let mut other_code = run("c-x", "x", "[5]", &[(5, 0.8)]);
        other_code.run.anchor.code_tree = "bbbbbb".into();
        let runs = [run("a-x", "x", "0-1", &[(0, 0.9), (1, 0.8)]), run("b-x", "x", "[2]", &[(2, 0.7)]), other_code];
        let rows = pool(&runs, &same);
        assert_eq!(rows.iter().map(|r| r.seeds.len()).collect::<Vec<_>>(), [3, 1]);
        assert_eq!(pool(&runs, &|_| String::new()).len(), 1);
        assert!(rows.iter().all(|r| r.doubts.is_empty() && r.gaps.is_empty()));
    }

    #[test]
    fn a_seed_counted_twice_is_a_doubt() {
        let runs = [run("a-x", "x", "0-1", &[(0, 0.9), (1, 0.8)]), run("b-x", "x", "[1]", &[(1, 0.95)])];
        let rows = pool(&runs, &same);
        assert_eq!(rows[0].doubts, ["seed 1 is counted twice, in a-x and b-x"]);
        assert_eq!(rows[0].seeds[&1].1.metrics["val/accuracy"].last, 0.8);
    }

    #[test]
    fn excluded_seeds_are_out_and_gaps_are_closed_by_another_run() {
        let mut first = run("a-x", "x", "0-2", &[(0, 0.9), (1, 0.1)]);
        first.exclusion = Some(from_str("{schema: 1, reason: bug, at: 2026-01-02T03:04:05Z, seeds: [1]}").unwrap());
        let alone = [first.clone()];
        let rows = pool(&alone, &same);
        assert_eq!(rows[0].seeds.keys().collect::<Vec<_>>(), [&0]);
        assert_eq!(rows[0].gaps.values().collect::<Vec<_>>(), ["seed 2 has no result in a-x"]);
        let both = [first, run("b-x", "x", "[2]", &[(2, 0.8)])];
        assert!(pool(&both, &same)[0].gaps.is_empty());
    }

    #[test]
    fn results_of_something_else_are_doubted() {
        let mut strange = run("a-x", "x", "[0]", &[(0, 0.9)]);
        strange.run.anchor.commit = "c1".into();
        let moved = [strange];
        assert_eq!(pool(&moved, &same)[0].doubts, ["metrics.json of seed 0 in a-x names another commit"]);
        let mut bare = run("a-x", "x", "[0]", &[(0, 0.9)]);
        bare.attempts.clear();
        let bare = [bare];
        assert!(pool(&bare, &same)[0].doubts[0].contains("without an attempt"));
        let extra = [run("a-x", "x", "[0]", &[(0, 0.9), (7, 0.99)])];
        assert!(pool(&extra, &same)[0].doubts[0].contains("none of the seeds"));
    }
}
