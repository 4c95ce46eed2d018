//! Git's hooks: where they lie, and the marked block that a hook file gets and gives back.
//!
//! The block stands right after the first line, so that it runs whatever the rest of the file does, and the rest
//! still runs after it. `core.hooksPath` is honoured and never set.

use std::path::{Path, PathBuf};

use super::Repo;
use super::store::Store;
use crate::state::problem::{Kind, Problem};

/// The hooks that git-ar has a part in, with the whole file for a repository that has none.
pub const SHIMS: [(&str, &str); 3] = [
    ("pre-commit", include_str!("../../hooks/pre-commit")),
    ("pre-merge-commit", include_str!("../../hooks/pre-merge-commit")),
    ("pre-push", include_str!("../../hooks/pre-push")),
];

const BEGIN: &[u8] = b"# >>> git-ar >>>\n";
const END: &[u8] = b"# <<< git-ar <<<";
const OWN: &str = "# This file is git-ar's own.\n";
const SHELLS: [&str; 7] = ["sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"];

/// Where a repository's hooks lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hooks {
    /// The folder that git takes hooks from.
    pub folder: PathBuf,
    /// Whose folder it is.
    pub place: Place,
    /// The program that generates the hook files, when there is one.
    pub manager: Option<Manager>,
    top: PathBuf,
}

/// Whose folder the hooks lie in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The repository's `.git/hooks`, shared by its worktrees.
    Own,
    /// A folder of the work tree, by `core.hooksPath`.
    WorkTree,
    /// Somewhere else, by `core.hooksPath`: other repositories may use it too.
    Elsewhere,
}

/// A program that generates hook files and would overwrite a block in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// <https://pre-commit.com>.
    PreCommit,
    /// <https://lefthook.dev>.
    Lefthook,
    /// <https://typicode.github.io/husky>.
    Husky,
}

/// What is true of one hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no such hook.
    Absent,
    /// A hook without our block.
    Foreign,
    /// Our block is in it, and git runs it.
    Installed,
    /// Our block is in it, but the file is not executable, so git does not run it.
    Disabled,
    /// A hook manager runs git-ar from its own configuration.
    Managed,
}

impl Repo {
    /// Where git takes this repository's hooks from.
    ///
    /// # Errors
    /// [`Kind::Io`] when git cannot be asked.
    pub fn hooks(&self) -> Result<Hooks, Problem> {
        let said = self.git().text(&["rev-parse", "--git-path", "hooks"])?;
        let folder = normal(&self.top().join(said.trim_end_matches('\n')));
        let place = if folder == self.common_dir().join("hooks") {
            Place::Own
        } else if folder.starts_with(self.top()) && !folder.starts_with(self.common_dir()) {
            Place::WorkTree
        } else {
            Place::Elsewhere
        };
        let manager = manager(&folder)?;
        Ok(Hooks { folder, place, manager, top: self.top().to_path_buf() })
    }
}

impl Hooks {
    /// What is true of a hook.
    ///
    /// # Errors
    /// [`Kind::Io`] when the file cannot be read.
    pub fn state(&self, name: &str) -> Result<State, Problem> {
        use std::os::unix::fs::PermissionsExt as _;
        if let Some(manager) = self.manager {
            return Ok(if self.configured(manager, name)? { State::Managed } else { State::Foreign });
        }
        let Some(bytes) = self.read(name)? else { return Ok(State::Absent) };
        if block(&bytes).is_none() {
            return Ok(State::Foreign);
        }
        let mode = std::fs::metadata(self.folder.join(name)).map_or(0, |found| found.permissions().mode());
        Ok(if mode & 0o111 == 0 { State::Disabled } else { State::Installed })
    }

    /// Puts the block into a hook, making the hook where there is none. `fallback` is run where `git-ar` is not on
    /// the `PATH`. Returns whether anything changed.
    ///
    /// # Errors
    /// [`Kind::Refused`] when the folder is shared with other repositories, a manager owns the files, or the hook is
    /// not a shell script that git runs.
    pub fn install(&self, name: &str, fallback: Option<&Path>) -> Result<bool, Problem> {
        self.refuse_foreign_folder()?;
        let shim = shim(name, fallback)?;
        match self.read(name)? {
            None => self.store().replace_executable(name, shim.as_bytes()),
            Some(old) => {
                let bare = without_block(&old);
                if bare.as_deref() == Some(b"".as_slice()) {
                    return self.store().replace_executable(name, shim.as_bytes());
                }
                let bare = bare.unwrap_or(old);
                if self.state(name)? != State::Installed {
                    self.refuse_no_shell(name, &bare)?;
                }
                self.store().replace(name, &with_block(&bare, &shim))
            }
        }
    }

    /// Takes the block out of a hook, and the hook away when nothing else was ever in it. Returns whether anything
    /// changed.
    ///
    /// # Errors
    /// [`Kind::Refused`] when the folder is shared with other repositories, [`Kind::Io`] when it cannot be written.
    pub fn uninstall(&self, name: &str) -> Result<bool, Problem> {
        let Some(old) = self.read(name)? else { return Ok(false) };
        match without_block(&old) {
            None => Ok(false),
            Some(rest) if rest.is_empty() => self.store().remove(name),
            Some(rest) => self.store().replace(name, &rest),
        }
    }

    /// The lines that a manager's user adds to its configuration.
    #[must_use]
    pub fn manager_lines(manager: Manager) -> String {
        match manager {
            Manager::PreCommit => "\
# .pre-commit-config.yaml, under repos:, then: pre-commit install -t pre-commit -t pre-merge-commit -t pre-push
  - repo: local
    hooks:
      - {id: git-ar, name: git-ar, entry: git-ar hook run pre-commit, language: system, pass_filenames: false,
         always_run: true, stages: [pre-commit, pre-merge-commit]}
      - {id: git-ar-push, name: git-ar push, entry: git-ar hook run pre-push, language: system,
         pass_filenames: false, always_run: true, stages: [pre-push]}
"
            .to_string(),
            Manager::Lefthook => SHIMS
                .map(|(name, _)| {
                    let stdin = if name == "pre-push" { "\n      use_stdin: true" } else { "" };
                    format!("{name}:\n  commands:\n    git-ar:\n      run: git-ar hook run {name} {{0}}{stdin}\n")
                })
                .concat(),
            Manager::Husky => {
                SHIMS.map(|(name, _)| format!("# .husky/{name}\ngit-ar hook run {name} \"$@\"\n")).concat()
            }
        }
    }

    fn store(&self) -> Store {
        Store::at(&self.folder)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        self.store().read(name)
    }

    /// Whether the manager's own configuration calls git-ar for a hook.
    fn configured(&self, manager: Manager, name: &str) -> Result<bool, Problem> {
        let files: Vec<String> = match manager {
            Manager::PreCommit => vec![".pre-commit-config.yaml".into()],
            Manager::Lefthook => {
                let stems = ["lefthook", ".lefthook", "lefthook-local"];
                stems.iter().flat_map(|s| ["yml", "yaml", "toml", "json"].map(|e| format!("{s}.{e}"))).collect()
            }
            Manager::Husky => vec![format!(".husky/{name}")],
        };
        // The pre-commit framework runs one entry at commits and merges alike.
        let called = if manager == Manager::PreCommit && name == "pre-merge-commit" { "pre-commit" } else { name };
        let call = format!("git-ar hook run {called}");
        for file in files {
            let text = Store::at(&self.top).read(&file)?.unwrap_or_default();
            if String::from_utf8_lossy(&text).contains(&call) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn refuse_foreign_folder(&self) -> Result<(), Problem> {
        if let Some(manager) = self.manager {
            let message = format!("{manager} generates this repository's hooks and would overwrite a part of ours");
            let hint = format!("add to its configuration:\n{}", Self::manager_lines(manager));
            return Err(Problem::new(Kind::Refused, "hook-manager", message).hint(hint));
        }
        if self.place == Place::Elsewhere {
            let message = format!(
                "core.hooksPath is {}, outside this repository, where other repositories may use it too",
                self.folder.display()
            );
            let hint = "add the line `git-ar hook run pre-commit \"$@\" || exit $?` to the pre-commit there by hand, \
                        and likewise for pre-merge-commit and pre-push";
            return Err(Problem::new(Kind::Refused, "hooks-path", message).hint(hint));
        }
        Ok(())
    }

    fn refuse_no_shell(&self, name: &str, bytes: &[u8]) -> Result<(), Problem> {
        use std::os::unix::fs::PermissionsExt as _;
        let place = self.folder.join(name);
        let shown = place.strip_prefix(&self.top).unwrap_or(&place).display().to_string();
        if !is_shell(bytes) {
            return Err(Problem::new(Kind::Refused, "hook-not-shell", format!("the {name} hook is no shell script"))
                .at(shown)
                .hint(format!("let it call `git-ar hook run {name}` and fail when that fails")));
        }
        if std::fs::metadata(&place).is_ok_and(|found| found.permissions().mode() & 0o111 == 0) {
            let message = format!("the {name} hook is not executable, so git does not run it");
            return Err(Problem::new(Kind::Refused, "hook-disabled", message)
                .at(shown)
                .hint("chmod +x it if it shall run, or move it away, and repeat the command"));
        }
        Ok(())
    }
}

impl std::fmt::Display for Manager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::PreCommit => "pre-commit (the framework)",
            Self::Lefthook => "lefthook",
            Self::Husky => "husky",
        })
    }
}

/// The manager whose generated files lie in the folder.
fn manager(folder: &Path) -> Result<Option<Manager>, Problem> {
    if folder.ends_with(".husky/_") || folder.ends_with(".husky") {
        return Ok(Some(Manager::Husky));
    }
    for (name, _) in SHIMS {
        let bytes = Store::at(folder).read(name)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        if text.contains("File generated by pre-commit") {
            return Ok(Some(Manager::PreCommit));
        }
        if text.contains("call_lefthook") {
            return Ok(Some(Manager::Lefthook));
        }
    }
    Ok(None)
}

/// The whole hook file of ours.
fn shim(name: &str, fallback: Option<&Path>) -> Result<String, Problem> {
    let Some((_, text)) = SHIMS.iter().find(|(known, _)| *known == name) else {
        let known = SHIMS.map(|(name, _)| name).join(", ");
        return Err(Problem::new(Kind::Usage, "unknown-hook", format!("git-ar has no part in a hook `{name}`"))
            .hint(format!("it has in {known}")));
    };
    let Some(fallback) = fallback else { return Ok((*text).to_string()) };
    let quoted = fallback.to_string_lossy().replace('\'', "'\\''");
    Ok(text.replacen("|| echo '')", &format!("|| echo '{quoted}')"), 1))
}

/// The block's place: from its first marker to the end of its last line.
fn block(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let find = |what: &[u8], from: usize| bytes[from..].windows(what.len()).position(|w| w == what).map(|at| at + from);
    let start = find(BEGIN, 0)?;
    let end = find(END, start)? + END.len();
    Some(start..if bytes.get(end) == Some(&b'\n') { end + 1 } else { end })
}

/// A hook with the block of `shim` after its first line.
fn with_block(bytes: &[u8], shim: &str) -> Vec<u8> {
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
fn without_block(bytes: &[u8]) -> Option<Vec<u8>> {
    let at = block(bytes)?;
    let own = bytes[at.clone()].windows(OWN.len()).any(|w| w == OWN.as_bytes());
    let start = if at.end == bytes.len() && !bytes.ends_with(b"\n") { at.start.saturating_sub(1) } else { at.start };
    let rest = [&bytes[..start], &bytes[at.end..]].concat();
    Some(if own && rest == b"#!/bin/sh\n" { Vec::new() } else { rest })
}

/// Whether a POSIX shell runs the file: by its first line, or for want of one.
fn is_shell(bytes: &[u8]) -> bool {
    let first = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    match std::str::from_utf8(first) {
        Ok(line) if line.starts_with("#!") => {
            let mut words = line[2..].split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
            words.any(|word| SHELLS.contains(&word))
        }
        _ => !bytes.contains(&0),
    }
}

/// The path without `..`, and with the links of its existing part resolved.
fn normal(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => normal(parent).join(name),
        _ => path.to_path_buf(),
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
