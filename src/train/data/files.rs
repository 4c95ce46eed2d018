//! The files of a data set: where they may be, and whether they are what their name says.

use std::path::{Path, PathBuf};

use crate::state::problem::{Kind, Problem};
use crate::state::tree::digest;
use crate::train::config::Dataset;

/// One file: its name, the MD5 under which it is published, the SHA-256 of its numbers.
pub(super) struct File {
    pub(super) name: &'static str,
    pub(super) md5: &'static str,
    pub(super) sha256: &'static str,
}

/// A data set's files.
pub(super) struct Files {
    /// As people write it.
    pub(super) title: &'static str,
    /// Folders in which they usually lie.
    pub(super) folders: &'static [&'static str],
    /// Whether the published form is packed: `.gz`.
    pub(super) packed: bool,
    /// One by one.
    pub(super) all: &'static [File],
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
        self.all.iter().map(|file| self.one(file, &folders, &numbers)).collect()
    }

    /// Where the files may be: below the named folder, or in it.
    fn places(&self, dataset: &Dataset, root: Option<&str>) -> Result<Vec<PathBuf>, Problem> {
        let named = dataset.dir.as_deref().or(root).ok_or_else(|| {
            let message = format!("nobody says where {} is: dataset.dir is null and AR_DATA is not set", self.title);
            let hint = format!("export AR_DATA=DIR, with these files in DIR/{}: {}", self.folders[0], self.list());
            Problem::new(Kind::Invalid, "data", message).hint(hint)
        })?;
        let named = Path::new(named);
        Ok(self.folders.iter().map(|folder| named.join(folder)).chain([named.to_path_buf()]).collect())
    }

    fn one(
        &self,
        file: &File,
        folders: &[PathBuf],
        numbers: &impl Fn(Vec<u8>) -> Result<Vec<u8>, String>,
    ) -> Result<Vec<u8>, Problem> {
        let names = if self.packed { vec![self.shown(file), file.name.into()] } else { vec![self.shown(file)] };
        let mut places = folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
        let Some(path) = places.find(|path| path.exists()) else {
            let also = if self.packed { ", packed or not" } else { "" };
            return Err(Problem::new(Kind::Invalid, "data", format!("{}'s {} is missing", self.title, names[0]))
                .at(folders[0].display().to_string())
                .hint(format!("put there{also}: {}", self.list())));
        };
        let shown = path.display().to_string();
        let bytes = std::fs::read(&path)
            .map_err(|e| Problem::new(Kind::Io, "data", format!("cannot be read: {e}")).at(&shown))?;
        let hint = format!("fetch it again; {} has MD5 {}", self.shown(file), file.md5);
        let wrong = |message: String| Problem::new(Kind::Invalid, "data", message).at(&shown).hint(&hint);
        let numbers = numbers(bytes).map_err(wrong)?;
        if digest(&numbers) != file.sha256 {
            let message = format!("not {}'s file of this name (SHA-256 of its numbers differs)", self.title);
            return Err(wrong(message));
        }
        Ok(numbers)
    }

    fn shown(&self, file: &File) -> String {
        format!("{}{}", file.name, if self.packed { ".gz" } else { "" })
    }

    /// The files as a person is told of them.
    fn list(&self) -> String {
        let one = |file| format!("{} (MD5 {})", self.shown(file), file.md5);
        self.all.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}
