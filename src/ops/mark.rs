//! How a commit says that git-ar made it: by the trailers `AR-Verb` and `AR-Change`. The second is a digest of what the
//! commit changes, so that a commit that somebody amended since is told from one that is as git-ar made it.

use std::collections::BTreeMap;

use crate::state::tree::digest;

const VERB: &str = "AR-Verb";
const CHANGE: &str = "AR-Change";
/// Letters of the digest that a trailer holds.
const LETTERS: usize = 16;

/// The two trailers of a commit that sets these files.
pub(super) fn trailers(
    verb: &str,
    changed: &[String],
    files: &BTreeMap<String, Option<Vec<u8>>>,
) -> Vec<(&'static str, String)> {
    let files = changed.iter().filter_map(|path| files.get(path).map(|bytes| (path.as_str(), bytes.as_deref())));
    vec![(VERB, verb.to_string()), (CHANGE, change(files))]
}

/// The digest of a change: paths with their new bytes, none for a file that goes. How lines end does not count, for git
/// may have been told to change that.
pub(super) fn change<'a>(files: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>) -> String {
    let sorted: BTreeMap<&str, String> = files.map(|(path, bytes)| (path, bytes.map_or("-".into(), lines))).collect();
    let text: String = sorted.iter().map(|(path, digest)| format!("{digest} {path}\n")).collect();
    digest(text.as_bytes()).chars().take(LETTERS).collect()
}

fn lines(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.contains('\r') => digest(text.replace("\r\n", "\n").as_bytes()),
        _ => digest(bytes),
    }
}

/// What a commit's message says of its maker.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The verb.
    pub(super) verb: String,
    /// The digest of what it changed.
    pub(super) change: String,
}

/// The mark in a message; `None` when git-ar did not make the commit.
pub(super) fn read(message: &str) -> Option<Mark> {
    let last = message.trim_end().rsplit("\n\n").next()?;
    let value = |name: &str| {
        let found = last.lines().rev().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        found.map(|value| value.trim().to_string())
    };
    Some(Mark { verb: value(VERB)?, change: value(CHANGE)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_where_trailers_stand_and_nowhere_else() {
        let mark = Mark { verb: "phase".into(), change: "ab".into() };
        assert_eq!(read("a/1: x\n\nAR-Phase: y\nAR-Verb: phase\nAR-Change: ab\n"), Some(mark));
        assert_eq!(read("Squashed commit:\n\n    AR-Verb: phase\n    AR-Change: ab\n"), None);
        assert_eq!(read("AR-Verb: phase\nAR-Change: ab\n\nmore\n"), None);
        assert_eq!(read("a\n\nAR-Verb: phase\n"), None);
    }

    #[test]
    fn a_change_is_told_from_every_other() {
        let of = |files: &[(&'static str, Option<&'static [u8]>)]| change(files.iter().copied());
        assert_eq!(of(&[("a", Some(b"1\n")), ("b", None)]), of(&[("b", None), ("a", Some(b"1\r\n"))]));
        assert_ne!(of(&[("a", Some(b"1"))]), of(&[("a", Some(b"2"))]));
        assert_ne!(of(&[("a", Some(b"1"))]), of(&[("a", None)]));
        assert_ne!(of(&[("a", Some(b"1"))]), of(&[("a", Some(b"1")), ("b", Some(b"1"))]));
    }
}
