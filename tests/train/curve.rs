//! The engine's learning curve beside PyTorch's, recorded by `tests/oracle/curve.py`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::common::Scene;

/// What the script records.
#[derive(Deserialize)]
struct Recorded {
    by: String,
    seed: u64,
    config: String,
    curve: BTreeMap<String, Vec<f64>>,
}

/// Losses of two programs that round differently drift apart; after 200 steps they are seen within 10⁻⁶.
const APART: f64 = 1e-4;

#[test]
fn the_digits_are_learnt_as_pytorch_learns_them() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/curves/ffnn_digits.json");
    let recorded: Recorded = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert!(recorded.by.contains("torch "), "{}", recorded.by);
    let scene = Scene::new(&recorded.config);
    let said = scene.run(&["--seed", &recorded.seed.to_string()]);
    let metrics = scene.path().join(format!("run/seed-{}/metrics.json", recorded.seed));
    let metrics: serde_json::Value = serde_json::from_slice(&std::fs::read(metrics).expect(&said)).unwrap();
    for (name, expected) in recorded.curve {
        let found: Vec<f64> = serde_json::from_value(metrics["curve"][&name].clone()).unwrap();
        assert_eq!(found.len(), expected.len(), "{name}");
        for (epoch, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert!((found - expected).abs() < APART, "{name} of epoch {}: {found} {expected}", epoch + 1);
        }
    }
}
