//! `git-ar-train describe`: what a model is made of.

use serde::Serialize;
use tch::{Device, Kind, Tensor};

use super::cli::no_such_model;
use super::models::{self, Mode, NAMES};
use super::params::Params;
use super::trace::{self, Row};
use crate::state::problem::Problem;

/// A model with its default settings.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    /// Its name.
    pub model: &'static str,
    /// One image: channels, rows, columns.
    pub input: [i64; 3],
    /// Its layers in the order of the work.
    pub layers: Vec<Row>,
    /// Trained numbers.
    pub params: u64,
    /// Multiplications with an addition, for one image.
    pub macs: u64,
    /// `configs/model/NAME.yaml`.
    pub yaml: String,
}

/// The descriptions of one model, or of all.
pub fn describe(name: Option<&str>) -> Result<Vec<Description>, Problem> {
    let chosen: Vec<&'static str> = NAMES.iter().copied().filter(|n| name.is_none_or(|name| name == *n)).collect();
    match (name, chosen.is_empty()) {
        (Some(name), true) => Err(no_such_model(name)),
        _ => Ok(chosen.into_iter().map(of).collect()),
    }
}

fn of(model: &'static str) -> Description {
    let shape = models::usual_shape(model);
    let mut params = Params::new(0);
    let built = models::usual(model, &mut params, shape);
    let image = Tensor::zeros([1, shape.channels, shape.rows, shape.columns], (Kind::Float, Device::Cpu));
    let layers = trace::listen(|| {
        let _guard = tch::no_grad_guard();
        drop(built.forward(&image, Mode::Eval));
    });
    Description {
        model,
        input: [shape.channels, shape.rows, shape.columns],
        macs: layers.iter().map(|row| row.macs as u64).sum(),
        layers,
        params: params.count(),
        yaml: models::yaml(model),
    }
}

/// As a person reads it; of several models only the totals.
#[must_use]
pub fn text(described: &[Description]) -> String {
    let mut text = String::new();
    if let [one] = described {
        text.push_str(&format!("{} for images of {}\n\n", one.model, shown(&one.input)));
        text.push_str(&line(["layer", "", "output", "trained", "work"]));
        for Row { name, kind, output, params, macs } in &one.layers {
            text.push_str(&line([name, kind, &shown(output), &grouped(*params as u64), &grouped(*macs as u64)]));
        }
        text.push_str(&line(["all", "", "", &grouped(one.params), &grouped(one.macs)]));
        text.push_str("\nWork: multiplications with an addition, for one image.\n");
        text.push_str(&format!("\nconfigs/model/{}.yaml:\n{}", one.model, one.yaml));
        return text;
    }
    text.push_str(&line(["model", "", "input", "trained", "work"]));
    for one in described {
        text.push_str(&line([one.model, "", &shown(&one.input), &grouped(one.params), &grouped(one.macs)]));
    }
    text
}

fn line([name, kind, output, params, macs]: [&str; 5]) -> String {
    format!("{name:<20} {kind:<10} {output:>12} {params:>12} {macs:>13}\n")
}

fn shown(sizes: &[i64]) -> String {
    sizes.iter().map(i64::to_string).collect::<Vec<_>>().join("×")
}

/// A number with its digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|g| std::str::from_utf8(g).ok()).collect();
    groups.join(",")
}
