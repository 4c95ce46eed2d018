//! Fetches the files of a data set: over HTTP, resumed where a download was cut, checked by SHA-256, then renamed.
//!
//! What has come of a file lies beside its place as `.NAME.part`, so that the next command goes on from there. A file
//! is at its place only when it is whole and is the published one.

pub mod http;
mod part;
mod unpack;

use std::path::{Path, PathBuf};

use super::datasets::{DataFile, DataSet};
use super::scratch;
use crate::repo::litter;
use crate::state::problem::{Kind, Problem};
use http::Net;
use part::Part;

/// Told how a download goes.
pub trait Watcher {
    /// A file begins, of which so many bytes are here.
    fn start(&mut self, name: &str, here: u64, bytes: u64);
    /// So many bytes are here now.
    fn here(&mut self, bytes: u64);
    /// The file is whole, or given up.
    fn end(&mut self);
    /// Something to know.
    fn say(&mut self, line: &str);
}

/// Why a server did not give a file.
#[derive(Debug)]
enum Trouble {
    /// It does not answer, or stops in the middle; another time it may.
    Away(String),
    /// It answers, and not with the file.
    Other(String),
    /// The disk.
    Disk(Problem),
}

/// What there was to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Got {
    /// Files that were there.
    pub there: usize,
    /// Files that came.
    pub fetched: usize,
    /// Bytes that came over the network.
    pub bytes: u64,
}

/// Brings the files of a data set into a folder, from the first address that has them.
pub fn fetch(
    set: &DataSet,
    folder: &Path,
    from: &[String],
    net: &Net,
    watcher: &mut dyn Watcher,
) -> Result<Got, Problem> {
    // What a command that was killed had half unpacked.
    litter::abandoned(folder).iter().try_for_each(|path| scratch::remove(path))?;
    let mut wanted = Vec::new();
    for file in set.files {
        if !stands(file, folder)? {
            wanted.push(*file);
        }
    }
    let there = set.files.len() - wanted.len();
    if wanted.is_empty() {
        // A command that was killed had unpacked them all.
        if let Some(archive) = set.archive.filter(|archive| folder.join(archive.name).is_file())
            && stands(&archive, folder)?
        {
            scratch::remove(&folder.join(archive.name))?;
        }
        return Ok(Got { there, ..Got::default() });
    }
    scratch::folder(folder)?;
    space(set, folder, &wanted)?;
    let mut bytes = 0;
    let mut one = |file: &DataFile| {
        let (path, came) = download(set, file, folder, from, net, watcher)?;
        bytes += came;
        Ok::<PathBuf, Problem>(path)
    };
    match &set.archive {
        None => wanted.iter().try_for_each(|file| one(file).map(drop))?,
        Some(archive) => {
            let packed = if stands(archive, folder)? { folder.join(archive.name) } else { one(archive)? };
            unpack::files(&packed, &wanted, folder)?;
            scratch::remove(&packed)?;
        }
    }
    Ok(Got { there, fetched: wanted.len(), bytes })
}

/// Whether a file is at its place, packed or not. One of other bytes is somebody's, and stays.
fn stands(file: &DataFile, folder: &Path) -> Result<bool, Problem> {
    let path = folder.join(file.name);
    if !path.exists() {
        return Ok(folder.join(file.unpacked()).is_file());
    }
    if part::digest_of(&path)? == file.sha256 {
        return Ok(true);
    }
    let message = format!("is not the published {} ({} bytes, SHA-256 {})", file.name, file.bytes, file.sha256);
    let away = format!("move it away, then repeat the command: mv {0} {0}.other", path.display());
    Err(Problem::new(Kind::Found, "data", message).at(path.display().to_string()).hint(away))
}

/// Refuses what does not fit on the disk.
fn space(set: &DataSet, folder: &Path, wanted: &[DataFile]) -> Result<(), Problem> {
    let files = wanted.iter().chain(&set.archive);
    let here = |file: &DataFile| Part::path(folder, file).metadata().map_or(0, |part| part.len());
    let need: u64 = files.map(|file| file.bytes.saturating_sub(here(file))).sum();
    let Ok(disk) = rustix::fs::statvfs(folder) else { return Ok(()) };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free >= need {
        return Ok(());
    }
    let message = format!("{} needs {} there, and {} are free", set.name, megabytes(need), megabytes(free));
    Err(Problem::new(Kind::Io, "disk", message)
        .at(folder.display().to_string())
        .hint("make room, or name a folder on another disk: --to DIR"))
}

/// One file to its place, and the bytes that came for it.
fn download(
    set: &DataSet,
    file: &DataFile,
    folder: &Path,
    from: &[String],
    net: &Net,
    watcher: &mut dyn Watcher,
) -> Result<(PathBuf, u64), Problem> {
    let mut part = Part::open(folder, *file)?;
    let mut troubles = Vec::new();
    for base in from {
        let address = format!("{}/{}", base.trim_end_matches('/'), file.name);
        watcher.start(file.name, part.len(), file.bytes);
        let came = part.fill(&address, net, watcher);
        watcher.end();
        match came {
            Ok(came) => return Ok((part.finish()?, came)),
            Err(Trouble::Disk(problem)) => return Err(problem),
            Err(trouble) => {
                watcher.say(&format!("{address}: {}", trouble.words()));
                troubles.push((address, trouble));
            }
        }
    }
    part.leave()?;
    Err(unfetched(set, file, folder, &troubles))
}

impl Trouble {
    fn words(&self) -> &str {
        match self {
            Self::Away(words) | Self::Other(words) => words,
            Self::Disk(problem) => &problem.message,
        }
    }
}

/// The problem when no address gave a file: what to put where by hand.
fn unfetched(set: &DataSet, file: &DataFile, folder: &Path, troubles: &[(String, Trouble)]) -> Problem {
    let away = troubles.iter().all(|(_, trouble)| matches!(trouble, Trouble::Away(_)));
    let kind = if away { Kind::Unavailable } else { Kind::Invalid };
    let words: Vec<String> = troubles.iter().map(|(from, trouble)| format!("{from}: {}", trouble.words())).collect();
    let by_hand = format!(
        "repeat the command, which goes on where it stopped; or name another server: --from URL; or put these into {} \
         (SHA-256, size, name):\n  {}",
        folder.display(),
        set.wanted().join("\n  ")
    );
    Problem::new(kind, "fetch", format!("{} could not be fetched ({})", file.name, words.join("; "))).hint(by_hand)
}

/// A size for a person.
#[must_use]
pub fn megabytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let size = bytes as f64 / 1e6;
    format!("{size:.1} MB")
}

#[cfg(test)]
mod tests;
