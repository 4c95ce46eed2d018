//! The typed schema of an experiment's config: the keys that the built-in trainers read, their types and ranges.
//!
//! One table, [`KEYS`], is what configs are checked against ([`check`]) and what `git ar schema experiment` prints
//! ([`json`]). A resolved config looks like this:
//!
//! ```yaml
//! seed: 0
//! epochs: 50
//! batch_size: 128
//! dataset: {name: mnist, dir: /data, normalize: true}
//! model: {name: ffnn, hidden: [256, 128]}
//! optimizer: {name: adam, lr: 0.001, betas: [0.9, 0.999], eps: 1.0e-08, weight_decay: 0.0}
//! schedule: {name: constant}
//! grad_clip: null
//! early_stopping: null
//! device: auto
//! precision: float32
//! memory_format: auto
//! wandb: {enabled: false, project: null}
//! ```
//!
//! `x-…` keys belong to whoever wrote them. A trainer that is a command of one's own reads what it likes: its
//! configs are composed, not checked.

mod check;
mod json;

pub use check::{Misfit, check};
pub use json::json;

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// `true` or `false`.
    Bool,
    /// An integer of at least this.
    Int(i64),
    /// A number above this.
    Above(f64),
    /// A number of at least the first, below the second.
    Within(f64, f64),
    /// Text.
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list of this many items (any number where 0).
    List(usize, &'static Shape),
    /// Null, or something.
    Optional(&'static Shape),
    /// A mapping with these keys.
    Map(&'static [Field]),
    /// A mapping whose `name` says which keys it has.
    Named(&'static [(&'static str, &'static [Field])]),
}

/// A key of a mapping.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The key.
    pub key: &'static str,
    /// What it may hold.
    pub shape: Shape,
    /// Whether a config must have it.
    pub required: bool,
    /// What it means.
    pub doc: &'static str,
}

const fn must(key: &'static str, shape: Shape, doc: &'static str) -> Field {
    Field { key, shape, required: true, doc }
}

const fn may(key: &'static str, shape: Shape, doc: &'static str) -> Field {
    Field { key, shape, required: false, doc }
}

const DIR: Field = may("dir", Shape::Optional(&Shape::Text), "The folder of its files, or the folder above it.");
const NORMALIZE: Field = may("normalize", Shape::Bool, "Bring the pixels to mean 0 and deviation 1.");
const AUGMENT: Field = may("augment", Shape::Bool, "Random crops with a border of 4, and flips.");
const DECAY: Field = may("weight_decay", Shape::Within(0.0, f64::INFINITY), "Pull of the weights towards 0.");

const DATASETS: &[(&str, &[Field])] = &[
    ("mnist", &[DIR, NORMALIZE, AUGMENT]),
    ("cifar10", &[DIR, NORMALIZE, AUGMENT]),
    ("digits", &[DIR, NORMALIZE, AUGMENT]),
];

const RECURRENT: &[Field] =
    &[may("hidden", Shape::Int(1), "Cells of each layer."), may("layers", Shape::Int(1), "Layers.")];

const ACTIVATIONS: &[&str] = &["relu", "tanh", "gelu", "sigmoid"];

const MODELS: &[(&str, &[Field])] = &[
    (
        "ffnn",
        &[
            may("hidden", Shape::List(0, &Shape::Int(1)), "Units of each hidden layer."),
            may("activation", Shape::OneOf(ACTIVATIONS), "What follows each hidden layer; relu unless said."),
        ],
    ),
    (
        "cnn",
        &[
            may("channels", Shape::List(2, &Shape::Int(1)), "Channels of the two convolutions."),
            may("kernel", Shape::Int(1), "Rows and columns of a kernel, an odd number."),
        ],
    ),
    (
        "resnet18",
        &[
            may("width", Shape::Int(1), "Channels of the stem and of the first stage."),
            may("blocks", Shape::List(4, &Shape::Int(1)), "Blocks of each stage."),
        ],
    ),
    ("rnn", RECURRENT),
    ("gru", RECURRENT),
    ("lstm", RECURRENT),
];

const ADAM: &[Field] = &[
    must("lr", Shape::Above(0.0), "Learning rate."),
    may("betas", Shape::List(2, &Shape::Within(0.0, 1.0)), "Decay of the two moments."),
    may("eps", Shape::Above(0.0), "Keeps the division finite."),
    DECAY,
];

const OPTIMIZERS: &[(&str, &[Field])] = &[
    ("adam", ADAM),
    // Weight decay apart from the gradient.
    ("adamw", ADAM),
    (
        "sgd",
        &[
            must("lr", Shape::Above(0.0), "Learning rate."),
            may("momentum", Shape::Within(0.0, 1.0), "Share of the last step that is kept."),
            may("nesterov", Shape::Bool, "Look ahead along the momentum."),
            DECAY,
        ],
    ),
];

const WARMUP: Field = may("warmup", Shape::Int(0), "Epochs in which the rate rises to its full height first.");

const SCHEDULES: &[(&str, &[Field])] = &[
    ("constant", &[WARMUP]),
    (
        "cosine",
        &[
            may("t_max", Shape::Optional(&Shape::Int(1)), "Epochs to the end of the cosine; all where null."),
            may("eta_min", Shape::Within(0.0, f64::INFINITY), "The learning rate there."),
            WARMUP,
        ],
    ),
    (
        "step",
        &[
            must("step_size", Shape::Int(1), "Epochs between two steps."),
            may("gamma", Shape::Within(0.0, f64::INFINITY), "The rate's factor at each step; 0.1 unless said."),
            WARMUP,
        ],
    ),
];

const SERIES: &[&str] = &["val/accuracy", "val/loss", "train/loss"];

const STOPPING: &[Field] = &[
    may("metric", Shape::OneOf(SERIES), "What must improve; val/accuracy unless said."),
    must("patience", Shape::Int(1), "Epochs without improvement before the end."),
];

const PRECISIONS: &[&str] = &["float32", "bfloat16", "float16"];
const FORMATS: &[&str] = &["auto", "contiguous", "channels_last"];

const WANDB: &[Field] = &[
    may("enabled", Shape::Bool, "Whether runs are tracked there."),
    may("project", Shape::Optional(&Shape::Text), "The project there."),
    may("entity", Shape::Optional(&Shape::Text), "The account or team there."),
    may("mode", Shape::Optional(&Shape::Text), "`offline` where the node has no internet."),
];

const TENSORBOARD: &[Field] = &[may("enabled", Shape::Bool, "Whether event files are written.")];

/// The keys of a config.
pub const KEYS: &[Field] = &[
    may("seed", Shape::Int(0), "The seed; a run gives its own."),
    must("epochs", Shape::Int(1), "Passes over the training images."),
    must("batch_size", Shape::Int(1), "Images per step."),
    must("dataset", Shape::Named(DATASETS), "The images."),
    must("model", Shape::Named(MODELS), "The network."),
    must("optimizer", Shape::Named(OPTIMIZERS), "How the weights follow the gradient."),
    may("schedule", Shape::Optional(&Shape::Named(SCHEDULES)), "How the learning rate changes from epoch to epoch."),
    may("grad_clip", Shape::Optional(&Shape::Above(0.0)), "Greatest norm of the whole gradient."),
    may("early_stopping", Shape::Optional(&Shape::Map(STOPPING)), "When to stop before the last epoch."),
    may("device", Shape::Text, "`auto`, `cpu`, `cuda` or `cuda:N`."),
    may("precision", Shape::OneOf(PRECISIONS), "What layers compute in; float32 unless said. Weights stay float32."),
    may("memory_format", Shape::OneOf(FORMATS), "How images lie in memory; auto unless said."),
    may("wandb", Shape::Optional(&Shape::Map(WANDB)), "Weights & Biases."),
    may("tensorboard", Shape::Optional(&Shape::Map(TENSORBOARD)), "TensorBoard."),
    may("project", Shape::Optional(&Shape::Text), "The project that tracked runs are filed under."),
    may("tags", Shape::Optional(&Shape::List(0, &Shape::Text)), "Words to find tracked runs by."),
];
