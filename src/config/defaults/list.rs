//! A `defaults:` item to entries.

use super::entry::{Choice, Entry, Kind};
use crate::config::failure::Failure;
use crate::config::scalar::Scalar;
use crate::config::yaml::{Data, Item};

/// The entries of a defaults list.
pub(super) fn entries(defaults: &Item) -> Result<Vec<Entry>, Failure> {
    let items = match &defaults.data {
        Data::List(items) => items,
        Data::Scalar(Scalar::Str(text)) if text == "???" => return Ok(Vec::new()),
        other => {
            let message = format!("a defaults list is a list, not {}", word(other));
            return Err(Failure::new("bad_defaults_list", message).at(defaults.at));
        }
    };
    items.iter().map(entry).collect()
}

fn word(data: &Data) -> &'static str {
    match data {
        Data::Map(_) => "a mapping",
        Data::List(_) => "a list",
        Data::Scalar(Scalar::Null) => "null",
        Data::Scalar(_) => "a single value",
    }
}

fn entry(item: &Item) -> Result<Entry, Failure> {
    let bad = |message: String| Failure::new("bad_defaults_list", message).at(item.at);
    match &item.data {
        Data::Scalar(Scalar::Str(path)) => {
            let (path, package) = split_package(path);
            Entry::config(path, package, item.at)
        }
        Data::Map(map) if map.len() == 1 => {
            let (key, value) = map.iter().next().expect("the mapping has one entry");
            let key = key.as_str().ok_or_else(|| bad(format!("the group `{key}` must be text")))?;
            group(key, value)
        }
        Data::Map(map) if map.is_empty() => Err(bad("an entry without a group".into())),
        Data::Map(map) => {
            let keys: Vec<String> = map.keys().map(|k| format!("`{k}`")).collect();
            let hint = "give each group an entry of its own, with a `-` before it";
            Err(bad(format!("one entry of a defaults list names {}", keys.join(" and "))).hint(hint))
        }
        other => Err(bad(format!("an entry of a defaults list is a name or `group: option`, not {}", word(other)))),
    }
}

fn group(key: &str, value: &Item) -> Result<Entry, Failure> {
    let bad = |message: String| Failure::new("bad_defaults_list", message).at(value.at);
    let (words, package) = split_package(key);
    let mut words: Vec<&str> = words.split(' ').collect();
    let name = words.pop().unwrap_or_default();
    if name.is_empty() {
        return Err(bad("an entry without a group".into()));
    }
    let choice = match &value.data {
        Data::Scalar(Scalar::Null) => Choice::Null,
        Data::Scalar(Scalar::Str(option)) => Choice::Name(option.clone()),
        Data::List(items) => Choice::Names(items.iter().map(option).collect::<Result<_, _>>()?),
        Data::Scalar(_) => {
            return Err(bad(format!("the option of `{name}` must be text")).hint("quote the option"));
        }
        other => return Err(bad(format!("the option of `{name}` may not be {}", word(other)))),
    };
    let mut entry = Entry::group(name, choice, package, value.at);
    for keyword in words {
        match (keyword, &mut entry.kind) {
            ("optional", _) => entry.optional = true,
            ("override", Kind::Group { overrides, .. }) => *overrides = true,
            _ => break,
        }
    }
    Ok(entry)
}

fn option(item: &Item) -> Result<String, Failure> {
    match &item.data {
        Data::Scalar(Scalar::Str(option)) => Ok(option.clone()),
        _ => Err(Failure::new("bad_defaults_list", "the options of a group must be text").at(item.at)),
    }
}

/// `group@package` apart; what stands behind a `:` in the package is dropped, as Hydra does.
fn split_package(text: &str) -> (&str, Option<&str>) {
    match text.split_once('@') {
        None => (text, None),
        Some((group, package)) => (group, Some(package.split_once(':').map_or(package, |(first, _)| first))),
    }
}
