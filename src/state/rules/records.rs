//! Records that arrive: a run belongs to its anchor, a result to its run.

use super::Case;
use super::files::FileKind;
use super::moved::Moved;
use crate::state::entities::{Settings, Switch};
use crate::state::exclusion::Exclusion;
use crate::state::ids::RunId;
use crate::state::load;
use crate::state::problem::Kind;
use crate::state::problem::Problem;
use crate::state::record::{Attempt, Metrics, Run, Verdict};
use crate::state::tree::join;

/// What is wrong with the runs and results that were added.
pub(super) fn check(case: &Case<'_>, moved: &Moved) -> Result<Vec<Problem>, Problem> {
    let mut found = Vec::new();
    for change in case.changes.iter().filter(|c| c.after.is_some()) {
        let kind = FileKind::of(&change.path);
        let Some((owner, id)) = load::run_of_path(&change.path) else { continue };
        let folder = format!("{owner}/runs/{id}");
        // A file that does not read is told by `files`.
        let run = load::read::<Run>(case.after, &join(&folder, "run.yaml")).ok().flatten();
        match (kind, run) {
            (FileKind::Run, Some(run)) => {
                if moved.origin(&owner).is_none() {
                    found.extend(place(case, &owner, &id, &change.path)?);
                }
                found.extend(added_run(case, &change.path, &folder, &run)?);
            }
            (FileKind::Metrics, Some(run)) => found.extend(added_metrics(case, &change.path, &id, &run)?),
            (FileKind::Exclusion, Some(run)) => found.extend(exclusion(case, &change.path, &run)?),
            (FileKind::Attempt, Some(run)) => found.extend(attempt(case, &change.path, &run)?),
            (FileKind::Metrics | FileKind::Attempt | FileKind::Exclusion | FileKind::RunConfig, None)
                if case.after.read(&join(&folder, "run.yaml"))?.is_none() =>
            {
                found.push(orphan(&change.path, &folder));
            }
            _ => {}
        }
    }
    Ok(found)
}

fn orphan(path: &str, folder: &str) -> Problem {
    Problem::new(Kind::Invalid, "no-run", format!("this belongs to a run, but {folder}/run.yaml is missing"))
        .at(path)
        .hint("runs are recorded by `git ar run local` and `git ar run smoke`")
}

/// A run lies in an iteration that exists, or with `loop: off` in its project, and its id is used once.
fn place(case: &Case<'_>, owner: &str, id: &RunId, path: &str) -> Result<Option<Problem>, Problem> {
    let refuse = |kind, code, message: String| Problem::new(kind, code, message).at(path).line(Some(1));
    let is_on = |tree| load::settings(tree).map(|s| s.is_some_and(|s: Settings| s.phases == Switch::On));
    if !owner.contains("/iterations/") && is_on(case.after)? && is_on(case.before).unwrap_or(true) {
        let message = "a run lies beside the iterations; with phases on every run belongs to one".to_string();
        return Ok(Some(
            refuse(Kind::Refused, "no-iteration", message)
                .hint("git ar run local EXPERIMENT records it in its iteration"),
        ));
    }
    if owner.contains("/iterations/") && case.after.read(&join(owner, "iteration.yaml"))?.is_none() {
        let message = format!("this run belongs to no iteration: {owner}/iteration.yaml is missing");
        return Ok(Some(refuse(Kind::Invalid, "no-iteration", message).hint("git ar start TOPIC begins an iteration")));
    }
    Ok(other_place(case, owner, id)?.map(|other| {
        refuse(Kind::Invalid, "duplicate-id", format!("run {id} is there twice: the other one is {other}"))
            .hint("a run stays where it was recorded; another iteration names it by its id")
    }))
}

/// The record of another run with this id, wherever it lies.
fn other_place(case: &Case<'_>, owner: &str, id: &RunId) -> Result<Option<String>, Problem> {
    let same_change = case.changes.iter().filter(|c| c.after.is_some() && c.path.ends_with("/run.yaml"));
    let mut others: Vec<String> = same_change
        .filter_map(|c| load::run_of_path(&c.path))
        .filter_map(|(folder, other)| (other == *id).then_some(folder))
        .collect();
    for slug in load::projects(case.after)? {
        others.push(format!("projects/{slug}"));
        others.extend(load::iteration_folders(case.after, &slug)?.into_iter().map(|(_, folder)| folder));
    }
    for other in others.into_iter().filter(|other| other != owner) {
        let path = format!("{other}/runs/{id}/run.yaml");
        if case.after.read(&path)?.is_some() {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn added_run(case: &Case<'_>, path: &str, folder: &str, run: &Run) -> Result<Vec<Problem>, Problem> {
    let line = |key: &str| Ok::<_, Problem>(load::line_of(&text(case, path)?, key));
    let refuse = |code, message: String| Problem::new(Kind::Invalid, code, message).at(path);
    let mut found = Vec::new();
    let config = join(folder, "config.yaml");
    match case.after.read(&config)? {
        None => found
            .push(refuse("no-config", format!("{config} is missing")).hint("git ar run local EXPERIMENT records both")),
        Some(bytes) => match case.facts.config_digest(&config, &bytes) {
            Ok(digest) if digest == run.config_digest => {}
            Ok(digest) => {
                let message = format!("config_digest is not that of config.yaml, which is {digest}");
                found.push(
                    refuse("digest", message)
                        .line(line("config_digest")?)
                        .hint("a run is recorded by `git ar run local`, not by hand"),
                );
            }
            Err(problem) => found.push(problem),
        },
    }
    match case.facts.code_tree_of(&run.anchor.commit)? {
        Some(code) if code == run.anchor.code_tree => {}
        Some(code) => {
            let message = format!("the anchor's commit has the code tree {code}, not the one recorded");
            found.push(
                refuse("anchor", message)
                    .line(line("anchor")?)
                    .hint("a run is recorded by `git ar run local`, not by hand"),
            );
        }
        // A rebase or squash loses the commit; any reachable one with the same code stands in for it.
        None if case.facts.is_known_code(&run.anchor.code_tree)? => {}
        None => {
            let message = format!("the anchor's commit {} is not in this clone", short(&run.anchor.commit));
            found.push(
                refuse("anchor-absent", message)
                    .line(line("anchor")?)
                    .hint("git fetch --unshallow, or fetch the branch it was made on")
                    .warn(),
            );
        }
    }
    Ok(found)
}

fn added_metrics(case: &Case<'_>, path: &str, id: &RunId, run: &Run) -> Result<Vec<Problem>, Problem> {
    let text = text(case, path)?;
    let Ok(metrics) = Metrics::from_json(text.as_bytes()) else { return Ok(Vec::new()) };
    let folder_seed = path.rsplit('/').nth(1).and_then(|s| s.strip_prefix("seed-")).and_then(load::number);
    let wrong = |key: &str, message: String| {
        let quoted = format!("\"{key}\"");
        let line = text.lines().zip(1..).find(|(l, _)| l.contains(&quoted)).map(|(_, n)| n);
        let problem = Problem::new(Kind::Invalid, "metrics", message).at(path).line(line);
        problem.hint("results are collected by `git ar run local`; a result that should not count: git ar run exclude RUN --reason TEXT")
    };
    let mut found = Vec::new();
    let attempts = format!("{}/attempts", path.rsplitn(3, '/').nth(2).unwrap_or_default());
    if case.after.list(&attempts)?.is_empty() {
        found.push(wrong("run", format!("these metrics come from no attempt: {attempts} is empty")));
    }
    if metrics.run != id.as_str() {
        found.push(wrong("run", format!("these metrics say run `{}`, the folder says `{id}`", metrics.run)));
    }
    if folder_seed.is_some_and(|seed: u64| seed != metrics.seed) {
        found.push(wrong("seed", format!("these metrics say seed {}, the folder says another", metrics.seed)));
    }
    if !run.seeds.as_slice().contains(&metrics.seed) {
        found.push(wrong("seed", format!("seed {} is not one of the run's seeds {}", metrics.seed, run.seeds)));
    }
    if metrics.config_digest != run.config_digest {
        found.push(wrong("config_digest", "these metrics come from another config than the run's".into()));
    }
    if metrics.commit != run.anchor.commit {
        found.push(wrong(
            "commit",
            format!(
                "these metrics come from commit {}, the run's anchor is {}",
                short(&metrics.commit),
                short(&run.anchor.commit)
            ),
        ));
    }
    Ok(found)
}

/// What started is what was to start, or the attempt is quarantined.
fn attempt(case: &Case<'_>, path: &str, run: &Run) -> Result<Option<Problem>, Problem> {
    let Ok(Some(attempt)) = load::read::<Attempt>(case.after, path) else { return Ok(None) };
    let Some(start) = attempt.start.filter(|_| attempt.verdict == Some(Verdict::Succeeded)) else { return Ok(None) };
    let differs = [
        ("commit", start.commit != run.anchor.commit),
        ("manifest", start.manifest != run.anchor.manifest),
        ("config digest", start.config_digest != run.config_digest),
    ];
    let Some((what, _)) = differs.into_iter().find(|(_, differs)| *differs) else { return Ok(None) };
    let message =
        format!("this attempt started with another {what} than run.yaml names, but is said to have succeeded");
    let problem = Problem::new(Kind::Invalid, "attempt", message).at(path);
    let line = load::line_of(&text(case, path)?, "start");
    Ok(Some(problem.line(line).hint("attempts are recorded by `git ar run local`, not by hand")))
}

fn exclusion(case: &Case<'_>, path: &str, run: &Run) -> Result<Option<Problem>, Problem> {
    let Ok(Some(exclusion)) = load::read::<Exclusion>(case.after, path) else { return Ok(None) };
    let seeds = exclusion.seeds.as_ref().map_or(&[][..], |s| s.as_slice());
    if let Some(seed) = seeds.iter().find(|seed| !run.seeds.as_slice().contains(seed)) {
        let message = format!("seed {seed} is excluded, but it is not one of the run's seeds {}", run.seeds);
        let problem = Problem::new(Kind::Invalid, "exclusion", message).at(path);
        let line = load::line_of(&text(case, path)?, "seeds");
        return Ok(Some(problem.line(line).hint("git ar run exclude RUN --seeds SEEDS --reason TEXT")));
    }
    if !exclusion.reason.trim().is_empty() {
        return Ok(None);
    }
    let problem = Problem::new(Kind::Invalid, "no-reason", "an exclusion needs its reason").at(path);
    Ok(Some(problem.line(load::line_of(&text(case, path)?, "reason")).hint("git ar run exclude RUN --reason TEXT")))
}

fn text(case: &Case<'_>, path: &str) -> Result<String, Problem> {
    Ok(String::from_utf8_lossy(&case.after.read(path)?.unwrap_or_default()).into_owned())
}

/// The first twelve characters of an id.
fn short(id: &str) -> String {
    id.chars().take(12).collect()
}
