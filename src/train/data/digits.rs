//! The digits that are built in: 1257 / 180 / 360 images of 8×8, the split of the reference trainer.

use tch::Device;

use super::{Part, Scale, Set};
use crate::runs::digits::{CLASSES, Digits};
use crate::train::models::Shape;

/// What is known of them. Mean and deviation are those of the training images.
pub(super) const SET: Set = Set {
    shape: Shape { channels: 1, rows: 8, columns: 8, classes: CLASSES as i64 },
    norm: &[(0.3050, 0.3760)],
    validation: 180,
};

/// Training, validation and test part.
pub(super) fn load(normalize: bool, device: Device) -> [Part; 3] {
    let Digits { train, val, test } = Digits::load();
    let scale = Scale::new(normalize.then_some(SET.norm), 1, 1.0, device);
    [train, val, test].map(|part| {
        let labels: Vec<i64> = part.labels.iter().map(|label| i64::from(*label)).collect();
        Part::floats(&part.pixels, &labels, &SET.shape, &scale)
    })
}
