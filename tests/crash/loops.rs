//! The loops: kill, and let fail, at each effect of each verb.

use std::sync::Mutex;

use crate::cases::{CASES, Case};
use crate::judge::{State, copy, is_new, jobs, litter, repeat, run, state, torn, unsound};
use crate::sandbox::Sandbox;

/// What a disk can answer, and what a person reads then.
const ERRORS: [(&str, &str); 3] =
    [("enospc", "No space left"), ("erofs", "Read-only file system"), ("eio", "Input/output error")];

/// A case with its prepared box, both ends, and the number of its effects.
struct Ready<'a> {
    case: &'a Case,
    prepared: Sandbox,
    old: State,
    new: State,
    points: Vec<String>,
    /// What git and the rules say of both ends; a file of an older form is refused until it is migrated.
    refused: [String; 2],
}

impl<'a> Ready<'a> {
    fn new(case: &'a Case) -> Result<Self, String> {
        let prepared = (case.prepare)();
        let sandbox = copy(&prepared, case);
        let old = state(&sandbox, case);
        let refused = unsound(&sandbox);
        let list = sandbox.home().join("points");
        let (code, said) = run(&sandbox, case, Some(&format!("count@{}", list.display())));
        if code != Some(0) {
            return Err(format!("git ar {}: it fails without a fault:\n{said}", case.words));
        }
        let points = std::fs::read_to_string(list).unwrap_or_default().lines().map(String::from).collect();
        Ok(Self { case, prepared, old, new: state(&sandbox, case), points, refused: [refused, unsound(&sandbox)] })
    }

    /// The numbers of the effects that are tried, from 1: every one, or every `step`-th, and then fewer where the case
    /// says so. The last few are always among them.
    fn numbers(&self, step: Option<usize>) -> impl Iterator<Item = usize> {
        let (last, step) = (self.points.len(), step.map_or(1, |step| self.case.stride * step));
        (1..=last).filter(move |n| n % step == 0 || n + 3 > last)
    }

    /// What is wrong after the process failed; `None` when nothing is.
    fn aftermath(&self, sandbox: &Sandbox, number: usize) -> Option<String> {
        let now = state(sandbox, self.case);
        let torn = torn(self.case, &now, &self.old, &self.new);
        if !torn.is_empty() {
            return Some(format!("neither old nor new: {}", torn.join(", ")));
        }
        // Nobody kills git, so a tree that did not change needs no second look each time.
        if now.tree != self.old.tree || number.is_multiple_of(5) {
            let unsound = unsound(sandbox);
            if !unsound.is_empty() && !self.refused.contains(&unsound) {
                return Some(format!("not sound:\n{unsound}"));
            }
        }
        if !is_new(self.case, &now, &self.new) {
            let (code, said) = repeat(sandbox, self.case);
            if code != Some(0) {
                return Some(format!("the repeated command fails:\n{said}"));
            }
        }
        let now = state(sandbox, self.case);
        if !is_new(self.case, &now, &self.new) {
            let files = now.files.keys().filter(|p| now.files.get(*p) != self.new.files.get(*p));
            return Some(format!("another end: {:?}\n{}\n{}", files.collect::<Vec<_>>(), now.status, self.new.status));
        }
        if self.case.jobs.is_some_and(|wanted| jobs(sandbox) != wanted) {
            return Some(format!("the scheduler took {} jobs", jobs(sandbox)));
        }
        if litter(sandbox).is_empty() {
            return None;
        }
        let fixed = sandbox.run("doctor --fix");
        let litter = litter(sandbox);
        (!litter.is_empty()).then(|| format!("left over after doctor --fix: {litter:?}\n{fixed}"))
    }

    fn kill(&self, number: usize) -> Option<String> {
        let sandbox = copy(&self.prepared, self.case);
        let (code, said) = run(&sandbox, self.case, Some(&format!("kill@{number}")));
        if code.is_some() {
            return Some(format!("it was not killed:\n{said}"));
        }
        self.aftermath(&sandbox, number)
    }

    /// One effect fails; every other one works.
    fn fail_once(&self, number: usize) -> Option<String> {
        let (word, cause) = ERRORS[number / 2 % 3];
        let sandbox = copy(&self.prepared, self.case);
        let (code, said) = run(&sandbox, self.case, Some(&format!("{word}@{number}")));
        let now = state(&sandbox, self.case);
        match code {
            // It did not need that effect.
            Some(0) if is_new(self.case, &now, &self.new) => {}
            Some(0) if self.told_as_left(&said, cause) => {}
            Some(0) => return Some(format!("it says that it worked:\n{said}")),
            // What is between here and a cluster may be broken too; that is no word about the job.
            Some(7) if self.points[number - 1].starts_with("remote") && said.contains(cause) => {}
            Some(12) if !said.contains(cause) => return Some(format!("the cause is not told:\n{said}")),
            Some(12) => {
                let whole = |one: &State| now.files == one.files && now.tree == one.tree;
                if self.case.same && !self.case.goes_on && !whole(&self.old) && !whole(&self.new) {
                    return Some(format!("neither the old state nor the new one:\n{said}"));
                }
            }
            _ => return Some(format!("another exit:\n{said}")),
        }
        self.aftermath(&sandbox, number)
    }

    /// `doctor --fix` mends each thing by itself, and its exit status is of the machine: what it could not mend it
    /// tells in a line of its own, with the reason. `init` has committed when it comes to the hooks, and tells those
    /// in a note, since the repository works without.
    fn told_as_left(&self, said: &str, cause: &str) -> bool {
        let begin = match self.case.verb {
            "doctor" => "left ",
            "init" => "note: no hooks were installed: ",
            _ => return false,
        };
        said.lines().any(|line| line.starts_with(begin) && line.contains(cause))
    }

    /// Everything fails from here on; afterwards the disk is well again.
    fn fail_onward(&self, number: usize) -> Option<String> {
        let (word, _) = ERRORS[number / 2 % 3];
        let sandbox = copy(&self.prepared, self.case);
        let (code, said) = run(&sandbox, self.case, Some(&format!("{word}@{number}+")));
        if code.is_none() || code == Some(70) {
            return Some(format!("it broke:\n{said}"));
        }
        self.aftermath(&sandbox, number)
    }
}

/// Does `work` for each case, two at a time, and tells every failure with the verb and the effect.
#[allow(clippy::print_stderr, reason = "how far the loop is, for whoever runs it")]
fn each_case(step: Option<usize>, work: impl Fn(&Ready<'_>, usize) -> Option<String> + Sync) {
    let only = std::env::var("AR_CRASH").ok();
    let wanted = |case: &&Case| only.as_deref().is_none_or(|only| case.verb == only);
    let queue = Mutex::new(CASES.iter().filter(wanted).collect::<Vec<_>>());
    let failures = Mutex::new(Vec::new());
    let worker = || {
        while let Some(case) = { queue.lock().unwrap().pop() } {
            let ready = match Ready::new(case) {
                Ok(ready) => ready,
                Err(what) => {
                    failures.lock().unwrap().push(what);
                    continue;
                }
            };
            let mut failed = 0;
            for number in ready.numbers(step) {
                if let Some(what) = work(&ready, number) {
                    let point = &ready.points[number - 1];
                    let text = format!("git ar {}, effect {number} ({point}): {what}", case.words);
                    failures.lock().unwrap().push(text);
                    failed += 1;
                }
            }
            eprintln!("git ar {}: {} effects, {failed} failed", case.words, ready.points.len());
        }
    };
    std::thread::scope(|scope| [(); 2].map(|()| scope.spawn(worker)).map(|worker| worker.join().unwrap()));
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} failed:\n\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn killed_at_any_effect_every_file_is_old_or_new_and_the_command_can_be_repeated() {
    each_case(None, |ready, number| ready.kill(number));
}

#[test]
fn an_effect_that_fails_is_told_and_leaves_the_old_state() {
    each_case(Some(2), |ready, number| ready.fail_once(number));
}

#[test]
fn a_disk_that_fails_from_some_effect_on_tears_nothing() {
    each_case(Some(4), |ready, number| ready.fail_onward(number));
}
