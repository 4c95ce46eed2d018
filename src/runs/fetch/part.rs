//! A file that is on its way: what has come of it, and how the rest comes.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::http::{Answer, Net};
use super::{Trouble, Watcher};
use crate::repo::effect;
use crate::runs::datasets::DataFile;
use crate::runs::scratch::failed;
use crate::state::problem::{Kind, Problem};

/// Attempts in a row that bring nothing before a server is given up.
const IDLE: usize = 3;
/// Attempts altogether.
const ATTEMPTS: usize = 100;

/// The part of a file that is here, locked against a second command.
pub(super) struct Part {
    file: DataFile,
    path: PathBuf,
    folder: PathBuf,
    open: File,
    len: u64,
}

/// How one attempt ended.
enum Attempt {
    Whole,
    Cut(String),
    Again,
}

impl Part {
    /// Where the part of a file lies.
    pub(super) fn path(folder: &Path, file: &DataFile) -> PathBuf {
        folder.join(format!(".{}.part", file.name))
    }

    /// Opens it, or begins it.
    pub(super) fn open(folder: &Path, file: DataFile) -> Result<Self, Problem> {
        let path = Self::path(folder, &file);
        let open = effect::open(&path).map_err(|e| failed("open", &path, &e))?;
        match open.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Problem::new(Kind::Locked, "fetch", "another command fetches this file")
                    .at(path.display().to_string())
                    .hint("wait until it has ended, then repeat the command"));
            }
            Err(TryLockError::Error(e)) => return Err(failed("lock", &path, &e)),
        }
        let len = open.metadata().map_err(|e| failed("read", &path, &e))?.len();
        Ok(Self { file, path, folder: folder.to_path_buf(), open, len })
    }

    /// Bytes that are here.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Brings what is missing from one address, and checks the whole. Returns the bytes that came.
    pub(super) fn fill(&mut self, address: &str, net: &Net, watcher: &mut dyn Watcher) -> Result<u64, Trouble> {
        let (mut came, mut fresh) = (0, self.len == 0);
        loop {
            came += self.rest(address, net, watcher)?;
            let found = self.digest().map_err(Trouble::Disk)?;
            if found == self.file.sha256 {
                return Ok(came);
            }
            self.empty().map_err(Trouble::Disk)?;
            if fresh {
                return Err(Trouble::Other(format!("gives another file (SHA-256 {found})")));
            }
            watcher.say("what was here does not belong to what came; from the start");
            fresh = true;
        }
    }

    /// Renames the whole file to its place.
    pub(super) fn finish(self) -> Result<PathBuf, Problem> {
        let place = self.folder.join(self.file.name);
        effect::sync(&self.open).map_err(|e| failed("write", &self.path, &e))?;
        effect::rename(&self.path, &place).map_err(|e| failed("rename", &self.path, &e))?;
        effect::sync_folder(&self.folder).map_err(|e| failed("write", &self.folder, &e))?;
        Ok(place)
    }

    /// Gives up for now; an empty part is no use to the next command.
    pub(super) fn leave(self) -> Result<(), Problem> {
        if self.len > 0 {
            return Ok(());
        }
        crate::runs::scratch::remove(&self.path)
    }

    /// Attempts until the file has its size. A cut connection that brought something is no reason to give up.
    fn rest(&mut self, address: &str, net: &Net, watcher: &mut dyn Watcher) -> Result<u64, Trouble> {
        let (mut came, mut idle) = (0, 0);
        if self.len > self.file.bytes {
            self.empty().map_err(Trouble::Disk)?;
        }
        for _ in 0..ATTEMPTS {
            if self.len == self.file.bytes {
                return Ok(came);
            }
            let before = self.len;
            let attempt = match net.get(address, self.len) {
                Ok(answer) => self.take(answer, watcher)?,
                Err(Trouble::Away(words)) => Attempt::Cut(words),
                Err(trouble) => return Err(trouble),
            };
            came += self.len.saturating_sub(before);
            match attempt {
                Attempt::Whole => return Ok(came),
                Attempt::Again => {}
                Attempt::Cut(words) if self.len > before => {
                    idle = 0;
                    watcher.say(&format!("cut after {} of {} bytes ({words}); goes on", self.len, self.file.bytes));
                }
                Attempt::Cut(words) => {
                    idle += 1;
                    if idle == IDLE {
                        return Err(Trouble::Away(words));
                    }
                    net.pause(idle);
                }
            }
        }
        Err(Trouble::Away(format!("was cut {ATTEMPTS} times")))
    }

    /// Adds what an answer brings.
    fn take(&mut self, answer: Answer, watcher: &mut dyn Watcher) -> Result<Attempt, Trouble> {
        let Answer { start, total, mut body } = answer;
        if let Some(total) = total.filter(|total| *total != self.file.bytes) {
            return Err(Trouble::Other(format!("has {total} bytes under this name, not {}", self.file.bytes)));
        }
        if start != self.len {
            self.empty().map_err(Trouble::Disk)?;
            if start != 0 {
                return Ok(Attempt::Again);
            }
            watcher.say("the server cannot go on in the middle of a file; from the start");
        }
        let mut buffer = vec![0; 1 << 16];
        loop {
            watcher.here(self.len);
            match body.read(&mut buffer) {
                Ok(0) if self.len == self.file.bytes => return Ok(Attempt::Whole),
                Ok(0) => return Ok(Attempt::Cut("the connection ended".into())),
                Ok(more) if self.len + more as u64 > self.file.bytes => {
                    self.empty().map_err(Trouble::Disk)?;
                    return Err(Trouble::Other(format!("has more than {} bytes under this name", self.file.bytes)));
                }
                Ok(more) => self.append(&buffer[..more]).map_err(Trouble::Disk)?,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Ok(Attempt::Cut(error.to_string())),
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let end = self.open.seek(SeekFrom::End(0));
        end.and_then(|_| effect::write(&mut self.open, bytes)).map_err(|e| failed("write", &self.path, &e))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn empty(&mut self) -> Result<(), Problem> {
        effect::cut(&self.open, 0).map_err(|e| failed("empty", &self.path, &e))?;
        self.len = 0;
        Ok(())
    }

    fn digest(&mut self) -> Result<String, Problem> {
        self.open.rewind().and_then(|()| digest(&mut self.open)).map_err(|e| failed("read", &self.path, &e))
    }
}

/// The SHA-256 of a file.
pub(super) fn digest_of(path: &Path) -> Result<String, Problem> {
    File::open(path).and_then(|mut file| digest(&mut file)).map_err(|e| failed("read", path, &e))
}

fn digest(file: &mut File) -> std::io::Result<String> {
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            more => hasher.update(&buffer[..more]),
        }
    }
}
