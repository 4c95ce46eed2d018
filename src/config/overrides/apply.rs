//! Value overrides applied to a config whose keys are closed: set, add, force, delete.

use super::{Given, Op, Override};
use crate::config::builtin::takes_any_key;
use crate::config::failure::Failure;
use crate::config::interpolate::{Found, Resolver};
use crate::config::map::Key;
use crate::config::merge::{Keys, merge, unknown_key};
use crate::config::number::parse_int;
use crate::config::source::check;
use crate::config::tree::{Data, Id};
use crate::config::value::Value;
use crate::config::yaml::Item;

/// Applies one override below `root`.
pub(in crate::config) fn apply(resolver: &mut Resolver<'_, '_>, root: Id, one: &Override) -> Result<(), Failure> {
    let result = match &one.package {
        Some(_) => {
            let message =
                format!("`{}` looks like a choice for a group, but there is no group `{}`", one.line, one.key);
            Err(Failure::new("group_does_not_exist", message))
        }
        None => run(resolver, root, one),
    };
    result.map_err(|failure| failure.at(one.at))
}

fn run(resolver: &mut Resolver<'_, '_>, root: Id, one: &Override) -> Result<(), Failure> {
    if one.op == Op::Delete {
        return delete(resolver, root, one);
    }
    let Some(Given::One(literal)) = &one.given else { return Ok(()) };
    let item = Item::from_value(&literal.value(), one.at);
    check(&item)?;
    let container = matches!(literal.value(), Value::List(_) | Value::Map(_));
    if one.op == Op::Add && !container && current(resolver, root, &one.key)?.is_some() {
        let message = format!("`{}` has a value already, so `{}` cannot add it", one.key, one.line);
        let hint = format!("to change it: {}; to set it either way: +{}", &one.line[1..], one.line);
        return Err(Failure::new("key_exists", message).hint(hint));
    }
    let keys = if one.op == Op::Change { Keys::Closed } else { Keys::Open };
    update(resolver, root, &one.key, &item, keys)
}

/// The value at a key; none when it is absent, null or missing.
fn current(resolver: &mut Resolver<'_, '_>, root: Id, key: &str) -> Result<Option<Value>, Failure> {
    let found = match resolver.select(root, key, false) {
        Ok(found) => found,
        Err(failure) if failure.category == "interpolation_not_a_container" => None,
        Err(failure) => return Err(failure),
    };
    let value = found.map(|found| match found {
        Found::Value(value) => value,
        Found::Node(id) => resolver.value(id, &mut Vec::new()),
    });
    Ok(value.filter(|value| !matches!(value, Value::Null) && value.as_str() != Some("???")))
}

/// Sets or merges a value at a dotted key; what stands in the way on the path is replaced by a mapping.
fn update(resolver: &mut Resolver<'_, '_>, root: Id, key: &str, item: &Item, keys: Keys) -> Result<(), Failure> {
    let steps: Vec<&str> = key.split('.').collect();
    let (last, before) = steps.split_last().expect("a split gives at least one step");
    let mut at = root;
    for step in before {
        at = match child(resolver, at, step)? {
            Some(next) if resolver.tree.is_container(next) => next,
            known => {
                if known.is_none() {
                    must_be_open(resolver, at, step, keys)?;
                }
                let map = resolver.tree.add_map(Some(at), item.at);
                put(resolver, at, step, map)?;
                map
            }
        };
    }
    let known = child(resolver, at, last)?;
    if known.is_none() {
        must_be_open(resolver, at, last, keys)?;
    }
    let is_container = !matches!(item.data, crate::config::yaml::Data::Scalar(_));
    match known {
        Some(node) if is_container && resolver.tree.is_container(node) => merge(resolver, node, item, keys),
        _ => {
            let node = resolver.tree.import(item, Some(at));
            put(resolver, at, last, node)
        }
    }
}

fn must_be_open(resolver: &Resolver<'_, '_>, at: Id, step: &str, keys: Keys) -> Result<(), Failure> {
    if keys == Keys::Open
        || takes_any_key(&resolver.tree.path(at))
        || matches!(resolver.tree.node(at).data, Data::List(_))
    {
        return Ok(());
    }
    Err(unknown_key(resolver, at, &Key::from(step)))
}

fn child(resolver: &Resolver<'_, '_>, at: Id, step: &str) -> Result<Option<Id>, Failure> {
    match &resolver.tree.node(at).data {
        Data::Map(map) => Ok(map.get_str(step).copied()),
        Data::List(items) => Ok(usize::try_from(index(step)?).ok().and_then(|i| items.get(i)).copied()),
        Data::Scalar(_) => Ok(None),
    }
}

fn index(step: &str) -> Result<i128, Failure> {
    parse_int(step).ok_or_else(|| Failure::new("list_index", format!("`{step}` is not an index of a list")))
}

fn put(resolver: &mut Resolver<'_, '_>, at: Id, step: &str, node: Id) -> Result<(), Failure> {
    let path = resolver.tree.path(at);
    match &mut resolver.tree.node_mut(at).data {
        Data::Map(_) => resolver.tree.set(at, Key::from(step), node),
        Data::List(items) => {
            let length = items.len();
            let slot = usize::try_from(index(step)?).ok().and_then(|i| items.get_mut(i));
            let message = || format!("`{path}` has {length} items, so there is none at {step}");
            *slot.ok_or_else(|| Failure::new("list_index", message()))? = node;
        }
        Data::Scalar(_) => {}
    }
    Ok(())
}

fn delete(resolver: &mut Resolver<'_, '_>, root: Id, one: &Override) -> Result<(), Failure> {
    let key = &one.key;
    let Some(value) = current(resolver, root, key)? else {
        return Err(Failure::new("delete_missing_key", format!("cannot delete `{key}`: it is not there")));
    };
    if let Some(expected) = one.value()
        && expected != Value::Null
        && !same(&expected, &value)
    {
        let message = format!("cannot delete `{key}`: it is {}, not {}", value.python_str(), expected.python_str());
        return Err(Failure::new("delete_value_mismatch", message));
    }
    let (folder, last) = key.rsplit_once('.').unwrap_or(("", key));
    let Some(Found::Node(at)) = resolver.select(root, folder, false)? else { return Ok(()) };
    match &mut resolver.tree.node_mut(at).data {
        Data::Map(map) => {
            map.remove(&Key::from(last));
            Ok(())
        }
        _ => {
            let message = format!("cannot delete `{key}`: items of a list cannot be deleted one by one");
            Err(Failure::new("list_index", message).hint(format!("set the whole list: {folder}=[…]")))
        }
    }
}

/// Python's equality: numbers and booleans compare by value.
fn same(a: &Value, b: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Int(n) => Some(*n as f64),
        Value::Float(f) => Some(*f),
        _ => None,
    };
    match (a, b) {
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        },
    }
}
