//! The schemas say what the readers do: an example of every file fits its schema, and what the reader refuses does not.
//!
//! The validator here knows the few keywords that the schemas use and fails on any other, so none is passed over.

use git_ar::ops::schema::{SCHEMAS, schema};
use git_ar::state::yaml;
use serde_json::{Map, Value, json};

/// What is wrong with a value, as a JSON pointer and a reason; empty when it fits.
fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let Some(rules) = schema.as_object() else {
        return if schema == &json!(true) { vec![] } else { vec![format!("{at}: nothing may be here")] };
    };
    rules.iter().flat_map(|(word, rule)| keyword(root, rules, word, rule, value, at)).collect()
}

fn keyword(root: &Value, all: &Map<String, Value>, word: &str, rule: &Value, value: &Value, at: &str) -> Vec<String> {
    let wrong = |is_wrong: bool, why: &str| if is_wrong { vec![format!("{at}: {why} {rule}")] } else { vec![] };
    let number = |rule: &Value| rule.as_f64().unwrap();
    match word {
        "$schema" | "$defs" | "title" | "description" | "default" | "format" | "patternProperties" => vec![],
        "$ref" => {
            let target = root.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap();
            check(root, target, value, at)
        }
        "type" => {
            let types: Vec<&Value> = rule.as_array().map_or(vec![rule], |l| l.iter().collect());
            wrong(!types.iter().any(|t| is(value, t.as_str().unwrap())), "is not")
        }
        "const" => wrong(value != rule, "is not"),
        "enum" => wrong(!rule.as_array().unwrap().contains(value), "is none of"),
        "minimum" => wrong(value.as_f64().is_some_and(|v| v < number(rule)), "is below"),
        "maximum" => wrong(value.as_f64().is_some_and(|v| v > number(rule)), "is above"),
        "exclusiveMinimum" => wrong(value.as_f64().is_some_and(|v| v <= number(rule)), "is not above"),
        "exclusiveMaximum" => wrong(value.as_f64().is_some_and(|v| v >= number(rule)), "is not below"),
        "maxProperties" => wrong(value.as_object().is_some_and(|m| (m.len() as f64) > number(rule)), "is larger than"),
        "minItems" => wrong(value.as_array().is_some_and(|l| (l.len() as f64) < number(rule)), "is shorter than"),
        "maxItems" => wrong(value.as_array().is_some_and(|l| (l.len() as f64) > number(rule)), "is longer than"),
        "pattern" => wrong(value.as_str().is_some_and(|text| !fits(rule.as_str().unwrap(), text)), "does not fit"),
        "minLength" => wrong(value.as_str().is_some_and(|t| (t.len() as f64) < number(rule)), "is shorter than"),
        "items" => {
            let items = value.as_array().into_iter().flatten().enumerate();
            items.flat_map(|(i, item)| check(root, rule, item, &format!("{at}/{i}"))).collect()
        }
        "required" => {
            let missing = |key: &Value| value.as_object().is_some_and(|m| !m.contains_key(key.as_str().unwrap()));
            wrong(rule.as_array().unwrap().iter().any(missing), "lacks one of")
        }
        "properties" => {
            let known = rule.as_object().unwrap().iter();
            known
                .filter_map(|(key, below)| Some(check(root, below, value.get(key)?, &format!("{at}/{key}"))))
                .flatten()
                .collect()
        }
        "additionalProperties" => {
            others(all, value).flat_map(|(key, below)| check(root, rule, below, &format!("{at}/{key}"))).collect()
        }
        "anyOf" | "oneOf" => {
            let fitting = rule.as_array().unwrap().iter().filter(|s| check(root, s, value, at).is_empty()).count();
            wrong(if word == "anyOf" { fitting == 0 } else { fitting != 1 }, "fits the wrong number of")
        }
        _ => panic!("the schemas use `{word}`, which this validator does not know"),
    }
}

/// The entries of an object that no property and no pattern covers.
fn others<'a>(rules: &'a Map<String, Value>, value: &'a Value) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let known = |key: &str| rules.get("properties").is_some_and(|p| p.get(key).is_some());
    let own = rules.contains_key("patternProperties");
    value.as_object().into_iter().flatten().filter(move |(key, _)| !(known(key) || own && key.starts_with("x-")))
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => panic!("type {kind}"),
    }
}

/// Whether a text fits one of the patterns in use, each stated here once more as code.
fn fits(pattern: &str, text: &str) -> bool {
    let tail = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    match pattern {
        "^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$" => git_ar::state::ids::Slug::try_from(text).is_ok(),
        "^[1-9][0-9]*[a-z]?$" => text.parse::<git_ar::state::ids::IterId>().is_ok(),
        "^[a-z]([A-Za-z0-9_-]{0,118}[A-Za-z0-9_])?$" => {
            text.starts_with(|c: char| c.is_ascii_lowercase()) && tail(text)
        }
        "^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$" => text.parse::<git_ar::state::entities::Seeds>().is_ok(),
        "^(valid|converged|seeds >= [1-9][0-9]*)$" => {
            text == "valid" || text == "converged" || text.starts_with("seeds >= ")
        }
        r"\$\{" => text.contains("${"),
        _ => panic!("the schemas use the pattern `{pattern}`, which this test does not know"),
    }
}

/// An example file as JSON, read as an editor would read it.
fn example(name: &str) -> Value {
    let path =
        |ext: &str| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/state/{name}.{ext}"));
    if let Ok(text) = std::fs::read_to_string(path("json")) {
        return serde_json::from_str(&text).unwrap();
    }
    let text = std::fs::read_to_string(path("yaml")).unwrap_or_else(|_| panic!("no tests/data/state/{name}.yaml"));
    json_of(&yaml::parse(text.as_bytes(), yaml::Limits::default()).unwrap().unwrap())
}

fn json_of(node: &yaml::Node) -> Value {
    match &node.value {
        yaml::Value::Map(entries) => {
            entries.iter().map(|(k, v)| (k.text().unwrap().to_string(), json_of(v))).collect::<Map<_, _>>().into()
        }
        yaml::Value::List(items) => items.iter().map(json_of).collect::<Vec<_>>().into(),
        yaml::Value::Scalar { text, plain: true } => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
        }
        yaml::Value::Scalar { text, .. } => Value::String(text.clone()),
    }
}

#[test]
fn an_example_of_every_file_fits() {
    for entry in &SCHEMAS {
        let schema = schema(entry.name).unwrap();
        assert_eq!(check(&schema, &schema, &example(entry.name), ""), Vec::<String>::new(), "{}", entry.name);
    }
}

#[test]
fn what_a_reader_refuses_does_not_fit() {
    for (name, at, value) in [
        ("settings", "/trainer", json!("pytorch")),
        ("settings", "/brnach", json!("main")),
        ("iteration", "/phase", json!("experimnt")),
        ("iteration", "/plan/0/seeds", json!("a few")),
        ("iteration", "/plan/0/sseds", json!([1])),
        ("iteration", "/prediction/direction", json!("up")),
        ("iteration", "/supersedes", json!("8bb")),
        ("experiment", "/model/hiden", json!([8])),
        ("experiment", "/optimizer/lr", json!(0)),
        ("experiment", "/dataset/name", json!("mnits")),
        ("run", "/seeds", json!([])),
        ("metrics", "/metrics/val~1accuracy/final", json!("0.9")),
        ("metrics", "/status", json!("done")),
        ("metrics", "/schema", json!(2)),
    ] {
        let schema = schema(name).unwrap();
        let mut file = example(name);
        let (parent, key) = at.rsplit_once('/').unwrap();
        file.pointer_mut(parent).unwrap()[key.replace("~1", "/")] = value;
        assert!(!check(&schema, &schema, &file, "").is_empty(), "{name}{at}");
    }
}
