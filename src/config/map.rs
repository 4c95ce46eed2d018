//! An ordered mapping whose keys compare as Python's do (`1`, `1.0` and `true` are one key).

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use super::number::float_repr;

/// A key of a mapping.
#[derive(Clone, Debug)]
pub enum Key {
    /// Text, as nearly every key is.
    Str(String),
    /// An integer.
    Int(i128),
    /// A float.
    Float(f64),
    /// A boolean.
    Bool(bool),
}

impl Key {
    /// The text when the key is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    fn number(&self) -> Option<i128> {
        match self {
            Self::Int(n) => Some(*n),
            Self::Bool(b) => Some(i128::from(*b)),
            Self::Float(f) if f.fract() == 0.0 && f.abs() < 1e30 => Some(*f as i128),
            _ => None,
        }
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::Str(text.to_string())
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::Float(a), Self::Float(b)) if self.number().is_none() => a == b,
            _ => self.number().is_some() && self.number() == other.number(),
        }
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match (self, self.number()) {
            (Self::Str(text), _) => text.hash(state),
            (_, Some(number)) => number.hash(state),
            (Self::Float(f), None) => f.to_bits().hash(state),
            _ => {}
        }
    }
}

/// As Python's `str(key)` writes it.
impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Str(text) => f.write_str(text),
            Self::Int(n) => write!(f, "{n}"),
            Self::Float(value) => f.write_str(&float_repr(*value)),
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
        }
    }
}

/// From how many entries on a lookup goes through a table instead of along the list.
const INDEXED: usize = 16;

/// An ordered mapping.
#[derive(Clone, Debug)]
pub struct Entries<T> {
    list: Vec<(Key, T)>,
    index: HashMap<Key, usize>,
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self { list: Vec::new(), index: HashMap::new() }
    }
}

impl<T: PartialEq> PartialEq for Entries<T> {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl<T> Entries<T> {
    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    fn position(&self, key: &Key) -> Option<usize> {
        if self.list.len() < INDEXED {
            return self.list.iter().position(|(k, _)| k == key);
        }
        self.index.get(key).copied()
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&T> {
        self.position(key).map(|at| &self.list[at].1)
    }

    /// The value of a text key.
    #[must_use]
    pub fn get_str(&self, key: &str) -> Option<&T> {
        if self.list.len() < INDEXED {
            return self.list.iter().find(|(k, _)| k.as_str() == Some(key)).map(|(_, v)| v);
        }
        self.get(&Key::from(key))
    }

    /// Sets a key; a key that is there keeps its place and its spelling. Returns the value that was there.
    pub fn insert(&mut self, key: Key, value: T) -> Option<T> {
        if let Some(at) = self.position(&key) {
            return Some(std::mem::replace(&mut self.list[at].1, value));
        }
        self.list.push((key, value));
        self.grow_index();
        None
    }

    fn grow_index(&mut self) {
        if self.list.len() == INDEXED {
            self.index = self.list.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)).collect();
        } else if self.list.len() > INDEXED {
            let at = self.list.len() - 1;
            self.index.insert(self.list[at].0.clone(), at);
        }
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &Key) -> Option<T> {
        let at = self.position(key)?;
        let (_, value) = self.list.remove(at);
        self.index = if self.list.len() < INDEXED {
            HashMap::new()
        } else {
            self.list.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)).collect()
        };
        Some(value)
    }

    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = &(Key, T)> {
        self.list.iter()
    }

    /// The text keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.list.iter().map(|(key, _)| key)
    }
}

impl<T> FromIterator<(Key, T)> for Entries<T> {
    fn from_iter<I: IntoIterator<Item = (Key, T)>>(entries: I) -> Self {
        let mut all = Self::default();
        for (key, value) in entries {
            all.insert(key, value);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_compare_as_in_python() {
        let mut map = Entries::default();
        map.insert(Key::Int(1), "a");
        assert_eq!(map.insert(Key::Bool(true), "b"), Some("a"));
        assert_eq!(map.get(&Key::Float(1.0)), Some(&"b"));
        assert_eq!(map.get_str("1"), None);
    }

    #[test]
    fn a_long_map_keeps_its_order() {
        let mut map: Entries<usize> = (0..40).map(|i| (Key::Str(format!("k{i}")), i)).collect();
        assert_eq!(map.remove(&Key::from("k3")), Some(3));
        assert_eq!(map.get_str("k39"), Some(&39));
        assert_eq!(map.get_str("k3"), None);
        assert_eq!(map.keys().nth(3).map(ToString::to_string), Some("k4".into()));
    }
}
