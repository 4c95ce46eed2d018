//! `git-ar-train bench`: full training steps a second on made-up images in memory.
//!
//! A step gathers a batch, computes loss and gradient, and lets Adam move every weight: what a training does, without
//! evaluation and checkpoints. After a warm-up come windows of equal numbers of steps; the median window counts.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use tch::{Device, Kind, Tensor};

use super::cli::no_such_model;
use super::data::Part;
use super::device::{hardware, wait};
use super::learner::{Learner as _, backprop::Backprop};
use super::models::{self, Model, NAMES};
use super::optim;
use super::params::Params;
use super::precision::{MemoryFormat, Numerics, Precision};
use crate::state::problem::Problem;

/// What a window takes at least.
const WINDOW: Duration = Duration::from_millis(500);
/// Batches in memory.
const BATCHES: i64 = 16;

/// How to measure.
#[derive(Clone, Copy, Debug)]
pub struct Bench {
    /// Images of a step.
    pub batch: i64,
    /// Where.
    pub device: Device,
    /// What layers compute in.
    pub precision: Precision,
    /// How images lie in memory.
    pub memory_format: MemoryFormat,
    /// Windows that are measured.
    pub windows: usize,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// The model, with its default settings.
    pub model: &'static str,
    /// Images a second in the median window.
    pub samples_per_s: f64,
    /// In the slowest and in the fastest window.
    pub range: [f64; 2],
    /// Images for each second of processor time, of all threads together: what other work on the machine hardly moves.
    pub samples_per_cpu_s: f64,
    /// Images of a step.
    pub batch: i64,
    /// Threads.
    pub threads: u32,
    /// `cpu`, `cuda:0` …
    pub device: String,
    /// `float32`, `bfloat16` or `float16`.
    pub precision: &'static str,
    /// Whether images lay pixel by pixel.
    pub channels_last: bool,
}

/// Measures some models, or all; `tell` gets each result as it comes.
pub fn bench(names: &[String], how: Bench, tell: &mut dyn FnMut(&Measured)) -> Result<Vec<Measured>, Problem> {
    let chosen: Vec<&'static str> = match names {
        [] => NAMES.to_vec(),
        names => {
            let known = |name: &String| NAMES.iter().copied().find(|n| n == name).ok_or_else(|| no_such_model(name));
            names.iter().map(known).collect::<Result<_, _>>()?
        }
    };
    let one = |name| {
        let measured = measure(name, how);
        tell(&measured);
        measured
    };
    Ok(chosen.into_iter().map(one).collect())
}

/// One line for a person.
#[must_use]
pub fn text(row: &Measured) -> String {
    let Measured { model, samples_per_s, range: [low, high], batch, threads, device, precision, .. } = row;
    let format = if row.channels_last { ", channels last" } else { "" };
    format!(
        "{model:<10} {samples_per_s:>10.0} images/s ({low:.0} to {high:.0})  \
         batch {batch}, {threads} threads, {device}, {precision}{format}"
    )
}

/// A model, its learner and made-up images.
struct Rig {
    model: Box<dyn Model>,
    numerics: Numerics,
    learner: Backprop,
    images: Part,
    order: Tensor,
    how: Bench,
}

fn measure(model: &'static str, how: Bench) -> Measured {
    let mut rig = Rig::new(model, how);
    rig.steps(3);
    let began = Instant::now();
    rig.steps(2);
    let step = began.elapsed() / 2;
    let steps = (WINDOW.as_secs_f64() / step.as_secs_f64()).ceil().max(1.0) as i64;
    rig.steps(steps);
    let window = |_| {
        let (began, worked) = (Instant::now(), processor_time());
        rig.steps(steps);
        let images = (steps * how.batch) as f64;
        (images / began.elapsed().as_secs_f64(), images / (processor_time() - worked))
    };
    let (mut rates, mut efforts): (Vec<f64>, Vec<f64>) = (0..how.windows).map(window).unzip();
    rates.sort_by(f64::total_cmp);
    efforts.sort_by(f64::total_cmp);
    let found = hardware(how.device);
    Measured {
        model,
        samples_per_s: rates[how.windows / 2],
        range: [rates[0], rates[how.windows - 1]],
        samples_per_cpu_s: efforts[how.windows / 2],
        batch: how.batch,
        threads: found.threads,
        device: found.device,
        precision: how.precision.name(),
        channels_last: rig.numerics.channels_last,
    }
}

/// Seconds that this process has kept processors busy.
fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

impl Rig {
    fn new(name: &str, how: Bench) -> Self {
        let shape = models::usual_shape(name);
        let mut params = Params::new(0);
        let model = models::usual(name, &mut params, shape);
        let numerics = Numerics::new(how.precision, how.memory_format, how.device, &params);
        let joined = params.join(how.device);
        let optimizer = optim::Config::adam(1e-3).build(&joined);
        let learner = Backprop::new(joined.leaves, optimizer, None, how.precision.scale());
        let count = BATCHES * how.batch;
        let floats = (Kind::Float, how.device);
        let wave = (Tensor::arange(count * shape.pixels(), floats) * 0.37).sin();
        let images = Part::ready(
            wave.view([count, shape.channels, shape.rows, shape.columns]),
            Tensor::arange(count, (Kind::Int64, how.device)).remainder(shape.classes),
        );
        let order = (Tensor::arange(count, (Kind::Int64, how.device)) * 7919).remainder(count);
        Self { model: numerics.around(model), numerics, learner, images, order, how }
    }

    /// Takes steps and waits until the last is done.
    fn steps(&mut self, steps: i64) {
        let mut loss = Tensor::new();
        for step in 0..steps {
            let places = self.order.narrow(0, step % BATCHES * self.how.batch, self.how.batch);
            let (x, y) = self.images.batch(&places);
            loss = self.learner.learn(&*self.model, &x, &y, 1e-3);
        }
        wait(self.how.device);
        assert!(loss.double_value(&[]).is_finite(), "made-up images are learnt without trouble");
    }
}
