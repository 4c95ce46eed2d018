//! What surrounds a command: folder, environment, clock and chance, read once and passed down as values.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::cluster::credentials;
use crate::ops::{Context, Progress};
use crate::repo::store::Owner;
use crate::repo::{Environment, Recovered, Repo, fail, git};
use crate::state::entities::Settings;
use crate::state::load;
use crate::state::problem::{Kind, Problem, Problems};

/// The surroundings of one command.
pub struct Session {
    /// Print JSON.
    pub json: bool,
    /// Where the command acts.
    pub folder: PathBuf,
    /// The time of the command, once.
    pub now: Timestamp,
    /// The only chance in the program.
    pub entropy: u64,
    /// This binary.
    pub exe: PathBuf,
    environment: HashMap<String, String>,
}

/// How a verb that changes state leaves its change.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Recording {
    /// Leave the change staged instead of committing it
    #[arg(long)]
    pub no_commit: bool,
    /// Push the branch after the commit
    #[arg(long, conflicts_with = "no_commit")]
    pub push: bool,
}

impl Session {
    /// Read the surroundings. `GIT_AR_NOW` (RFC 3339) and `GIT_AR_SEED` (a number) fix clock and chance.
    pub(super) fn new(json: bool, folder: Option<PathBuf>) -> Result<Self, Problem> {
        let mut environment: HashMap<String, String> =
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect();
        if environment.get("GIT_AR_TRACE").is_some_and(|wanted| wanted == "git") {
            git::trace_to(|line| Stderr.say(&format!("trace: {line}")));
        }
        fail::arm(environment.get("GIT_AR_FAIL").map(String::as_str))?;
        let here =
            std::env::current_dir().map_err(|e| Problem::new(Kind::Io, "io", format!("no current folder: {e}")))?;
        // A trainer runs in another folder than the person who says where the data is.
        if let Some(data) = environment.get_mut("AR_DATA").filter(|data| !data.is_empty()) {
            *data = here.join(&*data).to_string_lossy().into_owned();
        }
        let bad = |name: &str| Problem::new(Kind::Usage, "usage", format!("{name} does not hold what it should"));
        let now = match environment.get("GIT_AR_NOW") {
            Some(text) => text.parse().map_err(|_| bad("GIT_AR_NOW (a time such as 2026-01-31T12:00:00Z)"))?,
            // Files hold whole seconds.
            None => Timestamp::from_second(Timestamp::now().as_second()).unwrap_or(Timestamp::UNIX_EPOCH),
        };
        let entropy = match environment.get("GIT_AR_SEED") {
            Some(text) => text.parse().map_err(|_| bad("GIT_AR_SEED (a whole number)"))?,
            None => chance(now),
        };
        let folder = folder.map_or_else(|| here.clone(), |f| here.join(f));
        let exe = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("git-ar"));
        Ok(Self { json, folder, now, entropy, exe, environment })
    }

    /// The surroundings of a further command of this process, in another folder: later, and with chance of its own.
    pub(super) fn again(&self, folder: &std::path::Path) -> Self {
        let fixed = |name: &str| self.environment.contains_key(name);
        let now = if fixed("GIT_AR_NOW") { self.now } else { clock() };
        let entropy = if fixed("GIT_AR_SEED") { self.entropy } else { chance(now) };
        let (json, exe, environment) = (self.json, self.exe.clone(), self.environment.clone());
        Self { json, folder: folder.to_path_buf(), now, entropy, exe, environment }
    }

    /// One line of progress on stderr.
    pub(super) fn say(&self, text: &str) {
        text.lines().for_each(|line| Stderr.say(line));
    }

    /// The surroundings of a command that is taken up again with the clock and chance of its beginning.
    pub(super) fn fixed(&self, now: Timestamp, entropy: u64) -> Self {
        let (json, exe, environment) = (self.json, self.exe.clone(), self.environment.clone());
        Self { json, folder: self.folder.clone(), now, entropy, exe, environment }
    }

    /// The same with one more variable.
    pub(super) fn with_env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_string(), value.to_string());
        self
    }

    /// A variable of the environment.
    #[must_use]
    pub fn env(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }

    /// The repository around the folder, with what a killed command left half-way taken back.
    pub(super) fn repo(&self) -> Result<Repo, Problem> {
        let repo = Repo::discover(&self.folder, Environment::Honoured)?;
        Self::recovered(&repo)?;
        Ok(repo)
    }

    /// Takes back what a killed command left half-way, says so, and returns whether there was anything.
    pub(super) fn recovered(repo: &Repo) -> Result<bool, Problem> {
        let recovered = repo.recover()?;
        told(&recovered);
        Ok(!recovered.files.is_empty())
    }

    /// Run `work` on the repository around the folder, which git-ar must manage.
    pub fn with<T>(
        &self,
        recording: Recording,
        work: impl FnOnce(&Context<'_>) -> Result<T, Problems>,
    ) -> Result<T, Problems> {
        let repo = self.repo()?;
        let settings = load::settings(&repo.work_tree())?.ok_or_else(load::not_managed)?;
        new_enough(settings.min_version.as_deref())?;
        self.on(repo, settings, recording, work)
    }

    /// Run `work` on a repository that need not be managed yet, as if it had these settings.
    pub(super) fn on<T>(
        &self,
        repo: Repo,
        settings: Settings,
        recording: Recording,
        work: impl FnOnce(&Context<'_>) -> Result<T, Problems>,
    ) -> Result<T, Problems> {
        // A file that is not there holds nothing.
        let kept =
            std::fs::read_to_string(repo.top().join(".env")).map(|text| credentials::read(&text)).unwrap_or_default();
        let env = |name: &str| self.env(name).or_else(|| kept.get(name).cloned());
        work(&Context {
            repo,
            settings,
            now: self.now,
            entropy: self.entropy,
            env: &env,
            progress: &Stderr,
            commit: !recording.no_commit,
            push: recording.push,
            exe: self.exe.clone(),
        })
    }
}

/// `min_version` of `configs/ar.yaml` against this binary.
fn new_enough(wanted: Option<&str>) -> Result<(), Problem> {
    let Some(wanted) = wanted else { return Ok(()) };
    let numbers = |text: &str| text.split('.').map(str::parse).collect::<Result<Vec<u32>, _>>().ok();
    let here = env!("CARGO_PKG_VERSION");
    let invalid = |message: String, hint: &str| {
        Err(Problem::new(Kind::Invalid, "min-version", message).at(load::SETTINGS).hint(hint))
    };
    match numbers(wanted) {
        Some(wanted) if Some(&wanted) <= numbers(here).as_ref() => Ok(()),
        Some(_) => invalid(
            format!("this repository asks for git-ar {wanted} or newer; this is {here}"),
            "install a newer git-ar",
        ),
        None => invalid(format!("`min_version: {wanted}` is no version"), "write it as in min_version: \"0.1.0\""),
    }
}

/// The time in whole seconds, as people want to read it in a file.
fn clock() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// Chance from the operating system, through the standard library's hasher keys.
fn chance(now: Timestamp) -> u64 {
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
    hasher.write_i64(now.as_second());
    hasher.finish()
}

/// Progress as lines on stderr.
pub(super) struct Stderr;

impl Progress for Stderr {
    fn say(&self, line: &str) {
        // A closed stderr is no reason to stop the work.
        let _ = writeln!(std::io::stderr(), "{}", super::output::told(&crate::state::text::printable(line)));
    }
}

/// Says what a killed command had left half-done.
fn told(recovered: &Recovered) {
    if let Some(Owner { pid, doing, .. }) = &recovered.lock {
        Stderr.say(&format!("note: process {pid} ({doing}) ended and left its lock; the lock was taken over"));
    }
    if !recovered.files.is_empty() {
        let what = recovered.files.join(", ");
        Stderr.say(&format!("note: a command was killed before its commit; taken back: {what}"));
    }
}
