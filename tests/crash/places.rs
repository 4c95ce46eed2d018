//! Repositories in which a verb has something to do, each made by the verbs before it.

use crate::lab::recorded::Lab;
use crate::lab::{OWN, program, push, research};
use crate::sandbox::Sandbox;

/// The iteration of most cases.
const FOLDER: &str = "projects/anp/iterations/1-mlp";

/// A git repository without anything.
pub(crate) fn empty() -> Sandbox {
    Sandbox::repository()
}

/// A research repository with one experiment on the digits.
pub(crate) fn lab() -> Sandbox {
    let sandbox = empty();
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: reference\n");
    sandbox.write(
        "configs/config.yaml",
        "defaults:\n  - _self_\n  - experiment: null\nseed: 0\nepochs: 1\nbatch_size: 600\n",
    );
    sandbox.write(
        "configs/experiment/mlp.yaml",
        "# @package _global_\ndataset: {name: digits}\nmodel: {name: ffnn, hidden: [4]}\n\
         optimizer: {name: sgd, lr: 0.1, momentum: 0.9}\n",
    );
    sandbox.write("configs/board/digits.yaml", BOARD);
    sandbox.write("projects/anp/project.yaml", "schema: 1\ntitle: Digits\nquestion: Which net?\n");
    sandbox.write("notes.md", "prose\n");
    sandbox.git("add -A");
    sandbox.git("commit -q -m start");
    sandbox
}

const BOARD: &str = "schema: 1\ntitle: Digits\ndataset: digits\nmetric: val/accuracy\n";

/// With a run that is queued.
pub(crate) fn submitted() -> Sandbox {
    worked(pushed_code(), "run submit mlp --seeds 0 --cluster lab")
}

/// With a job that its scheduler knows no more.
pub(crate) fn vanished() -> Sandbox {
    let sandbox = submitted();
    std::fs::remove_file(sandbox.home().join("jobs/1.vm")).unwrap();
    sandbox
}

/// With an attempt that was given up.
pub(crate) fn given_up() -> Sandbox {
    let sandbox = vanished();
    let words = format!("job cancel {} --lost \"it is gone\"", crate::judge::only_run(&sandbox));
    worked(sandbox, &words)
}

/// With a sheet that nobody has carried to the cluster.
pub(crate) fn waiting() -> Sandbox {
    worked(pushed_code(), "handoff run submit mlp --seeds 0 --cluster lab")
}

/// With the receipt of a sheet that was run.
pub(crate) fn carried() -> Sandbox {
    let sandbox = waiting();
    let said = sandbox.sh(sandbox.home(), "sh repo/.git/ar/handoff/lab.sh >receipt");
    assert!(!said.contains("[exit"), "{said}");
    sandbox
}

fn in_phase(phase: &str) -> Sandbox {
    phased(lab(), phase)
}

fn phased(sandbox: Sandbox, phase: &str) -> Sandbox {
    let phases = ["survey", "implement", "experiment", "analyze"];
    let passed = &phases[..=phases.iter().position(|p| *p == phase).unwrap()];
    let steps: String = passed.iter().map(|p| format!("  - {{to: {p}, at: 2026-01-05T07:00:00Z}}\n")).collect();
    let text = format!(
        "schema: 1\nquestion: Does it learn?\nhypothesis: yes  # a hunch\n\
         prediction: {{metric: val/accuracy, direction: maximize, baseline: none, reason: first, \
         minimal_effect: 0.1, seeds: 1}}\nphase: {phase}\nsteps:\n{steps}plan:\n  - experiment: mlp\n    seeds: 0\n"
    );
    sandbox.write(&format!("{FOLDER}/iteration.yaml"), &text.replace("yes  #", "it does  #"));
    sandbox.write(
        &format!("{FOLDER}/survey.md"),
        "# Survey\n\n## What is known\nMuch [@x].\n\n## What is missing\nWidth.\n\n## What we expect\nMore.\n",
    );
    let references = "schema: 1\nreferences:\n  - {key: x, title: X, doi: 10.1000/x, says: much}\n";
    sandbox.write("projects/anp/references.yaml", references);
    sandbox.git("add -A");
    sandbox.git("commit -q -m iteration");
    sandbox
}

pub(crate) fn surveying() -> Sandbox {
    in_phase("survey")
}

/// With what a person has written and not committed: the step commits it.
pub(crate) fn surveyed() -> Sandbox {
    edited(surveying())
}

/// The same where git stores another form of the text, so that no object has the bytes that stand on the disk.
pub(crate) fn filtered() -> Sandbox {
    let sandbox = lab();
    sandbox.git("config filter.tilde.clean \"tr M '~'\"");
    sandbox.git("config filter.tilde.smudge \"tr '~' M\"");
    sandbox.commit(".gitattributes", "survey.md filter=tilde\n");
    edited(phased(sandbox, "survey"))
}

fn edited(sandbox: Sandbox) -> Sandbox {
    let text = sandbox.read(&format!("{FOLDER}/survey.md"));
    sandbox.write(&format!("{FOLDER}/survey.md"), &format!("{text}\nAnd one more thing.\n"));
    sandbox.write("notes.md", "prose that is being written\n");
    sandbox
}

pub(crate) fn implementing() -> Sandbox {
    in_phase("implement")
}

pub(crate) fn experimenting() -> Sandbox {
    in_phase("experiment")
}

fn worked(sandbox: Sandbox, words: &str) -> Sandbox {
    let said = sandbox.run(words);
    assert!(!said.contains("[exit"), "git ar {words}\n{said}");
    sandbox
}

/// With one run that has a result.
pub(crate) fn measured() -> Sandbox {
    worked(experimenting(), "run local mlp")
}

/// In phase analyze, the comparison not rendered yet.
pub(crate) fn analyzing() -> Sandbox {
    let sandbox = worked(measured(), "phase next");
    let text = sandbox.read(&format!("{FOLDER}/analysis.md"));
    let begin = text.find("<!-- ar:begin").unwrap();
    let end = text.find("<!-- ar:end").unwrap();
    let end = end + text[end..].find('\n').unwrap();
    sandbox.write(&format!("{FOLDER}/analysis.md"), &format!("{}{}", &text[..begin], &text[end..]));
    sandbox.git("commit -q -a -m comparison-gone");
    sandbox
}

/// With a result that no board shows yet.
pub(crate) fn behind() -> Sandbox {
    measured()
}

/// With a hook of the person's own.
pub(crate) fn hooked() -> Sandbox {
    let sandbox = lab();
    let place = sandbox.top().join(".git/hooks/pre-commit");
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::write(&place, "#!/bin/sh\nexit 0\n").unwrap();
    mode(&place, 0o750);
    sandbox
}

fn mode(place: &std::path::Path, mode: u32) {
    std::fs::set_permissions(place, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

/// With a hook of ours that somebody turned off, and another one that is gone.
pub(crate) fn disabled() -> Sandbox {
    let sandbox = worked(lab(), "hook install");
    mode(&sandbox.top().join(".git/hooks/pre-commit"), 0o644);
    std::fs::remove_file(sandbox.top().join(".git/hooks/pre-push")).unwrap();
    sandbox
}

pub(crate) fn installed() -> Sandbox {
    worked(hooked(), "hook install")
}

/// With a step that took what a person had written along.
pub(crate) fn stepped() -> Sandbox {
    worked(surveyed(), "phase next")
}

pub(crate) fn twice() -> Sandbox {
    worked(worked(lab(), "project new \"Spiking networks\" --slug snn"), "iter new snn \"wider\"")
}

/// With a commit that the remote has.
pub(crate) fn pushed() -> Sandbox {
    let sandbox = worked(lab(), "project new \"Spiking networks\" --slug snn");
    sandbox.git("update-ref refs/remotes/origin/develop HEAD");
    sandbox
}

/// With what a killed command left: a file half-way, its lock, its temporary files.
pub(crate) fn killed() -> Sandbox {
    let sandbox = lab();
    let mut command = sandbox.command(sandbox.top(), env!("CARGO_BIN_EXE_git-ar"));
    let output = command.args(["project", "new", "Nets"]).env("GIT_AR_FAIL", "kill@24").output().unwrap();
    assert!(output.status.code().is_none() && sandbox.top().join("projects/nets").exists());
    sandbox
}

/// With a trainer that nobody has trusted.
pub(crate) fn custom() -> Sandbox {
    let sandbox = lab();
    sandbox.commit("configs/ar.yaml", "schema: 1\ntrainer: [sh, train.sh]\n");
    sandbox
}

/// As git leaves it for a merge driver: three versions of one file.
pub(crate) fn merging() -> Sandbox {
    let sandbox = lab();
    let base = sandbox.read("projects/anp/project.yaml");
    sandbox.write(".merge_o", &base);
    sandbox.write(".merge_a", &base.replace("Which net?", "Which nets?"));
    sandbox.write(".merge_b", &base.replace("title: Digits", "title: Small digits"));
    sandbox
}

/// With a file of the form that came before `schema:`.
pub(crate) fn old() -> Sandbox {
    let sandbox = lab();
    sandbox.commit("projects/anp/project.yaml", "title: Digits\nquestion: Which net?\n");
    sandbox
}

/// Takes every job, keeps it waiting, and knows it by its name.
const QSUB: &str = "#!/bin/sh
for script; do :; done
name=$(sed -n 's/^#PBS -N //p' \"$script\")
touch \"$HOME/queue\"
id=$(($(wc -l <\"$HOME/queue\") + 1)).vm
echo \"$id $name\" >>\"$HOME/queue\"
printf 'Job Id: %s\\n    Job_Name = %s\\n    job_state = Q\\n    queue = gpu_1\\n' \"$id\" \"$name\" >\"$HOME/jobs/$id\"
echo \"$id\"
";
const QSELECT: &str = "#!/bin/sh
for name; do :; done
touch \"$HOME/queue\"
awk -v name=\"$name\" '$2 == name { print $1 }' \"$HOME/queue\"
";

/// With a cluster, and code that is pushed.
pub(crate) fn pushed_code() -> Sandbox {
    let sandbox = Lab::new().box_;
    for (name, text) in [("qsub", QSUB), ("qselect", QSELECT)] {
        program(&sandbox.home().join("bin").join(name), text);
    }
    research(&sandbox, OWN, &[("train.sh", "exit 1\n")]);
    push(&sandbox);
    sandbox
}

/// With a job that ended well and whose results wait on the cluster.
pub(crate) fn ended() -> Sandbox {
    let lab = Lab::new();
    let run = lab.submitted("ka001-mlp", &[0, 1]);
    lab.job(&run, "F", "    Exit_status = 0\n    substate = 92\n");
    lab.started(&run);
    lab.result(&run, 0, 0.9);
    lab.result(&run, 1, 0.7);
    lab.ended(&run, 0, "");
    lab.box_
}

/// With a job that runs.
pub(crate) fn running() -> Sandbox {
    let lab = Lab::new();
    let run = lab.submitted("ka001-mlp", &[0]);
    lab.job(&run, "R", "");
    lab.box_
}
