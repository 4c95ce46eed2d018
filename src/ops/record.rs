//! How a verb changes state: judged first, written under the lock, committed as exactly its own files.

use std::fmt;

use serde::Serialize;

use super::{Context, check, mark};
use crate::repo::Committed;
use crate::state::overlay::Overlay;
use crate::state::problem::{Kind, Problem, Problems};

/// One file that a verb writes, or removes where there is no text. Paths are relative to the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The path.
    pub path: String,
    /// Its new text.
    pub text: Option<String>,
}

impl Write {
    /// A file with its text.
    pub fn text(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: Some(text.into()) }
    }
}

/// What came of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recorded {
    /// Something changed.
    pub changed: bool,
    /// The commit, when one was made.
    pub commit: Option<String>,
    /// The files that were written.
    pub files: Vec<String>,
    /// Whether the branch was pushed.
    pub pushed: bool,
    /// What the rules warn about.
    #[serde(skip)]
    pub warnings: Vec<Problem>,
}

impl Context<'_> {
    /// Write the files and commit exactly them, or stage them when `commit` is off. The rules are asked first: a
    /// refusal leaves every file as it was. Files that are as `HEAD` has them are left out.
    pub fn record(
        &self,
        doing: &str,
        writes: Vec<Write>,
        subject: &str,
        trailers: &[(&str, String)],
    ) -> Result<Recorded, Problems> {
        let mut transaction = self.repo.begin(doing)?;
        for write in &writes {
            match &write.text {
                Some(text) => transaction.write(&write.path, text.as_bytes())?,
                None => transaction.remove(&write.path)?,
            }
        }
        let head = self.repo.head_tree()?;
        let after = Overlay::new(&head, transaction.files().clone());
        let changes = after.changes()?;
        if changes.is_empty() {
            return Ok(Recorded::default());
        }
        let warnings = check::judge(self, &head, &after, &changes, check::today(self))?.into_result()?;
        let files: Vec<String> = changes.into_iter().map(|c| c.path).collect();
        let mut recorded = Recorded { changed: true, files: files.clone(), warnings, ..Recorded::default() };
        if !self.commit {
            transaction.stage()?;
            return Ok(recorded);
        }
        let trailers = [trailers, &mark::trailers(doing, &files, transaction.files())].concat();
        if let Committed::Made(id) = transaction.commit(subject, &trailers)? {
            recorded.commit = Some(id);
        }
        if self.push {
            let detached = || {
                let problem = Problem::new(Kind::Usage, "detached", "HEAD is on no branch, so nothing was pushed");
                problem.hint("git switch BRANCH, then git push")
            };
            let branch = self.repo.head()?.branch.ok_or_else(detached)?;
            self.repo.git().push("origin", &branch)?;
            recorded.pushed = true;
        }
        Ok(recorded)
    }
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.commit, self.changed) {
            (Some(commit), _) => writeln!(f, "committed {}", &commit[..commit.len().min(10)]),
            (None, true) if self.files.len() > 5 => writeln!(f, "staged {} files (not committed)", self.files.len()),
            (None, true) => writeln!(f, "staged {} (not committed)", self.files.join(", ")),
            (None, false) => writeln!(f, "nothing changed"),
        }
    }
}
