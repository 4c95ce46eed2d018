//! Data sets in memory on the training device: three fixed parts, batches gathered there.

mod digits;
mod idx;
mod mnist;

use tch::{Device, Kind, Tensor};

use super::config::Dataset;
use super::models::Shape;
use crate::runs::digits::{Random, SPLIT_SEED};
use crate::state::problem::{Kind as What, Problem};
use crate::state::text::nearest;

/// Every data set's name.
pub const NAMES: &[&str] = &["digits", "mnist"];

/// Images with their classes.
#[derive(Debug)]
pub struct Part {
    /// (N, channels, rows, columns)
    pub images: Tensor,
    /// (N) class numbers.
    pub labels: Tensor,
}

impl Part {
    /// How many images there are.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::try_from(self.labels.size()[0]).expect("sizes are not negative")
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The images and classes at some places.
    pub fn batch(&self, places: &Tensor) -> (Tensor, Tensor) {
        (self.images.index_select(0, places), self.labels.index_select(0, places))
    }
}

/// A data set in its three parts.
#[derive(Debug)]
pub struct Data {
    /// For training.
    pub train: Part,
    /// For choosing.
    pub val: Part,
    /// Looked at once, at the end.
    pub test: Part,
    /// Of every image.
    pub shape: Shape,
}

impl Data {
    /// The same images, for another thread.
    #[must_use]
    pub fn handle(&self) -> Self {
        let part = |p: &Part| Part { images: p.images.shallow_clone(), labels: p.labels.shallow_clone() };
        Self { train: part(&self.train), val: part(&self.val), test: part(&self.test), shape: self.shape }
    }
}

/// Images as bytes before they are split and scaled.
struct Raw {
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

/// The shape of a data set's images, known before any file is read.
pub fn shape(dataset: &Dataset) -> Result<Shape, Problem> {
    match dataset.name.as_str() {
        "digits" => Ok(digits::SHAPE),
        "mnist" => Ok(mnist::SHAPE),
        name => {
            let hint = match nearest(name, NAMES.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("data sets: {}", NAMES.join(", ")),
            };
            Err(Problem::new(What::Invalid, "dataset", format!("no data set is named `{name}`")).hint(hint))
        }
    }
}

/// Reads, checks and splits a data set. `root` is what `AR_DATA` says.
pub fn load(dataset: &Dataset, root: Option<&str>, device: Device) -> Result<Data, Problem> {
    let shape = shape(dataset)?;
    let [train, val, test] = match dataset.name.as_str() {
        "digits" => digits::load(device),
        _ => mnist::load(dataset, root, device)?,
    };
    Ok(Data { train, val, test, shape })
}

/// Bytes to a part: numbers in 0..1, then (x - mean) / deviation of each channel.
fn part(raw: &Raw, places: &[usize], shape: Shape, norm: Option<&[(f32, f32)]>, device: Device) -> Part {
    let area = (shape.rows * shape.columns) as usize;
    let pixels = area * shape.channels as usize;
    let mut numbers = Vec::with_capacity(places.len() * pixels);
    let scale = |channel: usize| norm.map_or((0.0, 1.0), |n| n[channel]);
    let tables: Vec<[f32; 256]> = (0..shape.channels as usize)
        .map(|c| std::array::from_fn(|byte| (byte as f32 / 255.0 - scale(c).0) / scale(c).1))
        .collect();
    for place in places {
        let image = &raw.pixels[place * pixels..][..pixels];
        for (plane, table) in image.chunks_exact(area).zip(&tables) {
            numbers.extend(plane.iter().map(|byte| table[usize::from(*byte)]));
        }
    }
    let labels: Vec<i64> = places.iter().map(|place| i64::from(raw.labels[*place])).collect();
    part_of(&numbers, &labels, shape, device)
}

fn part_of(numbers: &[f32], labels: &[i64], shape: Shape, device: Device) -> Part {
    let size = [labels.len() as i64, shape.channels, shape.rows, shape.columns];
    Part {
        images: Tensor::from_slice(numbers).view(size).to_device(device),
        labels: Tensor::from_slice(labels).to_kind(Kind::Int64).to_device(device),
    }
}

/// The places of `count` images in the fixed order from which the parts are cut.
fn split_order(count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    Random::new(&[SPLIT_SEED]).shuffle(&mut order);
    order
}
