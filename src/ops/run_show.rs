//! `run list` and `run show`: runs as their records tell.

use std::fmt;

use comfy_table::{Table, TableStyle};
use serde::Serialize;

use super::Context;
use super::run::{self, Place, State, kind_word};
use crate::runs::layout::Scratch;
use crate::state::load::RunView;
use crate::state::problem::{Problem, Problems};
use crate::state::record::{Metrics, Verdict};
use crate::state::stats;

/// One line of the list.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The run.
    pub run: String,
    /// Its iteration, or its project.
    pub place: String,
    /// Smoke or full.
    pub kind: &'static str,
    /// Its experiment and overrides.
    pub experiment: String,
    /// Its seeds, as `0-4`.
    pub seeds: String,
    /// How many of them have a result.
    pub finished: usize,
    /// Where it stands.
    pub state: State,
    /// Mean of `val/accuracy` over the seeds that have a result; a fraction.
    pub val_accuracy: Option<f64>,
    /// When it was submitted.
    pub created: jiff::Timestamp,
}

/// The list.
#[derive(Debug, Serialize)]
pub struct List {
    /// Newest last.
    pub runs: Vec<Row>,
    /// How many older ones were left out.
    pub left_out: usize,
}

/// The newest `most` runs of an iteration, of a project, or of all; all of them when `most` is 0.
pub fn list(
    context: &Context<'_>,
    iteration: Option<&str>,
    project: Option<&str>,
    most: usize,
) -> Result<List, Problems> {
    let tree = context.repo.work_tree();
    let mut found = run::all(&tree)?;
    if iteration.is_some() {
        let folder = Place::find(context, &tree, iteration, project)?.folder;
        found.retain(|run| run.parent == folder);
    } else if let Some(name) = project {
        let project = super::find::project(&tree, Some(name))?;
        found.retain(|run| run.project == project);
    }
    let mut dated = found.into_iter().map(|run| Ok((run.created(&tree)?, run))).collect::<Result<Vec<_>, Problem>>()?;
    dated.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
    let left_out = if most == 0 { 0 } else { dated.len().saturating_sub(most) };
    // Results are read of those that are shown; of the others only when they were submitted.
    let shown = dated.split_off(left_out).into_iter();
    let rows = shown.map(|(_, run)| Ok(row(run.place_name(), &run.view(&tree)?)));
    Ok(List { runs: rows.collect::<Result<_, Problem>>()?, left_out })
}

fn row(place: String, view: &RunView) -> Row {
    let finals: Vec<f64> =
        view.seeds.values().flatten().filter_map(|m| Some(m.metrics.get("val/accuracy")?.last)).collect();
    Row {
        run: view.id.to_string(),
        place,
        kind: kind_word(view.run.kind),
        experiment: experiment(view),
        seeds: view.run.seeds.to_string(),
        finished: run::finished(view).count(),
        state: State::of(view),
        val_accuracy: stats::summary(&finals).map(|s| s.mean),
        created: view.run.created,
    }
}

fn experiment(view: &RunView) -> String {
    std::iter::once(&view.run.experiment).chain(&view.run.overrides).cloned().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.runs.is_empty() {
            return writeln!(f, "no runs");
        }
        if self.left_out > 0 {
            writeln!(f, "{} older runs are left out (--limit 0 shows them)", self.left_out)?;
        }
        let mut table = Table::new();
        table.load_style(TableStyle::new());
        table.set_header(["run", "place", "kind", "seeds", "state", "val/accuracy", "experiment"]);
        for row in &self.runs {
            let accuracy = row.val_accuracy.map_or("-".into(), |a| format!("{:.2} %", 100.0 * a));
            let seeds = format!("{} ({})", row.seeds, row.finished);
            let cells = [&row.run, &row.place, row.kind, &seeds, row.state.word(), &accuracy, &row.experiment];
            table.add_row(cells);
        }
        for line in table.lines() {
            writeln!(f, "{}", line.trim())?;
        }
        Ok(())
    }
}

/// One seed of a run.
#[derive(Debug, Serialize)]
pub struct SeedRow {
    /// The seed.
    pub seed: u64,
    /// Its result, when there is a valid one.
    pub metrics: Option<Metrics>,
    /// What is wrong with its file.
    pub problem: Option<String>,
    /// Why it does not count.
    pub excluded: Option<String>,
}

/// Everything about one run.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// The line of the list.
    #[serde(flatten)]
    pub row: Row,
    /// The folder of its record.
    pub folder: String,
    /// `run.yaml`.
    pub record: crate::state::record::Run,
    /// Attempts by number.
    pub attempts: Vec<(u32, crate::state::record::Attempt)>,
    /// Its seeds.
    pub results: Vec<SeedRow>,
    /// Its exclusion.
    pub exclusion: Option<crate::state::exclusion::Exclusion>,
    /// Its directory on this machine, when it ran here.
    pub scratch: Option<String>,
}

/// One run, by a unique prefix of its id.
pub fn show(context: &Context<'_>, name: &str) -> Result<Shown, Problem> {
    let tree = context.repo.work_tree();
    let (place, view) = run::one(&tree, name)?;
    let dir = Scratch::of(context.repo.common_dir()).run(&view.id).path;
    let result = |seed: &u64| {
        let found = view.seeds.get(seed);
        SeedRow {
            seed: *seed,
            metrics: found.and_then(|r| r.as_ref().ok()).cloned(),
            problem: found.and_then(|r| r.as_ref().err()).cloned(),
            excluded: view.excluded(*seed).map(|e| e.reason.clone()),
        }
    };
    Ok(Shown {
        row: row(place.name(), &view),
        folder: view.folder.clone(),
        results: view.run.seeds.as_slice().iter().map(result).collect(),
        scratch: dir.is_dir().then(|| dir.display().to_string()),
        record: view.run,
        attempts: view.attempts.into_iter().collect(),
        exclusion: view.exclusion,
    })
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (row, record) = (&self.row, &self.record);
        writeln!(f, "run {}  {} run, {}", row.run, row.kind, row.state.word())?;
        writeln!(f, "  experiment  {}", row.experiment)?;
        writeln!(f, "  place       {}  ({}/)", row.place, self.folder)?;
        writeln!(f, "  submitted   {} on {}", record.created, record.cluster)?;
        writeln!(
            f,
            "  anchor      commit {}  code tree {}",
            short(&record.anchor.commit),
            short(&record.anchor.code_tree)
        )?;
        writeln!(f, "  config      {}  (config.yaml)", short(&record.config_digest))?;
        writeln!(f, "  command     {}", record.command.join(" "))?;
        if let Some(scratch) = &self.scratch {
            writeln!(f, "  scratch     {scratch}")?;
        }
        for (number, attempt) in &self.attempts {
            let verdict = attempt.verdict.map_or("no verdict yet", verdict_word);
            write!(f, "  attempt {number}   {verdict}, started {}", attempt.submitted)?;
            attempt.exit.iter().try_for_each(|exit| write!(f, ", ended {} with {}", exit.at, exit.code))?;
            writeln!(f, "{}", attempt.reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default())?;
        }
        self.results.iter().try_for_each(|seed| writeln!(f, "  seed {:<6} {}", seed.seed, seed.line()))?;
        if let Some(exclusion) = &self.exclusion {
            let withdrawn = exclusion.withdrawn.as_ref().map(|w| format!("; withdrawn: {w}")).unwrap_or_default();
            writeln!(f, "  excluded    {}{withdrawn}", exclusion.reason)?;
        }
        Ok(())
    }
}

impl SeedRow {
    fn line(&self) -> String {
        let excluded = self.excluded.as_ref().map(|r| format!("  (excluded: {r})")).unwrap_or_default();
        match (&self.metrics, &self.problem) {
            (Some(metrics), _) => figures(metrics) + &excluded,
            (None, Some(problem)) => format!("metrics.json: {problem}{excluded}"),
            (None, None) => format!("no result{excluded}"),
        }
    }
}

/// The figures of a seed that a person looks at first.
#[must_use]
pub fn figures(metrics: &Metrics) -> String {
    let figure = |name: &str| metrics.metrics.get(name).map(|m| format!("{name} {:.4}", m.last));
    let mut parts: Vec<String> = ["val/accuracy", "test/accuracy"].into_iter().filter_map(figure).collect();
    if parts.is_empty() {
        parts.extend(metrics.metrics.iter().take(2).map(|(name, m)| format!("{name} {:.4}", m.last)));
    }
    parts.push(format!("{} of {} epochs", metrics.epochs_run, metrics.epochs_planned));
    parts.push(format!("{:.1} s", metrics.timing.wall_s));
    parts.join("  ")
}

/// A verdict as a word.
#[must_use]
pub fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Succeeded => "succeeded",
        Verdict::Failed => "failed",
        Verdict::Killed => "killed",
        Verdict::Quarantined => "quarantined",
    }
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
