//! The verbs that write, each with a repository in which it has something to do.

use crate::lab::recorded::Lab;
use crate::lab::{OWN, program, push, research};
use crate::sandbox::Sandbox;

/// One verb, ready to be killed.
pub(crate) struct Case {
    /// Its words in the command line's tree, such as `phase next`.
    pub(crate) verb: &'static str,
    /// What is typed; `RUN` stands for the one run there is.
    pub(crate) words: &'static str,
    /// Makes the repository.
    pub(crate) prepare: fn() -> Sandbox,
    /// Every how many of its effects one is tried: 1 for all.
    pub(crate) stride: usize,
    /// Whether two runs leave the same bytes; a training's times differ.
    pub(crate) same: bool,
    /// How many jobs the scheduler holds at the end, however often the command was killed and repeated.
    pub(crate) jobs: Option<usize>,
}

impl Case {
    const fn of(verb: &'static str, words: &'static str, prepare: fn() -> Sandbox) -> Self {
        Self { verb, words, prepare, stride: 1, same: true, jobs: None }
    }

    const fn every(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    const fn jobs(self, jobs: usize) -> Self {
        Self { jobs: Some(jobs), ..self }
    }

    const fn timed(self) -> Self {
        Self { same: false, ..self }
    }
}

/// The iteration of most cases.
const FOLDER: &str = "projects/anp/iterations/1-mlp";

pub(crate) const CASES: &[Case] = &[
    Case::of("init", "init", empty).every(3),
    Case::of("start", "start \"small nets\"", lab),
    Case::of("project new", "project new \"Spiking networks\" --slug snn", lab),
    Case::of("iter new", "iter new anp \"wider\"", surveying),
    Case::of("iter renumber", "iter renumber anp/1 4", experimenting),
    Case::of("iter abandon", "iter abandon anp/1 --reason \"too wide\"", surveying),
    Case::of("phase next", "phase next", surveyed),
    Case::of("phase back", "phase back anp/1 --to implement --reason \"a bug in the net\"", experimenting),
    Case::of("phase show", "phase show --write", analyzing),
    Case::of("gate waive", "gate waive smoke --reason \"the node is down\" --until 2026-12-31", implementing),
    Case::of("run smoke", "run smoke mlp", implementing).every(2).timed(),
    Case::of("run local", "run local mlp", experimenting).every(3).timed(),
    Case::of("run rerun", "run rerun RUN", submitted).every(9).timed().jobs(2),
    Case::of("run submit", "run submit mlp --seeds 0-1 --seeds-as sequence --cluster lab", pushed_code).timed().jobs(1),
    Case::of("tick", "tick --now", ended).jobs(0),
    Case::of("job cancel", "job cancel ka001-mlp", running).jobs(0),
    Case::of("run exclude", "run exclude RUN --reason \"a bug\"", measured),
    Case::of("board render", "board render", behind),
    Case::of("hook install", "hook install", hooked),
    Case::of("hook uninstall", "hook uninstall", installed),
    Case::of("train", "train experiment=mlp", lab).every(3).timed(),
    Case::of("migrate", "migrate", old),
    Case::of("trust", "trust", custom),
    Case::of("taint", "taint --introduced HEAD~1 --apply --reason \"labels were shuffled\"", measured),
    Case::of("merge-driver", "merge-driver .merge_o .merge_a .merge_b projects/anp/project.yaml", merging),
    Case::of("undo", "undo", stepped),
    Case::of("undo", "undo 2", twice),
    Case::of("undo", "undo", pushed),
    Case::of("doctor", "doctor --fix", killed),
];

/// Verbs that change neither the repository nor scratch. `demo` is made of the verbs above, in a folder of its own;
/// `reference-trainer` is a program that `run local` starts.
pub(crate) const READERS: &[&str] = &[
    "status",
    "next",
    "resume",
    "check",
    "project list",
    "project show",
    "iter list",
    "iter show",
    "phase why",
    "gate list",
    "config show",
    "config diff",
    "config expand",
    "config lint",
    "config digest",
    "run list",
    "run diff",
    "run show",
    "board check",
    "board show",
    "board explain",
    "hook status",
    "hook run",
    "doctor",
    "schema",
    "completions",
    "man",
    "demo",
    "reference-trainer",
    "job status",
    "job why",
    "job logs",
    "job script",
    "board diff",
    "cluster list",
    "cluster show",
    "cluster doctor",
    "claim check",
    "data list",
    "run verify",
    "run triage",
];

/// Verbs that write outside of the repository only, each with the place of its own tests.
pub(crate) const ELSEWHERE: &[(&str, &str)] = &[
    ("cluster setup", "tests/it/cluster_site.rs"),
    ("data fetch", "tests/it/data.rs"),
    ("handoff", "tests/it/handoff.rs"),
    ("job resubmit", "tests/it/never_twice.rs"),
];

/// A git repository without anything.
fn empty() -> Sandbox {
    Sandbox::repository()
}

/// A research repository with one experiment on the digits.
fn lab() -> Sandbox {
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
fn submitted() -> Sandbox {
    worked(pushed_code(), "run submit mlp --seeds 0 --cluster lab")
}

fn in_phase(phase: &str) -> Sandbox {
    let sandbox = lab();
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

fn surveying() -> Sandbox {
    in_phase("survey")
}

/// With what a person has written and not committed: the step commits it.
fn surveyed() -> Sandbox {
    let sandbox = in_phase("survey");
    let text = sandbox.read(&format!("{FOLDER}/survey.md"));
    sandbox.write(&format!("{FOLDER}/survey.md"), &format!("{text}\nAnd one more thing.\n"));
    sandbox.write("notes.md", "prose that is being written\n");
    sandbox
}

fn implementing() -> Sandbox {
    in_phase("implement")
}

fn experimenting() -> Sandbox {
    in_phase("experiment")
}

fn worked(sandbox: Sandbox, words: &str) -> Sandbox {
    let said = sandbox.run(words);
    assert!(!said.contains("[exit"), "git ar {words}\n{said}");
    sandbox
}

/// With one run that has a result.
fn measured() -> Sandbox {
    worked(experimenting(), "run local mlp")
}

/// In phase analyze, the comparison not rendered yet.
fn analyzing() -> Sandbox {
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
fn behind() -> Sandbox {
    measured()
}

/// With a hook of the person's own.
fn hooked() -> Sandbox {
    let sandbox = lab();
    let place = sandbox.top().join(".git/hooks/pre-commit");
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::write(&place, "#!/bin/sh\nexit 0\n").unwrap();
    std::fs::set_permissions(&place, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    sandbox
}

fn installed() -> Sandbox {
    worked(hooked(), "hook install")
}

/// With a step that took what a person had written along.
fn stepped() -> Sandbox {
    worked(surveyed(), "phase next")
}

fn twice() -> Sandbox {
    worked(worked(lab(), "project new \"Spiking networks\" --slug snn"), "iter new snn \"wider\"")
}

/// With a commit that the remote has.
fn pushed() -> Sandbox {
    let sandbox = worked(lab(), "project new \"Spiking networks\" --slug snn");
    sandbox.git("update-ref refs/remotes/origin/develop HEAD");
    sandbox
}

/// With what a killed command left: a file half-way, its lock, its temporary files.
fn killed() -> Sandbox {
    let sandbox = lab();
    let mut command = sandbox.command(sandbox.top(), env!("CARGO_BIN_EXE_git-ar"));
    let output = command.args(["project", "new", "Nets"]).env("GIT_AR_FAIL", "kill@24").output().unwrap();
    assert!(output.status.code().is_none() && sandbox.top().join("projects/nets").exists());
    sandbox
}

/// With a trainer that nobody has trusted.
fn custom() -> Sandbox {
    let sandbox = lab();
    sandbox.commit("configs/ar.yaml", "schema: 1\ntrainer: [sh, train.sh]\n");
    sandbox
}

/// As git leaves it for a merge driver: three versions of one file.
fn merging() -> Sandbox {
    let sandbox = lab();
    let base = sandbox.read("projects/anp/project.yaml");
    sandbox.write(".merge_o", &base);
    sandbox.write(".merge_a", &base.replace("Which net?", "Which nets?"));
    sandbox.write(".merge_b", &base.replace("title: Digits", "title: Small digits"));
    sandbox
}

/// With a file of the form that came before `schema:`.
fn old() -> Sandbox {
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
fn pushed_code() -> Sandbox {
    let sandbox = Lab::new().box_;
    for (name, text) in [("qsub", QSUB), ("qselect", QSELECT)] {
        program(&sandbox.home().join("bin").join(name), text);
    }
    research(&sandbox, OWN, &[("train.sh", "exit 1\n")]);
    push(&sandbox);
    sandbox
}

/// With a job that ended well and whose results wait on the cluster.
fn ended() -> Sandbox {
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
fn running() -> Sandbox {
    let lab = Lab::new();
    let run = lab.submitted("ka001-mlp", &[0]);
    lab.job(&run, "R", "");
    lab.box_
}
