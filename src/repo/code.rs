//! The code tree: one digest over the files that a job can depend on.
//!
//! Everything counts but `projects/`, `leaderboard/` and `docs/` at the top, and Markdown anywhere. The digest is
//! the SHA-256 of the lines that `git ls-tree -r` prints for these files, so a person checks it with
//!
//! ```text
//! git ls-tree -rz COMMIT | tr '\0' '\n' |
//!   awk -F '\t' '$2 !~ /^(projects|leaderboard|docs)\// && $2 !~ /\.md$/' | sha256sum
//! ```

use super::{CommitTree, Repo};
use crate::state::problem::Problem;
use crate::state::tree::{Entry, EntryKind, Tree, digest, join};

/// Folders at the top that hold records and prose, not code.
const NOT_CODE: [&str; 3] = ["projects", "leaderboard", "docs"];

impl Repo {
    /// [`digest_of`] a commit's tree; trees that differ in no code are digested once.
    ///
    /// # Errors
    /// [`Kind::Io`](crate::state::problem::Kind::Io) when an object is missing.
    pub fn code_tree(&self, tree: &CommitTree, roots: &[String]) -> Result<String, Problem> {
        let mut key = roots.join("\0");
        for entry in tree.list("")?.iter().filter(|entry| counts(entry, true)) {
            key.push_str(&format!("\n{} {} {}", entry.kind.mode(), entry.id, entry.name));
        }
        if let Some(known) = self.code_trees.borrow().get(&key) {
            return Ok(known.clone());
        }
        let found = digest_of(tree, roots)?;
        self.code_trees.borrow_mut().insert(key, found.clone());
        Ok(found)
    }
}

/// The digest of the code in a commit's tree or the index, in hexadecimal. With `roots` (files or folders, relative
/// to the top) only what lies in them counts; without, everything does. A tree on disk has no object ids and so no
/// such digest.
///
/// # Errors
/// [`Kind::Io`](crate::state::problem::Kind::Io) when an object is missing.
pub fn digest_of(tree: &dyn Tree, roots: &[String]) -> Result<String, Problem> {
    let mut found = Vec::new();
    collect(tree, "", roots, &mut found)?;
    found.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
    let line = |(path, entry): (String, Entry)| {
        let kind = if entry.kind == EntryKind::Gitlink { "commit" } else { "blob" };
        format!("{} {kind} {}\t{path}\n", entry.kind.mode(), entry.id)
    };
    Ok(digest(found.into_iter().map(line).collect::<String>().as_bytes()))
}

fn collect(tree: &dyn Tree, folder: &str, roots: &[String], found: &mut Vec<(String, Entry)>) -> Result<(), Problem> {
    for entry in tree.list(folder)? {
        if !counts(&entry, folder.is_empty()) {
            continue;
        }
        let path = join(folder, &entry.name);
        if entry.kind == EntryKind::Folder {
            if roots.is_empty() || roots.iter().any(|root| inside(&path, root) || inside(root, &path)) {
                collect(tree, &path, roots, found)?;
            }
        } else if roots.is_empty() || roots.iter().any(|root| inside(&path, root)) {
            found.push((path, entry));
        }
    }
    Ok(())
}

/// Whether a path belongs to the code tree when all code counts.
#[must_use]
pub fn is_code(path: &str) -> bool {
    let record = path.split_once('/').is_some_and(|(top, _)| NOT_CODE.contains(&top));
    !record && !path.ends_with(".md")
}

/// Whether an entry can hold code.
fn counts(entry: &Entry, at_top: bool) -> bool {
    if entry.kind == EntryKind::Folder {
        !(at_top && NOT_CODE.contains(&entry.name.as_str()))
    } else {
        !entry.name.ends_with(".md")
    }
}

/// Whether `path` is `root` or lies in it.
fn inside(path: &str, root: &str) -> bool {
    let rest = path.strip_prefix(root.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
