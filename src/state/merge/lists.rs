//! What makes an item of a list the same item in two versions of it.

use super::parts::Part;
use crate::state::yaml::{Node, Value};

/// Lists whose items are told apart by some of their keys, with the keys; by their own text when there are none. A
/// list that is not here is one value: its order may matter.
const LISTS: [(&[&str], &[&str]); 12] = [
    (&["plan"], &["experiment", "overrides"]),
    (&["waivers"], &["gate"]),
    (&["next"], &[]),
    (&["display", "footnotes", "*"], &[]),
    (&["references"], &["key"]),
    (&["ladder"], &["step"]),
    (&["ladder", "iterations"], &[]),
    (&["cites"], &[]),
    (&["code"], &[]),
    (&["reported"], &["project", "iteration", "label"]),
    (&["reported", "footnotes"], &[]),
    (&["findings"], &[]),
];

/// The identity of each item of the list at a path; `None` when the list is one value.
pub(super) fn identities(path: &[String], items: &[Part]) -> Option<Vec<String>> {
    let fits = |known: &[&str]| {
        known.len() == path.len() && known.iter().zip(path).all(|(known, key)| *known == "*" || known == key)
    };
    let (_, keys) = LISTS.iter().find(|(known, _)| fits(known))?;
    items.iter().map(|item| identity(&item.node, keys)).collect()
}

fn identity(node: &Node, keys: &[&str]) -> Option<String> {
    if keys.is_empty() {
        return node.text().map(str::to_string);
    }
    let said: Vec<String> = keys.iter().map(|key| node.get(key).map_or_else(String::new, shown)).collect();
    (!said[0].is_empty()).then(|| said.join("\u{0}"))
}

/// A value as text that differs where the value does.
fn shown(node: &Node) -> String {
    match &node.value {
        Value::Scalar { text, .. } => text.clone(),
        Value::List(items) => items.iter().map(|item| format!("{}\u{1}", shown(item))).collect(),
        Value::Map(entries) => entries.iter().map(|(k, v)| format!("{}\u{2}{}\u{1}", shown(k), shown(v))).collect(),
    }
}

/// Whether two values are the same, wherever they stand.
pub(super) fn same(a: &Node, b: &Node) -> bool {
    a.tag == b.tag
        && match (&a.value, &b.value) {
            (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
            (Value::Map(a), Value::Map(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(&a.0, &b.0) && same(&a.1, &b.1))
            }
            (a, b) => a == b,
        }
}

/// Whether the items of `short` are the first ones of `long`.
pub(super) fn begins_with(long: &[Part], short: &[Part]) -> bool {
    short.len() <= long.len() && short.iter().zip(long).all(|(a, b)| same(&a.node, &b.node))
}
