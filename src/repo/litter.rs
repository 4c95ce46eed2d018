//! What killed processes left lying about: temporary files and folders that nobody will ever finish.
//!
//! A name says whose it is. Only what belongs to a process of this machine and boot that runs no more is removed;
//! what another machine left may be in use there, and is told.

use std::path::{Path, PathBuf};

use super::store::{Lock, Store};
use super::unfinished::NOTE;
use super::{Repo, effect, process};
use crate::state::problem::Problem;

/// One temporary file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Litter {
    /// Where it lies.
    pub path: PathBuf,
    /// Whether its process certainly runs no more.
    pub abandoned: bool,
}

impl Repo {
    /// Every temporary file in the folders that git-ar writes to: the work tree's files at its top and `folders` below
    /// it, the hooks, git's attributes, and git-ar's part of `.git`. Old files that an unfinished change of some worktree keeps are no
    /// litter.
    #[must_use]
    pub fn litter(&self, folders: &[&str], hooks: Option<&Path>) -> Vec<Litter> {
        let mut found = Vec::new();
        look(self.top(), false, &mut found);
        for folder in folders {
            look(&self.top().join(folder), true, &mut found);
        }
        hooks.into_iter().for_each(|folder| look(folder, false, &mut found));
        look(&self.common_dir().join("info"), false, &mut found);
        for part in self.parts() {
            look(&part, true, &mut found);
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found.dedup();
        found
    }

    /// Removes what is abandoned and returns it.
    ///
    /// # Errors
    /// [`Kind::Locked`](crate::state::problem::Kind::Locked) while another process works here,
    /// [`Kind::Io`](crate::state::problem::Kind::Io) when something cannot be removed.
    pub fn clear(&self, litter: &[Litter]) -> Result<Vec<PathBuf>, Problem> {
        let _lock = Lock::take(self.common_dir(), "doctor --fix")?;
        let mut removed = Vec::new();
        for Litter { path, .. } in litter.iter().filter(|one| one.abandoned) {
            Store::discard(path)?;
            removed.push(path.clone());
        }
        Ok(removed)
    }

    /// The folders of git-ar in `.git`: the one that worktrees share, and each worktree's own, unless a change is
    /// unfinished there.
    fn parts(&self) -> Vec<PathBuf> {
        let worktrees = std::fs::read_dir(self.common_dir().join("worktrees")).into_iter().flatten().flatten();
        let all = std::iter::once(self.common_dir().to_path_buf()).chain(worktrees.map(|entry| entry.path()));
        all.map(|folder| folder.join("ar")).filter(|part| !part.join(NOTE).exists()).collect()
    }
}

/// The temporary files in a folder whose processes certainly run no more.
#[must_use]
pub fn abandoned(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    look(folder, false, &mut found);
    found.into_iter().filter(|one| one.abandoned).map(|one| one.path).collect()
}

/// Adds what is temporary in a folder, and below it when `deep`.
fn look(folder: &Path, deep: bool, found: &mut Vec<Litter>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if let Some(rest) = name.strip_prefix(effect::TEMPORARY) {
            found.push(Litter { path: entry.path(), abandoned: is_abandoned(rest) });
        } else if deep && is_folder && name != ".git" && !is_snapshot(&entry.path()) {
            look(&entry.path(), true, found);
        }
    }
}

/// A snapshot came to its place whole: nothing in it is temporary, and it may hold many files.
fn is_snapshot(folder: &Path) -> bool {
    folder.parent().is_some_and(|parent| parent.ends_with("scratch/snapshots"))
}

/// Whether the process that a name speaks of is of this machine and boot, and runs no more.
fn is_abandoned(rest: &str) -> bool {
    let mut parts = rest.split('-');
    let (machine, pid) = (parts.next(), parts.next().and_then(|pid| pid.parse().ok()));
    machine == Some(&process::machine()) && pid.is_some_and(|pid| !process::runs(pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_dead_process_of_this_machine_left_is_abandoned() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let (machine, dead, own) = (process::machine(), child.id(), std::process::id());
        assert!(is_abandoned(&format!("{machine}-{dead}-0")));
        assert!(!is_abandoned(&format!("{machine}-{own}-0")));
        assert!(!is_abandoned(&format!("00000000-{dead}-0")));
        assert!(!is_abandoned(&format!("{dead}-0")) && !is_abandoned(""));
    }
}
