//! The reference trainer: the contract with a trainer (`docs/trainer-contract.md`) as one short program.
//!
//! It trains one hidden layer on the built-in digits and is meant to be read. It is on no board of ours.
//!
//! ```text
//! x: 64 pixels from 0 to 1        h = max(0, x W + a)        z = h V + c        p = softmax(z)
//! loss of an image with label y:  L = -ln p[y]               (mean over the batch)
//! gradients:  dz = p - onehot(y)  dV = hᵀ dz   dc = dz       dh = (dz Vᵀ) where h > 0   dW = xᵀ dh   da = dh
//! sgd:   v <- momentum v + g      w <- w - lr v                               (g has weight_decay w in it)
//! adam:  m <- β₁ m + (1-β₁) g     v <- β₂ v + (1-β₂) g²     w <- w - lr (m/(1-β₁ᵗ)) / (√(v/(1-β₂ᵗ)) + eps)
//! ```
//!
//! Every draw comes from (seed, epoch), so a training that was stopped and started again ends with the same numbers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::contract::Task;
use super::digits::{CLASSES, Digits, PIXELS, Part, Random};
use super::reference_files::{Checkpoint, Optimizer, Recipe, finished, write_metrics};
use crate::state::problem::{Kind, Problem};

/// Batches of a smoke run.
const SMOKE_BATCHES: usize = 5;

/// How a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The metrics are written.
    Finished,
    /// It was asked to stop; the checkpoint of the last whole epoch is there.
    Stopped,
}

/// Trains one seed. `stop` is looked at between batches; `say` is given one line per epoch.
pub fn train(task: &Task, stop: &AtomicBool, say: &dyn Fn(&str)) -> Result<End, Problem> {
    let recipe = Recipe::read(&task.config)?;
    if finished(task)? {
        say(&format!("seed {}: finished earlier", task.seed));
        return Ok(End::Finished);
    }
    let digits = Digits::load();
    let hidden = recipe.hidden();
    let mut state = match Checkpoint::load(task, parameters(hidden))? {
        Some(checkpoint) => {
            say(&format!("seed {}: goes on after epoch {}", task.seed, checkpoint.epoch));
            checkpoint
        }
        None => Checkpoint::start(initial(hidden, task.seed)),
    };
    let epochs = if task.smoke { 1 } else { recipe.epochs };
    while state.epoch < epochs {
        let began = Instant::now();
        let Some(train_loss) = epoch(&mut state, &recipe, &digits.train, task, stop) else {
            return Ok(End::Stopped);
        };
        state.epoch += 1;
        let (accuracy, loss) = evaluate(&state.weights, hidden, &digits.val);
        state.note(&[("train/loss", train_loss), ("val/accuracy", accuracy), ("val/loss", loss)]);
        state.seconds.push(began.elapsed().as_secs_f64());
        say(&format!(
            "seed {}: epoch {}/{epochs} train/loss {train_loss:.4} val/accuracy {accuracy:.4}",
            task.seed, state.epoch
        ));
        if !(train_loss.is_finite() && loss.is_finite()) {
            let message = format!("the loss is not finite in epoch {}", state.epoch);
            write_metrics(task, &state, epochs, Err(&message))?;
            let hint = "lower optimizer.lr; the checkpoint of the epoch before is kept";
            return Err(Problem::new(Kind::Found, "diverged", message).hint(hint));
        }
        if !task.smoke {
            state.save(task)?;
        }
    }
    let (accuracy, loss) = evaluate(&state.weights, hidden, &digits.test);
    let test = BTreeMap::from([("test/accuracy", accuracy), ("test/loss", loss)]);
    write_metrics(task, &state, epochs, Ok(&test))?;
    say(&format!("seed {}: test/accuracy {accuracy:.4} after {epochs} epochs", task.seed));
    Ok(End::Finished)
}

/// Numbers in a net: `W` (64 × hidden), `a` (hidden), `V` (hidden × 10), `c` (10), in this order in one list.
fn parameters(hidden: usize) -> usize {
    PIXELS * hidden + hidden + hidden * CLASSES + CLASSES
}

/// The four parts of the list.
fn parts(weights: &[f32], hidden: usize) -> (&[f32], &[f32], &[f32], &[f32]) {
    let (first, second) = weights.split_at(PIXELS * hidden + hidden);
    let (w, a) = first.split_at(PIXELS * hidden);
    let (v, c) = second.split_at(hidden * CLASSES);
    (w, a, v, c)
}

/// Weights and biases uniform in ±1/√inputs of their layer.
fn initial(hidden: usize, seed: u64) -> Vec<f32> {
    let mut random = Random::new(&[seed, 0]);
    let first = PIXELS * hidden + hidden;
    let bound = |index| 1.0 / if index < first { PIXELS as f32 } else { hidden as f32 }.sqrt();
    (0..parameters(hidden)).map(|index| (2.0 * random.unit() - 1.0) * bound(index)).collect()
}

/// to += factor · from
fn add(to: &mut [f32], factor: f32, from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(t, f)| *t += factor * f);
}

/// The hidden layer and the probabilities of one image.
fn forward(weights: &[f32], x: &[f32], h: &mut [f32]) -> [f32; CLASSES] {
    let (w, a, v, c) = parts(weights, h.len());
    h.copy_from_slice(a);
    for (pixel, row) in x.iter().zip(w.chunks_exact(h.len())).filter(|(p, _)| **p != 0.0) {
        add(h, *pixel, row);
    }
    h.iter_mut().for_each(|h| *h = h.max(0.0));
    let mut z: [f32; CLASSES] = c.try_into().expect("ten biases");
    for (unit, row) in h.iter().zip(v.chunks_exact(CLASSES)).filter(|(u, _)| **u != 0.0) {
        add(&mut z, *unit, row);
    }
    let top = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    z.iter_mut().for_each(|z| *z = (*z - top).exp());
    let sum: f32 = z.iter().sum();
    z.map(|e| e / sum)
}

/// -ln p, kept finite when p is rounded to 0.
fn loss(p: f32) -> f64 {
    -f64::from(if p.is_nan() { p } else { p.max(f32::MIN_POSITIVE) }).ln()
}

/// Adds the gradient of one image to `g` and returns its loss.
fn backward(weights: &[f32], x: &[f32], label: usize, h: &mut [f32], g: &mut [f32]) -> f64 {
    let hidden = h.len();
    let mut dz = forward(weights, x, h);
    let loss = loss(dz[label]);
    dz[label] -= 1.0;
    let (_, _, v, _) = parts(weights, hidden);
    let (first, second) = g.split_at_mut(PIXELS * hidden + hidden);
    let (dw, da) = first.split_at_mut(PIXELS * hidden);
    let (dv, dc) = second.split_at_mut(hidden * CLASSES);
    add(dc, 1.0, &dz);
    for ((unit, row), row_g) in h.iter_mut().zip(v.chunks_exact(CLASSES)).zip(dv.chunks_exact_mut(CLASSES)) {
        if *unit > 0.0 {
            add(row_g, *unit, &dz);
            *unit = row.iter().zip(&dz).map(|(v, d)| v * d).sum(); // h becomes dh
        } else {
            *unit = 0.0;
        }
    }
    add(da, 1.0, h);
    for (pixel, row) in x.iter().zip(dw.chunks_exact_mut(hidden)).filter(|(p, _)| **p != 0.0) {
        add(row, *pixel, h);
    }
    loss
}

/// One pass over the training images; the mean loss, or `None` when it was asked to stop (the state is then unusable).
fn epoch(state: &mut Checkpoint, recipe: &Recipe, train: &Part, task: &Task, stop: &AtomicBool) -> Option<f64> {
    let mut order: Vec<usize> = (0..train.len()).collect();
    Random::new(&[task.seed, 1 + u64::from(state.epoch)]).shuffle(&mut order);
    let batches = if task.smoke { SMOKE_BATCHES } else { usize::MAX };
    let mut h = vec![0.0; recipe.hidden()];
    let mut g = vec![0.0; state.weights.len()];
    let (mut sum, mut seen) = (0.0, 0);
    for batch in order.chunks(recipe.batch_size).take(batches) {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        g.fill(0.0);
        for image in batch {
            let label = usize::from(train.labels[*image]);
            sum += backward(&state.weights, train.image(*image), label, &mut h, &mut g);
        }
        seen += batch.len();
        g.iter_mut().for_each(|g| *g /= batch.len() as f32);
        step(state, &recipe.optimizer, &g);
    }
    Some(sum / seen as f64)
}

/// One step of the optimizer.
fn step(state: &mut Checkpoint, rule: &Optimizer, gradient: &[f32]) {
    state.step += 1;
    let adam = rule.name == "adam";
    let [b1, b2] = rule.betas;
    let t = i32::try_from(state.step).unwrap_or(i32::MAX);
    let (c1, c2) = (1.0 - b1.powi(t), 1.0 - b2.powi(t));
    let moments = state.first.iter_mut().zip(&mut state.second);
    for ((w, (m, v)), g) in state.weights.iter_mut().zip(moments).zip(gradient) {
        let g = g + rule.weight_decay * *w;
        if adam {
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            *w -= rule.lr * (*m / c1) / ((*v / c2).sqrt() + rule.eps);
        } else {
            *m = rule.momentum * *m + g;
            *w -= rule.lr * *m;
        }
    }
}

/// Accuracy (a fraction) and mean loss over a part.
fn evaluate(weights: &[f32], hidden: usize, part: &Part) -> (f64, f64) {
    let mut h = vec![0.0; hidden];
    let (mut right, mut sum) = (0, 0.0);
    for (index, label) in part.labels.iter().enumerate() {
        let p = forward(weights, part.image(index), &mut h);
        let best = (0..CLASSES).fold(0, |best, class| if p[class] > p[best] { class } else { best });
        right += usize::from(best == usize::from(*label));
        sum += loss(p[usize::from(*label)]);
    }
    (f64::from(u32::try_from(right).expect("few images")) / part.len() as f64, sum / part.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::record::{Metrics, Status};
    use std::cell::Cell;
    use std::path::Path;

    const CONFIG: &str = "epochs: 3\nbatch_size: 32\ndataset: {name: digits}\nmodel: {name: ffnn, hidden: [16]}\n\
        optimizer: {name: adam, lr: 0.01}\nschedule: {name: constant}\nwandb: {enabled: false}\n";

    fn task(folder: &Path, config: &str) -> Task {
        let path = folder.join("config.yaml");
        std::fs::write(&path, config).unwrap();
        Task {
            run_dir: folder.join("run"),
            seed: 7,
            config: path,
            smoke: false,
            run: "kq7f3-a".into(),
            commit: "c".into(),
            config_digest: "d".into(),
        }
    }

    fn metrics(task: &Task) -> Metrics {
        let bytes = std::fs::read(task.seed_dir().join("metrics.json")).unwrap();
        let mut metrics = Metrics::from_json(&bytes).unwrap();
        metrics.timing = Default::default();
        metrics
    }

    fn run(config: &str) -> (tempfile::TempDir, Task, Result<End, Problem>) {
        let folder = tempfile::tempdir().unwrap();
        let task = task(folder.path(), config);
        let end = train(&task, &AtomicBool::new(false), &|_| {});
        (folder, task, end)
    }

    #[test]
    fn it_learns_and_says_what_the_contract_asks() {
        let (_folder, task, end) = run(CONFIG);
        assert_eq!(end.unwrap(), End::Finished);
        let metrics = metrics(&task);
        assert_eq!((metrics.seed, metrics.epochs_run, metrics.status), (7, 3, Status::Completed));
        assert_eq!(metrics.params, Some(64 * 16 + 16 + 160 + 10));
        assert!(metrics.metrics["val/accuracy"].last > 0.7, "{:?}", metrics.metrics);
        let loss = &metrics.curve["train/loss"];
        assert!(loss.len() == 3 && loss[2] < loss[0]);
    }

    #[test]
    fn stopped_and_started_again_ends_with_the_same_numbers() {
        let (_folder, whole, _) = run(CONFIG);
        let folder = tempfile::tempdir().unwrap();
        let task = task(folder.path(), CONFIG);
        let stop = AtomicBool::new(false);
        let lines = Cell::new(0);
        let end = train(&task, &stop, &|_| {
            lines.set(lines.get() + 1);
            stop.store(lines.get() == 2, Ordering::Relaxed);
        });
        assert_eq!(end.unwrap(), End::Stopped);
        assert!(!task.seed_dir().join("metrics.json").exists());
        stop.store(false, Ordering::Relaxed);
        let said = Cell::new(String::new());
        train(&task, &stop, &|line| said.set(said.take() + line)).unwrap();
        assert!(said.take().contains("goes on after epoch 2"));
        assert_eq!(metrics(&task), metrics(&whole));
    }

    #[test]
    fn a_finished_seed_is_left_alone_and_seeds_differ() {
        let (_folder, mut task, _) = run(CONFIG);
        let first = metrics(&task);
        assert_eq!(train(&task, &AtomicBool::new(true), &|_| {}).unwrap(), End::Finished);
        task.seed = 8;
        train(&task, &AtomicBool::new(false), &|_| {}).unwrap();
        assert_ne!(metrics(&task).metrics, first.metrics);
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_loss() {
        let (hidden, mut random) = (5, Random::new(&[1]));
        let mut weights: Vec<f32> = initial(hidden, 1);
        let x: Vec<f32> = (0..PIXELS).map(|_| random.unit()).collect();
        let (mut h, mut g) = (vec![0.0; hidden], vec![0.0; weights.len()]);
        backward(&weights, &x, 3, &mut h, &mut g);
        for index in [0, 100, 319, 322, 325, 340, 375, 384] {
            let at = |weights: &[f32], h: &mut [f32]| loss(forward(weights, &x, h)[3]);
            let kept = weights[index];
            weights[index] = kept + 0.01;
            let above = at(&weights, &mut h);
            weights[index] = kept - 0.01;
            let slope = (above - at(&weights, &mut h)) / 0.02;
            weights[index] = kept;
            assert!((slope - f64::from(g[index])).abs() < 1e-3, "{index}: {slope} {}", g[index]);
        }
    }

    #[test]
    fn a_smoke_run_is_one_short_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let task = Task { smoke: true, ..task(folder.path(), CONFIG) };
        train(&task, &AtomicBool::new(false), &|_| {}).unwrap();
        assert_eq!((metrics(&task).epochs_planned, metrics(&task).epochs_run), (1, 1));
        assert!(!task.seed_dir().join("checkpoint.json").exists());
    }

    #[test]
    fn a_loss_without_end_is_a_failure_with_its_reason() {
        let (_folder, task, end) = run(&CONFIG.replace("lr: 0.01", "lr: 3e38").replace("adam", "sgd"));
        assert!(end.unwrap_err().message.contains("not finite"));
        assert_eq!(metrics(&task).status, Status::Failed);
    }

    #[test]
    fn what_it_cannot_do_it_refuses_by_name() {
        for (from, to, word) in [
            ("digits", "mnist", "dataset.name is `mnist`"),
            ("[16]", "[16, 8]", "has 2 layers"),
            ("[16]", "[0]", "model.hidden is not"),
            ("adam", "lion", "sgd, adam"),
            ("lr: 0.01", "lr: -1", "optimizer.lr"),
            ("lr: 0.01", "lr: 0.01, nesterov: true", "optimizer.nesterov"),
            ("[16]", "[16], dropout: 0.2", "model.dropout"),
            ("constant", "cosine", "schedule.name"),
            ("batch_size: 32", "batch_size: 5000", "batch_size"),
            ("epochs: 3", "epochs: 0", "epochs"),
            ("epochs: 3\n", "", "`epochs` is missing"),
        ] {
            let (_folder, _, end) = run(&CONFIG.replace(from, to));
            let message = end.unwrap_err().message;
            assert!(message.contains(word), "{to}: {message}");
        }
        assert!(run(&CONFIG.replace("[16]", "[16], dropout: 0.0")).2.is_ok());
    }
}
