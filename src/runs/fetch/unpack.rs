//! Takes single files out of a `.tar.gz`: what is not asked for is passed over, nothing is written by its own name.

use std::fs::File;
use std::io::{BufReader, Error, Read as _};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::runs::datasets::DataFile;
use crate::runs::scratch;
use crate::state::problem::{Kind, Problem};
use crate::state::tree::digest;

/// Writes the wanted files of an archive into a folder, each checked first.
pub(super) fn files(archive: &Path, wanted: &[DataFile], folder: &Path) -> Result<(), Problem> {
    let wrong = |message: String| {
        Problem::new(Kind::Invalid, "data", message).at(archive.display().to_string()).hint("repeat the command")
    };
    let unread = |error: Error| wrong(format!("cannot be unpacked: {error}"));
    let file = File::open(archive).map_err(|e| scratch::failed("open", archive, &e))?;
    let mut tar = tar::Archive::new(MultiGzDecoder::new(BufReader::new(file)));
    let mut missing: Vec<&DataFile> = wanted.iter().collect();
    for entry in tar.entries().map_err(unread)? {
        let mut entry = entry.map_err(unread)?;
        let name = entry.path().map_err(unread)?.file_name().map(|name| name.to_string_lossy().into_owned());
        let is_it = |file: &&DataFile| Some(file.name) == name.as_deref() && file.bytes == entry.size();
        let Some(place) = missing.iter().position(is_it) else { continue };
        let file = missing.remove(place);
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(unread)?;
        if digest(&bytes) != file.sha256 {
            return Err(wrong(format!("its {} is another file (SHA-256 differs)", file.name)));
        }
        scratch::write(&folder.join(file.name), &bytes)?;
    }
    match missing.first() {
        None => Ok(()),
        Some(file) => Err(wrong(format!("has no {}", file.name))),
    }
}
