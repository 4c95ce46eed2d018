//! Nodes to typed values, through serde, with the place of every error.
//!
//! Strict where YAML is loose: a plain scalar becomes a string only where a string is asked for, and a
//! boolean only from `true` or `false`. Keys that begin with `x-` are left out, a key given twice is an error.

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::{Error, Limits, Node, Pos, Value, parse};

/// The value that the one document of `text` holds.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let node = parse(text.as_bytes(), Limits::default())?;
    let node = node.ok_or_else(|| Error::at(Pos { line: 1, column: 1 }, "the file is empty"))?;
    from_node(&node)
}

/// The value that a node holds.
pub fn from_node<T: DeserializeOwned>(node: &Node) -> Result<T, Error> {
    T::deserialize(Reader(node)).map_err(|e| e.placed(node.pos))
}

impl de::Error for Error {
    fn custom<M: std::fmt::Display>(message: M) -> Self {
        Self { message: message.to_string(), pos: None, hint: None }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let hint = match crate::state::text::nearest(field, expected.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? keys of your own begin with `x-`"),
            None => format!("keys here: {}; keys of your own begin with `x-`", expected.join(", ")),
        };
        Self { message: format!("unknown key `{field}`"), pos: None, hint: Some(hint) }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { message: format!("key `{field}` is missing"), pos: None, hint: None }
    }
}

impl Error {
    fn placed(mut self, pos: Pos) -> Self {
        self.pos.get_or_insert(pos);
        self
    }
}

#[derive(Clone, Copy)]
struct Reader<'a>(&'a Node);

impl Reader<'_> {
    fn wrong(&self, expected: &str) -> Error {
        let found = match &self.0.value {
            Value::Scalar { text, .. } => format!("`{}`", text.chars().take(40).collect::<String>()),
            Value::List(_) => "a list".into(),
            Value::Map(_) => "a mapping".into(),
        };
        Error::at(self.0.pos, format!("expected {expected}, found {found}"))
    }

    fn plain(&self, expected: &str) -> Result<&str, Error> {
        match &self.0.value {
            Value::Scalar { text, plain: true } => Ok(text),
            _ => Err(self.wrong(expected)),
        }
    }
}

macro_rules! number {
    ($($method:ident $visit:ident $type:ty, $what:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let value: $type = self.plain($what)?.parse().map_err(|_| self.wrong($what))?;
            visitor.$visit(value).map_err(|e: Error| e.placed(self.0.pos))
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Reader<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.value {
            Value::List(_) => self.deserialize_seq(visitor),
            Value::Map(_) => self.deserialize_map(visitor),
            Value::Scalar { text, plain } => {
                if !plain {
                    return visitor.visit_str(text);
                }
                match text.as_str() {
                    "true" => visitor.visit_bool(true),
                    "false" => visitor.visit_bool(false),
                    _ if self.0.is_null() => visitor.visit_unit(),
                    text => match (text.parse::<i64>(), text.parse::<f64>()) {
                        (Ok(n), _) => visitor.visit_i64(n),
                        (_, Ok(x)) if text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => {
                            visitor.visit_f64(x)
                        }
                        _ => visitor.visit_str(text),
                    },
                }
            }
        }
        .map_err(|e: Error| e.placed(self.0.pos))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.plain("true or false")? {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(self.wrong("true or false")),
        }
    }

    number! {
        deserialize_i8 visit_i8 i8, "a whole number";
        deserialize_i16 visit_i16 i16, "a whole number";
        deserialize_i32 visit_i32 i32, "a whole number";
        deserialize_i64 visit_i64 i64, "a whole number";
        deserialize_u8 visit_u8 u8, "a whole number from 0";
        deserialize_u16 visit_u16 u16, "a whole number from 0";
        deserialize_u32 visit_u32 u32, "a whole number from 0";
        deserialize_u64 visit_u64 u64, "a whole number from 0";
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.plain("a number")?.parse::<f64>() {
            Ok(x) if x.is_finite() => visitor.visit_f64(x),
            _ => Err(self.wrong("a finite number")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.value {
            Value::Scalar { text, .. } if !self.0.is_null() => {
                visitor.visit_str(text).map_err(|e: Error| e.placed(self.0.pos))
            }
            _ => Err(self.wrong("text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_unit() } else { Err(self.wrong("null")) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.value {
            Value::List(items) => visitor.visit_seq(Items(items.iter())).map_err(|e| e.placed(self.0.pos)),
            _ => Err(self.wrong("a list")),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Value::Map(entries) = &self.0.value else { return Err(self.wrong("a mapping")) };
        let mut seen = std::collections::HashSet::new();
        for (key, _) in entries {
            let text = key.text().ok_or_else(|| Reader(key).wrong("a key"))?;
            if !seen.insert(text) {
                return Err(Error::at(key.pos, format!("key `{text}` is given twice")));
            }
        }
        visitor.visit_map(Entries { entries: entries.iter(), at: None }).map_err(|e| e.placed(self.0.pos))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self).map_err(|e| e.placed(self.0.pos))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { i128 u128 bytes byte_buf }
}

struct Items<'a>(std::slice::Iter<'a, Node>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|node| seed.deserialize(Reader(node)).map_err(|e| e.placed(node.pos))).transpose()
    }
}

struct Entries<'a> {
    entries: std::slice::Iter<'a, (Node, Node)>,
    at: Option<&'a Node>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        for (key, value) in self.entries.by_ref() {
            if key.text().is_some_and(|t| t.starts_with("x-")) {
                continue;
            }
            self.at = Some(value);
            return seed.deserialize(Reader(key)).map(Some).map_err(|e| e.placed(key.pos));
        }
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        let node = self.at.take().ok_or_else(|| de::Error::custom("a value without its key"))?;
        seed.deserialize(Reader(node)).map_err(|e| e.placed(node.pos))
    }
}

impl<'de> EnumAccess<'de> for Reader<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Error> {
        let name = self.0.text().ok_or_else(|| self.wrong("one word"))?;
        Ok((seed.deserialize(name.into_deserializer())?, self))
    }
}

impl<'de> VariantAccess<'de> for Reader<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Error> {
        Err(self.wrong("one word"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(self.wrong("one word"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Error> {
        Err(self.wrong("one word"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        schema: u32,
        phase: String,
        #[serde(default)]
        rate: Option<f64>,
        #[serde(default)]
        on: bool,
    }

    #[test]
    fn strings_stay_strings() {
        let sample: Sample = from_str("schema: 1\nphase: no\nrate: 1e-3\n").unwrap();
        assert_eq!(sample, Sample { schema: 1, phase: "no".into(), rate: Some(1e-3), on: false });
        let sample: Sample = from_str("schema: 1\nphase: 48:00:00\nx-mine: {a: 1}\n").unwrap();
        assert_eq!(sample.phase, "48:00:00");
    }

    #[test]
    fn errors_name_their_place() {
        let at = |text: &str| from_str::<Sample>(text).unwrap_err();
        let typo = at("schema: 1\nphase: a\nrat: 2\n");
        assert_eq!((typo.pos.unwrap().line, typo.message.as_str()), (3, "unknown key `rat`"));
        assert!(typo.hint.unwrap().contains("`rate`"));
        assert_eq!(at("schema: 1\nphase: a\non: yes\n").pos.unwrap(), Pos { line: 3, column: 5 });
        assert_eq!(at("schema: 1\nphase: a\nphase: b\n").pos.unwrap().line, 3);
        assert_eq!(at("schema: one\nphase: a\n").pos.unwrap(), Pos { line: 1, column: 9 });
        assert!(at("schema: 1\n").message.contains("`phase` is missing"));
        assert!(at("schema: 1\nphase: a\nrate: .nan\n").message.contains("number"));
    }
}
