//! A change that a killed process left half-done, and how the next command takes it back.
//!
//! Before a transaction touches a file it writes the note `ar/unfinished` (fsynced) in the worktree's git folder:
//! every path, where its old state is kept, and the digest of its new one. The note goes when the commit stands or
//! everything was put back.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::store::{Kept, Lock, Owner, Store};
use super::{CommitTree, Repo, effect};
use crate::state::problem::{Kind, Problem};
use crate::state::tree::{Tree as _, digest};

pub(super) const NOTE: &str = "unfinished";

/// The note.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    /// What the names of the process's temporary files begin with; they are of no use any more.
    #[serde(default)]
    temporary: String,
    files: Vec<Noted>,
    /// The commit that the branch was to leave, where the change was to take commits back. The index says of these files
    /// what `HEAD` says then, before and after.
    #[serde(default)]
    leaves: Option<String>,
}

/// What the note says of one file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Noted {
    path: String,
    /// The name in `ar/` under which its old state is kept; none when there was no such file.
    kept: Option<String>,
    /// The digest of its new bytes; none when it is removed.
    new: Option<String>,
}

impl Noted {
    pub(super) fn new(path: &str, kept: &Kept, bytes: Option<&[u8]>) -> Self {
        Self { path: path.to_string(), kept: kept.name(), new: bytes.map(digest) }
    }
}

/// What a killed process had left, and is put in order.
#[derive(Debug, Default)]
pub struct Recovered {
    /// Files that are as before again.
    pub files: Vec<String>,
    /// Who left the lock behind.
    pub lock: Option<Owner>,
}

impl Repo {
    /// Takes back what a killed process left half-done, and its lock. Does nothing while a transaction is under way. A
    /// file that was edited since then is left as it is.
    ///
    /// # Errors
    /// [`Kind::Locked`] while git still works on the index, [`Kind::Io`] when a file cannot be put back.
    pub fn recover(&self) -> Result<Recovered, Problem> {
        let left = Lock::left_over(self.common_dir())?;
        if left.is_none() && !self.is_unfinished() {
            return Ok(Recovered::default());
        }
        match Lock::try_take(self.common_dir(), "recovery")? {
            Some(lock) => Ok(Recovered { files: self.recover_under(&lock)?, lock: left }),
            None => Ok(Recovered::default()),
        }
    }

    /// Whether a change is under way in this worktree, or was when its process was killed.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.aside().join(NOTE).exists()
    }

    /// The same for a caller that holds the lock.
    pub(super) fn recover_under(&self, _lock: &Lock) -> Result<Vec<String>, Problem> {
        let notes = self.notes();
        let Some(bytes) = notes.read(NOTE)? else { return Ok(Vec::new()) };
        if self.git_dir().join("index.lock").exists() {
            let place = self.git_dir().join("index.lock").display().to_string();
            return Err(Problem::new(
                Kind::Locked,
                "git-locked",
                "a git process is at work on the index, or died in it",
            )
            .at(place)
            .hint("wait until it has ended; if none is running, remove that file by hand"));
        }
        // The note is written whole or not at all; one that cannot be read is from another version.
        let note: Note = serde_json::from_slice(&bytes).unwrap_or_default();
        let paths: Vec<String> = note.files.iter().map(|noted| noted.path.clone()).collect();
        let mut restored = Vec::new();
        let head = self.head_tree()?;
        let left = note.leaves.as_deref().map(|tip| self.has_left(tip)).transpose()?;
        for Noted { path, kept, new } in note.files {
            self.store().sweep(path.rsplit_once('/').map_or("", |(folder, _)| folder), &note.temporary);
            let is_new = |bytes: Option<&[u8]>| bytes.map(digest) == new;
            let here = self.store().read(&path)?;
            let stands = is_new(here.as_deref());
            let committed = match left {
                Some(left) => left,
                None => is_new(head.read(&path)?.as_deref()) || stands && self.is_as(&head, &path, here.as_deref())?,
            };
            let kept = self.store().kept(&path, kept.map(|name| self.aside().join(name)));
            if !committed && stands {
                kept.restore()?;
                restored.push(path);
            } else {
                kept.forget();
                self.store().prune(&self.top().join(&path));
            }
        }
        match note.leaves {
            Some(_) => self.index_as_head(&paths)?,
            None => self.forget_new(&paths)?,
        }
        notes.remove(NOTE)?;
        notes.sweep("", &note.temporary);
        Ok(restored)
    }

    /// Whether a commit has a file of these bytes, once git's filters have seen them.
    fn is_as(&self, commit: &CommitTree, path: &str, bytes: Option<&[u8]>) -> Result<bool, Problem> {
        match (bytes, commit.object(path)?) {
            (Some(bytes), Some(id)) => Ok(self.stored_as(path, bytes)? == id),
            (bytes, id) => Ok(bytes.is_none() && id.is_none()),
        }
    }

    /// Whether `HEAD` does not contain a commit any more.
    fn has_left(&self, commit: &str) -> Result<bool, Problem> {
        self.head()?.commit.map_or(Ok(true), |head| Ok(!self.is_ancestor(commit, &head)?))
    }

    /// Writes the note.
    pub(super) fn note(&self, files: Vec<Noted>, leaves: Option<&str>) -> Result<(), Problem> {
        let note = Note { temporary: effect::own_prefix(), files, leaves: leaves.map(str::to_string) };
        let text =
            serde_json::to_vec(&note).map_err(|_| Problem::new(Kind::Bug, "note", "a note cannot be written"))?;
        let place = self.aside().join(NOTE).display().to_string();
        self.notes().replace(NOTE, &text).map(drop).map_err(|problem| problem.at(place))
    }

    /// Takes the note away: nothing is unfinished.
    pub(super) fn note_done(&self) -> Result<(), Problem> {
        self.notes().remove(NOTE).map(drop)
    }

    /// Where the note and old files lie: a folder for each worktree, because paths are below its top.
    pub(super) fn aside(&self) -> PathBuf {
        self.git_dir().join("ar")
    }

    pub(super) fn notes(&self) -> Store {
        Store::at(&self.aside())
    }

    /// Takes paths out of the index that are in neither `HEAD` nor the work tree.
    pub(super) fn forget_new(&self, paths: &[String]) -> Result<(), Problem> {
        let (index, head) = (self.index_tree()?, self.head_tree()?);
        let mut new = Vec::new();
        for path in paths {
            if index.has(path) && head.read(path)?.is_none() && self.store().read(path)?.is_none() {
                new.push(path.clone());
            }
        }
        if new.is_empty() { Ok(()) } else { self.forget(&self.git(), &new) }
    }
}
