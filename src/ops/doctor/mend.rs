//! `doctor --fix`: what can be mended without a guess, each thing told. A repeated run finds nothing to mend.

use std::path::PathBuf;

use super::Patient;
use crate::ops::hook;
use crate::repo::litter::Litter;
use crate::repo::store::{Lock, Owner};
use crate::repo::{Environment, Repo};
use crate::state::entities::Settings;
use crate::state::load;
use crate::state::problem::Problem;

/// The folders of a work tree that verbs write to, the configs apart.
const WRITTEN: [&str; 5] = ["projects", "leaderboard", "docs", "hooks", "templates"];

/// What was done, and what could not be done.
#[derive(Debug, Default)]
pub(super) struct Mended {
    pub(super) done: Vec<String>,
    pub(super) left: Vec<String>,
}

impl Mended {
    fn failed(&mut self, what: &str, problem: &Problem) {
        let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        self.left.push(format!("{what}: {problem}{hint}"));
    }
}

/// Mends. Outside of a repository nothing can be.
pub(super) fn mend(patient: &Patient<'_>) -> Mended {
    let mut mended = Mended::default();
    let Ok(repo) = Repo::discover(patient.folder, Environment::Honoured) else { return mended };
    recover(&repo, &mut mended);
    let settings = load::settings(&repo.work_tree()).ok().flatten();
    sweep(&repo, settings.as_ref(), &mut mended);
    if settings.is_some() {
        hooks(&repo, patient, &mut mended);
    }
    mended
}

/// Takes back a change whose process was killed, and its lock.
fn recover(repo: &Repo, mended: &mut Mended) {
    match repo.recover() {
        Ok(recovered) => {
            if let Some(Owner { pid, doing, .. }) = recovered.lock {
                mended.done.push(format!("lock of process {pid} ({doing}), which runs no more, taken away"));
            }
            let back = |path| format!("{path} put back as it was before a command was killed");
            mended.done.extend(recovered.files.into_iter().map(back));
        }
        Err(problem) => mended.failed("a change that was killed half-way", &problem),
    }
    if let Some(Owner { pid, .. }) = tick_left(repo) {
        match Lock::try_take(&tick_folder(repo), "doctor --fix") {
            Ok(taken) => {
                mended.done.extend(taken.map(|_| format!("lock of tick {pid}, which runs no more, taken away")))
            }
            Err(problem) => mended.failed("the lock of a tick", &problem),
        }
    }
}

/// Whose tick left its own lock, by which two ticks keep apart.
pub(super) fn tick_left(repo: &Repo) -> Option<Owner> {
    Lock::left_over(&tick_folder(repo)).ok().flatten()
}

fn tick_folder(repo: &Repo) -> PathBuf {
    repo.common_dir().join("ar").join("ticking")
}

/// Everything temporary that lies about.
pub(super) fn litter(repo: &Repo, settings: Option<&Settings>) -> Vec<Litter> {
    let configs = settings.map_or("configs", |settings| settings.config_dir.as_str());
    let folders: Vec<&str> = WRITTEN.into_iter().chain([configs]).collect();
    repo.litter(&folders, repo.hooks().ok().map(|hooks| hooks.folder).as_deref())
}

fn sweep(repo: &Repo, settings: Option<&Settings>, mended: &mut Mended) {
    let found = litter(repo, settings);
    if found.is_empty() {
        return;
    }
    let shown = |path: &PathBuf| path.strip_prefix(repo.top()).unwrap_or(path).display().to_string();
    match repo.clear(&found) {
        Ok(gone) => mended.done.extend(gone.iter().map(|path| format!("left-over {} removed", shown(path)))),
        Err(problem) => mended.failed("left-over files", &problem),
    }
    for one in found.iter().filter(|one| !one.abandoned) {
        let why = "its process may still run, here or on another machine";
        mended.left.push(format!("{}: {why}; if it does not, remove it by hand", shown(&one.path)));
    }
}

fn hooks(repo: &Repo, patient: &Patient<'_>, mended: &mut Mended) {
    if hook::status(repo).is_ok_and(|standing| standing.complete()) {
        return;
    }
    match hook::install(repo, patient.exe, (patient.env)("PATH").as_deref()) {
        Ok(standing) if standing.changed => mended.done.push("hooks installed".into()),
        Ok(standing) => {
            let lines = standing.lines.unwrap_or_default();
            mended.left.push(format!("the hooks are another program's; add to its configuration:\n{lines}"));
        }
        Err(problems) => problems.0.iter().for_each(|problem| mended.failed("hooks", problem)),
    }
}
