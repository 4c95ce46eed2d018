//! Git's hooks: where they lie, and the marked block that a hook file gets and gives back.
//!
//! The block stands right after the first line, so that it runs whatever the rest of the file does, and the rest
//! still runs after it. `core.hooksPath` is honoured and never set.

mod block;
mod manager;
mod merge;

use std::path::{Path, PathBuf};

pub use block::{RECEIVE, SHIMS};
use block::{block, is_shell, shim, with_block, without_block};
pub use manager::Manager;

use super::Repo;
use super::store::{Kept, Store};
use crate::state::problem::{Kind, Problem};

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
        let manager = manager::of(&folder)?;
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
            let kept = manager.runs_kept(name).map(|kept| self.read(&kept)).transpose()?.flatten();
            let runs = kept.is_some_and(|bytes| block(&bytes).is_some()) || manager.calls_git_ar(&self.top, name)?;
            return Ok(if runs { State::Managed } else { State::Foreign });
        }
        let Some(bytes) = self.read(name)? else { return Ok(State::Absent) };
        if block(&bytes).is_none() {
            return Ok(State::Foreign);
        }
        let mode = std::fs::metadata(self.folder.join(name)).map_or(0, |found| found.permissions().mode());
        Ok(if mode & 0o111 == 0 { State::Disabled } else { State::Installed })
    }

    /// Puts the block into a hook, making the hook where there is none. `fallback` is run where `git-ar` is not on
    /// the `PATH`. Returns whether anything changed; a file that does is kept in `kept` as it was.
    ///
    /// # Errors
    /// [`Kind::Refused`] when the folder is shared with other repositories, a manager owns the files, or the hook is
    /// not a shell script that git runs.
    pub fn install(&self, name: &str, fallback: Option<&Path>, kept: &mut Vec<Kept>) -> Result<bool, Problem> {
        self.refuse_foreign_folder()?;
        let shim = shim(name, fallback)?;
        let (old, state) = (self.read(name)?, self.state(name)?);
        let bare = old.as_deref().map(without_block);
        let new = match (&old, bare) {
            // None, or one of ours that nobody added to.
            (None, _) => shim.clone().into_bytes(),
            (Some(_), Some(Some(rest))) if rest.is_empty() => shim.clone().into_bytes(),
            (Some(old), bare) => {
                let rest = bare.flatten().unwrap_or_else(|| old.clone());
                if state != State::Installed {
                    self.refuse_no_shell(name, &rest)?;
                }
                with_block(&rest, &shim)
            }
        };
        if state == State::Installed && old.as_deref() == Some(new.as_slice()) {
            return Ok(false);
        }
        kept.push(self.store().keep(name, &self.folder)?);
        match new == shim.as_bytes() {
            true => self.store().replace_executable(name, &new),
            false => self.store().replace(name, &new),
        }
    }

    /// Takes the block out of a hook, and the hook away when nothing else was ever in it. Returns whether anything
    /// changed; each file that does is kept in `kept` as it was.
    ///
    /// # Errors
    /// [`Kind::Refused`] when the folder is shared with other repositories, [`Kind::Io`] when it cannot be written.
    pub fn uninstall(&self, name: &str, kept: &mut Vec<Kept>) -> Result<bool, Problem> {
        let mut changed = self.take_out(name, kept)?;
        // A manager that came later put the hook aside under another name, and puts it back when it goes.
        for aside in manager::KEPT {
            changed |= self.take_out(&format!("{name}{aside}"), kept)?;
        }
        Ok(changed)
    }

    fn take_out(&self, name: &str, kept: &mut Vec<Kept>) -> Result<bool, Problem> {
        let Some(old) = self.read(name)? else { return Ok(false) };
        let Some(rest) = without_block(&old) else { return Ok(false) };
        kept.push(self.store().keep(name, &self.folder)?);
        if rest.is_empty() { self.store().remove(name) } else { self.store().replace(name, &rest) }
    }

    fn store(&self) -> Store {
        Store::at(&self.folder)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        self.store().read(name)
    }

    fn refuse_foreign_folder(&self) -> Result<(), Problem> {
        if let Some(manager) = self.manager {
            let message = format!("{manager} generates this repository's hooks and would overwrite a part of ours");
            let hint = format!("add to its configuration:\n{}", manager.lines());
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
