//! Public layouts of research trees, composed by an installed Hydra and by the real command: the same answers.
//!
//! The layouts are models of ones in common use: a training template with a group per concern, an application with
//! packages and one group used twice, a sequence toolkit with nested groups. `GIT_AR_PYTHON` names the Python.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

fn layouts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/layouts")
}

/// A Python that has Hydra.
fn python() -> Option<String> {
    let python = std::env::var("GIT_AR_PYTHON").unwrap_or_else(|_| "python3".into());
    let found = Command::new(&python).args(["-c", "import hydra"]).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success()).then_some(python)
}

fn questions() -> Vec<Json> {
    let text = std::fs::read_to_string(layouts().join("questions.json")).unwrap();
    let mut questions: Vec<Json> = serde_json::from_str(&text).unwrap();
    for question in &mut questions {
        question["folder"] = json!(layouts().join(question["layout"].as_str().unwrap()));
    }
    questions
}

/// What Hydra answers to all questions.
fn hydra(python: &str, questions: &[Json]) -> Vec<Json> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle.py");
    let mut command = Command::new(python);
    command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).env_remove("PROJECT_ROOT").env_remove("APP_HOST");
    let mut child = command.spawn().unwrap();
    let lines: String = questions.iter().map(|question| format!("{question}\n")).collect();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What the command answers to one question.
fn ours(question: &Json) -> Json {
    let multirun = question["multirun"] == true;
    let mut command = Command::new(env!("CARGO_BIN_EXE_git-ar"));
    command.args(["--json", "config", if multirun { "expand" } else { "show" }, "--resolve", "--config-dir"]);
    command.args([
        question["folder"].as_str().unwrap(),
        "--config-name",
        question["config_name"].as_str().unwrap(),
        "--",
    ]);
    command.args(question["overrides"].as_array().unwrap().iter().map(|o| o.as_str().unwrap())).env_clear();
    for (name, value) in question["env"].as_object().into_iter().flatten() {
        command.env(name, value.as_str().unwrap());
    }
    let envelope: Json = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    match envelope["ok"] == true {
        true => envelope["data"].clone(),
        false => json!({"error": envelope["errors"][0]["message"]}),
    }
}

#[test]
fn public_layouts_compose_as_hydra_composes_them() {
    let Some(python) = python() else {
        assert!(
            std::env::var("CI").is_err(),
            "CI must have a Python with hydra-core 1.3 (or GIT_AR_PYTHON naming one)"
        );
        eprintln!("skipped: public_layouts_compose_as_hydra_composes_them, because there is no Python with hydra-core");
        return;
    };
    let questions = questions();
    let answers = hydra(&python, &questions);
    assert_eq!(answers.len(), questions.len());
    let mut wrong = Vec::new();
    for (question, wanted) in questions.iter().zip(&answers) {
        let got = ours(question);
        let both_err = wanted.get("error").is_some() && got.get("error").is_some();
        // As text, so that the order of keys counts.
        let (hydras, ours) = (wanted.to_string(), got.to_string());
        if !both_err && hydras != ours {
            wrong.push(format!("{} {}\n  hydra {wanted}\n  ours  {got}", question["layout"], question["overrides"]));
        }
    }
    let composed = answers.iter().filter(|answer| answer.get("error").is_none()).count();
    assert!(composed * 3 > questions.len() * 2, "only {composed} of {} questions compose", questions.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
