//! The command `git-ar-train`: what was typed and what the environment says, then one training per seed.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the engine's own words")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use clap::Parser;
use tch::{Cuda, Device};

use super::config::Config;
use super::data;
use super::fit::{End, Job, fit};
use super::progress::{Terminal, Watcher as _, last_line};
use crate::runs::contract::{self, Task};
use crate::state::problem::{Kind, Problem};
use crate::state::record::Hardware;
use crate::state::tree::digest;

/// Train networks on libtorch, by the contract of every git-ar trainer
///
/// Everything is read from the environment that `git ar train` and `git ar run` set (AR_CONFIG, AR_RUN_DIR, AR_SEED, …);
/// the options go first. A training that was stopped goes on from its last checkpoint.
///
/// Example: git-ar-train --config config.yaml --run-dir /tmp/run --seed 0 --data ~/data
#[derive(Debug, Parser)]
#[command(name = "git-ar-train", version, max_term_width = 100)]
struct Arguments {
    /// The resolved config [env: AR_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the run's files go [env: AR_RUN_DIR]
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,
    /// The seed; may be given several times [env: AR_SEED]
    #[arg(long, value_name = "N")]
    seed: Vec<u64>,
    /// The folder of data sets [env: AR_DATA]
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// A few batches only [env: AR_SMOKE=1]
    #[arg(long)]
    smoke: bool,
    /// Threads of libtorch; its own choice when absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=1024))]
    threads: Option<i32>,
    /// auto, cpu, cuda or cuda:N; the config's when absent
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
}

/// Runs the command.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(code) => code,
        Err(problem) => {
            complain(&problem);
            ExitCode::from(problem.kind as u8)
        }
    }
}

fn complain(problem: &Problem) {
    eprintln!("error: {}", problem.message);
    if let Some(path) = &problem.path {
        let place = [problem.line, problem.column].iter().flatten().map(|n| format!(":{n}")).collect::<String>();
        eprintln!("  --> {path}{place}");
    }
    if let Some(hint) = &problem.hint {
        eprintln!("hint: {hint}");
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Problem> {
    let stop = Stop::listen()?;
    let tasks = tasks(arguments)?;
    let first = &tasks[0];
    let text = read(&first.config)?;
    let config = Config::read(&text, &first.config.display().to_string())?;
    let device = device(arguments.device.as_deref().unwrap_or(&config.device))?;
    if let Some(threads) = arguments.threads {
        tch::set_num_threads(threads);
    }
    let root = arguments.data.clone().or_else(|| std::env::var("AR_DATA").ok()).filter(|dir| !dir.is_empty());
    let images = data::load(&config.dataset, root.as_deref(), device)?;
    if config.batch_size > images.train.len() {
        let message = format!("batch_size {} is above the {} training images", config.batch_size, images.train.len());
        return Err(Problem::new(Kind::Invalid, "config", message).at(first.config.display().to_string()));
    }
    let hardware = hardware(device);
    for task in &tasks {
        let job = Job { task, config: &config, data: &images, device, hardware: &hardware, stop: &stop.asked };
        match fit(job, &mut Terminal::new())? {
            End::Finished(metrics) => println!("{}", last_line(&metrics)),
            End::Stopped => {
                Terminal::new().say(&format!("seed {}: stopped; the checkpoint is written", task.seed));
                return Ok(ExitCode::from(stop.code()));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One task per seed, from the options and the environment.
fn tasks(arguments: &Arguments) -> Result<Vec<Task>, Problem> {
    let path = |option: &Option<PathBuf>| option.as_ref().map(|path| path.display().to_string());
    let typed = |seed: Option<u64>, name: &str| match name {
        contract::CONFIG => path(&arguments.config),
        contract::RUN_DIR => path(&arguments.run_dir),
        contract::SEED => seed.map(|seed| seed.to_string()),
        contract::SMOKE => arguments.smoke.then(|| "1".to_string()),
        _ => None,
    };
    let seeds: Vec<Option<u64>> = match arguments.seed.as_slice() {
        [] => vec![None],
        seeds => seeds.iter().copied().map(Some).collect(),
    };
    let task = |seed| {
        let mut task = Task::from_env(&|name: &str| typed(seed, name).or_else(|| std::env::var(name).ok()))?;
        if task.config_digest.is_empty() {
            task.config_digest = digest(&read(&task.config)?);
        }
        Ok(task)
    };
    seeds.into_iter().map(task).collect()
}

fn read(path: &std::path::Path) -> Result<Vec<u8>, Problem> {
    std::fs::read(path).map_err(|error| {
        Problem::new(Kind::Io, "config", format!("the config cannot be read: {error}")).at(path.display().to_string())
    })
}

fn device(name: &str) -> Result<Device, Problem> {
    let wrong = |message: String| Err(Problem::new(Kind::Invalid, "device", message).hint("set device: auto, or cpu"));
    let gpus = if Cuda::is_available() { Cuda::device_count() } else { 0 };
    match (name, name.strip_prefix("cuda:").map(str::parse::<usize>)) {
        ("cpu", _) => Ok(Device::Cpu),
        ("auto", _) => Ok(Device::cuda_if_available()),
        ("cuda", _) if gpus > 0 => Ok(Device::Cuda(0)),
        (_, Some(Ok(number))) if (number as i64) < gpus => Ok(Device::Cuda(number)),
        ("cuda", _) | (_, Some(Ok(_))) => wrong(format!("device is {name}, and libtorch sees {gpus} GPUs here")),
        _ => wrong(format!("device is `{name}`; it is auto, cpu, cuda or cuda:N")),
    }
}

fn hardware(device: Device) -> Hardware {
    let (device, name) = match device {
        Device::Cuda(number) => (format!("cuda:{number}"), None),
        _ => ("cpu".to_string(), processor()),
    };
    Hardware { device, name, threads: tch::get_num_threads().unsigned_abs() }
}

/// The processor's name, where Linux tells it.
fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_string())
}

/// SIGTERM and SIGINT, looked at between steps.
struct Stop {
    asked: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Stop {
    fn listen() -> Result<Self, Problem> {
        let stop = Self { asked: Arc::default(), signal: Arc::default() };
        let listen = |signal: i32| {
            let number = usize::try_from(signal).expect("signals are positive");
            signal_hook::flag::register_usize(signal, Arc::clone(&stop.signal), number)?;
            signal_hook::flag::register(signal, Arc::clone(&stop.asked))
        };
        for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
            listen(signal).map_err(|e| Problem::new(Kind::Bug, "signal", format!("signals cannot be caught: {e}")))?;
        }
        Ok(stop)
    }

    /// As a shell counts it: 143 after SIGTERM, 130 after SIGINT.
    fn code(&self) -> u8 {
        128 + u8::try_from(self.signal.load(Ordering::Relaxed)).unwrap_or(15)
    }
}
