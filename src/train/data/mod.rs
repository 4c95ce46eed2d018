//! Data sets in memory on the training device: three fixed parts, batches gathered there.

mod cifar10;
mod digits;
mod files;
mod idx;
mod mnist;

use tch::{Device, Kind, Tensor};

use super::config::Dataset;
use super::models::Shape;
use crate::runs::digits::{Random, SPLIT_SEED};
use crate::state::problem::{Kind as What, Problem};
use crate::state::text::nearest;

/// Every data set's name.
pub const NAMES: &[&str] = &["cifar10", "digits", "mnist"];

/// Sets of more numbers than this stay bytes and are scaled batch by batch: a quarter of the memory.
const MOST_FLOATS: usize = 64 << 20;

/// What is known of a data set before a file is read.
struct Set {
    shape: Shape,
    /// Mean and deviation of each channel, for pixels in 0..1.
    norm: &'static [(f32, f32)],
    /// Images for choosing, out of those for training.
    validation: usize,
}

/// How a stored number becomes a pixel: factor · number + black, for each channel (1, C, 1, 1).
#[derive(Debug)]
struct Scale {
    factor: Tensor,
    black: Tensor,
}

impl Scale {
    /// `white` is the greatest stored number.
    fn new(norm: Option<&[(f32, f32)]>, channels: i64, white: f32, device: Device) -> Self {
        let norm = norm.map_or_else(|| vec![(0.0, 1.0); channels as usize], <[_]>::to_vec);
        let channelwise = |number: &dyn Fn(f32, f32) -> f32| {
            let numbers: Vec<f32> = norm.iter().map(|(mean, deviation)| number(*mean, *deviation)).collect();
            Tensor::from_slice(&numbers).view([1, -1, 1, 1]).to_device(device)
        };
        Self {
            factor: channelwise(&|_, deviation| 1.0 / (white * deviation)),
            black: channelwise(&|mean, deviation| -mean / deviation),
        }
    }

    /// In place: a data set is there once, not once for each operation.
    fn apply(&self, stored: &Tensor) -> Tensor {
        let mut pixels = stored.to_kind(Kind::Float);
        let _ = pixels.g_mul_(&self.factor).g_add_(&self.black);
        pixels
    }

    fn handle(&self) -> Self {
        Self { factor: self.factor.shallow_clone(), black: self.black.shallow_clone() }
    }
}

/// Images with their classes.
#[derive(Debug)]
pub struct Part {
    /// (N, channels, rows, columns), ready or as bytes.
    images: Tensor,
    /// (N) class numbers.
    labels: Tensor,
    scale: Scale,
}

impl Part {
    /// Ready images with their classes, for measurements.
    #[must_use]
    pub fn ready(images: Tensor, labels: Tensor) -> Self {
        let scale = Scale::new(None, images.size()[1], 1.0, images.device());
        Self { images, labels, scale }
    }

    fn floats(numbers: &[f32], labels: &[i64], shape: &Shape, scale: &Scale) -> Self {
        let size = [labels.len() as i64, shape.channels, shape.rows, shape.columns];
        let device = scale.black.device();
        Self {
            images: scale.apply(&Tensor::from_slice(numbers).view(size).to_device(device)),
            labels: Tensor::from_slice(labels).to_device(device),
            scale: scale.handle(),
        }
    }

    /// How many images there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.labels.numel()
    }

    /// The images and classes at some places.
    pub fn batch(&self, places: &Tensor) -> (Tensor, Tensor) {
        (self.pixels(self.images.index_select(0, places)), self.labels.index_select(0, places))
    }

    /// `len` images and classes from `start` on.
    pub fn slice(&self, start: i64, len: i64) -> (Tensor, Tensor) {
        (self.pixels(self.images.narrow(0, start, len)), self.labels.narrow(0, start, len))
    }

    /// What a pixel outside of the image is, (1, C, 1, 1).
    pub fn black(&self) -> &Tensor {
        &self.scale.black
    }

    fn pixels(&self, stored: Tensor) -> Tensor {
        if stored.kind() == Kind::Uint8 { self.scale.apply(&stored) } else { stored }
    }

    fn handle(&self) -> Self {
        let [images, labels] = [&self.images, &self.labels].map(Tensor::shallow_clone);
        Self { images, labels, scale: self.scale.handle() }
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
        let [train, val, test] = [&self.train, &self.val, &self.test].map(Part::handle);
        Self { train, val, test, shape: self.shape }
    }
}

/// Images as bytes before they are split.
struct Raw {
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

fn set(name: &str) -> Result<Set, Problem> {
    match name {
        "cifar10" => Ok(cifar10::SET),
        "digits" => Ok(digits::SET),
        "mnist" => Ok(mnist::SET),
        _ => {
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
    let set = set(&dataset.name)?;
    let [learning, testing] = match dataset.name.as_str() {
        "digits" => {
            let [train, val, test] = digits::load(dataset.normalize, device);
            return Ok(Data { train, val, test, shape: set.shape });
        }
        "mnist" => mnist::read(dataset, root)?,
        _ => cifar10::read(dataset, root)?,
    };
    let scale = Scale::new(dataset.normalize.then_some(set.norm), set.shape.channels, 255.0, device);
    let order = split_order(learning.labels.len());
    let (train, val) = order.split_at(order.len() - set.validation);
    let all: Vec<usize> = (0..testing.labels.len()).collect();
    let part = |raw, places| part(raw, places, &set.shape, &scale);
    let [train, val, test] = [part(&learning, train), part(&learning, val), part(&testing, &all)];
    Ok(Data { train, val, test, shape: set.shape })
}

fn part(raw: &Raw, places: &[usize], shape: &Shape, scale: &Scale) -> Part {
    let pixels = shape.pixels() as usize;
    let mut bytes = Vec::with_capacity(places.len() * pixels);
    places.iter().for_each(|place| bytes.extend_from_slice(&raw.pixels[place * pixels..][..pixels]));
    let labels: Vec<i64> = places.iter().map(|place| i64::from(raw.labels[*place])).collect();
    let device = scale.black.device();
    let size = [labels.len() as i64, shape.channels, shape.rows, shape.columns];
    let stored = Tensor::from_slice(&bytes).view(size).to_device(device);
    let many = raw.pixels.len() > MOST_FLOATS;
    Part {
        images: if many { stored } else { scale.apply(&stored) },
        labels: Tensor::from_slice(&labels).to_device(device),
        scale: scale.handle(),
    }
}

/// The places of `count` images in the fixed order from which the parts are cut.
fn split_order(count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    Random::new(&[SPLIT_SEED]).shuffle(&mut order);
    order
}
