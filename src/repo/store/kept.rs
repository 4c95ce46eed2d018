//! A file's old state, kept while it is replaced: taking it back needs no room on the disk.

use std::path::PathBuf;

use super::{Store, unwritable};
use crate::state::problem::Problem;

/// What stood at a path. Dropped without [`Kept::restore`], it is let go.
#[derive(Debug)]
pub struct Kept {
    store: Store,
    path: String,
    old: Old,
}

#[derive(Debug)]
enum Old {
    /// Nothing was there.
    Absent,
    /// The file itself, under a second name.
    Linked(PathBuf),
    /// Its bytes, where a second name cannot be had.
    Bytes(Vec<u8>),
}

impl Store {
    /// Keeps what stands at a path.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub fn keep(&self, path: &str) -> Result<Kept, Problem> {
        let place = self.locate(path)?;
        let beside = place.parent().unwrap_or(&self.top);
        let second = super::temporary_name(self.aside.as_deref().unwrap_or(beside));
        let old = if std::fs::hard_link(&place, &second).is_ok() {
            Old::Linked(second)
        } else {
            self.read(path)?.map_or(Old::Absent, Old::Bytes)
        };
        Ok(Kept { store: self.clone(), path: path.to_string(), old })
    }
}

impl Kept {
    /// Puts back what stood there.
    ///
    /// # Errors
    /// [`Kind::Io`](crate::state::problem::Kind::Io) when that cannot be written.
    pub fn restore(self) -> Result<(), Problem> {
        match &self.old {
            Old::Absent => self.store.remove(&self.path).map(drop),
            Old::Bytes(bytes) => self.store.replace(&self.path, bytes).map(drop),
            Old::Linked(second) => {
                let place = self.store.locate(&self.path)?;
                // Removed first: a rename onto another name of the same file does nothing and leaves both.
                let gone = std::fs::remove_file(&place);
                std::fs::rename(second, &place).or(gone).map_err(|error| unwritable(&self.path, &error))
            }
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Old::Linked(second) = &self.old {
            // After a restore there is no such name any more.
            let _ = std::fs::remove_file(second);
        }
    }
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
            let (kept, new) = (store.keep("a").unwrap(), store.keep("new/b").unwrap());
            if change {
                store.replace("a", b"changed").unwrap();
                store.replace("new/b", b"new").unwrap();
            }
            kept.restore().unwrap();
            new.restore().unwrap();
            assert_eq!((store.read("a").unwrap().unwrap(), inode()), (b"old".to_vec(), before));
        }
        drop(store.keep("a").unwrap());
        assert_eq!(std::fs::read_dir(box_.path()).unwrap().count(), 1);
    }
}
