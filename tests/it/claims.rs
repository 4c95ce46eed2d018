//! `git ar claim check`, `git ar taint` and `git ar board diff` from outside.

use serde_json::Value;

use super::sandbox::Sandbox;

const FOLDER: &str = "projects/digits/iterations/1-width";

/// A repository with a board and two rows, `narrow` (91 ± 1 %) and `wide` (96 ± 1 %), each anchored to the commit
/// before it.
fn repository() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: reference\n");
    sandbox.write("configs/board/digits.yaml", "schema: 1\ntitle: Digits\ndataset: digits\n");
    sandbox.write("configs/experiment/narrow.yaml", "# @package _global_\nwidth: 1\n");
    sandbox.write("projects/digits/project.yaml", "schema: 1\ntitle: Digits\nquestion: How wide?\n");
    sandbox.write(
        &format!("{FOLDER}/iteration.yaml"),
        "schema: 1\nphase: survey\nsteps:\n  - {to: survey, at: 2026-01-01T00:00:00Z}\ncompare_to: digits/1/narrow\n",
    );
    let first = sandbox.commit("src/data.py", "good = 1\n");
    run(&sandbox, "aaaa1-narrow", "narrow", &first, &[0.90, 0.91, 0.92]);
    let second = sandbox.commit("src/data.py", "bad = 1\n");
    run(&sandbox, "bbbb2-wide", "wide", &second, &[0.95, 0.96, 0.97]);
    sandbox.git("add -A");
    sandbox.git("commit -q -m runs");
    sandbox
}

fn run(sandbox: &Sandbox, id: &str, experiment: &str, commit: &str, values: &[f64]) {
    let folder = format!("{FOLDER}/runs/{id}");
    sandbox.write(
        &format!("{folder}/run.yaml"),
        &format!(
            "schema: 1\nkind: full\nexperiment: {experiment}\ncluster: local\ncreated: 2026-01-02T03:04:05Z\n\
             anchor: {{commit: {commit}, code_tree: aaaaaa, manifest: m}}\ncommand: [x]\nconfig_digest: d-{experiment}\nseeds: 0-{}\n",
            values.len() - 1
        ),
    );
    sandbox.write(&format!("{folder}/config.yaml"), "dataset: {name: digits, classes: 10}\n");
    let attempt = "schema: 1\ncluster: local\nsubmitted: 2026-01-02T03:04:05Z\nexit: {at: 2026-01-02T04:00:00Z, code: 0}\nverdict: succeeded\n";
    sandbox.write(&format!("{folder}/attempts/1.yaml"), attempt);
    for (seed, value) in values.iter().enumerate() {
        let metrics = format!(
            r#"{{"schema":1,"run":"{id}","seed":{seed},"commit":"{commit}","config_digest":"d-{experiment}","status":"completed","epochs_planned":10,"epochs_run":10,
            "metrics":{{"val/accuracy":{{"final":{value},"best":{value},"best_epoch":5,"direction":"maximize"}}}}}}"#
        );
        sandbox.write(&format!("{folder}/seed-{seed}/metrics.json"), &metrics);
    }
}

fn json(sandbox: &Sandbox, words: &[&str]) -> Value {
    serde_json::from_slice(&sandbox.ar(words).stdout).unwrap()
}

#[test]
fn claims_are_told_with_their_place_and_what_was_recomputed() {
    let sandbox = repository();
    sandbox.write(
        &format!("{FOLDER}/analysis.md"),
        "# Analysis\n\nThe wide net reaches 96.0 ± 1.0 % over three seeds and beats the narrow one by 5.0 pp.\nnarrow reaches\n93.0 %.\n",
    );
    let said = sandbox.run("claim check");
    for words in [
        "analysis.md:3: supported: 96.0 ± 1.0 %",
        "analysis.md:3: supported: three seeds",
        "analysis.md:3: supported: beats",
        "analysis.md:3: supported: 5.0 pp",
        "analysis.md:5: contradicted: 93.0 %",
        "digits/1/narrow: val/accuracy 91.00 ± 1.00 (n=3)",
        "runs: aaaa1-narrow",
        "5 claims in 1 documents: 4 supported, 0 not separated, 0 without a source, 1 contradicted",
        "[exit 1]",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    let value = json(&sandbox, &["claim", "check", "--json"]);
    let claims = value["data"]["claims"].as_array().unwrap();
    assert_eq!((claims.len(), value["ok"].as_bool()), (5, Some(false)));
    assert_eq!(claims[4]["verdict"], "contradicted");
    assert_eq!(claims[2]["sources"][1]["summary"]["mean"], 0.91);
    assert!(claims[2]["p"].as_f64().unwrap() < 0.05 && claims[2]["alpha"] == 0.05);
    // Results count as they are committed, and a file is found from where one stands.
    sandbox.write(&format!("{FOLDER}/runs/aaaa1-narrow/seed-0/metrics.json"), "{}");
    let said = sandbox.run_in(&sandbox.top().join(FOLDER), "claim check analysis.md");
    assert!(said.contains("91.00 ± 1.00 (n=3)"), "{said}");
    let said = sandbox.run("claim check nowhere.md");
    assert!(said.contains("nowhere.md") && said.contains("[exit 2]"), "{said}");
    assert!(sandbox.run("claim check configs/ar.yaml").contains("no document with claims"));
}

#[test]
fn a_bug_touches_what_ran_with_it() {
    let sandbox = repository();
    let [mended, bad] = ["HEAD", "HEAD~1"].map(|rev| sandbox.git(&format!("rev-parse {rev}")).trim().to_string());
    let head = sandbox.git("rev-parse HEAD");
    let said = sandbox.run(&format!("taint --introduced {bad}"));
    assert!(
        said.contains("bbbb2-wide") && !said.contains("aaaa1-narrow ") && said.contains("1 touched since"),
        "{said}"
    );
    assert!(said.contains("the boards would change:") && said.contains("left") && said.contains("1 → -"), "{said}");
    assert_eq!(sandbox.git("rev-parse HEAD"), head);
    // A path that the commit did not change, and one that is no code.
    let said = sandbox.run(&format!("taint --introduced {bad} -- src/other.py"));
    assert!(said.contains("no run was touched"), "{said}");
    assert!(sandbox.run(&format!("taint --introduced {bad} -- docs/x.md")).contains("is no code"));
    let said = sandbox.run(&format!("taint --introduced {bad} --fixed {bad}~1"));
    assert!(said.contains("does not come after") && said.contains("[exit 2]"), "{said}");

    let apply = format!("taint --introduced {bad} --fixed {mended} --apply --reason \"labels were shuffled\" -- src");
    let said = sandbox.run(&apply);
    assert!(
        said.contains("excluded now") && said.contains("the boards changed:") && said.contains("committed"),
        "{said}"
    );
    let record = sandbox.read(&format!("{FOLDER}/runs/bbbb2-wide/exclusion.yaml"));
    for words in ["reason: labels were shuffled", "cause: taint", &format!("fixed_by: {mended}")] {
        assert!(record.replace('"', "").contains(words), "{record}");
    }
    assert_eq!(sandbox.git("rev-list --count HEAD~1..HEAD").trim(), "1");
    assert!(sandbox.git("status --porcelain").is_empty() && sandbox.run("board check").contains("in step"));
    let head = sandbox.git("rev-parse HEAD");
    let again = sandbox.run(&apply);
    assert!(again.contains("nothing changed") && again.contains("0 touched"), "{again}");
    assert_eq!(sandbox.git("rev-parse HEAD"), head);

    let said = sandbox.run("board diff HEAD~1 HEAD");
    assert!(said.contains("left") && said.contains("digits/1/wide") && said.contains("[exit 1]"), "{said}");
}

#[test]
fn an_anchor_that_is_gone_is_unknown_and_told() {
    let sandbox = repository();
    run(&sandbox, "cccc3-lost", "lost", "0123456789012345678901234567890123456789", &[0.5, 0.6]);
    sandbox.git("add -A");
    sandbox.git("commit -q -m lost");
    let value = json(&sandbox, &["taint", "--introduced", "HEAD~2", "--json"]);
    let runs = value["data"]["runs"].as_array().unwrap();
    let standing = |id: &str| runs.iter().find(|r| r["run"] == id).unwrap()["standing"].clone();
    assert_eq!(
        (standing("cccc3-lost"), standing("bbbb2-wide"), standing("aaaa1-narrow")),
        ("unknown".into(), "touched".into(), "clear".into())
    );
    assert!(sandbox.run("taint --introduced HEAD~2").contains("its anchor is not in this clone"));
}

#[test]
fn boards_of_two_commits_are_compared() {
    let sandbox = repository();
    assert!(sandbox.run("board diff").contains("no row differs between HEAD and the work tree"));
    run(&sandbox, "dddd4-deep", "deep", "c0ffee", &[0.97, 0.98, 0.99]);
    let said = sandbox.run("board diff");
    assert!(said.contains("entered") && said.contains("digits/1/deep") && said.contains("- → 1"), "{said}");
    let value = json(&sandbox, &["board", "diff", "HEAD~1", "--json"]);
    let rows = value["data"]["rows"].as_array().unwrap();
    let row = rows.iter().find(|r| r["row"] == "digits/1/deep").unwrap();
    assert_eq!((row["change"].as_str(), row["after"]["rank"].as_u64()), (Some("entered"), Some(1)));
    assert!(sandbox.run("board diff HEAD --board nope").contains("neither side has a board"));
}
