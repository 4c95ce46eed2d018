//! Every conformance case that the real Hydra answered, composed in this process.

use git_ar::config::{Composer, Job, Request, Value, compose};
use git_ar::state::problem::Problems;
use git_ar::state::tree::MemoryTree;
use serde_json::Value as Json;

/// One case with its files.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) files: Vec<(String, String)>,
    pub(crate) config_name: Option<String>,
    pub(crate) overrides: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) multirun: bool,
    pub(crate) expected: Json,
}

/// All cases of `tests/data/hydra`.
pub(crate) fn cases() -> Vec<Case> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hydra");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut all = Vec::new();
    for path in paths.iter().filter(|p| p.extension().is_some_and(|e| e == "json")) {
        let file: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        for case in file["cases"].as_array().unwrap() {
            let files = match case["tree"].as_str() {
                Some(tree) => &file["trees"][tree],
                None => &case["files"],
            };
            all.push(read(case, files));
        }
    }
    all
}

fn read(case: &Json, files: &Json) -> Case {
    let texts = |json: &Json| -> Vec<(String, String)> {
        let map = json.as_object().cloned().unwrap_or_default();
        map.into_iter().map(|(key, text)| (key, text.as_str().unwrap().to_string())).collect()
    };
    Case {
        name: case["name"].as_str().unwrap().to_string(),
        files: texts(files),
        config_name: case["config_name"].as_str().map(ToString::to_string),
        overrides: case["overrides"].as_array().unwrap().iter().map(|o| o.as_str().unwrap().to_string()).collect(),
        env: texts(&case["env"]),
        multirun: case["mode"] == "multirun",
        expected: case["expected"].clone(),
    }
}

fn json(value: &Value) -> Json {
    serde_json::to_value(value).unwrap()
}

fn category(problems: &Problems) -> String {
    problems.0[0].code.to_string()
}

/// What is wrong with our answer to a case, if anything.
fn judge(case: &Case) -> Result<(), String> {
    let tree = case.files.iter().fold(MemoryTree::default(), |tree, (path, text)| tree.with(path, text));
    let env = |name: &str| case.env.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let name = case.config_name.as_deref();
    let expected = &case.expected;
    if case.multirun {
        return judge_sweep(case, &mut Composer::new(&tree, "", &env));
    }
    let request = Request { tree: &tree, dir: "", name, overrides: &case.overrides, env: &env, job: Job::default() };
    let resolved = compose(&request).and_then(|composed| composed.resolved());
    match (&resolved, expected.get("config"), expected["error"]["category"].as_str()) {
        (Ok(value), Some(config), _) => same(config, &json(value)),
        (Err(problems), _, Some(wanted)) if category(problems) == wanted => Ok(()),
        (Err(problems), ..) => Err(format!("refused: {} {problems}", category(problems))),
        (Ok(value), ..) => Err(format!("composed: {}", json(value))),
    }
}

/// Equal values, and equal order of keys.
fn same(wanted: &Json, got: &Json) -> Result<(), String> {
    if wanted.to_string() == got.to_string() { Ok(()) } else { Err(format!("wanted {wanted}\n     got {got}")) }
}

fn judge_sweep(case: &Case, composer: &mut Composer<'_>) -> Result<(), String> {
    let expected = &case.expected;
    let name = case.config_name.as_deref();
    let wanted = expected["error"]["category"].as_str();
    let jobs = match (composer.expand(name, &case.overrides, Job::default()), wanted) {
        (Ok(jobs), _) => jobs,
        (Err(problems), Some(wanted)) if category(&problems) == wanted && expected.get("jobs").is_none() => {
            return Ok(());
        }
        (Err(problems), _) => return Err(format!("refused: {} {problems}", category(&problems))),
    };
    let mut list = jobs.jobs.clone();
    if expected["unordered"] == true {
        list.sort();
    }
    same(&expected["jobs"], &serde_json::to_value(&list).unwrap())?;
    match (&jobs.failed, wanted) {
        (Some((at, problems)), Some(wanted))
            if category(problems) == wanted && expected["error"]["job_index"] == *at => {}
        (None, None) => {}
        (failed, _) => return Err(format!("failed: {failed:?}")),
    }
    for (at, result) in expected["job_results"].as_array().into_iter().flatten().enumerate() {
        if expected["unordered"] == true {
            continue;
        }
        let resolved = composer.job(name, &jobs, at, Job::default()).and_then(|composed| composed.resolved());
        match (&resolved, result.get("config"), result["error"]["category"].as_str()) {
            (Ok(value), Some(config), _) => same(config, &json(value))?,
            (Err(problems), _, Some(wanted)) if category(problems) == wanted => {}
            other => return Err(format!("job {at}: {other:?}")),
        }
    }
    Ok(())
}

#[test]
fn every_case_of_the_real_hydra_is_answered_alike() {
    let cases = cases();
    assert_eq!(cases.len(), 495);
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let why = judge(case).err()?;
            Some(format!("{} {:?}\n  wanted {}\n  {why}", case.name, case.overrides, case.expected["error"]))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
