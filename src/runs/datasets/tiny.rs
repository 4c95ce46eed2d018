//! Two data sets of a few bytes, for the tests that let each effect of a fetch fail; `tests/data/fetch` has their files.

use super::{DataFile, DataSet};

/// Published file by file.
pub(super) const TINY: DataSet = DataSet {
    name: "tiny",
    title: "Two files for tests",
    also: &[],
    files: &[
        DataFile {
            name: "first.txt",
            bytes: 60,
            md5: "6e2826f3300ec21b7e4c3cf23ac44677",
            sha256: "84c4ec7b8b4c73fd669d03e9f78ebe2ae596b3cc1ce7c96a443a7c0822c1eadc",
        },
        DataFile {
            name: "second.txt",
            bytes: 19,
            md5: "5ad730e51b093ddbf836adc6623e9b4a",
            sha256: "3f1c08d64cc825f1207b21b9471ca76486ba28065b2f1108dd2fa43eccecc4bb",
        },
    ],
    archive: None,
    from: &[],
};

/// Published in an archive.
pub(super) const PACKED: DataSet = DataSet {
    name: "packed",
    title: "Two files in an archive, for tests",
    also: &[],
    files: &[
        DataFile {
            name: "third.txt",
            bytes: 29,
            md5: "18d9dfa565463edcb2735149ef7dcc82",
            sha256: "f04735c44dd53ecc87816c45c54c03574e205ad166211a20ba9ca1bf24d0ca53",
        },
        DataFile {
            name: "fourth.txt",
            bytes: 22,
            md5: "dc72ae9338ba3e09177ad601b063049e",
            sha256: "ec3bf0cf191c73c810e666e78270cf18276b56627c65677c7de326250d73ea9f",
        },
    ],
    archive: Some(DataFile {
        name: "packed.tar.gz",
        bytes: 190,
        md5: "1d114da6a9a0c888a594777fea286709",
        sha256: "43dfad5103039caa0f909e20d4fcfb27f5c3472a2c40ce9a1ea8815b30d73cee",
    }),
    from: &[],
};
