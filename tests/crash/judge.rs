//! What is true of a repository, and whether that is the old state, the new one, or neither.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cases::Case;
use crate::sandbox::{Sandbox, split};
use crate::server;

/// What temporary files are called.
const TEMPORARY: [&str; 2] = [".git-ar-tmp-", "lock-left-over"];
/// Parts of git's folder that belong to the state.
const OF_GIT: [&str; 3] = [".git/hooks", ".git/config", ".git/info"];

/// Everything that a state consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// Every file of the work tree, every hook, git's configuration and attributes, and what the case adds.
    pub(crate) files: BTreeMap<PathBuf, File>,
    /// The tree of `HEAD`.
    pub(crate) tree: String,
    /// What git says of index and work tree.
    pub(crate) status: String,
}

/// A file's permission bits and bytes.
pub(crate) type File = (u32, Vec<u8>);

/// Every file below `folder` that `keep` wants, relative to it.
fn below(folder: &Path, keep: impl Fn(&Path) -> bool) -> impl Iterator<Item = PathBuf> {
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    let files = walk.filter(|e| !e.file_type().is_dir()).map(walkdir::DirEntry::into_path);
    let folder = folder.to_path_buf();
    files.map(move |path| path.strip_prefix(&folder).unwrap().to_path_buf()).filter(move |path| keep(path))
}

fn is_temporary(path: &Path) -> bool {
    // What came of a file that is fetched stays for the next command.
    let part = |name: &str| name.starts_with('.') && name.ends_with(".part");
    path.components().any(|piece| {
        let name = piece.as_os_str().to_string_lossy();
        TEMPORARY.iter().any(|begin| name.starts_with(begin)) || part(&name)
    })
}

/// The state of a box's repository.
pub(crate) fn state(sandbox: &Sandbox, case: &Case) -> State {
    let top = sandbox.top();
    let kept = |path: &Path| {
        let of_git = OF_GIT.iter().any(|part| path.starts_with(part)) && path.extension().is_none();
        (of_git || !path.starts_with(".git")) && !is_temporary(path)
    };
    let mut paths: Vec<PathBuf> = below(top, kept).collect();
    for folder in case.beside.iter().filter(|folder| top.join(folder).is_dir()) {
        paths.extend(below(&top.join(folder), |path| !is_temporary(path)).map(|path| Path::new(folder).join(path)));
    }
    let files = paths.into_iter().map(|path| (path.clone(), file(&top.join(path)))).collect();
    let tree = sandbox.try_git(top, "rev-parse -q --verify HEAD^{tree}");
    let status = sandbox.git("status --porcelain --untracked-files=all");
    let status = status.lines().filter(|line| !is_temporary(Path::new(&line[3..]))).map(|l| format!("{l}\n")).collect();
    State { files, tree, status }
}

fn file(place: &Path) -> File {
    let mode = std::os::unix::fs::PermissionsExt::mode(&place.symlink_metadata().unwrap().permissions());
    (mode & 0o777, std::fs::read(place).unwrap())
}

/// A copy of a prepared box, with the clock and the chance of every other copy.
pub(crate) fn copy(of: &Sandbox, case: &Case) -> Sandbox {
    let sandbox = Sandbox::empty().with_env("GIT_AR_NOW", "2026-01-06T08:00:00Z").with_env("GIT_AR_SEED", "7");
    let sandbox = if case.verb == "data fetch" { sandbox.with_env("AR_DATA_FROM", server::address()) } else { sandbox };
    let from = format!("{}/.", of.home().display());
    let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(sandbox.home()).status().unwrap();
    assert!(copied.success());
    if case.jobs.is_none() {
        return sandbox;
    }
    // With the programs of its scheduler.
    let own = Path::new(env!("CARGO_BIN_EXE_git-ar")).parent().unwrap().display();
    let path = format!("{}:{own}:/usr/local/bin:/usr/bin:/bin", sandbox.home().join("bin").display());
    sandbox.with_env("PATH", &path).with_env("GIT_AR_TRUST", "all")
}

/// How many jobs the scheduler took.
pub(crate) fn jobs(sandbox: &Sandbox) -> usize {
    std::fs::read_to_string(sandbox.home().join("queue")).unwrap_or_default().lines().count()
}

/// Runs a case, with failpoints set where `fail` says so: exit status (none when killed) and what was said. What it asks
/// of a person is done by hand.
pub(crate) fn run(sandbox: &Sandbox, case: &Case, fail: Option<&str>) -> (Option<i32>, String) {
    let words = case.words.replace("RUN", &only_run(sandbox));
    let (mut code, mut said) = typed(sandbox, &words, fail);
    let sheet = sandbox.top().join(".git/ar/handoff/lab.sh");
    for _ in 0..5 {
        if !case.by_hand || code != Some(0) || !sheet.exists() {
            break;
        }
        sandbox.sh(sandbox.home(), &format!("sh {} >receipt", sheet.display()));
        let (next, more) = typed(sandbox, "handoff --receipt ../receipt", None);
        (code, said) = (next, said + &more);
    }
    (code, said)
}

fn typed(sandbox: &Sandbox, words: &str, fail: Option<&str>) -> (Option<i32>, String) {
    let mut command = sandbox.command(sandbox.top(), env!("CARGO_BIN_EXE_git-ar"));
    if let Some(fail) = fail {
        command.env("GIT_AR_FAIL", fail);
    }
    let output = command.args(split(words)).stdin(std::process::Stdio::null()).output().unwrap();
    (output.status.code(), sandbox.shown(&output))
}

/// The id of the one recorded run, if there is one.
pub(crate) fn only_run(sandbox: &Sandbox) -> String {
    let projects = sandbox.top().join("projects");
    let first = |path: &Path| {
        path.ends_with("run.yaml") && !std::fs::read_to_string(projects.join(path)).unwrap().contains("rerun_of")
    };
    let runs = projects.is_dir().then(|| below(&projects, first).next()).flatten();
    runs.and_then(|path| Some(path.parent()?.file_name()?.to_string_lossy().into_owned())).unwrap_or_default()
}

/// Files that are neither as in `old` nor as in `new`, where two runs leave the same bytes. What lies beside the
/// repository grows step by step; only its end is judged.
pub(crate) fn torn(case: &Case, now: &State, old: &State, new: &State) -> Vec<String> {
    // Each setting of git is set by a git of its own, whole or not at all.
    let beside = |path: &Path| case.beside.iter().any(|folder| path.starts_with(folder));
    let paths = now.files.keys().chain(old.files.keys());
    let paths = paths.filter(|path| *path != Path::new(".git/config") && !beside(path));
    let mut found: Vec<String> = Vec::new();
    for path in paths {
        let (here, before, after) = (now.files.get(path), old.files.get(path), new.files.get(path));
        let recorded = !case.same && path.to_string_lossy().contains("/runs/");
        // What was fetched to be unpacked came to its place whole.
        let passing = case.goes_on && before.is_none() && after.is_none();
        if here != before
            && here != after
            && !passing
            && !(recorded && here.is_some_and(|(_, bytes)| bytes.ends_with(b"\n")))
        {
            found.push(path.display().to_string());
        }
    }
    found.dedup();
    found
}

/// Whether a state is the one in which the verb ends.
pub(crate) fn is_new(case: &Case, now: &State, new: &State) -> bool {
    if case.same {
        return now == new;
    }
    // A killed attempt is on record beside the one that came to its end.
    let (attempts, rest) = recorded(now);
    let (least, wanted) = recorded(new);
    now.status == new.status && rest == wanted && attempts >= least
}

/// How many attempts there are, and the places of all other files. The id of a run is chance: one that was taken by a
/// killed start, which had not come as far as a record, is not given a second time, so the run has another id then.
fn recorded(state: &State) -> (usize, Vec<PathBuf>) {
    let attempt = |path: &&PathBuf| path.parent().is_some_and(|folder| folder.ends_with("attempts"));
    let mut rest: Vec<PathBuf> = state.files.keys().filter(|path| !attempt(path)).map(|path| any_run(path)).collect();
    rest.sort();
    (state.files.keys().filter(attempt).count(), rest)
}

/// The path with a word in the place of the run's id.
fn any_run(path: &Path) -> PathBuf {
    let mut in_runs = false;
    let parts = path.components().map(|part| {
        let part = part.as_os_str().to_string_lossy().into_owned();
        let shown = if in_runs { "RUN".to_string() } else { part.clone() };
        in_runs = part == "runs";
        shown
    });
    parts.collect()
}

/// Repeats a case. The trainer outlives a git-ar that is killed, by design, and until it has ended the command says so
/// and trains nothing twice; that is waited for, and nothing else is.
pub(crate) fn repeat(sandbox: &Sandbox, case: &Case) -> (Option<i32>, String) {
    for _ in 0..1200 {
        let (code, said) = run(sandbox, case, None);
        if code != Some(8) || !said.contains("a job is running in") {
            return (code, said);
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    (None, "the job does not end".into())
}

/// What git and the rules make of the repository; empty when all is well.
pub(crate) fn unsound(sandbox: &Sandbox) -> String {
    let fsck = sandbox.try_git(sandbox.top(), "fsck --strict --no-dangling --no-progress");
    let quiet = fsck.lines().filter(|l| !l.starts_with("notice:") && *l != "[stderr]").collect::<String>();
    let born = !sandbox.try_git(sandbox.top(), "rev-parse -q --verify HEAD").contains("[exit");
    let managed = sandbox.top().join("configs/ar.yaml").exists();
    let checked = if born && managed { sandbox.run("check --tree HEAD") } else { String::new() };
    let refused = if checked.contains("[exit") { checked } else { String::new() };
    // A note names the process that was killed.
    let refused: String = refused.lines().filter(|l| !l.starts_with("note:")).map(|l| format!("{l}\n")).collect();
    format!("{quiet}{refused}")
}

/// Temporary files and locks that are left anywhere, `.git` included.
pub(crate) fn litter(sandbox: &Sandbox) -> Vec<PathBuf> {
    let lock = |path: &Path| path.ends_with("ar/lock") || path.extension().is_some_and(|e| e == "lock");
    below(sandbox.top(), |path| is_temporary(path) || lock(path)).collect()
}
