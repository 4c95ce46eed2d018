//! The sealed box of the end-to-end tests: the real `git-ar` and the real git, an empty home, no configuration from
//! outside, a fixed identity, and a clock that moves by one second per command.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// When the first command runs: 2026-01-05T08:00:00Z.
const START: i64 = 1_767_600_000;

/// A home folder and the folder in it where commands run.
pub(crate) struct Sandbox {
    home: TempDir,
    top: PathBuf,
    ticks: Cell<i64>,
    extra: Vec<(String, String)>,
}

impl Sandbox {
    /// An empty folder, without a repository.
    pub(crate) fn empty() -> Self {
        let home = tempfile::tempdir().unwrap();
        let real = home.path().canonicalize().unwrap();
        let top = real.join("repo");
        std::fs::create_dir(&top).unwrap();
        Self { home, top, ticks: Cell::new(0), extra: Vec::new() }
    }

    /// An empty git repository on branch `develop`.
    pub(crate) fn repository() -> Self {
        let sandbox = Self::empty();
        sandbox.git("init -q -b develop");
        sandbox
    }

    /// The same box with one more variable for every command.
    pub(crate) fn with_env(mut self, name: &str, value: &str) -> Self {
        self.extra.push((name.to_string(), value.to_string()));
        self
    }

    /// The folder where commands run.
    pub(crate) fn top(&self) -> &Path {
        &self.top
    }

    /// The home folder.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// `git-ar` with these words (quotes group) in the top folder: what a person sees, as one text.
    pub(crate) fn run(&self, words: &str) -> String {
        self.run_in(&self.top, words)
    }

    /// [`Sandbox::run`] in another folder.
    pub(crate) fn run_in(&self, folder: &Path, words: &str) -> String {
        self.shown(&self.output(folder, env!("CARGO_BIN_EXE_git-ar"), &split(words), b""))
    }

    /// `git-ar` with arguments as they are; for JSON and exact bytes.
    pub(crate) fn ar(&self, arguments: &[&str]) -> Output {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        self.output(&self.top, env!("CARGO_BIN_EXE_git-ar"), &arguments, b"")
    }

    /// Git with these words in the top folder; it must succeed. Returns its stdout.
    pub(crate) fn git(&self, words: &str) -> String {
        let output = self.output(&self.top, "git", &split(words), b"");
        assert!(output.status.success(), "git {words}\n{}", self.shown(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Git with these words in a folder, whatever comes of it, as one text.
    pub(crate) fn try_git(&self, folder: &Path, words: &str) -> String {
        self.shown(&self.output(folder, "git", &split(words), b""))
    }

    /// A line of POSIX shell in a folder, whatever comes of it, as one text.
    pub(crate) fn sh(&self, folder: &Path, line: &str) -> String {
        self.shown(&self.output(folder, "/bin/sh", &["-c".to_string(), line.to_string()], b""))
    }

    /// Runs a program with the sealed environment and returns what came of it.
    pub(crate) fn output(&self, folder: &Path, program: &str, arguments: &[String], input: &[u8]) -> Output {
        let mut command = self.command(folder, program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that does not read its input closes the pipe first.
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input);
        child.wait_with_output().unwrap()
    }

    /// A command with the sealed environment, its clock one second on.
    pub(crate) fn command(&self, folder: &Path, program: &str) -> Command {
        self.ticks.set(self.ticks.get() + 1);
        let seconds = START + self.ticks.get();
        let now = jiff::Timestamp::from_second(seconds).unwrap().to_string();
        let bin = Path::new(env!("CARGO_BIN_EXE_git-ar")).parent().unwrap();
        let mut command = Command::new(program);
        command.current_dir(folder).env_clear();
        command.env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display()));
        command.env("HOME", self.home.path()).env("LANG", "C").env("TZ", "UTC");
        command.env("GIT_CONFIG_SYSTEM", "/dev/null").env("GIT_CONFIG_GLOBAL", "/dev/null");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Test").env(format!("GIT_{who}_EMAIL"), "test@example.org");
            command.env(format!("GIT_{who}_DATE"), format!("{seconds} +0000"));
        }
        command.env("GIT_AR_NOW", now).env("GIT_AR_SEED", self.ticks.get().unsigned_abs().to_string());
        command.envs(self.extra.iter().map(|(name, value)| (name, value)));
        command
    }

    /// So much time passes, in seconds; back in time where it is negative.
    pub(crate) fn pass(&self, seconds: i64) {
        self.ticks.set(self.ticks.get() + seconds);
    }

    /// Writes a file below the top folder, with the folders above it.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let place = self.top.join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, text).unwrap();
    }

    /// A file below the top folder.
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.top.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Writes a file, stages everything and commits it.
    pub(crate) fn commit(&self, path: &str, text: &str) -> String {
        self.write(path, text);
        self.git("add -A");
        self.git(&format!("commit -q -m \"{path}\""));
        self.git("rev-parse HEAD").trim().to_string()
    }

    /// Stdout, then stderr and a failing exit status where there are any. The box's folders are shown as `$TOP`
    /// and `$HOME`.
    pub(crate) fn shown(&self, output: &Output) -> String {
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.stderr.is_empty() {
            text.push_str("[stderr]\n");
            text.push_str(&String::from_utf8_lossy(&output.stderr));
        }
        match output.status.code() {
            Some(0) => {}
            Some(code) => text.push_str(&format!("[exit {code}]\n")),
            None => text.push_str("[killed]\n"),
        }
        let text = text.replace(&*self.top.to_string_lossy(), "$TOP");
        let home = self.home.path().canonicalize().unwrap();
        text.replace(&*home.to_string_lossy(), "$HOME").replace(&*self.home.path().to_string_lossy(), "$HOME")
    }
}

/// Words split at blanks; single or double quotes keep them together.
pub(crate) fn split(words: &str) -> Vec<String> {
    let (mut found, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in words.chars() {
        match quote {
            Some(q) if c == q => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => found.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    found.extend(word);
    found
}
