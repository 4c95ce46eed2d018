//! Jobs as processes of this machine: started, waited for, and asked to stop.
//!
//! A process is started as the head of its own process group, so that Ctrl-C reaches git-ar alone and git-ar can
//! ask the trainer for its checkpoint. Its standard input is the run directory's lock file: the lock lasts as long
//! as anything of the job is alive, also when git-ar itself was killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal};

use crate::repo::{effect, fail, signals};
use crate::state::problem::{Kind, Problem};

/// Variables of git that would lead a trainer's own git calls to another repository.
pub(super) const GIT_VARIABLES: [&str; 4] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];

/// What is to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Program and arguments. A program with a `/` is relative to `folder`.
    pub command: Vec<String>,
    /// Variables on top of git-ar's own environment.
    pub env: Vec<(String, String)>,
    /// The working directory.
    pub folder: PathBuf,
    /// Where its output is appended; standard error of git-ar when there is none.
    pub log: Option<PathBuf>,
}

/// The wish to stop, from SIGINT, SIGTERM or SIGHUP. A second signal ends git-ar at once; the trainer goes on to
/// its checkpoint.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens from now on.
    ///
    /// # Errors
    /// [`Kind::Io`] when the system refuses.
    pub fn on_signals() -> Result<Self, Problem> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        signals::leave_to_caller();
        let stop = Self::default();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let second = signal_hook::flag::register_conditional_shutdown(signal, 130, stop.0.clone());
            let first = signal_hook::flag::register(signal, stop.0.clone());
            second
                .and(first)
                .map_err(|e| Problem::new(Kind::Io, "signals", format!("cannot listen to signals: {e}")))?;
        }
        Ok(stop)
    }

    /// Whether stopping was asked for.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The flag itself, for a trainer that runs in this process.
    #[must_use]
    pub fn flag(&self) -> &AtomicBool {
        &self.0
    }
}

/// A process that was started.
#[derive(Debug)]
pub struct Process {
    child: Child,
    told: bool,
}

impl Process {
    /// Starts a job. `lock` becomes its standard input.
    ///
    /// # Errors
    /// [`Kind::Usage`] when there is no such program, [`Kind::Io`] otherwise.
    pub fn start(job: &Job, lock: &File) -> Result<Self, Problem> {
        use std::os::unix::process::CommandExt as _;
        let (program, arguments) = job.command.split_first().expect("a trainer has a program");
        let mut command = match program.contains('/') {
            true => Command::new(job.folder.join(program)),
            false => Command::new(program),
        };
        command.args(arguments).current_dir(&job.folder).process_group(0);
        GIT_VARIABLES.iter().for_each(|name| _ = command.env_remove(name));
        command.envs(job.env.iter().map(|(name, value)| (name, value)));
        let outputs = outputs(job.log.as_deref())?;
        let input = lock.try_clone().map_err(|e| io("use the lock of", &job.folder, &e))?;
        command.stdin(input).stdout(outputs.0).stderr(outputs.1);
        fail::shield(&mut command);
        match fail::point("job.start").and_then(|()| command.spawn()) {
            Ok(child) => {
                fail::done("job.started");
                Ok(Self { child, told: false })
            }
            Err(error) => Err(cannot_start(program, &error)),
        }
    }

    /// Its exit status once it has ended: 128 + n when signal n ended it.
    ///
    /// # Errors
    /// [`Kind::Io`] when the system does not say.
    pub fn ended(&mut self) -> Result<Option<i32>, Problem> {
        let status = self.child.try_wait();
        let status = status.map_err(|e| Problem::new(Kind::Io, "wait", format!("cannot wait for the trainer: {e}")))?;
        Ok(status.map(code))
    }

    /// Asks it, and what it started, for a checkpoint and an end (SIGTERM). Only the first call does something.
    pub fn stop(&mut self) {
        if !std::mem::replace(&mut self.told, true) {
            // A process that has just ended needs no signal.
            let _ = rustix::process::kill_process_group(Pid::from_child(&self.child), Signal::TERM);
        }
    }
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// Standard output and error: one log for both, or both on git-ar's standard error, for its standard output is data.
fn outputs(log: Option<&Path>) -> Result<(Stdio, Stdio), Problem> {
    let Some(log) = log else { return Ok((std::io::stderr().into(), std::io::stderr().into())) };
    let open = || -> std::io::Result<(Stdio, Stdio)> {
        effect::make_folders(log.parent().expect("a log lies in a folder"))?;
        let file = effect::append(log)?;
        Ok((file.try_clone()?.into(), file.into()))
    };
    open().map_err(|e| io("write", log, &e))
}

fn io(what: &str, path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(Kind::Io, "scratch", format!("cannot {what} {}: {error}", path.display()))
        .hint("check free space and permissions there, then repeat the command")
}

fn cannot_start(program: &str, error: &std::io::Error) -> Problem {
    let message = format!("cannot start the trainer `{program}`: {error}");
    if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied) {
        let hint = "`trainer:` in configs/ar.yaml names it; it runs in a snapshot of the commit, so a program of the repository must be committed, executable, and written with a `/`";
        return Problem::new(Kind::Usage, "no-trainer", message).at("configs/ar.yaml").hint(hint);
    }
    Problem::new(Kind::Io, "no-trainer", message)
}

/// The host's name.
#[must_use]
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
