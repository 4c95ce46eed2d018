//! What a person would write during the demo: texts from `templates/demo/`, figures from the runs.

use askama::Template;

use super::stage::Stage;
use crate::repo::DiskTree;
use crate::state::compare::{self, Verdict};
use crate::state::ids::{IterId, Slug};
use crate::state::load::{self, IterationView, RunView};
use crate::state::problem::{Kind, Problem};
use crate::state::record::RunKind;
use crate::state::region;
use crate::state::stats::summary;
use crate::state::tree::{Tree, join};
use crate::state::yaml::{edit, quote};

/// The experiment with few hidden units.
pub(super) const NARROW: &str = "digits_narrow";
/// The experiment with many.
pub(super) const WIDE: &str = "digits_wide";
/// Hidden units of the two.
const UNITS: [(&str, &str, u32); 2] = [(NARROW, "narrow", 8), (WIDE, "wide", 32)];
/// Seeds of each.
const SEEDS: usize = 3;

/// A file and its text.
type File = (String, String);

#[derive(Template)]
#[template(path = "demo/experiment.yaml", escape = "none")]
struct Experiment {
    word: &'static str,
    units: u32,
}

#[derive(Template)]
#[template(path = "demo/analysis.md", escape = "none")]
struct Analysis {
    seeds: usize,
    wide: String,
    narrow: String,
    region: Option<String>,
    met: bool,
}

#[derive(Template)]
#[template(path = "demo/conclusion.md", escape = "none")]
struct Conclusion {
    seeds: usize,
    met: bool,
}

#[derive(Template)]
#[template(path = "demo/finding.yaml", escape = "none")]
struct Finding {
    runs: String,
    met: bool,
}

/// The iteration that the demo works on.
pub(super) struct Scene {
    /// Its project.
    project: Slug,
    /// Its id.
    id: IterId,
    /// `project/id`.
    pub(super) iteration: String,
    /// Its folder.
    pub(super) folder: String,
}

impl Scene {
    /// The one iteration of the one project.
    pub(super) fn find(stage: &Stage<'_>) -> Result<Self, Problem> {
        let lost = || Problem::new(Kind::Bug, "demo", "the iteration that was just started is not there");
        let tree = tree(stage);
        let project = load::projects(&tree)?.into_iter().next().ok_or_else(lost)?;
        let (id, folder) = load::iteration_folders(&tree, &project)?.into_iter().next().ok_or_else(lost)?;
        Ok(Self { iteration: format!("{project}/{id}"), project, id, folder })
    }

    /// A file of the iteration.
    pub(super) fn path(&self, name: &str) -> String {
        join(&self.folder, name)
    }

    fn view(&self, tree: &dyn Tree) -> Result<IterationView, Problem> {
        let lost = || Problem::new(Kind::Bug, "demo", "the demo's iteration is gone");
        load::iteration(tree, &self.project, self.id, &self.folder)?.ok_or_else(lost)
    }

    /// Whether the prediction came true. What the demo writes follows from it: numbers differ between trainers.
    fn met(&self, tree: &dyn Tree) -> Result<bool, Problem> {
        let runs = load::runs(tree, &self.folder)?;
        Ok(compare::iteration(tree, &self.view(tree)?, &runs)?.score.verdict == Verdict::Met)
    }

    /// The full runs of an experiment.
    fn runs(&self, tree: &dyn Tree, experiment: &str) -> Result<Vec<RunView>, Problem> {
        let mut runs = load::runs(tree, &self.folder)?;
        runs.retain(|run| run.run.kind == RunKind::Full && run.run.experiment == experiment);
        Ok(runs)
    }
}

fn tree(stage: &Stage<'_>) -> DiskTree {
    DiskTree::new(&stage.folder)
}

fn text_of(tree: &dyn Tree, path: &str) -> Result<String, Problem> {
    Ok(String::from_utf8_lossy(&tree.read(path)?.unwrap_or_default()).into_owned())
}

fn filled(template: &impl Template) -> String {
    template.render().expect("the demo's templates have no fallible part") + "\n"
}

/// Question, hypothesis, prediction and plan; what was read; the survey.
pub(super) fn survey(stage: &Stage<'_>, scene: &Scene) -> Result<Vec<File>, Problem> {
    let view = scene.view(&tree(stage))?;
    let baseline = format!("{}/{NARROW}", scene.iteration);
    let prediction = format!(
        "{{metric: val/accuracy, direction: maximize, baseline: {baseline}, minimal_effect: 0.02, seeds: {SEEDS}}}"
    );
    let plan = format!("[{{experiment: {NARROW}, seeds: 0-2}}, {{experiment: {WIDE}, seeds: 0-2}}]");
    let keys = [
        ("question", "How much does the width of the hidden layer matter on the digits images?"),
        ("hypothesis", "Eight hidden units are too few for ten classes; thirty-two are better."),
        ("prediction", &prediction),
        ("plan", &plan),
    ];
    let path = view.path();
    let text = keys.iter().try_fold(view.text, |text, (key, value)| edit::set(&text, key, value));
    let text = text.map_err(|error| error.in_file(&path))?;
    let references = format!("projects/{}/references.yaml", scene.project);
    Ok(vec![
        (path, text),
        (references, include_str!("../../../templates/demo/references.yaml").into()),
        (scene.path("survey.md"), include_str!("../../../templates/demo/survey.md").into()),
    ])
}

/// `iteration.yaml` with a step from `survey` right to `experiment`.
pub(super) fn skipped(stage: &Stage<'_>, scene: &Scene) -> Result<String, Problem> {
    let view = scene.view(&tree(stage))?;
    let last = view.iteration.steps.last().map_or(jiff::Timestamp::UNIX_EPOCH, |step| step.at);
    let step = format!("{{to: experiment, at: {}}}", quote(&last.to_string()));
    let text = edit::set(&view.text, "phase", "experiment").and_then(|text| edit::append(&text, "steps", &step));
    text.map_err(|error| error.in_file(&view.path()))
}

/// The two configs.
pub(super) fn experiments() -> Vec<File> {
    let file = |(name, word, units)| (format!("configs/experiment/{name}.yaml"), filled(&Experiment { word, units }));
    UNITS.map(file).into()
}

/// The first seed of the narrow run with a final accuracy of 0.9999.
pub(super) fn falsified(stage: &Stage<'_>, scene: &Scene) -> Result<File, Problem> {
    let tree = tree(stage);
    let lost = || Problem::new(Kind::Bug, "demo", "the narrow run left no metrics of seed 0");
    let run = scene.runs(&tree, NARROW)?.into_iter().next().ok_or_else(lost)?;
    let path = format!("{}/seed-0/metrics.json", run.folder);
    let mut value: serde_json::Value = serde_json::from_str(&text_of(&tree, &path)?).map_err(|_| lost())?;
    value["metrics"]["val/accuracy"]["final"] = 0.9999.into();
    Ok((path, format!("{value:#}\n")))
}

/// `analysis.md` with the figures of the runs; its generated region stays as it is.
pub(super) fn analysis(stage: &Stage<'_>, scene: &Scene) -> Result<File, Problem> {
    let tree = tree(stage);
    let path = scene.path("analysis.md");
    let now = text_of(&tree, &path)?;
    let region = region::find(&path, &now)?.into_iter().next().map(|r| now[r.whole].to_string());
    let (wide, narrow) = (figures(scene, &tree, WIDE)?, figures(scene, &tree, NARROW)?);
    Ok((path, filled(&Analysis { seeds: SEEDS, wide, narrow, region, met: scene.met(&tree)? })))
}

/// What the generated comparison in `analysis.md` says of the rows and the prediction.
pub(super) fn verdict(stage: &Stage<'_>, scene: &Scene) -> Result<Vec<String>, Problem> {
    let path = scene.path("analysis.md");
    let text = text_of(&tree(stage), &path)?;
    let Some(region) = region::find(&path, &text)?.into_iter().next() else { return Ok(Vec::new()) };
    let lines = text[region.body].lines().filter(|l| l.starts_with("| digits") || l.starts_with("**Prediction"));
    Ok(lines.map(str::to_string).collect())
}

/// Mean ± std of the final accuracy, in per cent.
fn figures(scene: &Scene, tree: &dyn Tree, experiment: &str) -> Result<String, Problem> {
    let runs = scene.runs(tree, experiment)?;
    let seeds = runs.iter().flat_map(|run| run.seeds.values().flatten());
    let values: Vec<f64> = seeds.filter_map(|m| m.metrics.get("val/accuracy").map(|v| v.last)).collect();
    let none = || Problem::new(Kind::Bug, "demo", format!("{experiment} left no accuracy"));
    let figures = summary(&values).ok_or_else(none)?;
    Ok(format!("{:.2} ± {:.2} %", 100.0 * figures.mean, 100.0 * figures.std.unwrap_or(0.0)))
}

/// The conclusion, the finding, and what comes next.
pub(super) fn conclusion(stage: &Stage<'_>, scene: &Scene) -> Result<Vec<File>, Problem> {
    let tree = tree(stage);
    let view = scene.view(&tree)?;
    let met = scene.met(&tree)?;
    let next = edit::set(&view.text, "next", "[none]").map_err(|error| error.in_file(&view.path()))?;
    let cited = [scene.runs(&tree, NARROW)?, scene.runs(&tree, WIDE)?].concat();
    let runs = cited.iter().map(|run| run.id.to_string()).collect::<Vec<_>>().join(", ");
    Ok(vec![
        (view.path(), next),
        (scene.path("conclusion.md"), filled(&Conclusion { seeds: SEEDS, met })),
        (format!("projects/{}/findings/width.yaml", scene.project), filled(&Finding { runs, met })),
    ])
}
