//! Submits over a wire that breaks at random bytes: each command is repeated until it succeeds, and there is exactly
//! one job for each.

use crate::site::proxy::Proxy;
use crate::site::{PBS_18, Site};
use crate::submit::lab;

/// `GIT_AR_SUBMITS=100 cargo test --test it never_twice` does a hundred.
fn how_many() -> u64 {
    std::env::var("GIT_AR_SUBMITS").ok().and_then(|n| n.parse().ok()).unwrap_or(6)
}

#[test]
fn as_many_jobs_as_submits_whatever_the_wire_does() {
    let site = Site::start(PBS_18);
    let sandbox = lab(&site, "ssh");
    let proxy = Proxy::to(site.port());
    site.client_through(proxy.port(), "");
    site.starts(false);
    let (mut state, mut broken) = (20_261_122_u64, 0);
    for seed in 0..how_many() {
        let mut tries = 0;
        loop {
            // xorshift: the cuts are the same in every run of this test.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            match tries {
                0..4 => proxy.cut_after((state % 60_000) as i64),
                _ => proxy.mend(),
            }
            let said = sandbox.run(&format!("run submit mlp --seeds {seed}"));
            if !said.contains("[exit") {
                break;
            }
            assert!(said.contains("[exit 7]"), "{said}");
            broken += 1;
            tries += 1;
            // A claim that was cut off a moment ago is waited for.
            assert!(tries < 60, "{said}");
        }
    }
    proxy.mend();
    let mut names: Vec<String> = site.jobs().iter().map(|job| job["name"].to_string()).collect();
    assert_eq!(names.len() as u64, how_many(), "{names:?}");
    names.dedup();
    assert_eq!(names.len() as u64, how_many());
    assert!(broken > 0, "no connection was cut");
    let sent = site.calls().iter().filter(|call| call.starts_with("qsub")).count();
    assert_eq!(sent as u64, how_many(), "the scheduler was asked more often than there are jobs");
    let log = sandbox.git("log --format=%s");
    assert_eq!(log.matches("submitted to site").count() as u64, how_many(), "{log}");
}
