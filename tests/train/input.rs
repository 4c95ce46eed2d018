//! What cannot be trained is refused before the first epoch, with the place and what to do.

use crate::common::{DIGITS, Scene};

/// What the engine says of a config made from the good one.
fn refused(from: &str, to: &str) -> String {
    assert!(DIGITS.contains(from));
    let scene = Scene::new(&DIGITS.replacen(from, to, 1));
    let said = scene.run(&[]);
    assert!(!scene.seed_dir().exists(), "{said}");
    said
}

#[test]
fn configs_are_checked() {
    for (from, to, code, expected) in [
        ("batch_size", "batch_sise", 5, "unknown key `batch_sise`"),
        ("lr: 0.003", "lr: -0.003", 5, "`lr` is -0.003; it is 0 or above"),
        ("lr: 0.003", "lr: much", 5, "expected a finite number, found `much`"),
        ("name: adam", "name: adan", 5, "did you mean `adam`?"),
        ("name: ffnn", "name: ffn", 5, "did you mean `ffnn`?"),
        ("hidden: [32]", "hiden: [32]", 5, "unknown key `hiden`"),
        ("hidden: [32]", "hidden: [0]", 5, "at least 1 unit"),
        ("name: digits", "name: digit", 5, "did you mean `digits`?"),
        ("batch_size: 64", "batch_size: 1258", 5, "above the 1257 training images"),
        ("device: cpu", "device: cuda:77", 5, "device is cuda:77, and "),
        ("device: cpu", "device: cpu\nprecision: float16", 5, "float16, which is for GPUs"),
        ("device: cpu", "device: cpu\nprecision: float8", 5, "float8"),
        ("device: cpu", "device: abacus", 5, "it is auto, cpu, cuda or cuda:N"),
        ("epochs: 3", "epochs: [", 5, "config.yaml:"),
    ] {
        let said = refused(from, to);
        assert!(said.starts_with(&format!("Some({code})\nerror: ")) && said.contains(expected), "{to}: {said}");
    }
}

#[test]
fn data_that_is_missing_or_broken_is_named() {
    let scene = Scene::new(&DIGITS.replace("digits", "mnist"));
    let said = scene.run(&[]);
    assert!(said.starts_with("Some(5)\n") && said.contains("AR_DATA") && said.contains("MD5"), "{said}");
    let data = scene.path().join("data/mnist");
    std::fs::create_dir_all(&data).unwrap();
    let root = scene.path().join("data").display().to_string();
    let with_data = || scene.run(&["--data", &root]);
    assert!(with_data().contains("train-images-idx3-ubyte.gz is missing"), "{}", with_data());
    let file = data.join("train-images-idx3-ubyte");
    std::fs::write(&file, [0, 0, 8, 1, 0, 0, 0, 2, 1]).unwrap();
    assert!(with_data().contains("cut short: 1 of 2 bytes"), "{}", with_data());
    std::fs::write(&file, [0, 0, 8, 1, 0, 0, 0, 1, 1]).unwrap();
    assert!(with_data().contains("not MNIST's file of this name"), "{}", with_data());
    std::fs::write(&file, b"<html>").unwrap();
    assert!(with_data().contains("not an idx file"), "{}", with_data());
}

#[test]
fn what_is_not_set_is_named() {
    let scene = Scene::new(DIGITS);
    let output = scene.command(&[]).env_remove("AR_RUN_DIR").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("AR_RUN_DIR is not set"));
    let output = scene.command(&["--config", "/nowhere/config.yaml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(12));
}
