//! The checks of `doctor` on what is left over: by killed commands, by git, and in scratch.

use std::path::{Path, PathBuf};

use super::{Check, State, mend};
use crate::ops::run;
use crate::repo::Repo;
use crate::repo::journal::Journal;
use crate::repo::store::{Lock, Owner};
use crate::runs::layout::Scratch;
use crate::state::entities::Settings;
use crate::state::problem::Problems;

/// Every check, in order; those that find nothing say so in one line.
pub(super) fn all(repo: &Repo, settings: &Settings) -> Vec<Check> {
    let mut checks = vec![killed(repo, settings), journal(repo)];
    checks.extend(git_locks(repo));
    checks.extend(scratch(repo));
    checks
}

/// What killed commands left.
fn killed(repo: &Repo, settings: &Settings) -> Check {
    let mut found = Vec::new();
    if let Ok(Some(Owner { pid, doing, .. })) = Lock::left_over(repo.common_dir()) {
        found.push(format!("the lock of process {pid} ({doing})"));
    }
    if let Some(Owner { pid, .. }) = mend::tick_left(repo) {
        found.push(format!("the lock of tick {pid}"));
    }
    if repo.is_unfinished() {
        found.push("a change half-way".into());
    }
    let litter = mend::litter(repo, Some(settings));
    if !litter.is_empty() {
        found.push(format!("{} temporary files", litter.len()));
    }
    match found.is_empty() {
        true => Check::ok("remains", "no command was killed half-way"),
        false => {
            let fix = vec!["git ar doctor --fix".into()];
            Check::bad("remains", State::Missing, format!("killed commands left {}", found.join(", ")), fix)
        }
    }
}

fn journal(repo: &Repo) -> Check {
    let journal = Journal::of(repo.common_dir());
    let content = match journal.read() {
        Ok(content) => content,
        Err(problem) => return Check::bad("journal", State::Missing, problem.to_string(), Vec::new()),
    };
    if let Some(damage) = &content.damage {
        let problem = journal.damaged(damage);
        return Check::bad("journal", State::Broken, problem.to_string(), problem.hint.into_iter().collect());
    }
    let open: Vec<String> = content.pending().into_iter().map(|act| act.intent.about).collect();
    match (open.is_empty(), content.cut) {
        (false, _) => {
            let found = format!("not settled: {}", open.join(", "));
            Check::bad("journal", State::Missing, found, vec!["git ar tick   finds out what became of it".into()])
        }
        (true, true) => Check::ok("journal", "its last line was cut by a kill, before what it speaks of was done"),
        (true, false) => Check::ok("journal", "everything is settled"),
    }
}

/// Locks of git itself. They are named and never removed: a git process may be at work.
fn git_locks(repo: &Repo) -> Option<Check> {
    let branch = repo.head().ok().and_then(|head| head.branch);
    let refs = branch.map(|branch| repo.common_dir().join(format!("refs/heads/{branch}.lock")));
    let own = ["index.lock", "HEAD.lock"].map(|name| repo.git_dir().join(name));
    let shared = ["packed-refs.lock", "config.lock"].map(|name| repo.common_dir().join(name));
    let there: Vec<String> =
        own.into_iter().chain(shared).chain(refs).filter(|p| p.exists()).map(|p| shown(&p)).collect();
    let fix = vec!["see whether a git process runs (ps); if none does, remove that file by hand".into()];
    (!there.is_empty()).then(|| Check::bad("git locks", State::Missing, there.join(", "), fix))
}

/// Run folders in scratch whose run is recorded nowhere in the work tree, with their age.
fn scratch(repo: &Repo) -> Option<Check> {
    let folder = Scratch::of(repo.common_dir()).runs();
    let there: Vec<PathBuf> = std::fs::read_dir(&folder).ok()?.flatten().map(|entry| entry.path()).collect();
    let recorded = match recorded(repo) {
        Ok(recorded) => recorded,
        Err(problems) => return Some(Check::bad("scratch", State::Missing, problems.to_string(), Vec::new())),
    };
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut spare: Vec<&PathBuf> = there.iter().filter(|path| !recorded.contains(&name(path))).collect();
    spare.sort();
    if spare.is_empty() {
        return Some(Check::ok("scratch", format!("{} run folders, each of a recorded run", there.len())));
    }
    let since = |path: &PathBuf| {
        let changed = std::fs::metadata(path).and_then(|found| found.modified()).ok()?;
        jiff::Timestamp::try_from(changed).ok().map(|time| format!(", last changed {time:.0}"))
    };
    let mut fix =
        vec!["the same `run` command goes on in one of them; what nobody needs may be removed by hand:".into()];
    fix.extend(spare.iter().map(|path| format!("  {}{}", shown(path), since(path).unwrap_or_default())));
    let found = format!("{} of {} run folders belong to no recorded run here", spare.len(), there.len());
    Some(Check::bad("scratch", State::Missing, found, fix))
}

fn recorded(repo: &Repo) -> Result<Vec<String>, Problems> {
    Ok(run::all(&repo.work_tree())?.into_iter().map(|found| found.id.to_string()).collect())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
