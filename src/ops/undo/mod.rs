//! `undo`: takes back the last commits that git-ar made, exactly, and says what it cannot take back.
//!
//! Commits that nobody else has are taken off the branch; the files are then as they were before the command, byte for
//! byte, with what a person had written and not committed. A commit that is pushed stays: a new one takes its change
//! back, where the rules allow that.

mod plan;

use std::fmt;

use serde::Serialize;

use self::plan::Plan;
use super::Context;
use super::record::{Recorded, Write};
use crate::state::problem::{Kind, Problem, Problems};

/// A commit that is taken back.
#[derive(Clone, Debug, Serialize)]
pub struct Taken {
    /// Its id.
    pub commit: String,
    /// Its subject.
    pub subject: String,
    /// The verb that made it.
    pub verb: String,
}

/// What was taken back.
#[derive(Debug, Serialize)]
pub struct Undone {
    /// Nothing was done: this is what would be.
    pub dry_run: bool,
    /// Something changed.
    pub changed: bool,
    /// The commits, newest first.
    pub commits: Vec<Taken>,
    /// The files that are as before, or would be.
    pub files: Vec<String>,
    /// The branch is at this commit again; none when it has no commit any more, or a new one was made.
    pub back_at: Option<String>,
    /// The commit that takes the change back, when the commits are pushed.
    pub inverse: Option<String>,
    /// What stays as it is.
    pub stays: Vec<String>,
}

/// Take back the last `count` commits.
///
/// # Errors
/// [`Kind::Refused`], and nothing is changed: when one of them was not made by git-ar, was amended since, or merges; when
/// one of their files was edited since; when a job was submitted; when only some of them are pushed. For pushed ones what
/// the rules refuse.
pub fn undo(context: &Context<'_>, count: usize, dry_run: bool) -> Result<Undone, Problems> {
    context.repo.refuse_in_progress()?;
    let plan = Plan::of(context, count)?;
    let mut undone = Undone {
        dry_run,
        changed: !dry_run,
        commits: plan.commits.clone(),
        files: plan.files.keys().cloned().collect(),
        back_at: plan.base.clone().filter(|_| !plan.pushed),
        inverse: None,
        stays: plan.stays.clone(),
    };
    match (dry_run, plan.pushed) {
        (true, _) => {}
        (false, true) => undone.inverse = inverse(context, &plan)?.commit,
        (false, false) => rewind(context, &plan)?,
    }
    Ok(undone)
}

fn rewind(context: &Context<'_>, plan: &Plan) -> Result<(), Problem> {
    let mut transaction = context.repo.begin("undo")?;
    // Looked at again, under the lock.
    plan.refuse_edited(context)?;
    for (path, bytes) in &plan.files {
        match bytes {
            Some(bytes) => transaction.write(path, bytes.clone())?,
            None => transaction.remove(path)?,
        }
    }
    transaction.rewind(&plan.tip, plan.base.as_deref(), &format!("git ar undo: {}", plan.title()))
}

/// A new commit with the files as they were before the pushed ones.
fn inverse(context: &Context<'_>, plan: &Plan) -> Result<Recorded, Problems> {
    let mut writes = Vec::new();
    for (path, bytes) in &plan.files {
        let text = bytes.clone().map(String::from_utf8).transpose().map_err(|_| {
            Problem::new(Kind::Refused, "not-text", "the file is not UTF-8 text, and its commit is pushed").at(path)
        })?;
        writes.push(Write { path: path.clone(), text });
    }
    let trailers: Vec<(&str, String)> = plan.commits.iter().map(|taken| ("AR-Undo", taken.commit.clone())).collect();
    context.record("undo", writes, &format!("undo: {}", plan.title()), &trailers).map_err(|mut problems| {
        // A disk or a lock is no word of the rules, and repeating helps.
        if problems.0.iter().any(|p| matches!(p.kind, Kind::Io | Kind::Locked | Kind::Interrupted)) {
            return problems;
        }
        let message = format!(
            "{} is pushed, so only a new commit can take it back, and the rules refuse that one",
            plan.commits[0].short()
        );
        let hint = "what others have is put right forward: git ar phase back, iter abandon, run exclude";
        problems.0.insert(0, Problem::new(Kind::Refused, "pushed", message).hint(hint));
        problems
    })
}

impl Taken {
    fn short(&self) -> &str {
        self.commit.get(..10).unwrap_or(&self.commit)
    }
}

impl Undone {
    /// What to type next.
    #[must_use]
    pub fn next(&self) -> Vec<String> {
        match (self.dry_run, &self.inverse) {
            (true, _) if self.commits.len() > 1 => vec![format!("git ar undo {}", self.commits.len())],
            (true, _) => vec!["git ar undo".into()],
            (false, Some(_)) => vec!["git push".into()],
            (false, None) => vec!["git ar status".into()],
        }
    }
}

impl fmt::Display for Undone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let would = if self.dry_run { "would take back" } else { "took back" };
        for taken in &self.commits {
            writeln!(f, "{would} {}  {}", taken.short(), taken.subject)?;
        }
        for path in &self.files {
            writeln!(f, "  as before  {path}")?;
        }
        for line in &self.stays {
            writeln!(f, "  stays      {line}")?;
        }
        match (&self.inverse, self.dry_run) {
            (Some(commit), _) => writeln!(f, "committed {}", commit.get(..10).unwrap_or(commit)),
            (None, false) => {
                writeln!(f, "nothing is lost: git branch NAME {} brings it back", self.commits[0].short())
            }
            (None, true) => Ok(()),
        }
    }
}
