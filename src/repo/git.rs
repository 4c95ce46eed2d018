//! Door 1: the one place that starts git, for what must honour the person's set-up (commit, hooks, signing, push)
//! and for what gix cannot do.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Repo, fail};
use crate::state::problem::{Kind, Problem};

/// The variables that `git rev-parse --local-env-vars` lists: they tie a process to one repository.
const LOCAL_VARIABLES: [&str; 15] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
];

/// What git says of a disk that takes nothing more.
const FULL: [&str; 5] = ["No space left", "Out of diskspace", "Disk quota", "Read-only file system", "couldn't write"];
/// What git says of a disk or a system that is out of order.
const BROKEN: [&str; 8] = [
    "Input/output error",
    "Too many open files",
    "Cannot allocate memory",
    "Resource temporarily unavailable",
    "Permission denied",
    "Operation not permitted",
    "Stale file handle",
    "unable to write",
];

static SPAWNED: AtomicUsize = AtomicUsize::new(0);
static TRACE: OnceLock<fn(&str)> = OnceLock::new();

/// How often this process has started git.
#[must_use]
pub fn spawned() -> usize {
    SPAWNED.load(Ordering::Relaxed)
}

/// Tells every start of git to `sink`, as one line. Only the first call counts.
pub fn trace_to(sink: fn(&str)) {
    // A second sink is refused by design, and there is nothing to do about it.
    let _ = TRACE.set(sink);
}

/// Git in one folder.
#[derive(Clone, Debug)]
pub struct Git {
    folder: PathBuf,
    clear: &'static [&'static str],
    set: Vec<(&'static str, PathBuf)>,
}

impl Git {
    /// Git for a folder that need not belong to the repository that this process works in: variables that would
    /// point it elsewhere are cleared.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), clear: &LOCAL_VARIABLES, set: Vec::new() }
    }

    /// Git for an opened repository, at its top. What the process was told through the environment is passed on,
    /// with absolute paths, because the folder is another one.
    pub(super) fn of(repo: &Repo) -> Self {
        let mut set = Vec::new();
        if !leads_to(repo.top(), repo.git_dir()) {
            set.push(("GIT_DIR", repo.git_dir().to_path_buf()));
            set.push(("GIT_WORK_TREE", repo.top().to_path_buf()));
        }
        if repo.index_path() != repo.git.git_dir().join("index") {
            set.push(("GIT_INDEX_FILE", repo.index_path()));
        }
        let clear = &["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];
        Self { folder: repo.top().to_path_buf(), clear, set }
    }

    /// The same git, which leaves what git-lfs keeps elsewhere where it is.
    #[must_use]
    pub(super) fn without_large_files(mut self) -> Self {
        self.set.push(("GIT_LFS_SKIP_SMUDGE", "1".into()));
        self
    }

    /// The same git with another reason in the reflog.
    #[must_use]
    pub(super) fn because(mut self, why: &str) -> Self {
        self.set.push(("GIT_REFLOG_ACTION", why.into()));
        self
    }

    /// Runs git and returns whatever came out of it.
    ///
    /// # Errors
    /// [`Kind::Io`] when git is not installed or cannot be started.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S], input: &[u8]) -> Result<Output, Problem> {
        let mut command = Command::new("git");
        command.current_dir(&self.folder).args(arguments);
        for name in self.clear {
            command.env_remove(name);
        }
        command.envs(self.set.iter().map(|(name, value)| (name, value)));
        command.stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        fail::shield(&mut command);
        announce(arguments);
        let mut child = fail::point("git.start")
            .and_then(|()| command.spawn())
            .map_err(|error| not_started(&self.folder, &error))?;
        let output = talk(&mut child, input);
        fail::done("git.done");
        output.map_err(|error| not_started(&self.folder, &error))
    }

    /// Runs git and returns what it wrote to standard output.
    ///
    /// # Errors
    /// [`Kind::Io`] when git fails, with what it said.
    pub fn text<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<String, Problem> {
        let output = self.run(arguments, b"")?;
        if !output.status.success() {
            return Err(failed(arguments, &output));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Makes a repository in the folder with `branch` as its first branch. An existing repository stays as it is.
    ///
    /// # Errors
    /// [`Kind::Io`] when git fails.
    pub fn init(&self, branch: &str) -> Result<(), Problem> {
        self.text(&["init", "-q", &format!("--initial-branch={branch}"), "."]).map(drop)
    }

    /// A configuration value as git sees it, `git -c` and includes counted; `None` when it is not set.
    ///
    /// # Errors
    /// [`Kind::Io`] when the configuration cannot be read.
    pub fn config_get(&self, key: &str) -> Result<Option<String>, Problem> {
        let output = self.run(&["config", "--get", key], b"")?;
        match output.status.code() {
            Some(0) => Ok(Some(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_string())),
            Some(1) => Ok(None),
            _ => Err(failed(&["config", "--get", key], &output)),
        }
    }

    /// Sets a value in the repository's own configuration.
    ///
    /// # Errors
    /// [`Kind::Io`] when it cannot be written.
    pub fn config_set(&self, key: &str, value: &str) -> Result<(), Problem> {
        self.text(&["config", "--local", key, value]).map(drop)
    }

    /// Stages files, ignored ones too: the caller names exactly what it wrote.
    ///
    /// # Errors
    /// [`Kind::Io`] when git fails, [`Kind::Locked`] when another process holds the index.
    pub fn add(&self, paths: &[String]) -> Result<(), Problem> {
        self.on_paths(&["add", "--force"], paths)
    }

    /// Runs a command that takes its paths on standard input, taken literally.
    pub(super) fn on_paths(&self, arguments: &[&str], paths: &[String]) -> Result<(), Problem> {
        let output = self.run_on_paths(arguments, paths)?;
        if output.status.success() { Ok(()) } else { Err(failed(arguments, &output)) }
    }

    pub(super) fn run_on_paths(&self, arguments: &[&str], paths: &[String]) -> Result<Output, Problem> {
        let mut input = Vec::new();
        for path in paths {
            input.extend_from_slice(b":(top,literal)");
            input.extend_from_slice(path.as_bytes());
            input.push(0);
        }
        let arguments: Vec<&str> =
            arguments.iter().copied().chain(["--pathspec-from-file=-", "--pathspec-file-nul"]).collect();
        self.run(&arguments, &input)
    }

    /// Merges three files by their lines into `ours`; the names stand in its conflicts. Returns whether there are any.
    ///
    /// # Errors
    /// [`Kind::Io`] when git fails.
    pub fn merge_file(
        &self,
        [ours, base, theirs]: [&str; 3],
        names: [&str; 2],
        marker: usize,
    ) -> Result<bool, Problem> {
        let size = format!("--marker-size={marker}");
        let arguments =
            ["merge-file", "--quiet", &size, "-L", names[0], "-L", "base", "-L", names[1], "--", ours, base, theirs];
        let output = self.run(&arguments, b"")?;
        match output.status.code() {
            Some(0) => Ok(false),
            Some(1..=127) => Ok(true),
            _ => Err(failed(&arguments, &output)),
        }
    }

    /// Writes a commit's files as a tar archive to `file`, as `git archive` does (attributes honoured). With
    /// `paths` only what lies in them.
    ///
    /// # Errors
    /// [`Kind::Io`] when git fails.
    pub fn archive(&self, commit: &str, paths: &[String], file: &Path) -> Result<(), Problem> {
        let mut arguments: Vec<OsString> = vec!["archive".into(), "--format=tar".into(), "-o".into(), file.into()];
        arguments.push(commit.into());
        arguments.push("--".into());
        arguments.extend(paths.iter().map(|path| OsString::from(format!(":(top,literal){path}"))));
        self.text(&arguments).map(drop)
    }

    /// Pushes a branch.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when the remote did not take it, with what git said.
    pub fn push(&self, remote: &str, branch: &str) -> Result<(), Problem> {
        let output = self.run(&["push", "--quiet", "--", remote, branch], b"")?;
        if output.status.success() {
            return Ok(());
        }
        Err(Problem::new(Kind::Unavailable, "push", format!("{remote} did not take {branch}: {}", said(&output)))
            .hint(format!("git fetch {remote}, then look at git log {branch}..{remote}/{branch}")))
    }
}

/// Gives a child its input and takes what it says until it ends.
fn talk(child: &mut Child, input: &[u8]) -> std::io::Result<Output> {
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let (stdout, stderr) = std::thread::scope(|scope| {
        if let Some(mut stdin) = stdin {
            // Git may end before it has read everything; its exit status says what matters.
            scope.spawn(move || stdin.write_all(input).ok());
        }
        let stderr = scope.spawn(move || all(stderr));
        (all(child.stdout.take()), stderr.join())
    });
    let status = child.wait()?;
    Ok(Output { status, stdout: stdout?, stderr: stderr.unwrap_or_else(|_| Ok(Vec::new()))? })
}

fn all(from: Option<impl Read>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.map_or(Ok(0), |mut from| from.read_to_end(&mut bytes))?;
    Ok(bytes)
}

/// Whether git, started in `top`, finds `git_dir` by itself.
fn leads_to(top: &Path, git_dir: &Path) -> bool {
    let dot_git = top.join(".git");
    if dot_git.is_dir() {
        return dot_git.canonicalize().is_ok_and(|found| found == git_dir);
    }
    let Ok(text) = std::fs::read_to_string(&dot_git) else { return false };
    let target = text.trim_end().strip_prefix("gitdir: ").map(|target| top.join(target));
    target.and_then(|target| target.canonicalize().ok()).is_some_and(|found| found == git_dir)
}

fn announce<S: AsRef<OsStr>>(arguments: &[S]) {
    SPAWNED.fetch_add(1, Ordering::Relaxed);
    if let Some(sink) = TRACE.get() {
        let words: Vec<_> = arguments.iter().map(|word| word.as_ref().to_string_lossy()).collect();
        sink(&format!("git {}", words.join(" ")));
    }
}

/// What a failed git said, its last words first to be seen.
pub(super) fn said(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let text = if stderr.trim().is_empty() { stdout } else { stderr };
    crate::state::text::printable(text.trim())
}

/// The problem of a git command that failed.
pub(super) fn failed<S: AsRef<OsStr>>(arguments: &[S], output: &Output) -> Problem {
    let said = said(output);
    if said.contains(".lock': File exists") {
        return Problem::new(Kind::Locked, "git-locked", format!("another git process is at work here: {said}"))
            .hint("wait until it has ended; if none is running, see git ar doctor");
    }
    if FULL.iter().any(|words| said.contains(words)) {
        return Problem::new(Kind::Io, "git-failed", format!("git could not write: {said}"))
            .hint("make room on the disk and repeat the command; nothing was changed");
    }
    // Only in git's own words: a hook may speak of such things too.
    let own = |line: &str| ["fatal: ", "error: ", "warning: "].iter().any(|begin| line.starts_with(begin));
    if said.lines().filter(|line| own(line)).any(|line| BROKEN.iter().any(|words| line.contains(words))) {
        return Problem::new(Kind::Io, "git-failed", format!("git could not do its work: {said}"))
            .hint("nothing was changed; repeat the command when the cause is gone");
    }
    let verb = arguments.first().map(|word| word.as_ref().to_string_lossy().into_owned()).unwrap_or_default();
    let said = if said.is_empty() { output.status.to_string() } else { said };
    Problem::new(Kind::Io, "git-failed", format!("git {verb} failed: {said}"))
}

fn not_started(folder: &Path, error: &std::io::Error) -> Problem {
    if error.kind() == std::io::ErrorKind::NotFound && folder.is_dir() {
        return Problem::new(Kind::Io, "git-missing", "git is not installed or not on PATH").hint("install git");
    }
    Problem::new(Kind::Io, "git-not-started", format!("git cannot be started in {}: {error}", folder.display()))
}
