//! Every precision and memory format on a processor: what they compute, what a checkpoint holds, how a training goes on.

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use tch::{Device, Kind, Tensor};

use super::{DIGITS, Scene, timeless};
use crate::state::yaml::{Limits, parse};
use crate::train::fit::End;
use crate::train::models::{self, Mode, Shape};
use crate::train::params::Params;
use crate::train::precision::{MemoryFormat, Numerics, Precision};

const SHAPE: Shape = Shape { channels: 3, rows: 8, columns: 8, classes: 10 };
/// Small models of every kind of layer.
const MODELS: [(&str, &str); 6] = [
    ("ffnn", "hidden: [16]"),
    ("cnn", "channels: [4, 6]"),
    ("rnn", "hidden: 12"),
    ("gru", "hidden: 12"),
    ("lstm", "hidden: 12"),
    ("resnet18", "{width: 4, blocks: [1, 1, 1, 1]}"),
];

/// Scores, loss and gradients of a model on made-up images.
fn step(model: &str, settings: &str, precision: Precision, format: MemoryFormat) -> (Tensor, f64, Vec<Tensor>) {
    tch::set_num_threads(1);
    let settings = parse(settings.as_bytes(), Limits::default()).unwrap().unwrap();
    let mut params = Params::new(0);
    let model = models::build(model, &settings, &mut params, SHAPE).unwrap();
    let model = Numerics::new(precision, format, Device::Cpu, &params).around(model);
    let leaves = params.join(Device::Cpu).leaves;
    let numbers: Vec<f32> = (0..8 * SHAPE.pixels()).map(|i| (i as f32 * 0.37).sin()).collect();
    let x = Tensor::from_slice(&numbers).view([8, SHAPE.channels, SHAPE.rows, SHAPE.columns]);
    let loss = model.loss(&x, &Tensor::from_slice(&[0i64, 1, 2, 3, 4, 5, 6, 7]));
    let gradients = Tensor::run_backward(&[&loss], &leaves, false, false);
    (model.forward(&x, Mode::Eval).detach(), loss.double_value(&[]), gradients)
}

/// How far two tensors are apart, beside the size of the first.
fn apart(a: &Tensor, b: &Tensor) -> f64 {
    ((a - b).norm() / a.norm()).double_value(&[])
}

#[test]
fn channels_last_images_give_the_same_losses_and_gradients() {
    for (model, settings) in MODELS {
        let (scores, loss, gradients) = step(model, settings, Precision::Float32, MemoryFormat::Contiguous);
        let turned = step(model, settings, Precision::Float32, MemoryFormat::ChannelsLast);
        assert!((loss - turned.1).abs() < 1e-5 && apart(&scores, &turned.0) < 1e-4, "{model}");
        for (one, other) in gradients.iter().zip(&turned.2) {
            assert!(apart(one, other) < 1e-3, "{model}: {}", apart(one, other));
        }
    }
}

#[test]
fn below_float32_scores_are_near_and_gradients_are_float32() {
    for (model, settings) in MODELS {
        let (scores, loss, gradients) = step(model, settings, Precision::Float32, MemoryFormat::Auto);
        let rounded = step(model, settings, Precision::Bfloat16, MemoryFormat::Auto);
        let far = apart(&scores, &rounded.0);
        assert!((1e-6..0.1).contains(&far) && (loss - rounded.1).abs() < 0.05, "{model}: {far} {}", rounded.1);
        assert_eq!(rounded.0.kind(), Kind::Float, "{model}");
        for (one, other) in gradients.iter().zip(&rounded.2) {
            assert_eq!(other.kind(), Kind::Float, "{model}");
            assert!(apart(one, other) < 0.5, "{model}: {}", apart(one, other));
        }
    }
}

#[test]
fn images_lie_pixel_by_pixel_where_that_is_asked_for() {
    struct Look;
    impl models::Model for Look {
        fn forward(&self, x: &Tensor, _: Mode) -> Tensor {
            Tensor::from_slice(&x.stride())
        }
    }
    let images = Tensor::zeros([2, 1, 5, 4], (Kind::Float, Device::Cpu));
    let strides = |format| {
        let numerics = Numerics::new(Precision::Float32, format, Device::Cpu, &Params::new(0));
        Vec::<i64>::try_from(numerics.around(Box::new(Look)).forward(&images, Mode::Eval).to_kind(Kind::Int64)).unwrap()
    };
    assert_eq!(strides(MemoryFormat::ChannelsLast), [20, 1, 4, 1]);
    assert_eq!(strides(MemoryFormat::Auto), [20, 20, 4, 1]);
}

#[test]
fn channels_lie_last_by_themselves_only_where_that_helps() {
    let chosen = |device, precision, kernels: &[i64]| {
        let mut params = Params::new(0);
        let _ = params.uniform("weight", kernels, 1.0);
        Numerics::new(precision, MemoryFormat::Auto, device, &params).channels_last
    };
    assert!(chosen(Device::Cuda(0), Precision::Float16, &[2, 3, 3, 3]));
    assert!(chosen(Device::Cuda(0), Precision::Bfloat16, &[2, 3, 3, 3]));
    assert!(!chosen(Device::Cuda(0), Precision::Bfloat16, &[2, 3]));
    assert!(!chosen(Device::Cuda(0), Precision::Float32, &[2, 3, 3, 3]));
    assert!(!chosen(Device::Cpu, Precision::Bfloat16, &[2, 3, 3, 3]));
}

#[test]
fn it_learns_in_every_precision_and_says_in_which() {
    for precision in [Precision::Float32, Precision::Bfloat16, Precision::Float16] {
        let config = DIGITS.replace("epochs: 3", "epochs: 8");
        let scene = Scene::new(&format!("{config}precision: {}\n", precision.name()));
        let metrics = scene.finish(0);
        assert!(metrics.metrics["val/accuracy"].last > 0.85, "{precision:?}: {:?}", metrics.metrics);
        assert_eq!(metrics.hardware.precision.as_deref(), Some(precision.name()));
        let bytes = std::fs::read(scene.seed_dir(0).join("checkpoint.safetensors")).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let weights = file.tensors();
        let of_the_model = || weights.iter().filter(|(name, _)| name.starts_with("model."));
        assert!(of_the_model().count() == 4 && of_the_model().all(|(_, weight)| weight.dtype() == Dtype::F32));
        assert_eq!(weights.iter().any(|(name, _)| name == "scale"), precision == Precision::Float16);
    }
}

#[test]
fn going_on_gives_the_numbers_of_an_unbroken_training_in_every_precision() {
    let convolutional = DIGITS.replace("ffnn, hidden: [32]", "cnn, channels: [4, 6]").replace("epochs: 3", "epochs: 2");
    for config in [
        format!("{convolutional}precision: bfloat16\nmemory_format: channels_last\n"),
        format!("{DIGITS}precision: float16\n"),
    ] {
        let unbroken = timeless(Scene::new(&config).finish(3));
        let scene = Scene::new(&config);
        for steps in [7, 21] {
            assert!(matches!(scene.fit(&scene.task(3), Some(steps)), Ok(End::Stopped)));
        }
        assert_eq!(timeless(scene.finish(3)), unbroken, "{config}");
    }
}

#[test]
fn float16_is_refused_without_a_gpu() {
    assert!(Precision::Float16.check(Device::Cpu).unwrap_err().hint.unwrap().contains("bfloat16"));
    assert!(Precision::Float16.check(Device::Cuda(0)).is_ok() && Precision::Bfloat16.check(Device::Cpu).is_ok());
}
