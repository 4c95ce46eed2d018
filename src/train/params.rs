//! The trained numbers of a model and the buffers beside them, by name.
//!
//! After [`Params::join`] all trained numbers lie in one piece of memory, so that an optimizer passes over them once.

use tch::{Device, Kind, Tensor};

use crate::runs::digits::Random;

/// Every parameter starts at a multiple of this many numbers (64 bytes), where vector loads are fast.
const ALIGN: i64 = 16;

/// Names, initial values, and after joining the one buffer that holds them.
#[derive(Debug)]
pub struct Params {
    trained: Vec<(String, Tensor)>,
    buffers: Vec<(String, Tensor)>,
    random: Random,
}

/// Where one parameter lies in the joined buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First number.
    pub start: usize,
    /// How many numbers.
    pub len: usize,
}

/// All trained numbers in one buffer.
#[derive(Debug)]
pub struct Joined {
    /// The buffer, with unused numbers between the parameters.
    pub flat: Tensor,
    /// The parameters, which share the buffer's memory, in the order of their making.
    pub leaves: Vec<Tensor>,
    /// Where each lies.
    pub spans: Vec<Span>,
}

impl Params {
    /// No parameters yet. Initial values depend on the seed and on the order of making alone.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { trained: Vec::new(), buffers: Vec::new(), random: Random::new(&[seed, 0x1417]) }
    }

    /// A trained parameter, uniform in ±bound.
    pub fn uniform(&mut self, name: impl Into<String>, shape: &[i64], bound: f64) -> Tensor {
        let count = usize::try_from(shape.iter().product::<i64>()).expect("sizes are not negative");
        let bound = bound as f32;
        let values: Vec<f32> = (0..count).map(|_| (2.0 * self.random.unit() - 1.0) * bound).collect();
        self.trained(name, Tensor::from_slice(&values).view(shape))
    }

    /// A trained parameter of one value.
    pub fn constant(&mut self, name: impl Into<String>, shape: &[i64], value: f64) -> Tensor {
        self.trained(name, Tensor::full(shape, value, (Kind::Float, Device::Cpu)))
    }

    /// Numbers that are kept with the model but not trained, such as running means.
    pub fn buffer(&mut self, name: impl Into<String>, shape: &[i64], value: f64) -> Tensor {
        let tensor = Tensor::full(shape, value, (Kind::Float, Device::Cpu));
        self.buffers.push((name.into(), tensor.shallow_clone()));
        tensor
    }

    fn trained(&mut self, name: impl Into<String>, tensor: Tensor) -> Tensor {
        let tensor = tensor.set_requires_grad(true);
        self.trained.push((name.into(), tensor.shallow_clone()));
        tensor
    }

    /// How many numbers are trained.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.trained.iter().map(|(_, tensor)| tensor.numel() as u64).sum()
    }

    /// Parameters and buffers by name, parameters first.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.trained.iter().chain(&self.buffers).map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// The trained parameters by name.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.trained.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Whether there are kernels of convolutions among them.
    #[must_use]
    pub fn has_kernels(&self) -> bool {
        self.trained.iter().any(|(_, tensor)| tensor.dim() == 4)
    }

    /// Moves everything to a device, the trained numbers into one buffer. Layers keep their handles.
    pub fn join(&mut self, device: Device) -> Joined {
        let _guard = tch::no_grad_guard();
        for (_, buffer) in &mut self.buffers {
            let moved = buffer.to_device(device);
            buffer.set_data(&moved);
        }
        let mut spans = Vec::new();
        let mut end = 0;
        for (_, tensor) in &self.trained {
            let len = tensor.numel() as i64;
            spans.push((end, len));
            end += (len + ALIGN - 1) / ALIGN * ALIGN;
        }
        let flat = Tensor::zeros([end], (Kind::Float, device));
        for ((_, tensor), (start, len)) in self.trained.iter_mut().zip(&spans) {
            let mut place = flat.narrow(0, *start, *len).view(tensor.size().as_slice());
            place.copy_(tensor);
            tensor.set_data(&place);
        }
        let leaves = self.trained.iter().map(|(_, tensor)| tensor.shallow_clone()).collect();
        let spans = spans.iter().map(|(start, len)| Span { start: *start as usize, len: *len as usize }).collect();
        Joined { flat, leaves, spans }
    }
}
