//! The tree that a composition works on: nodes that know their parent, so that relative interpolations can be followed.

use super::failure::Place;
use super::map::{Entries, Key};
use super::scalar::Scalar;
use super::value::Value;
use super::yaml::{Data as Loaded, Item};

/// A node of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(u32);

#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The container that holds this node.
    pub(super) parent: Option<Id>,
    /// Where it was written.
    pub(super) at: Place,
    /// What it holds.
    pub(super) data: Data,
}

#[derive(Clone, Debug)]
pub(super) enum Data {
    Scalar(Scalar),
    List(Vec<Id>),
    Map(Entries<Id>),
}

/// All nodes of one composition; nodes that were replaced stay behind unused.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// A new node.
    pub(super) fn add(&mut self, parent: Option<Id>, at: Place, data: Data) -> Id {
        self.nodes.push(Node { parent, at, data });
        Id(u32::try_from(self.nodes.len() - 1).expect("a composition has fewer than 2^32 nodes"))
    }

    /// A new empty mapping.
    pub(super) fn add_map(&mut self, parent: Option<Id>, at: Place) -> Id {
        self.add(parent, at, Data::Map(Entries::default()))
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub(super) fn node_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    pub(super) fn is_container(&self, id: Id) -> bool {
        !matches!(self.node(id).data, Data::Scalar(_))
    }

    /// The text when the node is text.
    pub(super) fn text(&self, id: Id) -> Option<&str> {
        match &self.node(id).data {
            Data::Scalar(Scalar::Str(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether the node is a mandatory value that nobody set.
    pub(super) fn is_missing(&self, id: Id) -> bool {
        self.text(id) == Some("???")
    }

    /// Whether the node is text with an interpolation in it.
    pub(super) fn is_interpolation(&self, id: Id) -> bool {
        self.text(id).is_some_and(|text| text.contains("${"))
    }

    /// The child of a mapping with a text key.
    pub(super) fn child(&self, id: Id, key: &str) -> Option<Id> {
        match &self.node(id).data {
            Data::Map(map) => map.get_str(key).copied(),
            _ => None,
        }
    }

    /// Sets a key of a mapping.
    pub(super) fn set(&mut self, map: Id, key: Key, child: Id) {
        self.node_mut(child).parent = Some(map);
        if let Data::Map(entries) = &mut self.node_mut(map).data {
            entries.insert(key, child);
        }
    }

    /// Adds what was loaded below a parent.
    pub(super) fn import(&mut self, item: &Item, parent: Option<Id>) -> Id {
        match &item.data {
            Loaded::Scalar(scalar) => self.add(parent, item.at, Data::Scalar(scalar.clone())),
            Loaded::List(items) => {
                let list = self.add(parent, item.at, Data::List(Vec::new()));
                let ids = items.iter().map(|item| self.import(item, Some(list))).collect();
                self.node_mut(list).data = Data::List(ids);
                list
            }
            Loaded::Map(entries) => {
                let map = self.add_map(parent, item.at);
                let ids = entries.iter().map(|(key, item)| (key.clone(), self.import(item, Some(map)))).collect();
                self.node_mut(map).data = Data::Map(ids);
                map
            }
        }
    }

    /// A deep copy below a parent.
    pub(super) fn copy(&mut self, id: Id, parent: Option<Id>) -> Id {
        let Node { at, data, .. } = self.node(id).clone();
        match data {
            Data::Scalar(_) => self.add(parent, at, data),
            Data::List(items) => {
                let list = self.add(parent, at, Data::List(Vec::new()));
                let copies = items.into_iter().map(|item| self.copy(item, Some(list))).collect();
                self.node_mut(list).data = Data::List(copies);
                list
            }
            Data::Map(entries) => {
                let map = self.add_map(parent, at);
                let copies = entries.iter().map(|(key, child)| (key.clone(), self.copy(*child, Some(map)))).collect();
                self.node_mut(map).data = Data::Map(copies);
                map
            }
        }
    }

    /// The value as written, interpolations left alone.
    pub(super) fn value(&self, id: Id) -> Value {
        match &self.node(id).data {
            Data::Scalar(scalar) => scalar.clone().into(),
            Data::List(items) => Value::List(items.iter().map(|id| self.value(*id)).collect()),
            Data::Map(map) => Value::Map(map.iter().map(|(k, id)| (k.clone(), self.value(*id))).collect()),
        }
    }

    /// The outermost node above this one.
    pub(super) fn root(&self, mut id: Id) -> Id {
        while let Some(parent) = self.node(id).parent {
            id = parent;
        }
        id
    }

    /// The node and everything above it.
    pub(super) fn ancestors(&self, id: Id) -> impl Iterator<Item = Id> {
        std::iter::successors(Some(id), |id| self.node(*id).parent)
    }

    /// The dotted path of a node, as OmegaConf writes it: `a.b[0].c`.
    pub(super) fn path(&self, id: Id) -> String {
        let mut steps: Vec<String> = Vec::new();
        let mut below = id;
        while let Some(parent) = self.node(below).parent {
            match &self.node(parent).data {
                Data::Map(map) => {
                    let key = map.iter().find(|(_, child)| *child == below);
                    steps.push(key.map_or_else(String::new, |(key, _)| format!(".{key}")));
                }
                Data::List(items) => {
                    let at = items.iter().position(|child| *child == below);
                    steps.push(at.map_or_else(String::new, |at| format!("[{at}]")));
                }
                Data::Scalar(_) => {}
            }
            below = parent;
        }
        let path: String = steps.into_iter().rev().collect();
        path.trim_start_matches('.').to_string()
    }
}

impl From<Scalar> for Value {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Null => Self::Null,
            Scalar::Bool(b) => Self::Bool(b),
            Scalar::Int(n) => Self::Int(n),
            Scalar::Float(f) => Self::Float(f),
            Scalar::Str(text) => Self::Str(text),
        }
    }
}

impl Item {
    /// A value from elsewhere (an override, a resolver) as an item at a place.
    pub(super) fn from_value(value: &Value, at: Place) -> Self {
        let data = match value {
            Value::Null => Loaded::Scalar(Scalar::Null),
            Value::Bool(b) => Loaded::Scalar(Scalar::Bool(*b)),
            Value::Int(n) => Loaded::Scalar(Scalar::Int(*n)),
            Value::Float(f) => Loaded::Scalar(Scalar::Float(*f)),
            Value::Str(text) => Loaded::Scalar(Scalar::Str(text.clone())),
            Value::List(items) => Loaded::List(items.iter().map(|item| Self::from_value(item, at)).collect()),
            Value::Map(map) => {
                Loaded::Map(map.iter().map(|(key, value)| (key.clone(), Self::from_value(value, at))).collect())
            }
        };
        Self { at, data }
    }
}

/// The steps of a dotted path with brackets: `a.b[c].d` is a, b, c, d.
pub(super) fn split_path(path: &str) -> Vec<String> {
    let head = path.find('[').unwrap_or(path.len());
    let dots = path.len() - path.trim_start_matches('.').len();
    let first_stop = path[dots..].find('.').map_or(head, |dot| (dots + dot).min(head)).max(dots.min(head));
    let mut steps: Vec<String> = path[..first_stop].split('.').map(ToString::to_string).collect();
    if first_stop == path.len() {
        return steps;
    }
    if path[first_stop..].starts_with('[') && steps.last().is_some_and(String::is_empty) {
        steps.pop();
    }
    let mut rest = &path[first_stop..];
    while let Some(start) = rest.find(['.', '[']) {
        if rest[start..].starts_with('.') {
            let from = start + 1;
            let end = rest[from..].find(['.', '[']).map_or(rest.len(), |at| from + at);
            steps.push(rest[from..end].to_string());
            rest = &rest[end..];
        } else if let Some(close) = rest[start..].find(']') {
            steps.push(rest[start + 1..start + close].to_string());
            rest = &rest[start + close + 1..];
        } else {
            rest = &rest[start + 1..];
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_split_as_omegaconf_splits_them() {
        for (path, steps) in [
            ("a.b", vec!["a", "b"]),
            ("a[b]", vec!["a", "b"]),
            ("[a].b", vec!["a", "b"]),
            ("a.b[c].d", vec!["a", "b", "c", "d"]),
            ("a[0][1]", vec!["a", "0", "1"]),
            ("", vec![""]),
            (".a", vec!["", "a"]),
        ] {
            assert_eq!(split_path(path), steps, "{path}");
        }
    }

    #[test]
    fn a_node_knows_its_path() {
        let mut tree = Tree::default();
        let item = super::super::yaml::load(b"a: {b: [1, {c: 2}]}\n", Place::default()).unwrap().unwrap();
        let root = tree.import(&item, None);
        let a = tree.child(root, "a").unwrap();
        let b = tree.child(a, "b").unwrap();
        let Data::List(items) = tree.node(b).data.clone() else { panic!() };
        let c = tree.child(items[1], "c").unwrap();
        assert_eq!(tree.path(c), "a.b[1].c");
    }
}
