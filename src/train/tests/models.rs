//! Every model: shapes, numbers of parameters, a gradient for each of them.

use tch::{Device, Kind, Tensor};

use crate::config::{Value, read};
use crate::state::yaml::{Limits, parse};
use crate::train::models::{self, Mode, Shape};
use crate::train::params::Params;
use crate::train::trace;

const CIFAR: Shape = Shape { channels: 3, rows: 32, columns: 32, classes: 10 };
const MNIST: Shape = Shape { channels: 1, rows: 28, columns: 28, classes: 10 };

/// Model, settings, shape, trained numbers.
const SIZES: [(&str, &str, Shape, u64); 6] = [
    ("ffnn", "hidden: [256, 128]", MNIST, 235_146),
    ("cnn", "channels: [32, 64]", MNIST, 50_186),
    ("rnn", "hidden: 256", MNIST, 207_370),
    ("gru", "layers: 2", MNIST, 616_970),
    ("lstm", "{}", MNIST, 821_770),
    ("resnet18", "{}", CIFAR, 11_173_962),
];

/// Multiplications with an addition, for one image.
const MACS: [(&str, usize); 3] = [("ffnn", 234_752), ("cnn", 3_869_824), ("resnet18", 555_422_720)];

#[test]
fn sizes_and_shapes_are_those_of_the_literature() {
    for (name, settings, shape, expected) in SIZES {
        let settings = parse(settings.as_bytes(), Limits::default()).unwrap().unwrap();
        let mut params = Params::new(0);
        let model = models::build(name, &settings, &mut params, shape).unwrap();
        assert_eq!(params.count(), expected, "{name}");
        let images = Tensor::zeros([3, shape.channels, shape.rows, shape.columns], (Kind::Float, Device::Cpu));
        assert_eq!(model.forward(&images, Mode::Eval).size(), [3, shape.classes], "{name}");
    }
}

#[test]
fn the_work_for_one_image_is_counted() {
    for (name, macs) in MACS {
        let (_, settings, shape, params) = SIZES.into_iter().find(|(tested, ..)| *tested == name).unwrap();
        let settings = parse(settings.as_bytes(), Limits::default()).unwrap().unwrap();
        let model = models::build(name, &settings, &mut Params::new(0), shape).unwrap();
        let image = Tensor::zeros([1, shape.channels, shape.rows, shape.columns], (Kind::Float, Device::Cpu));
        let rows = trace::listen(|| drop(model.forward(&image, Mode::Eval)));
        assert_eq!(rows.iter().map(|row| row.macs).sum::<usize>(), macs, "{name}");
        assert_eq!(rows.iter().map(|row| row.params as u64).sum::<u64>(), params, "{name}");
    }
}

#[test]
fn every_parameter_learns() {
    tch::set_num_threads(1);
    for (name, settings, shape, _) in SIZES {
        let settings = parse(settings.as_bytes(), Limits::default()).unwrap().unwrap();
        let mut params = Params::new(0);
        let model = models::build(name, &settings, &mut params, shape).unwrap();
        let joined = params.join(Device::Cpu);
        let values: Vec<f32> = (0..4 * shape.pixels()).map(|i| (i as f32 * 0.37).sin()).collect();
        let images = Tensor::from_slice(&values).view([4, shape.channels, shape.rows, shape.columns]);
        let loss = model.loss(&images, &Tensor::from_slice(&[1i64, 2, 3, 4]));
        let gradients = Tensor::run_backward(&[&loss], &joined.leaves, false, false);
        for ((parameter, _), gradient) in params.parameters().zip(&gradients) {
            assert!(gradient.abs().sum(Kind::Float).double_value(&[]) > 0.0, "{name}: {parameter} does not learn");
        }
    }
}

#[test]
fn every_model_of_the_list_is_tested_here() {
    for name in models::NAMES {
        assert!(SIZES.iter().any(|(tested, ..)| tested == name), "{name} has no line in SIZES");
    }
}

#[test]
fn every_model_has_its_yaml_and_every_yaml_its_model() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/model");
    let defaults = |text: &str| read(text.as_bytes(), "model.yaml").unwrap();
    for name in models::NAMES {
        let file = folder.join(format!("{name}.yaml"));
        let text = std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("{name} has no {}", file.display()));
        let (Value::Map(written), expected) = (defaults(&text), defaults(&models::yaml(name))) else {
            panic!("{name}")
        };
        for (key, value) in written.iter() {
            assert_eq!(Some(value), expected.get(&key.to_string()), "{name}.{key}: the default is another");
        }
    }
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(models::NAMES.contains(&name), "{} has no model", path.display());
    }
}

#[test]
fn an_unknown_model_is_named_with_the_nearest() {
    let settings = parse(b"{}", Limits::default()).unwrap().unwrap();
    let error = models::build("ffn", &settings, &mut Params::new(0), MNIST).err().unwrap();
    assert!(error.hint.unwrap().contains("`ffnn`"));
}
