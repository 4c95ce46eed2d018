//! The effective index as a tree: what the next commit will hold.

use std::ops::Range;
use std::sync::Arc;

use gix::ObjectId;
use gix::index::entry::{Flags, Stage};

use super::CommitTree;
use super::objects::{self, shown};
use crate::state::problem::{Kind, Problem};
use crate::state::tree::{Entry, EntryKind, Tree};

/// The content of an index. Entries of `git add -N` are not in it; an unresolved conflict is an error when met.
#[derive(Clone)]
pub struct IndexTree {
    pub(super) repo: gix::Repository,
    pub(super) index: Arc<gix::index::File>,
}

/// One name in a folder of the index.
pub(super) struct Child {
    /// The name's bytes.
    pub(super) name: Vec<u8>,
    /// What stands there.
    pub(super) what: What,
}

/// What an index has under a name.
pub(super) enum What {
    /// A file, a symbolic link or a submodule.
    Leaf(EntryKind, ObjectId),
    /// A folder: the entries below it.
    Folder(Range<usize>),
    /// A folder that a sparse index holds as one tree.
    Collapsed(ObjectId),
}

impl IndexTree {
    /// Reads the index that `repo` was opened with; a missing file is the empty index.
    pub(super) fn open(repo: gix::Repository) -> Result<Self, Problem> {
        let path = repo.index_path();
        // One thread and no checksum over the file: git's own reading does not verify it either.
        let decode = gix::index::decode::Options { thread_limit: Some(1), ..Default::default() };
        let index = gix::index::File::at_or_default(&path, repo.object_hash(), true, decode).map_err(|error| {
            objects::explain("index", &format!("The index {}", path.display()), &error).hint("git status")
        })?;
        Ok(Self { repo, index: Arc::new(index) })
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.entries().len()
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.entries().is_empty()
    }

    /// Whether the index has an entry for a file, `git add -N` and conflicts included.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        let entries = self.index.entries();
        let at = entries.partition_point(|e| e.path(&self.index) < path.as_bytes());
        at < entries.len() && self.path(at) == path.as_bytes()
    }

    fn path(&self, at: usize) -> &[u8] {
        self.index.entries()[at].path(&self.index)
    }

    /// The entries below `folder`, which is empty or ends with a slash.
    fn below(&self, folder: &[u8]) -> Range<usize> {
        let entries = self.index.entries();
        let start = entries.partition_point(|e| e.path(&self.index) < folder as &[u8]);
        start..start + self.run(start..entries.len(), folder)
    }

    /// How many entries from the start of `within` begin with `prefix`.
    fn run(&self, within: Range<usize>, prefix: &[u8]) -> usize {
        self.index.entries()[within].partition_point(|e| e.path(&self.index).starts_with(prefix))
    }

    /// The children of the folder whose entries are `range` and whose path (with its slash) has `depth` bytes.
    pub(super) fn children(&self, range: Range<usize>, depth: usize) -> Result<Vec<Child>, Problem> {
        let mut children: Vec<Child> = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let path = self.path(at);
            let rest = &path[depth..];
            let Some(slash) = rest.iter().position(|b| *b == b'/') else {
                if let Some((kind, id)) = self.leaf(at)? {
                    children.push(Child { name: rest.to_vec(), what: What::Leaf(kind, id) });
                }
                at += 1;
                continue;
            };
            let name = rest[..slash].to_vec();
            let entry = &self.index.entries()[at];
            if entry.mode.is_sparse() {
                children.push(Child { name, what: What::Collapsed(entry.id) });
                at += 1;
                continue;
            }
            let end = at + self.run(at..range.end, &path[..=depth + slash]);
            if self.index.entries()[at..end].iter().any(|e| !e.flags.contains(Flags::INTENT_TO_ADD)) {
                children.push(Child { name, what: What::Folder(at..end) });
            }
            at = end;
        }
        children.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(children)
    }

    /// The entry as a file; `None` for `git add -N`.
    fn leaf(&self, at: usize) -> Result<Option<(EntryKind, ObjectId)>, Problem> {
        let entry = &self.index.entries()[at];
        if entry.flags.contains(Flags::INTENT_TO_ADD) {
            return Ok(None);
        }
        if entry.stage() != Stage::Unconflicted {
            return Err(Problem::new(Kind::Invalid, "conflict", "the merge of this file is not resolved")
                .at(shown(self.path(at)))
                .hint("edit the file, then git add it"));
        }
        Ok(Some((objects::kind(entry.mode.bits()), entry.id)))
    }

    /// The tree of a sparse index's folder that holds `path`, and the path inside it.
    fn collapsed<'p>(&self, path: &'p str) -> Option<(CommitTree, &'p str)> {
        if !self.index.is_sparse() {
            return None;
        }
        let slashes = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        slashes.into_iter().find_map(|at| {
            let folder = format!("{}/", &path[..at]);
            let found = self.index.entry_by_path(folder.as_bytes().into())?;
            let rest = path.get(at + 1..).unwrap_or_default();
            Some((CommitTree::new(self.repo.clone(), found.id), rest))
        })
    }
}

impl Tree for IndexTree {
    fn list(&self, folder: &str) -> Result<Vec<Entry>, Problem> {
        if let Some((tree, rest)) = self.collapsed(folder) {
            return tree.list(rest);
        }
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let children = self.children(self.below(prefix.as_bytes()), prefix.len())?;
        let entry = |child: Child| {
            let (kind, id) = match child.what {
                What::Leaf(kind, id) => (kind, id.to_string()),
                What::Folder(_) => (EntryKind::Folder, String::new()),
                What::Collapsed(id) => (EntryKind::Folder, id.to_string()),
            };
            Entry { name: shown(&child.name), kind, id }
        };
        Ok(children.into_iter().map(entry).collect())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Problem> {
        if let Some((tree, rest)) = self.collapsed(path) {
            return tree.read(rest);
        }
        let entries = self.index.entries();
        let at = entries.partition_point(|e| e.path(&self.index) < path.as_bytes());
        if at == entries.len() || self.path(at) != path.as_bytes() {
            return Ok(None);
        }
        match self.leaf(at)? {
            Some((kind, id)) if kind != EntryKind::Gitlink => {
                objects::blob(&self.repo, id).map(Some).map_err(|problem| problem.at(path))
            }
            _ => Ok(None),
        }
    }
}
