//! CIFAR-10 (Krizhevsky, 2009), the binary version: 45,000 / 5,000 / 10,000 colour images of 32×32 in ten classes.
//!
//! A record is one byte of class and 3,072 of image: the red plane, the green, the blue.

use super::files::Files;
use super::{Raw, Set};
use crate::runs::datasets;
use crate::state::problem::Problem;
use crate::train::config::Dataset;
use crate::train::models::Shape;

/// What is known before a file is read. Means and deviations are those of all pixels of the training images; the often
/// copied (.2023, .1994, .2010) are means of deviations within one image.
pub(super) const SET: Set = Set {
    shape: Shape { channels: 3, rows: 32, columns: 32, classes: 10 },
    norm: &[(0.4914, 0.2470), (0.4822, 0.2435), (0.4465, 0.2616)],
    validation: 5_000,
};

const RECORD: usize = 1 + 3 * 32 * 32;
const RECORDS: usize = 10_000;

const FILES: Files = Files {
    title: "CIFAR-10",
    set: datasets::CIFAR10,
    numbers: &[
        "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    ],
};

/// The images for learning and those for the test.
pub(super) fn read(dataset: &Dataset, root: Option<&str>) -> Result<[Raw; 2], Problem> {
    let mut files = FILES.read(dataset, root, whole)?;
    let test = files.pop().expect("six files");
    Ok([raw(&files), raw(&[test])])
}

fn whole(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    match bytes.len() {
        len if len == RECORD * RECORDS => Ok(bytes),
        len => Err(format!("{len} bytes; {} are expected", RECORD * RECORDS)),
    }
}

fn raw(files: &[Vec<u8>]) -> Raw {
    let (mut labels, mut pixels) = (Vec::new(), Vec::with_capacity(files.len() * RECORDS * (RECORD - 1)));
    for record in files.iter().flat_map(|file| file.chunks_exact(RECORD)) {
        labels.push(record[0]);
        pixels.extend_from_slice(&record[1..]);
    }
    Raw { pixels, labels }
}
