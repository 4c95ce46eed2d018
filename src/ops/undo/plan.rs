//! What `undo` would do: the commits, the files as they were before, and every reason not to.

use std::collections::{BTreeMap, BTreeSet};

use super::Taken;
use crate::ops::{Context, mark};
use crate::repo::{After, CommitInfo, CommitTree};
use crate::state::load;
use crate::state::problem::{Kind, Problem};
use crate::state::record::Attempt;
use crate::state::tree::{Change, EntryKind, Tree as _};

/// The plan of one `undo`.
pub(super) struct Plan {
    /// Newest first.
    pub(super) commits: Vec<Taken>,
    /// The newest one.
    pub(super) tip: String,
    /// What the oldest one stands on.
    pub(super) base: Option<String>,
    /// Whether others have them.
    pub(super) pushed: bool,
    /// Every file as it was before, none where there was no file.
    pub(super) files: BTreeMap<String, Option<Vec<u8>>>,
    /// What is not taken back.
    pub(super) stays: Vec<String>,
}

/// One commit with what it changed.
struct Step {
    info: CommitInfo,
    changes: Vec<Change>,
    after: CommitTree,
}

impl Plan {
    pub(super) fn of(context: &Context<'_>, count: usize) -> Result<Self, Problem> {
        if count == 0 {
            return Err(Problem::new(Kind::Usage, "usage", "nothing is to be taken back").hint("git ar undo 1"));
        }
        let none = || Problem::new(Kind::Refused, "unborn", "there is no commit to take back").hint("git ar status");
        let tip = context.repo.head()?.commit.ok_or_else(none)?;
        let mut plan = Self {
            commits: Vec::new(),
            base: Some(tip.clone()),
            tip,
            pushed: false,
            files: BTreeMap::new(),
            stays: Vec::new(),
        };
        let (mut edited, mut pushed) = (BTreeSet::new(), Vec::new());
        for number in 1..=count {
            let Some(id) = plan.base.clone() else { return Err(too_few(number - 1, count)) };
            let (step, verb) = own(context, &id)?;
            refuse_jobs(&step)?;
            plan.take(context, &step, &mut edited)?;
            plan.stays.extend(stays(&step, &verb));
            pushed.push(context.repo.is_pushed(&id)?);
            plan.base = step.info.parents.first().cloned();
            plan.commits.push(Taken { commit: id, subject: step.info.subject, verb });
        }
        plan.pushed = pushed[0];
        // The newest is the last that can be pushed.
        if let Some(local) = pushed.iter().position(|p| *p).filter(|local| *local > 0) {
            let message = format!("of the last {count} commits {local} are not pushed and the others are");
            let hint = format!("git ar undo {local}   takes the first ones off the branch; then repeat the command");
            return Err(Problem::new(Kind::Refused, "partly-pushed", message).hint(hint));
        }
        if plan.pushed {
            plan.as_committed(context)?;
        }
        plan.refuse_edited(context)?;
        Ok(plan)
    }

    /// What the newest commit says.
    pub(super) fn title(&self) -> &str {
        &self.commits[0].subject
    }

    /// Adds what a commit changed: the files as they stood on the disk before it.
    fn take(&mut self, context: &Context<'_>, step: &Step, edited: &mut BTreeSet<String>) -> Result<(), Problem> {
        let repo = &context.repo;
        let parent = step.info.parents.first().map(String::as_str);
        let uncommitted = repo.uncommitted_before(parent)?;
        for Change { path, before: committed, .. } in &step.changes {
            if edited.contains(path) {
                let message = "somebody's own edit stands in this file once the newer commit is taken back";
                let hint = "take back fewer commits, commit or move that edit, then go on";
                return Err(Problem::new(Kind::Refused, "edited", message).at(path).hint(hint));
            }
            let before = match uncommitted.get(path) {
                Some(bytes) => {
                    // What differs by git's filters alone is nobody's edit.
                    let stored = bytes.as_ref().map(|bytes| repo.stored_as(path, bytes)).transpose()?;
                    if stored.as_deref() != committed.as_ref().map(|(_, id)| id.as_str()) {
                        edited.insert(path.clone());
                    }
                    bytes.clone()
                }
                None => on_disk(context, parent.filter(|_| committed.is_some()), path)?,
            };
            self.files.insert(path.clone(), before);
        }
        Ok(())
    }

    /// The files as the base has them: a commit that others get holds nothing that was never committed.
    fn as_committed(&mut self, context: &Context<'_>) -> Result<(), Problem> {
        let base =
            self.base.as_deref().map_or_else(|| Ok(context.repo.empty_tree()), |id| context.repo.commit_tree(id))?;
        for (path, bytes) in &mut self.files {
            let there = base.read(path)?.is_some();
            *bytes = on_disk(context, self.base.as_deref().filter(|_| there), path)?;
        }
        Ok(())
    }

    /// Refuses when one of the files is not as the newest commit has it.
    pub(super) fn refuse_edited(&self, context: &Context<'_>) -> Result<(), Problem> {
        let (tip, disk) = (context.repo.commit_tree(&self.tip)?, context.repo.work_tree());
        let dirty =
            context.repo.dirty_paths()?.into_iter().map(|dirty| dirty.path).find(|p| self.files.contains_key(p));
        let mut edited = dirty;
        for path in self.files.keys() {
            // A file that git ignores is not told as untracked.
            if edited.is_none() && tip.read(path)?.is_none() && disk.read(path)?.is_some() {
                edited = Some(path.clone());
            }
        }
        match edited {
            None => Ok(()),
            Some(path) => {
                let message = "the file was edited since, and the edit would be lost";
                let hint = "commit it or move it away, then repeat the command";
                Err(Problem::new(Kind::Refused, "edited", message).at(path).hint(hint))
            }
        }
    }
}

/// A file that was read, none where there is none.
type Bytes = Result<Option<Vec<u8>>, Problem>;

/// A file of a commit as it stands on the disk where that is checked out; nothing without a commit.
fn on_disk(context: &Context<'_>, commit: Option<&str>, path: &str) -> Bytes {
    commit.map(|commit| context.repo.checked_out(commit, path)).transpose()
}

/// The commit with what it changed, and its verb, when it is as git-ar made it.
fn own(context: &Context<'_>, id: &str) -> Result<(Step, String), Problem> {
    let repo = &context.repo;
    let info = repo.commit(id)?;
    let short: String = info.id.chars().take(10).collect();
    let foreign = |why: String| {
        let problem = Problem::new(Kind::Refused, "not-own", format!("commit {short} ({}) {why}", info.subject));
        problem.hint(format!("git ar undo takes back only git-ar's own newest commits; git show {short}"))
    };
    let Some(mark) = mark::read(&repo.message(id)?) else { return Err(foreign("was not made by git-ar".into())) };
    if info.parents.len() > 1 {
        return Err(foreign("is a merge".into()));
    }
    let before = info.parents.first().map_or_else(|| Ok(repo.empty_tree()), |parent| repo.commit_tree(parent))?;
    let after = repo.commit_tree(id)?;
    let changes = repo.changes(&before, After::Commit(&after))?;
    let is_own = |read: &dyn Fn(&Change) -> Bytes| {
        let bytes = changes.iter().map(|c| Ok((c.path.as_str(), read(c)?))).collect::<Result<Vec<_>, Problem>>()?;
        Ok::<bool, Problem>(mark::change(bytes.iter().map(|(path, bytes)| (*path, bytes.as_deref()))) == mark.change)
    };
    // The mark is of what git-ar wrote, and git's filters may have stored something else.
    let disk = repo.work_tree();
    let filtered = |change: &Change| on_disk(context, change.after.as_ref().map(|_| id), &change.path);
    if !is_own(&|change| after.read(&change.path))?
        && !is_own(&|change| disk.read(&change.path))?
        && !is_own(&filtered)?
    {
        return Err(foreign("was changed since git-ar made it".into()));
    }
    let odd = |side: &Option<(EntryKind, String)>| side.as_ref().is_some_and(|(kind, _)| *kind != EntryKind::File);
    if let Some(change) = changes.iter().find(|change| odd(&change.before) || odd(&change.after)) {
        return Err(foreign(format!("changes {}, which is no plain file", change.path)));
    }
    Ok((Step { info, changes, after }, mark.verb))
}

/// A job is not taken back by a commit that goes.
fn refuse_jobs(step: &Step) -> Result<(), Problem> {
    for Change { path, before, after } in &step.changes {
        if before.is_some() || after.is_none() || !path.contains("/attempts/") {
            continue;
        }
        let attempt: Option<Attempt> = load::read(&step.after, path)?;
        let Some(Attempt { cluster, job: Some(job), .. }) = attempt.filter(|attempt| attempt.cluster != "local") else {
            continue;
        };
        let run = load::run_of_path(path).map_or_else(|| "RUN".into(), |(_, run)| run.to_string());
        let message = format!("job {job} was submitted to {cluster}, and no commit that goes takes it back");
        let hint =
            format!("git ar job cancel {run}   ends the job; its record stays, git ar run exclude {run} sets it aside");
        return Err(Problem::new(Kind::Refused, "submitted", message).at(path).hint(hint));
    }
    Ok(())
}

/// What the verb of a commit did besides.
fn stays(step: &Step, verb: &str) -> Vec<String> {
    let mut found = Vec::new();
    if verb == "init" {
        found.push("the hooks in git's folder (git ar hook uninstall takes them out)".into());
    }
    let runs: BTreeSet<String> =
        step.changes.iter().filter_map(|c| load::run_of_path(&c.path)).map(|(_, run)| run.to_string()).collect();
    if verb.starts_with("run") && verb != "run exclude" {
        let kept = "the same command records them again without training";
        found.extend(runs.into_iter().map(|run| format!("the results of {run} in scratch; {kept}")));
    }
    found
}

fn too_few(found: usize, wanted: usize) -> Problem {
    let message = format!("there are only {found} commits, not {wanted}");
    Problem::new(Kind::Refused, "too-few", message).hint(format!("git ar undo {found}"))
}
