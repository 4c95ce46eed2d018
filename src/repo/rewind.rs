//! Taking commits back: the files as they were before, the index of those paths, then the branch, by
//! compare-and-swap. What else is staged, edited or unknown to git is not touched.

use std::collections::BTreeMap;

use super::{Repo, Transaction};
use crate::state::problem::{Kind, Problem};
use crate::state::tree::Tree as _;

/// What stood on the disk and in no commit, by path; `None` where there was no file.
pub type Uncommitted = BTreeMap<String, Option<Vec<u8>>>;

impl Transaction<'_> {
    /// Writes the files and moves the branch (or a detached `HEAD`) from `tip` back to `base`; without a base the branch
    /// has no commit afterwards. `why` stands in the reflog.
    ///
    /// # Errors
    /// [`Kind::Refused`] when `HEAD` is not at `tip`, and what [`Transaction::stage`] refuses. Everything is as before
    /// then.
    pub fn rewind(self, tip: &str, base: Option<&str>, why: &str) -> Result<(), Problem> {
        self.repo.refuse_in_progress()?;
        let head = self.repo.head()?;
        if head.commit.as_deref() != Some(tip) {
            return Err(Problem::new(Kind::Refused, "moved", "HEAD has moved meanwhile").hint("git ar undo --dry-run"));
        }
        if base.is_none() && head.branch.is_none() {
            let problem = Problem::new(Kind::Refused, "detached", "HEAD is on no branch and would be at no commit");
            return Err(problem.hint("git switch BRANCH"));
        }
        let paths = self.paths();
        self.apply(Some(tip), || {
            self.repo.index_as(base, &paths)?;
            let moved = self.repo.move_head(tip, base, why);
            if moved.is_err() {
                self.repo.index_as(Some(tip), &paths)?;
            }
            moved
        })?;
        *self.repo.seen.borrow_mut() = Ok(base.map(str::to_string));
        Ok(())
    }

    /// Of the files of this change, those that stand on the disk as no commit has them.
    pub(super) fn uncommitted(&self) -> Result<Uncommitted, Problem> {
        let head = self.repo.head_tree()?;
        let mut found = Uncommitted::new();
        for path in self.files().keys() {
            let bytes = self.repo.store().read(path)?;
            if bytes != head.read(path)? {
                found.insert(path.clone(), bytes);
            }
        }
        Ok(found)
    }
}

impl Repo {
    /// Lets the index say of these paths what a commit says of them.
    fn index_as(&self, commit: Option<&str>, paths: &[String]) -> Result<(), Problem> {
        match commit {
            Some(commit) => self.git().on_paths(&["reset", "--quiet", commit], paths),
            None => self.forget(&self.git(), paths),
        }
    }

    /// Lets the index say of these paths what `HEAD` says of them.
    pub(super) fn index_as_head(&self, paths: &[String]) -> Result<(), Problem> {
        match self.head()?.commit {
            Some(commit) => self.index_as(Some(&commit), paths),
            None => self.forget_new(paths),
        }
    }

    fn move_head(&self, tip: &str, base: Option<&str>, why: &str) -> Result<(), Problem> {
        match base {
            Some(base) => self.git().text(&["update-ref", "-m", why, "HEAD", base, tip]),
            None => self.git().text(&["update-ref", "-m", why, "-d", "HEAD", tip]),
        }
        .map(drop)
    }

    /// Notes what stood on the disk and in no commit before the commit that follows `parent`.
    pub(super) fn note_uncommitted(&self, parent: Option<&str>, files: &Uncommitted) -> Result<(), Problem> {
        let name = note_name(parent);
        if files.is_empty() {
            return self.notes().remove(&name).map(drop);
        }
        let text =
            serde_json::to_vec(files).map_err(|_| Problem::new(Kind::Bug, "note", "a note cannot be written"))?;
        self.notes().replace(&name, &text).map(drop)
    }

    /// What stood on the disk and in no commit before the commit that follows `parent`, as this worktree knows.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when the note does not read.
    pub fn uncommitted_before(&self, parent: Option<&str>) -> Result<Uncommitted, Problem> {
        let name = note_name(parent);
        let Some(bytes) = self.notes().read(&name)? else { return Ok(Uncommitted::new()) };
        serde_json::from_slice(&bytes).map_err(|error| {
            let place = self.aside().join(&name).display().to_string();
            Problem::new(Kind::Invalid, "note", format!("the note of what stood there does not read: {error}"))
                .at(place)
        })
    }
}

fn note_name(parent: Option<&str>) -> String {
    format!("undo/{}.json", parent.unwrap_or("root"))
}
