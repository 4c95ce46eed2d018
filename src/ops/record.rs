//! How a verb changes state: judged first, written under the lock, committed as exactly its own files.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use super::{Context, check, mark};
use crate::repo::Committed;
use crate::state::frozen::Frozen;
use crate::state::load;
use crate::state::overlay::Overlay;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::record::{Run, RunKind};
use crate::state::rules::FileKind;
use crate::state::tree::Tree;
use crate::state::yaml::to_string;

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
        let head = self.repo.head_tree()?;
        for write in &writes {
            match &write.text {
                Some(text) => transaction.write(&write.path, frozen(&head, &write.path, text)?.as_bytes())?,
                None => transaction.remove(&write.path)?,
            }
        }
        let after = Overlay::new(&head, transaction.files().clone());
        let changes = after.changes()?;
        if changes.is_empty() {
            // An earlier push may have been refused.
            let pushed = self.commit && self.push && self.pushed()?;
            return Ok(Recorded { pushed, ..Recorded::default() });
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
        recorded.pushed = self.push && self.pushed()?;
        Ok(recorded)
    }

    /// Pushes the branch.
    fn pushed(&self) -> Result<bool, Problem> {
        let detached = || {
            let problem = Problem::new(Kind::Usage, "detached", "HEAD is on no branch, so nothing was pushed");
            problem.hint("git switch BRANCH, then git push")
        };
        let branch = self.repo.head()?.branch.ok_or_else(detached)?;
        self.repo.git().push("origin", &branch).map(|()| true)
    }
}

/// A text to write; the record of a new full run says what its iteration promises at this moment.
fn frozen<'t>(head: &dyn Tree, path: &str, text: &'t str) -> Result<Cow<'t, str>, Problem> {
    let place = load::iteration_of_path(path).filter(|_| FileKind::of(path) == FileKind::Run);
    let Some((slug, id, folder)) = place else { return Ok(text.into()) };
    if head.read(path)?.is_some() {
        return Ok(text.into());
    }
    let mut run: Run = load::parse(path, text.as_bytes())?;
    let view = load::iteration(head, &slug, id, &folder)?;
    if let (Some(view), None, RunKind::Full) = (view, &run.frozen, run.kind) {
        run.frozen = Some(Frozen::of(&view.iteration));
        return Ok(to_string(&run).into());
    }
    Ok(text.into())
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
