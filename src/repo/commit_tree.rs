//! The tree of a commit, read from the object database folder by folder.

use std::cell::RefCell;
use std::collections::HashMap;

use gix::ObjectId;

use super::objects::{self, RawEntry, shown};
use crate::state::problem::Problem;
use crate::state::tree::{Entry, EntryKind, Tree, join};

/// The tree of a commit. Folders that were looked up are remembered.
pub struct CommitTree {
    pub(super) repo: gix::Repository,
    root: ObjectId,
    folders: RefCell<HashMap<String, Option<ObjectId>>>,
}

impl CommitTree {
    pub(super) fn new(repo: gix::Repository, root: ObjectId) -> Self {
        Self { repo, root, folders: RefCell::default() }
    }

    /// The id of the tree object in hexadecimal.
    #[must_use]
    pub fn id(&self) -> String {
        self.root.to_string()
    }

    pub(super) fn root(&self) -> ObjectId {
        self.root
    }

    /// The tree object of a folder; `None` when there is no such folder.
    fn folder(&self, path: &str) -> Result<Option<ObjectId>, Problem> {
        if path.is_empty() {
            return Ok(Some(self.root));
        }
        if let Some(known) = self.folders.borrow().get(path) {
            return Ok(*known);
        }
        let found = self.entry(path)?.filter(|e| e.kind == EntryKind::Folder).map(|e| e.id);
        self.folders.borrow_mut().insert(path.to_string(), found);
        Ok(found)
    }

    /// The object of a file in hexadecimal; `None` when there is no such file.
    pub(super) fn object(&self, path: &str) -> Result<Option<String>, Problem> {
        Ok(self.entry(path)?.map(|entry| entry.id.to_string()))
    }

    /// The entry at a path.
    fn entry(&self, path: &str) -> Result<Option<RawEntry>, Problem> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let Some(folder) = self.folder(parent)? else { return Ok(None) };
        let entries = objects::entries(&self.repo, folder)?;
        Ok(entries.into_iter().find(|e| e.name == name.as_bytes()))
    }
}

impl Tree for CommitTree {
    fn list(&self, folder: &str) -> Result<Vec<Entry>, Problem> {
        let Some(id) = self.folder(folder)? else { return Ok(Vec::new()) };
        let entries = objects::entries(&self.repo, id)?;
        let mut known = self.folders.borrow_mut();
        for entry in entries.iter().filter(|e| e.kind == EntryKind::Folder) {
            known.insert(join(folder, &shown(&entry.name)), Some(entry.id));
        }
        Ok(entries.iter().map(entry_of).collect())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Problem> {
        match self.entry(path)? {
            Some(entry) if !matches!(entry.kind, EntryKind::Folder | EntryKind::Gitlink) => {
                objects::blob(&self.repo, entry.id).map(Some).map_err(|problem| problem.at(path))
            }
            _ => Ok(None),
        }
    }
}

/// An entry as the layers above see it.
pub(super) fn entry_of(raw: &RawEntry) -> Entry {
    Entry { name: shown(&raw.name), kind: raw.kind, id: raw.id.to_string() }
}
