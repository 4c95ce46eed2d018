//! A value as written in an override: it remembers its quotes, because a sweep's jobs write it out again.

use crate::config::map::{Entries, Key};
use crate::config::number::float_repr;
use crate::config::value::Value;

/// A value with its quotes.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::config) enum Literal {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(String),
    Quoted(String, char),
    List(Vec<Literal>),
    Map(Vec<(Literal, Literal)>),
}

impl Literal {
    /// The value without quotes. A null key is kept as the text `null`; `parse` refuses it before.
    pub(in crate::config) fn value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(*b),
            Self::Int(n) => Value::Int(*n),
            Self::Float(f) => Value::Float(*f),
            Self::Str(text) | Self::Quoted(text, _) => Value::Str(text.clone()),
            Self::List(items) => Value::List(items.iter().map(Self::value).collect()),
            Self::Map(pairs) => {
                let mut map = Entries::default();
                for (key, value) in pairs {
                    map.insert(key.key(), value.value());
                }
                Value::Map(map)
            }
        }
    }

    fn key(&self) -> Key {
        match self.value() {
            Value::Bool(b) => Key::Bool(b),
            Value::Int(n) => Key::Int(n),
            Value::Float(f) => Key::Float(f),
            Value::Str(text) => Key::Str(text),
            _ => Key::Str("null".into()),
        }
    }

    /// The literal as an override's right side that reads back the same.
    pub(in crate::config) fn text(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(true) => "True".into(),
            Self::Bool(false) => "False".into(),
            Self::Int(n) => n.to_string(),
            Self::Float(f) => float_repr(*f),
            Self::Str(text) => escape(text),
            Self::Quoted(text, quote) => quoted(text, *quote),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::text).collect();
                format!("[{}]", items.join(","))
            }
            Self::Map(pairs) => {
                let pairs: Vec<String> = pairs.iter().map(|(k, v)| format!("{}:{}", k.text(), v.text())).collect();
                format!("{{{}}}", pairs.join(","))
            }
        }
    }
}

/// Text with a backslash before everything that the grammar would read as something else.
pub(in crate::config) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\()[]{}:=, \t".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Text between quotes: backslashes are doubled before a quote and at the end, quotes get one.
fn quoted(text: &str, quote: char) -> String {
    let mut out = String::from(quote);
    let mut slashes = 0;
    for c in text.chars() {
        if c == '\\' {
            slashes += 1;
            continue;
        }
        out.push_str(&"\\".repeat(if c == quote { slashes * 2 } else { slashes }));
        slashes = 0;
        if c == quote {
            out.push('\\');
        }
        out.push(c);
    }
    out.push_str(&"\\".repeat(slashes * 2));
    out.push(quote);
    out
}

/// The text between quotes, escapes undone: backslashes count only before a quote and at the end.
pub(super) fn unquoted(token: &str) -> (String, char) {
    let quote = token.chars().next().unwrap_or('\'');
    let inner = &token[1..token.len() - 1];
    let mut text = String::with_capacity(inner.len());
    let mut slashes = 0;
    for c in inner.chars() {
        if c == '\\' {
            slashes += 1;
            continue;
        }
        text.push_str(&"\\".repeat(if c == quote { slashes / 2 } else { slashes }));
        slashes = 0;
        text.push(c);
    }
    text.push_str(&"\\".repeat(slashes / 2));
    (text, quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_come_back() {
        for text in ["", "it's", "a\\", "a\\'b", "\\\\", "x\\y", "\"'"] {
            for quote in ['\'', '"'] {
                let written = Literal::Quoted(text.into(), quote).text();
                assert_eq!(unquoted(&written), (text.to_string(), quote), "{written}");
            }
        }
    }

    #[test]
    fn jobs_write_python_words() {
        let list =
            Literal::List(vec![Literal::Bool(true), Literal::Float(1e-5), Literal::Str("a,b".into()), Literal::Null]);
        assert_eq!(list.text(), "[True,1e-05,a\\,b,null]");
    }
}
