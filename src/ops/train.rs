//! `train`: compose a config and start the trainer on the files as they are. It leaves no record.
//!
//! A training works in scratch, in a folder that follows from config, seed and code: the same command goes on from
//! its checkpoint, and a finished one is not repeated.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::run_attempt::{environment, launch, with_log};
use super::run_cells::Composer;
use super::{Context, run_show, trust};
use crate::cluster::local::{self, Event, Lock};
use crate::cluster::profile::{LOCAL, Profile};
use crate::cluster::transport::process::{Job, Stop};
use crate::config::{self, Composed, Value};
use crate::runs::contract::{self, Task};
use crate::runs::layout::{RunDir, Scratch};
use crate::runs::{scratch, snapshot, trainer};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::record::{Metrics, Status};
use crate::state::tree::{Tree, digest};

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Overrides as typed, the experiment and the seed among them.
    pub overrides: Vec<String>,
    /// Every job of a sweep.
    pub multirun: bool,
    /// Jobs at the same time.
    pub at_once: usize,
    /// In a new folder, whatever was trained before.
    pub fresh: bool,
}

/// One training.
#[derive(Debug, Serialize)]
pub struct Training {
    /// Its overrides.
    pub overrides: Vec<String>,
    /// The seed.
    pub seed: u64,
    /// Its run directory.
    pub folder: String,
    /// It had its result before.
    pub earlier: bool,
    /// The result.
    pub metrics: Option<Metrics>,
    /// Why there is none.
    pub reason: Option<String>,
    /// The trainer's exit status, when it was started.
    pub code: Option<i32>,
}

/// What came of the command.
#[derive(Debug, Serialize)]
pub struct Trained {
    /// Job by job.
    pub jobs: Vec<Training>,
    /// Stopping was asked for.
    pub interrupted: bool,
}

struct Plan {
    overrides: Vec<String>,
    dir: RunDir,
    task: Task,
    lock: Lock,
    earlier: Option<Metrics>,
}

/// Train what the overrides say.
pub fn train(context: &Context<'_>, request: &Request, stop: &Stop) -> Result<Trained, Problems> {
    let disk = context.repo.work_tree();
    let composer = Composer {
        tree: &disk,
        dir: &context.settings.config_dir,
        env: context.env,
        typed: context.settings.trainer.is_built_in(),
    };
    trust::require_all(context, &disk, LOCAL)?;
    let path = (context.env)("PATH");
    let trainer = trainer::resolve(&context.settings.trainer, &context.exe, path.as_deref())?;
    let profile = Profile::read(&disk, &context.settings.config_dir, LOCAL)?;
    let sweep = match request.multirun {
        true => composer.sweep(&request.overrides)?,
        false => vec![(request.overrides.clone(), composer.one(&request.overrides)?)],
    };
    let code = code(context, request.fresh)?;
    let plans: Vec<Plan> =
        sweep.into_iter().map(|(o, composed)| plan(context, o, &composed, &code)).collect::<Result<_, _>>()?;
    let top = context.repo.top();
    let python = (context.env)("PYTHONPATH").filter(|p| !p.is_empty());
    let python = python.map_or(top.display().to_string(), |p| format!("{}:{p}", top.display()));
    let site = Scratch::of(context.repo.common_dir());
    let one = |plan: &Plan| {
        let env = environment(context, &plan.task, &python);
        let launch = launch(context, &profile, &env, [("AR_SITE", site.root()), ("AR_SNAPSHOT", top)]);
        let log = request.multirun.then(|| plan.dir.log(plan.task.seed));
        let command = launch.into_iter().chain(trainer.started.clone()).collect();
        Job { command, env, folder: top.to_path_buf(), log }
    };
    let open: Vec<&Plan> = plans.iter().filter(|plan| plan.earlier.is_none()).collect();
    let jobs: Vec<(Job, &Lock)> = open.iter().map(|plan| (one(plan), &plan.lock)).collect();
    if let ([plan], false) = (open.as_slice(), request.multirun) {
        context.progress.say(&format!("training in {}", plan.dir.path.display()));
    }
    let tell = |event| tell(context, request.multirun, &open, event);
    let codes = local::run(&jobs, request.at_once, stop, &tell)?;
    let mut codes = codes.into_iter();
    let end = |plan: &Plan| {
        let code = if plan.earlier.is_some() { None } else { codes.next().flatten() };
        judge(plan, code)
    };
    let jobs = plans.iter().map(end).collect::<Result<_, _>>()?;
    Ok(Trained { jobs, interrupted: stop.asked() })
}

/// What identifies the code as it is on disk: `HEAD`'s code tree and the files that differ from it.
fn code(context: &Context<'_>, fresh: bool) -> Result<String, Problem> {
    let disk = context.repo.work_tree();
    let code = &context.settings.code;
    let mut key = context.repo.code_tree(&context.repo.head_tree()?, code)?;
    for dirty in context.repo.dirty_paths()?.iter().filter(|d| snapshot::counts(&d.path, code)) {
        let bytes = disk.read(&dirty.path)?;
        key.push_str(&format!("\n{} {}", dirty.path, bytes.as_deref().map(digest).unwrap_or_default()));
    }
    if fresh {
        key.push_str(&format!("\n{} {}", context.entropy, context.now));
    }
    Ok(key)
}

fn plan(context: &Context<'_>, overrides: Vec<String>, composed: &Composed<'_>, code: &str) -> Result<Plan, Problems> {
    let config_digest = config::digest(&composed.stored()?);
    let resolved = composed.resolved()?;
    let seed = seed(&resolved)?;
    let dir = Scratch::of(context.repo.common_dir()).training(&config_digest, seed, code);
    let lock = Lock::take(&dir.lock())?;
    scratch::write(&dir.config(), resolved.to_yaml().as_bytes())?;
    let task = Task {
        run_dir: dir.path.clone(),
        seed,
        config: dir.config(),
        smoke: false,
        run: "local".into(),
        commit: String::new(),
        config_digest,
    };
    let earlier = result(&dir, &task)?.ok();
    Ok(Plan { overrides, dir, task, lock, earlier })
}

/// The config's `seed`, 0 when it has none.
fn seed(config: &Value) -> Result<u64, Problem> {
    let wrong = || {
        let problem = Problem::new(Kind::Invalid, "seed", "the config's `seed` is not a whole number from 0");
        problem.hint("git ar train experiment=NAME seed=0")
    };
    match config.get("seed") {
        None | Some(Value::Null) => Ok(0),
        Some(Value::Int(seed)) => u64::try_from(*seed).map_err(|_| wrong()),
        Some(_) => Err(wrong()),
    }
}

/// The task's result, or why there is none.
fn result(dir: &RunDir, task: &Task) -> Result<Result<Metrics, String>, Problem> {
    let Some(bytes) = scratch::read(&dir.metrics(task.seed))? else { return Ok(Err("it left no metrics.json".into())) };
    Ok(match Metrics::from_json(&bytes) {
        Err(message) => Err(format!("metrics.json: {message}")),
        Ok(m) if m.status == Status::Failed => Err(m.error.unwrap_or_else(|| "it failed without a reason".into())),
        Ok(m) if m.seed != task.seed || m.config_digest != task.config_digest => {
            Err("metrics.json is of another seed or config".into())
        }
        Ok(metrics) => Ok(metrics),
    })
}

fn tell(context: &Context<'_>, multirun: bool, open: &[&Plan], event: Event) {
    let say = |place: usize, text: &str| {
        let number = format!("{}/{}", place + 1, open.len());
        context.progress.say(&format!("{number} {}: {text}", open[place].overrides.join(" ")));
    };
    match event {
        Event::Stopping => {
            context.progress.say("stopping: waiting for the trainer's checkpoint (Ctrl-C again does not wait)")
        }
        _ if !multirun => {}
        Event::Started(_) => {}
        Event::Line(place, line) => say(place, &line),
        Event::Ended(place, code, time) => say(place, &ended(open[place], code, time)),
    }
}

fn ended(plan: &Plan, code: i32, time: Duration) -> String {
    match (code, result(&plan.dir, &plan.task)) {
        (0, Ok(Ok(metrics))) => run_show::figures(&metrics),
        (contract::STOPPED, _) => "stopped".into(),
        _ => format!("failed with exit status {code} after {:.1} s", time.as_secs_f64()),
    }
}

fn judge(plan: &Plan, code: Option<i32>) -> Result<Training, Problem> {
    let earlier = plan.earlier.is_some();
    let (metrics, reason) = match (code, result(&plan.dir, &plan.task)?) {
        (Some(0), Ok(metrics)) => (Some(metrics), None),
        (None, _) if earlier => (plan.earlier.clone(), None),
        (None, _) => (None, Some("not started".to_string())),
        (Some(0), Err(reason)) => (None, Some(format!("the trainer ended with 0, but {reason}"))),
        (Some(contract::STOPPED), _) => (None, Some("stopped; the same command goes on from its checkpoint".into())),
        (Some(code), _) => (None, Some(format!("the trainer ended with exit status {code}"))),
    };
    let log = plan.dir.log(plan.task.seed);
    let reason = reason.map(|reason| with_log(reason, &log));
    Ok(Training {
        overrides: plan.overrides.clone(),
        seed: plan.task.seed,
        folder: plan.dir.path.display().to_string(),
        earlier,
        metrics,
        reason,
        code,
    })
}

impl Trained {
    /// The kind that decides the exit code; none when every job has its result.
    #[must_use]
    pub fn failure(&self) -> Option<Kind> {
        match (self.interrupted, self.jobs.iter().all(|job| job.metrics.is_some())) {
            (_, true) => None,
            (true, false) => Some(Kind::Interrupted),
            (false, false) => Some(Kind::Found),
        }
    }
}

impl fmt::Display for Trained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for job in &self.jobs {
            let name = if job.overrides.is_empty() { "config".into() } else { job.overrides.join(" ") };
            match (&job.metrics, &job.reason) {
                (Some(metrics), _) => {
                    let when = if job.earlier { "finished earlier: " } else { "" };
                    writeln!(f, "{name}: {when}{}", run_show::figures(metrics))?;
                }
                (None, reason) => writeln!(f, "{name}: {}", reason.as_deref().unwrap_or("no result"))?,
            }
            writeln!(f, "  {}", job.folder)?;
        }
        Ok(())
    }
}
