//! Comparisons over small trees in memory.

use super::*;
use crate::state::ids::Slug;
use crate::state::pool::tests::run;
use crate::state::tree::MemoryTree;
use crate::state::yaml::from_str;

fn view(prediction: &str) -> IterationView {
    let text = format!("schema: 1\nphase: analyze\nprediction: {prediction}\n");
    IterationView {
        project: Slug::try_from("p").unwrap(),
        id: "1".parse().unwrap(),
        folder: "projects/p/iterations/1-a".into(),
        iteration: from_str(&text).unwrap(),
        text,
    }
}

fn compare(prediction: &str, runs: &[RunView]) -> Comparison {
    iteration(&MemoryTree::default(), &view(prediction), runs).unwrap()
}

fn beats_base(effect: f64) -> String {
    format!("{{metric: val/accuracy, direction: maximize, baseline: p/1/base, minimal_effect: {effect}, seeds: 3}}")
}

fn two_rows() -> [RunView; 2] {
    [
        run("a-base", "base", "0-2", &[(0, 0.90), (1, 0.91), (2, 0.92)]),
        run("b-new", "new", "0-2", &[(0, 0.95), (1, 0.96), (2, 0.97)]),
    ]
}

#[test]
fn a_prediction_is_met_not_met_or_not_decided() {
    let met = compare(&beats_base(0.02), &two_rows());
    assert_eq!(met.score.verdict, Verdict::Met, "{}", met.score.why);
    assert!((met.rows[0].delta.unwrap() - 0.05).abs() < 1e-12 && met.rows[1].score.is_none());
    assert_eq!(compare(&beats_base(0.06), &two_rows()).score.verdict, Verdict::NotMet);
    let noisy = [two_rows()[0].clone(), run("b-new", "new", "0-2", &[(0, 0.80), (1, 0.96), (2, 1.0)])];
    let noisy = compare(&beats_base(0.005), &noisy);
    assert_eq!(noisy.score.verdict, Verdict::NotDecided, "{}", noisy.score.why);
    let few = [two_rows()[0].clone(), run("b-new", "new", "0-1", &[(0, 0.95), (1, 0.96)])];
    assert!(compare(&beats_base(0.005), &few).score.why.contains("2 of the 3"));
}

#[test]
fn a_falling_metric_counts_downwards_and_a_value_needs_no_baseline() {
    let less = beats_base(0.02).replace("maximize", "minimize");
    assert_eq!(compare(&less, &two_rows()).score.verdict, Verdict::NotMet);
    let value =
        "{metric: val/accuracy, direction: maximize, baseline: none, reason: first, minimal_effect: 0.95, seeds: 3}";
    let reached = compare(value, &two_rows());
    assert_eq!(reached.score.verdict, Verdict::Met, "{}", reached.score.why);
    assert!(reached.score.why.contains("the best of 2 rows"));
}

#[test]
fn a_baseline_without_results_leaves_it_open() {
    let other = beats_base(0.01).replace("p/1/base", "p/7/base");
    let open = compare(&other, &two_rows());
    assert_eq!(open.score.verdict, Verdict::NotDecided);
    assert!(open.score.why.contains("no iteration"), "{}", open.score.why);
    assert!(compare(&beats_base(0.01), &[]).render().contains("Prediction: not decided"));
}

#[test]
fn the_text_is_stable_and_names_every_run() {
    let mut runs = two_rows().to_vec();
    let mut failed = run("c-new", "new", "5-6", &[(5, 0.97)]);
    failed.exclusion = Some(from_str("{schema: 1, reason: \"a | b\", at: 2026-01-02T03:04:05Z, seeds: [5]}").unwrap());
    runs.push(failed);
    let text = compare(&beats_base(0.02), &runs).body();
    assert_eq!(text, compare(&beats_base(0.02), &runs).body());
    assert!(text.contains("| c-new | 5-6 | excluded (seeds 5): a &#124; b; seed 6 seed missing |"), "{text}");
    assert!(text.contains("| new | 96.00 ± 1.00 (n=3) | +5.00 pp | 0.0036 | met |"), "{text}");
    assert!(text.contains("| a-base | 0-2 | healthy |"));
}
