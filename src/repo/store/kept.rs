//! A file's old state, kept while it is replaced: taking it back needs no room on the disk.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Store, unwritable};
use crate::repo::effect;
use crate::state::problem::Problem;

/// What stood at a path: under a second name, or nothing. The second name stays until [`Kept::restore`] or
/// [`Kept::forget`].
#[derive(Debug)]
pub struct Kept {
    store: Store,
    path: String,
    second: Option<PathBuf>,
}

impl Store {
    /// Keeps what stands at a path under a second name in `folder`.
    ///
    /// # Errors
    /// As [`Store::replace`].
    pub fn keep(&self, path: &str, folder: &Path) -> Result<Kept, Problem> {
        let place = self.locate(path)?;
        effect::make_folders(folder).map_err(|error| unwritable(path, &error))?;
        let second = effect::temporary_name(folder);
        if effect::link(&place, &second).is_ok() {
            return Ok(self.kept(path, Some(second)));
        }
        let Some(bytes) = self.read(path)? else { return Ok(self.kept(path, None)) };
        // Another disk, or one without second names: a copy has to do.
        let name = second.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::at(folder).replace(&name, &bytes)?;
        // A hook that comes back must be run again.
        let mode = std::fs::metadata(&place).and_then(|found| effect::set_mode(&second, found.permissions().mode()));
        mode.map_err(|error| unwritable(path, &error))?;
        Ok(self.kept(path, Some(second)))
    }

    /// What was kept by a process that is gone.
    pub(in crate::repo) fn kept(&self, path: &str, second: Option<PathBuf>) -> Kept {
        Kept { store: self.clone(), path: path.to_string(), second }
    }
}

impl Kept {
    /// The second name's last part; `None` when nothing was there.
    pub(in crate::repo) fn name(&self) -> Option<String> {
        self.second.as_ref().and_then(|second| second.file_name()).map(|name| name.to_string_lossy().into_owned())
    }

    /// Puts back what stood there.
    ///
    /// # Errors
    /// [`Kind::Io`](crate::state::problem::Kind::Io) when that cannot be written.
    pub fn restore(self) -> Result<(), Problem> {
        let Some(second) = &self.second else { return self.store.remove(&self.path).map(drop) };
        let place = self.store.locate(&self.path)?;
        if same_file(second, &place) {
            // Never replaced.
            self.forget();
            return Ok(());
        }
        if let Some(folder) = place.parent() {
            effect::make_folders(folder).map_err(|error| unwritable(&self.path, &error))?;
        }
        if effect::rename(second, &place).is_err() {
            // Another disk.
            let bytes = std::fs::read(second).map_err(|error| unwritable(&self.path, &error))?;
            self.store.replace(&self.path, &bytes)?;
            let mode = std::fs::metadata(second).and_then(|kept| effect::set_mode(&place, kept.permissions().mode()));
            mode.map_err(|error| unwritable(&self.path, &error))?;
        }
        self.forget();
        Ok(())
    }

    /// Lets go of what stood there.
    pub fn forget(self) {
        if let Some(second) = &self.second {
            // A rename onto another name of the same file leaves both names; after any other there is none.
            let _ = effect::remove(second);
        }
    }
}

/// Whether two names are one file's.
fn same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let id = |path: &Path| std::fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()));
    id(one).is_some() && id(one) == id(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stood_there_comes_back() {
        use std::os::unix::fs::MetadataExt as _;
        let box_ = tempfile::tempdir().unwrap();
        let store = Store::at(box_.path());
        store.write_new("a", b"old").unwrap();
        let inode = || std::fs::metadata(box_.path().join("a")).unwrap().ino();
        let before = inode();
        for change in [true, false] {
            let keep = |path| store.keep(path, box_.path()).unwrap();
            let (kept, new) = (keep("a"), keep("new/b"));
            if change {
                store.replace("a", b"changed").unwrap();
                store.replace("new/b", b"new").unwrap();
            }
            kept.restore().unwrap();
            new.restore().unwrap();
            assert_eq!((store.read("a").unwrap().unwrap(), inode()), (b"old".to_vec(), before));
        }
        store.keep("a", box_.path()).unwrap().forget();
        assert_eq!(std::fs::read_dir(box_.path()).unwrap().count(), 1);
    }
}
