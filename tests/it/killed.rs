//! git-ar killed by SIGKILL at any moment of a submit or a tick, and many of them at once: each seed gets one job, and
//! one record.

use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::lab::{AT_ONCE, has, json_of};
use crate::sandbox::{Sandbox, split};
use crate::site::{PBS_18, Site};

/// How many kills of each verb: `GIT_AR_KILLS=100 cargo test --test it killed` does a hundred.
fn how_many() -> u64 {
    std::env::var("GIT_AR_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(10)
}

fn start(sandbox: &Sandbox, words: &str) -> Child {
    let mut command = sandbox.command(sandbox.top(), env!("CARGO_BIN_EXE_git-ar"));
    command.args(split(words)).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// xorshift: the moments are the same in every run of this test.
struct Chance(u64, Duration);

impl Chance {
    /// A moment within the time that a command takes, as far as that is known.
    fn moment(&mut self) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.1.mul_f64((self.0 % 1000) as f64 / 1000.0)
    }

    /// [`kill`] at such a moment; a command that had ended before takes less time than was thought.
    fn kill(&mut self, sandbox: &Sandbox, words: &str) -> u64 {
        let at_work = kill(sandbox, words, self.moment());
        if !at_work {
            self.1 = self.1.mul_f64(0.7);
        }
        u64::from(at_work)
    }
}

/// Starts a command, kills it after some time, and says whether it was still at work.
fn kill(sandbox: &Sandbox, words: &str, after: Duration) -> bool {
    let mut child = start(sandbox, words);
    std::thread::sleep(after);
    let at_work = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    at_work
}

/// Repeats a command until it says these words; what cannot be told yet, or is locked, is asked again.
fn until(sandbox: &Sandbox, command: &str, words: &str) {
    for _ in 0..200 {
        let said = sandbox.run(command);
        if said.contains(words) {
            return;
        }
        assert!(!said.contains("[exit") || said.contains("[exit 7]") || said.contains("[exit 8]"), "{said}");
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("`{command}` never said {words}");
}

/// Nothing is left over, and each of so many seeds has one job, one run and one attempt.
fn sound(site: &Site, sandbox: &Sandbox, seeds: u64) {
    let names: BTreeSet<String> = site.jobs().iter().map(|job| job["name"].to_string()).collect();
    assert_eq!((site.jobs().len() as u64, names.len() as u64), (seeds, seeds), "{names:?}");
    let runs = json_of(sandbox, &["run", "list"]);
    assert_eq!(runs["data"]["runs"].as_array().unwrap().len() as u64, seeds);
    let files = sandbox.git("ls-files projects/anp/runs");
    assert_eq!(files.matches("/attempts/").count() as u64, seeds, "{files}");
    has(&sandbox.run("doctor --fix"), &["nothing is pending"]);
    assert_eq!(sandbox.git("status --porcelain --untracked-files=all"), "");
    let fsck = sandbox.try_git(sandbox.top(), "fsck --strict --no-dangling --no-progress");
    assert!(!fsck.contains("error") && !fsck.contains("[exit"), "{fsck}");
    has(&sandbox.run("check --tree HEAD"), &["in order"]);
}

#[test]
fn a_submit_or_a_tick_that_is_killed_anywhere_is_repeated_without_a_second_job() {
    let site = Site::without_ssh(PBS_18);
    let sandbox = site.lab("local", AT_ONCE);
    site.starts(false);
    let began = Instant::now();
    until(&sandbox, "run submit mlp --seeds 0", "is queued on site");
    let mut chance = Chance(20_261_123, began.elapsed());
    let mut killed = 0;
    for seed in 1..=how_many() {
        let words = format!("run submit mlp --seeds {seed}");
        killed += chance.kill(&sandbox, &words);
        until(&sandbox, &words, &format!("seed {seed} is on its way in run"));
    }
    assert!(killed > 0, "no submit was at work when it was killed");
    sound(&site, &sandbox, how_many() + 1);
    // All of them end, a few at a time; ticks are killed until nothing is left.
    site.starts(true);
    let mut ticks = 0;
    for _ in 0..how_many() {
        ticks += chance.kill(&sandbox, "tick --now");
    }
    assert!(ticks > 0, "no tick was at work when it was killed");
    site.idle();
    until(&sandbox, "tick --now", "no attempt is active");
    sound(&site, &sandbox, how_many() + 1);
    let metrics = sandbox.git("ls-files projects/anp/runs");
    assert_eq!(metrics.matches("/metrics.json").count() as u64, how_many() + 1);
}

#[test]
fn many_submits_at_once_are_all_recorded_and_each_is_one_job() {
    const MANY: u64 = 8;
    let site = Site::without_ssh(PBS_18);
    let sandbox = site.lab("local", AT_ONCE);
    // Twice each seed, and a tick among them.
    let words = (0..MANY * 2).map(|n| format!("run submit mlp --seeds {}", n / 2));
    let children: Vec<Child> = words.chain(["tick --now".to_string()]).map(|words| start(&sandbox, &words)).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        // Where one waited too long for another, it says that it can be repeated.
        assert!(matches!(output.status.code(), Some(0 | 7 | 8)), "{}", sandbox.shown(&output));
    }
    for seed in 0..MANY {
        until(&sandbox, &format!("run submit mlp --seeds {seed}"), "nothing is left to submit");
    }
    site.idle();
    until(&sandbox, "tick --now", "no attempt is active");
    sound(&site, &sandbox, MANY);
}
