//! A training that was stopped goes on and ends with the numbers of an unbroken one, to the bit.

use super::{DIGITS, Scene, timeless};
use crate::state::record::Metrics;
use crate::train::fit::End;

/// Stops after each of these numbers of steps, then trains to the end. An epoch has 20 steps.
fn broken(config: &str, stops: &[usize]) -> Metrics {
    let scene = Scene::new(config);
    for steps in stops {
        assert!(matches!(scene.fit(&scene.task(3), Some(*steps)), Ok(End::Stopped)), "{stops:?}");
    }
    scene.finish(3)
}

#[test]
fn going_on_gives_the_numbers_of_an_unbroken_training() {
    let unbroken = timeless(Scene::new(DIGITS).finish(3));
    for stops in [&[1][..], &[19], &[21], &[7, 7, 7], &[33, 5], &[1, 1, 1, 40]] {
        assert_eq!(timeless(broken(DIGITS, stops)), unbroken, "{stops:?}");
    }
}

#[test]
fn statistics_velocity_schedule_clipping_and_augmentation_go_on_too() {
    for model in ["{name: resnet18, width: 4, blocks: [1, 1, 1, 1]}", "{name: gru, hidden: 16, layers: 2}"] {
        let config = format!(
            "epochs: 2\nbatch_size: 128\ndataset: {{name: digits, augment: true}}\nmodel: {model}\ngrad_clip: 0.5\n\
             optimizer: {{name: sgd, lr: 0.05, momentum: 0.9, nesterov: true, weight_decay: 0.0005}}\n\
             schedule: {{name: cosine, warmup: 1}}\n"
        );
        let unbroken = timeless(Scene::new(&config).finish(3));
        assert_eq!(timeless(broken(&config, &[4])), unbroken, "{model}");
        assert_eq!(timeless(broken(&config, &[12, 3])), unbroken, "{model}");
    }
}

#[test]
fn tracking_goes_on_with_every_epoch_once() {
    let config = format!("{DIGITS}wandb: {{enabled: true, project: p}}\ntensorboard: {{enabled: true}}\n");
    let tracked = |stops: &[usize]| {
        let scene = Scene::new(&config);
        for steps in stops {
            scene.fit(&scene.task(3), Some(*steps)).unwrap();
        }
        let metrics = scene.finish(3);
        assert_eq!(metrics.wandb.as_ref().unwrap().project.as_deref(), Some("p"));
        let sizes = |name: &str| {
            let folders = walkdir::WalkDir::new(scene.seed_dir(3)).into_iter().flatten();
            let files = folders.filter(|f| f.file_type().is_file() && f.path().display().to_string().contains(name));
            files.map(|f| f.metadata().unwrap().len()).collect::<Vec<_>>()
        };
        (sizes("tfevents"), sizes(".wandb").len())
    };
    let (unbroken, logs) = tracked(&[]);
    assert_eq!((unbroken.len(), logs), (1, 1));
    assert_eq!(tracked(&[21, 25]), (unbroken, logs));
}

#[test]
fn a_checkpoint_that_is_cut_short_is_passed_over() {
    let unbroken = timeless(Scene::new(DIGITS).finish(3));
    let scene = Scene::new(DIGITS);
    scene.fit(&scene.task(3), Some(45)).unwrap();
    let last = scene.seed_dir(3).join("checkpoint.safetensors");
    let bytes = std::fs::read(&last).unwrap();
    for keep in [0, 7, 100, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&last, &bytes[..keep]).unwrap();
        let other = Scene::new(DIGITS);
        std::fs::create_dir_all(other.seed_dir(3)).unwrap();
        for file in ["checkpoint.safetensors", "checkpoint.previous.safetensors", "best.safetensors"] {
            std::fs::copy(scene.seed_dir(3).join(file), other.seed_dir(3).join(file)).unwrap();
        }
        assert_eq!(timeless(other.finish(3)), unbroken, "{keep} bytes kept");
    }
}

#[test]
fn a_checkpoint_of_another_config_is_refused() {
    let scene = Scene::new(DIGITS);
    scene.fit(&scene.task(0), Some(5)).unwrap();
    let mut task = scene.task(0);
    task.config_digest = "d2".into();
    let problem = scene.fit(&task, None).unwrap_err();
    assert_eq!(problem.message, "the checkpoint here is of another config");
    scene.finish(0);
    assert!(scene.fit(&task, None).unwrap_err().message.contains("result of another config"));
}
