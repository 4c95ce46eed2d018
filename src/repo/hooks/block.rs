//! The marked block that a hook file gets and gives back, as bytes.

use std::path::Path;

use crate::state::problem::{Kind, Problem};

/// The hooks that git-ar has a part in, with the whole file for a repository that has none.
pub const SHIMS: [(&str, &str); 3] = [
    ("pre-commit", include_str!("../../../hooks/pre-commit")),
    ("pre-merge-commit", include_str!("../../../hooks/pre-merge-commit")),
    ("pre-push", include_str!("../../../hooks/pre-push")),
];

/// The hook of a repository that is pushed to, with its whole file.
pub const RECEIVE: (&str, &str) = ("pre-receive", include_str!("../../../hooks/pre-receive"));

const BEGIN: &[u8] = b"# >>> git-ar >>>\n";
pub(super) const END: &[u8] = b"# <<< git-ar <<<";
const OWN: &str = "# This file is git-ar's own.\n";
const SHELLS: [&str; 7] = ["sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"];

/// The whole hook file of ours.
pub(super) fn shim(name: &str, fallback: Option<&Path>) -> Result<String, Problem> {
    let Some((_, text)) = SHIMS.iter().chain([&RECEIVE]).find(|(known, _)| *known == name) else {
        let known = SHIMS.map(|(name, _)| name).join(", ");
        return Err(Problem::new(Kind::Usage, "unknown-hook", format!("git-ar has no part in a hook `{name}`"))
            .hint(format!("it has in {known}")));
    };
    let Some(fallback) = fallback else { return Ok((*text).to_string()) };
    let quoted = fallback.to_string_lossy().replace('\'', "'\\''");
    Ok(text.replacen("|| echo '')", &format!("|| echo '{quoted}')"), 1))
}

/// The block's place: from its first marker to the end of its last line.
pub(super) fn block(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let find = |what: &[u8], from: usize| bytes[from..].windows(what.len()).position(|w| w == what).map(|at| at + from);
    let start = find(BEGIN, 0)?;
    let end = find(END, start)? + END.len();
    Some(start..if bytes.get(end) == Some(&b'\n') { end + 1 } else { end })
}

/// A hook with the block of `shim` after its first line.
pub(super) fn with_block(bytes: &[u8], shim: &str) -> Vec<u8> {
    let shim = shim.replacen(OWN, "", 1);
    let ours = block(shim.as_bytes()).map_or("", |at| &shim[at]);
    let first = if bytes.starts_with(b"#!") { bytes.iter().position(|b| *b == b'\n') } else { None };
    match first {
        Some(at) => [&bytes[..=at], ours.as_bytes(), &bytes[at + 1..]].concat(),
        // A lone first line without its end: what is added at both ends of the block goes with it again.
        None if bytes.starts_with(b"#!") => [bytes, b"\n", ours.trim_end().as_bytes()].concat(),
        None => [ours.as_bytes(), bytes].concat(),
    }
}

/// A hook as it was before the block; empty for a file of ours that nobody added to; `None` without block.
pub(super) fn without_block(bytes: &[u8]) -> Option<Vec<u8>> {
    let at = block(bytes)?;
    let own = bytes[at.clone()].windows(OWN.len()).any(|w| w == OWN.as_bytes());
    let start = if at.end == bytes.len() && !bytes.ends_with(b"\n") { at.start.saturating_sub(1) } else { at.start };
    let rest = [&bytes[..start], &bytes[at.end..]].concat();
    Some(if own && rest == b"#!/bin/sh\n" { Vec::new() } else { rest })
}

/// Whether a POSIX shell runs the file: by its first line, or for want of one.
pub(super) fn is_shell(bytes: &[u8]) -> bool {
    let first = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    match std::str::from_utf8(first) {
        Ok(line) if line.starts_with("#!") => {
            let mut words = line[2..].split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
            words.any(|word| SHELLS.contains(&word))
        }
        _ => !bytes.contains(&0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_goes_in_and_out_without_a_trace() {
        let (_, shim) = SHIMS[0];
        let hooks: [&[u8]; 5] = [
            b"#!/bin/bash\nset -e\nexec other\n",
            b"echo no first line",
            b"#!/bin/sh",
            b"#!/bin/sh\n",
            b"#!/bin/sh\n\xff\n",
        ];
        for old in hooks {
            let new = with_block(old, shim);
            assert!(block(&new).is_some());
            assert_eq!(without_block(&new).unwrap(), old);
            assert_eq!(with_block(&without_block(&new).unwrap(), shim), new);
        }
        assert_eq!(without_block(shim.as_bytes()).unwrap(), b"");
        let extended = format!("{shim}echo mine\n");
        assert_eq!(without_block(extended.as_bytes()).unwrap(), b"#!/bin/sh\necho mine\n");
        assert_eq!(without_block(b"#!/bin/sh\n"), None);
    }

    #[test]
    fn shells_are_told_from_other_programs() {
        for shell in ["#!/bin/sh\n", "#! /usr/bin/env bash\n", "#!/usr/bin/env -S zsh -e\n", "echo\n"] {
            assert!(is_shell(shell.as_bytes()), "{shell}");
        }
        for other in ["#!/usr/bin/env python3\n", "#!/usr/bin/perl -w\n", "\u{7f}ELF\0\0"] {
            assert!(!is_shell(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn the_fallback_is_quoted() {
        let text = shim("pre-commit", Some(Path::new("/it's here/git-ar"))).unwrap();
        assert!(text.contains(r"|| echo '/it'\''s here/git-ar')"), "{text}");
        assert!(shim("post-commit", None).is_err());
    }
}
