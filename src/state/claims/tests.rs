//! Claims on trees in memory: the program's own findings by its printed figures, and every kind of sentence on rows
//! with raw seeds.

use super::*;
use crate::state::tree::MemoryTree;

const FOLDER: &str = "projects/digits/iterations/1-width";

/// The program's boards.
fn program() -> MemoryTree {
    MemoryTree::default()
        .with("configs/board/mnist.yaml", include_str!("../../../tests/data/claims/mnist.yaml"))
        .with("configs/board/cifar10.yaml", include_str!("../../../tests/data/claims/cifar10.yaml"))
}

/// Three rows of one iteration: `narrow` (91 ± 1 %), `wide` (96 ± 1 %), `deep` (96.2 ± 1 %, not told from `wide`);
/// `narrow` is the baseline and 90.5 ± 1 % is reported for it.
fn rows() -> MemoryTree {
    let board = "schema: 1\ntitle: D\ndataset: digits\nsource: a paper\nreported:\n  - {project: digits, iteration: 1, label: Narrow net, mean: 0.905, std: 0.01, n: 3, experiment: narrow}\n";
    let iteration = "schema: 1\nphase: analyze\nsteps: []\nprediction: {metric: val/accuracy, direction: maximize, baseline: digits/1/narrow, minimal_effect: 0.02, seeds: 3}\n\
                     plan:\n  - {experiment: narrow, seeds: 0-2}\n  - {experiment: wide, seeds: 0-2}\n  - {experiment: deep, seeds: 0-2}\n";
    let mut tree = MemoryTree::default()
        .with("configs/board/digits.yaml", board)
        .with(&format!("{FOLDER}/iteration.yaml"), iteration);
    for (id, name, values, params) in [
        ("aaaa1-narrow", "narrow", [0.90, 0.91, 0.92], 100),
        ("bbbb2-wide", "wide", [0.95, 0.96, 0.97], 200),
        ("cccc3-deep", "deep", [0.952, 0.962, 0.972], 150),
    ] {
        tree = with_run(tree, id, name, &values, params);
    }
    tree
}

fn with_run(mut tree: MemoryTree, id: &str, name: &str, values: &[f64], params: u64) -> MemoryTree {
    let folder = format!("{FOLDER}/runs/{id}");
    let run = format!(
        "schema: 1\nkind: full\nexperiment: {name}\ncluster: local\ncreated: 2026-01-02T03:04:05Z\n\
         anchor: {{commit: c0, code_tree: t, manifest: m}}\ncommand: [x]\nconfig_digest: d-{name}\nseeds: 0-{}\n",
        values.len() - 1
    );
    tree = tree
        .with(&format!("{folder}/run.yaml"), &run)
        .with(&format!("{folder}/config.yaml"), "dataset: {name: digits}\n")
        .with(
            &format!("{folder}/attempts/1.yaml"),
            "schema: 1\ncluster: local\nsubmitted: 2026-01-02T03:04:05Z\nverdict: succeeded\n",
        );
    for (seed, value) in values.iter().enumerate() {
        let metrics = format!(
            r#"{{"schema":1,"run":"{id}","seed":{seed},"commit":"c0","config_digest":"d-{name}","status":"completed","epochs_planned":1,"epochs_run":1,"params":{params},
            "metrics":{{"val/accuracy":{{"final":{value},"best":{value},"best_epoch":1,"direction":"maximize"}},
            "test/accuracy":{{"final":{},"best":{},"best_epoch":1,"direction":"maximize"}},
            "val/loss":{{"final":{},"best":{},"best_epoch":1,"direction":"minimize"}}}}}}"#,
            value - 0.01,
            value - 0.01,
            1.0 - value,
            1.0 - value
        );
        tree = tree.with(&format!("{folder}/seed-{seed}/metrics.json"), &metrics);
    }
    tree
}

/// `words: verdict` for every claim of a file.
fn checked(tree: &MemoryTree, path: &str) -> Vec<String> {
    let bytes = tree.read(path).unwrap().unwrap();
    let claims = Checker::new(tree).unwrap().file(path, &bytes).unwrap();
    claims.iter().map(|c| format!("{}: {}", c.claim, c.verdict)).collect()
}

/// The claims of one sentence in analysis.md.
fn said(sentence: &str) -> Vec<String> {
    checked(&rows().with(&format!("{FOLDER}/analysis.md"), sentence), &format!("{FOLDER}/analysis.md"))
}

/// The claims of a finding.
fn found(text: &str, cites: &str) -> Vec<String> {
    let path = "projects/digits/findings/f.yaml";
    let finding = format!("schema: 1\ntext: {}\ncites: [{cites}]\n", serde_json::Value::from(text));
    checked(&rows().with(path, &finding), path)
}

#[test]
fn the_programs_own_findings() {
    let tree = program();
    assert_eq!(
        checked(&tree, "configs/board/mnist.yaml"),
        [
            "worse than: not separated",
            "beats: not separated",
            "25 %: without a source",
            "beats: supported",
            "1.25 pp: without a source",
            "trails: not separated",
            "0.06 pp: supported",
            "3.46 pp: supported",
        ]
    );
    assert_eq!(checked(&tree, "configs/board/cifar10.yaml"), ["16.09 pp: supported", "7.01 pp: supported"]);
    let path = "configs/board/mnist.yaml";
    let bytes = tree.read(path).unwrap().unwrap();
    let claims = Checker::new(&tree).unwrap().file(path, &bytes).unwrap();
    // Carried for the two fully spiking nets; the three hybrids are not told apart.
    assert!(claims[0].why.starts_with("2 of 5 pairs supported."), "{}", claims[0].why);
    assert!(claims[0].sources.iter().all(|s| s.reported && s.name.ends_with("as reported")));
    assert!(claims[4].why.contains("SNN-CNN (rate, T=25) and SNN-FFNN (rate, T=25)"), "{}", claims[4].why);
    assert!((claims[1].p.unwrap() - 0.21).abs() < 0.01 && claims[1].alpha == Some(0.05));
}

#[test]
fn comparisons_in_every_wording() {
    for (sentence, verdict) in [
        ("wide beats narrow.", "supported"),
        ("narrow beats wide.", "contradicted"),
        ("deep beats wide.", "not separated"),
        ("wide beats deep.", "contradicted"),
        ("The wide net does not beat the narrow one.", "contradicted"),
        ("deep does not outperform wide.", "supported"),
        ("narrow is worse than wide.", "supported"),
        ("narrow is no worse than wide.", "contradicted"),
        ("wide is no worse than narrow.", "supported"),
        ("deep is level with wide.", "supported"),
        ("narrow is level with wide.", "contradicted"),
        ("There is no difference between wide and deep.", "supported"),
        ("There is no difference between wide and narrow.", "contradicted"),
        ("wide is at least as good as deep.", "supported"),
        ("narrow is beaten by wide.", "supported"),
        ("wide never reaches narrow.", "contradicted"),
        ("wide beats the baseline.", "supported"),
        ("The baseline outperforms deep.", "contradicted"),
        ("Run bbbb2 lies above run aaaa1-narrow.", "supported"),
        ("digits/1/wide lies below digits/1/narrow.", "contradicted"),
        ("The loss of narrow is higher than that of wide.", "supported"),
        ("The loss of wide is higher than that of narrow.", "contradicted"),
        ("`wide` beats `narrow`.", "supported"),
        ("wide and deep both beat narrow.", "supported"),
        ("deep beats narrow and wide.", "not separated"),
        ("Neither narrow nor wide beats deep.", "supported"),
        ("Neither deep nor wide beats narrow.", "contradicted"),
        ("As expected, narrow beats wide, even if narrowly.", "contradicted"),
        ("As predicted, wide outperforms narrow.", "supported"),
        ("Nothing beats deep.", "supported"),
        ("Nothing beats narrow.", "contradicted"),
        ("All nets beat narrow.", "supported"),
        ("deep outperforms all others.", "not separated"),
        ("narrow is the worst of the three.", "supported"),
        ("narrow is the best of the three.", "contradicted"),
    ] {
        let claims = said(sentence);
        assert!(claims.len() == 1 && claims[0].ends_with(&format!(": {verdict}")), "{sentence}: {claims:?}");
    }
}

#[test]
fn figures_in_every_unit() {
    for (sentence, claims) in [
        ("wide ends at 96.00 ± 1.00 %.", "96.00 ± 1.00 %: supported"),
        ("wide ends at 96.00 ± 1.20 %.", "96.00 ± 1.20 %: contradicted"),
        ("wide ends at 96 % over three seeds.", "96 %: supported|three seeds: supported"),
        ("wide ends at 96 % over five seeds.", "96 %: supported|five seeds: contradicted"),
        ("wide reaches an accuracy of 0.96.", "0.96: supported"),
        ("wide reaches 96.00 ± 1.00.", "96.00 ± 1.00: supported"),
        ("wide reaches 97.1 %.", "97.1 %: contradicted"),
        ("Its test accuracy is 95 %, says wide.", "95 %: supported"),
        ("wide reaches 95.0 % on the test images.", "95.0 %: supported"),
        ("wide makes an error of 4.0 %.", "4.0 %: supported"),
        ("wide ends between 95 and 97 %.", "95 and 97 %: supported"),
        ("wide ends between 95.5 and 97 %.", "95.5 and 97 %: contradicted"),
        ("wide stays above 95 % and below 96.5 %.", "95 %: supported|96.5 %: supported"),
        ("wide stays above 96.5 %.", "96.5 %: contradicted"),
        ("narrow and wide reach 91 % and 96 % respectively.", "91 %: supported|96 %: supported"),
        ("narrow and wide reach 96 % and 91 % respectively.", "96 %: contradicted|91 %: contradicted"),
        ("narrow reaches 96 %, wide 91 %.", "96 %: contradicted|91 %: contradicted"),
        ("We see 96 % for wide and 91 % for narrow.", "96 %: supported|91 %: supported"),
        ("wide beats narrow by 5.00 pp (p = 0.0036).", "beats: supported|5.00 pp: supported|0.0036: supported"),
        ("wide beats narrow by 7 pp (p = 0.4).", "beats: supported|7 pp: contradicted|0.4: contradicted"),
        ("wide gains +5.0 pp over narrow (p < 0.01).", "5.0 pp: supported|0.01: supported"),
        ("wide: -5.0 pp against narrow.", "5.0 pp: contradicted"),
        ("narrow has 50 % fewer parameters than wide.", "50 %: supported"),
        ("wide ends at 96,00 %.", "96,00 %: without a source"),
        ("The error drops from 9.0 % (narrow) to 4.0 % (wide).", "9.0 %: supported|4.0 %: supported"),
        ("The wide net improves the accuracy from 91 % to 96 %.", "91 % to 96 %: supported"),
        ("The val/loss of wide is 0.0400.", "0.0400: supported"),
        ("wide has 0.95 accuracy.", "0.95: contradicted"),
        ("99.9 % is what we get.", "99.9 %: contradicted"),
        ("For narrow 90.5 ± 1.0 % are reported.", "90.5 ± 1.0 %: supported"),
        ("narrow reaches 90.5 ± 1.0 %.", "90.5 ± 1.0 %: contradicted"),
        ("Others report 99.7 % [@lecun].", ""),
        ("Would 99 % be possible?", ""),
        ("We expect that narrow beats wide.", ""),
        ("A longer training would reach 99 %.", ""),
        ("```\nwide reaches 99 %\n```", ""),
    ] {
        assert_eq!(said(sentence).join("|"), claims, "{sentence}");
    }
}

#[test]
fn tables_are_checked_by_row_and_head() {
    let table = |wide: &str| {
        format!(
            "| Row | Accuracy | Delta | n |\n|:--|--:|--:|--:|\n| wide | {wide} | +5.00 pp | 3 |\n| narrow | 91.0 ± 1.0 |  | 3 |\n"
        )
    };
    assert_eq!(said(&table("96.0 ± 1.0")).iter().filter(|c| c.ends_with(": supported")).count(), 5);
    assert_eq!(said(&table("98.0 ± 1.0"))[0], "98.0 ± 1.0: contradicted");
}

#[test]
fn a_finding_is_about_the_runs_it_cites() {
    assert_eq!(found("It reaches 96 %.", "bbbb2-wide"), ["96 %: supported"]);
    assert_eq!(found("It reaches 96 %.", "aaaa1-narrow"), ["96 %: contradicted"]);
    assert_eq!(found("The first outperforms the second.", "bbbb2-wide, aaaa1-narrow"), ["outperforms: supported"]);
    // Neither is named, so either may be meant.
    assert_eq!(found("The first outperforms the second.", "aaaa1-narrow, bbbb2-wide"), ["outperforms: supported"]);
    assert_eq!(found("This one outperforms that one.", "cccc3-deep, bbbb2-wide"), ["outperforms: not separated"]);
    assert_eq!(found("It gains 5.0 pp.", "bbbb2-wide, aaaa1-narrow"), ["5.0 pp: supported"]);
    assert_eq!(found("Wide nets beat narrow ones.", "aaaa1-narrow, bbbb2-wide"), ["beat: supported"]);
    assert_eq!(found("It reaches 96 %.", ""), ["96 %: without a source"]);
    let all = "aaaa1-narrow, bbbb2-wide, cccc3-deep";
    assert_eq!(found("This one outperforms that one.", all), ["outperforms: without a source"]);
}

/// A finding about runs of ours, as the program words its own.
#[test]
fn the_programs_wordings_on_rows_of_ours() {
    let mut tree = rows();
    let mut cites = Vec::new();
    for (id, name, values) in [
        ("d1-sfnn_ttfs", "sfnn_ttfs", [0.959, 0.96, 0.961]),
        ("d2-sfnn_rate", "sfnn_rate", [0.98, 0.981, 0.982]),
        ("d3-hybrid_gru_ttfs", "hybrid_gru_ttfs", [0.985, 0.986, 0.987]),
        ("d4-hybrid_gru_rate", "hybrid_gru_rate", [0.9852, 0.9862, 0.9873]),
        ("d5-pc_cnn_v2", "pc_cnn_v2", [0.991, 0.992, 0.993]),
        ("d6-cnn", "cnn", [0.9916, 0.9926, 0.9936]),
    ] {
        tree = with_run(tree, id, name, &values, 10);
        cites.push(id);
    }
    let path = "projects/digits/findings/f.yaml";
    let found = |text: &str, cites: &[&str]| {
        let finding = format!("schema: 1\ntext: {}\ncites: [{}]\n", serde_json::Value::from(text), cites.join(", "));
        let tree = tree.clone().with(path, &finding);
        let claims = Checker::new(&tree).unwrap().file(path, finding.as_bytes()).unwrap();
        claims.into_iter().map(|c| format!("{}: {}: {}", c.claim, c.verdict, c.why)).collect::<Vec<_>>()
    };
    let all = found("TTFS is worse than rate coding in every architecture tried", &cites[..4]);
    assert!(all.len() == 1 && all[0].starts_with("worse than: not separated: 1 of 2 pairs supported."), "{all:?}");
    let one = found("TTFS is worse than rate coding", &cites[..2]);
    assert!(one.len() == 1 && one[0].starts_with("worse than: supported"), "{one:?}");
    let trails = found("PC-CNN v2 trails the CNN by 0.06 pp only", &cites[4..]);
    assert!(
        trails[0].starts_with("trails: not separated") && trails[1].starts_with("0.06 pp: supported"),
        "{trails:?}"
    );
    let gru = found("Hybrid-GRU TTFS is no worse than Hybrid-GRU rate.", &cites[2..4]);
    assert!(gru.len() == 1 && gru[0].starts_with("no worse than: supported"), "{gru:?}");
}

#[test]
fn a_document_elsewhere_is_checked_where_it_names_something() {
    let tree = rows().with(
        "docs/a.md",
        "Version 2 is 30 % faster, 98 % of the time.\n\nbbbb2-wide reaches 99 %.\n\nThe accuracy is 98 %.\n",
    );
    assert_eq!(checked(&tree, "docs/a.md"), ["99 %: contradicted", "98 %: without a source"]);
}
