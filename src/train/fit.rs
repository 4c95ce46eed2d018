//! The training loop: epochs, steps, evaluation, checkpoint, the end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use tch::{Device, Kind, Tensor};

use super::augment::crop_and_flip;
use super::checkpoint::Shelf;
use super::config::Config;
use super::data::Data;
use super::evaluate::evaluate;
use super::history::{History, SELECTION};
use super::learner::{Learner, backprop::Backprop};
use super::models::{self, Model};
use super::params::Params;
use super::precision::Numerics;
use super::progress::Watcher;
use super::report::{self, Facts};
use super::track::{Tracker, trackers};
use crate::config::Value;
use crate::runs::contract::Task;
use crate::runs::digits::Random;
use crate::state::problem::{Kind as What, Problem};
use crate::state::record::{Hardware, Metrics, Status};

/// Steps of a smoke run.
const SMOKE_STEPS: usize = 4;
/// Validation images of a smoke run.
const SMOKE_IMAGES: usize = 1000;
/// Losses are looked at every so many steps: on a GPU each look waits for it.
const LOOK: usize = 50;
/// Sets the order of the images apart from other draws of the same seed.
const ORDER: u64 = 0x0bde;
/// The same for augmentation.
const AUGMENT: u64 = 0xa09;

/// One seed to train.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The seed and where its files go.
    pub task: &'a Task,
    /// What is trained and how.
    pub config: &'a Config,
    /// The same as it was written, for tracking.
    pub written: &'a Value,
    /// The images.
    pub data: &'a Data,
    /// Where it runs.
    pub device: Device,
    /// The same for `metrics.json`.
    pub hardware: &'a Hardware,
    /// Set when the training is to stop at the next step.
    pub stop: &'a AtomicBool,
}

/// How a training ended.
#[derive(Debug)]
pub enum End {
    /// The metrics are written.
    Finished(Box<Metrics>),
    /// It was asked to stop; the checkpoint is written.
    Stopped,
}

/// Everything that moves during a training.
struct Training<'a> {
    job: Job<'a>,
    params: Params,
    model: Box<dyn Model>,
    numerics: Numerics,
    learner: Box<dyn Learner>,
    shelf: Shelf,
    trackers: Vec<Box<dyn Tracker>>,
    history: History,
    epochs: u64,
    steps: usize,
}

/// Trains one seed to its end, from its last checkpoint where there is one.
pub fn fit(job: Job<'_>, watcher: &mut dyn Watcher) -> Result<End, Problem> {
    if let Some(metrics) = report::finished(job.task)? {
        watcher.say(&format!("seed {}: finished earlier, nothing to do", job.task.seed));
        return Ok(End::Finished(Box::new(metrics)));
    }
    let mut training = Training::new(job)?;
    if !training.resume(watcher)? && !job.task.smoke {
        training.save().and_then(|()| training.shelf.has_room())?;
    }
    training.tell(|tracker, history| tracker.start(history))?;
    watcher.start(job.task.seed, training.epochs, training.steps as u64, &training.history);
    let end = training.run(watcher);
    watcher.end();
    end
}

impl<'a> Training<'a> {
    fn new(job: Job<'a>) -> Result<Self, Problem> {
        let Job { task, config, data, .. } = job;
        let mut params = Params::new(task.seed);
        let model = models::build(&config.model.name, &config.model.settings, &mut params, data.shape)
            .map_err(|error| error.in_file(&task.config.display().to_string()))?;
        let numerics = Numerics::new(config.precision, config.memory_format, job.device, &params);
        let joined = params.join(job.device);
        let optimizer = config.optimizer.build(&joined);
        let learner = Backprop::new(joined.leaves, optimizer, config.grad_clip, config.precision.scale());
        let steps = data.train.count().div_ceil(config.batch_size);
        let shelf = Shelf { folder: task.seed_dir(), seed: task.seed, digest: task.config_digest.clone() };
        Ok(Self {
            job,
            params,
            model: numerics.around(model),
            numerics,
            learner: Box::new(learner),
            shelf,
            trackers: trackers(&config.tracking, task, job.written),
            history: History { started: now(), ..History::default() },
            epochs: if task.smoke { 1 } else { config.epochs },
            steps: if task.smoke { steps.min(SMOKE_STEPS) } else { steps },
        })
    }

    fn run(&mut self, watcher: &mut dyn Watcher) -> Result<End, Problem> {
        let mut status = Status::Completed;
        while self.history.epoch < self.epochs {
            if !self.epoch(watcher)? {
                return Ok(End::Stopped);
            }
            watcher.epoch(&self.history);
            self.tell(|tracker, history| tracker.epoch(history))?;
            if self.history.epoch < self.epochs && self.is_stuck() {
                status = Status::EarlyStopped;
                break;
            }
        }
        let metrics = self.metrics(status, None, self.test()?);
        self.tell(|tracker, _| tracker.end(&metrics))?;
        report::write(self.job.task, &metrics)?;
        Ok(End::Finished(Box::new(metrics)))
    }

    /// One epoch, or the rest of it; false when it was asked to stop.
    fn epoch(&mut self, watcher: &mut dyn Watcher) -> Result<bool, Problem> {
        let Job { config, data, .. } = self.job;
        let began = Instant::now();
        let rate = config.schedule.rate(config.optimizer.rate(), self.history.epoch, self.epochs);
        let order = self.order();
        let size = config.batch_size;
        let mut losses = Vec::with_capacity(LOOK);
        for step in self.history.step as usize..self.steps {
            let start = step * size;
            let places = order.narrow(0, start as i64, size.min(data.train.count() - start) as i64);
            let (x, y) = data.train.batch(&places);
            let x = self.varied(x);
            losses.push((self.learner.learn(&*self.model, &x, &y, rate), y.size()[0]));
            self.history.step += 1;
            watcher.step();
            let stopping = self.job.stop.load(Ordering::Relaxed);
            if losses.len() == LOOK || stopping || step + 1 == self.steps {
                self.look(&mut losses)?;
            }
            if stopping && step + 1 < self.steps {
                self.history.wall += began.elapsed().as_secs_f64();
                self.save()?;
                return Ok(false);
            }
        }
        self.close_epoch(rate, began)?;
        Ok(true)
    }

    /// The order of the training images in this epoch: a matter of seed and epoch alone.
    fn order(&self) -> Tensor {
        let mut order: Vec<i64> = (0..self.job.data.train.count() as i64).collect();
        Random::new(&[self.job.task.seed, ORDER, self.history.epoch]).shuffle(&mut order);
        Tensor::from_slice(&order).to_device(self.job.device)
    }

    /// The batch of the next step, augmented where the config says so: a matter of seed, epoch and step alone.
    fn varied(&self, x: Tensor) -> Tensor {
        let Job { config, data, task, .. } = self.job;
        if !config.dataset.augment {
            return x;
        }
        let mut random = Random::new(&[task.seed, AUGMENT, self.history.epoch, self.history.step]);
        crop_and_flip(&x, data.train.black(), &mut random)
    }

    /// Adds the losses of the last steps to the epoch's; one that is not finite ends the training.
    fn look(&mut self, losses: &mut Vec<(Tensor, i64)>) -> Result<(), Problem> {
        let (tensors, images): (Vec<Tensor>, Vec<i64>) = losses.drain(..).unzip();
        let values = Vec::<f64>::try_from(Tensor::stack(&tensors, 0).to_kind(Kind::Double)).expect("one number a step");
        let first = self.history.step - values.len() as u64;
        for (index, (value, images)) in values.iter().zip(images).enumerate() {
            if !value.is_finite() {
                let step = first + index as u64 + 1;
                return Err(self.diverged(&format!("the loss is {value} in step {step}")));
            }
            self.history.loss += value * images as f64;
        }
        Ok(())
    }

    fn close_epoch(&mut self, rate: f64, began: Instant) -> Result<(), Problem> {
        let Job { config, data, task, .. } = self.job;
        let images = data.train.count().min(self.steps * config.batch_size);
        let most = if task.smoke { SMOKE_IMAGES } else { usize::MAX };
        let score = evaluate(&*self.model, &data.val, most);
        if !score.loss.is_finite() {
            return Err(self.diverged(&format!("the validation loss is {}", score.loss)));
        }
        let before = self.history.best(SELECTION);
        let loss = self.history.loss / images as f64;
        self.history.note(&[("train/loss", loss), ("val/loss", score.loss), (SELECTION, score.accuracy), ("lr", rate)]);
        let seconds = began.elapsed().as_secs_f64();
        self.history.seconds.push(seconds);
        self.history.wall += seconds;
        (self.history.epoch, self.history.step, self.history.loss) = (self.history.epoch + 1, 0, 0.0);
        if task.smoke {
            return Ok(());
        }
        if self.history.best(SELECTION) != before {
            self.shelf.save_best(&self.weights(), &self.history)?;
        }
        self.save()
    }

    /// Whether the metric of early stopping has not improved for as many epochs as the config allows.
    fn is_stuck(&self) -> bool {
        let Some(rule) = &self.job.config.early_stopping else { return false };
        self.history.best(&rule.metric).is_some_and(|(epoch, _)| self.history.epoch - epoch >= rule.patience)
    }

    /// The one look at the test images, with the weights of the best epoch. A smoke run takes none.
    fn test(&self) -> Result<Vec<(&'static str, f64)>, Problem> {
        if self.job.task.smoke {
            return Ok(Vec::new());
        }
        if let Some(best) = self.shelf.best()? {
            restore(&self.params, &|name| best.find(name));
        }
        let score = evaluate(&*self.model, &self.job.data.test, usize::MAX);
        Ok(vec![("test/accuracy", score.accuracy), ("test/loss", score.loss)])
    }

    /// Tells every tracker.
    fn tell(&mut self, what: impl Fn(&mut dyn Tracker, &History) -> Result<(), Problem>) -> Result<(), Problem> {
        self.trackers.iter_mut().try_for_each(|tracker| what(tracker.as_mut(), &self.history))
    }

    fn weights(&self) -> Vec<(String, Tensor)> {
        self.params.all().map(|(name, tensor)| (format!("model.{name}"), tensor.shallow_clone())).collect()
    }

    fn save(&self) -> Result<(), Problem> {
        let tensors: Vec<_> = self.weights().into_iter().chain(self.learner.state()).collect();
        self.shelf.save(&tensors, &self.history)
    }

    /// Goes back to the last checkpoint; false when there is none.
    fn resume(&mut self, watcher: &mut dyn Watcher) -> Result<bool, Problem> {
        if self.job.task.smoke {
            return Ok(false);
        }
        let (checkpoint, words) = self.shelf.last()?;
        words.iter().for_each(|words| watcher.say(words));
        let Some(checkpoint) = checkpoint else { return Ok(false) };
        if !restore(&self.params, &|name| checkpoint.find(name)) || !self.learner.restore(&|name| checkpoint.find(name))
        {
            return Err(Problem::new(What::Invalid, "checkpoint", "the checkpoint here is of another model")
                .at(self.shelf.folder.display().to_string())
                .hint("train into another run directory; each config and seed has its own"));
        }
        self.history = checkpoint.history;
        let History { epoch, step, .. } = self.history;
        watcher.say(&format!("seed {}: goes on after epoch {epoch}, step {step}", self.job.task.seed));
        Ok(true)
    }

    /// Writes that the training failed, and gives the problem.
    fn diverged(&mut self, message: &str) -> Problem {
        let message = format!("{message} of epoch {}", self.history.epoch + 1);
        let metrics = self.metrics(Status::Failed, Some(message.clone()), Vec::new());
        let problem = Problem::new(What::Found, "diverged", message).hint("lower optimizer.lr, or set grad_clip");
        let told = self.tell(|tracker, _| tracker.end(&metrics));
        match told.and_then(|()| report::write(self.job.task, &metrics)) {
            Ok(()) => problem,
            Err(unwritten) => unwritten,
        }
    }

    fn metrics(&self, status: Status, error: Option<String>, test: Vec<(&'static str, f64)>) -> Metrics {
        let facts = Facts {
            status,
            error,
            planned: self.epochs,
            test,
            params: self.params.count(),
            hardware: self.numerics.told(self.job.hardware),
            wandb: self.trackers.iter().find_map(|tracker| tracker.tracking()),
        };
        report::metrics(self.job.task, &self.history, &facts)
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// Copies tensors named `model.…` into a model; false when one is missing or of another size.
fn restore(params: &Params, find: &dyn Fn(&str) -> Option<Tensor>) -> bool {
    let _guard = tch::no_grad_guard();
    params.all().all(|(name, tensor)| match find(&format!("model.{name}")) {
        Some(saved) if saved.size() == tensor.size() => {
            tensor.shallow_clone().copy_(&saved);
            true
        }
        _ => false,
    })
}
