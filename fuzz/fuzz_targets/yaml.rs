//! Any bytes as a config file: an answer or an error, never a panic; what is composed reads back the same.
#![no_main]

use git_ar::config::{Request, compose, read};
use git_ar::state::tree::{EntryKind, MemoryTree};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut tree = MemoryTree::default();
    tree.0.insert("config.yaml".into(), (EntryKind::File, bytes.to_vec()));
    let env = |_: &str| None;
    let request = Request { tree: &tree, dir: "", name: Some("config"), overrides: &[], env: &env, job: Default::default() };
    if let Ok(composed) = compose(&request) {
        let _ = composed.resolved();
        if let Ok(stored) = composed.stored() {
            let back = read(stored.to_yaml().as_bytes(), "config.yaml").expect("what is stored reads back");
            // Debug text, because not-a-number is not equal to itself.
            assert_eq!(format!("{stored:?}"), format!("{back:?}"));
        }
    }
});
