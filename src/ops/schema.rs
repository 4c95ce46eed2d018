//! JSON Schema of every file of the loop, derived from the types that read the files.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Value, json};

use crate::cluster::profile::Profile;
use crate::state::board::BoardConfig;
use crate::state::entities::{Iteration, Settings};
use crate::state::exclusion::Exclusion;
use crate::state::problem::{Kind, Problem};
use crate::state::project::{Finding, Project, References};
use crate::state::record::{Attempt, Metrics, Run};
use crate::state::text::nearest;

/// One kind of file that has a schema.
pub struct Entry {
    /// The name in `git ar schema NAME`.
    pub name: &'static str,
    /// The files it describes.
    pub files: &'static str,
    make: fn() -> Value,
}

/// Every schema, in the order in which a newcomer meets the files.
pub const SCHEMAS: [Entry; 12] = [
    Entry { name: "settings", files: "configs/ar.yaml", make: of::<Settings> },
    Entry { name: "experiment", files: "configs/experiment/<name>.yaml", make: crate::config::schema::json },
    Entry { name: "project", files: "projects/<slug>/project.yaml", make: of::<Project> },
    Entry { name: "references", files: "projects/<slug>/references.yaml", make: of::<References> },
    Entry { name: "iteration", files: "projects/<slug>/iterations/<id>-<slug>/iteration.yaml", make: of::<Iteration> },
    Entry { name: "finding", files: "projects/<slug>/findings/<id>.yaml", make: of::<Finding> },
    Entry { name: "run", files: "…/runs/<run>/run.yaml", make: of::<Run> },
    Entry { name: "attempt", files: "…/runs/<run>/attempts/<n>.yaml", make: of::<Attempt> },
    Entry { name: "metrics", files: "…/runs/<run>/seed-<n>/metrics.json", make: of::<Metrics> },
    Entry { name: "board", files: "configs/board/<name>.yaml", make: of::<BoardConfig> },
    Entry { name: "cluster", files: "configs/cluster/<name>.yaml", make: of::<Profile> },
    Entry { name: "exclusion", files: "…/runs/<run>/exclusion.yaml", make: of::<Exclusion> },
];

/// The schema of one kind of file.
pub fn schema(name: &str) -> Result<Value, Problem> {
    let entry = SCHEMAS.iter().find(|e| e.name == name).ok_or_else(|| unknown(name))?;
    Ok((entry.make)())
}

fn unknown(name: &str) -> Problem {
    let names: Vec<&str> = SCHEMAS.iter().map(|e| e.name).collect();
    let meant = nearest(name, names.iter().copied()).map(|n| format!("did you mean `{n}`? ")).unwrap_or_default();
    Problem::new(Kind::Usage, "no-such-schema", format!("there is no schema `{name}`"))
        .hint(format!("{meant}schemas: {}", names.join(", ")))
}

fn of<T: JsonSchema>() -> Value {
    let generator: SchemaGenerator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    finish(&mut schema);
    schema
}

/// What the derive does not know: `schema` is 1, and `x-…` keys belong to whoever wrote them.
fn finish(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("additionalProperties") == Some(&Value::Bool(false)) {
                map.insert("patternProperties".into(), json!({"^x-": true}));
            }
            if let Some(version) = map.get_mut("properties").and_then(|p| p.get_mut("schema")) {
                *version = json!({"description": "File version.", "const": 1});
            }
            map.values_mut().for_each(finish);
        }
        Value::Array(items) => items.iter_mut().for_each(finish),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_describes_every_key() {
        for entry in SCHEMAS.iter().filter(|entry| entry.name != "experiment") {
            let schema = schema(entry.name).unwrap();
            assert_eq!(schema["properties"]["schema"]["const"], 1, "{}", entry.name);
            assert_eq!(schema["additionalProperties"], false, "{}", entry.name);
            for (key, value) in schema["properties"].as_object().unwrap() {
                assert!(value["description"].is_string(), "{}: {key} is not described", entry.name);
            }
        }
    }

    #[test]
    fn a_slip_is_told() {
        let problem = schema("metric").unwrap_err();
        assert!(problem.hint.unwrap().starts_with("did you mean `metrics`?"));
    }
}
