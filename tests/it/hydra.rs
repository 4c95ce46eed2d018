//! Every conformance case that the real Hydra answered, given to the real command.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

/// One case with the folder of its files.
struct Case {
    name: String,
    folder: PathBuf,
    config_name: Option<String>,
    overrides: Vec<String>,
    env: Vec<(String, String)>,
    multirun: bool,
    expected: Json,
}

fn texts(json: &Json) -> Vec<(String, String)> {
    let map = json.as_object().cloned().unwrap_or_default();
    map.into_iter().map(|(key, text)| (key, text.as_str().unwrap().to_string())).collect()
}

/// All cases of `tests/data/hydra`, their files written below `top`.
fn cases(top: &Path) -> Vec<Case> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hydra");
    let mut paths: Vec<_> = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut all = Vec::new();
    for path in paths.iter().filter(|p| p.extension().is_some_and(|e| e == "json")) {
        let file: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        for case in file["cases"].as_array().unwrap() {
            let files = case["tree"].as_str().map_or(&case["files"], |tree| &file["trees"][tree]);
            let folder = top.join(all.len().to_string());
            std::fs::create_dir(&folder).unwrap();
            for (name, text) in texts(files) {
                let place = folder.join(name);
                std::fs::create_dir_all(place.parent().unwrap()).unwrap();
                std::fs::write(place, text).unwrap();
            }
            all.push(read(case, folder));
        }
    }
    all
}

fn read(case: &Json, folder: PathBuf) -> Case {
    Case {
        name: case["name"].as_str().unwrap().to_string(),
        folder,
        config_name: case["config_name"].as_str().map(ToString::to_string),
        overrides: case["overrides"].as_array().unwrap().iter().map(|o| o.as_str().unwrap().to_string()).collect(),
        env: texts(&case["env"]),
        multirun: case["mode"] == "multirun",
        expected: case["expected"].clone(),
    }
}

/// What the command answers, as JSON.
fn answer(case: &Case) -> Json {
    let mut command = Command::new(env!("CARGO_BIN_EXE_git-ar"));
    command.args(["--json", "config", if case.multirun { "expand" } else { "show" }, "--resolve", "--config-dir"]);
    command.arg(&case.folder).env_clear().envs(case.env.iter().map(|(name, value)| (name, value)));
    if let Some(name) = &case.config_name {
        command.args(["--config-name", name]);
    }
    let output = command.arg("--").args(&case.overrides).output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{}: {error}\n{}", case.name, String::from_utf8_lossy(&output.stderr)))
}

/// Equal values, and equal order of keys.
fn same(wanted: &Json, got: &Json) -> Result<(), String> {
    // Two values are equal whatever the order of their keys; their texts are not.
    let (wanted, got) = (wanted.to_string(), got.to_string());
    if wanted == got { Ok(()) } else { Err(format!("wanted {wanted}\n     got {got}")) }
}

/// What is wrong with the answer to a case, if anything.
fn judge(case: &Case) -> Result<(), String> {
    let answer = answer(case);
    let error = &case.expected["error"];
    let told = |answer: &Json| {
        let message = format!("{} {}", answer["errors"][0]["message"], answer["errors"][0]["fix"]);
        let options = error["options"].as_array().cloned().unwrap_or_default();
        match options.iter().find(|option| !message.contains(option.as_str().unwrap())) {
            Some(option) => Err(format!("{option} is not named: {message}")),
            None => same(&error["category"], &answer["errors"][0]["code"]),
        }
    };
    if !case.multirun {
        return if error.is_null() { same(&case.expected["config"], &answer["data"]["config"]) } else { told(&answer) };
    }
    if case.expected["jobs"].is_null() {
        return told(&answer);
    }
    let mut jobs = answer["data"]["jobs"].clone();
    if case.expected["unordered"] == true {
        jobs.as_array_mut().unwrap().sort_by_key(ToString::to_string);
    }
    same(&case.expected["jobs"], &jobs)?;
    if !error.is_null() {
        same(&error["job_index"], &answer["data"]["failed"])?;
        return told(&answer);
    }
    let results = case.expected["job_results"].as_array().into_iter().flatten();
    for (at, wanted) in results.enumerate().filter(|_| case.expected["unordered"] != true) {
        let got = &answer["data"]["results"][at];
        same(&wanted["config"], &got["config"])?;
        same(&wanted["error"]["category"], &got["error"]["code"])?;
    }
    Ok(())
}

#[test]
fn every_case_of_the_real_hydra_is_answered_alike() {
    let top = tempfile::tempdir().unwrap();
    let cases = cases(top.path());
    assert_eq!(cases.len(), 495);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let chunks: Vec<_> = cases.chunks(cases.len().div_ceil(8)).map(|chunk| scope.spawn(|| judged(chunk))).collect();
        chunks.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn judged(cases: &[Case]) -> Vec<String> {
    let one = |case: &Case| {
        let why = judge(case).err()?;
        Some(format!("{} {:?}\n  wanted {}\n  {why}", case.name, case.overrides, case.expected["error"]))
    };
    cases.iter().filter_map(one).collect()
}
