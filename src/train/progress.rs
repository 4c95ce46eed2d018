//! What a person sees of a training: a bar on a terminal, one line per epoch, one line at the end.
#![allow(clippy::print_stderr, reason = "the engine's own words")]

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::history::{History, SELECTION};
use crate::state::record::{Metrics, Status};

/// Where the words go.
pub trait Watcher {
    /// A training begins or goes on.
    fn start(&mut self, seed: u64, epochs: u64, steps: u64, history: &History);
    /// A step is done.
    fn step(&mut self);
    /// An epoch is done.
    fn epoch(&mut self, history: &History);
    /// Something else to say.
    fn say(&mut self, words: &str);
    /// The training has ended or stopped.
    fn end(&mut self);
}

/// The bars of all seeds, below each other. Nothing is drawn where standard error is no terminal.
#[derive(Debug, Default)]
pub struct Bars(MultiProgress);

impl Bars {
    /// The watcher of one seed.
    #[must_use]
    pub fn one(&self) -> Terminal<'_> {
        Terminal { bars: self, bar: ProgressBar::hidden(), seed: 0, epochs: 0 }
    }

    /// A line above the bars, or on its own.
    pub fn say(&self, words: &str) {
        if self.0.is_hidden() {
            eprintln!("{words}");
        } else {
            self.0.suspend(|| eprintln!("{words}"));
        }
    }
}

/// Words on standard error about one seed.
#[derive(Debug)]
pub struct Terminal<'a> {
    bars: &'a Bars,
    bar: ProgressBar,
    seed: u64,
    epochs: u64,
}

impl Watcher for Terminal<'_> {
    fn start(&mut self, seed: u64, epochs: u64, steps: u64, history: &History) {
        (self.seed, self.epochs) = (seed, epochs);
        let style = "{prefix} {bar:30} {percent}% {msg} {elapsed} left {eta}";
        let style = ProgressStyle::with_template(style).expect("the template is a constant");
        let bar = ProgressBar::new(epochs * steps).with_style(style).with_prefix(format!("seed {seed}"));
        self.bar = self.bars.0.add(bar);
        self.bar.set_position(history.epoch * steps + history.step);
        self.bar.reset_eta();
        self.bar.set_message(format!("epoch {}/{epochs}", history.epoch));
    }

    fn step(&mut self) {
        self.bar.inc(1);
    }

    fn epoch(&mut self, history: &History) {
        let last = |series: &str| history.curve.get(series).and_then(|values| values.last()).copied();
        let mut words = format!("epoch {}/{}", history.epoch, self.epochs);
        for series in ["train/loss", "val/loss", "val/accuracy"] {
            if let Some(value) = last(series) {
                words.push_str(&format!(" {series} {value:.4}"));
            }
        }
        self.bar.set_message(words.clone());
        let seconds = history.seconds.last().copied().unwrap_or_default();
        self.say(&format!("seed {}: {words} ({seconds:.1} s)", self.seed));
    }

    fn say(&mut self, words: &str) {
        self.bars.say(words);
    }

    fn end(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The last line, for programs and `grep`.
#[must_use]
pub fn last_line(metrics: &Metrics) -> String {
    let status = match metrics.status {
        Status::Completed => "completed",
        Status::EarlyStopped => "early_stopped",
        Status::Failed => "failed",
    };
    let mut line =
        format!("result: run={} seed={} status={status} epochs={}", metrics.run, metrics.seed, metrics.epochs_run);
    for name in [SELECTION, "test/accuracy"] {
        if let Some(metric) = metrics.metrics.get(name) {
            line.push_str(&format!(" {name}={:.4}", metric.last));
        }
    }
    line + &format!(" params={} wall_s={:.1}", metrics.params.unwrap_or_default(), metrics.timing.wall_s)
}
