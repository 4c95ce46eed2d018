//! One cell of a submit: which seeds are left, which run they belong to, which jobs they become.

use super::checks::Base;
use super::job::{self, Ready, Wanted};
use super::outcome::{AttemptOut, CellOut};
use super::{Request, deliver, note, send};
use crate::ops::Context;
use crate::ops::record::Recorded;
use crate::ops::run::{self, Place};
use crate::ops::run_cells::Cell;
use crate::ops::run_same::{Same, active, goes_on};
use crate::ops::site::Site;
use crate::runs::layout::Record;
use crate::state::entities::Seeds;
use crate::state::ids::RunId;
use crate::state::load::{self, RunView};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::record::{Anchor, Resources, Run, SeedsAs};
use crate::state::tree::{Tree, digest};

/// What every cell of one command shares.
pub(super) struct Setting<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) request: &'a Request,
    pub(super) site: &'a Site,
    pub(super) place: &'a Place,
    pub(super) base: &'a Base,
    /// The digest of the anchor's manifest.
    pub(super) manifest: String,
}

/// A run that gets attempts.
struct Target {
    id: RunId,
    run: Run,
    stored: String,
    /// The number of its next attempt.
    next: u32,
}

impl Setting<'_> {
    /// Submits the seeds of a cell that neither have their result nor are on their way.
    pub(super) fn cell(&self, cell: &Cell, seeds: &Seeds) -> Result<CellOut, Problems> {
        let disk = self.context.repo.work_tree();
        let runs = load::runs(&disk, &self.place.folder)?;
        let wanted = &self.request.wanted;
        let same = Same { wanted, digest: &cell.digest, code_tree: &self.base.code_tree };
        let of_cell: Vec<&RunView> = runs.iter().filter(|view| same.is(view)).collect();
        let mut out = CellOut::new(wanted, cell);
        out.earlier = same.earlier(&of_cell, seeds);
        out.active = active(&of_cell, seeds.as_slice());
        let known = |seed: &u64| out.earlier.iter().chain(&out.active).any(|(other, _)| other == seed);
        let missing: Vec<u64> = seeds.as_slice().iter().copied().filter(|seed| !known(seed)).collect();
        if missing.is_empty() {
            return Ok(out);
        }
        let target = match of_cell.iter().rev().find(|view| goes_on(view, &self.site.name, &missing)) {
            Some(view) => again(&disk, view)?,
            None => self.new_run(&disk, cell, &missing, None)?,
        };
        self.submit(&disk, &target, &missing, out)
    }

    /// Submits a run again, as a new run from the same commit and config.
    pub(super) fn rerun(&self, view: &RunView, seeds: &Seeds) -> Result<CellOut, Problems> {
        let disk = self.context.repo.work_tree();
        let stored = again(&disk, view)?.stored;
        let run = &view.run;
        let (overrides, digest) = (run.overrides.clone(), run.config_digest.clone());
        let cell = Cell { overrides, digest, resolved: String::new(), stored };
        let mut out = CellOut::new(&self.request.wanted, &cell);
        let runs = load::runs(&disk, &self.place.folder)?;
        let again: Vec<&RunView> = runs.iter().filter(|other| other.run.rerun_of.as_ref() == Some(&view.id)).collect();
        out.active = active(&again, seeds.as_slice());
        let left = |seed: &u64| out.active.iter().all(|(other, _)| other != seed);
        let left: Vec<u64> = seeds.as_slice().iter().copied().filter(left).collect();
        if left.is_empty() {
            return Ok(out);
        }
        let target = self.new_run(&disk, &cell, &left, Some(&view.id))?;
        self.submit(&disk, &target, &left, out)
    }

    fn submit(&self, disk: &dyn Tree, target: &Target, seeds: &[u64], mut out: CellOut) -> Result<CellOut, Problems> {
        let jobs = self.jobs(disk, target, seeds, &mut out)?;
        out.run = Some(target.id.clone());
        if self.request.dry_run {
            out.attempts = jobs.iter().map(|(seeds, ready)| AttemptOut::shown(seeds, ready)).collect();
            return Ok(out);
        }
        out.recorded = self.send(target, &jobs, &mut out.attempts)?;
        Ok(out)
    }

    /// The jobs that the missing seeds become, ready to be sent.
    fn jobs(
        &self,
        disk: &dyn Tree,
        target: &Target,
        missing: &[u64],
        out: &mut CellOut,
    ) -> Result<Vec<(Vec<u64>, Ready)>, Problems> {
        let queue = self.request.queue.as_deref().or(self.site.profile.default_queue.as_deref());
        let seeds_as = self.request.seeds_as.unwrap_or_else(|| self.site.profile.seeds_as(queue, missing.len()));
        let groups: Vec<Vec<u64>> = match seeds_as {
            SeedsAs::Jobs => missing.iter().map(|seed| vec![*seed]).collect(),
            SeedsAs::Sequence | SeedsAs::Array => vec![missing.to_vec()],
        };
        let in_sequence = if seeds_as == SeedsAs::Sequence { missing.len() as u64 } else { 1 };
        let run = (&target.run, target.stored.as_str());
        let asked = (in_sequence, queue, self.request.walltime_s);
        let (walltime_s, words) = job::walltime(self.site, self.place, run, asked, disk)?;
        out.walltime = words;
        let ready = |(number, seeds): (u32, Vec<u64>)| {
            let wanted = self.wanted(target, number, &seeds, (seeds_as, queue, walltime_s));
            let ready = job::ready(self.context, self.site, &wanted, self.context.now)?;
            Ok((seeds, ready))
        };
        (target.next..).zip(groups).map(ready).collect()
    }

    fn wanted<'w>(
        &self,
        target: &'w Target,
        number: u32,
        seeds: &'w [u64],
        (seeds_as, queue, walltime_s): (SeedsAs, Option<&'w str>, u64),
    ) -> Wanted<'w> {
        let Target { id, run, stored, .. } = target;
        Wanted { id, run, stored, number, seeds, seeds_as, queue, walltime_s }
    }

    /// Sends the jobs one after another and records those that got in, also when a later one does not.
    fn send(
        &self,
        target: &Target,
        jobs: &[(Vec<u64>, Ready)],
        attempts: &mut Vec<AttemptOut>,
    ) -> Result<Recorded, Problems> {
        deliver::ensure(self.context, self.site, &self.base.head, &target.run.anchor)?;
        let mut sent = Vec::new();
        let mut failed = None;
        for ((seeds, ready), number) in jobs.iter().zip(target.next..) {
            let seeds_as = ready.record.seeds_as.unwrap_or(SeedsAs::Sequence);
            let wanted = self.wanted(target, number, seeds, (seeds_as, None, 0));
            match send::send(self.context, self.site, self.place, &wanted, ready) {
                Ok(done) => {
                    attempts.push(AttemptOut::sent(seeds, ready, &done.job));
                    sent.push((done.intent, done.job));
                }
                Err(problem) => {
                    failed = Some(problem);
                    break;
                }
            }
        }
        let recorded = note(self.context, self.site, self.request.here, &sent)?;
        match failed {
            None => Ok(recorded),
            Some(problem) if sent.is_empty() => Err(problem.into()),
            Some(problem) => {
                let jobs: Vec<&str> = sent.iter().map(|(_, job)| job.as_str()).collect();
                let message = format!("run {} has the jobs {}; the rest is not submitted", target.id, jobs.join(", "));
                let note = Problem::new(Kind::Found, "in-part", message).warn();
                Err(Problems(vec![problem, note.hint("repeat the command for the seeds that are left")]))
            }
        }
    }

    /// A run of these seeds that was never there. Its id follows from what it trains, so that whoever submits the same
    /// thing at the same time, from another clone, submits it under the same name, and so once.
    fn new_run(
        &self,
        disk: &dyn Tree,
        cell: &Cell,
        seeds: &[u64],
        rerun_of: Option<&RunId>,
    ) -> Result<Target, Problem> {
        let wanted = &self.request.wanted;
        let seeds = Seeds::try_from(seeds.to_vec()).map_err(|e| Problem::new(Kind::Bug, "seeds", e))?;
        let kind = run::kind_word(wanted.kind);
        let what = format!("{} {kind} {} {} {seeds}", self.site.name, cell.digest, self.base.code_tree);
        let what = rerun_of.map_or(what.clone(), |old| format!("{what} rerun of {old}"));
        let entropy = u64::from_str_radix(&digest(what.as_bytes())[..16], 16).expect("hexadecimal");
        let recorded = run::all(disk)?;
        let taken = |id: &RunId| recorded.iter().any(|known| known.id == *id);
        let id = crate::runs::id::new(&wanted.experiment, entropy, jiff::Timestamp::UNIX_EPOCH, &taken);
        let queue = self.request.queue.clone().or_else(|| self.site.profile.default_queue.clone());
        let run = Run {
            schema: 1,
            kind: wanted.kind,
            experiment: wanted.experiment.clone(),
            overrides: cell.overrides.clone(),
            cluster: self.site.name.clone(),
            created: self.context.now,
            anchor: Anchor {
                commit: self.base.commit.clone(),
                code_tree: self.base.code_tree.clone(),
                manifest: self.manifest.clone(),
            },
            command: job::command(self.context, &self.site.profile),
            config_digest: cell.digest.clone(),
            seeds,
            resources: Resources { queue, walltime: None },
            rerun_of: rerun_of.cloned(),
            frozen: None,
        };
        Ok(Target { id, run, stored: cell.stored.clone(), next: 1 })
    }
}

/// The next attempts of a run on record.
fn again(disk: &dyn Tree, view: &RunView) -> Result<Target, Problem> {
    let path = Record { folder: view.folder.clone() }.config();
    let stored = disk.read(&path)?;
    let stored =
        stored.ok_or_else(|| Problem::new(Kind::Invalid, "no-config", "the run's config is missing").at(path))?;
    Ok(Target {
        id: view.id.clone(),
        run: view.run.clone(),
        stored: String::from_utf8_lossy(&stored).into_owned(),
        next: view.attempts.keys().next_back().copied().unwrap_or_default() + 1,
    })
}
