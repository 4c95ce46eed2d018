//! `merge-driver`: what git calls to merge one state file. It works on the three files that git hands over and needs
//! no repository: in the middle of a merge nothing else can be relied on.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::repo::git::Git;
use crate::repo::store::Store;
use crate::state::merge::{self, How, Versions};
use crate::state::problem::Problems;

/// What git hands over.
#[derive(Clone, Debug)]
pub struct Request {
    /// The folder that the files' names are relative to.
    pub folder: PathBuf,
    /// The file with the common ancestor's version.
    pub base: String,
    /// The file with our version; the result is written there.
    pub ours: String,
    /// The file with their version.
    pub theirs: String,
    /// The path that is merged.
    pub path: String,
    /// What the versions are called.
    pub names: [String; 2],
    /// The length of conflict markers.
    pub marker: usize,
}

/// What came of a merge.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The path that was merged.
    pub path: String,
    /// Whether a person must decide.
    pub conflict: bool,
    /// What to know, a line each.
    pub notes: Vec<String>,
}

/// Merge one file.
///
/// # Errors
/// When a file cannot be read or written, or git fails.
pub fn run(request: &Request) -> Result<Outcome, Problems> {
    let store = Store::at(&request.folder);
    let read = |name: &str| store.read(name).map(Option::unwrap_or_default);
    let bytes = [read(&request.base)?, read(&request.ours)?, read(&request.theirs)?];
    let [base, ours, theirs] = &bytes;
    let done = |conflict, notes| Ok(Outcome { path: request.path.clone(), conflict, notes });
    match merge::how(&request.path) {
        How::Generated => {
            if base == ours {
                store.replace(&request.ours, theirs)?;
            }
            done(false, vec![format!("{}: one side is kept; git ar board render writes it anew", request.path)])
        }
        How::Once if base == ours => {
            store.replace(&request.ours, theirs)?;
            done(false, Vec::new())
        }
        How::Once if base == theirs || ours == theirs => done(false, Vec::new()),
        How::Once => Err(merge::two_records(&request.path).into()),
        how => {
            let [Ok(base), Ok(ours), Ok(theirs)] = bytes.each_ref().map(|b| std::str::from_utf8(b)) else {
                return lines(request).map(|(conflict, notes)| Outcome { path: request.path.clone(), conflict, notes });
            };
            let (conflict, notes) = match how {
                How::Tree => tree(request, &store, [base, ours, theirs])?,
                _ => text(request, &store, [base, ours, theirs])?,
            };
            done(conflict, notes)
        }
    }
}

/// Key by key, or line by line where a version is no state file.
fn tree(request: &Request, store: &Store, [base, ours, theirs]: [&str; 3]) -> Result<(bool, Vec<String>), Problems> {
    let names = [&*request.names[0], &*request.names[1]];
    let Some(merged) = merge::tree(&Versions { base, ours, theirs, names, marker: request.marker }) else {
        return lines(request);
    };
    store.replace(&request.ours, merged.text.as_bytes())?;
    if merged.conflicts.is_empty() {
        return Ok((false, Vec::new()));
    }
    let keys = merged.conflicts.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let mut notes = vec![format!("{}: both sides changed {keys}; the rest is merged", request.path)];
    if merged.conflicts.iter().any(|key| key == "steps") {
        notes.push("keep the steps and the phase of one side; the other's are taken again with git ar phase".into());
    }
    Ok((true, notes))
}

/// Line by line, generated regions apart.
fn text(request: &Request, store: &Store, versions: [&str; 3]) -> Result<(bool, Vec<String>), Problems> {
    let (agreed, differed) = merge::agree(&request.path, versions);
    let files = [&request.base, &request.ours, &request.theirs];
    for (file, text) in files.into_iter().zip(&agreed) {
        store.replace(file, text.as_bytes())?;
    }
    let (conflict, mut notes) = lines(request)?;
    if differed {
        let verb = if request.path == "README.md" { "git ar board render" } else { "git ar phase next" };
        notes.push(format!("{}: a generated region is one side's; {verb} writes it anew", request.path));
    }
    Ok((conflict, notes))
}

/// As git merges any text.
fn lines(request: &Request) -> Result<(bool, Vec<String>), Problems> {
    let files = [&*request.ours, &*request.base, &*request.theirs];
    let names = [&*request.names[0], &*request.names[1]];
    Ok((Git::at(&request.folder).merge_file(files, names, request.marker)?, Vec::new()))
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.notes.iter().try_for_each(|note| writeln!(f, "{note}"))
    }
}
