//! Door 2: the one place that writes files. Every file is replaced whole: temporary file beside it, fsync, rename,
//! fsync of the folder; whoever reads sees the old bytes or the new ones.

mod append;
mod kept;
mod lock;

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

pub use kept::Kept;
pub use lock::{Lock, Owner};

use super::effect;
use crate::state::problem::{Kind, Problem};
use crate::state::yaml;

/// Writes below one folder, and nowhere else.
#[derive(Clone, Debug)]
pub struct Store {
    top: PathBuf,
}

impl Store {
    /// A store for `top`, which is made when the first file is written.
    #[must_use]
    pub fn at(top: &Path) -> Self {
        Self { top: top.to_path_buf() }
    }

    /// The bytes of a file; `None` when there is none.
    ///
    /// # Errors
    /// [`Kind::Io`] when it cannot be read, [`Kind::Refused`] for a path that leads out of the folder.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Problem> {
        let place = self.locate(path)?;
        match std::fs::read(&place) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(Problem::new(Kind::Io, "read", format!("cannot be read: {error}")).at(path)),
        }
    }

    /// Writes a file that must not exist yet.
    ///
    /// # Errors
    /// [`Kind::Refused`] when it exists or its path leads out of the folder, [`Kind::Io`] when the disk is full,
    /// read-only and the like.
    pub fn write_new(&self, path: &str, bytes: &[u8]) -> Result<(), Problem> {
        let place = self.locate(path)?;
        let temporary = self.temporary(path, &place, bytes, 0o666)?;
        let linked = match effect::link(&temporary, &place) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => link_by_rename(&temporary, &place),
            linked => linked,
        };
        let _ = effect::remove(&temporary);
        match linked {
            Ok(()) => sync_folder(path, &place),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(Problem::new(Kind::Refused, "exists", "the file exists already").at(path))
            }
            Err(error) => Err(unwritable(path, &error)),
        }
    }

    /// Writes a file, keeping the mode of the one it replaces. Returns whether anything changed: a file that has
    /// these bytes already is left alone.
    ///
    /// # Errors
    /// As [`Store::write_new`], existence apart.
    pub fn replace(&self, path: &str, bytes: &[u8]) -> Result<bool, Problem> {
        self.put(path, bytes, None)
    }

    /// Writes a file with the executable bits set.
    ///
    /// # Errors
    /// As [`Store::replace`].
    pub fn replace_executable(&self, path: &str, bytes: &[u8]) -> Result<bool, Problem> {
        self.put(path, bytes, Some(0o111))
    }

    /// Reads a text file, changes it, and replaces it. Returns whether anything changed.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when there is no such file, it is no text, or `edit` refuses; else as [`Store::replace`].
    pub fn edit(&self, path: &str, edit: impl FnOnce(&str) -> Result<String, yaml::Error>) -> Result<bool, Problem> {
        let bytes = self.read(path)?.unwrap_or_default();
        let edited = edit_text(path, &bytes, edit)?;
        self.replace(path, edited.as_bytes())
    }

    /// Removes a file, and the folders above it that it leaves empty. Returns whether there was one.
    ///
    /// # Errors
    /// [`Kind::Io`] when it cannot be removed.
    pub fn remove(&self, path: &str) -> Result<bool, Problem> {
        let place = self.locate(path)?;
        let removed = match std::fs::symlink_metadata(&place) {
            // Asked first: on a disk that can only be read, what is not there needs no removal.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
            _ => match effect::remove(&place) {
                Ok(()) => sync_folder(path, &place).map(|()| true),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
                Err(error) => Err(unwritable(path, &error)),
            },
        };
        self.prune(&place);
        removed
    }

    /// Removes the folders above a place that are empty, up to the top.
    pub(super) fn prune(&self, place: &Path) {
        let mut folder = place.parent();
        while let Some(empty) = folder.filter(|f| *f != self.top && f.starts_with(&self.top)) {
            // Not tried on one that holds something: that would be an effect.
            let is_empty = std::fs::read_dir(empty).is_ok_and(|mut entries| entries.next().is_none());
            if empty.exists() && (!is_empty || effect::remove_folder(empty).is_err()) {
                break;
            }
            folder = empty.parent();
        }
    }

    /// Removes the temporary files in a folder whose names begin so: those of one process. One that cannot be removed does no harm.
    pub(super) fn sweep(&self, folder: &str, prefix: &str) {
        let Ok(entries) = std::fs::read_dir(self.top.join(folder)) else { return };
        let of_it = |name: &str| name.starts_with(prefix) && prefix.starts_with(effect::TEMPORARY);
        for entry in entries.flatten().filter(|e| of_it(&e.file_name().to_string_lossy())) {
            let _ = effect::remove(&entry.path());
        }
    }

    /// Removes a temporary file or folder, with what is in it.
    pub(super) fn discard(path: &Path) -> Result<(), Problem> {
        let is_folder = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
        let removed = if is_folder { effect::remove_folders(path) } else { effect::remove(path) };
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(unwritable(&path.display().to_string(), &error)),
            _ => Ok(()),
        }
    }

    /// Removes a folder with what is in it, at once for whoever looks for it: it gets a temporary name first.
    pub(super) fn retire(folder: &Path) -> Result<(), Problem> {
        let aside = effect::temporary_name(folder.parent().unwrap_or(folder));
        effect::rename(folder, &aside).map_err(|error| unwritable(&folder.display().to_string(), &error))?;
        Self::discard(&aside)
    }

    fn put(&self, path: &str, bytes: &[u8], bits: Option<u32>) -> Result<bool, Problem> {
        let place = self.locate(path)?;
        let old = std::fs::metadata(&place).ok().map(|found| found.permissions().mode() & 0o777);
        let wanted = old.map(|mode| mode | bits.unwrap_or(0));
        if old == wanted && old.is_some() && std::fs::read(&place).is_ok_and(|found| found == bytes) {
            return Ok(false);
        }
        let temporary = self.temporary(path, &place, bytes, 0o666 | bits.unwrap_or(0))?;
        let renamed = match wanted {
            // The mode of an old file is kept as it is, whatever the umask says.
            Some(mode) => effect::set_mode(&temporary, mode),
            None => Ok(()),
        }
        .and_then(|()| effect::rename(&temporary, &place));
        if let Err(error) = renamed {
            let _ = effect::remove(&temporary);
            return Err(unwritable(path, &error));
        }
        sync_folder(path, &place)?;
        Ok(true)
    }

    /// A synced file with these bytes beside `place`. Nothing is left when it fails.
    fn temporary(&self, path: &str, place: &Path, bytes: &[u8], mode: u32) -> Result<PathBuf, Problem> {
        let folder = place.parent().unwrap_or(&self.top);
        effect::make_folders(folder).map_err(|error| unwritable(path, &error))?;
        let temporary = effect::temporary_name(folder);
        let written = effect::overwrite(&temporary, mode).and_then(|mut file| {
            effect::write(&mut file, bytes)?;
            effect::sync(&file)
        });
        written.map_err(|error| {
            let _ = effect::remove(&temporary);
            unwritable(path, &error)
        })?;
        Ok(temporary)
    }

    /// Where a path lies, when it stays inside and meets no symbolic link.
    fn locate(&self, path: &str) -> Result<PathBuf, Problem> {
        check(path)?;
        let mut place = self.top.clone();
        for part in path.split('/') {
            place.push(part);
            if std::fs::symlink_metadata(&place).is_ok_and(|found| found.is_symlink()) {
                let shown = place.strip_prefix(&self.top).unwrap_or(&place).display().to_string();
                return Err(Problem::new(Kind::Refused, "symlink", "a symbolic link is not written through")
                    .at(shown)
                    .hint("put a file or folder in its place"));
            }
        }
        Ok(place)
    }
}

/// Refuses a path that is not plainly relative: absolute, with `.`, `..`, `.git`, an empty part or a control
/// character.
///
/// # Errors
/// [`Kind::Refused`], naming the path.
pub fn check(path: &str) -> Result<(), Problem> {
    let bad = |part: &str| {
        matches!(part, "" | "." | "..") || part.eq_ignore_ascii_case(".git") || part.chars().any(char::is_control)
    };
    if path.split('/').any(bad) {
        let shown = crate::state::text::printable(path);
        return Err(Problem::new(Kind::Refused, "outside", format!("`{shown}` is no path inside the repository")));
    }
    Ok(())
}

/// The text of a file after an edit.
pub(super) fn edit_text(
    path: &str,
    bytes: &[u8],
    edit: impl FnOnce(&str) -> Result<String, yaml::Error>,
) -> Result<String, Problem> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Problem::new(Kind::Invalid, "not-text", "the file is not UTF-8 text").at(path))?;
    edit(text).map_err(|error| error.in_file(path))
}

/// Where hard links do not exist: nearly as good, because writers hold the lock.
fn link_by_rename(from: &Path, to: &Path) -> std::io::Result<()> {
    if to.symlink_metadata().is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    effect::rename(from, to)
}

/// Makes a rename durable. Some network file systems do not sync folders; the rename holds there all the same.
fn sync_folder(path: &str, place: &Path) -> Result<(), Problem> {
    let Some(folder) = place.parent() else { return Ok(()) };
    match effect::sync_folder(folder) {
        Err(error) if !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            Err(unwritable(path, &error))
        }
        _ => Ok(()),
    }
}

fn unwritable(path: &str, error: &std::io::Error) -> Problem {
    let hint = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room on the disk and repeat the command",
        ErrorKind::ReadOnlyFilesystem => "the disk is read-only; work in a clone elsewhere",
        ErrorKind::PermissionDenied => "see who owns the folder: ls -ld",
        _ => "nothing was changed; repeat the command when the cause is gone",
    };
    Problem::new(Kind::Io, "write", format!("cannot be written: {error}")).at(path).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;

    fn names(folder: &Path) -> Vec<std::ffi::OsString> {
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    #[test]
    fn files_are_replaced_whole_and_keep_their_mode() {
        let box_ = tempfile::tempdir().unwrap();
        let store = Store::at(&box_.path().join("top"));
        store.write_new("a/b.yaml", b"one\n").unwrap();
        assert_eq!(store.write_new("a/b.yaml", b"two\n").unwrap_err().code, "exists");
        assert_eq!(store.read("a/b.yaml").unwrap().unwrap(), b"one\n");
        let place = box_.path().join("top/a/b.yaml");
        std::fs::set_permissions(&place, Permissions::from_mode(0o640)).unwrap();
        assert!(store.replace("a/b.yaml", b"two\n").unwrap());
        assert!(!store.replace("a/b.yaml", b"two\n").unwrap());
        assert_eq!(std::fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(store.replace_executable("hook", b"#!/bin/sh\n").unwrap());
        assert_ne!(std::fs::metadata(box_.path().join("top/hook")).unwrap().permissions().mode() & 0o100, 0);
        assert_eq!(names(&box_.path().join("top/a")), ["b.yaml"]);
        assert!(store.remove("a/b.yaml").unwrap() && !store.remove("a/b.yaml").unwrap());
        assert_eq!(names(&box_.path().join("top")), ["hook"]);
    }

    #[test]
    fn nothing_is_written_outside_or_through_links() {
        let box_ = tempfile::tempdir().unwrap();
        let store = Store::at(box_.path());
        for path in ["", "/etc/x", "../x", "a/../b", "a//b", ".git/config", "a/.GIT/x", "a\nb"] {
            assert_eq!(store.replace(path, b"x").unwrap_err().code, "outside", "{path}");
        }
        std::os::unix::fs::symlink("/tmp", box_.path().join("link")).unwrap();
        std::os::unix::fs::symlink("target", box_.path().join("file")).unwrap();
        assert_eq!(store.replace("link/x", b"x").unwrap_err().code, "symlink");
        assert_eq!(store.replace("file", b"x").unwrap_err().code, "symlink");
    }

    #[test]
    fn an_unwritable_folder_is_named_with_its_cause() {
        let box_ = tempfile::tempdir().unwrap();
        std::fs::write(box_.path().join("file"), b"").unwrap();
        let problem = Store::at(box_.path()).replace("file/below.yaml", b"x").unwrap_err();
        assert_eq!((problem.kind, problem.path.as_deref()), (Kind::Io, Some("file/below.yaml")));
        assert_eq!(names(box_.path()), ["file"]);
    }
}
