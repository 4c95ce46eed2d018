//! Folders that a change renames as a whole: an iteration or a project that turns up elsewhere, unchanged.
//!
//! What makes it the same one is its `iteration.yaml` (or `project.yaml`), byte for byte; a rename and an edit are two
//! commits, so that neither hides the other.

use std::collections::HashMap;

use super::files::FileKind;
use crate::state::load;
use crate::state::tree::{Change, join};

/// What left its place, and where it is now.
pub(super) struct Moved {
    /// Folders that were left, with the content's id.
    left: HashMap<String, String>,
    /// Folders that are new, by the content's id.
    new: HashMap<String, Vec<String>>,
    /// Added files with the content's id.
    added: HashMap<String, String>,
}

impl Moved {
    /// The renames among these changes.
    pub(super) fn of(changes: &[Change]) -> Self {
        let mut moved = Self { left: HashMap::new(), new: HashMap::new(), added: HashMap::new() };
        for change in changes {
            let owner = owner_file(&change.path).map(str::to_string);
            match (&change.before, &change.after, owner) {
                (Some((_, id)), None, Some(folder)) => {
                    moved.left.insert(folder, id.clone());
                }
                (None, Some((_, id)), owner) => {
                    moved.added.insert(change.path.clone(), id.clone());
                    if let Some(folder) = owner {
                        moved.new.entry(id.clone()).or_default().push(folder);
                    }
                }
                _ => {}
            }
        }
        moved
    }

    /// Whether a removed file lies, with the same content, at its place in the folder's new home.
    pub(super) fn has(&self, path: &str, id: &str) -> bool {
        let run = load::run_of_path(path).map(|(owner, _)| owner);
        let Some(folder) = run.or_else(|| owner_file(path).map(str::to_string)) else { return false };
        let project = folder.split('/').take(2).collect::<Vec<_>>().join("/");
        [folder, project].iter().any(|folder| {
            let rest = path.strip_prefix(folder.as_str()).unwrap_or_default().trim_start_matches('/');
            self.homes(folder).iter().any(|home| self.added.get(&join(home, rest)).is_some_and(|found| found == id))
        })
    }

    /// Where a folder that was left is now.
    fn homes(&self, folder: &str) -> &[String] {
        self.left.get(folder).and_then(|id| self.new.get(id)).map_or(&[], Vec::as_slice)
    }

    /// The folder that a new folder was before.
    pub(super) fn origin(&self, folder: &str) -> Option<&str> {
        let mut left = self.left.keys().filter(|old| self.homes(old).iter().any(|home| home == folder));
        left.next().map(String::as_str)
    }
}

/// The folder that an `iteration.yaml` or `project.yaml` is the file of.
fn owner_file(path: &str) -> Option<&str> {
    match FileKind::of(path) {
        FileKind::Iteration => path.strip_suffix("/iteration.yaml"),
        FileKind::Project => path.strip_suffix("/project.yaml"),
        _ => None,
    }
}
