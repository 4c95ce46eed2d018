//! JSON from outside: every key once, and the place of every error.

use std::collections::HashSet;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::yaml::{Error, Pos};

/// Whether the bytes are one JSON value in which no mapping gives a key twice. Readers differ in which of the two they
/// take, so that one file would be two results.
pub fn check(bytes: &[u8]) -> Result<(), Error> {
    serde_json::from_slice::<Unique>(bytes).map(|_| ()).map_err(|error| located(&error, bytes))
}

/// A JSON error as one with its place.
#[must_use]
pub fn located(error: &serde_json::Error, bytes: &[u8]) -> Error {
    let text = error.to_string();
    let (line, column) = (error.line(), error.column());
    let message = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text).to_string();
    if line == 0 {
        return Error { message, pos: None, hint: None };
    }
    let error = Error::at(Pos { line: line as u32, column: column as u32 }, message);
    let here = bytes.split(|b| *b == b'\n').nth(line - 1).unwrap_or_default();
    match ["NaN", "Infinity"].into_iter().find(|word| here.windows(word.len()).any(|w| w == word.as_bytes())) {
        Some(word) => Error { message: format!("{word} is no number in JSON"), ..error }
            .hinted("a seed that diverged writes status `failed` and says why in `error`"),
        None => error,
    }
}

/// Any value whose mappings give each key once.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Walk)
    }
}

struct Walk;

impl<'de> Visitor<'de> for Walk {
    type Value = Unique;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique, A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if seen.contains(&key) {
                return Err(A::Error::custom(format!("key `{}` is given twice", super::text::printable(&key))));
            }
            seen.insert(key);
            map.next_value::<Unique>()?;
        }
        Ok(Unique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Unique, A::Error> {
        while seq.next_element::<Unique>()?.is_some() {}
        Ok(Unique)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Unique, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Unique)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_given_once() {
        assert!(check(br#"{"a": {"b": [1, -2, 0.5, null, true, "x"]}, "c": {"b": 1}}"#).is_ok());
        let twice = check(b"{\"a\": 1,\n \"b\": {\"c\": 1,\n \"c\": 2}}").unwrap_err();
        assert_eq!((twice.message.as_str(), twice.pos.unwrap().line), ("key `c` is given twice", 3));
    }

    #[test]
    fn errors_name_their_line() {
        let nan = check(b"{\n\"a\": NaN}").unwrap_err();
        assert_eq!((nan.message.as_str(), nan.pos.unwrap().line), ("NaN is no number in JSON", 2));
        assert!(nan.hint.unwrap().contains("failed"));
        let deep = check("[".repeat(100_000).as_bytes()).unwrap_err();
        assert!(deep.message.contains("recursion"), "{deep}");
    }
}
