//! The tree of defaults lists as one list of files, in the order in which they are merged.

use std::collections::HashSet;

use super::entry::{Entry, Kind};
use super::expand::{Branch, Child};
use crate::config::failure::{Failure, Place};

/// One file of the final list.
#[derive(Clone, Debug)]
pub(in crate::config) struct Expanded {
    /// Its path without `.yaml`.
    pub(in crate::config) path: String,
    /// The package that its content goes below; empty for the top.
    pub(in crate::config) package: String,
    /// Who includes it, nearest first.
    pub(in crate::config) chain: Vec<Place>,
    key: Option<String>,
}

/// Appends the files below a branch.
pub(super) fn flatten(branch: &Branch, chain: &[Place], flat: &mut Vec<Expanded>) {
    if branch.children.is_empty() {
        flat.extend(expanded(&branch.entry, chain));
        return;
    }
    let mut inner = vec![branch.entry.at];
    inner.extend_from_slice(chain);
    inner.retain(|at| at.source != 0);
    for child in &branch.children {
        match child {
            Child::Branch(branch) => flatten(branch, &inner, flat),
            Child::Leaf(entry) if entry.is_self() => flat.extend(expanded(&branch.entry, chain).map(|mut own| {
                own.key = None;
                own
            })),
            Child::Leaf(entry) => flat.extend(expanded(entry, &inner)),
        }
    }
}

fn expanded(entry: &Entry, chain: &[Place]) -> Option<Expanded> {
    if entry.deleted || entry.is_missing() || entry.name().is_none() {
        return None;
    }
    let key = matches!(entry.kind, Kind::Group { .. }).then(|| entry.override_key());
    let mut places = vec![entry.at];
    places.extend_from_slice(chain);
    places.retain(|at| at.source != 0);
    Some(Expanded { path: entry.config_path(), package: entry.final_package(true), chain: places, key })
}

/// A group may stand in the list once.
pub(super) fn duplicates(flat: &[Expanded]) -> Vec<Failure> {
    let mut seen = HashSet::new();
    let twice =
        flat.iter().filter_map(|one| one.key.as_ref().map(|key| (key, one))).filter(|(key, _)| !seen.insert(*key));
    twice
        .map(|(key, one)| {
            let failure =
                Failure::new("duplicate_group", format!("the group `{key}` stands twice in the final defaults list"));
            one.chain.first().map_or(failure.clone(), |at| failure.clone().at(*at).through(&one.chain[1..]))
        })
        .collect()
}
