//! How the demo acts and tells what it does: every command is really typed into the command line.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::ops::Progress;
use crate::repo::git::Git;
use crate::repo::store::Store;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::text::printable;

/// The command line, as the demo uses it.
pub trait Shell {
    /// Run `git ar` with these words in a folder, as if they had been typed there; what it printed.
    ///
    /// # Errors
    /// What the command refused.
    fn git_ar(&self, folder: &Path, words: &[&str]) -> Result<String, Problems>;
}

/// The demo's folder, and the hands that work in it.
pub(super) struct Stage<'a> {
    /// The folder.
    pub(super) folder: PathBuf,
    /// The command line.
    pub(super) shell: &'a dyn Shell,
    /// The audience.
    pub(super) progress: &'a dyn Progress,
}

impl Stage<'_> {
    /// A new part of the story.
    pub(super) fn act(&self, title: &str) {
        self.progress.say("");
        self.progress.say(&format!("── {title}"));
    }

    /// A remark.
    pub(super) fn tell(&self, text: &str) {
        self.progress.say(text);
    }

    /// Type a `git ar` command and show the first lines of what it prints.
    pub(super) fn git_ar(&self, words: &[&str], lines: usize) -> Result<String, Problems> {
        self.git_ar_in(&self.folder, words, lines)
    }

    /// The same in another folder.
    pub(super) fn git_ar_in(&self, folder: &Path, words: &[&str], lines: usize) -> Result<String, Problems> {
        self.prompt(&format!("git ar {}", typed(words)));
        let printed = self.shell.git_ar(folder, words)?;
        self.show(&printed, lines);
        Ok(printed)
    }

    /// Type a git command that works.
    pub(super) fn git(&self, words: &[&str]) -> Result<(), Problem> {
        let output = self.type_git(words)?;
        self.show_output(&output);
        match output.status.success() {
            true => Ok(()),
            false => Err(Problem::new(Kind::Io, "git-failed", format!("git {} failed in the demo", typed(words)))
                .hint("git ar doctor")),
        }
    }

    /// Try to commit a file that was tampered with. The hook must refuse; the file is then put back as it was.
    pub(super) fn try_to_commit(&self, path: &str, text: &str, message: &str) -> Result<(), Problems> {
        let store = Store::at(&self.folder);
        let before = store.read(path)?.unwrap_or_default();
        store.replace(path, text.as_bytes())?;
        let output = self.type_git(&["commit", "-a", "-m", message])?;
        self.show_output(&output);
        if output.status.success() {
            let message = format!("the hook let a commit through that it must refuse ({path})");
            return Err(Problem::new(Kind::Bug, "not-refused", message).into());
        }
        store.replace(path, &before)?;
        Git::at(&self.folder).add(&[path.to_string()])?;
        self.tell("  (refused by the hook; the file is put back as it was)");
        Ok(())
    }

    /// Write a file, as a person would in an editor.
    pub(super) fn write(&self, path: &str, text: &str) -> Result<(), Problem> {
        self.tell(&format!("  write {path}"));
        Store::at(&self.folder).replace(path, text.as_bytes()).map(drop)
    }

    fn type_git(&self, words: &[&str]) -> Result<Output, Problem> {
        self.prompt(&format!("git {}", typed(words)));
        Git::at(&self.folder).run(words, b"")
    }

    fn prompt(&self, line: &str) {
        self.progress.say(&format!("$ {line}"));
    }

    fn show_output(&self, output: &Output) {
        let text = [&output.stdout[..], &output.stderr[..]].concat();
        self.show(&String::from_utf8_lossy(&text), usize::MAX);
    }

    fn show(&self, text: &str, lines: usize) {
        let text = printable(text);
        for line in text.lines().take(lines) {
            self.progress.say(&format!("  {line}"));
        }
        if lines > 0 && text.lines().count() > lines {
            self.progress.say("  …");
        }
    }
}

/// Words as one types them, quoted where a shell needs it.
fn typed(words: &[&str]) -> String {
    let plain = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./=,:@".contains(&b));
    let quote = |w: &&str| if plain(w) { (*w).to_string() } else { format!("'{}'", w.replace('\'', "'\\''")) };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(super::typed(&["start", "it's 8x8", "--seeds", "0-2", ""]), "start 'it'\\''s 8x8' --seeds 0-2 ''");
    }
}
