//! `check`: the rules asked about the index, every commit of a range, or one commit's tree.
//!
//! Read-only and without a lock; nothing is spawned.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::facts::TreeFacts;
use super::{Context, board};
use crate::repo::{After, CommitInfo};
use crate::state::problem::{Problem, Problems};
use crate::state::rules::{self, Case};
use crate::state::tree::{Change, Tree};

/// What was looked at, and what was found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What was looked at, in words.
    pub subject: String,
    /// How many files differed, over all commits.
    pub changes: usize,
    /// Commits that were looked at; none for the index.
    pub commits: usize,
    /// What does not stop anything.
    #[serde(skip)]
    pub warnings: Vec<Problem>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: in order ({} files looked at)", self.subject, self.changes)
    }
}

/// Whether the index may follow `HEAD`; in a merge, whether it also keeps what the other sides have.
pub fn staged(context: &Context<'_>) -> Result<Report, Problems> {
    let before = context.repo.head_tree()?;
    let after = context.repo.index_tree()?;
    let changes = context.repo.changes(&before, After::Index(&after))?;
    let mut warnings = judge(context, &before, &after, &changes, today(context))?.into_result()?;
    for other in context.repo.merge_heads()? {
        merged(context, &before, &other, After::Index(&after), &after, today(context))?;
    }
    warnings.extend(board::may_be_behind(&before, &after, &changes)?);
    Ok(Report { subject: "what is staged".into(), changes: changes.len(), commits: 0, warnings })
}

/// Whether every commit of `A..B` may follow its first parent, and boards are in step at its end. The first bad
/// commit is named.
pub fn range(context: &Context<'_>, range: &str) -> Result<Report, Problems> {
    let found = context.repo.commits(range)?;
    let report = commits(context, &found, range)?;
    if let Some(last) = found.last() {
        let behind = board::drift(&context.repo.commit_tree(&last.id)?)?.problems();
        if !behind.is_empty() {
            return Err(Problems(behind));
        }
    }
    Ok(report)
}

/// Whether each of these commits, oldest first, may follow its first parent; a merge keeps what its other parents have.
pub fn commits(context: &Context<'_>, commits: &[CommitInfo], subject: &str) -> Result<Report, Problems> {
    let mut report = Report { subject: subject.to_string(), changes: 0, commits: commits.len(), warnings: Vec::new() };
    for commit in commits {
        let before = match commit.parents.first() {
            Some(parent) => context.repo.commit_tree(parent)?,
            None => context.repo.empty_tree(),
        };
        let after = context.repo.commit_tree(&commit.id)?;
        let changes = context.repo.changes(&before, After::Commit(&after))?;
        report.changes += changes.len();
        let judged = judge(context, &before, &after, &changes, day(commit.time)).and_then(Problems::into_result);
        report.warnings.extend(judged.map_err(|problems| in_commit(problems, commit))?);
        for other in commit.parents.iter().skip(1) {
            let kept = merged(context, &before, other, After::Commit(&after), &after, day(commit.time));
            kept.map_err(|problems| in_commit(problems, commit))?;
        }
    }
    Ok(report)
}

/// Whether the program's branch, moved from one commit to another that does not follow it, keeps its records.
pub fn moved(context: &Context<'_>, old: &str, new: &str) -> Result<(), Problems> {
    if context.repo.is_ancestor(old, new)? {
        return Ok(());
    }
    let after = context.repo.commit_tree(new)?;
    merged(context, &context.repo.empty_tree(), old, After::Commit(&after), &after, today(context))
}

/// Whether a merge into `first` keeps what its parent `other` has.
fn merged(
    context: &Context<'_>,
    first: &dyn Tree,
    other: &str,
    after: After<'_>,
    tree: &dyn Tree,
    today: Date,
) -> Result<(), Problems> {
    let before = context.repo.commit_tree(other)?;
    let changes = context.repo.changes(&before, after)?;
    let facts = TreeFacts { context, tree };
    let case = Case { before: &before, after: tree, changes: &changes, facts: &facts, today };
    Problems(rules::merged(&case, first)?).into_result().map(drop)
}

/// Whether a commit's tree holds readable, consistent state, as if it had come at once.
pub fn tree(context: &Context<'_>, rev: &str) -> Result<Report, Problems> {
    let after = context.repo.commit_tree(rev)?;
    let before = context.repo.empty_tree();
    let changes = context.repo.changes(&before, After::Commit(&after))?;
    let facts = TreeFacts { context, tree: &after };
    let case = Case { before: &before, after: &after, changes: &changes, facts: &facts, today: today(context) };
    let warnings = Problems(rules::structure(&case)?).into_result()?;
    Ok(Report { subject: rev.to_string(), changes: changes.len(), commits: 1, warnings })
}

/// Ask the rules about one step.
pub fn judge(
    context: &Context<'_>,
    before: &dyn Tree,
    after: &dyn Tree,
    changes: &[Change],
    today: Date,
) -> Result<Problems, Problems> {
    let facts = TreeFacts { context, tree: after };
    let case = Case { before, after, changes, facts: &facts, today };
    Ok(Problems(rules::transitions(&case)?))
}

/// The day of the command, on which waivers must hold.
pub(super) fn today(context: &Context<'_>) -> Date {
    context.now.to_zoned(TimeZone::UTC).date()
}

/// The day of a commit; a time that no calendar has counts as the last day there is.
fn day(seconds: i64) -> Date {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX).to_zoned(TimeZone::UTC).date()
}

/// The problems with the commit named in each message.
fn in_commit(problems: Problems, commit: &CommitInfo) -> Problems {
    let short: String = commit.id.chars().take(10).collect();
    let named = problems.0.into_iter().map(|mut problem| {
        problem.message = format!("commit {short}: {}", problem.message);
        problem
    });
    Problems(named.collect())
}
