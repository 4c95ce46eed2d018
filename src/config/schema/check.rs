//! What in a resolved config does not fit the schema.

use super::{Field, KEYS, Shape};
use crate::config::Value;
use crate::config::failure::meant;

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
        (Shape::OneOf(words), Value::Str(text)) if words.contains(&text.as_str()) => {}
        (Shape::OneOf(words), Value::Str(text)) => no(format!("is `{text}`; one of {}", words.join(", "))),
        (Shape::OneOf(words), _) => no(format!("is {}; one of {}", value.kind(), words.join(", "))),
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
        assert_eq!(told(&format!("{GOOD}precision: float64\n")), ["bad-value precision"]);
        assert_eq!(told(&format!("{GOOD}memory_format: 1\nprecision: bfloat16\n")), ["bad-value memory_format"]);
        let near = misfits(&GOOD.replace("adam", "adm")).remove(0).hint.unwrap();
        assert!(near.starts_with("did you mean `adam`?"), "{near}");
    }
}
