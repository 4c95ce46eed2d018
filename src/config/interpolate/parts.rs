//! What a text with interpolations is made of.

use crate::config::value::Value;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// Literal characters, escapes already undone.
    Text(String),
    /// An interpolation.
    Inter(Inter),
}

/// An interpolation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Inter {
    /// `${.a.b}`: a path into the config, with the number of leading dots.
    Node {
        /// Leading dots; 0 is absolute.
        dots: usize,
        /// The steps.
        steps: Vec<Step>,
    },
    /// `${name:args}`.
    Resolver {
        /// The parts of the name between its dots.
        name: Vec<Name>,
        /// The arguments.
        args: Vec<Element>,
    },
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// Written as `[key]`.
    pub(crate) bracket: bool,
    /// The key.
    pub(crate) key: Name,
}

/// A word that may itself be an interpolation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Name {
    /// As written.
    Plain(String),
    /// To be looked up first.
    Inter(Box<Inter>),
}

/// An argument of a resolver.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Element {
    /// A single word with a type.
    Value(Value),
    /// Several words, joined as text.
    Text(Vec<Part>),
    /// One interpolation, whose value keeps its type.
    Inter(Inter),
    /// `'…'` or `"…"`: always text.
    Quoted(Vec<Part>),
    /// `[…]`.
    List(Vec<Element>),
    /// `{…}`.
    Map(Vec<(Value, Element)>),
    /// Nothing between two commas: the empty text.
    Empty,
}
