//! A tree with some files set or removed on top: what a verb is about to commit, judged before it is written.

use std::collections::{BTreeMap, BTreeSet};

use super::problem::Problem;
use super::tree::{Change, Entry, EntryKind, Tree, digest, join};

/// A base tree with changes on top.
pub struct Overlay<'a> {
    base: &'a dyn Tree,
    files: BTreeMap<String, Option<Vec<u8>>>,
}

impl<'a> Overlay<'a> {
    /// `base` with every path set to its bytes, or removed where there are none.
    pub fn new(base: &'a dyn Tree, files: impl IntoIterator<Item = (String, Option<Vec<u8>>)>) -> Self {
        Self { base, files: files.into_iter().collect() }
    }

    /// What differs from the base.
    pub fn changes(&self) -> Result<Vec<Change>, Problem> {
        let mut found = Vec::new();
        for (path, bytes) in &self.files {
            let before = self.base.read(path)?;
            if before == *bytes {
                continue;
            }
            let side = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|b| (EntryKind::File, digest(b)));
            found.push(Change { path: path.clone(), before: side(&before), after: side(bytes) });
        }
        Ok(found)
    }
}

impl Tree for Overlay<'_> {
    fn list(&self, folder: &str) -> Result<Vec<Entry>, Problem> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut entries: BTreeMap<String, Entry> =
            self.base.list(folder)?.into_iter().map(|e| (e.name.clone(), e)).collect();
        let mut emptied = BTreeSet::new();
        for (path, bytes) in self.files.range(prefix.clone()..) {
            let Some(rest) = path.strip_prefix(&prefix) else { break };
            match (rest.split_once('/'), bytes) {
                (Some((name, _)), Some(_)) => {
                    let folder = Entry { name: name.into(), kind: EntryKind::Folder, id: String::new() };
                    entries.entry(name.to_string()).or_insert(folder).id.clear();
                }
                (None, Some(bytes)) => {
                    let kind = entries.get(rest).map_or(EntryKind::File, |e| e.kind);
                    entries.insert(rest.to_string(), Entry { name: rest.into(), kind, id: digest(bytes) });
                }
                (Some((name, _)), None) => {
                    emptied.insert(name.to_string());
                }
                (None, None) => {
                    entries.remove(rest);
                }
            }
        }
        for name in emptied {
            if entries.contains_key(&name) && self.list(&join(folder, &name))?.is_empty() {
                entries.remove(&name);
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
    fn an_overlay_reads_like_the_tree_it_will_be() {
        let base = MemoryTree::default().with("a/b", "1").with("c/d", "2").with("e", "3");
        let set = |p: &str, t: &str| (p.to_string(), Some(t.as_bytes().to_vec()));
        let overlay = Overlay::new(&base, [set("a/new", "4"), set("e", "5"), ("c/d".into(), None), set("x/y/z", "6")]);
        let paths: Vec<String> = files(&overlay, "").unwrap().into_iter().map(|f| f.0).collect();
        assert_eq!(paths, ["a/b", "a/new", "e", "x/y/z"]);
        assert_eq!(overlay.read("e").unwrap().unwrap(), b"5");
        assert_eq!(overlay.changes().unwrap().len(), 4);
    }
}
