//! The verbs that write, each with a place of `places.rs` in which it has something to do.

use crate::places::{
    analyzing, behind, carried, custom, disabled, empty, ended, experimenting, filtered, given_up, hooked,
    implementing, installed, killed, lab, measured, merging, old, pushed, pushed_code, running, stepped, submitted,
    surveyed, surveying, twice, vanished, waiting,
};
use crate::sandbox::Sandbox;

/// One verb, ready to be killed.
pub(crate) struct Case {
    /// Its words in the command line's tree, such as `phase next`.
    pub(crate) verb: &'static str,
    /// What is typed; `RUN` stands for the one run there is.
    pub(crate) words: &'static str,
    /// Makes the repository.
    pub(crate) prepare: fn() -> Sandbox,
    /// Every how many of its effects an error is tried: 1 for all. A kill is tried at each.
    pub(crate) stride: usize,
    /// Whether two runs leave the same bytes; a training's times differ.
    pub(crate) same: bool,
    /// How many jobs the scheduler holds at the end, however often the command was killed and repeated.
    pub(crate) jobs: Option<usize>,
    /// Folders besides the repository, from its top on, whose files belong to the state.
    pub(crate) beside: &'static [&'static str],
    /// Whether a command that failed keeps what it has, and the next one goes on from there.
    pub(crate) goes_on: bool,
    /// Whether a person carries its sheets to the cluster and their receipts back.
    pub(crate) by_hand: bool,
}

impl Case {
    const fn of(verb: &'static str, words: &'static str, prepare: fn() -> Sandbox) -> Self {
        Self { verb, words, prepare, stride: 1, same: true, jobs: None, beside: &[], goes_on: false, by_hand: false }
    }

    const fn beside(self, beside: &'static [&'static str]) -> Self {
        Self { beside, ..self }
    }

    const fn goes_on(self) -> Self {
        Self { goes_on: true, ..self }
    }

    const fn every(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    const fn jobs(self, jobs: usize) -> Self {
        Self { jobs: Some(jobs), ..self }
    }

    const fn by_hand(self) -> Self {
        Self { by_hand: true, ..self.timed().jobs(1).beside(HANDOFF) }
    }

    const fn timed(self) -> Self {
        Self { same: false, ..self }
    }
}

pub(crate) const CASES: &[Case] = &[
    Case::of("init", "init", empty).every(3),
    Case::of("start", "start \"small nets\"", lab),
    Case::of("project new", "project new \"Spiking networks\" --slug snn", lab),
    Case::of("iter new", "iter new anp \"wider\"", surveying),
    Case::of("iter renumber", "iter renumber anp/1 4", experimenting),
    Case::of("iter abandon", "iter abandon anp/1 --reason \"too wide\"", surveying),
    Case::of("phase next", "phase next", surveyed),
    Case::of("phase next", "phase next", filtered),
    Case::of("phase back", "phase back anp/1 --to implement --reason \"a bug in the net\"", experimenting),
    Case::of("phase show", "phase show --write", analyzing),
    Case::of("gate waive", "gate waive smoke --reason \"the node is down\" --until 2026-12-31", implementing),
    Case::of("run smoke", "run smoke mlp", implementing).every(2).timed(),
    Case::of("run local", "run local mlp", experimenting).every(3).timed(),
    Case::of("run rerun", "run rerun RUN", submitted).every(9).timed().jobs(2),
    Case::of("run submit", "run submit mlp --seeds 0-1 --seeds-as sequence --cluster lab", pushed_code).timed().jobs(1),
    Case::of("tick", "tick --now", ended).jobs(0),
    Case::of("job cancel", "job cancel ka001-mlp", running).jobs(0),
    Case::of("job cancel", "job cancel RUN --lost \"it is gone\"", vanished).every(3).jobs(1),
    Case::of("job resubmit", "job resubmit RUN", given_up).every(4).jobs(2),
    Case::of("cluster setup", "cluster setup lab", pushed_code).jobs(1).beside(&["../scratch"]),
    Case::of("handoff", "handoff run submit mlp --seeds 0 --cluster lab", pushed_code).every(3).by_hand(),
    Case::of("handoff", "handoff --receipt ../receipt", carried).every(3).by_hand(),
    Case::of("handoff", "handoff --drop", waiting).jobs(0).beside(HANDOFF),
    Case::of("data fetch", "data fetch tiny --to data", lab).goes_on(),
    Case::of("data fetch", "data fetch packed --to data", lab).goes_on(),
    Case::of("run exclude", "run exclude RUN --reason \"a bug\"", measured),
    Case::of("board render", "board render", behind),
    Case::of("hook install", "hook install", hooked),
    Case::of("hook install", "hook install", disabled),
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

/// Where what waits for a person lies.
const HANDOFF: &[&str] = &[".git/ar/handoff"];
