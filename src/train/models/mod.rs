//! The models: one file each, one word each in the list below, one YAML each in `configs/model`.

mod rows;

use tch::{Kind, Reduction, Tensor};

use super::params::Params;
use crate::state::text::nearest;
use crate::state::yaml::{Error, Node, Pos, Value, from_node, to_string};

/// Whether a model is being trained or looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Training: batch statistics, dropout.
    Train,
    /// Evaluation.
    Eval,
}

/// What goes in and what comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Channels of an image.
    pub channels: i64,
    /// Rows of an image.
    pub rows: i64,
    /// Columns of an image.
    pub columns: i64,
    /// Classes to tell apart.
    pub classes: i64,
}

impl Shape {
    /// Numbers of one image.
    #[must_use]
    pub fn pixels(&self) -> i64 {
        self.channels * self.rows * self.columns
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}×{}×{}", self.channels, self.rows, self.columns)
    }
}

/// A network with its loss.
pub trait Model {
    /// Images (B, channels, rows, columns) -> one score per class (B, classes), in the kind of the images.
    fn forward(&self, x: &Tensor, mode: Mode) -> Tensor;

    /// The mean loss of a batch in training; y: (B) class numbers. Cross-entropy unless the model says otherwise.
    fn loss(&self, x: &Tensor, y: &Tensor) -> Tensor {
        let scores = self.forward(x, Mode::Train).to_kind(Kind::Float);
        scores.cross_entropy_loss(y, None::<&Tensor>, Reduction::Mean, -100, 0.0)
    }
}

macro_rules! models {
    ($($name:ident)*) => {
        $(pub mod $name;)*

        /// Every model's name.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// The model that `name` and its settings describe, for data of this shape.
        pub fn build(name: &str, settings: &Node, params: &mut Params, shape: Shape) -> Result<Box<dyn Model>, Error> {
            match name {
                $(stringify!($name) => {
                    let config = from_node::<$name::Config>(settings)?;
                    Ok(Box::new($name::new(params, &config, shape).map_err(|message| Error::at(settings.pos, message))?))
                })*
                _ => Err(unknown("model", name, NAMES, settings)),
            }
        }

        /// The YAML of a model with its default settings, as `configs/model` has it; empty for a name in no list.
        #[must_use]
        pub fn yaml(name: &str) -> String {
            match name {
                $(stringify!($name) => {
                    let config: $name::Config = from_node(&no_settings()).expect("every setting has a default");
                    format!("name: {name}\n{}", to_string(&config))
                })*
                _ => String::new(),
            }
        }
    };
}

models! { ffnn cnn rnn gru lstm resnet18 }

/// A model of the list with its default settings.
pub fn usual(name: &str, params: &mut Params, shape: Shape) -> Box<dyn Model> {
    build(name, &no_settings(), params, shape).expect("the defaults of a listed model fit its usual images")
}

/// The images that a model is usually trained on: CIFAR-10's for residual networks, MNIST's for the others.
#[must_use]
pub fn usual_shape(name: &str) -> Shape {
    match name {
        "resnet18" => Shape { channels: 3, rows: 32, columns: 32, classes: 10 },
        _ => Shape { channels: 1, rows: 28, columns: 28, classes: 10 },
    }
}

fn no_settings() -> Node {
    Node { pos: Pos::default(), tag: None, value: Value::Map(Vec::new()) }
}

/// The error for a name that is in no list.
pub(super) fn unknown(what: &str, name: &str, names: &[&str], at: &Node) -> Error {
    let error = Error::at(at.pos, format!("no {what} is named `{name}`"));
    error.hinted(match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("{what}s: {}", names.join(", ")),
    })
}
