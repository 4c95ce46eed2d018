//! Files as one tar archive, for a site on which nothing of ours is installed.

use std::io;

use super::snapshot::{self, MANIFEST};
use crate::state::problem::{Kind, Problem};
use crate::state::tree::{EntryKind, Tree, digest};

/// The code of a tree, packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The archive: every file, and the manifest.
    pub tar: Vec<u8>,
    /// The manifest's text.
    pub manifest: String,
    /// Its digest.
    pub digest: String,
}

/// Packs the code of a tree: what a snapshot of it holds. The same tree gives the same bytes.
///
/// # Errors
/// [`Kind::Refused`] for a name or a kind of file that no snapshot can hold.
pub fn code(tree: &dyn Tree, roots: &[String]) -> Result<Packed, Problem> {
    let code = snapshot::collect(tree, roots)?;
    let own = (MANIFEST.to_string(), EntryKind::File, code.manifest.clone().into_bytes());
    let tar = pack(code.files.iter().chain([&own]));
    Ok(Packed {
        tar: tar.map_err(|e| unpacked(&e))?,
        digest: digest(code.manifest.as_bytes()),
        manifest: code.manifest,
    })
}

/// The manifest of a tree's code and its digest, without the archive.
///
/// # Errors
/// As [`code`].
pub fn manifest(tree: &dyn Tree, roots: &[String]) -> Result<(String, String), Problem> {
    let manifest = snapshot::collect(tree, roots)?.manifest;
    let digest = digest(manifest.as_bytes());
    Ok((manifest, digest))
}

/// Packs a few plain files.
///
/// # Errors
/// [`Kind::Io`] for a name that no archive can hold.
pub fn files(named: &[(String, String)]) -> Result<Vec<u8>, Problem> {
    let files: Vec<_> =
        named.iter().map(|(name, text)| (name.clone(), EntryKind::File, text.clone().into_bytes())).collect();
    pack(files.iter()).map_err(|e| unpacked(&e))
}

fn pack<'a>(files: impl Iterator<Item = &'a (String, EntryKind, Vec<u8>)>) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, kind, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mtime(0);
        header.set_mode(if *kind == EntryKind::Executable { 0o755 } else { 0o644 });
        if *kind == EntryKind::Symlink {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            archive.append_link(&mut header, path, String::from_utf8_lossy(bytes).as_ref())?;
        } else {
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, path, bytes.as_slice())?;
        }
    }
    archive.into_inner()
}

fn unpacked(error: &io::Error) -> Problem {
    Problem::new(Kind::Io, "archive", format!("the files cannot be packed for the site: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tree::MemoryTree;

    #[test]
    fn what_tar_unpacks_is_the_snapshot() {
        let long = format!("{}x.py", "deep/".repeat(60));
        let mut tree = MemoryTree::default().with("train.py", "print(1)\n").with(&long, "x\n").with("a b'c.txt", "");
        tree.0.insert("run.sh".into(), (EntryKind::Executable, b"#!/bin/sh\n".to_vec()));
        tree.0.insert("data".into(), (EntryKind::Symlink, b"./a/../nowhere".to_vec()));
        let packed = code(&tree.with("README.md", "prose"), &[]).unwrap();
        let place = tempfile::tempdir().unwrap();
        let archive = place.path().join("a.tar");
        std::fs::write(&archive, &packed.tar).unwrap();
        let top = place.path().join("top");
        std::fs::create_dir(&top).unwrap();
        let done = std::process::Command::new("tar").current_dir(&top).arg("-xof").arg(&archive).status().unwrap();
        assert!(done.success());
        assert_eq!(snapshot::attest(&top).unwrap(), packed.digest);
        assert_eq!(std::fs::read_to_string(top.join(MANIFEST)).unwrap(), packed.manifest);
        assert_eq!(std::fs::read_link(top.join("data")).unwrap(), std::path::Path::new("./a/../nowhere"));
    }
}
