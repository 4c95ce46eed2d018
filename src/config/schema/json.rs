//! The schema as JSON Schema, for editors.

use serde_json::{Map, Value as Json, json};

use super::{Field, KEYS, Shape};

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
        Shape::OneOf(words) => json!({"enum": words}),
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

    #[test]
    fn the_json_schema_describes_every_key() {
        let schema = json();
        for field in KEYS {
            assert!(schema["properties"][field.key]["description"].is_string(), "{}", field.key);
        }
        assert_eq!(schema["additionalProperties"], false);
    }
}
