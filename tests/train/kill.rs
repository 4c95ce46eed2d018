//! Trainings that are killed at any moment, and disks that are full: nothing is lost but time.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::common::{DIGITS, Scene, spoken};

/// How often a training is killed at most.
const KILLS: u32 = 12;

#[test]
fn killed_at_random_moments_it_ends_with_the_numbers_of_an_unbroken_training() {
    let config = DIGITS.replace("epochs: 3", "epochs: 40");
    let unbroken = Scene::new(&config);
    let began = Instant::now();
    unbroken.run(&[]);
    let whole = began.elapsed();
    let (scene, chance) = (Scene::new(&config), RandomState::new());
    let mut told = Vec::new();
    for kill in 0..KILLS {
        let mut running = scene.command(&[]).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let moment = whole.mul_f64(chance.hash_one(kill) as f64 / u64::MAX as f64);
        std::thread::sleep(moment);
        let signal = if kill % 2 == 0 { "-KILL" } else { "-TERM" };
        Command::new("kill").args([signal, &running.id().to_string()]).stderr(Stdio::null()).status().unwrap();
        told.push(format!("{signal} after {moment:?}: {}", running.wait().unwrap()));
    }
    let said = scene.run(&[]);
    assert!(said.starts_with("Some(0)\n"), "{told:?}: {said}");
    assert_eq!(scene.metrics(), unbroken.metrics(), "{told:?}");
}

#[test]
fn no_space_for_a_checkpoint_is_told_before_the_first_epoch() {
    let scene = Scene::new(DIGITS);
    // Files may have 8 KiB or less; a checkpoint of this network has more.
    let limited = scene.command(&[]);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\""]).arg(limited.get_program()).env_clear();
    shell.envs(limited.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let said = spoken(&shell.output().unwrap());
    assert!(said.starts_with("Some(12)\nerror: cannot write ") && said.contains("checkpoint.safetensors"), "{said}");
    assert!(said.contains("hint: check free space"), "{said}");
    let left: Vec<_> = std::fs::read_dir(scene.seed_dir()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(scene.run(&[]).starts_with("Some(0)\n"));
    let unbroken = Scene::new(DIGITS);
    unbroken.run(&[]);
    assert_eq!(scene.metrics(), unbroken.metrics());
}
