//! The data sets that the built-in trainers read from files, so that what is missing can be named.

#[cfg(feature = "failpoints")]
mod tiny;

use std::path::{Path, PathBuf};

use crate::state::problem::{Kind, Problem};
use crate::state::text::nearest;

/// One file of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// Its name as it is published.
    pub name: &'static str,
    /// Its size as it is published, in bytes.
    pub bytes: u64,
    /// The MD5 under which the published file is known.
    pub md5: &'static str,
    /// The SHA-256 of the published file.
    pub sha256: &'static str,
}

/// One data set.
#[derive(Clone, Copy, Debug)]
pub struct DataSet {
    /// Its name in configs, and of its folder below `AR_DATA`.
    pub name: &'static str,
    /// What it is called by people who pass it on.
    pub title: &'static str,
    /// Other names that its folder goes by.
    pub also: &'static [&'static str],
    /// Its files; none when it is built in.
    pub files: &'static [DataFile],
    /// The packed archive in which the files are published, where they are not published one by one.
    pub archive: Option<DataFile>,
    /// Public addresses: a file's or the archive's name follows.
    pub from: &'static [&'static str],
}

/// Every data set that needs files.
pub const DATA_SETS: &[DataSet] = &[
    MNIST,
    CIFAR10,
    #[cfg(feature = "failpoints")]
    tiny::TINY,
    #[cfg(feature = "failpoints")]
    tiny::PACKED,
];

/// MNIST.
pub const MNIST: DataSet = DataSet {
    name: "mnist",
    title: "MNIST (LeCun, Cortes, Burges), the four original idx files",
    also: &[],
    files: &[
        DataFile {
            name: "train-images-idx3-ubyte.gz",
            bytes: 9_912_422,
            md5: "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        },
        DataFile {
            name: "train-labels-idx1-ubyte.gz",
            bytes: 28_881,
            md5: "d53e105ee54ea40749a09fcbcd1e9432",
            sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        },
        DataFile {
            name: "t10k-images-idx3-ubyte.gz",
            bytes: 1_648_877,
            md5: "9fb629c4189551a2d022fa330f9573f3",
            sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        },
        DataFile {
            name: "t10k-labels-idx1-ubyte.gz",
            bytes: 4_542,
            md5: "ec29112dd5afa0611ce80d1b7f02629c",
            sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ],
    archive: None,
    from: &["https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist"],
};

/// A file of CIFAR-10: 10,000 records of 3,073 bytes.
const fn batch(name: &'static str, md5: &'static str, sha256: &'static str) -> DataFile {
    DataFile { name, bytes: 30_730_000, md5, sha256 }
}

/// CIFAR-10.
pub const CIFAR10: DataSet = DataSet {
    name: "cifar10",
    title: "CIFAR-10 (Krizhevsky), the binary version",
    also: &["cifar-10-batches-bin"],
    files: &[
        batch(
            "data_batch_1.bin",
            "5dd7e06a14cb22eb9f671a540d1b7c25",
            "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        ),
        batch(
            "data_batch_2.bin",
            "5ea93a67294ea407fff1d09f752e9692",
            "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        ),
        batch(
            "data_batch_3.bin",
            "942cd6a4bcdd0dd3c604fbe906cb4421",
            "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        ),
        batch(
            "data_batch_4.bin",
            "ae636b3ba5c66a11e91e8cb52e771fcb",
            "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        ),
        batch(
            "data_batch_5.bin",
            "53f37980c15c3d472c316c40844f3f0d",
            "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        ),
        batch(
            "test_batch.bin",
            "803d5f7f4d78ea53de84dbe85f74fb6d",
            "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
        ),
    ],
    archive: Some(DataFile {
        name: "cifar-10-binary.tar.gz",
        bytes: 170_052_171,
        md5: "c32a1d4ab5d03f1284b67883e8d87530",
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    }),
    from: &["https://www.cs.toronto.edu/~kriz"],
};

/// The data set of this name.
pub fn named(name: &str) -> Result<&'static DataSet, Problem> {
    DATA_SETS.iter().find(|set| set.name == name).ok_or_else(|| {
        let hint = match nearest(name, DATA_SETS.iter().map(|set| set.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "git ar data list".to_string(),
        };
        let message = match name {
            "digits" => "digits is built in; there is nothing to fetch".to_string(),
            name => format!("no data set is named `{name}`"),
        };
        Problem::new(Kind::Usage, "dataset", message).hint(hint)
    })
}

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
    /// Where the files may be below a root (`AR_DATA`): in a folder of the data set's name, or in the root itself.
    #[must_use]
    pub fn folders(&self, root: &Path) -> Vec<PathBuf> {
        let named = [self.name].into_iter().chain(self.also.iter().copied()).map(|name| root.join(name));
        named.chain([root.to_path_buf()]).collect()
    }

    /// Where the files are below a root.
    #[must_use]
    pub fn look(&self, root: &Path) -> Vec<(DataFile, Found)> {
        let folders = self.folders(root);
        self.files.iter().map(|file| (*file, file.look(&folders))).collect()
    }

    /// The files as a person needs them who fetches them elsewhere: name, size and SHA-256, a line each.
    #[must_use]
    pub fn wanted(&self) -> Vec<String> {
        self.files.iter().map(|f| format!("{}  {:>10} bytes  {}", f.sha256, f.bytes, f.name)).collect()
    }
}

impl DataFile {
    /// Its name without `.gz`.
    #[must_use]
    pub fn unpacked(&self) -> &'static str {
        self.name.trim_end_matches(".gz")
    }

    fn look(&self, folders: &[PathBuf]) -> Found {
        let unpacked = self.unpacked();
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
