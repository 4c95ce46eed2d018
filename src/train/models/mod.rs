//! The models: one file each, one word each in the list below, one YAML each in `configs/model`.

use tch::{Reduction, Tensor};

use super::params::Params;
use crate::state::text::nearest;
use crate::state::yaml::{Error, Node, from_node};

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
    /// Images (B, channels, rows, columns) -> one score per class (B, classes).
    fn forward(&self, x: &Tensor, mode: Mode) -> Tensor;

    /// The mean loss of a batch in training; y: (B) class numbers. Cross-entropy unless the model says otherwise.
    fn loss(&self, x: &Tensor, y: &Tensor) -> Tensor {
        self.forward(x, Mode::Train).cross_entropy_loss(y, None::<&Tensor>, Reduction::Mean, -100, 0.0)
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
    };
}

models! { ffnn cnn rnn gru lstm resnet18 }

/// The error for a name that is in no list.
pub(super) fn unknown(what: &str, name: &str, names: &[&str], at: &Node) -> Error {
    let error = Error::at(at.pos, format!("no {what} is named `{name}`"));
    error.hinted(match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("{what}s: {}", names.join(", ")),
    })
}
