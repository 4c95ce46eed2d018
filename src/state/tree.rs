//! A git tree as the rules see it: names, bytes, and what changed between two of them.
//!
//! The trait is implemented over commits and the index in `repo`, and over a map here for tests. Paths are
//! relative to the repository's top, with `/`; the top itself is the empty path.

use std::collections::BTreeMap;

use super::problem::Problem;

/// What an entry of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// A file.
    File,
    /// A file with the executable bit.
    Executable,
    /// A symbolic link.
    Symlink,
    /// A folder.
    Folder,
    /// Another repository (a submodule).
    Gitlink,
}

impl EntryKind {
    /// The mode as `git ls-tree` prints it.
    #[must_use]
    pub fn mode(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Folder => "040000",
            Self::Gitlink => "160000",
        }
    }
}

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, without the folder. A name that is not UTF-8 is shown with replacement characters.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// The object's id in hexadecimal; empty for a folder of an index, which has none.
    pub id: String,
}

/// A tree that can be read.
pub trait Tree {
    /// The entries of a folder in byte order; empty when there is no such folder.
    fn list(&self, folder: &str) -> Result<Vec<Entry>, Problem>;

    /// The bytes of a file; `None` when there is none. A symbolic link is not followed: its target's text is returned.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Problem>;
}

/// One path that differs between two trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The path.
    pub path: String,
    /// What was there before.
    pub before: Option<(EntryKind, String)>,
    /// What is there after.
    pub after: Option<(EntryKind, String)>,
}

impl Change {
    /// The path is new.
    #[must_use]
    pub fn is_added(&self) -> bool {
        self.before.is_none()
    }

    /// The path is gone.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.after.is_none()
    }
}

/// Every file below `folder`, with its full path, in byte order of the paths of each folder.
pub fn files(tree: &dyn Tree, folder: &str) -> Result<Vec<(String, Entry)>, Problem> {
    let mut found = Vec::new();
    for entry in tree.list(folder)? {
        let path = join(folder, &entry.name);
        match entry.kind {
            EntryKind::Folder => found.extend(files(tree, &path)?),
            _ => found.push((path, entry)),
        }
    }
    Ok(found)
}

/// `folder/name`, or `name` at the top.
#[must_use]
pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") }
}

/// A tree in memory, for tests and for trees that are about to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryTree(pub BTreeMap<String, (EntryKind, Vec<u8>)>);

impl MemoryTree {
    /// The same tree with a file.
    #[must_use]
    pub fn with(mut self, path: &str, text: &str) -> Self {
        self.0.insert(path.to_string(), (EntryKind::File, text.as_bytes().to_vec()));
        self
    }

    /// The same tree without a file.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        self.0.remove(path);
        self
    }

    /// What differs from `before` to here.
    #[must_use]
    pub fn changes_since(&self, before: &MemoryTree) -> Vec<Change> {
        let paths: std::collections::BTreeSet<&String> = before.0.keys().chain(self.0.keys()).collect();
        let entry = |tree: &MemoryTree, path: &String| tree.0.get(path).map(|(kind, bytes)| (*kind, digest(bytes)));
        let change =
            |path: &String| Change { path: path.clone(), before: entry(before, path), after: entry(self, path) };
        paths.into_iter().map(change).filter(|c| c.before != c.after).collect()
    }
}

impl Tree for MemoryTree {
    fn list(&self, folder: &str) -> Result<Vec<Entry>, Problem> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut entries: BTreeMap<&str, Entry> = BTreeMap::new();
        for (path, (kind, bytes)) in self.0.range(prefix.clone()..) {
            let Some(rest) = path.strip_prefix(&prefix) else { break };
            let (name, entry) = match rest.split_once('/') {
                Some((name, _)) => (name, Entry { name: name.into(), kind: EntryKind::Folder, id: String::new() }),
                None => (rest, Entry { name: rest.into(), kind: *kind, id: digest(bytes) }),
            };
            entries.insert(name, entry);
        }
        Ok(entries.into_values().collect())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Problem> {
        Ok(self.0.get(path).map(|(_, bytes)| bytes.clone()))
    }
}

/// The SHA-256 of some bytes in hexadecimal.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_tree_lists_folders() {
        let tree = MemoryTree::default().with("a/b/c", "1").with("a/d", "2").with("e", "3");
        let names = |folder| tree.list(folder).unwrap().into_iter().map(|e| e.name).collect::<Vec<_>>();
        assert_eq!(names(""), ["a", "e"]);
        assert_eq!(names("a"), ["b", "d"]);
        assert_eq!(files(&tree, "").unwrap().iter().map(|f| f.0.as_str()).collect::<Vec<_>>(), ["a/b/c", "a/d", "e"]);
        let changed = tree.clone().without("e").changes_since(&tree);
        assert!(changed.len() == 1 && changed[0].is_removed());
    }
}
