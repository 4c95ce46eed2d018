//! The files that a job runs from: a read-only copy of the anchor's code tree, with a manifest of hashes.
//!
//! A snapshot belongs to a code tree, so every run of that code shares it. Its manifest has one line per file,
//! `MODE SHA-256  PATH` in byte order of the paths; the digest of the manifest stands in `run.yaml`, and is
//! computed again from the files that are really there whenever a job starts.

use std::path::{Path, PathBuf};

use super::scratch;
use crate::repo::code::is_code;
use crate::repo::{DiskTree, effect};
use crate::state::problem::{Kind, Problem};
use crate::state::tree::{EntryKind, Tree, digest, files};

/// The manifest's file in a snapshot.
pub const MANIFEST: &str = ".ar-manifest";

/// A snapshot that is in place and whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Where it lies.
    pub folder: PathBuf,
    /// The digest of its manifest.
    pub manifest: String,
    /// Why an older copy was put aside, when that happened.
    pub replaced: Option<PathBuf>,
}

/// The files that are in `tree` and belong to the code tree, with their manifest.
pub(super) struct Files {
    pub(super) files: Vec<(String, EntryKind, Vec<u8>)>,
    pub(super) manifest: String,
}

/// Whether a path belongs to the code tree. `roots` are files and folders; all code counts when there are none.
#[must_use]
pub fn counts(path: &str, roots: &[String]) -> bool {
    let inside = |root: &String| {
        path.strip_prefix(root.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    is_code(path) && (roots.is_empty() || roots.iter().any(inside))
}

/// The snapshot of a tree's code in `folder`: made when it is not there, verified when it is. A copy that was
/// changed since is put aside, never used and never deleted.
pub fn provide(tree: &dyn Tree, roots: &[String], folder: &Path) -> Result<Snapshot, Problem> {
    let wanted = collect(tree, roots)?;
    let manifest = digest(wanted.manifest.as_bytes());
    let mut replaced = None;
    if folder.is_dir() {
        if attest(folder)? == manifest {
            return Ok(Snapshot { folder: folder.to_path_buf(), manifest, replaced });
        }
        replaced = Some(put_aside(folder)?);
    }
    let parent = folder.parent().expect("a snapshot lies in a folder");
    scratch::folder(parent)?;
    let aside = effect::temporary_name(parent);
    let written = effect::make_folder(&aside).map_err(|e| scratch::failed("make a folder in", parent, &e));
    if let Err(problem) = written.and_then(|()| write(&wanted, &aside)) {
        let _ = effect::remove_folders(&aside);
        return Err(problem);
    }
    if let Err(error) = effect::rename(&aside, folder) {
        // Somebody else was faster; theirs counts when it is whole.
        let _ = effect::remove_folders(&aside);
        if !folder.is_dir() || attest(folder)? != manifest {
            return Err(scratch::failed("make the snapshot", folder, &error));
        }
    }
    Ok(Snapshot { folder: folder.to_path_buf(), manifest, replaced })
}

/// The digest of the manifest of the files that are really in a snapshot's folder.
pub fn attest(folder: &Path) -> Result<String, Problem> {
    let there = collect_files(&DiskTree::new(folder), |path| path != MANIFEST)?;
    Ok(digest(there.manifest.as_bytes()))
}

/// The code of a tree, in byte order of the paths.
pub(super) fn collect(tree: &dyn Tree, roots: &[String]) -> Result<Files, Problem> {
    collect_files(tree, |path| counts(path, roots))
}

fn collect_files(tree: &dyn Tree, keep: impl Fn(&str) -> bool) -> Result<Files, Problem> {
    let mut found = Vec::new();
    for (path, entry) in files(tree, "")?.into_iter().filter(|(path, _)| keep(path)) {
        check(&path, entry.kind)?;
        let bytes = tree.read(&path)?.unwrap_or_default();
        found.push((path, entry.kind, bytes));
    }
    found.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
    let line =
        |(path, kind, bytes): &(String, EntryKind, Vec<u8>)| format!("{} {}  {path}\n", kind.mode(), digest(bytes));
    let manifest = found.iter().map(line).collect();
    Ok(Files { files: found, manifest })
}

/// A tree from outside may hold names that lead elsewhere, and things that are no files.
fn check(path: &str, kind: EntryKind) -> Result<(), Problem> {
    let refused = |message: String| Problem::new(Kind::Refused, "snapshot", message).at(path);
    let strange = |part: &str| matches!(part, "" | "." | "..") || part.eq_ignore_ascii_case(".git");
    if path.split('/').any(strange) || path == MANIFEST || path.contains(['\n', '\u{fffd}']) {
        return Err(refused("a snapshot cannot hold a file of this name".into()).hint("rename it and commit"));
    }
    if kind == EntryKind::Gitlink {
        let hint = "name the paths that a job needs under `code:` in configs/ar.yaml, without this one";
        return Err(refused("a submodule is no part of a snapshot".into()).hint(hint));
    }
    Ok(())
}

/// Writes the files, then the links, so that nothing is ever written through a link.
fn write(wanted: &Files, folder: &Path) -> Result<(), Problem> {
    let links = |kind: EntryKind| kind == EntryKind::Symlink;
    for (path, kind, bytes) in
        wanted.files.iter().filter(|f| !links(f.1)).chain(wanted.files.iter().filter(|f| links(f.1)))
    {
        let place = folder.join(path);
        scratch::folder(place.parent().expect("below the snapshot's folder"))?;
        let written = match kind {
            EntryKind::Symlink => effect::symlink(&String::from_utf8_lossy(bytes), &place),
            EntryKind::Executable => write_read_only(&place, bytes, 0o555),
            _ => write_read_only(&place, bytes, 0o444),
        };
        written.map_err(|e| scratch::failed("write", &place, &e))?;
    }
    let manifest = folder.join(MANIFEST);
    write_read_only(&manifest, wanted.manifest.as_bytes(), 0o444).map_err(|e| scratch::failed("write", &manifest, &e))
}

fn write_read_only(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let mut file = effect::create_new(path, 0o666)?;
    effect::write(&mut file, bytes)?;
    // A group may read a snapshot, whatever the umask says.
    effect::set_mode(path, mode)
}

fn put_aside(folder: &Path) -> Result<PathBuf, Problem> {
    let name = folder.file_name().and_then(|n| n.to_str()).expect("a digest");
    let free = (1..).map(|n| folder.with_file_name(format!("{name}.changed-{n}"))).find(|p| !p.exists());
    let aside = free.expect("numbers do not end");
    effect::rename(folder, &aside).map_err(|e| scratch::failed("put aside", folder, &e))?;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tree::MemoryTree;

    fn tree() -> MemoryTree {
        let mut tree = MemoryTree::default()
            .with("train.py", "print(1)\n")
            .with("src/net.py", "x = 1\n")
            .with("README.md", "prose")
            .with("projects/a/project.yaml", "schema: 1\n")
            .with("docs/a.txt", "prose");
        tree.0.insert("run.sh".into(), (EntryKind::Executable, b"#!/bin/sh\n".to_vec()));
        tree.0.insert("data".into(), (EntryKind::Symlink, b"/nowhere/at/all".to_vec()));
        tree
    }

    #[test]
    fn a_snapshot_holds_the_code_and_nothing_else() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("snapshots/abc");
        let made = provide(&tree(), &[], &folder).unwrap();
        assert_eq!(attest(&folder).unwrap(), made.manifest);
        let manifest = std::fs::read_to_string(folder.join(MANIFEST)).unwrap();
        assert_eq!(digest(manifest.as_bytes()), made.manifest);
        let names: Vec<&str> = manifest.lines().map(|l| l.split("  ").nth(1).unwrap()).collect();
        assert_eq!(names, ["data", "run.sh", "src/net.py", "train.py"]);
        let mode = |name: &str| folder.join(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("train.py"), mode("run.sh")), (0o444, 0o555));
        assert_eq!(provide(&tree(), &[], &folder).unwrap(), made);
        // Prose and records change nothing.
        let later = tree().with("projects/a/b.yaml", "1").with("docs/b.txt", "2").with("src/notes.md", "3");
        assert_eq!(provide(&later, &[], &folder).unwrap(), made);
        assert_eq!(collect(&tree(), &["src/".into()]).unwrap().files.len(), 1);
    }

    #[test]
    fn a_changed_copy_is_put_aside() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("abc");
        let made = provide(&tree(), &[], &folder).unwrap();
        std::fs::write(folder.join("src/added.py"), "y = 2\n").unwrap();
        let again = provide(&tree(), &[], &folder).unwrap();
        assert_eq!(again.manifest, made.manifest);
        assert!(again.replaced.unwrap().join("src/added.py").exists());
        assert!(!folder.join("src/added.py").exists());
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        let place = tempfile::tempdir().unwrap();
        for name in ["../x", "a/../../x", ".GIT/config", "a\nb"] {
            let problem = provide(&MemoryTree::default().with(name, "1"), &[], &place.path().join("s")).unwrap_err();
            assert_eq!(problem.kind, Kind::Refused, "{name}");
        }
        let mut tree = tree();
        tree.0.insert("lib".into(), (EntryKind::Gitlink, Vec::new()));
        assert!(provide(&tree, &[], &place.path().join("s")).unwrap_err().message.contains("submodule"));
        assert!(!place.path().join("s").exists());
    }
}
