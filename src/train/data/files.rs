//! The files of a data set: where they may be, and whether they are what their name says.

use std::path::{Path, PathBuf};

use crate::runs::datasets::{DataFile, DataSet};
use crate::state::problem::{Kind, Problem};
use crate::state::tree::digest;
use crate::train::config::Dataset;

/// A data set's files.
pub(super) struct Files {
    /// As people write it.
    pub(super) title: &'static str,
    /// As they are published.
    pub(super) set: DataSet,
    /// The SHA-256 of each file's numbers, whatever they are packed in.
    pub(super) numbers: &'static [&'static str],
}

impl Files {
    /// The numbers of every file; `numbers` takes the bytes of a file apart.
    pub(super) fn read(
        &self,
        dataset: &Dataset,
        root: Option<&str>,
        numbers: impl Fn(Vec<u8>) -> Result<Vec<u8>, String>,
    ) -> Result<Vec<Vec<u8>>, Problem> {
        let folders = self.places(dataset, root)?;
        self.set.files.iter().zip(self.numbers).map(|(file, sum)| self.one(file, sum, &folders, &numbers)).collect()
    }

    /// Where the files may be: below the named folder, or in it.
    fn places(&self, dataset: &Dataset, root: Option<&str>) -> Result<Vec<PathBuf>, Problem> {
        let named = dataset.dir.as_deref().or(root).ok_or_else(|| {
            let message = format!("nobody says where {} is: dataset.dir is null and AR_DATA is not set", self.title);
            let hint = format!("export AR_DATA=DIR, then {}", self.fetch());
            Problem::new(Kind::Invalid, "data", message).hint(hint)
        })?;
        Ok(self.set.folders(Path::new(named)))
    }

    fn one(
        &self,
        file: &DataFile,
        sum: &str,
        folders: &[PathBuf],
        numbers: &impl Fn(Vec<u8>) -> Result<Vec<u8>, String>,
    ) -> Result<Vec<u8>, Problem> {
        let names = [file.name, file.unpacked()];
        let mut places = folders.iter().flat_map(|folder| names.map(|name| folder.join(name)));
        let Some(path) = places.find(|path| path.exists()) else {
            return Err(Problem::new(Kind::Invalid, "data", format!("{}'s {} is missing", self.title, file.name))
                .at(folders[0].display().to_string())
                .hint(self.fetch()));
        };
        let shown = path.display().to_string();
        let bytes = std::fs::read(&path)
            .map_err(|e| Problem::new(Kind::Io, "data", format!("cannot be read: {e}")).at(&shown))?;
        let hint = format!("move it away; {}; the published one has SHA-256 {}", self.fetch(), file.sha256);
        let wrong = |message: String| Problem::new(Kind::Invalid, "data", message).at(&shown).hint(&hint);
        let numbers = numbers(bytes).map_err(wrong)?;
        if digest(&numbers) != sum {
            let message = format!("not {}'s file of this name (SHA-256 of its numbers differs)", self.title);
            return Err(wrong(message));
        }
        Ok(numbers)
    }

    /// How the files come, and which they are.
    fn fetch(&self) -> String {
        let one = |file: &DataFile| format!("{} (MD5 {})", file.name, file.md5);
        let files = self.set.files.iter().map(one).collect::<Vec<_>>().join(", ");
        format!("git ar data fetch {0}, or put into DIR/{0}: {files}", self.set.name)
    }
}
