//! A change of several files that becomes one commit, or nothing at all.

use std::collections::BTreeMap;

use super::store::{Lock, Store, check, edit_text};
use super::{CommitTree, Committed, DiskTree, Repo};
use crate::state::problem::{Kind, Problem};
use crate::state::tree::{Change, Entry, EntryKind, Tree, join};
use crate::state::yaml;

/// Files that are about to be written, under the repository's lock. Nothing touches the disk before
/// [`Transaction::commit`], [`Transaction::stage`] or [`Transaction::write_out`]; dropped, it leaves no trace.
pub struct Transaction<'r> {
    repo: &'r Repo,
    store: Store,
    files: BTreeMap<String, Option<Vec<u8>>>,
    _lock: Lock,
}

impl Repo {
    /// Takes the lock and begins a change; `doing` names it to others who wait, such as `phase next`.
    ///
    /// # Errors
    /// [`Kind::Locked`] when another process holds the lock.
    pub fn begin(&self, doing: &str) -> Result<Transaction<'_>, Problem> {
        let lock = Lock::take(self.common_dir(), doing)?;
        Ok(Transaction { repo: self, store: Store::at(self.top()), files: BTreeMap::new(), _lock: lock })
    }

    /// Writes below the top of the work tree, without lock and commit.
    #[must_use]
    pub fn store(&self) -> Store {
        Store::at(self.top())
    }
}

impl Transaction<'_> {
    /// Writes a file, new or not.
    ///
    /// # Errors
    /// [`Kind::Refused`] for a path that is not inside the repository.
    pub fn write(&mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Result<(), Problem> {
        check(path)?;
        self.files.insert(path.to_string(), Some(bytes.into()));
        Ok(())
    }

    /// Changes a text file, as this transaction has it.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when the file is no text or `edit` refuses.
    pub fn edit(&mut self, path: &str, edit: impl FnOnce(&str) -> Result<String, yaml::Error>) -> Result<(), Problem> {
        let bytes = self.read(path)?.unwrap_or_default();
        let text = edit_text(path, &bytes, edit)?;
        self.write(path, text)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// [`Kind::Refused`] for a path that is not inside the repository.
    pub fn remove(&mut self, path: &str) -> Result<(), Problem> {
        check(path)?;
        self.files.insert(path.to_string(), None);
        Ok(())
    }

    /// A file as it will be; what the transaction does not touch is read from disk.
    ///
    /// # Errors
    /// [`Kind::Io`] when it cannot be read.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Problem> {
        match self.files.get(path) {
            Some(bytes) => Ok(bytes.clone()),
            None => self.store.read(path),
        }
    }

    /// The paths that are written or removed.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    /// The tree that [`Transaction::commit`] will commit: `HEAD` with these files.
    ///
    /// # Errors
    /// [`Kind::Io`] when `HEAD` cannot be read.
    pub fn after(&self) -> Result<Overlay<CommitTree>, Problem> {
        Ok(Overlay { base: self.repo.head_tree()?, files: self.files.clone(), hash: self.repo.git.object_hash() })
    }

    /// The work tree with these files.
    #[must_use]
    pub fn on_disk(&self) -> Overlay<DiskTree> {
        Overlay { base: self.repo.work_tree(), files: self.files.clone(), hash: self.repo.git.object_hash() }
    }

    /// Writes the files and commits exactly them. When anything refuses, every file is as before, byte for byte.
    ///
    /// # Errors
    /// What [`Repo::commit_only`] and [`Store::replace`] refuse.
    pub fn commit(self, message: &str, trailers: &[(&str, String)]) -> Result<Committed, Problem> {
        self.repo.refuse_in_progress()?;
        let paths = self.paths();
        self.apply(|| self.repo.commit_only(&paths, message, trailers))
    }

    /// Writes the files and stages them, without a commit.
    ///
    /// # Errors
    /// What [`Store::replace`] refuses, and [`Kind::Locked`] when another git process holds the index.
    pub fn stage(self) -> Result<(), Problem> {
        let paths = self.paths();
        self.apply(|| self.repo.git().add(&paths))
    }

    /// Writes the files, and neither stages nor commits them.
    ///
    /// # Errors
    /// What [`Store::replace`] refuses.
    pub fn write_out(self) -> Result<(), Problem> {
        self.apply(|| Ok(()))
    }

    /// Writes, does `then`, and takes everything back when something fails.
    fn apply<T>(&self, then: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
        let mut old = Vec::new();
        let written = self.files.iter().try_for_each(|(path, bytes)| {
            old.push((path, self.store.read(path)?));
            self.put(path, bytes.as_deref())
        });
        written.and_then(|()| then()).map_err(|mut problem| {
            for (path, bytes) in old.iter().rev() {
                if let Err(second) = self.put(path, bytes.as_deref()) {
                    problem.message = format!("{}; and {second}, so this file is not as before", problem.message);
                }
            }
            problem
        })
    }

    fn put(&self, path: &str, bytes: Option<&[u8]>) -> Result<(), Problem> {
        match bytes {
            Some(bytes) => self.store.replace(path, bytes).map(drop),
            None => self.store.remove(path).map(drop),
        }
    }
}

/// A tree with some files written over it.
pub struct Overlay<T> {
    base: T,
    files: BTreeMap<String, Option<Vec<u8>>>,
    hash: gix::hash::Kind,
}

impl<T: Tree> Overlay<T> {
    /// The tree below.
    #[must_use]
    pub fn base(&self) -> &T {
        &self.base
    }

    /// What differs from the tree below.
    ///
    /// # Errors
    /// [`Kind::Io`] when it cannot be read.
    pub fn changes(&self) -> Result<Vec<Change>, Problem> {
        let mut found = Vec::new();
        for (path, bytes) in &self.files {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let before = self.base.list(folder)?.into_iter().find(|e| e.name == name).map(|e| (e.kind, e.id));
            let kind = before.as_ref().map_or(EntryKind::File, |(kind, _)| *kind);
            let after = match bytes {
                Some(bytes) => Some((kind, self.id(bytes)?)),
                None => None,
            };
            if before != after {
                found.push(Change { path: path.clone(), before, after });
            }
        }
        Ok(found)
    }

    /// The id that git will give these bytes, conversions of line ends apart.
    fn id(&self, bytes: &[u8]) -> Result<String, Problem> {
        gix::objs::compute_hash(self.hash, gix::objs::Kind::Blob, bytes)
            .map(|id| id.to_string())
            .map_err(|_| Problem::new(Kind::Bug, "hash", "a file's bytes could not be hashed"))
    }
}

impl<T: Tree> Tree for Overlay<T> {
    fn list(&self, folder: &str) -> Result<Vec<Entry>, Problem> {
        let mut entries: BTreeMap<String, Entry> =
            self.base.list(folder)?.into_iter().map(|e| (e.name.clone(), e)).collect();
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        for (path, bytes) in self.files.range(prefix.clone()..) {
            let Some(rest) = path.strip_prefix(&prefix) else { break };
            match (rest.split_once('/'), bytes) {
                (Some((name, _)), Some(_)) => {
                    let entry = Entry { name: name.into(), kind: EntryKind::Folder, id: String::new() };
                    entries.insert(name.into(), entry);
                }
                (Some((name, _)), None) => {
                    if entries.contains_key(name) && self.list(&join(folder, name))?.is_empty() {
                        entries.remove(name);
                    }
                }
                (None, Some(bytes)) => {
                    let kind = entries.get(rest).map_or(EntryKind::File, |e| e.kind);
                    entries.insert(rest.into(), Entry { name: rest.into(), kind, id: self.id(bytes)? });
                }
                (None, None) => drop(entries.remove(rest)),
            }
        }
        Ok(entries.into_values().collect())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Problem> {
        match self.files.get(path) {
            Some(bytes) => Ok(bytes.clone()),
            None => self.base.read(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tree::{MemoryTree, files};

    #[test]
    fn an_overlay_adds_replaces_and_removes() {
        let base = MemoryTree::default().with("a/b", "1").with("a/c/d", "2").with("e", "3");
        let over = [("a/b", Some("new")), ("a/c/d", None), ("f/g", Some("4"))];
        let over = over.map(|(path, text)| (path.to_string(), text.map(|t| t.as_bytes().to_vec())));
        let overlay = Overlay { base, files: over.into(), hash: gix::hash::Kind::Sha1 };
        let paths: Vec<_> = files(&overlay, "").unwrap().into_iter().map(|f| f.0).collect();
        assert_eq!(paths, ["a/b", "e", "f/g"]);
        assert_eq!(overlay.read("a/b").unwrap().unwrap(), b"new");
        assert_eq!(overlay.read("a/c/d").unwrap(), None);
        let changed: Vec<_> = overlay.changes().unwrap().into_iter().map(|c| c.path).collect();
        assert_eq!(changed, ["a/b", "a/c/d", "f/g"]);
    }
}
