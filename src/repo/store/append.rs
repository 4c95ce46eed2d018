//! A file that only grows: lines are added at its end and flushed before the caller goes on.

use std::fs::File;
use std::io::{Seek as _, SeekFrom};

use super::{Store, effect, sync_folder, unwritable};
use crate::state::problem::Problem;

impl Store {
    /// Adds bytes behind the first `keep` bytes of a file and flushes them to the disk; what stood behind those is
    /// dropped. A file that is not there is made, and its name flushed too.
    ///
    /// # Errors
    /// [`Kind::Io`](crate::state::problem::Kind::Io) when the disk is full, read-only and the like; the file then
    /// ends where it did, as far as the system lets it.
    pub fn append(&self, path: &str, keep: u64, bytes: &[u8]) -> Result<(), Problem> {
        let place = self.locate(path)?;
        let is_new = !place.exists();
        let failed = |error: std::io::Error| unwritable(path, &error);
        effect::make_folders(place.parent().unwrap_or(&self.top)).map_err(failed)?;
        let mut file = effect::open(&place).map_err(failed)?;
        if let Err(error) = add(&mut file, keep, bytes) {
            // Half a line is told from a whole one by its reader too.
            let _ = effect::cut(&file, keep);
            return Err(failed(error));
        }
        if is_new { sync_folder(path, &place) } else { Ok(()) }
    }
}

fn add(file: &mut File, keep: u64, bytes: &[u8]) -> std::io::Result<()> {
    effect::cut(file, keep)?;
    file.seek(SeekFrom::Start(keep))?;
    effect::write(file, bytes)?;
    effect::sync(file)
}
