//! The digest of a config: equal for configs that train the same, whatever the order of their keys.
//!
//! The canonical text is compact JSON with sorted keys (and the tags of [`Value`]'s JSON for what JSON lacks). Left
//! out are the seed, paths, the device and tracking:
//!
//! | where | keys |
//! |---|---|
//! | at the top | `seed`, `device`, `paths`, `wandb`, `tensorboard`, `logger`, `project`, `tags`, `hydra` |
//! | anywhere | `dir`, and every key that ends in `_dir` |

use super::{Key, Value};
use crate::state::tree;

/// Keys left out at the top of a config.
pub const LEFT_OUT_AT_TOP: [&str; 9] =
    ["seed", "device", "paths", "wandb", "tensorboard", "logger", "project", "tags", "hydra"];

/// Whether a key is left out wherever it stands: it says where files lie.
fn is_folder(key: &str) -> bool {
    key == "dir" || key.ends_with("_dir")
}

/// The SHA-256 of the canonical text, in hexadecimal.
#[must_use]
pub fn digest(value: &Value) -> String {
    tree::digest(canonical(value).as_bytes())
}

/// The canonical text of a config.
#[must_use]
pub fn canonical(value: &Value) -> String {
    serde_json::to_string(&sorted(value, true)).expect("a value can always be written as JSON")
}

fn sorted(value: &Value, top: bool) -> Value {
    match value {
        Value::Map(map) => {
            let kept = |key: &Key| {
                let left_out = |text: &str| (top && LEFT_OUT_AT_TOP.contains(&text)) || is_folder(text);
                !key.as_str().is_some_and(left_out)
            };
            let mut entries: Vec<(Key, Value)> = map
                .iter()
                .filter(|(key, _)| kept(key))
                .map(|(key, value)| (key.clone(), sorted(value, false)))
                .collect();
            entries.sort_by_cached_key(|(key, _)| (key.as_str().is_none(), key.to_string()));
            Value::Map(entries.into_iter().collect())
        }
        Value::List(items) => Value::List(items.iter().map(|item| sorted(item, false)).collect()),
        // Minus zero and zero train the same.
        Value::Float(f) if *f == 0.0 => Value::Float(0.0),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read;

    fn of(text: &str) -> String {
        digest(&read(text.as_bytes(), "config.yaml").unwrap())
    }

    #[test]
    fn order_seed_paths_device_and_tracking_do_not_count() {
        let one =
            of("seed: 0\na: {x: 1, y: [1, 2]}\ndevice: cpu\ndataset: {name: d, dir: /x}\nwandb: {enabled: true}\n");
        let other = of("dataset: {dir: /y, name: d}\na: {y: [1, 2], x: 1}\nseed: 7\noutput_dir: out\n");
        assert_eq!(one, other);
        assert_eq!(one.len(), 64);
    }

    #[test]
    fn everything_else_counts() {
        let texts = ["a: 1\n", "a: 1.0\n", "a: '1'\n", "a: true\n", "a: [1]\n", "b: 1\n", "a: 1\nmodel: {seed: 1}\n"];
        let digests: std::collections::HashSet<String> = texts.iter().map(|t| of(t)).collect();
        assert_eq!(digests.len(), texts.len());
    }
}
