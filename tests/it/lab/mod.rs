//! The laboratory of the cluster tests: a small research repository without phases, whose code is pushed.

pub(crate) mod recorded;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::sandbox::Sandbox;

/// A trainer that writes its result at once.
pub(crate) const AT_ONCE: &str = r#"#!/bin/sh
dir="$AR_RUN_DIR/seed-$AR_SEED"
mkdir -p "$dir"
printf '{"schema":1,"run":"%s","seed":%s,"commit":"%s","config_digest":"%s","status":"completed",' \
    "$AR_RUN" "$AR_SEED" "$AR_COMMIT" "$AR_CONFIG_DIGEST" > "$dir/part"
printf '"epochs_planned":1,"epochs_run":1,"metrics":{"val/accuracy":%s}}\n' \
    '{"final":0.5,"best":0.5,"best_epoch":1,"direction":"maximize"}' >> "$dir/part"
mv "$dir/part" "$dir/metrics.json"
"#;

/// Epochs of a third of a second with a checkpoint after each; on SIGTERM it stops, and it goes on where it was. It fails
/// at its end while the site's scratch holds a file `fail`.
pub(crate) const IN_EPOCHS: &str = r#"#!/bin/sh
d=$AR_RUN_DIR/seed-$AR_SEED
mkdir -p "$d"
trap 'kill "$s" 2>/dev/null; exit 143' TERM
e=0
[ ! -f "$d/last.ckpt" ] || e=$(($(wc -l <"$d/last.ckpt")))
while [ "$e" -lt "$(sed -n 's/^epochs: //p' "$AR_CONFIG")" ]; do
    sleep 0.3 & s=$!
    wait "$s"
    e=$((e + 1))
    echo "0.$((100 + e))" >>"$d/last.ckpt"
done
[ ! -e "$AR_SITE/../fail" ] || { echo "Error: the data is not ready" >&2; exit 3; }
printf '{"schema":1,"run":"%s","seed":%s,"commit":"%s","config_digest":"%s","status":"completed","epochs_planned":%s,"epochs_run":%s,"metrics":{"val/accuracy":{"final":0.5,"best":0.5,"best_epoch":1,"direction":"maximize"}},"curve":{"val/accuracy":[%s]}}' \
    "$AR_RUN" "$AR_SEED" "$AR_COMMIT" "$AR_CONFIG_DIGEST" "$e" "$e" "$(paste -s -d , "$d/last.ckpt")" >"$d/metrics.part"
mv "$d/metrics.part" "$d/metrics.json"
"#;

/// One project without phases, one experiment, one board, committed. `files` come besides, a cluster's profile among
/// them; `trainer` is the value in `configs/ar.yaml`.
pub(crate) fn research(sandbox: &Sandbox, trainer: &str, files: &[(&str, &str)]) {
    sandbox.write("configs/ar.yaml", &format!("schema: 1\nloop: off\ntrainer: {trainer}\n"));
    sandbox.write("configs/config.yaml", "defaults:\n  - _self_\n  - experiment: null\nseed: 0\nepochs: 2\n");
    let experiment = "# @package _global_\ndataset: {name: digits}\nmodel: {name: ffnn, hidden: [8]}\n";
    sandbox.write("configs/experiment/mlp.yaml", experiment);
    sandbox.write("configs/board/digits.yaml", "schema: 1\ntitle: Digits\ndataset: digits\nmetric: val/accuracy\n");
    sandbox.write("projects/anp/project.yaml", "schema: 1\ntitle: Digits\nquestion: Which net?\n");
    files.iter().for_each(|(path, text)| sandbox.write(path, text));
    sandbox.git("add -A");
    sandbox.git("commit -q -m start");
}

/// The trainer of a repository that brings its own.
pub(crate) const OWN: &str = "[sh, ./train.sh]";

/// What is committed is pushed to a bare repository in the home folder.
pub(crate) fn push(sandbox: &Sandbox) {
    sandbox.sh(sandbox.home(), "git init -q --bare remote.git");
    // A relative place, so that a copy of the home folder has a remote of its own.
    sandbox.git("remote add origin ../remote.git");
    sandbox.git("push -q -u origin develop");
}

/// A program that can be started.
pub(crate) fn program(path: &Path, text: &str) {
    // Under another name first: one that is being started cannot be written.
    let part = path.with_extension("part");
    std::fs::write(&part, text).unwrap();
    std::fs::set_permissions(&part, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::rename(part, path).unwrap();
}

/// Every one of these words is in a text.
pub(crate) fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is not in:\n{text}");
    }
}

/// None of these words is in a text.
pub(crate) fn lacks(text: &str, words: &[&str]) {
    for word in words {
        assert!(!text.contains(word), "`{word}` is in:\n{text}");
    }
}

/// What a command says as JSON.
pub(crate) fn json_of(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let output = sandbox.ar(&[arguments, &["--json"]].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", sandbox.shown(&output)))
}

/// The id of the latest run.
pub(crate) fn latest(sandbox: &Sandbox) -> String {
    let list = json_of(sandbox, &["run", "list"]);
    list["data"]["runs"].as_array().unwrap().last().unwrap()["run"].as_str().unwrap().to_string()
}
