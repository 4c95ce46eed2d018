//! MNIST (LeCun, Cortes, Burges): 55,000 / 5,000 / 10,000 images of 28×28, mean 0.1307 and deviation 0.3081.

use std::path::{Path, PathBuf};

use tch::Device;

use super::{Part, Raw, idx, part, split_order};
use crate::state::problem::{Kind, Problem};
use crate::state::tree::digest;
use crate::train::config::Dataset;
use crate::train::models::Shape;

/// Of every image.
pub(super) const SHAPE: Shape = Shape { channels: 1, rows: 28, columns: 28, classes: 10 };

/// Mean and deviation of the training images.
const NORM: [(f32, f32); 1] = [(0.1307, 0.3081)];

/// Images for choosing, out of the 60,000 of training.
const VALIDATION: usize = 5_000;

/// One file: its name, the MD5 under which its packed form is known, the SHA-256 of its numbers.
struct File {
    name: &'static str,
    md5: &'static str,
    sha256: &'static str,
}

const FILES: [File; 4] = [
    File {
        name: "train-images-idx3-ubyte",
        md5: "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        sha256: "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    },
    File {
        name: "train-labels-idx1-ubyte",
        md5: "d53e105ee54ea40749a09fcbcd1e9432",
        sha256: "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    },
    File {
        name: "t10k-images-idx3-ubyte",
        md5: "9fb629c4189551a2d022fa330f9573f3",
        sha256: "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    },
    File {
        name: "t10k-labels-idx1-ubyte",
        md5: "ec29112dd5afa0611ce80d1b7f02629c",
        sha256: "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    },
];

/// Training, validation and test part.
pub(super) fn load(dataset: &Dataset, root: Option<&str>, device: Device) -> Result<[Part; 3], Problem> {
    let folders = folders(dataset, root)?;
    let numbers: Vec<Vec<u8>> = FILES.iter().map(|file| read(file, &folders)).collect::<Result<_, _>>()?;
    let [images, labels, test_images, test_labels] = <[Vec<u8>; 4]>::try_from(numbers).expect("four files");
    let norm = dataset.normalize.then_some(&NORM[..]);
    let (learning, testing) = (Raw { pixels: images, labels }, Raw { pixels: test_images, labels: test_labels });
    let order = split_order(learning.labels.len());
    let (train, val) = order.split_at(order.len() - VALIDATION);
    let all: Vec<usize> = (0..testing.labels.len()).collect();
    Ok([(&learning, train), (&learning, val), (&testing, &all[..])]
        .map(|(raw, places)| part(raw, places, SHAPE, norm, device)))
}

/// Where the files may be: below the named folder, or in it.
fn folders(dataset: &Dataset, root: Option<&str>) -> Result<[PathBuf; 2], Problem> {
    let named = dataset.dir.as_deref().or(root).ok_or_else(|| {
        Problem::new(Kind::Invalid, "data", "nobody says where MNIST is: dataset.dir is null and AR_DATA is not set")
            .hint(format!("export AR_DATA=DIR, with these files in DIR/mnist: {}", list()))
    })?;
    let named = Path::new(named);
    Ok([named.join("mnist"), named.to_path_buf()])
}

/// The files as a person is told of them.
fn list() -> String {
    FILES.map(|file| format!("{}.gz (MD5 {})", file.name, file.md5)).join(", ")
}

fn read(file: &File, folders: &[PathBuf]) -> Result<Vec<u8>, Problem> {
    let names = [format!("{}.gz", file.name), file.name.to_string()];
    let mut places = folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
    let Some(path) = places.find(|path| path.exists()) else {
        return Err(Problem::new(Kind::Invalid, "data", format!("MNIST's {} is missing", names[0]))
            .at(folders[0].display().to_string())
            .hint(format!("put there, packed or not: {}", list())));
    };
    let shown = path.display().to_string();
    let bytes =
        std::fs::read(&path).map_err(|e| Problem::new(Kind::Io, "data", format!("cannot be read: {e}")).at(&shown))?;
    let hint = format!("fetch it again; {}.gz has MD5 {}", file.name, file.md5);
    let wrong = |message: String| Problem::new(Kind::Invalid, "data", message).at(&shown).hint(&hint);
    let (_, numbers) = idx::read(&bytes).map_err(wrong)?;
    if digest(&numbers) != file.sha256 {
        return Err(wrong("whole, but not MNIST's file of this name (SHA-256 of its numbers differs)".into()));
    }
    Ok(numbers)
}
