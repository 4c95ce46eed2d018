//! Secrets stay out: `.env` files and private keys are refused wherever they are staged.

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
        let what = match is_environment(&change.path) {
            true => Some("an environment file, which holds credentials"),
            false => private_key(case, &change.path)?,
        };
        if let Some(what) = what {
            let problem = Problem::new(Kind::Refused, "secret", format!("{what}, would become part of the history"));
            let fix = format!("git rm --cached -- {}   (the file stays; add it to .gitignore)", change.path);
            found.push(problem.at(&change.path).hint(fix));
        }
    }
    Ok(found)
}

/// `.env` and `.env.local`, but not the example that a repository shows.
fn is_environment(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let shown = [".env.example", ".env.sample", ".env.template"];
    (name == ".env" || name.starts_with(".env.")) && !shown.contains(&name)
}

fn private_key(case: &Case<'_>, path: &str) -> Result<Option<&'static str>, Problem> {
    let source = [".rs", ".md", ".py"].iter().any(|ending| path.ends_with(ending));
    if source {
        return Ok(None);
    }
    let Some(bytes) = case.after.read(path)? else { return Ok(None) };
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(LOOKED_AT)]);
    let begins = |line: &str| line.starts_with("-----BEGIN ") && line.trim_end().ends_with("PRIVATE KEY-----");
    Ok(head.lines().any(begins).then_some("a private key"))
}
