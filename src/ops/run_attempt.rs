//! One attempt of a run on this machine: attested, started, waited for, judged, recorded.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::Context;
use super::record::{Recorded, Write};
use super::run::kind_word;
use super::run_job::{Job, attested, lost_attempt};
use super::run_local::Setting;
use super::run_show;
use crate::cluster::local::{self, Event, Lock, last_lines};
use crate::cluster::profile::{self, Profile};
use crate::cluster::transport::process;
use crate::repo::CommitTree;
use crate::runs::collect::{self, Left};
use crate::runs::contract::Task;
use crate::runs::layout::{Record, RunDir};
use crate::runs::snapshot::{self, Snapshot};
use crate::runs::{contract, scratch};
use crate::state::entities::Seeds;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::record::{Attempt, Exit, Metrics, RunKind, Start, Verdict};
use crate::state::yaml::to_string;

/// How long a finished attempt waits for others that commit.
const PATIENCE: Duration = Duration::from_secs(60);

/// How one seed ended.
#[derive(Debug, Serialize)]
pub struct SeedEnd {
    /// The seed.
    pub seed: u64,
    /// Its result, when it has one that counts.
    pub metrics: Option<Metrics>,
    /// Why it has none.
    pub reason: Option<String>,
    /// What the trainer printed.
    pub log: String,
}

impl SeedEnd {
    /// One line for people.
    #[must_use]
    pub fn line(&self) -> String {
        match (&self.metrics, &self.reason) {
            (Some(metrics), _) => run_show::figures(metrics),
            (None, reason) => format!("{}; log: {}", reason.as_deref().unwrap_or("no result"), self.log),
        }
    }
}

/// What came of an attempt.
pub(super) struct Attempted {
    pub(super) number: u32,
    pub(super) verdict: Verdict,
    pub(super) seeds: Vec<SeedEnd>,
    pub(super) recorded: Recorded,
}

impl Setting<'_> {
    /// Make one attempt and record it with its results.
    pub(super) fn attempt(&self, head: &CommitTree, job: &Job) -> Result<Attempted, Problems> {
        let dir = self.scratch.run(&job.id);
        let lock = Lock::take(&dir.lock())?;
        let found = attested(&dir)?;
        let mut lost = None;
        let (start, exit, codes) = match found {
            (Some(start), Some(exit)) if exit.code == 0 && !job.exits.contains(&exit) => {
                self.context.progress.say(&format!("run {}: ended earlier and was not recorded", job.id));
                (start, exit, vec![Some(0); job.seeds.len()])
            }
            found => {
                lost = job.lost.then(|| lost_attempt(&job.run, found));
                self.fresh(head, job, &dir, &lock)?
            }
        };
        let number = job.attempts + 1 + u32::from(lost.is_some());
        let left = self.collect(job, &dir, &codes)?;
        let (verdict, reason) = collect::verdict(&left, exit.code, self.stop.asked());
        let attempt = Attempt {
            job: Some(std::process::id().to_string()),
            exit: Some(exit),
            verdict: Some(verdict),
            reason,
            ..Attempt::new(profile::LOCAL, start.at)
        };
        let attempt = Attempt { start: Some(start), ..attempt };
        let recorded = self.record(job, number, lost, &attempt, &left)?;
        let end = |(seed, left)| seed_end(&dir, seed, left);
        Ok(Attempted { number, verdict, seeds: left.into_iter().map(end).collect(), recorded })
    }

    /// Attests, trains, and says how it ended, with each seed's exit status.
    fn fresh(
        &self,
        head: &CommitTree,
        job: &Job,
        dir: &RunDir,
        lock: &Lock,
    ) -> Result<(Start, Exit, Vec<Option<i32>>), Problem> {
        let snapshot = self.prepare(head, job, dir)?;
        let start = self.attest(job, &snapshot)?;
        scratch::write(&dir.start(), json(&start).as_bytes())?;
        self.announce(job);
        let codes = self.train(job, dir, &snapshot, lock)?;
        let mut code = codes.iter().flatten().copied().find(|code| *code != 0).unwrap_or_default();
        if code == 0 && codes.contains(&None) {
            code = contract::STOPPED;
        }
        let exit = Exit { at: self.clock.now(), code, ..Exit::default() };
        scratch::write(&dir.exit(), json(&exit).as_bytes())?;
        Ok((start, exit, codes))
    }

    /// Snapshot, config and intent on disk; what an earlier attempt attested is out of the way.
    fn prepare(&self, head: &CommitTree, job: &Job, dir: &RunDir) -> Result<Snapshot, Problem> {
        let folder = self.scratch.snapshot(&self.code_tree);
        let snapshot = snapshot::provide(head, &self.context.settings.code, &folder)?;
        if let Some(aside) = &snapshot.replaced {
            self.context
                .progress
                .say(&format!("the snapshot had been changed; the changed copy is in {}", aside.display()));
        }
        scratch::remove(&dir.exit())?;
        scratch::write(&dir.config(), job.resolved.as_bytes())?;
        scratch::write(&dir.run(), to_string(&job.run).as_bytes())?;
        Ok(snapshot)
    }

    /// What is really there, looked at right before the start.
    fn attest(&self, job: &Job, snapshot: &Snapshot) -> Result<Start, Problem> {
        let manifest = snapshot::attest(&snapshot.folder)?;
        if manifest != job.run.anchor.manifest {
            let message =
                format!("the snapshot {} is not what run {} was made with", snapshot.folder.display(), job.id);
            let problem = Problem::new(Kind::Invalid, "snapshot", message);
            return Err(problem.hint("repeat the command; if it stays, somebody changes files there"));
        }
        Ok(Start {
            at: self.clock.now(),
            host: process::host(),
            commit: job.run.anchor.commit.clone(),
            manifest,
            config_digest: job.run.config_digest.clone(),
            ..Start::default()
        })
    }

    fn announce(&self, job: &Job) {
        let seeds = Seeds::try_from(job.seeds.clone()).map(|s| s.to_string()).unwrap_or_default();
        let commit = &job.run.anchor.commit[..job.run.anchor.commit.len().min(10)];
        let cell =
            std::iter::once(&job.run.experiment).chain(&job.run.overrides).cloned().collect::<Vec<_>>().join(" ");
        let line = format!("run {}: {cell}, seeds {seeds}, from a snapshot of commit {commit}", job.id);
        self.context.progress.say(&line);
    }

    /// Starts the trainer for every seed; the exit statuses in the order of the seeds.
    fn train(&self, job: &Job, dir: &RunDir, snapshot: &Snapshot, lock: &Lock) -> Result<Vec<Option<i32>>, Problem> {
        let python = (self.context.env)("PYTHONPATH").filter(|p| !p.is_empty());
        let folder = snapshot.folder.display().to_string();
        let python = python.map_or(folder.clone(), |p| format!("{folder}:{p}"));
        let one = |seed: &u64| {
            let env = environment(self.context, &self.task(job, dir, *seed), &python);
            let places = [("AR_SITE", self.scratch.root()), ("AR_SNAPSHOT", snapshot.folder.as_path())];
            let launch = launch(self.context, &self.profile, &env, places);
            let job = process::Job {
                command: launch.into_iter().chain(self.trainer.started.clone()).collect(),
                env,
                folder: snapshot.folder.clone(),
                log: Some(dir.log(*seed)),
            };
            (job, lock)
        };
        let jobs: Vec<(process::Job, &Lock)> = job.seeds.iter().map(one).collect();
        let tell = |event| self.tell(job, dir, event);
        local::run(&jobs, self.at_once, self.stop, &tell)
    }

    fn task(&self, job: &Job, dir: &RunDir, seed: u64) -> Task {
        Task {
            run_dir: dir.path.clone(),
            seed,
            config: dir.config(),
            smoke: job.run.kind == RunKind::Smoke,
            run: job.id.to_string(),
            commit: job.run.anchor.commit.clone(),
            config_digest: job.run.config_digest.clone(),
        }
    }

    fn tell(&self, job: &Job, dir: &RunDir, event: Event) {
        let say =
            |place: usize, text: String| self.context.progress.say(&format!("  seed {}: {text}", job.seeds[place]));
        match event {
            Event::Started(place) => say(place, "started".into()),
            // A trainer's line often names the seed itself.
            Event::Line(place, line) => {
                say(place, line.trim_start_matches(&format!("seed {}: ", job.seeds[place])).into())
            }
            Event::Ended(place, code, time) => {
                let left = collect::seed(dir, &job.id, &job.run, job.seeds[place], code);
                say(place, ended(left.ok(), time));
            }
            Event::Stopping => {
                self.context.progress.say("stopping: waiting for the trainer's checkpoint (Ctrl-C again does not wait)")
            }
        }
    }

    fn collect(&self, job: &Job, dir: &RunDir, codes: &[Option<i32>]) -> Result<Vec<(u64, Left)>, Problem> {
        let look = |(seed, code): (&u64, &Option<i32>)| match code {
            None => Ok((*seed, Left::Nothing("not started".into()))),
            Some(code) => Ok((*seed, collect::seed(dir, &job.id, &job.run, *seed, *code)?)),
        };
        job.seeds.iter().zip(codes).map(look).collect()
    }

    fn record(
        &self,
        job: &Job,
        number: u32,
        lost: Option<Attempt>,
        attempt: &Attempt,
        left: &[(u64, Left)],
    ) -> Result<Recorded, Problems> {
        let record = Record::new(&self.place.folder, &job.id);
        let mut writes = Vec::new();
        if let Some(stored) = &job.stored {
            writes.push(Write::text(record.run(), to_string(&job.run)));
            writes.push(Write::text(record.config(), stored.clone()));
        }
        if let Some(lost) = &lost {
            writes.push(Write::text(record.attempt(number - 1), to_string(lost)));
        }
        writes.push(Write::text(record.attempt(number), to_string(attempt)));
        let mut finished = Vec::new();
        for (seed, left) in left {
            if let Left::Result(_, text) = left {
                writes.push(Write::text(record.metrics(*seed), text.clone()));
                finished.push(*seed);
            }
        }
        let results = Seeds::try_from(finished).map_or("no seed finished".into(), |seeds| format!("seeds {seeds}"));
        let verdict = attempt.verdict.map_or("", run_show::verdict_word);
        let kind = kind_word(job.run.kind);
        let subject = format!("{}: {kind} run {} {verdict}, {results}", self.place.name(), job.id);
        self.recorded(writes, &subject, &self.place.trailers(&job.id)).map_err(|mut problems| {
            let note = format!("the results are kept in {}", self.scratch.run(&job.id).path.display());
            let hint = "mend what is named above and repeat the command; finished seeds are not trained again";
            problems.0.push(Problem::new(Kind::Io, "not-recorded", note).hint(hint).warn());
            problems
        })
    }
}

impl Setting<'_> {
    /// Records; while somebody else commits (another run that ends at the same time), waits for its turn.
    fn recorded(&self, writes: Vec<Write>, subject: &str, trailers: &[(&str, String)]) -> Result<Recorded, Problems> {
        let began = Instant::now();
        loop {
            let recorded = self.context.record("run", writes.clone(), subject, trailers);
            let busy = recorded.as_ref().is_err_and(|p| p.0.first().is_some_and(|p| p.kind == Kind::Locked));
            if !busy || began.elapsed() > PATIENCE || self.stop.asked() {
                return recorded;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// A trainer's variables on top of git-ar's own environment.
pub(super) fn environment(context: &Context<'_>, task: &Task, python: &str) -> Vec<(String, String)> {
    let mut env: Vec<(String, String)> =
        task.env().into_iter().map(|(name, value)| (name.to_string(), value)).collect();
    env.push(("PYTHONPATH".into(), python.into()));
    env.extend((context.env)("AR_DATA").map(|data| ("AR_DATA".to_string(), data)));
    // Python would put its compiled files beside the modules, into the snapshot.
    env.push(("PYTHONDONTWRITEBYTECODE".into(), "1".into()));
    env
}

/// What stands in front of a trainer on this machine. Its words may name the trainer's own variables, two places, and
/// those of git-ar's environment.
pub(super) fn launch(
    context: &Context<'_>,
    profile: &Profile,
    env: &[(String, String)],
    places: [(&str, &Path); 2],
) -> Vec<String> {
    profile.launch_here(&|name| {
        let place = places.iter().find(|(n, _)| *n == name).map(|(_, place)| place.display().to_string());
        let own = || env.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        place.or_else(own).or_else(|| (context.env)(name))
    })
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).expect("text and numbers") + "\n"
}

fn ended(left: Option<Left>, time: Duration) -> String {
    match left {
        Some(Left::Result(metrics, _)) => run_show::figures(&metrics),
        Some(Left::Nothing(reason) | Left::Foreign(reason)) => format!("{reason} (after {:.1} s)", time.as_secs_f64()),
        None => "ended".into(),
    }
}

/// A reason with the line of the log that most likely tells more: the last error, else the last line.
pub(super) fn with_log(reason: String, log: &Path) -> String {
    let Some(lines) = last_lines(log, 20) else { return reason };
    let is_error = |line: &&str| line.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("error"));
    let line = lines.lines().rev().find(is_error).or(lines.lines().next_back()).unwrap_or_default();
    let shown: String = line.chars().take(300).collect();
    format!("{reason} ({shown})")
}

fn seed_end(dir: &RunDir, seed: u64, left: Left) -> SeedEnd {
    let log = dir.log(seed);
    let (metrics, reason) = match left {
        Left::Result(metrics, _) => (Some(*metrics), None),
        Left::Nothing(reason) | Left::Foreign(reason) => (None, Some(reason)),
    };
    let reason = reason.map(|reason| with_log(reason, &log));
    SeedEnd { seed, metrics, reason, log: log.display().to_string() }
}
