//! YAML nodes to config items, typed as OmegaConf's loader types them (YAML 1.1 with its own floats).

use crate::state::yaml::{Error, Limits, Node, Pos, Value as Raw, parse};

use super::failure::{Failure, Place};
use super::map::{Entries, Key};
use super::scalar::{Scalar, scalar, short};

/// A part of a config file, with its place.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// Where it is written.
    pub(super) at: Place,
    /// What it holds.
    pub(super) data: Data,
}

/// What an item holds.
#[derive(Clone, Debug)]
pub(super) enum Data {
    /// A single value.
    Scalar(Scalar),
    /// A list.
    List(Vec<Item>),
    /// A mapping.
    Map(Entries<Item>),
}

/// The item of a YAML text; `None` when it holds nothing. `file` is the place of its first character.
pub(super) fn load(text: &[u8], file: Place) -> Result<Option<Item>, Failure> {
    let syntax = |e: Error| Failure::new("yaml_syntax", e.message).at(e.pos.map_or(file, |p| at(file, p)));
    let limits = Limits { nodes: 250_000, ..Limits::default() };
    if text.len() <= limits.bytes
        && let Some(bad) = unprintable(text)
    {
        let place = Place { line: bad, ..file };
        return Err(Failure::new("yaml_syntax", "a control character that YAML does not allow").at(place));
    }
    let node = parse(text, limits).map_err(syntax)?;
    node.map(|node| Reader { file }.item(&node)).transpose()
}

fn at(file: Place, pos: Pos) -> Place {
    Place { source: file.source, line: pos.line, column: pos.column }
}

/// The line of the first character that YAML does not allow.
fn unprintable(text: &[u8]) -> Option<u32> {
    let control = |at: usize| match text[at] {
        b'\t' | b'\n' | b'\r' => false,
        0..0x20 | 0x7f => true,
        // The second byte of U+0080 to U+009F; U+0085 is a line break.
        0x80..0xa0 => at > 0 && text[at - 1] == 0xc2 && text[at] != 0x85,
        _ => false,
    };
    let bad = (0..text.len()).find(|at| control(*at))?;
    Some(text[..bad].iter().filter(|b| **b == b'\n').count() as u32 + 1)
}

struct Reader {
    file: Place,
}

impl Reader {
    fn item(&self, node: &Node) -> Result<Item, Failure> {
        let place = at(self.file, node.pos);
        let data = match &node.value {
            Raw::Scalar { text, plain } => {
                let typed = scalar(text, *plain, node.tag.as_deref());
                Data::Scalar(typed.map_err(|message| Failure::new("yaml_syntax", message).at(place))?)
            }
            Raw::List(items) => {
                self.only_tag(node, &["!!seq", "!"])?;
                Data::List(items.iter().map(|item| self.item(item)).collect::<Result<_, _>>()?)
            }
            Raw::Map(pairs) => {
                self.only_tag(node, &["!!map", "!"])?;
                Data::Map(self.map(pairs)?)
            }
        };
        Ok(Item { at: place, data })
    }

    fn only_tag(&self, node: &Node, known: &[&str]) -> Result<(), Failure> {
        match &node.tag {
            Some(tag) if !known.contains(&short(tag).as_str()) => {
                let message = format!("the tag `{tag}` is not supported in configs");
                Err(Failure::new("yaml_syntax", message).at(at(self.file, node.pos)))
            }
            _ => Ok(()),
        }
    }

    /// A mapping: what merge keys bring comes first, own keys win, text keys may not repeat.
    fn map(&self, pairs: &[(Node, Node)]) -> Result<Entries<Item>, Failure> {
        let mut merged: Vec<&(Node, Node)> = Vec::new();
        let mut own: Vec<&(Node, Node)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for pair in pairs {
            if is_merge(&pair.0) {
                self.merge(&pair.1, &mut merged)?;
                continue;
            }
            let key = self.key(&pair.0)?;
            if let Key::Str(text) = &key
                && !seen.insert(text.clone())
            {
                let message = format!("the key `{text}` is written twice in one mapping");
                return Err(Failure::new("yaml_duplicate_key", message).at(at(self.file, pair.0.pos)));
            }
            own.push(pair);
        }
        let mut entries = Entries::default();
        for (key, value) in merged.into_iter().chain(own) {
            entries.insert(self.key(key)?, self.item(value)?);
        }
        Ok(entries)
    }

    /// Collects what `<<: value` brings; the first of a list of mappings wins.
    fn merge<'n>(&self, value: &'n Node, merged: &mut Vec<&'n (Node, Node)>) -> Result<(), Failure> {
        let bad = |node: &Node| {
            let message = "a merge key takes a mapping or a list of mappings";
            Err(Failure::new("yaml_syntax", message).at(at(self.file, node.pos)))
        };
        match &value.value {
            Raw::Map(pairs) => {
                for pair in pairs.iter().filter(|p| is_merge(&p.0)) {
                    self.merge(&pair.1, merged)?;
                }
                merged.extend(pairs.iter().filter(|p| !is_merge(&p.0)));
                Ok(())
            }
            Raw::List(items) => items.iter().rev().try_for_each(|item| match item.value {
                Raw::Map(_) => self.merge(item, merged),
                _ => bad(item),
            }),
            Raw::Scalar { .. } => bad(value),
        }
    }

    fn key(&self, node: &Node) -> Result<Key, Failure> {
        let place = at(self.file, node.pos);
        if node.tag.is_none() && matches!(&node.value, Raw::Scalar { text, plain: true } if text == "=") {
            return Ok(Key::Str("=".into()));
        }
        match self.item(node)?.data {
            Data::Scalar(Scalar::Str(text)) => Ok(Key::Str(text)),
            Data::Scalar(Scalar::Int(n)) => Ok(Key::Int(n)),
            Data::Scalar(Scalar::Float(f)) => Ok(Key::Float(f)),
            Data::Scalar(Scalar::Bool(b)) => Ok(Key::Bool(b)),
            Data::Scalar(Scalar::Null) => {
                Err(Failure::new("bad_key_type", "a key may not be null").at(place).hint("quote the key"))
            }
            Data::List(_) | Data::Map(_) => Err(Failure::new("yaml_syntax", "a key must be a single value").at(place)),
        }
    }
}

fn is_merge(key: &Node) -> bool {
    key.tag.is_none() && matches!(&key.value, Raw::Scalar { text, plain: true } if text == "<<")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merge_keys_come_first_and_own_keys_win() {
        let text = "a: &a {x: 1, y: 2}\nb:\n  x: 5\n  <<: *a\n";
        let item = load(text.as_bytes(), Place::default()).unwrap().unwrap();
        let Data::Map(top) = item.data else { panic!() };
        let Data::Map(b) = &top.get_str("b").unwrap().data else { panic!() };
        let keys: Vec<String> = b.keys().map(ToString::to_string).collect();
        assert_eq!(keys, ["x", "y"]);
        assert!(matches!(b.get_str("x").unwrap().data, Data::Scalar(Scalar::Int(5))));
    }

    #[test]
    fn a_repeated_key_is_refused() {
        let failure = load(b"a: 1\nb: 2\na: 3\n", Place::default()).unwrap_err();
        assert_eq!((failure.category, failure.place.unwrap().line), ("yaml_duplicate_key", 3));
    }
}
