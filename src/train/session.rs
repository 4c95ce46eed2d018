//! One start of the engine: the tasks that the options and the environment describe, the data once, a training per seed.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tch::Device;

use super::cli::Train;
use super::config::Config;
use super::data::{self, Data};
use super::device;
use super::fit::{End, Job, fit};
use super::progress::{Bars, last_line};
use super::stop::Stop;
use crate::config::{self as compose, Request, Value};
use crate::runs::contract::{self, Task};
use crate::state::problem::{Kind, Problem};
use crate::state::record::Hardware;
use crate::state::tree::MemoryTree;

/// What all seeds share but the data, whose tensors cannot be named by two threads.
struct Shared<'a> {
    config: &'a Config,
    written: &'a Value,
    device: Device,
    hardware: Hardware,
}

/// Trains every seed; `tell` gets the last line of each. True when it was stopped before the end.
pub fn train(typed: &Train, stop: &Stop, tell: &(dyn Fn(&str) + Sync)) -> Result<bool, Problem> {
    let tasks = tasks(typed)?;
    let file = &tasks[0].config;
    let text = read(file)?;
    let shown = file.display().to_string();
    let mut config = Config::read(&text, &shown)?;
    config.dataset.dir = folder(&text);
    let written = compose::read(&text, &shown)?;
    let device = device::named(typed.machine.device.as_deref().unwrap_or(&config.device))?;
    config.precision.check(device).map_err(|problem| problem.at(&shown))?;
    let jobs = usize::from(typed.jobs).min(tasks.len());
    let threads = typed.machine.threads.unwrap_or_else(|| tch::get_num_threads() / jobs as i32).max(1);
    tch::set_num_threads(threads);
    let root = typed.data.clone().or_else(|| std::env::var("AR_DATA").ok()).filter(|dir| !dir.is_empty());
    let data = data::load(&config.dataset, root.as_deref(), device)?;
    if config.batch_size > data.train.count() {
        let message = format!("batch_size {} is above the {} training images", config.batch_size, data.train.count());
        return Err(Problem::new(Kind::Invalid, "config", message).at(shown));
    }
    let shared = Shared { config: &config, written: &written, device, hardware: device::hardware(device) };
    side_by_side(&tasks, (0..jobs).map(|_| data.handle()).collect(), &shared, stop, tell)
}

/// Trains the tasks, one at a time for each handle of the data. The first problem ends the others at their next step.
fn side_by_side(
    tasks: &[Task],
    handles: Vec<Data>,
    shared: &Shared<'_>,
    stop: &Stop,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<bool, Problem> {
    let (next, stopped, failed) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::new(None));
    let bars = Bars::default();
    let work = |data: Data| {
        tch::set_num_threads(i32::try_from(shared.hardware.threads).unwrap_or(1));
        while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Shared { config, written, device, hardware } = shared;
            let job = Job { task, config, written, data: &data, device: *device, hardware, stop: &stop.asked };
            match fit(job, &mut bars.one()) {
                Ok(End::Finished(metrics)) => tell(&last_line(&metrics)),
                Ok(End::Stopped) => {
                    bars.say(&format!("seed {}: stopped; the checkpoint is written", task.seed));
                    stopped.store(true, Ordering::Relaxed);
                    return;
                }
                Err(problem) => {
                    stop.asked.store(true, Ordering::Relaxed);
                    failed.lock().expect("nobody panics while holding it").get_or_insert(problem);
                    return;
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for data in handles {
            scope.spawn(|| work(data));
        }
    });
    match failed.into_inner().expect("nobody panics while holding it") {
        Some(problem) => Err(problem),
        None => Ok(stopped.into_inner()),
    }
}

/// One task per seed, from the options and the environment.
fn tasks(typed: &Train) -> Result<Vec<Task>, Problem> {
    let path = |option: &Option<std::path::PathBuf>| option.as_ref().map(|path| path.display().to_string());
    let option = |seed: Option<u64>, name: &str| match name {
        contract::CONFIG => path(&typed.config),
        contract::RUN_DIR => path(&typed.run_dir),
        contract::SEED => seed.map(|seed| seed.to_string()),
        contract::SMOKE => typed.smoke.then(|| "1".to_string()),
        _ => None,
    };
    let task = |seed| {
        let mut task = Task::from_env(&|name: &str| option(seed, name).or_else(|| std::env::var(name).ok()))?;
        if task.config_digest.is_empty() {
            let config = compose::read(&read(&task.config)?, &task.config.display().to_string())?;
            task.config_digest = compose::digest(&config);
        }
        Ok(task)
    };
    match typed.seed.as_slice() {
        [] => Ok(vec![task(None)?]),
        seeds => seeds.iter().copied().map(Some).map(task).collect(),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    std::fs::read(path).map_err(|error| {
        Problem::new(Kind::Io, "config", format!("the config cannot be read: {error}")).at(path.display().to_string())
    })
}

/// `dataset.dir` with its interpolations followed: a stored config keeps `${oc.env:AR_DATA,…}` as text.
fn folder(text: &[u8]) -> Option<String> {
    let tree = MemoryTree::default().with("config.yaml", std::str::from_utf8(text).ok()?);
    let env = |name: &str| std::env::var(name).ok();
    let request =
        Request { tree: &tree, dir: "", name: Some("config"), overrides: &[], env: &env, job: Default::default() };
    match compose::compose(&request).ok()?.resolved().ok()?.get("dataset.dir")? {
        Value::Str(folder) if !folder.is_empty() => Some(folder.clone()),
        _ => None,
    }
}
