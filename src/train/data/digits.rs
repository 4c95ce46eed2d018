//! The digits that are built in: 8×8, numbers in 0..1, the split of the reference trainer.

use tch::Device;

use super::{Part, part_of};
use crate::runs::digits::{CLASSES, Digits};
use crate::train::models::Shape;

/// Of every image.
pub(super) const SHAPE: Shape = Shape { channels: 1, rows: 8, columns: 8, classes: CLASSES as i64 };

/// Training, validation and test part: 1257, 180 and 360 images.
pub(super) fn load(device: Device) -> [Part; 3] {
    let Digits { train, val, test } = Digits::load();
    [train, val, test].map(|part| {
        let labels: Vec<i64> = part.labels.iter().map(|label| i64::from(*label)).collect();
        part_of(&part.pixels, &labels, SHAPE, device)
    })
}
