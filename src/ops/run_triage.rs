//! `run triage`: the runs that did not end well, each with its cause, the lines of its log that matter, and what to do.

use std::fmt;

use serde::Serialize;

use super::run::{self, Found, State};
use super::tick::seen;
use super::{Context, run_show};
use crate::cluster::local::last_lines;
use crate::runs::layout::Scratch;
use crate::state::load::RunView;
use crate::state::problem::{Problem, Problems};
use crate::state::record::{Attempt, RunKind, Verdict};
use crate::state::text::printable;
use crate::state::tree::Tree;

/// Lines of a log that are told.
const LINES: usize = 4;
/// Characters of a line or reason that are told.
const WIDTH: usize = 240;
/// Runs that are told when none is named.
const MOST: usize = 10;
/// What a line says that tells why something failed, in small letters.
const TELLING: [&str; 14] = [
    "error",
    "exception",
    "killed",
    "out of memory",
    "oom",
    "nan",
    "assert",
    "panicked",
    "no such file",
    "not found",
    "permission denied",
    "no space left",
    "segmentation fault",
    "traceback",
];

/// One run that did not end well.
#[derive(Debug, Serialize)]
pub struct Case {
    /// The run.
    pub run: String,
    /// Its project or iteration.
    pub place: String,
    /// The attempt's number.
    pub attempt: u32,
    /// The verdict on it.
    pub verdict: Verdict,
    /// What ended it.
    pub cause: Option<String>,
    /// Why.
    pub reason: String,
    /// The lines of its log that most likely tell more.
    pub lines: Vec<String>,
    /// What to type next.
    pub next: String,
}

/// The runs that did not end well.
#[derive(Debug, Serialize)]
pub struct Triage {
    /// Newest last.
    pub cases: Vec<Case>,
    /// How many older ones were left out.
    pub left_out: usize,
}

/// The runs whose latest attempt did not end well and that were not excluded; or one run.
///
/// # Errors
/// [`Kind::Ambiguous`](crate::state::problem::Kind::Ambiguous) for an unknown run.
pub fn triage(context: &Context<'_>, name: Option<&str>) -> Result<Triage, Problems> {
    let tree = context.repo.work_tree();
    let mut views = match name {
        Some(name) => {
            let (place, view) = run::one(&tree, name)?;
            vec![(place.name(), view)]
        }
        None => open(&tree)?,
    };
    views.sort_by(|a, b| (a.1.run.created, &a.1.id).cmp(&(b.1.run.created, &b.1.id)));
    let left_out = if name.is_some() { 0 } else { views.len().saturating_sub(MOST) };
    let cases = views.into_iter().skip(left_out).filter_map(|(place, view)| case(context, place, &view)).collect();
    Ok(Triage { cases, left_out })
}

/// The runs that need somebody.
fn open(tree: &dyn Tree) -> Result<Vec<(String, RunView)>, Problem> {
    let mut found = Vec::new();
    for run in run::all(tree)? {
        if !ended_badly(tree, &run)? {
            continue;
        }
        let view = run.view(tree)?;
        if matches!(State::of(&view), State::Failed | State::Killed | State::Quarantined) {
            found.push((run.place_name(), view));
        }
    }
    Ok(found)
}

/// Whether one of its attempts may have ended badly; tells it from the text, for thousands of runs.
fn ended_badly(tree: &dyn Tree, run: &Found) -> Result<bool, Problem> {
    let folder = format!("{}/runs/{}/attempts", run.parent, run.id);
    for entry in tree.list(&folder)? {
        let bytes = tree.read(&format!("{folder}/{}", entry.name))?.unwrap_or_default();
        let line = |line: &[u8]| line.starts_with(b"verdict: ") && !line.starts_with(b"verdict: succeeded");
        if bytes.split(|b| *b == b'\n').any(line) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn case(context: &Context<'_>, place: String, view: &RunView) -> Option<Case> {
    let bad = |attempt: &Attempt| attempt.verdict.filter(|verdict| *verdict != Verdict::Succeeded);
    let (number, attempt) = view.attempts.iter().rev().find(|(_, attempt)| bad(attempt).is_some())?;
    let verdict = bad(attempt)?;
    let reason = attempt.reason.clone().unwrap_or_else(|| "the record gives no reason".into());
    Some(Case {
        run: view.id.to_string(),
        place,
        attempt: *number,
        verdict,
        cause: attempt.cause.clone(),
        reason: cut(&reason),
        lines: telling(&log(context, view, *number)),
        next: next(view, verdict, attempt.cause.as_deref()),
    })
}

/// The end of its logs: what a tick kept, or what lies in scratch here.
fn log(context: &Context<'_>, view: &RunView, number: u32) -> String {
    let common_dir = context.repo.common_dir();
    if let Some(text) = seen::logs(common_dir, &format!("{}.{number}", view.id)) {
        return text;
    }
    let dir = Scratch::of(common_dir).run(&view.id);
    let without = view.run.seeds.as_slice().iter().filter(|seed| !matches!(view.seeds.get(seed), Some(Ok(_))));
    without.filter_map(|seed| last_lines(&dir.log(*seed), 40)).collect::<Vec<_>>().join("\n")
}

/// The last lines that say something; the last line of all where none does.
fn telling(log: &str) -> Vec<String> {
    let lines = || log.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with("== "));
    let tells = |line: &&str| {
        let line = line.to_lowercase();
        TELLING.iter().any(|word| line.contains(word))
    };
    let mut found: Vec<String> = lines().filter(tells).map(cut).collect();
    found.dedup();
    if found.is_empty() {
        found.extend(lines().next_back().map(cut));
    }
    found.split_off(found.len().saturating_sub(LINES))
}

fn cut(text: &str) -> String {
    let text = printable(text);
    if text.chars().count() <= WIDTH { text } else { text.chars().take(WIDTH - 1).chain(['…']).collect() }
}

fn next(view: &RunView, verdict: Verdict, cause: Option<&str>) -> String {
    let (run, local) = (&view.id, view.run.cluster == crate::cluster::profile::LOCAL);
    let kind = if view.run.kind == RunKind::Smoke { "smoke" } else { "local" };
    match (verdict, cause) {
        (Verdict::Quarantined, _) => format!("git ar run verify {run}"),
        (Verdict::Killed, _) if local => format!("git ar run {kind} {}", view.run.experiment),
        (Verdict::Failed, _) if local => format!("git ar run show {run}"),
        (Verdict::Killed, Some("walltime")) => format!("git ar job resubmit {run} --walltime HH:MM:SS"),
        (Verdict::Killed, Some("memory")) => format!("git ar job script {run}"),
        (Verdict::Killed, _) => format!("git ar job resubmit {run}"),
        _ => format!("git ar job logs {run} --lines 60"),
    }
}

impl fmt::Display for Triage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.cases.is_empty() {
            return writeln!(f, "nothing needs to be looked at");
        }
        if self.left_out > 0 {
            writeln!(f, "{} older runs are left out (name one to see it)", self.left_out)?;
        }
        for case in &self.cases {
            let cause = case.cause.as_ref().map(|cause| format!(" ({cause})")).unwrap_or_default();
            let verdict = run_show::verdict_word(case.verdict);
            writeln!(f, "{}.{}  {verdict}{cause}  {}: {}", case.run, case.attempt, case.place, case.reason)?;
            case.lines.iter().try_for_each(|line| writeln!(f, "  | {line}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_told_by_its_telling_lines() {
        let log =
            "== seed 0\nepoch 1\nTraceback (most recent call last):\n  File \"a.py\"\nValueError: x\u{1b}[0m\n\nbye\n";
        assert_eq!(telling(log), ["Traceback (most recent call last):", "ValueError: x^[[0m"]);
        assert_eq!(telling("== job\none\ntwo\n\n"), ["two"]);
        assert!(telling("").is_empty());
        assert_eq!(telling(&"error\n".repeat(9)).len(), 1);
        assert!(telling(&format!("error {}", "x".repeat(500)))[0].chars().count() <= WIDTH);
    }
}
