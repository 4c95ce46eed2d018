//! Objects of the database as the layers above want them: entries, bytes, and errors in one sentence.

use gix::ObjectId;
use gix::objs::TreeRefIter;

use crate::state::problem::{Kind, Problem};
use crate::state::tree::EntryKind;

/// One entry of a tree object.
#[derive(Clone, Debug)]
pub(super) struct RawEntry {
    /// The name's bytes.
    pub(super) name: Vec<u8>,
    /// What it is.
    pub(super) kind: EntryKind,
    /// Its object.
    pub(super) id: ObjectId,
}

/// The entries of a tree object in byte order of their names.
pub(super) fn entries(repo: &gix::Repository, tree: ObjectId) -> Result<Vec<RawEntry>, Problem> {
    let object = repo.find_object(tree).map_err(|error| missing(repo, tree, &error))?;
    if object.kind != gix::objs::Kind::Tree {
        return Err(damaged(tree, "is no tree"));
    }
    let mut found = Vec::new();
    for entry in TreeRefIter::from_bytes(&object.data, repo.object_hash()) {
        let entry = entry.map_err(|_| damaged(tree, "is a tree that cannot be decoded"))?;
        found.push(RawEntry {
            name: entry.filename.to_vec(),
            kind: kind(entry.mode.value().into()),
            id: entry.oid.to_owned(),
        });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// The bytes of a file's object.
pub(super) fn blob(repo: &gix::Repository, id: ObjectId) -> Result<Vec<u8>, Problem> {
    let mut object = repo.find_object(id).map_err(|error| missing(repo, id, &error))?;
    Ok(std::mem::take(&mut object.data))
}

/// What a mode of a tree or index stands for.
pub(super) fn kind(mode: u32) -> EntryKind {
    match mode & 0o170_000 {
        0o040_000 => EntryKind::Folder,
        0o120_000 => EntryKind::Symlink,
        0o160_000 => EntryKind::Gitlink,
        _ if mode & 0o111 != 0 => EntryKind::Executable,
        _ => EntryKind::File,
    }
}

/// A name as it is shown.
pub(super) fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// A failed read of `what`, with gix's reasons.
pub(super) fn explain(code: &'static str, what: &str, error: &gix::Error) -> Problem {
    Problem::new(Kind::Io, code, format!("{what} cannot be read: {}", chain(error)))
        .hint("git status   says what git makes of it")
}

/// An error and its causes on one line.
pub(super) fn chain(error: &gix::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in error.iter_errors() {
        let text = cause.to_string();
        if !texts.iter().any(|seen| seen.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

/// Whether the system could not read what is there; a file that is missing is no such case.
pub(super) fn is_unreadable(error: &gix::Error) -> bool {
    let text = chain(error);
    text.contains("(os error ") && !text.contains("(os error 2)")
}

/// An object that is not there: normal in a partial clone, damage elsewhere.
fn missing(repo: &gix::Repository, id: ObjectId, error: &gix::Error) -> Problem {
    if !error.is_not_found() {
        return explain("object", &format!("The object {id}"), error);
    }
    let problem = Problem::new(Kind::Io, "object-missing", format!("The object {id} is not in this repository"));
    if repo.config_snapshot().string("extensions.partialClone").is_some() {
        return problem.hint("git fetch --refetch --no-filter (this is a partial clone)");
    }
    problem.hint("git fsck")
}

/// An object that is not what it should be.
fn damaged(id: ObjectId, what: &str) -> Problem {
    Problem::new(Kind::Io, "object-damaged", format!("The object {id} {what}")).hint("git fsck")
}
