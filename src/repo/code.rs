//! The code tree: one digest over the files that a job can depend on.
//!
//! Everything counts but `projects/`, `leaderboard/` and `docs/` at the top, and Markdown anywhere. The digest is
//! the SHA-256 of the lines that `git ls-tree -r` prints for these files, so a person checks it with
//!
//! ```text
//! git ls-tree -rz COMMIT | tr '\0' '\n' |
//!   awk -F '\t' '$2 !~ /^(projects|leaderboard|docs)\// && $2 !~ /\.md$/' | sha256sum
//! ```

use gix::ObjectId;

use super::objects::{self, RawEntry};
use super::{CommitTree, Repo};
use crate::state::problem::Problem;
use crate::state::tree::{EntryKind, digest};

/// Folders at the top that hold records and prose, not code.
const NOT_CODE: [&[u8]; 3] = [b"projects", b"leaderboard", b"docs"];

impl Repo {
    /// The digest of the code in a tree, in hexadecimal. With `roots` (files or folders, relative to the top) only
    /// what lies in them counts; without, everything does.
    ///
    /// # Errors
    /// [`Kind::Io`](crate::state::problem::Kind::Io) when an object is missing.
    pub fn code_tree(&self, tree: &CommitTree, roots: &[String]) -> Result<String, Problem> {
        let top = objects::entries(&self.git, tree.root())?;
        let mut key = roots.join("\0");
        for entry in top.iter().filter(|e| counts(e, true)) {
            key.push_str(&format!("\n{} {} {:?}", entry.kind.mode(), entry.id, entry.name));
        }
        if let Some(known) = self.code_trees.borrow().get(&key) {
            return Ok(known.clone());
        }
        let mut lines = Vec::new();
        for (path, entry) in self.code_files(tree, roots)? {
            lines.extend_from_slice(
                format!("{} {} {}\t", entry.kind.mode(), object_type(entry.kind), entry.id).as_bytes(),
            );
            lines.extend_from_slice(&path);
            lines.push(b'\n');
        }
        let found = digest(&lines);
        self.code_trees.borrow_mut().insert(key, found.clone());
        Ok(found)
    }

    /// The files of the code tree with their paths, in git's order.
    fn code_files(&self, tree: &CommitTree, roots: &[String]) -> Result<Vec<(Vec<u8>, RawEntry)>, Problem> {
        let mut found = Vec::new();
        self.collect_code(tree.root(), b"", roots, &mut found)?;
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }

    fn collect_code(
        &self,
        tree: ObjectId,
        folder: &[u8],
        roots: &[String],
        found: &mut Vec<(Vec<u8>, RawEntry)>,
    ) -> Result<(), Problem> {
        for entry in objects::entries(&self.git, tree)? {
            if !counts(&entry, folder.is_empty()) {
                continue;
            }
            let mut path = folder.to_vec();
            path.extend_from_slice(&entry.name);
            if entry.kind == EntryKind::Folder {
                path.push(b'/');
                if roots.is_empty() || roots.iter().any(|root| touches(&path, root)) {
                    self.collect_code(entry.id, &path, roots, found)?;
                }
            } else if roots.is_empty() || roots.iter().any(|root| inside(&path, root)) {
                found.push((path, entry));
            }
        }
        Ok(())
    }
}

/// Whether a path belongs to the code tree when all code counts.
#[must_use]
pub fn is_code(path: &str) -> bool {
    let top = path.split('/').next().unwrap_or_default();
    let record = path.contains('/') && NOT_CODE.contains(&top.as_bytes());
    !record && !path.ends_with(".md")
}

/// Whether an entry can hold code.
fn counts(entry: &RawEntry, at_top: bool) -> bool {
    if entry.kind == EntryKind::Folder {
        !(at_top && NOT_CODE.contains(&entry.name.as_slice()))
    } else {
        !entry.name.ends_with(b".md")
    }
}

/// Whether the file `path` is `root` or lies in it.
fn inside(path: &[u8], root: &str) -> bool {
    let root = root.trim_end_matches('/').as_bytes();
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

/// Whether the folder `path` (with its slash) lies in `root` or on the way to it.
fn touches(path: &[u8], root: &str) -> bool {
    inside(path, root) || root.as_bytes().starts_with(path)
}

fn object_type(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Gitlink => "commit",
        EntryKind::Folder => "tree",
        _ => "blob",
    }
}
