//! `run local` and `run smoke`: an experiment's cells on this machine, from a snapshot, collected and committed.
//!
//! A cell's seeds that have a result already are left alone; a run that stopped half-way goes on; so the same
//! command can be repeated until it says that nothing is left to do.

use std::fmt;

use serde::Serialize;

use super::record::Recorded;
use super::run::{self, Place, kind_word};
use super::run_attempt::{Attempted, SeedEnd};
use super::run_cells::{Cell, Composer, Wanted, cells};
use super::run_job::{Clock, Job};
use super::run_same::{Same, active, goes_on};
use super::{Context, run_show, trust};
use crate::cluster::local::Lock;
use crate::cluster::profile::{LOCAL, Profile};
use crate::cluster::transport::process::Stop;
use crate::runs::layout::Scratch;
use crate::runs::{scratch, snapshot, trainer};
use crate::state::entities::Seeds;
use crate::state::ids::RunId;
use crate::state::load::{self, RunView};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::record::{Run, RunKind, Verdict};

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The cells and seeds.
    pub wanted: Wanted,
    /// Seeds that are trained at the same time.
    pub at_once: usize,
    /// The iteration, when it is not the active one.
    pub iteration: Option<String>,
    /// The project.
    pub project: Option<String>,
}

/// What came of one cell.
#[derive(Debug, Serialize)]
pub struct CellEnd {
    /// The run; none when every seed had its result before.
    pub run: Option<RunId>,
    /// Smoke or full.
    pub kind: &'static str,
    /// The experiment and its overrides.
    pub cell: String,
    /// Seeds that had a result before, with the run that has it.
    pub earlier: Vec<(u64, RunId)>,
    /// Seeds of this attempt.
    pub seeds: Vec<SeedEnd>,
    /// The attempt's number, from 1.
    pub attempt: Option<u32>,
    /// The verdict on the attempt.
    pub verdict: Option<Verdict>,
    /// What was recorded.
    #[serde(flatten)]
    pub recorded: Recorded,
}

/// What came of the command.
#[derive(Debug, Serialize)]
pub struct Ran {
    /// The place of the records.
    pub place: String,
    /// Cell by cell.
    pub cells: Vec<CellEnd>,
    /// It was stopped before the last cell.
    pub interrupted: bool,
    /// What to know besides.
    #[serde(skip)]
    pub warnings: Vec<Problem>,
}

/// What every cell of one command shares.
pub(super) struct Setting<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) place: Place,
    pub(super) wanted: &'a Wanted,
    pub(super) at_once: usize,
    pub(super) stop: &'a Stop,
    pub(super) clock: Clock,
    pub(super) scratch: Scratch,
    pub(super) profile: Profile,
    pub(super) trainer: trainer::Command,
    /// The commit that new runs belong to, and its code tree.
    pub(super) commit: String,
    pub(super) code_tree: String,
}

/// Train what is wanted and record it.
pub fn start(context: &Context<'_>, request: &Request, stop: &Stop) -> Result<Ran, Problems> {
    let disk = context.repo.work_tree();
    let place = Place::find(context, &disk, request.iteration.as_deref(), request.project.as_deref())?;
    place.allow(request.wanted.kind)?;
    if context.commit {
        // Told before the training, not when its results are to be committed.
        context.repo.refuse_in_progress()?;
    }
    refuse_dirty_code(context)?;
    let (head, commit) = anchor(context)?;
    trust::require_all(context, &head, LOCAL)?;
    let dir = &context.settings.config_dir;
    let composer = Composer { tree: &head, dir, env: context.env, typed: context.settings.trainer.is_built_in() };
    let cells = cells(&composer, &place, &request.wanted)?;
    let setting = Setting {
        trainer: trainer::resolve(&context.settings.trainer, &context.exe, (context.env)("PATH").as_deref())?,
        profile: Profile::read(&head, dir, LOCAL)?,
        scratch: Scratch::of(context.repo.common_dir()),
        code_tree: context.repo.code_tree(&head, &context.settings.code)?,
        wanted: &request.wanted,
        at_once: request.at_once,
        clock: Clock(context.now, std::time::Instant::now()),
        context,
        place,
        stop,
        commit,
    };
    let mut ran = Ran { place: setting.place.name(), cells: Vec::new(), interrupted: false, warnings: Vec::new() };
    for (cell, seeds) in &cells {
        if stop.asked() {
            ran.interrupted = true;
            break;
        }
        ran.cells.push(setting.cell(&head, cell, seeds, &mut ran.warnings)?);
    }
    ran.interrupted |= stop.asked();
    Ok(ran)
}

/// Code that is not committed would not be in the snapshot: what ran would not be what one sees.
pub(super) fn refuse_dirty_code(context: &Context<'_>) -> Result<(), Problem> {
    let dirty = context.repo.dirty_paths()?;
    let code: Vec<&str> =
        dirty.iter().map(|d| d.path.as_str()).filter(|p| snapshot::counts(p, &context.settings.code)).collect();
    let Some(first) = code.first() else { return Ok(()) };
    let names = code.iter().take(8).copied().collect::<Vec<_>>().join(", ");
    let more = if code.len() > 8 { format!(" and {} more", code.len() - 8) } else { String::new() };
    let message = format!("code is not committed: {names}{more}; a run belongs to a commit");
    let hint = "git add and git commit it, or name it in .gitignore; prose and records never block a run";
    Err(Problem::new(Kind::DirtyCode, "dirty-code", message).at(*first).hint(hint))
}

/// For a local run the newest commit with HEAD's code is HEAD.
fn anchor(context: &Context<'_>) -> Result<(crate::repo::CommitTree, String), Problem> {
    let unborn = || {
        let problem = Problem::new(Kind::DirtyCode, "unborn", "there is no commit yet; a run belongs to a commit");
        problem.hint("git add the code and the configs, and git commit")
    };
    let commit = context.repo.head()?.commit.ok_or_else(unborn)?;
    Ok((context.repo.commit_tree(&commit)?, commit))
}

impl Setting<'_> {
    fn cell(
        &self,
        head: &crate::repo::CommitTree,
        cell: &Cell,
        seeds: &Seeds,
        warnings: &mut Vec<Problem>,
    ) -> Result<CellEnd, Problems> {
        let runs = load::runs(&self.context.repo.work_tree(), &self.place.folder)?;
        let same: Vec<&RunView> = runs.iter().filter(|view| self.same(cell).is(view)).collect();
        let earlier = self.same(cell).earlier(&same, seeds);
        let missing: Vec<u64> =
            seeds.as_slice().iter().copied().filter(|seed| !earlier.iter().any(|(s, _)| s == seed)).collect();
        if let Some((seed, run)) = active(&same, &missing).first().filter(|(_, run)| !is_local(&same, run)) {
            return Err(on_its_way(*seed, run).into());
        }
        warnings.extend(self.other_code(&runs, cell, &missing));
        let mut end = CellEnd {
            run: None,
            kind: kind_word(self.wanted.kind),
            cell: std::iter::once(&self.wanted.experiment)
                .chain(&cell.overrides)
                .cloned()
                .collect::<Vec<_>>()
                .join(" "),
            earlier,
            seeds: Vec::new(),
            attempt: None,
            verdict: None,
            recorded: Recorded::default(),
        };
        let Ok(missing) = Seeds::try_from(missing) else { return Ok(end) };
        let job = match same.iter().rev().find(|view| goes_on(view, LOCAL, missing.as_slice())) {
            Some(view) => Job::again(view, cell),
            None => match self.lost(cell, &missing)? {
                Some((id, run)) => Job::lost(id, run, cell),
                None => Job::new(self.new_id()?, self.new_run(head, cell, &missing)?, cell),
            },
        };
        let Attempted { number, verdict, seeds, recorded } = self.attempt(head, &job)?;
        end = CellEnd { run: Some(job.id), attempt: Some(number), verdict: Some(verdict), seeds, recorded, ..end };
        Ok(end)
    }

    fn same<'c>(&'c self, cell: &'c Cell) -> Same<'c> {
        Same { wanted: self.wanted, digest: &cell.digest, code_tree: &self.code_tree }
    }

    /// The same config with other code: a board that pools both would count a seed twice.
    fn other_code(&self, runs: &[RunView], cell: &Cell, missing: &[u64]) -> Option<Problem> {
        let counts = |view: &&RunView| {
            view.run.kind == RunKind::Full
                && self.wanted.kind == RunKind::Full
                && view.run.config_digest == cell.digest
                && view.run.anchor.code_tree != self.code_tree
                && run::finished(view).any(|seed| missing.contains(&seed) && view.excluded(seed).is_none())
        };
        let view = runs.iter().find(counts)?;
        let message = format!(
            "run {} has the same config and seeds with other code; a row that counts a seed twice is not ranked",
            view.id
        );
        let hint = format!("git ar run exclude {} --reason TEXT   when the new code replaces the old", view.id);
        Some(Problem::new(Kind::Found, "other-code", message).hint(hint).warn())
    }

    /// A run in scratch that was started and never recorded, because git-ar was ended in the middle.
    fn lost(&self, cell: &Cell, missing: &Seeds) -> Result<Option<(RunId, Run)>, Problem> {
        let Ok(entries) = std::fs::read_dir(self.scratch.runs()) else { return Ok(None) };
        let recorded = run::all(&self.context.repo.work_tree())?;
        for entry in entries.filter_map(Result::ok) {
            let Ok(id) = RunId::try_from(entry.file_name().to_string_lossy().into_owned()) else { continue };
            if recorded.iter().any(|known| known.id == id) {
                continue;
            }
            let path = self.scratch.run(&id).run();
            let Some(bytes) = scratch::read(&path)? else { continue };
            let Ok(run) = load::parse::<Run>(&path.display().to_string(), &bytes) else { continue };
            let view = RunView {
                id: id.clone(),
                folder: String::new(),
                run,
                attempts: Default::default(),
                seeds: Default::default(),
                exclusion: None,
            };
            let shared = |seed: &u64| view.run.seeds.as_slice().contains(seed);
            if !self.same(cell).is(&view) || !missing.as_slice().iter().any(shared) {
                continue;
            }
            if view.run.seeds == *missing {
                return Ok(Some((id, view.run)));
            }
            // Seeds that are being trained right now are not trained a second time.
            drop(Lock::take(&self.scratch.run(&id).lock())?);
        }
        Ok(None)
    }

    fn new_id(&self) -> Result<RunId, Problem> {
        let recorded = run::all(&self.context.repo.work_tree())?;
        let taken = |id: &RunId| recorded.iter().any(|known| known.id == *id) || self.scratch.run(id).path.exists();
        Ok(crate::runs::id::new(&self.wanted.experiment, self.context.entropy, self.context.now, &taken))
    }

    fn new_run(&self, head: &crate::repo::CommitTree, cell: &Cell, seeds: &Seeds) -> Result<Run, Problem> {
        let code = &self.context.settings.code;
        let snapshot = snapshot::provide(head, code, &self.scratch.snapshot(&self.code_tree))?;
        Ok(Run {
            schema: 1,
            kind: self.wanted.kind,
            experiment: self.wanted.experiment.clone(),
            overrides: cell.overrides.clone(),
            cluster: LOCAL.into(),
            created: self.clock.now(),
            anchor: crate::state::record::Anchor {
                commit: self.commit.clone(),
                code_tree: self.code_tree.clone(),
                manifest: snapshot.manifest,
            },
            command: self.profile.launch().into_iter().chain(self.trainer.recorded.clone()).collect(),
            config_digest: cell.digest.clone(),
            seeds: seeds.clone(),
            resources: Default::default(),
            rerun_of: None,
            frozen: None,
        })
    }
}

fn is_local(same: &[&RunView], run: &RunId) -> bool {
    same.iter().any(|view| view.id == *run && view.run.cluster == LOCAL)
}

fn on_its_way(seed: u64, run: &RunId) -> Problem {
    let message = format!("seed {seed} is on its way in run {run} on another cluster");
    Problem::new(Kind::Refused, "active", message)
        .hint(format!("git ar tick brings its result; git ar job cancel {run} ends it"))
}

impl Ran {
    /// The kind that decides the exit code; none when everything has its result.
    #[must_use]
    pub fn failure(&self) -> Option<Kind> {
        let failed = self.cells.iter().any(|cell| cell.verdict.is_some_and(|v| v != Verdict::Succeeded));
        match (self.interrupted, failed) {
            (true, _) => Some(Kind::Interrupted),
            (false, true) => Some(Kind::Found),
            (false, false) => None,
        }
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cells.iter().try_for_each(|cell| cell.fmt(f))
    }
}

impl fmt::Display for CellEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (seed, run) in &self.earlier {
            writeln!(f, "{}: seed {seed} has its result in run {run}", self.cell)?;
        }
        let (Some(run), Some(verdict)) = (&self.run, self.verdict) else {
            return writeln!(f, "{}: nothing is left to do", self.cell);
        };
        let attempt = self.attempt.filter(|n| *n > 1).map(|n| format!(", attempt {n}")).unwrap_or_default();
        writeln!(f, "{}: {} run {run}{attempt} {}", self.cell, self.kind, run_show::verdict_word(verdict))?;
        for seed in &self.seeds {
            writeln!(f, "  seed {}: {}", seed.seed, seed.line())?;
        }
        write!(f, "  ")?;
        self.recorded.fmt(f)
    }
}
