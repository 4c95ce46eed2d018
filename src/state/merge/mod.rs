//! Three versions of a file into one: how two branches' changes of a state file come together.
//!
//! A state file is merged key by key and, where a list's items have an identity, item by item, as text: comments,
//! order, quoting and keys that this version does not know stay as they were written. What two branches changed in
//! two ways becomes a conflict with git's markers; nothing is guessed.

mod lists;
mod parts;
mod regions;
mod three_way;

pub use regions::agree;

use crate::state::load;
use crate::state::problem::{Kind, Problem};
use crate::state::rules::FileKind;
use crate::state::yaml::Node;

/// How the versions of a file are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Key by key.
    Tree,
    /// Not at all: it is written once, so two versions are two different files.
    Once,
    /// By taking one: it is rendered anew.
    Generated,
    /// Line by line, generated regions apart.
    Text,
}

/// How the file at a path is merged.
#[must_use]
pub fn how(path: &str) -> How {
    match FileKind::of(path) {
        _ if path.starts_with("leaderboard/") => How::Generated,
        FileKind::Run | FileKind::RunConfig | FileKind::Metrics => How::Once,
        FileKind::Text => How::Text,
        FileKind::Other if path.starts_with("configs/cluster/") => How::Tree,
        FileKind::Other => How::Text,
        _ => How::Tree,
    }
}

/// The three versions, and how a conflict is written.
#[derive(Clone, Copy, Debug)]
pub struct Versions<'a> {
    /// What both come from; empty when both made the file.
    pub base: &'a str,
    /// The version that is merged into.
    pub ours: &'a str,
    /// The version that is merged.
    pub theirs: &'a str,
    /// What the two are called in a conflict.
    pub names: [&'a str; 2],
    /// The length of a conflict's markers.
    pub marker: usize,
}

/// What came of a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The file's text, with markers where there are conflicts.
    pub text: String,
    /// The keys that both changed in different ways.
    pub conflicts: Vec<String>,
}

/// The three versions of a state file as one; `None` when one of them is not what a state file is, so that only its
/// lines can be merged.
#[must_use]
pub fn tree(versions: &Versions<'_>) -> Option<Merged> {
    let windows = versions.ours.contains("\r\n");
    let clean = |text: &str| text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let (base, ours, theirs) = (clean(versions.base), clean(versions.ours), clean(versions.theirs));
    let sides = [side(&ours, versions.names[0])?, side(&theirs, versions.names[1])?];
    let mut merged = three_way::merge(&base, &ours, &theirs, &sides, versions.marker)?;
    if merged.conflicts.is_empty() {
        read(&merged.text)?;
    }
    if windows {
        merged.text = merged.text.replace('\n', "\r\n");
    }
    if versions.ours.starts_with('\u{feff}') {
        merged.text.insert(0, '\u{feff}');
    }
    Some(merged)
}

/// A side's name, with the phase that an iteration is in there.
fn side(text: &str, name: &str) -> Option<String> {
    let node = read(text)?;
    Some(match node.get("phase").and_then(Node::text) {
        Some(phase) => format!("{name}: phase {}", crate::state::text::printable(phase)),
        None => name.to_string(),
    })
}

fn read(text: &str) -> Option<Node> {
    crate::state::yaml::parse(text.as_bytes(), crate::state::yaml::Limits::default()).ok()?
}

/// The refusal of two versions of a record that is written once.
#[must_use]
pub fn two_records(path: &str) -> Problem {
    let run = load::run_of_path(path).map_or_else(|| "a run".to_string(), |(_, id)| format!("run {id}"));
    let message = format!("{run} has two different records here; each is written once and never changed");
    Problem::new(Kind::Found, "two-records", message)
        .at(path)
        .hint(format!("keep one: git checkout --ours {path} (or --theirs), then git add {path}"))
}

#[cfg(test)]
mod tests;
