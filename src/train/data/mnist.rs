//! MNIST (LeCun, Cortes, Burges): 55,000 / 5,000 / 10,000 images of 28×28, mean 0.1307 and deviation 0.3081.

use super::files::Files;
use super::{Raw, Set, idx};
use crate::runs::datasets;
use crate::state::problem::Problem;
use crate::train::config::Dataset;
use crate::train::models::Shape;

/// What is known before a file is read. Mean and deviation are those of the training images.
pub(super) const SET: Set = Set {
    shape: Shape { channels: 1, rows: 28, columns: 28, classes: 10 },
    norm: &[(0.1307, 0.3081)],
    validation: 5_000,
};

const FILES: Files = Files {
    title: "MNIST",
    set: datasets::MNIST,
    numbers: &[
        "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
        "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
        "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
        "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    ],
};

/// The images for learning and those for the test.
pub(super) fn read(dataset: &Dataset, root: Option<&str>) -> Result<[Raw; 2], Problem> {
    let numbers = FILES.read(dataset, root, |bytes| idx::read(bytes).map(|(_, numbers)| numbers))?;
    let [pixels, labels, test_pixels, test_labels] = <[Vec<u8>; 4]>::try_from(numbers).expect("four files");
    Ok([Raw { pixels, labels }, Raw { pixels: test_pixels, labels: test_labels }])
}
