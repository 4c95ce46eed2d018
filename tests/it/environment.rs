//! The Python environment of a person's own trainer: made on the site by `cluster setup`, used by its jobs.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::sandbox::Sandbox;
use crate::site::{PBS_18, Site, wait};
use crate::submit::lab;

/// A trainer that needs a package.
const TRAIN: &str = r#"import json, os, sys
import tiny_ar
out = os.path.join(os.environ["AR_RUN_DIR"], "seed-" + os.environ["AR_SEED"])
os.makedirs(out, exist_ok=True)
metric = {"final": tiny_ar.ANSWER, "best": tiny_ar.ANSWER, "best_epoch": 1, "direction": "maximize"}
result = {"schema": 1, "run": os.environ["AR_RUN"], "seed": int(os.environ["AR_SEED"]), "commit": os.environ["AR_COMMIT"],
          "config_digest": os.environ["AR_CONFIG_DIGEST"], "status": "completed", "epochs_planned": 1, "epochs_run": 1,
          "metrics": {"val/accuracy": metric}}
with open(out + "/part", "w") as file:
    json.dump(result, file)
os.replace(out + "/part", out + "/metrics.json")
print(sys.prefix)
"#;

/// A folder with one package, made by hand.
fn wheels(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1] + '/tiny_ar-1.0-py3-none-any.whl', 'w')\n\
        z.writestr('tiny_ar.py', 'ANSWER = 0.75\\n')\ni = 'tiny_ar-1.0.dist-info/'\n\
        z.writestr(i + 'METADATA', 'Metadata-Version: 2.1\\nName: tiny_ar\\nVersion: 1.0\\n')\n\
        z.writestr(i + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: hand\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n\
        z.writestr(i + 'RECORD', 'tiny_ar.py,,\\n' + i + 'METADATA,,\\n' + i + 'WHEEL,,\\n' + i + 'RECORD,,\\n')\nz.close()\n";
    let made = Command::new("/usr/bin/python3").args(["-c", script]).arg(folder).status();
    assert!(made.expect("python3 is needed: apt-get install python3-venv").success());
}

/// The repository of a group with a trainer in Python, and a site that has the Python of the system.
fn group(site: &Site, environment: &str) -> Sandbox {
    let sandbox = lab(site, "ssh");
    sandbox.write("configs/ar.yaml", "schema: 1\nloop: off\ntrainer: [python, train.py]\n");
    sandbox.write("train.py", TRAIN);
    sandbox.write("requirements.txt", "# what train.py imports\ntiny_ar==1.0\n");
    profile(&sandbox, site, environment);
    sandbox
}

fn profile(sandbox: &Sandbox, site: &Site, environment: &str) {
    let text = format!("{}environment: {{{environment}}}\n", site.profile("ssh"));
    sandbox.commit("configs/cluster/site.yaml", &text);
    sandbox.git("push -q");
}

fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is not in:\n{text}");
    }
}

#[test]
fn an_environment_is_made_once_and_used_by_every_job() {
    let site = Site::start(PBS_18);
    wheels(&site.path("home/wheels"));
    let sandbox = group(&site, "requirements: requirements.txt, wheels: $HOME/wheels");
    let refused = sandbox.run("run submit mlp --seeds 0");
    has(&refused, &["the Python environment", "is not there yet", "git ar cluster setup site", "[exit 4]"]);
    assert!(site.jobs().is_empty());
    has(&sandbox.run("cluster doctor site"), &["missing  python"]);
    let made = sandbox.run("cluster setup site");
    has(&made, &["done     python       Python 3.", "already  environment  python can be used", "done     job"]);
    wait(|| sandbox.run("cluster setup site").contains("ran on"), "the test job's result");
    let again = sandbox.run("cluster setup site");
    has(&again, &["already  python       Python 3.", "; Python 3."]);
    has(&sandbox.run("cluster doctor site"), &["ok       python"]);
    has(&sandbox.run("run submit mlp --seeds 0"), &["is queued on site"]);
    site.idle();
    has(&sandbox.run("tick --now"), &["succeeded: seeds 0"]);
    let list: Value = serde_json::from_slice(&sandbox.ar(&["run", "list", "--json"]).stdout).unwrap();
    let run = list["data"]["runs"][0]["run"].as_str().unwrap().to_string();
    has(&sandbox.read(&format!("projects/anp/runs/{run}/seed-0/metrics.json")), &["0.75"]);
    // Other requirements are another environment; the one that stands stays for jobs that wait.
    sandbox.commit("requirements.txt", "tiny_ar\n");
    sandbox.git("push -q");
    has(&sandbox.run("run submit mlp --seeds 1"), &["is not there yet", "[exit 4]"]);
    has(&sandbox.run("cluster setup site --no-job"), &["done     python"]);
    has(&sandbox.run("run submit mlp --seeds 1"), &["is queued on site"]);
    site.idle();
}

#[test]
fn what_keeps_an_environment_from_being_made_is_told_with_what_to_do() {
    let site = Site::start(PBS_18);
    let sandbox = group(&site, "python: python9");
    let said = sandbox.run("cluster setup site");
    has(&said, &["failed   python", "there is no python9 after the modules", "`modules:`", "[exit 1]"]);
    profile(&sandbox, &site, "requirements: requirements.txt, wheels: $HOME");
    let said = sandbox.run("cluster setup site");
    has(
        &said,
        &["failed   python", "No matching distribution found for tiny_ar==1.0", ".log has all of it", "[exit 1]"],
    );
    sandbox.commit("requirements.txt", "-e .\n");
    has(&sandbox.run("cluster setup site"), &["`-e .` names what is not in this file", "[exit 5]"]);
    profile(&sandbox, &site, "requirements: none.txt");
    has(&sandbox.run("cluster setup site"), &["names none.txt, which is not there", "[exit 5]"]);
    assert!(site.jobs().is_empty());
}
