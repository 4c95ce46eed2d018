//! A training that is told to stop writes a checkpoint; started again it goes on from there.

use std::process::Stdio;

use git_ar::state::record::Metrics;

use crate::common::{DIGITS, Scene, timeless};

#[test]
fn a_signal_writes_a_checkpoint_and_a_second_start_goes_on() {
    let config = DIGITS.replace("epochs: 3", "epochs: 60");
    let scene = Scene::new(&config);
    let mut running = scene.command(&[]).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    while !scene.seed_dir().join("checkpoint.safetensors").exists() {
        assert!(running.try_wait().unwrap().is_none(), "it ended before its first checkpoint");
        std::thread::yield_now();
    }
    let told = std::process::Command::new("kill").arg(running.id().to_string()).status().unwrap();
    assert!(told.success());
    assert_eq!(running.wait().unwrap().code(), Some(143));
    let said = scene.run(&[]);
    assert!(said.starts_with("Some(0)\n") && said.contains("goes on after epoch"), "{said}");
    let again = scene.run(&[]);
    assert!(again.contains("finished earlier") && again.contains("result: run=local"), "{again}");
    let found = Metrics::from_json(&std::fs::read(scene.seed_dir().join("metrics.json")).unwrap()).unwrap();
    let unbroken = Scene::new(&config);
    unbroken.run(&[]);
    let expected = Metrics::from_json(&std::fs::read(unbroken.seed_dir().join("metrics.json")).unwrap()).unwrap();
    assert_eq!(timeless(found), timeless(expected));
}

#[test]
fn seeds_side_by_side_give_the_numbers_of_seeds_one_by_one() {
    let scene = Scene::new(DIGITS);
    let said = scene.run(&["--seed", "0", "--seed", "1", "--seed", "2", "-j", "3"]);
    assert!(said.starts_with("Some(0)\n") && said.matches("result: run=local").count() == 3, "{said}");
    let read = |scene: &Scene, seed: u64| {
        let file = scene.path().join(format!("run/seed-{seed}/metrics.json"));
        timeless(Metrics::from_json(&std::fs::read(file).unwrap()).unwrap())
    };
    for seed in 0..3 {
        let alone = Scene::new(DIGITS);
        alone.run(&["--seed", &seed.to_string()]);
        assert_eq!(read(&scene, seed), read(&alone, seed), "seed {seed}");
    }
}
