//! `run verify`: a run on record, looked at again against its anchor: code, snapshot, config, attestation, results.

use std::fmt;

use serde::Serialize;

use super::run_cells::Composer;
use super::{Context, cells, run, tick};
use crate::repo::CommitTree;
use crate::runs::collect;
use crate::runs::layout::Record;
use crate::runs::pack;
use crate::state::entities::Settings;
use crate::state::load::{self, RunView};
use crate::state::problem::{Kind, Problem};
use crate::state::record::Verdict;
use crate::state::tree::Tree;

/// What came of one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is as recorded.
    Holds,
    /// It is not.
    Differs,
    /// It cannot be told here.
    Unknown,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Looked {
    /// What it is.
    pub what: String,
    /// What came of it.
    pub outcome: Outcome,
    /// In words.
    pub said: String,
}

/// Everything that was looked at.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// The run.
    pub run: String,
    /// One after another.
    pub looked: Vec<Looked>,
}

/// Looks at a run again. Nothing is written, and no cluster is asked.
///
/// # Errors
/// [`Kind::Ambiguous`] for an unknown run, [`Kind::Io`] for files that cannot be read.
pub fn verify(context: &Context<'_>, name: &str) -> Result<Verified, Problem> {
    let disk = context.repo.work_tree();
    let (place, view) = run::one(&disk, name)?;
    let mut verified = Verified { run: view.id.to_string(), looked: Vec::new() };
    let record = Record::new(&place.folder, &view.id);
    let code = verified.anchor(context, &view)?;
    verified.config(&disk, &record, &view)?;
    if let Some((tree, settings)) = &code {
        verified.snapshot(tree, settings, &view)?;
        verified.composed(context, tree, settings, &view);
    }
    verified.attempts(&view);
    verified.results(&view);
    Ok(verified)
}

impl Verified {
    fn add(&mut self, what: &str, outcome: Outcome, said: impl Into<String>) {
        self.looked.push(Looked { what: what.into(), outcome, said: said.into() });
    }

    fn add_if(&mut self, what: &str, wrong: Option<String>, right: &str) {
        match wrong {
            Some(said) => self.add(what, Outcome::Differs, said),
            None => self.add(what, Outcome::Holds, right),
        }
    }

    /// The anchor's commit, or any reachable commit with its code.
    fn anchor(&mut self, context: &Context<'_>, view: &RunView) -> Result<Option<(CommitTree, Settings)>, Problem> {
        let anchor = &view.run.anchor;
        let code_of = |id: &str| -> Result<(String, CommitTree, Settings), Problem> {
            let tree = context.repo.commit_tree(id)?;
            let settings = load::settings(&tree).ok().flatten().unwrap_or_else(|| context.settings.clone());
            Ok((context.repo.code_tree(&tree, &settings.code)?, tree, settings))
        };
        match code_of(&anchor.commit) {
            Ok((code, tree, settings)) if code == anchor.code_tree => {
                self.add("anchor", Outcome::Holds, format!("commit {} holds the code tree", short(&anchor.commit)));
                return Ok(Some((tree, settings)));
            }
            Ok((code, ..)) => {
                let said = format!("commit {} holds the code tree {}", short(&anchor.commit), short(&code));
                self.add("anchor", Outcome::Differs, said);
                return Ok(None);
            }
            Err(problem) if problem.kind == Kind::Ambiguous => {}
            Err(problem) => return Err(problem),
        }
        let found = context.repo.newest("HEAD", |id| Ok(code_of(id)?.0 == anchor.code_tree))?;
        let Some(other) = found else {
            let said = format!("commit {} is not here, nor another with its code", short(&anchor.commit));
            self.add("anchor", Outcome::Unknown, said);
            return Ok(None);
        };
        let said = format!("commit {} is gone; {} has the same code", short(&anchor.commit), short(&other));
        self.add("anchor", Outcome::Holds, said);
        code_of(&other).map(|(_, tree, settings)| Some((tree, settings)))
    }

    fn snapshot(&mut self, tree: &CommitTree, settings: &Settings, view: &RunView) -> Result<(), Problem> {
        let found = pack::manifest(tree, &settings.code)?.1;
        let wrong =
            (found != view.run.anchor.manifest).then(|| format!("the files give the manifest {}", short(&found)));
        self.add_if("snapshot", wrong, "the files give the recorded manifest");
        Ok(())
    }

    fn config(&mut self, disk: &dyn Tree, record: &Record, view: &RunView) -> Result<(), Problem> {
        let path = record.config();
        let Some(bytes) = disk.read(&path)? else {
            self.add("config", Outcome::Differs, format!("{path} is missing"));
            return Ok(());
        };
        let wrong = match cells::digest_of(&path, &bytes) {
            Ok(digest) if digest == view.run.config_digest => None,
            Ok(digest) => Some(format!("config.yaml has the digest {}", short(&digest))),
            Err(problem) => Some(problem.message),
        };
        self.add_if("config", wrong, "config.yaml has the recorded digest");
        Ok(())
    }

    /// The config composed again from the anchor's files.
    fn composed(&mut self, context: &Context<'_>, tree: &CommitTree, settings: &Settings, view: &RunView) {
        let dir = &settings.config_dir;
        let composer = Composer { tree, dir, env: context.env, typed: false };
        match composer.cells(&view.run.experiment, &view.run.overrides) {
            Ok(cells) if cells.iter().any(|cell| cell.digest == view.run.config_digest) => {
                self.add("composed", Outcome::Holds, "the anchor's files compose to this config");
            }
            Ok(_) => self.add("composed", Outcome::Differs, "the anchor's files compose to another config"),
            Err(problems) => self.add("composed", Outcome::Unknown, format!("it does not compose here: {problems}")),
        }
    }

    fn attempts(&mut self, view: &RunView) {
        for (number, attempt) in &view.attempts {
            let what = format!("attempt {number}");
            let unattested = "it succeeded, but the job did not attest what it ran";
            match (&attempt.start, attempt.verdict) {
                (Some(start), verdict) => match tick::differs(start, &view.run) {
                    // A quarantine says it already, and nothing of it counts.
                    Some(said) if verdict == Some(Verdict::Quarantined) => {
                        self.add(&what, Outcome::Holds, format!("quarantined: {said}"));
                    }
                    wrong => self.add_if(&what, wrong, "the job attested this very commit, snapshot and config"),
                },
                (None, Some(Verdict::Succeeded)) => self.add(&what, Outcome::Differs, unattested),
                (None, None) => self.add(&what, Outcome::Unknown, "it is active"),
                (None, Some(_)) => self.add(&what, Outcome::Unknown, "the job attested nothing"),
            }
        }
    }

    fn results(&mut self, view: &RunView) {
        for seed in view.run.seeds.as_slice() {
            let what = format!("seed {seed}");
            match view.seeds.get(seed) {
                None => self.add(&what, Outcome::Unknown, "no result"),
                Some(Err(message)) => self.add(&what, Outcome::Differs, format!("metrics.json: {message}")),
                Some(Ok(metrics)) => {
                    let wrong = collect::foreign(&view.id, &view.run, *seed, metrics);
                    self.add_if(&what, wrong, "the result names this run, seed, commit and config");
                }
            }
        }
        let foreign = view.seeds.keys().filter(|seed| !view.run.seeds.as_slice().contains(seed));
        let foreign: Vec<String> = foreign.map(ToString::to_string).collect();
        for seed in foreign {
            self.add(&format!("seed {seed}"), Outcome::Differs, "it is not one of the run's seeds");
        }
    }

    /// Whether something is not as recorded.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.looked.iter().any(|looked| looked.outcome == Outcome::Differs)
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.looked.iter().filter(|looked| looked.outcome == Outcome::Differs).count();
        match count {
            0 => writeln!(f, "run {}: as recorded", self.run)?,
            n => writeln!(f, "run {}: {n} of {} differ", self.run, self.looked.len())?,
        }
        for looked in &self.looked {
            let word = match looked.outcome {
                Outcome::Holds => "ok",
                Outcome::Differs => "WRONG",
                Outcome::Unknown => "-",
            };
            writeln!(f, "  {word:<6} {:<11} {}", looked.what, looked.said)?;
        }
        Ok(())
    }
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
