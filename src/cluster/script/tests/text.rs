//! The text of job scripts: hostile values, directives, shellcheck.

use std::process::Command;

use super::super::*;
use super::{PROFILE, Site, TRAIN, id, run, shells, spec};
use crate::cluster::profile::Scheduler;
use crate::state::load;

#[test]
fn hostile_values_are_refused_or_stand_for_themselves() {
    let site = Site::new("sh");
    let long = "x".repeat(300);
    for bad in [
        "a b",
        "a\n#PBS -q other",
        "$(id)",
        "`id`",
        "it's",
        "-q",
        "a\u{1b}[31m",
        "a;id",
        "ä",
        "",
        &long,
        "a\"b",
        "#PBS",
    ] {
        for change in ["queue", "account", "output", "name", "chunk", "extra"] {
            let mut spec = spec();
            match change {
                "queue" => spec.queue = Some(bad.into()),
                "account" => spec.account = Some(bad.into()),
                "output" if bad.len() < 300 => spec.output = bad.into(),
                "name" => spec.name = bad.into(),
                "chunk" => spec.resources.chunk = vec![bad.into()],
                "extra" => spec.extra = vec![format!("-m {bad}")],
                _ => continue,
            }
            if change == "extra" && matches!(bad, "a b" | "-q" | "") {
                continue;
            }
            let refused = site.script("", &TRAIN, &[0], &spec);
            assert_eq!(refused.unwrap_err().kind, Kind::Invalid, "{change} {bad:?}");
        }
    }
}

#[test]
fn a_script_has_exactly_the_directives_that_are_meant() {
    for scheduler in [Scheduler::Pbs, Scheduler::Slurm] {
        let full = Spec {
            queue: Some("gpu_1".into()),
            account: Some("ABCD1234".into()),
            extra: vec!["-m abe".into()],
            ..spec()
        };
        let profile = format!("schema: 1\nscheduler: {}\ntransport: local\nscratch: /s\n", scheduler.word());
        let profile: Profile = load::parse("c.yaml", profile.as_bytes()).unwrap();
        let trainer: Vec<String> =
            ["sh", "-c", "x\n#PBS -q evil\n#SBATCH --time=9", "\u{e9}$(id)"].map(String::from).to_vec();
        let sheet = Sheet {
            profile: &profile,
            spec: &full,
            id: &id(),
            run: &run("ab"),
            attempt: 1,
            seeds: &[0],
            config_file: "ab",
            trainer: &trainer,
            venv: None,
        };
        let text = render(&sheet).unwrap();
        // Only what stands before the first command is read by a scheduler.
        let head: Vec<&str> = text.lines().skip(1).take_while(|l| l.is_empty() || l.starts_with('#')).collect();
        let mark = if scheduler == Scheduler::Pbs { "#PBS " } else { "#SBATCH " };
        let directives: Vec<String> = head.iter().filter(|l| l.starts_with(mark)).map(ToString::to_string).collect();
        assert_eq!(directives, scheduler.dialect().unwrap().directives(&full).unwrap());
        assert!(!text.contains(" -V") && !text.contains("--export=ALL"));
    }
    let mut odd = run("ab");
    odd.anchor.commit = "c0ffee'; id".into();
    let profile: Profile = load::parse("c.yaml", PROFILE.as_bytes()).unwrap();
    let sheet = Sheet {
        profile: &profile,
        spec: &spec(),
        id: &id(),
        run: &odd,
        attempt: 1,
        seeds: &[0],
        config_file: "ab",
        trainer: &["x".into()],
        venv: None,
    };
    assert!(render(&sheet).unwrap_err().message.contains("commit"));
}

#[test]
fn the_script_is_clean() {
    let site = Site::new("sh");
    let profile = "modules: [chpc/python/3.11]\nsetup: ['. \"$HOME/venv/bin/activate\"']\nenv: {X: 'a \"b\" $HOME'}\nlauncher: [singularity]\nimage: $HOME/x.sif\nenvironment: {folder: $HOME/e}\n";
    for (name, spec, seeds) in [("one", spec(), vec![0, 1]), ("array", Spec { array: Some(2), ..spec() }, vec![0, 1])] {
        let text = site.script(profile, &["python3", "train.py"], &seeds, &spec).unwrap();
        assert!(!text.contains("{{") && !text.contains("{%"), "{name}");
        site.write(&text);
        for shell in shells() {
            let mut words = shell.split(' ').map(String::from).collect::<Vec<_>>();
            words.extend(["-n".into(), site.run.join("job-1.sh").display().to_string()]);
            let output = Command::new(&words[0]).args(&words[1..]).output().unwrap();
            assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
        }
        let output = Command::new("shellcheck").args(["-s", "sh"]).arg(site.run.join("job-1.sh")).output();
        let output = output.expect("shellcheck is needed: apt-get install shellcheck");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
    }
}
