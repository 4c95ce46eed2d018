//! Commits of exactly the tool's own files, through the installed git, so that hooks and signing are honoured.

use std::process::Output;

use super::Repo;
use super::git::{Git, failed, said};
use crate::state::problem::{Kind, Problem};

/// What git says when it could not read its own files, or write the message, and takes that for an answer.
const MISREAD: [&str; 5] = [
    "does not have any commits yet",
    "reference already exists",
    "tree-ish HEAD not found",
    "not a git repository",
    "due to empty commit message",
];

/// What came of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// A commit was made; its id in hexadecimal.
    Made(String),
    /// The files were as `HEAD` has them.
    Nothing,
}

/// A file that differs from `HEAD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dirty {
    /// Its path.
    pub path: String,
    /// How.
    pub how: How,
}

/// How a file differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Only in the index.
    Staged,
    /// On disk, and perhaps in the index too.
    Edited,
    /// Git does not know it.
    Untracked,
    /// A merge left it in conflict.
    Conflict,
}

impl Repo {
    /// Git in this repository.
    #[must_use]
    pub fn git(&self) -> Git {
        Git::of(self)
    }

    /// Commits exactly `paths` as they are on disk; whatever else is staged stays staged. Trailers follow the
    /// message, such as `("AR-Iteration", "8b")`. When git or a hook refuses, the index is as before.
    ///
    /// # Errors
    /// [`Kind::Refused`] in the middle of a merge, rebase, cherry-pick or revert and when a hook refuses;
    /// [`Kind::Locked`] when another git process holds the index.
    pub fn commit_only(
        &self,
        paths: &[String],
        message: &str,
        trailers: &[(&str, String)],
    ) -> Result<Committed, Problem> {
        self.refuse_in_progress()?;
        let git = self.git();
        let new = self.not_in_index(paths)?;
        if !new.is_empty() {
            git.on_paths(&["add", "--force", "--intent-to-add"], &new)?;
        }
        let before = self.head()?.commit;
        let message = with_trailers(message, trailers);
        let arguments = ["commit", "--quiet", "--only", "--cleanup=whitespace", "-m", &message];
        let came = git.run_on_paths(&arguments, paths);
        if came.as_ref().is_ok_and(|output| output.status.success()) || self.stands(&git, before.as_deref(), paths) {
            return Ok(self.made());
        }
        let output = came?;
        let unchanged = output.status.code() == Some(1) && !self.differ(&git, paths)?;
        if !new.is_empty() {
            self.forget(&git, &new)?;
        }
        if unchanged { Ok(Committed::Nothing) } else { Err(refused(&output)) }
    }

    /// Whether the commit was made all the same: git may fail after it has moved `HEAD`.
    fn stands(&self, git: &Git, before: Option<&str>, paths: &[String]) -> bool {
        let moved = self.head().is_ok_and(|head| head.commit.as_deref() != before);
        moved && self.differ(git, paths).is_ok_and(|differ| !differ)
    }

    /// The commit that was just made. It stands, whether or not `HEAD` can be read now.
    fn made(&self) -> Committed {
        let head = self.head().or_else(|_| self.head()).map(|head| head.commit);
        let made = head.as_ref().ok().cloned().flatten();
        *self.seen.borrow_mut() = head;
        Committed::Made(made.unwrap_or_else(|| "HEAD".into()))
    }

    /// Every file that differs from `HEAD`; files that git ignores are left out.
    ///
    /// # Errors
    /// [`Kind::Io`] when git fails.
    pub fn dirty_paths(&self) -> Result<Vec<Dirty>, Problem> {
        let arguments = ["--no-optional-locks", "status", "--porcelain=v2", "-z", "--untracked-files=all"];
        Ok(parse_status(&self.git().text(&arguments)?))
    }

    /// Refuses while a merge or the like is under way: a commit would end it or be part of it.
    ///
    /// # Errors
    /// [`Kind::Refused`], naming what is under way.
    pub fn refuse_in_progress(&self) -> Result<(), Problem> {
        match self.in_progress() {
            None => Ok(()),
            Some(what) => Err(Problem::new(Kind::Refused, "in-progress", format!("git is in the middle of {what}"))
                .hint("finish it first: git status says how")),
        }
    }

    fn not_in_index(&self, paths: &[String]) -> Result<Vec<String>, Problem> {
        let index = self.index_tree()?;
        let on_disk = |path: &&String| std::fs::symlink_metadata(self.top().join(path)).is_ok();
        Ok(paths.iter().filter(|path| !index.has(path)).filter(on_disk).cloned().collect())
    }

    /// Whether one of the paths differs from `HEAD`, on disk or in the index.
    fn differ(&self, git: &Git, paths: &[String]) -> Result<bool, Problem> {
        let mut arguments: Vec<String> =
            ["--no-optional-locks", "status", "--porcelain=v2", "-z", "--"].map(str::to_string).to_vec();
        arguments.extend(paths.iter().map(|path| format!(":(top,literal){path}")));
        Ok(!git.text(&arguments)?.is_empty())
    }

    /// Takes paths out of the index again that were put there to be committed.
    pub(super) fn forget(&self, git: &Git, paths: &[String]) -> Result<(), Problem> {
        let mut input = paths.join("\0").into_bytes();
        input.push(0);
        let arguments = ["update-index", "--force-remove", "-z", "--stdin"];
        let output = git.run(&arguments, &input)?;
        if output.status.success() { Ok(()) } else { Err(failed(&arguments, &output)) }
    }
}

/// The message with its trailers as its last paragraph.
fn with_trailers(message: &str, trailers: &[(&str, String)]) -> String {
    let mut text = message.trim_end().to_string();
    if !trailers.is_empty() {
        text.push('\n');
    }
    for (name, value) in trailers {
        // A line break in a value would end the trailer and start something else.
        let value = value.replace(['\n', '\r'], " ");
        text.push_str(&format!("\n{name}: {value}"));
    }
    text.push('\n');
    text
}

fn refused(output: &Output) -> Problem {
    let problem = failed(&["commit"], output);
    if MISREAD.iter().any(|words| problem.message.contains(words)) {
        let message = format!("git could not read or write its own files: {}", said(output));
        return Problem::new(Kind::Io, "git-failed", message)
            .hint("nothing was changed; repeat the command when the cause is gone");
    }
    if problem.kind == Kind::Locked || problem.hint.is_some() {
        return problem;
    }
    Problem::new(Kind::Refused, "commit-refused", format!("git did not make the commit: {}", said(output)))
        .hint("mend what it names and repeat the command; nothing was changed")
}

/// Reads `git status --porcelain=v2 -z`.
fn parse_status(text: &str) -> Vec<Dirty> {
    let mut found = Vec::new();
    let mut records = text.split('\0').filter(|record| !record.is_empty());
    while let Some(record) = records.next() {
        let (code, rest) = record.split_at(1);
        let fields = match code {
            "1" => 8,
            "2" => 9,
            "u" => 10,
            _ => 1,
        };
        let Some(path) = record.splitn(fields + 1, ' ').nth(fields) else { continue };
        let how = match code {
            "?" => How::Untracked,
            "u" => How::Conflict,
            "1" | "2" if rest.as_bytes().get(2) == Some(&b'.') => How::Staged,
            "1" | "2" => How::Edited,
            _ => continue,
        };
        found.push(Dirty { path: path.to_string(), how });
        if code == "2"
            && let Some(from) = records.next()
        {
            found.push(Dirty { path: from.to_string(), how });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_records_are_read() {
        let text = "1 .M N... 100644 100644 100644 aa bb src/a b.rs\0\
                    2 R. N... 100644 100644 100644 aa bb R100 new.rs\0old.rs\0\
                    u UU N... 100644 100644 100644 100644 aa bb cc both.rs\0? new file\0";
        let found: Vec<_> = parse_status(text).into_iter().map(|d| (d.path, d.how)).collect();
        let expected = [
            ("src/a b.rs", How::Edited),
            ("new.rs", How::Staged),
            ("old.rs", How::Staged),
            ("both.rs", How::Conflict),
            ("new file", How::Untracked),
        ];
        assert_eq!(found, expected.map(|(path, how)| (path.to_string(), how)));
    }

    #[test]
    fn trailers_are_the_last_paragraph() {
        let text = with_trailers("phase: survey\n", &[("AR-Iteration", "8".into()), ("AR-Phase", "a\nb".into())]);
        assert_eq!(text, "phase: survey\n\nAR-Iteration: 8\nAR-Phase: a b\n");
    }
}
