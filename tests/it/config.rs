//! `git ar config` from outside: errors that say what was meant, digests, diffs, lint, hostile input.

use serde_json::Value as Json;

use super::sandbox::Sandbox;

const CONFIG: &str = "defaults:\n  - optimizer: adam\n  - _self_\n  - experiment: null\nseed: 0\nwidth: 8\n";

fn tree() -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.write("c/config.yaml", CONFIG);
    sandbox.write("c/optimizer/adam.yaml", "name: adam\nlr: 1e-3\n");
    sandbox.write("c/optimizer/sgd_cosine.yaml", "name: sgd\nlr: 0.1\n");
    sandbox.write("c/experiment/wide.yaml", "# @package _global_\nwidth: 64\n");
    sandbox
}

/// The envelope of a command.
fn json(sandbox: &Sandbox, words: &[&str]) -> Json {
    let output = sandbox.ar(&[&["--json", "config"], words].concat());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn codes(envelope: &Json) -> Vec<&str> {
    envelope["errors"].as_array().unwrap().iter().map(|e| e["code"].as_str().unwrap()).collect()
}

#[test]
fn an_error_says_what_was_meant() {
    let shown = tree().run("config show --config-dir c optimizer=adm");
    assert!(
        shown.contains("no option `adm` in group `optimizer`; did you mean `adam`? options: adam, sgd_cosine"),
        "{shown}"
    );
    let shown = tree().run("config show --config-dir c optimizer.lrr=1");
    assert!(shown.contains("there is no key `optimizer.lrr`") && shown.contains("did you mean `lr`?"), "{shown}");
}

#[test]
fn every_error_of_a_stage_is_told_with_its_place() {
    let sandbox = tree();
    let envelope = json(&sandbox, &["show", "--config-dir", "c", "a=b=c", "x=[1", "width=1,2"]);
    assert_eq!(codes(&envelope), ["override_syntax", "override_syntax"]);
    let envelope = json(&sandbox, &["show", "--config-dir", "c", "nope=1", "widht=2"]);
    assert_eq!(codes(&envelope), ["key_not_in_config", "key_not_in_config"]);
    sandbox.write(
        "c/experiment/bad.yaml",
        "# @package _global_\ndefaults:\n  - /optimizer@o1: one\n  - /optimizer@o2: two\n",
    );
    let envelope = json(&sandbox, &["show", "--config-dir", "c", "experiment=bad"]);
    assert_eq!(codes(&envelope), ["group_option_not_found", "group_option_not_found"]);
    let first = &envelope["errors"][0];
    assert_eq!((first["path"].as_str(), first["line"].as_u64()), (Some("experiment/bad.yaml"), Some(4)));
    assert!(first["message"].as_str().unwrap().contains("included by"), "{first}");
    sandbox.write("c/config.yaml", "a: ${nope}\nb:\n  - ${b.7}\nc: ${oc.env:NOT_SET}\n");
    let envelope = json(&sandbox, &["show", "--config-dir", "c", "--resolve"]);
    assert_eq!(codes(&envelope), ["interpolation_key_not_found", "interpolation_key_not_found", "env_not_set"]);
    assert_eq!(envelope["errors"][1]["line"], 3);
}

#[test]
fn a_digest_knows_no_order() {
    let sandbox = tree();
    let digest =
        |words: &[&str]| json(&sandbox, &[&["digest", "--config-dir", "c"], words].concat())["data"]["digest"].clone();
    assert_eq!(digest(&["seed=7"]), digest(&[]));
    assert_ne!(digest(&["width=9"]), digest(&[]));
    let first = digest(&[]);
    sandbox.write(
        "c/config.yaml",
        "defaults:\n  - _self_\n  - optimizer: adam\n  - experiment: null\nwidth: 8\nseed: 1\n",
    );
    assert_eq!(digest(&[]), first);
}

#[test]
fn a_sweep_is_listed_even_when_a_job_fails() {
    let sandbox = tree();
    let envelope = json(&sandbox, &["expand", "--config-dir", "c", "optimizer=adam,nope", "seed=range(2)"]);
    assert_eq!(envelope["ok"], false);
    assert_eq!(envelope["data"]["jobs"].as_array().unwrap().len(), 4);
    assert_eq!((&envelope["data"]["failed"], codes(&envelope)), (&2.into(), vec!["group_option_not_found"]));
    let shown = sandbox.run("config expand --config-dir c width=1,2");
    assert_eq!(shown, "width=1\nwidth=2\n");
}

#[test]
fn lint_finds_what_is_broken_and_what_is_unused() {
    let sandbox = tree();
    let envelope = json(&sandbox, &["lint", "--config-dir", "c"]);
    assert_eq!((&envelope["ok"], &envelope["data"]["experiments"]), (&true.into(), &serde_json::json!(["wide"])));
    assert_eq!(envelope["warnings"][0]["path"], "optimizer/sgd_cosine.yaml");
    sandbox.write("c/experiment/broken.yaml", "# @package _global_\nwidth: ${nope}\n");
    sandbox.write("c/optimizer/torn.yaml", "a: [1\n");
    let envelope = json(&sandbox, &["lint", "--config-dir", "c"]);
    assert_eq!(codes(&envelope), ["interpolation_key_not_found", "yaml_syntax"]);
}

#[test]
fn this_programs_own_tree_is_clean() {
    let sandbox = Sandbox::empty();
    let configs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let envelope = json(&sandbox, &["lint", "--config-dir", configs.to_str().unwrap()]);
    assert_eq!((&envelope["ok"], codes(&envelope)), (&true.into(), vec![]), "{envelope}");
    let shown =
        sandbox.run(&format!("config show --config-dir {} experiment=cifar10_resnet18_sgd_cosine", configs.display()));
    assert!(shown.contains("name: cosine") && shown.contains("name: resnet18"), "{shown}");
}

#[test]
fn two_experiments_are_compared() {
    let sandbox = Sandbox::repository();
    assert!(sandbox.run("init").contains("configs/ar.yaml"));
    sandbox.write("configs/experiment/wide.yaml", "# @package _global_\nmodel:\n  hidden: [64]\n");
    sandbox.git("add -A");
    sandbox.git("commit -q --no-verify -m wide");
    sandbox.write("configs/experiment/wide.yaml", "# @package _global_\nmodel:\n  hidden: [128]\n");
    let shown = sandbox.run("config diff HEAD:wide wide");
    assert!(shown.contains("- model.hidden:") && shown.contains("+ model.hidden:") && shown.contains("128"), "{shown}");
    assert!(sandbox.run("config diff HEAD:wide HEAD:wide").contains("the configs are the same"));
    assert!(sandbox.run("config diff wdie wide").contains("did you mean `wide`?"));
    sandbox.write("configs/experiment/odd.yaml", "# @package _global_\nmodel:\n  hiden: [128]\n  hidden: [0]\n");
    let shown = sandbox.run("config lint");
    assert!(shown.contains("did you mean `hidden`?") && shown.contains("configs/experiment/odd.yaml:3"), "{shown}");
}

#[test]
fn a_config_dir_stays_in_the_repository() {
    let sandbox = Sandbox::repository();
    assert!(sandbox.run("init").contains("configs/ar.yaml"));
    let settings = std::fs::read_to_string(sandbox.top().join("configs/ar.yaml")).unwrap();
    let shown = |dir: &str| {
        let lines = settings.lines().filter(|l| !l.starts_with("config_dir")).map(|l| format!("{l}\n"));
        sandbox.write("configs/ar.yaml", &(lines.collect::<String>() + "config_dir: " + dir + "\n"));
        sandbox.run("config show")
    };
    assert!(shown("../elsewhere").contains("`../elsewhere`"));
    std::os::unix::fs::symlink(sandbox.home(), sandbox.top().join("link")).unwrap();
    assert!(shown("link").contains("symbolic link"));
    assert!(shown("nowhere").contains("does not exist"));
}

#[test]
fn hostile_files_end_in_an_error() {
    let mut bomb = String::from("a0: &a0 [x, x]\n");
    (1..60).for_each(|i| bomb.push_str(&format!("a{i}: &a{i} [*a{}, *a{}]\n", i - 1, i - 1)));
    let doubled: String = (1..40).map(|i| format!("b{i}: [\"${{b{}}}\", \"${{b{}}}\"]\n", i - 1, i - 1)).collect();
    let texts: [(&str, Vec<u8>); 8] = [
        ("alias bomb", bomb.into_bytes()),
        ("interpolation bomb", ("b0: [x, x]\n".to_string() + &doubled).into_bytes()),
        ("brackets", "[".repeat(200_000).into_bytes()),
        ("braces", ("a: ".to_string() + &"{".repeat(200_000)).into_bytes()),
        ("interpolations", ("a: \"".to_string() + &"${a:[".repeat(100_000) + "\"\n").into_bytes()),
        ("100 MB", vec![b'#'; 100 << 20]),
        ("not UTF-8", vec![b'a', b':', b' ', 0xff, 0xfe, b'\n']),
        ("binary", (0..=255).collect()),
    ];
    for (what, text) in texts {
        let sandbox = Sandbox::empty();
        sandbox.write("c/config.yaml", "");
        std::fs::write(sandbox.top().join("c/config.yaml"), text).unwrap();
        let envelope = json(&sandbox, &["show", "--config-dir", "c", "--resolve"]);
        assert_eq!(envelope["ok"], false, "{what}");
        assert!(!codes(&envelope).contains(&"bug"), "{what}: {envelope}");
    }
}

#[test]
fn hostile_overrides_end_in_an_error() {
    let sandbox = tree();
    let long = format!("width={}", "[".repeat(100_000));
    for line in [long.as_str(), "width=range(0,1e300,1e-300)", "width=range(100000000000)", "width=${width}${width}}"] {
        let envelope = json(&sandbox, &["expand", "--config-dir", "c", "--", line]);
        assert_eq!(envelope["ok"], false, "{}", &line[..line.len().min(60)]);
        assert!(!codes(&envelope).contains(&"bug"), "{envelope}");
    }
    sandbox.write("c/a.yaml", "defaults:\n  - b\n");
    sandbox.write("c/b.yaml", "defaults:\n  - a\n");
    assert_eq!(codes(&json(&sandbox, &["show", "--config-dir", "c", "--config-name", "a"])), ["defaults_cycle"]);
}
