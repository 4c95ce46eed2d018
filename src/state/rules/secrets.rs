//! Secrets stay out: `.env` files, private keys and keys of services are refused wherever they are staged.

use super::Case;
use crate::state::problem::{Kind, Problem};
use crate::state::tree::EntryKind;

/// Larger files are data, not keys.
const LOOKED_AT: usize = 64 << 10;

/// What is secret among the files that were added or changed.
pub(super) fn check(case: &Case<'_>) -> Result<Vec<Problem>, Problem> {
    let mut found = Vec::new();
    for change in case.changes {
        if !matches!(change.after, Some((EntryKind::File | EntryKind::Executable, _))) {
            continue;
        }
        let (what, line) = match is_environment(&change.path) {
            true => ("an environment file, which holds credentials", None),
            false => match in_text(case, &change.path)? {
                Some((what, line)) => (what, Some(line)),
                None => continue,
            },
        };
        let problem = Problem::new(Kind::Refused, "secret", format!("{what}, would become part of the history"));
        let fix = match what {
            KEY => "take it out and read it from the environment; a key that was ever pushed is to be revoked".into(),
            _ => format!("git rm --cached -- {}   (the file stays; add it to .gitignore)", change.path),
        };
        found.push(problem.at(&change.path).line(line).hint(fix));
    }
    Ok(found)
}

/// `.env` and `.env.local`, but not the example that a repository shows.
fn is_environment(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let shown = [".env.example", ".env.sample", ".env.template"];
    (name == ".env" || name.starts_with(".env.")) && !shown.contains(&name)
}

/// What is secret in a file, and in which line.
fn in_text(case: &Case<'_>, path: &str) -> Result<Option<(&'static str, u32)>, Problem> {
    let Some(bytes) = case.after.read(path)? else { return Ok(None) };
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(LOOKED_AT)]);
    // Programs and prose speak of private keys; a service's key in them is the key itself.
    let source = [".rs", ".md", ".py"].iter().any(|ending| path.ends_with(ending));
    let private =
        |line: &str| !source && line.starts_with("-----BEGIN ") && line.trim_end().ends_with("PRIVATE KEY-----");
    let what = |line: &str| match line {
        line if private(line) => Some("a private key"),
        line => is_key(line).then_some(KEY),
    };
    Ok(head.lines().zip(1..).find_map(|(line, number)| Some((what(line)?, number))))
}

const KEY: &str = "a key of a service";

/// The first line (from 1) of a text that holds a service's key.
#[must_use]
pub fn key_in(text: &str) -> Option<usize> {
    text.lines().position(is_key).map(|at| at + 1)
}

/// What keys begin with at services that mark theirs, and how many letters and digits follow at least.
const MARKED: [(&str, usize); 7] =
    [("ghp_", 36), ("github_pat_", 50), ("glpat-", 20), ("hf_", 30), ("AKIA", 16), ("xoxb-", 40), ("wandb_v1_", 30)];

/// A line that holds a service's key: a marked one, or 40 hexadecimal digits that are given to a name for keys.
fn is_key(line: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut words = line.split(|c| !word(c)).filter(|w| w.len() >= 20);
    let marked = |w: &str| {
        let rest = |(mark, least): &(&str, usize)| w.strip_prefix(mark).is_some_and(|rest| rest.len() >= *least);
        MARKED.iter().any(rest)
    };
    let hexadecimal = |w: &str| w.len() == 40 && w.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    words.any(|w| marked(w) || (hexadecimal(w) && line.find(w).is_some_and(|at| names_a_key(&line[..at]))))
}

/// Whether what stands before a value names it as a key: `WANDB_API_KEY=`, `"token": "`, `environ["X_SECRET"] = "`.
fn names_a_key(before: &str) -> bool {
    let name = before.trim_end_matches(|c: char| c.is_whitespace() || "=:\"'[](),".contains(c)).to_ascii_lowercase();
    let assigned = before[name.len()..].contains(['=', ':']);
    assigned && ["api_key", "apikey", "api-key", "token", "secret", "password"].iter().any(|word| name.ends_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_digests_and_words() {
        let hex = "0f".repeat(20);
        for line in [
            format!("WANDB_API_KEY={hex}"),
            format!("export WANDB_API_KEY='{hex}'"),
            format!("  api_key: \"{hex}\"  # mine"),
            format!("os.environ[\"WANDB_API_KEY\"] = \"{hex}\""),
            format!("{{\"token\": \"{hex}\"}}"),
            format!("git clone https://me:ghp_{}@host/x", "a1".repeat(18)),
            format!("key = hf_{}", "aB3".repeat(11)),
        ] {
            assert!(is_key(&line), "{line}");
        }
        for line in [
            format!("commit: {hex}"),
            format!("anchor: {{commit: {hex}, code_tree: x}}"),
            "WANDB_API_KEY=${oc.env:WANDB_API_KEY}".to_string(),
            "api_key: \"\"".to_string(),
            format!("the token {hex} is no key"),
            format!("token_digest: {}", "0f".repeat(32)),
            "hf_home: /data".to_string(),
        ] {
            assert!(!is_key(&line), "{line}");
        }
    }
}
