//! Layers: parameters with their usual names and initial values, and one `forward` each.
//!
//! Weights and biases start uniform in ±1/√(inputs of one output), which is what PyTorch does by default. A layer computes
//! in the kind of its input: `precision` says why.

use tch::Tensor;

use super::models::Mode;
use super::params::Params;
use super::trace;

/// y = x Wᵀ + b
#[derive(Debug)]
pub struct Linear {
    name: String,
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    /// A layer from `inputs` to `outputs` numbers.
    pub fn new(params: &mut Params, name: &str, inputs: i64, outputs: i64) -> Self {
        let bound = 1.0 / (inputs as f64).sqrt();
        Self {
            name: name.to_string(),
            weight: params.uniform(format!("{name}.weight"), &[outputs, inputs], bound),
            bias: params.uniform(format!("{name}.bias"), &[outputs], bound),
        }
    }

    /// (B, inputs) -> (B, outputs)
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let y = x.linear(&rounded(&self.weight, x), Some(&rounded(&self.bias, x)));
        trace::note(&self.name, "linear", &y, &[&self.weight, &self.bias], self.weight.numel());
        y
    }
}

/// Two-dimensional convolution with square kernels.
#[derive(Debug)]
pub struct Conv {
    name: String,
    weight: Tensor,
    bias: Option<Tensor>,
    stride: i64,
    padding: i64,
}

impl Conv {
    /// From `inputs` to `outputs` channels with kernels of `size`×`size`, stride 1, the image's size kept, with bias.
    pub fn same(params: &mut Params, name: &str, inputs: i64, outputs: i64, size: i64) -> Self {
        let bound = 1.0 / ((inputs * size * size) as f64).sqrt();
        let plain = Self::plain(params, name, [inputs, outputs], size, 1);
        Self { bias: Some(params.uniform(format!("{name}.bias"), &[outputs], bound)), ..plain }
    }

    /// From some to some other channels without bias; padded so that stride 1 keeps the image's size.
    pub fn plain(params: &mut Params, name: &str, channels: [i64; 2], size: i64, stride: i64) -> Self {
        let [inputs, outputs] = channels;
        let bound = 1.0 / ((inputs * size * size) as f64).sqrt();
        let weight = params.uniform(format!("{name}.weight"), &[outputs, inputs, size, size], bound);
        Self { name: name.to_string(), weight, bias: None, stride, padding: size / 2 }
    }

    /// (B, inputs, H, W) -> (B, outputs, H/stride, W/stride)
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let (stride, padding) = ([self.stride; 2], [self.padding; 2]);
        let bias = self.bias.as_ref().map(|bias| rounded(bias, x));
        let y = x.conv2d(&rounded(&self.weight, x), bias.as_ref(), stride, padding, [1, 1], 1);
        if trace::is_on() {
            let own: Vec<&Tensor> = [Some(&self.weight), self.bias.as_ref()].into_iter().flatten().collect();
            let places = y.size()[2..].iter().product::<i64>() as usize;
            trace::note(&self.name, "conv", &y, &own, self.weight.numel() * places);
        }
        y
    }
}

/// Batch normalisation (Ioffe and Szegedy, 2015): y = γ (x - mean) / √(variance + 10⁻⁵) + β for each channel.
#[derive(Debug)]
pub struct BatchNorm {
    name: String,
    scale: Tensor,
    shift: Tensor,
    mean: Tensor,
    variance: Tensor,
}

impl BatchNorm {
    /// For images of `channels` channels; the running statistics move by a tenth at each step.
    pub fn new(params: &mut Params, name: &str, channels: i64) -> Self {
        Self {
            name: name.to_string(),
            scale: params.constant(format!("{name}.weight"), &[channels], 1.0),
            shift: params.constant(format!("{name}.bias"), &[channels], 0.0),
            mean: params.buffer(format!("{name}.running_mean"), &[channels], 0.0),
            variance: params.buffer(format!("{name}.running_var"), &[channels], 1.0),
        }
    }

    /// The shape stays. Statistics of the batch in training, the running ones otherwise.
    pub fn forward(&self, x: &Tensor, mode: Mode) -> Tensor {
        let [scale, shift, mean, variance] =
            [&self.scale, &self.shift, &self.mean, &self.variance].map(|t| Some(t.shallow_clone()));
        let y = x.batch_norm(scale, shift, mean, variance, mode == Mode::Train, 0.1, 1e-5, true);
        trace::note(&self.name, "batch norm", &y, &[&self.scale, &self.shift], 0);
        y
    }
}

/// The kind of a recurrent cell; `models/{rnn,gru,lstm}.rs` have the equations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// One tanh.
    Tanh,
    /// Two gates.
    Gru,
    /// Three gates and a memory.
    Lstm,
}

/// Layers of recurrent cells over a sequence.
#[derive(Debug)]
pub struct Recurrent {
    cell: Cell,
    weights: Vec<Tensor>,
    layers: i64,
    hidden: i64,
}

impl Recurrent {
    /// `layers` layers of `hidden` cells over sequences of `inputs` numbers a step.
    pub fn new(params: &mut Params, cell: Cell, inputs: i64, hidden: i64, layers: i64) -> Self {
        let gates = match cell {
            Cell::Tanh => 1,
            Cell::Gru => 3,
            Cell::Lstm => 4,
        } * hidden;
        let bound = 1.0 / (hidden as f64).sqrt();
        let mut weights = Vec::new();
        for layer in 0..layers {
            let from = if layer == 0 { inputs } else { hidden };
            for (name, shape) in [
                ("weight_ih", &[gates, from][..]),
                ("weight_hh", &[gates, hidden]),
                ("bias_ih", &[gates]),
                ("bias_hh", &[gates]),
            ] {
                weights.push(params.uniform(format!("cells.{name}_l{layer}"), shape, bound));
            }
        }
        Self { cell, weights, layers, hidden }
    }

    fn rounded(&self, x: &Tensor) -> Vec<Tensor> {
        let weights: Vec<Tensor> = self.weights.iter().map(|weight| rounded(weight, x)).collect();
        if x.device().is_cuda() { packed(&weights) } else { weights }
    }

    /// (B, T, inputs) -> the last layer's state after the last step (B, hidden)
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let start = Tensor::zeros([self.layers, x.size()[0], self.hidden], (x.kind(), x.device()));
        let (w, layers) = (&self.rounded(x), self.layers);
        let state = match self.cell {
            Cell::Tanh => x.rnn_tanh(&start, w, true, layers, 0.0, true, false, true).1,
            Cell::Gru => x.gru(&start, w, true, layers, 0.0, true, false, true).1,
            Cell::Lstm => x.lstm(&[start.shallow_clone(), start], w, true, layers, 0.0, true, false, true).1,
        };
        let last = state.select(0, layers - 1);
        if trace::is_on() {
            let each_step: usize = w.iter().filter(|w| w.dim() == 2).map(Tensor::numel).sum();
            let own: Vec<&Tensor> = w.iter().collect();
            trace::note("cells", "recurrent", &last, &own, each_step * x.size()[1] as usize);
        }
        last
    }
}

/// A weight in the kind of numbers in which its layer computes: the input's.
fn rounded(weight: &Tensor, x: &Tensor) -> Tensor {
    weight.to_kind(x.kind())
}

/// The same numbers in one piece of memory, matrices before biases. cuDNN lays them out so, and where they lie otherwise
/// copies them at every call, with a warning each time.
fn packed(weights: &[Tensor]) -> Vec<Tensor> {
    let (matrices, biases): (Vec<usize>, Vec<usize>) = (0..weights.len()).partition(|index| weights[*index].dim() == 2);
    let order = [matrices, biases].concat();
    let pieces: Vec<Tensor> = order.iter().map(|index| weights[*index].flatten(0, -1)).collect();
    let sizes: Vec<i64> = pieces.iter().map(|piece| piece.numel() as i64).collect();
    let parts = Tensor::cat(&pieces, 0).split_with_sizes(sizes.as_slice(), 0);
    let mut placed: Vec<(usize, Tensor)> = order.into_iter().zip(parts).collect();
    placed.sort_by_key(|(index, _)| *index);
    placed.into_iter().map(|(index, part)| part.view(weights[index].size().as_slice())).collect()
}

/// Images (B, channels, rows, columns) as sequences of rows (B, rows, channels · columns).
pub fn rows(x: &Tensor) -> Tensor {
    match x.size()[1] {
        1 => x.squeeze_dim(1),
        _ => x.transpose(1, 2).flatten(2, 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    #[test]
    fn packed_weights_are_the_same_in_one_piece_with_the_same_gradients() {
        let mut params = Params::new(4);
        let cells = Recurrent::new(&mut params, Cell::Lstm, 5, 6, 2);
        let leaves = params.join(Device::Cpu).leaves;
        let packed = packed(&cells.weights);
        for (packed, weight) in packed.iter().zip(&cells.weights) {
            assert!(packed.equal(weight) && packed.is_contiguous());
        }
        let place = |index: usize| packed[index].data_ptr() as usize;
        let bytes = |index: usize| packed[index].numel() * size_of::<f32>();
        for (one, next) in [(0, 1), (1, 4), (4, 5), (5, 2), (2, 3), (3, 6), (6, 7)] {
            assert_eq!(place(one) + bytes(one), place(next), "{one} before {next}");
        }
        let square = packed.iter().map(|part| part.square().sum(tch::Kind::Float)).reduce(|a, b| a + b).unwrap();
        for (gradient, leaf) in Tensor::run_backward(&[&square], &leaves, false, false).iter().zip(&leaves) {
            assert!(gradient.equal(&(leaf * 2.0)));
        }
    }
}
