//! What changes a disk, and nothing else does: the few calls of the operating system that door 2, scratch and the
//! transports are built on. Each passes a failpoint first, so that tests can let every single one fail.

use std::fs::{File, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{fail, process};

/// What the names of temporary files and folders begin with; after it stand the machine and its boot, the process
/// and a number. One that is left over belongs to a process that was killed.
pub const TEMPORARY: &str = ".git-ar-tmp-";

/// A name in `folder` that no other process and no other thread uses.
#[must_use]
pub fn temporary_name(folder: &Path) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    folder.join(format!("{}{number}", own_prefix()))
}

/// What the temporary names of this process begin with.
#[must_use]
pub fn own_prefix() -> String {
    format!("{TEMPORARY}{}-{}-", process::machine(), std::process::id())
}

/// Opens an empty file for writing, whatever stood there.
pub fn overwrite(path: &Path, mode: u32) -> io::Result<File> {
    fail::point("file.create")?;
    File::options().write(true).create(true).truncate(true).mode(mode).open(path)
}

/// Opens a new file for writing; one that exists is an error.
pub fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    fail::point("file.create")?;
    File::options().write(true).create_new(true).mode(mode).open(path)
}

/// Opens a file to write behind its end, and makes it where there is none.
pub fn append(path: &Path) -> io::Result<File> {
    fail::point("file.create")?;
    File::options().create(true).append(true).open(path)
}

/// Opens a file as it is for reading and writing, and makes it where there is none.
pub fn open(path: &Path) -> io::Result<File> {
    fail::point("file.create")?;
    File::options().create(true).truncate(false).read(true).write(true).open(path)
}

/// Writes bytes to an open file.
pub fn write(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    fail::point("file.write")?;
    file.write_all(bytes)
}

/// Lets an open file end after so many bytes.
pub fn cut(file: &File, bytes: u64) -> io::Result<()> {
    fail::point("file.cut")?;
    file.set_len(bytes)
}

/// Makes a file's bytes durable.
pub fn sync(file: &File) -> io::Result<()> {
    fail::point("file.sync")?;
    file.sync_all()
}

/// Makes the names in a folder durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    fail::point("folder.sync")?;
    File::open(folder)?.sync_all()
}

/// Gives a file another name, over whatever has that name.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fail::point("file.rename")?;
    std::fs::rename(from, to)
}

/// Gives a file a second name that is free.
pub fn link(from: &Path, to: &Path) -> io::Result<()> {
    fail::point("file.link")?;
    std::fs::hard_link(from, to)
}

/// Makes a symbolic link.
pub fn symlink(target: &str, place: &Path) -> io::Result<()> {
    fail::point("file.link")?;
    std::os::unix::fs::symlink(target, place)
}

/// Removes a file.
pub fn remove(path: &Path) -> io::Result<()> {
    fail::point("file.remove")?;
    std::fs::remove_file(path)
}

/// Sets the permission bits of a file or folder.
pub fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fail::point("file.mode")?;
    std::fs::set_permissions(path, Permissions::from_mode(mode))
}

/// Makes one folder; one that exists is an error.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    fail::point("folder.make")?;
    std::fs::create_dir(folder)
}

/// Makes the missing ones of a folder and those above it, and makes their names durable.
pub fn make_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() || folder.as_os_str().is_empty() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        make_folders(parent)?;
        match make_folder(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        sync_folder(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })?;
    }
    Ok(())
}

/// Removes an empty folder.
pub fn remove_folder(folder: &Path) -> io::Result<()> {
    fail::point("folder.remove")?;
    std::fs::remove_dir(folder)
}

/// Removes a folder with everything in it.
pub fn remove_folders(folder: &Path) -> io::Result<()> {
    fail::point("folder.remove")?;
    std::fs::remove_dir_all(folder)
}
