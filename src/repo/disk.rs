//! Files on disk as a tree: the work tree, or any folder without a repository.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::state::problem::{Kind, Problem};
use crate::state::tree::{Entry, EntryKind, Tree};

/// A folder on disk, read when asked for. Symbolic links are not followed, `.git` is left out, and entries have
/// no object ids. A path through a symbolic link is not found.
#[derive(Clone, Debug)]
pub struct DiskTree {
    top: PathBuf,
}

impl DiskTree {
    /// The folder `top` as a tree.
    #[must_use]
    pub fn new(top: &Path) -> Self {
        Self { top: top.to_path_buf() }
    }

    /// Where `path` lies on disk, when no folder on the way is a symbolic link.
    fn locate(&self, path: &str) -> Result<Option<PathBuf>, Problem> {
        let mut place = self.top.clone();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            if place != self.top && !metadata(&place)?.is_some_and(|found| found.is_dir()) {
                return Ok(None);
            }
            if part == ".." || part == "." {
                return Ok(None);
            }
            place.push(part);
        }
        Ok(Some(place))
    }
}

impl Tree for DiskTree {
    fn list(&self, folder: &str) -> Result<Vec<Entry>, Problem> {
        let Some(place) = self.locate(folder)? else { return Ok(Vec::new()) };
        if !folder.is_empty() && !metadata(&place)?.is_some_and(|found| found.is_dir()) {
            return Ok(Vec::new());
        }
        let reading = match std::fs::read_dir(&place) {
            Ok(reading) => reading,
            Err(error) if gone(&error) => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(&place, &error)),
        };
        let mut entries = Vec::new();
        for entry in reading {
            let entry = entry.map_err(|error| unreadable(&place, &error))?;
            let name = entry.file_name();
            if name == ".git" {
                continue;
            }
            let Some(found) = metadata(&entry.path())? else { continue };
            if let Some(kind) = kind(&found, &entry.path()) {
                entries.push(Entry { name: name.to_string_lossy().into_owned(), kind, id: String::new() });
            }
        }
        entries.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
        Ok(entries)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Problem> {
        let Some(place) = self.locate(path)? else { return Ok(None) };
        let Some(found) = metadata(&place)? else { return Ok(None) };
        let bytes = if found.is_symlink() {
            std::fs::read_link(&place).map(|target| target.into_os_string().into_encoded_bytes())
        } else if found.is_file() {
            std::fs::read(&place)
        } else {
            return Ok(None);
        };
        match bytes {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if gone(&error) => Ok(None),
            Err(error) => Err(unreadable(&place, &error)),
        }
    }
}

/// What a file is; `None` for sockets, pipes and devices, which git does not track.
fn kind(found: &Metadata, path: &Path) -> Option<EntryKind> {
    use std::os::unix::fs::PermissionsExt as _;
    if found.is_symlink() {
        Some(EntryKind::Symlink)
    } else if found.is_dir() {
        Some(if path.join(".git").exists() { EntryKind::Gitlink } else { EntryKind::Folder })
    } else if found.is_file() {
        Some(if found.permissions().mode() & 0o100 == 0 { EntryKind::File } else { EntryKind::Executable })
    } else {
        None
    }
}

/// The facts of a path itself, not of what a symbolic link there points to.
fn metadata(path: &Path) -> Result<Option<Metadata>, Problem> {
    match std::fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if gone(&error) => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn gone(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(Kind::Io, "read", format!("{} cannot be read: {error}", path.display()))
}
