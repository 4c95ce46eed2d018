//! A composed config as a value: ordered, typed as OmegaConf types it, no interpolation left unless asked for.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::map::{Entries, Key};
use super::number::{float_repr, float_yaml};

/// A config or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of up to 127 bits.
    Int(i128),
    /// A float, not a number and the infinities included.
    Float(f64),
    /// Text. `???` is a mandatory value that nobody set.
    Str(String),
    /// A list.
    List(Vec<Value>),
    /// A mapping in order.
    Map(Entries<Value>),
}

impl Value {
    /// The value at a dotted path such as `optimizer.betas.0`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(self, |value, step| match value {
            Self::Map(map) => map.get_str(step),
            Self::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// The text when this is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The entries when this is a mapping.
    #[must_use]
    pub fn as_map(&self) -> Option<&Entries<Value>> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// A word for what this is, as messages say it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Str(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }

    /// Python's `str(value)`: what an interpolation inside a longer text becomes.
    pub(super) fn python_str(&self) -> String {
        match self {
            Self::Str(text) => text.clone(),
            other => other.python_repr(),
        }
    }

    /// Python's `repr(value)`.
    pub(super) fn python_repr(&self) -> String {
        match self {
            Self::Null => "None".into(),
            Self::Bool(true) => "True".into(),
            Self::Bool(false) => "False".into(),
            Self::Int(n) => n.to_string(),
            Self::Float(f) => float_repr(*f),
            Self::Str(text) => python_quote(text),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::python_repr).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Map(map) => {
                let items: Vec<String> = map
                    .iter()
                    .map(|(k, v)| format!("{}: {}", Self::from(k.clone()).python_repr(), v.python_repr()))
                    .collect();
                format!("{{{}}}", items.join(", "))
            }
        }
    }

    /// The YAML text of this value, which PyYAML, OmegaConf and git-ar read back the same.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        match self {
            Self::Map(map) if map.is_empty() => "{}\n".into(),
            Self::List(items) if items.is_empty() => "[]\n".into(),
            Self::Map(_) | Self::List(_) => {
                let mut text = String::new();
                self.write_block(&mut text, 0, false);
                text
            }
            scalar => format!("{}\n", scalar.scalar_yaml()),
        }
    }

    /// Writes a non-empty container. `inline`: the first entry stands behind a `- ` on the same line.
    fn write_block(&self, text: &mut String, indent: usize, mut inline: bool) {
        let mut margin = |text: &mut String| {
            if !std::mem::take(&mut inline) {
                text.push_str(&" ".repeat(indent));
            }
        };
        match self {
            Self::Map(map) => {
                for (key, value) in map.iter() {
                    margin(text);
                    text.push_str(&Self::from(key.clone()).scalar_yaml());
                    text.push(':');
                    value.write_child(text, indent + 2, false);
                }
            }
            Self::List(items) => {
                for item in items {
                    margin(text);
                    text.push('-');
                    item.write_child(text, indent + 2, true);
                }
            }
            _ => {}
        }
    }

    fn write_child(&self, text: &mut String, indent: usize, item: bool) {
        let full = match self {
            Self::Map(map) => !map.is_empty(),
            Self::List(items) => !items.is_empty(),
            _ => false,
        };
        if full && item {
            text.push(' ');
            self.write_block(text, indent, true);
        } else if full {
            text.push('\n');
            self.write_block(text, indent, false);
        } else {
            text.push(' ');
            text.push_str(&self.scalar_yaml());
            text.push('\n');
        }
    }

    fn scalar_yaml(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(b) => b.to_string(),
            Self::Int(n) => n.to_string(),
            Self::Float(f) => float_yaml(*f),
            Self::Str(text) => crate::state::yaml::quote(text),
            Self::List(_) => "[]".into(),
            Self::Map(_) => "{}".into(),
        }
    }
}

impl From<Key> for Value {
    fn from(key: Key) -> Self {
        match key {
            Key::Str(text) => Self::Str(text),
            Key::Int(n) => Self::Int(n),
            Key::Float(f) => Self::Float(f),
            Key::Bool(b) => Self::Bool(b),
        }
    }
}

/// Python's `repr(str)`.
fn python_quote(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut shown = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            c if c == quote => {
                shown.push('\\');
                shown.push(c);
            }
            c if (c as u32) < 0x20 || (0x7f..0xa1).contains(&(c as u32)) => {
                shown.push_str(&format!("\\x{:02x}", c as u32))
            }
            c => shown.push(c),
        }
    }
    shown.push(quote);
    shown
}

/// JSON with three tags for what JSON cannot say: `{"$float": "nan"}`, `{"$int": "…"}` beyond 64 bits, and
/// `{"$map": [[key, value], …]}` for a mapping with a key that is not text.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tagged = |serializer: S, tag: &str, text: &str| {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry(tag, text)?;
            map.end()
        };
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(b) => serializer.serialize_bool(*b),
            Self::Int(n) => match i64::try_from(*n) {
                Ok(small) => serializer.serialize_i64(small),
                Err(_) => tagged(serializer, "$int", &n.to_string()),
            },
            Self::Float(f) if f.is_finite() => serializer.serialize_f64(*f),
            Self::Float(f) => tagged(serializer, "$float", &float_repr(*f)),
            Self::Str(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Self::Map(map) if map.keys().all(|k| k.as_str().is_some()) => {
                let mut out = serializer.serialize_map(Some(map.len()))?;
                for (key, value) in map.iter() {
                    out.serialize_entry(key.as_str().expect("every key is text"), value)?;
                }
                out.end()
            }
            Self::Map(map) => {
                let pairs: Vec<(Value, &Value)> = map.iter().map(|(k, v)| (k.clone().into(), v)).collect();
                let mut out = serializer.serialize_map(Some(1))?;
                out.serialize_entry("$map", &pairs)?;
                out.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, Value)]) -> Value {
        Value::Map(entries.iter().map(|(k, v)| (Key::from(*k), v.clone())).collect())
    }

    #[test]
    fn json_has_tags_for_what_json_lacks() {
        let value = Value::List(vec![
            Value::Float(f64::NAN),
            Value::Int(1 << 70),
            Value::Float(1.0),
            Value::Map([(Key::Int(1), Value::Null)].into_iter().collect()),
        ]);
        let json = serde_json::to_string(&value).unwrap();
        assert_eq!(json, r#"[{"$float":"nan"},{"$int":"1180591620717411303424"},1.0,{"$map":[[1,null]]}]"#);
    }

    #[test]
    fn yaml_is_a_readable_block() {
        let inner = map(&[("x", Value::Float(1e-5)), ("y", Value::List(vec![]))]);
        let value = map(&[
            ("a", Value::List(vec![inner.clone(), Value::Str("no".into())])),
            ("b", inner),
            ("c", Value::Str("${oc.env:HOME}".into())),
        ]);
        let text = value.to_yaml();
        assert!(
            text.starts_with("a:\n  - x: 1.0e-05\n    \"y\": []\n  - \"no\"\nb:\n  x: 1.0e-05\n  \"y\": []\nc: "),
            "{text}"
        );
    }

    #[test]
    fn python_words() {
        let value = Value::List(vec![Value::Bool(true), Value::Null, Value::Str("it's".into())]);
        assert_eq!(value.python_str(), "[True, None, \"it's\"]");
    }
}
