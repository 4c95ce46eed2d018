//! Trainings lower the loss, depend on the seed alone, and optimizers do what their equations say.

use tch::{Device, Kind, Tensor};

use super::{DIGITS, Scene, timeless};
use crate::state::record::{Metrics, Status};
use crate::state::yaml::{Limits, parse};
use crate::train::fit::End;
use crate::train::optim;
use crate::train::params::Params;

#[test]
fn a_training_lowers_the_loss_and_reports_it() {
    let metrics = Scene::new(DIGITS).finish(0);
    let losses = &metrics.curve["train/loss"];
    assert!(losses[2] < losses[1] && losses[1] < losses[0], "{losses:?}");
    assert!(metrics.metrics["val/accuracy"].last > 0.6 && metrics.metrics["test/accuracy"].last > 0.6);
    assert_eq!((metrics.status, metrics.epochs_run, metrics.params), (Status::Completed, 3, Some(2_410)));
}

#[test]
fn a_seed_fixes_everything() {
    let once = timeless(Scene::new(DIGITS).finish(7));
    assert_eq!(once, timeless(Scene::new(DIGITS).finish(7)));
    assert_ne!(once.curve, timeless(Scene::new(DIGITS).finish(8)).curve);
}

#[test]
fn a_smoke_run_takes_a_few_steps_and_no_look_at_the_test_images() {
    let scene = Scene::new(DIGITS);
    let mut task = scene.task(0);
    task.smoke = true;
    let Ok(End::Finished(metrics)) = scene.fit(&task, None) else { panic!("a smoke run ends") };
    assert_eq!((metrics.status, metrics.epochs_run, metrics.epochs_planned), (Status::Completed, 1, 1));
    assert!(metrics.metrics.contains_key("val/accuracy") && !metrics.metrics.contains_key("test/accuracy"));
}

#[test]
fn a_loss_that_is_not_finite_ends_the_seed_and_names_the_step() {
    let scene = Scene::new(&DIGITS.replace("lr: 0.003", "lr: 1.0e+30"));
    let problem = scene.fit(&scene.task(0), None).unwrap_err();
    assert!(problem.message.contains("in step ") && problem.message.ends_with("of epoch 1"), "{problem}");
    let metrics = Metrics::from_json(&std::fs::read(scene.seed_dir(0).join("metrics.json")).unwrap()).unwrap();
    assert_eq!((metrics.status, metrics.error), (Status::Failed, Some(problem.message)));
}

#[test]
fn a_training_that_is_stuck_stops_early() {
    let config = DIGITS.replace("lr: 0.003", "lr: 0.0").replace("epochs: 3", "epochs: 9");
    let metrics = Scene::new(&format!("{config}early_stopping: {{patience: 2}}\n")).finish(0);
    assert_eq!((metrics.status, metrics.epochs_run, metrics.best_epoch), (Status::EarlyStopped, 3, Some(1)));
}

/// Adam written out for one number, in double precision.
fn adam(gradients: &[f64], decay: f64, decoupled: bool) -> f64 {
    let (mut w, mut m, mut v) = (1.0, 0.0, 0.0);
    for (t, g) in (1..).zip(gradients) {
        let g = if decoupled { *g } else { g + decay * w };
        if decoupled {
            w -= 0.1 * decay * w;
        }
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        w -= 0.1 * (m / (1.0 - 0.9f64.powi(t))) / ((v / (1.0 - 0.999f64.powi(t))).sqrt() + 1e-8);
    }
    w
}

const GRADIENTS: [f64; 4] = [0.3, -1.2, 0.7, 0.0];

/// Where a weight of 1 is after these gradients.
fn stepped(optimizer: &str, settings: &str) -> f64 {
    let settings = parse(settings.as_bytes(), Limits::default()).unwrap().unwrap();
    let mut params = Params::new(0);
    let _ = params.constant("w", &[5], 1.0);
    let joined = params.join(Device::Cpu);
    let mut optimizer = optim::Config::read(optimizer, &settings).unwrap().build(&joined);
    for gradient in GRADIENTS {
        optimizer.step(&[Tensor::full([5], gradient, (Kind::Float, Device::Cpu))], 0.1);
    }
    joined.leaves[0].double_value(&[4])
}

#[test]
fn adam_follows_its_equations() {
    for (name, decay, decoupled) in [("adam", 0.0, false), ("adam", 0.5, false), ("adamw", 0.5, true)] {
        let settings = format!("{{lr: 0.1, weight_decay: {decay}}}");
        let (found, expected) = (stepped(name, &settings), adam(&GRADIENTS, decay, decoupled));
        assert!((found - expected).abs() < 1e-5, "{name} {decay}: {found} {expected}");
    }
}

/// Descent written out for one number, in double precision.
fn sgd(gradients: &[f64], momentum: f64, nesterov: bool) -> f64 {
    let (mut w, mut v) = (1.0, 0.0);
    for g in gradients {
        let g = g + 0.01 * w;
        v = momentum * v + g;
        w -= 0.1 * if nesterov { g + momentum * v } else { v };
    }
    w
}

#[test]
fn descent_follows_its_equations() {
    for (momentum, nesterov) in [(0.0, false), (0.9, false), (0.9, true)] {
        let settings = format!("{{lr: 0.1, momentum: {momentum}, nesterov: {nesterov}, weight_decay: 0.01}}");
        let (found, expected) = (stepped("sgd", &settings), sgd(&GRADIENTS, momentum, nesterov));
        assert!((found - expected).abs() < 1e-5, "{settings}: {found} {expected}");
    }
}
