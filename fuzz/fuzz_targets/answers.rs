//! Any bytes as what a site tells of its run directories: taken whole or not at all, never a panic.
#![no_main]

use git_ar::runs::gather::{Ask, answer};
use git_ar::state::ids::RunId;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let ask = |run: &str, attempt, seeds| Ask { run: RunId::try_from(run).expect("an id"), attempt, seeds };
    let asks = [ask("ka-x", 1, Some(vec![0, 1])), ask("ka-x", 2, None), ask("kb-y", 1, Some(vec![7]))];
    if let Ok(found) = answer(&asks, bytes) {
        for files in found.attempts.values() {
            let _ = (files.checkpoint(), files.exit(2));
        }
    }
});
