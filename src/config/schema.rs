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
//! wandb: {enabled: false, project: null}
//! ```
//!
//! `x-…` keys belong to whoever wrote them. A trainer that is a command of one's own reads what it likes: its
//! configs are composed, not checked.

use serde_json::{Map, Value as Json, json};

use super::Value;
use super::failure::meant;

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

const MODELS: &[(&str, &[Field])] = &[
    (
        "ffnn",
        &[
            may("hidden", Shape::List(0, &Shape::Int(1)), "Units of each hidden layer."),
            may(
                "activation",
                Shape::Text,
                "What follows each hidden layer: relu (unless said), tanh, gelu or sigmoid.",
            ),
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

const STOPPING: &[Field] = &[
    may("metric", Shape::Text, "What must improve; val/accuracy unless said."),
    must("patience", Shape::Int(1), "Epochs without improvement before the end."),
];

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
    may("wandb", Shape::Optional(&Shape::Map(WANDB)), "Weights & Biases."),
    may("tensorboard", Shape::Optional(&Shape::Map(TENSORBOARD)), "TensorBoard."),
    may("project", Shape::Optional(&Shape::Text), "The project that tracked runs are filed under."),
    may("tags", Shape::Optional(&Shape::List(0, &Shape::Text)), "Words to find tracked runs by."),
];

/// One key that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Its dotted path.
    pub path: String,
    /// A word: `unknown-key`, `missing-key` or `bad-value`.
    pub code: &'static str,
    /// One sentence without a full stop.
    pub message: String,
    /// What was meant.
    pub hint: Option<String>,
}

/// Everything in a resolved config that does not fit.
#[must_use]
pub fn check(config: &Value) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    fields(config, "", KEYS, &[], &mut misfits);
    misfits
}

fn fields(value: &Value, path: &str, known: &[Field], also: &[&str], misfits: &mut Vec<Misfit>) {
    let Value::Map(map) = value else {
        return misfits.push(bad(path, format!("is {}, not a mapping", value.kind())));
    };
    let full = |key: &str| if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
    for (key, inner) in map.iter() {
        let name = key.to_string();
        match known.iter().find(|field| field.key == name) {
            Some(field) => shape(inner, &full(&name), field.shape, misfits),
            None if name.starts_with("x-") || also.contains(&name.as_str()) => {}
            None => {
                let keys: Vec<String> =
                    also.iter().copied().chain(known.iter().map(|f| f.key)).map(String::from).collect();
                let message = format!("`{}` is not a key that the trainer knows", full(&name));
                let hint = Some(meant(&name, &keys, "keys"));
                misfits.push(Misfit { path: full(&name), code: "unknown-key", message, hint });
            }
        }
    }
    for field in known.iter().filter(|field| field.required && map.get_str(field.key).is_none()) {
        let message = format!("`{}` is missing", full(field.key));
        misfits.push(Misfit { path: path.to_string(), code: "missing-key", message, hint: Some(field.doc.into()) });
    }
}

fn bad(path: &str, what: String) -> Misfit {
    Misfit { path: path.to_string(), code: "bad-value", message: format!("`{path}` {what}"), hint: None }
}

fn shape(value: &Value, path: &str, wanted: Shape, misfits: &mut Vec<Misfit>) {
    let number = match value {
        Value::Int(n) => Some(*n as f64),
        Value::Float(f) => Some(*f),
        _ => None,
    };
    let mut no = |what: String| misfits.push(bad(path, what));
    match (wanted, value) {
        (_, Value::Str(text)) if text == "???" => no("was never set (???)".into()),
        // An environment variable is known where the run starts.
        (_, Value::Str(text)) if text.contains("${oc.env:") => {}
        (Shape::Optional(_), Value::Null) | (Shape::Bool, Value::Bool(_)) | (Shape::Text, Value::Str(_)) => {}
        (Shape::Optional(inner), _) => shape(value, path, *inner, misfits),
        (Shape::Bool, _) => no(format!("is {}, not true or false", value.kind())),
        (Shape::Text, _) => no(format!("is {}, not text", value.kind())),
        (Shape::Int(least), Value::Int(n)) if *n >= i128::from(least) => {}
        (Shape::Int(least), Value::Int(n)) => no(format!("is {n}; at least {least}")),
        (Shape::Int(_), _) => no(format!("is {}, not an integer", value.kind())),
        (Shape::Above(least), _) => match number {
            Some(n) if n > least && n.is_finite() => {}
            Some(n) => no(format!("is {n}; above {least}")),
            None => no(format!("is {}, not a number", value.kind())),
        },
        (Shape::Within(least, most), _) => match number {
            Some(n) if n >= least && n < most => {}
            Some(n) => no(format!("is {n}; at least {least} and below {most}")),
            None => no(format!("is {}, not a number", value.kind())),
        },
        (Shape::List(count, _), Value::List(items)) if count > 0 && items.len() != count => {
            no(format!("has {} items, not {count}", items.len()));
        }
        (Shape::List(_, item), Value::List(items)) => {
            items.iter().enumerate().for_each(|(i, value)| shape(value, &format!("{path}.{i}"), *item, misfits));
        }
        (Shape::List(..), _) => no(format!("is {}, not a list", value.kind())),
        (Shape::Map(known), _) => fields(value, path, known, &[], misfits),
        (Shape::Named(variants), _) => named(value, path, variants, misfits),
    }
}

fn named(value: &Value, path: &str, variants: &[(&str, &[Field])], misfits: &mut Vec<Misfit>) {
    let names: Vec<String> = variants.iter().map(|(name, _)| (*name).to_string()).collect();
    let Some(name) = value.as_map().and_then(|map| map.get_str("name")).and_then(Value::as_str) else {
        let hint = Some(format!("names: {}", names.join(", ")));
        let message = format!("`{path}` has no `name`");
        return misfits.push(Misfit { path: path.to_string(), code: "missing-key", message, hint });
    };
    match variants.iter().find(|(known, _)| *known == name) {
        Some((_, known)) => fields(value, path, known, &["name"], misfits),
        None => {
            let message = format!("`{path}.name` is `{name}`, which the trainer does not know");
            let hint = Some(meant(name, &names, "names"));
            misfits.push(Misfit { path: format!("{path}.name"), code: "bad-value", message, hint });
        }
    }
}

/// JSON Schema of a config file of an experiment. Every key may be absent there: it can come from another file.
#[must_use]
pub fn json() -> Json {
    let mut schema = object(KEYS, &[]);
    let properties = schema["properties"].as_object_mut().expect("an object schema has properties");
    let text = json!({"type": ["string", "null", "array"]});
    let entry =
        json!({"anyOf": [{"type": "string"}, {"type": "object", "maxProperties": 1, "additionalProperties": text}]});
    properties.insert(
        "defaults".into(),
        json!({"description": "What this config starts from.", "type": "array", "items": entry}),
    );
    properties.insert(
        "hydra".into(),
        json!({"description": "Hydra's settings, such as hydra.sweeper.params.", "type": "object"}),
    );
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Experiment");
    schema["description"] = json!("A config of an experiment: configs/experiment/NAME.yaml.");
    schema
}

fn object(known: &[Field], names: &[&str]) -> Json {
    let mut properties = Map::new();
    if !names.is_empty() {
        properties.insert("name".into(), json!({"description": "Which one it is.", "enum": names}));
    }
    for field in known {
        let mut schema = shape_json(field.shape);
        schema["description"] = json!(field.doc);
        properties.insert(field.key.into(), schema);
    }
    json!({"type": "object", "properties": properties, "patternProperties": {"^x-": true}, "additionalProperties": false})
}

/// A value of this shape, or text with an interpolation in it.
fn shape_json(wanted: Shape) -> Json {
    let plain = match wanted {
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Int(least) => json!({"type": "integer", "minimum": least}),
        Shape::Above(least) => json!({"type": "number", "exclusiveMinimum": least}),
        Shape::Within(least, most) if most.is_finite() => {
            json!({"type": "number", "minimum": least, "exclusiveMaximum": most})
        }
        Shape::Within(least, _) => json!({"type": "number", "minimum": least}),
        Shape::Text => return json!({"type": "string"}),
        Shape::List(0, item) => json!({"type": "array", "items": shape_json(*item)}),
        Shape::List(count, item) => {
            json!({"type": "array", "items": shape_json(*item), "minItems": count, "maxItems": count})
        }
        Shape::Optional(inner) => {
            let inner = shape_json(*inner);
            return json!({"anyOf": [{"type": "null"}, inner]});
        }
        Shape::Map(known) => object(known, &[]),
        Shape::Named(variants) => {
            let one = |(name, known): &(&str, &[Field])| object(known, &[name]);
            json!({"anyOf": variants.iter().map(one).collect::<Vec<_>>()})
        }
    };
    let interpolation = json!({"type": "string", "pattern": "\\$\\{"});
    json!({"anyOf": [plain, interpolation]})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read;

    const GOOD: &str = "epochs: 2\nbatch_size: 8\ndataset: {name: digits}\nmodel: {name: ffnn, hidden: [8]}\n\
                        optimizer: {name: adam, lr: 1e-3}\n";

    fn misfits(text: &str) -> Vec<Misfit> {
        check(&read(text.as_bytes(), "c.yaml").unwrap())
    }

    #[test]
    fn a_good_config_fits() {
        assert_eq!(misfits(GOOD), []);
        assert_eq!(misfits(&format!("{GOOD}x-mine: 1\nseed: ${{oc.env:SEED}}\nschedule: null\n")), []);
    }

    #[test]
    fn what_does_not_fit_is_told_by_path() {
        let told = |text: &str| misfits(text).into_iter().map(|m| format!("{} {}", m.code, m.path)).collect::<Vec<_>>();
        assert_eq!(told(&GOOD.replace("hidden", "hiden")), ["unknown-key model.hiden"]);
        assert_eq!(told(&GOOD.replace("[8]", "[8, 0]")), ["bad-value model.hidden.1"]);
        assert_eq!(told(&GOOD.replace("lr: 1e-3", "lr: -1")), ["bad-value optimizer.lr"]);
        assert_eq!(told(&GOOD.replace("adam", "adm")), ["bad-value optimizer.name"]);
        assert_eq!(told(&GOOD.replace("epochs: 2\n", "")), ["missing-key "]);
        assert_eq!(told(&GOOD.replace("epochs: 2", "epochs: '2'")), ["bad-value epochs"]);
        let near = misfits(&GOOD.replace("adam", "adm")).remove(0).hint.unwrap();
        assert!(near.starts_with("did you mean `adam`?"), "{near}");
    }

    #[test]
    fn the_json_schema_describes_every_key() {
        let schema = json();
        for field in KEYS {
            assert!(schema["properties"][field.key]["description"].is_string(), "{}", field.key);
        }
        assert_eq!(schema["additionalProperties"], false);
    }
}
