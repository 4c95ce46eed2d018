//! The command `git-ar-train`: what was typed, the words it answers with, its exit status.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the engine's own words")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use super::bench::{self, Bench};
use super::precision::{MemoryFormat, Precision};
use super::stop::Stop;
use super::{describe, device, session};
use crate::state::problem::{Kind, Problem};

/// Train networks on libtorch, by the contract of every git-ar trainer
///
/// Everything is read from the environment that `git ar train` and `git ar run` set (AR_CONFIG, AR_RUN_DIR, AR_SEED, …);
/// the options go first. A training that was stopped goes on from its last checkpoint.
#[derive(Debug, Parser)]
#[command(name = "git-ar-train", version, max_term_width = 100, args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  git-ar-train --config config.yaml --run-dir /tmp/run --seed 0 --data ~/data
  git-ar-train describe cnn
  git-ar-train bench ffnn --threads 2
  git-ar-train bench resnet18 --device cuda --precision bfloat16")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    train: Train,
}

/// What to train and where.
#[derive(Debug, Args)]
pub struct Train {
    /// The resolved config [env: AR_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the run's files go [env: AR_RUN_DIR]
    #[arg(long, value_name = "DIR")]
    pub run_dir: Option<PathBuf>,
    /// The seed; may be given several times [env: AR_SEED]
    #[arg(long, value_name = "N")]
    pub seed: Vec<u64>,
    /// Seeds that are trained at the same time, in one process that holds the data once
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,
    /// The folder of data sets [env: AR_DATA]
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// A few batches only [env: AR_SMOKE=1]
    #[arg(long)]
    pub smoke: bool,
    /// Where it runs.
    #[command(flatten)]
    pub machine: Machine,
}

/// Where it runs.
#[derive(Debug, Args)]
pub struct Machine {
    /// Threads of libtorch; its own choice when absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=1024))]
    pub threads: Option<i32>,
    /// auto, cpu, cuda or cuda:N; the config's when absent
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a model: layers, shapes, trained numbers, work for one image, its YAML
    Describe {
        /// One of the engine's models; all in short when absent
        model: Option<String>,
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Measure training steps a second on made-up images in memory
    Bench {
        /// The models; all when absent
        models: Vec<String>,
        /// Images of a step
        #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(i64).range(1..=65536))]
        batch: i64,
        /// Windows of half a second; the median counts
        #[arg(long, value_name = "N", default_value_t = 11, value_parser = clap::value_parser!(u16).range(1..=1000))]
        windows: u16,
        /// What layers compute in
        #[arg(long, value_name = "KIND", value_enum, default_value = "float32")]
        precision: Precision,
        /// How images lie in memory
        #[arg(long, value_name = "FORMAT", value_enum, default_value = "auto")]
        memory_format: MemoryFormat,
        /// As one JSON object
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        machine: Machine,
    },
}

/// Runs the command.
#[must_use]
pub fn main() -> ExitCode {
    super::memory::keep();
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(code) => code,
        Err(problem) => {
            complain(&problem);
            ExitCode::from(problem.kind as u8)
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode, Problem> {
    match arguments.command {
        None => {
            let stop = Stop::listen()?;
            let stopped = session::train(&arguments.train, &stop, &|line| println!("{line}"))?;
            Ok(if stopped { ExitCode::from(stop.code()) } else { ExitCode::SUCCESS })
        }
        Some(Command::Describe { model, json }) => {
            let described = describe::describe(model.as_deref())?;
            if json {
                show("describe", &described)
            } else {
                print!("{}", describe::text(&described))
            }
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Bench { models, batch, windows, precision, memory_format, json, machine }) => {
            let device = device::named(machine.device.as_deref().unwrap_or("auto"))?;
            precision.check(device)?;
            if let Some(threads) = machine.threads {
                tch::set_num_threads(threads);
            }
            let how = Bench { batch, device, precision, memory_format, windows: usize::from(windows) };
            let measured = bench::bench(&models, how, &mut |row| {
                if !json {
                    println!("{}", bench::text(row));
                }
            })?;
            if json {
                show("bench", &measured);
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The envelope of every `--json` of git-ar.
fn show(verb: &str, data: &impl serde::Serialize) {
    let schema = format!("git-ar/train-{verb}/1");
    let envelope = serde_json::json!({"schema": schema, "ok": true, "data": data, "errors": [], "next": []});
    println!("{envelope}");
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

/// The problem of a model that is not in the list.
pub fn no_such_model(name: &str) -> Problem {
    let names = super::models::NAMES;
    let hint = match crate::state::text::nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("models: {}", names.join(", ")),
    };
    Problem::new(Kind::Usage, "model", format!("no model is named `{name}`")).hint(hint)
}
