//! `launcher:` on this machine: a container's `exec` in front of the trainer, with the places it needs.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::sandbox::Sandbox;

/// A container that is none: it takes its options apart as Singularity does, and starts the rest.
const CONTAINER: &str = r#"#!/bin/sh
printf '%s\n' "$*" >>"$HOME/container.log"
[ "$1" = exec ] || exit 91
shift
while :; do
    case $1 in
    --nv) shift ;;
    --bind) [ -d "$2" ] || exit 92; bind=$2; shift 2 ;;
    --pwd) cd "$2" || exit 93; shift 2 ;;
    *) break ;;
    esac
done
[ "$1" = "$HOME/engine.sif" ] || exit 94
shift
case $AR_RUN_DIR in "$bind"/*) ;; *) echo "$AR_RUN_DIR is not in the container"; exit 95 ;; esac
exec "$@"
"#;

/// A repository whose runs on this machine go through `program`.
fn lab(program: &str) -> Sandbox {
    let sandbox = Sandbox::repository();
    let bin = sandbox.home().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::fs::write(bin.join(program), CONTAINER).unwrap();
    std::fs::set_permissions(bin.join(program), std::fs::Permissions::from_mode(0o755)).unwrap();
    let ours = Path::new(env!("CARGO_BIN_EXE_git-ar")).parent().unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", bin.display(), ours.display());
    let sandbox = sandbox.with_env("PATH", &path).with_env("GIT_AR_TRUST", "all");
    sandbox.write("configs/ar.yaml", "schema: 1\nloop: off\ntrainer: [sh, ./train.sh]\n");
    sandbox.write("configs/config.yaml", "defaults:\n  - _self_\n  - experiment: null\nseed: 0\nepochs: 3\n");
    let experiment = "# @package _global_\ndataset: {name: digits}\nmodel: {name: ffnn}\noptimizer: {name: sgd}\n";
    sandbox.write("configs/experiment/mlp.yaml", experiment);
    let profile = "schema: 1\nscheduler: local\ntransport: local\nimage: $HOME/engine.sif\n";
    sandbox.write("configs/cluster/local.yaml", &format!("{profile}launcher: [{program}]\n"));
    sandbox.write("projects/anp/project.yaml", "schema: 1\ntitle: Digits\nquestion: Which net?\n");
    sandbox.write("train.sh", include_str!("../data/trainer/train.sh"));
    sandbox.git("add -A");
    sandbox.git("commit -q -m start");
    sandbox
}

#[test]
fn a_container_of_the_profile_is_started_on_this_machine_too() {
    for program in ["singularity", "apptainer"] {
        let sandbox = lab(program);
        let ran = sandbox.run("run local mlp --seeds 0");
        assert!(ran.contains("succeeded"), "{ran}");
        let log = std::fs::read_to_string(sandbox.home().join("container.log")).unwrap();
        let scratch = sandbox.top().join(".git/ar/scratch").display().to_string();
        let begins = format!("exec --nv --bind {scratch} --pwd {scratch}/snapshots/");
        assert!(log.starts_with(&begins) && log.ends_with("engine.sif sh ./train.sh\n"), "{log}");
        // What is recorded holds no place of this machine.
        let list: serde_json::Value = serde_json::from_slice(&sandbox.ar(&["run", "list", "--json"]).stdout).unwrap();
        let run = list["data"]["runs"][0]["run"].as_str().unwrap();
        let record = sandbox.read(&format!("projects/anp/runs/{run}/run.yaml"));
        assert!(record.contains("$AR_SNAPSHOT") && record.contains("$HOME/engine.sif"), "{record}");
        assert!(!record.contains(&scratch), "{record}");
        let trained = sandbox.run("train experiment=mlp");
        assert!(!trained.contains("[exit"), "{trained}");
        let log = std::fs::read_to_string(sandbox.home().join("container.log")).unwrap();
        assert!(log.lines().nth(1).unwrap().contains(&format!("--pwd {} ", sandbox.top().display())), "{log}");
    }
}
