//! The demo's acts, one function each, in the order of the phases.

use super::edits::{self, Scene};
use super::{Outcome, Stage};
use crate::state::problem::Problems;

/// Seeds of every experiment.
const SEEDS: &str = "0-2";

/// The whole play.
pub(super) fn play(stage: &Stage<'_>, engine: bool) -> Result<Outcome, Problems> {
    repository(stage, engine)?;
    let scene = survey(stage)?;
    skip_a_phase(stage, &scene)?;
    implement(stage)?;
    experiment(stage)?;
    falsify(stage, &scene)?;
    analyze(stage, &scene)?;
    conclude(stage, &scene)?;
    let board = board(stage)?;
    Ok(Outcome {
        folder: stage.folder.clone(),
        iteration: scene.iteration,
        refused: vec!["a skipped phase".into(), "a falsified metric".into()],
        board,
    })
}

fn repository(stage: &Stage<'_>, engine: bool) -> Result<(), Problems> {
    stage.act("1  A research repository");
    let folder = stage.folder.display().to_string();
    let trainer = if engine { "engine" } else { "reference" };
    super::repository(stage)?;
    let outside = stage.folder.parent().unwrap_or(&stage.folder).to_path_buf();
    stage.git_ar_in(&outside, &["init", "--trainer", trainer, &folder], 1)?;
    Ok(())
}

fn survey(stage: &Stage<'_>) -> Result<Scene, Problems> {
    stage.act("2  survey: a direction becomes a question and a prediction");
    stage.git_ar(&["start", "Digits: hidden width"], 5)?;
    let scene = Scene::find(stage)?;
    for (path, text) in edits::survey(stage, &scene)? {
        stage.write(&path, &text)?;
    }
    stage.git(&["commit", "-q", "-a", "-m", "survey: width of the hidden layer"])?;
    Ok(scene)
}

fn skip_a_phase(stage: &Stage<'_>, scene: &Scene) -> Result<(), Problems> {
    stage.act("   What if somebody skips ahead? By hand, a step right to `experiment` goes into iteration.yaml:");
    let text = edits::skipped(stage, scene)?;
    stage.try_to_commit(&scene.path("iteration.yaml"), &text, "skip ahead")
}

fn implement(stage: &Stage<'_>) -> Result<(), Problems> {
    stage.act("3  implement: two experiments, and a smoke run of each");
    stage.git_ar(&["phase", "next"], 3)?;
    for (path, text) in edits::experiments() {
        stage.write(&path, &text)?;
    }
    stage.git(&["add", "configs"])?;
    stage.git(&["commit", "-q", "-m", "two widths of the hidden layer"])?;
    for experiment in [edits::NARROW, edits::WIDE] {
        stage.git_ar(&["run", "smoke", experiment], 0)?;
    }
    Ok(())
}

fn experiment(stage: &Stage<'_>) -> Result<(), Problems> {
    stage.act("4  experiment: full runs, each anchored to the commit it was started from");
    stage.git_ar(&["phase", "next"], 3)?;
    for experiment in [edits::NARROW, edits::WIDE] {
        stage.git_ar(&["run", "local", experiment, "--seeds", SEEDS], 0)?;
    }
    Ok(())
}

fn falsify(stage: &Stage<'_>, scene: &Scene) -> Result<(), Problems> {
    stage.act("   What if somebody improves a result? An accuracy in metrics.json is set to 0.9999:");
    let (path, text) = edits::falsified(stage, scene)?;
    stage.try_to_commit(&path, &text, "a better result")
}

fn analyze(stage: &Stage<'_>, scene: &Scene) -> Result<(), Problems> {
    stage.act("5  analyze: health, comparison and the prediction's score, from the raw seeds");
    stage.git_ar(&["phase", "next"], 3)?;
    for line in edits::verdict(stage, scene)? {
        stage.tell(&format!("  {line}"));
    }
    let (path, text) = edits::analysis(stage, scene)?;
    stage.write(&path, &text)?;
    Ok(())
}

fn conclude(stage: &Stage<'_>, scene: &Scene) -> Result<(), Problems> {
    stage.act("6  conclude: a finding that cites its runs, and the boards");
    stage.git_ar(&["phase", "next"], 3)?;
    for (path, text) in edits::conclusion(stage, scene)? {
        stage.write(&path, &text)?;
    }
    stage.git_ar(&["phase", "next"], 3)?;
    Ok(())
}

fn board(stage: &Stage<'_>) -> Result<String, Problems> {
    stage.act("7  The board");
    stage.git_ar(&["board", "check"], 2)?;
    stage.git_ar(&["board", "show", "digits"], 0)
}
