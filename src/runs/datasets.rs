//! The data sets that the built-in trainers read from files, so that what is missing can be named.

use std::path::{Path, PathBuf};

/// One file of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// Its name, packed.
    pub name: &'static str,
    /// Its size, packed, in bytes.
    pub bytes: u64,
    /// The MD5 under which the packed file is known.
    pub md5: &'static str,
}

/// One data set.
#[derive(Clone, Copy, Debug)]
pub struct DataSet {
    /// Its name in configs, and of its folder below `AR_DATA`.
    pub name: &'static str,
    /// What it is called by people who pass it on.
    pub title: &'static str,
    /// Its files; none when it is built in.
    pub files: &'static [DataFile],
}

/// Every data set that needs files.
pub const DATA_SETS: [DataSet; 1] = [DataSet {
    name: "mnist",
    title: "MNIST (LeCun, Cortes, Burges), the four original idx files",
    files: &[
        DataFile { name: "train-images-idx3-ubyte.gz", bytes: 9_912_422, md5: "f68b3c2dcbeaaa9fbdd348bbdeb94873" },
        DataFile { name: "train-labels-idx1-ubyte.gz", bytes: 28_881, md5: "d53e105ee54ea40749a09fcbcd1e9432" },
        DataFile { name: "t10k-images-idx3-ubyte.gz", bytes: 1_648_877, md5: "9fb629c4189551a2d022fa330f9573f3" },
        DataFile { name: "t10k-labels-idx1-ubyte.gz", bytes: 4_542, md5: "ec29112dd5afa0611ce80d1b7f02629c" },
    ],
}];

/// What stands where a file should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It, packed and of the right size, or unpacked.
    There(PathBuf),
    /// A packed file of another size, which is given.
    WrongSize(PathBuf, u64),
    /// Nothing.
    Missing,
}

impl DataSet {
    /// Where the files are below a root (`AR_DATA`): in the folder of the data set's name, or in the root itself.
    #[must_use]
    pub fn look(&self, root: &Path) -> Vec<(DataFile, Found)> {
        let folders = [root.join(self.name), root.to_path_buf()];
        self.files.iter().map(|file| (*file, file.look(&folders))).collect()
    }
}

impl DataFile {
    fn look(&self, folders: &[PathBuf]) -> Found {
        let unpacked = self.name.trim_end_matches(".gz");
        for folder in folders {
            let (packed, plain) = (folder.join(self.name), folder.join(unpacked));
            match packed.metadata() {
                Ok(found) if found.len() == self.bytes => return Found::There(packed),
                Ok(found) => return Found::WrongSize(packed, found.len()),
                Err(_) if plain.is_file() => return Found::There(plain),
                Err(_) => {}
            }
        }
        Found::Missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_looked_for_in_both_places() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("mnist");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("t10k-labels-idx1-ubyte.gz"), vec![0; 4_542]).unwrap();
        std::fs::write(root.path().join("train-labels-idx1-ubyte"), "").unwrap();
        std::fs::write(folder.join("t10k-images-idx3-ubyte.gz"), "cut").unwrap();
        let found: Vec<Found> = DATA_SETS[0].look(root.path()).into_iter().map(|(_, found)| found).collect();
        assert_eq!(found[0], Found::Missing);
        assert!(matches!(found[1], Found::There(_)) && matches!(found[3], Found::There(_)));
        assert_eq!(found[2], Found::WrongSize(folder.join("t10k-images-idx3-ubyte.gz"), 3));
    }
}
