//! A change of several files that becomes one commit, or nothing at all.

use std::collections::BTreeMap;

use super::store::{Kept, Lock, Store, check, edit_text};
use super::unfinished::Noted;
use super::{CommitTree, Committed, Repo, signals};
use crate::state::entities::Iteration;
use crate::state::load;
use crate::state::problem::{Kind, Problem};
use crate::state::tree::Tree as _;
use crate::state::yaml;

/// Files that are about to be written, under the repository's lock. Nothing touches the disk before
/// [`Transaction::commit`], [`Transaction::stage`] or [`Transaction::write_out`]; dropped, it leaves no trace.
pub struct Transaction<'r> {
    pub(super) repo: &'r Repo,
    store: Store,
    files: BTreeMap<String, Option<Vec<u8>>>,
    /// `HEAD` as this process saw it and as it is now, where they differ.
    moved: Option<(CommitTree, CommitTree)>,
    _lock: Lock,
}

impl Repo {
    /// Takes the lock and begins a change; `doing` names it to others who wait, such as `phase next`.
    ///
    /// # Errors
    /// [`Kind::Locked`] when another process holds the lock.
    pub fn begin(&self, doing: &str) -> Result<Transaction<'_>, Problem> {
        let lock = Lock::take(self.common_dir(), doing)?;
        self.recover_under(&lock)?;
        let moved = self.moved()?;
        Ok(Transaction { repo: self, store: self.store(), files: BTreeMap::new(), moved, _lock: lock })
    }

    /// The trees between which others moved `HEAD` since this process looked at it.
    fn moved(&self) -> Result<Option<(CommitTree, CommitTree)>, Problem> {
        let seen = self.seen.borrow().clone()?;
        if seen == self.head()?.commit {
            return Ok(None);
        }
        let before = seen.map_or_else(|| Ok(self.empty_tree()), |commit| self.commit_tree(&commit))?;
        Ok(Some((before, self.head_tree()?)))
    }

    /// Writes below the top of the work tree, without lock and commit.
    #[must_use]
    pub fn store(&self) -> Store {
        Store::at(self.top())
    }
}

impl Transaction<'_> {
    /// Writes a file, new or not.
    ///
    /// # Errors
    /// [`Kind::Locked`] when another process has committed the file since the repository was opened;
    /// [`Kind::Refused`] for a path that is not inside the repository.
    pub fn write(&mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Result<(), Problem> {
        self.touch(path, Some(bytes.into()))
    }

    /// Changes a text file, as this transaction has it.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when the file is no text or `edit` refuses.
    pub fn edit(&mut self, path: &str, edit: impl FnOnce(&str) -> Result<String, yaml::Error>) -> Result<(), Problem> {
        let bytes = self.read(path)?.unwrap_or_default();
        let text = edit_text(path, &bytes, edit)?;
        self.write(path, text)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// [`Kind::Refused`] for a path that is not inside the repository.
    pub fn remove(&mut self, path: &str) -> Result<(), Problem> {
        self.touch(path, None)
    }

    /// Notes a file, unless somebody else committed it after this process had looked at it: what is to be written
    /// does not know of that.
    fn touch(&mut self, path: &str, bytes: Option<Vec<u8>>) -> Result<(), Problem> {
        check(path)?;
        if let Some((before, after)) = &self.moved
            && before.read(path)? != after.read(path)?
        {
            return Err(overtaken(path, after.read(path)?.as_deref()));
        }
        self.files.insert(path.to_string(), bytes);
        Ok(())
    }

    /// A file as it will be; what the transaction does not touch is read from disk.
    ///
    /// # Errors
    /// [`Kind::Io`] when it cannot be read.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Problem> {
        match self.files.get(path) {
            Some(bytes) => Ok(bytes.clone()),
            None => self.store.read(path),
        }
    }

    /// The paths that are written or removed.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    /// The files as [`crate::state::overlay::Overlay`] takes them: the commit's tree is `HEAD` with these on top.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<String, Option<Vec<u8>>> {
        &self.files
    }

    /// Writes the files and commits exactly them. When anything refuses, every file is as before, byte for byte.
    ///
    /// # Errors
    /// What [`Repo::commit_only`] and [`Store::replace`] refuse.
    pub fn commit(self, message: &str, trailers: &[(&str, String)]) -> Result<Committed, Problem> {
        self.repo.refuse_in_progress()?;
        self.repo.note_uncommitted(self.repo.head()?.commit.as_deref(), &self.uncommitted()?)?;
        let paths = self.paths();
        self.apply(None, || self.repo.commit_only(&paths, message, trailers))
    }

    /// Writes the files and stages them, without a commit.
    ///
    /// # Errors
    /// What [`Store::replace`] refuses, and [`Kind::Locked`] when another git process holds the index.
    pub fn stage(self) -> Result<(), Problem> {
        let paths = self.paths();
        self.apply(None, || self.repo.git().add(&paths))
    }

    /// Writes the files, and neither stages nor commits them.
    ///
    /// # Errors
    /// What [`Store::replace`] refuses.
    pub fn write_out(self) -> Result<(), Problem> {
        self.apply(None, || Ok(()))
    }

    /// Writes, does `then`, and takes everything back when something fails; when the process is killed in between,
    /// the next one does. `leaves` is the commit that the
    /// branch leaves, where `then` takes commits back.
    pub(super) fn apply<T>(
        &self,
        leaves: Option<&str>,
        then: impl FnOnce() -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        signals::refuse_when_asked()?;
        let (mut old, mut noted) = (Vec::new(), Vec::new());
        let kept = self.files.iter().try_for_each(|(path, bytes)| {
            let kept = self.store.keep(path, &self.repo.aside())?;
            noted.push(Noted::new(path, &kept, bytes.as_deref()));
            old.push(kept);
            Ok(())
        });
        let written = kept
            .and_then(|()| self.repo.note(noted, leaves))
            .and_then(|()| self.files.iter().try_for_each(|(path, bytes)| self.put(path, bytes.as_deref())));
        match written.and_then(|()| then()) {
            Ok(done) => {
                // A note that stays is understood by the next command: what it names is committed.
                let _ = self.repo.note_done();
                old.into_iter().for_each(Kept::forget);
                Ok(done)
            }
            Err(problem) => Err(self.take_back(old, problem)),
        }
    }

    /// Puts every file back, and the index; the note stays when one could not be.
    fn take_back(&self, old: Vec<Kept>, mut problem: Problem) -> Problem {
        // The same signal ended the git that was at work, or its hook.
        if let Err(interrupted) = signals::refuse_when_asked() {
            problem = interrupted;
        }
        let said = problem.message.len();
        for kept in old.into_iter().rev() {
            if let Err(second) = kept.restore() {
                problem.message.push_str(&format!("; and {second}, so this file is not as before"));
            }
        }
        // Where the index could not be written (a full disk, another git), the next command takes that back.
        if problem.message.len() == said && self.repo.forget_new(&self.paths()).is_ok() {
            let _ = self.repo.note_done();
        }
        problem
    }

    fn put(&self, path: &str, bytes: Option<&[u8]>) -> Result<(), Problem> {
        match bytes {
            Some(bytes) => self.store.replace(path, bytes).map(drop),
            None => self.store.remove(path).map(drop),
        }
    }
}

/// The refusal of a file that others changed, with what it says now.
fn overtaken(path: &str, now: Option<&[u8]>) -> Problem {
    let iteration = now.filter(|_| path.ends_with("/iteration.yaml"));
    let phase = iteration.and_then(|bytes| load::parse::<Iteration>(path, bytes).ok()).map(|found| found.phase);
    let phase = phase.map_or_else(String::new, |phase| format!("; the iteration is in phase {phase} now"));
    Problem::new(Kind::Locked, "overtaken", format!("another command has just changed this file{phase}"))
        .at(path)
        .hint("look at what it says now, and repeat the command if it is still wanted")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Environment;
    use crate::repo::git::Git;

    #[test]
    fn a_file_that_somebody_else_committed_meanwhile_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let git = Git::at(folder.path());
        git.init("develop").unwrap();
        for (key, value) in [("user.name", "T"), ("user.email", "t@example.org"), ("commit.gpgSign", "false")] {
            git.config_set(key, value).unwrap();
        }
        let open = || Repo::discover(folder.path(), Environment::Ignored).unwrap();
        let write = |repo: &Repo, path: &str, text: &str| {
            let mut transaction = repo.begin("a test")?;
            transaction.write(path, text)?;
            transaction.commit("test", &[])
        };
        let (first, second) = (open(), open());
        write(&first, "a", "1").unwrap();
        write(&first, "a", "2").unwrap();
        assert_eq!(write(&second, "a", "3").unwrap_err().code, "overtaken");
        write(&second, "b", "3").unwrap();
        assert_eq!(first.work_tree().read("a").unwrap().unwrap(), b"2");
    }
}
