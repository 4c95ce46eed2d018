//! Merging one config over another, as OmegaConf does.

use super::builtin::{join, takes_any_key};
use super::failure::Failure;
use super::interpolate::{Found, Resolver};
use super::map::Key;
use super::scalar::Scalar;
use super::tree::{Data, Id};
use super::yaml::{Data as Loaded, Item};

/// Whether a merge may bring new keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// Files and `+` may.
    Open,
    /// A plain override may not.
    Closed,
}

/// Merges `src` over the container `dest`.
pub(super) fn merge(resolver: &mut Resolver<'_, '_>, dest: Id, src: &Item, keys: Keys) -> Result<(), Failure> {
    match (&resolver.tree.node(dest).data, &src.data) {
        (Data::Map(_), Loaded::Map(entries)) => {
            entries.iter().try_for_each(|(key, item)| merge_key(resolver, dest, key, item, keys))
        }
        (Data::List(_), Loaded::List(items)) => {
            let ids = items.iter().map(|item| resolver.tree.import(item, Some(dest))).collect();
            let node = resolver.tree.node_mut(dest);
            (node.data, node.at) = (Data::List(ids), src.at);
            Ok(())
        }
        (Data::Map(_), _) => Err(conflict(resolver, dest, src, "a mapping", "a list")),
        _ => Err(conflict(resolver, dest, src, "a list", "a mapping")),
    }
}

fn conflict(resolver: &Resolver<'_, '_>, dest: Id, src: &Item, old: &str, new: &str) -> Failure {
    let path = resolver.tree.path(dest);
    let what = if path.is_empty() { "the config".to_string() } else { format!("`{path}`") };
    Failure::new("type_conflict", format!("{what} is {old} and cannot be merged with {new}")).at(src.at)
}

fn merge_key(resolver: &mut Resolver<'_, '_>, dest: Id, key: &Key, src: &Item, keys: Keys) -> Result<(), Failure> {
    let Data::Map(map) = &resolver.tree.node(dest).data else { return Ok(()) };
    let Some(mut child) = map.get(key).copied() else {
        if keys == Keys::Closed && !takes_any_key(&resolver.tree.path(dest)) {
            return Err(unknown_key(resolver, dest, key));
        }
        let child = resolver.tree.import(src, Some(dest));
        resolver.tree.set(dest, key.clone(), child);
        return Ok(());
    };
    // Merging over a reference to a mapping or list works on a copy of what it refers to.
    if resolver.tree.is_interpolation(child)
        && let Ok(Found::Node(target)) = resolver.dereference(child)
        && resolver.tree.is_container(target)
    {
        child = resolver.tree.copy(target, Some(dest));
        resolver.tree.set(dest, key.clone(), child);
    }
    let missing = matches!(&src.data, Loaded::Scalar(Scalar::Str(text)) if text == "???");
    if resolver.tree.is_container(child) && !matches!(src.data, Loaded::Scalar(_)) {
        return merge(resolver, child, src, keys);
    }
    if !missing {
        let new = resolver.tree.import(src, Some(dest));
        resolver.tree.set(dest, key.clone(), new);
    }
    Ok(())
}

/// A key that is not there may not be set without `+`.
pub(super) fn unknown_key(resolver: &Resolver<'_, '_>, dest: Id, key: &Key) -> Failure {
    let path = resolver.tree.path(dest);
    let full = join(&path, key);
    let known: Vec<String> = match &resolver.tree.node(dest).data {
        Data::Map(map) => map.keys().map(ToString::to_string).filter(|k| !path.is_empty() || k != "hydra").collect(),
        _ => Vec::new(),
    };
    let mut failure = Failure::new("key_not_in_config", format!("there is no key `{full}` in the config"));
    failure.hint =
        Some(format!("{}; to add a key, write +{full}=…", super::failure::meant(&key.to_string(), &known, "keys")));
    failure
}
