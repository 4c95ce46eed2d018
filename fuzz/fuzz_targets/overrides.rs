//! Any text as an override, alone and as a sweep: an answer or an error, never a panic.
#![no_main]

use git_ar::config::{Composer, Job};
use git_ar::state::tree::MemoryTree;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &str| {
    let tree = MemoryTree::default().with("config.yaml", "a: {b: [1, 2]}\nc: x\n").with("g/o.yaml", "k: 1\n");
    let env = |_: &str| None;
    let mut composer = Composer::new(&tree, "", &env);
    let lines = [line.to_string()];
    if let Ok(composed) = composer.compose(Some("config"), &lines, Job::default()) {
        let _ = composed.resolved();
    }
    let _ = composer.expand(Some("config"), &lines, Job::default());
});
