//! What differs between a commit and a commit or the index, at a cost that grows with the difference.
//!
//! Subtrees with one id are skipped unread. For the index the ids come from its cache-tree extension, which git
//! keeps for every folder that did not change since the last commit; a folder without one is walked.

use std::cmp::Ordering;
use std::ops::Range;

use gix::ObjectId;
use gix::index::extension::Tree as CacheTree;

use super::index_tree::What;
use super::objects::{self, RawEntry, shown};
use super::{CommitTree, IndexTree, Repo};
use crate::state::problem::Problem;
use crate::state::tree::{Change, EntryKind};

/// The later side of a comparison.
#[derive(Clone, Copy)]
pub enum After<'a> {
    /// A commit's tree.
    Commit(&'a CommitTree),
    /// The index.
    Index(&'a IndexTree),
}

impl Repo {
    /// Every path that differs, in byte order of the names of each folder.
    ///
    /// # Errors
    /// [`Kind::Io`](crate::state::problem::Kind::Io) when an object is missing, and
    /// [`Kind::Invalid`](crate::state::problem::Kind::Invalid) for an unresolved conflict.
    pub fn changes(&self, before: &CommitTree, after: After<'_>) -> Result<Vec<Change>, Problem> {
        let (index, node) = match after {
            After::Commit(tree) => (None, Node::Tree(tree.root())),
            After::Index(index) => {
                (Some(index), Node::Index { range: 0..index.len(), cached: index.index.tree(), depth: 0 })
            }
        };
        let mut comparing = Comparing { repo: &self.git, index, found: Vec::new() };
        comparing.folder("", Some(Node::Tree(before.root())), Some(node))?;
        Ok(comparing.found)
    }
}

/// A folder on one side.
enum Node<'a> {
    /// A tree object.
    Tree(ObjectId),
    /// A range of the index, the tree that the index remembers for it, and the length of its path with the slash.
    Index { range: Range<usize>, cached: Option<&'a CacheTree>, depth: usize },
}

impl Node<'_> {
    /// The tree object that this folder is known to equal.
    fn id(&self) -> Option<ObjectId> {
        match self {
            Self::Tree(id) => Some(*id),
            Self::Index { cached, range, .. } => {
                let cached = cached.filter(|c| c.num_entries.is_some_and(|n| n as usize == range.len()))?;
                Some(cached.id)
            }
        }
    }
}

/// One name in a folder on one side.
struct Child<'a> {
    name: Vec<u8>,
    what: Item<'a>,
}

enum Item<'a> {
    Leaf(EntryKind, ObjectId),
    Folder(Node<'a>),
}

struct Comparing<'a> {
    repo: &'a gix::Repository,
    index: Option<&'a IndexTree>,
    found: Vec<Change>,
}

impl<'a> Comparing<'a> {
    /// Compares two folders, either of which may be absent.
    fn folder(&mut self, path: &str, before: Option<Node<'a>>, after: Option<Node<'a>>) -> Result<(), Problem> {
        if let (Some(before), Some(after)) = (&before, &after)
            && before.id().is_some()
            && before.id() == after.id()
        {
            return Ok(());
        }
        let mut old = self.children(before)?.into_iter().peekable();
        let mut new = self.children(after)?.into_iter().peekable();
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => a.name.cmp(&b.name),
            };
            let before = if order.is_le() { old.next() } else { None };
            let after = if order.is_ge() { new.next() } else { None };
            self.pair(path, before, after)?;
        }
    }

    /// Compares what stands under one name.
    fn pair(&mut self, folder: &str, before: Option<Child<'a>>, after: Option<Child<'a>>) -> Result<(), Problem> {
        let Some(name) = before.as_ref().or(after.as_ref()).map(|child| shown(&child.name)) else { return Ok(()) };
        let path = crate::state::tree::join(folder, &name);
        let (leaf_before, folder_before) = split(before);
        let (leaf_after, folder_after) = split(after);
        if leaf_before != leaf_after {
            let text = |leaf: Option<(EntryKind, ObjectId)>| leaf.map(|(kind, id)| (kind, id.to_string()));
            self.found.push(Change { path: path.clone(), before: text(leaf_before), after: text(leaf_after) });
        }
        if folder_before.is_some() || folder_after.is_some() {
            self.folder(&path, folder_before, folder_after)?;
        }
        Ok(())
    }

    fn children(&self, node: Option<Node<'a>>) -> Result<Vec<Child<'a>>, Problem> {
        match node {
            None => Ok(Vec::new()),
            Some(Node::Tree(id)) => Ok(objects::entries(self.repo, id)?.into_iter().map(of_tree).collect()),
            Some(Node::Index { range, cached, depth }) => self.of_index(range, cached, depth),
        }
    }

    fn of_index(
        &self,
        range: Range<usize>,
        cached: Option<&'a CacheTree>,
        depth: usize,
    ) -> Result<Vec<Child<'a>>, Problem> {
        let index = self.index.expect("an index node exists only where an index is compared");
        let children = index.children(range, depth)?.into_iter().map(|child| {
            let what = match child.what {
                What::Leaf(kind, id) => Item::Leaf(kind, id),
                What::Collapsed(id) => Item::Folder(Node::Tree(id)),
                What::Folder(range) => Item::Folder(Node::Index {
                    range,
                    cached: cached.and_then(|c| below(c, &child.name)),
                    depth: depth + child.name.len() + 1,
                }),
            };
            Child { name: child.name, what }
        });
        Ok(children.collect())
    }
}

/// A child as a leaf or as a folder.
fn split(child: Option<Child<'_>>) -> (Option<(EntryKind, ObjectId)>, Option<Node<'_>>) {
    match child.map(|c| c.what) {
        None => (None, None),
        Some(Item::Leaf(kind, id)) => (Some((kind, id)), None),
        Some(Item::Folder(node)) => (None, Some(node)),
    }
}

fn of_tree(raw: RawEntry) -> Child<'static> {
    let what = match raw.kind {
        EntryKind::Folder => Item::Folder(Node::Tree(raw.id)),
        kind => Item::Leaf(kind, raw.id),
    };
    Child { name: raw.name, what }
}

/// What the cache-tree remembers for a folder below; its children are sorted by name when decoded.
fn below<'a>(cached: &'a CacheTree, name: &[u8]) -> Option<&'a CacheTree> {
    let at = cached.children.binary_search_by(|child| child.name.as_slice().cmp(name)).ok()?;
    cached.children.get(at)
}
