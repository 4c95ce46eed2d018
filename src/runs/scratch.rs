//! Files in scratch, outside every work tree: written aside and renamed, so that a reader sees all or nothing.

use std::path::Path;

use crate::repo::effect;
use crate::state::problem::{Kind, Problem};

/// The problem of an operation on a scratch file that failed.
pub fn failed(what: &str, path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(Kind::Io, "scratch", format!("cannot {what} {}: {error}", path.display()))
        .hint("check free space and permissions there, then repeat the command")
}

/// Makes a folder and what is above it.
pub fn folder(path: &Path) -> Result<(), Problem> {
    effect::make_folders(path).map_err(|e| failed("make the folder", path, &e))
}

/// Writes a file whole: a temporary file beside it, flushed to the disk, then renamed over it.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let parent = path.parent().expect("a file lies in a folder");
    folder(parent)?;
    let aside = effect::temporary_name(parent);
    let write = || -> std::io::Result<()> {
        let mut file = effect::overwrite(&aside, 0o666)?;
        effect::write(&mut file, bytes)?;
        effect::sync(&file)?;
        effect::rename(&aside, path)?;
        effect::sync_folder(parent)
    };
    write().map_err(|e| {
        let _ = effect::remove(&aside);
        failed("write", path, &e)
    })
}

/// The bytes of a file; `None` when there is none.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, Problem> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(failed("read", path, &e)),
    }
}

/// Removes a file that may be absent.
pub fn remove(path: &Path) -> Result<(), Problem> {
    match effect::remove(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(failed("remove", path, &e)),
        _ => Ok(()),
    }
}

/// Removes a folder that may be absent, at once for whoever looks for it: it gets a temporary name first.
pub fn remove_folder(path: &Path) -> Result<(), Problem> {
    let parent = path.parent().expect("a folder lies in a folder");
    let aside = effect::temporary_name(parent);
    match effect::rename(path, &aside) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(failed("remove", path, &e)),
        Ok(()) => effect::remove_folders(&aside).map_err(|e| failed("remove", &aside, &e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.json");
        assert_eq!(read(&path).unwrap(), None);
        write(&path, b"1").unwrap();
        write(&path, b"22").unwrap();
        assert_eq!(read(&path).unwrap().unwrap(), b"22");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        remove(&path).unwrap();
        remove(&path).unwrap();
        remove_folder(&folder.path().join("a")).unwrap();
        remove_folder(&folder.path().join("a")).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let problem = write(&path.join("x"), b"").and_then(|()| write(&path.join("x/y"), b"")).unwrap_err();
        assert_eq!(problem.kind, Kind::Io);
    }
}
