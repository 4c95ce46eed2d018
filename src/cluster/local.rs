//! The scheduler `local`: jobs start at once as processes on this machine, some at a time, and are waited for.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::transport::process::{Job, Process, Stop};
use crate::repo::effect;
use crate::state::problem::{Kind, Problem};

/// How often processes are looked at.
const PAUSE: Duration = Duration::from_millis(20);
/// How often a job's latest line is passed on.
const NEWS: Duration = Duration::from_secs(10);

/// What happens to a job, told as it happens. Jobs are named by their place in the list.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// It was started.
    Started(usize),
    /// The latest line of its log.
    Line(usize, String),
    /// It ended with this exit status, after this time.
    Ended(usize, i32, Duration),
    /// Everything that runs was asked to stop.
    Stopping,
}

/// The lock of a run directory, held while anything runs in it.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Takes the lock at `path`.
    ///
    /// # Errors
    /// [`Kind::Locked`] when a job runs there, also one whose git-ar is gone; [`Kind::Io`] otherwise.
    pub fn take(path: &Path) -> Result<Self, Problem> {
        let io = |e: std::io::Error| {
            Problem::new(Kind::Io, "scratch", format!("cannot lock {}: {e}", path.display()))
                .hint("check free space and permissions there, then repeat the command")
        };
        effect::make_folders(path.parent().expect("a lock lies in a folder")).map_err(io)?;
        let file = effect::open(path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(std::fs::TryLockError::Error(error)) => Err(io(error)),
            Err(std::fs::TryLockError::WouldBlock) => {
                let message = format!("a job is running in {}", path.parent().unwrap_or(path).display());
                Err(Problem::new(Kind::Locked, "running", message)
                    .hint("wait until it has ended; it goes on to its checkpoint even when its git-ar was stopped"))
            }
        }
    }
}

/// One job that runs.
struct Running {
    place: usize,
    process: Process,
    began: Instant,
    log: Option<PathBuf>,
    told: Instant,
}

/// Runs jobs, each under the lock of its run directory, at most `at_once` at a time, and returns their exit statuses in order; `None` for a job that was not
/// started because stopping was asked for or an earlier job could not start.
///
/// # Errors
/// What kept a job from being started; the jobs that ran until then have ended.
pub fn run(
    jobs: &[(Job, &Lock)],
    at_once: usize,
    stop: &Stop,
    tell: &dyn Fn(Event),
) -> Result<Vec<Option<i32>>, Problem> {
    let mut waiting: VecDeque<usize> = (0..jobs.len()).collect();
    let mut running: Vec<Running> = Vec::new();
    let mut codes = vec![None; jobs.len()];
    let mut failed = None;
    let mut told = false;
    loop {
        while running.len() < at_once.max(1) && !stop.asked() && failed.is_none() {
            let Some(place) = waiting.pop_front() else { break };
            let (job, lock) = &jobs[place];
            match Process::start(job, &lock.0) {
                Ok(process) => {
                    let now = Instant::now();
                    running.push(Running { place, process, began: now, log: job.log.clone(), told: now });
                    tell(Event::Started(place));
                }
                Err(problem) => failed = Some(problem),
            }
        }
        if running.is_empty() {
            return failed.map_or(Ok(codes), Err);
        }
        if stop.asked() {
            running.iter_mut().for_each(|job| job.process.stop());
            if !std::mem::replace(&mut told, true) {
                tell(Event::Stopping);
            }
        }
        let mut left = Vec::new();
        for mut job in running {
            match job.process.ended()? {
                Some(code) => {
                    codes[job.place] = Some(code);
                    tell(Event::Ended(job.place, code, job.began.elapsed()));
                }
                None => {
                    job.news(tell);
                    left.push(job);
                }
            }
        }
        running = left;
        std::thread::sleep(PAUSE);
    }
}

impl Running {
    fn news(&mut self, tell: &dyn Fn(Event)) {
        if self.told.elapsed() < NEWS {
            return;
        }
        self.told = Instant::now();
        if let Some(line) = self.log.as_deref().and_then(|log| last_lines(log, 1)) {
            tell(Event::Line(self.place, line));
        }
    }
}

/// The last lines of a log that are not empty, as far as its last 4 KiB hold them. A progress bar that redraws its
/// line counts by its latest state.
#[must_use]
pub fn last_lines(log: &Path, most: usize) -> Option<String> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file = File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(4096))).ok()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.split(['\n', '\r']).map(str::trim_end).filter(|l| !l.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(most)..)?.join("\n");
    (!last.is_empty()).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::sync::atomic::Ordering;

    fn sh(folder: &Path, name: &str, script: &str) -> Job {
        Job {
            command: ["sh", "-c", script].map(String::from).to_vec(),
            env: vec![("AR_SEED".into(), name.into())],
            folder: folder.to_path_buf(),
            log: Some(folder.join(name).join("log")),
        }
    }

    #[test]
    fn jobs_run_in_their_folder_and_their_statuses_are_kept() {
        let place = tempfile::tempdir().unwrap();
        let lock = Lock::take(&place.path().join("lock")).unwrap();
        let jobs = [
            sh(place.path(), "0", "pwd; echo seed $AR_SEED >&2"),
            sh(place.path(), "1", "exit 7"),
            sh(place.path(), "2", "kill -9 $$"),
        ]
        .map(|job| (job, &lock));
        for at_once in [1, 3] {
            let codes = run(&jobs, at_once, &Stop::default(), &|_| {}).unwrap();
            assert_eq!(codes, [Some(0), Some(7), Some(137)]);
        }
        let log = std::fs::read_to_string(place.path().join("0/log")).unwrap();
        assert_eq!(log.lines().nth(1), Some("seed 0"));
        assert_eq!(last_lines(&place.path().join("0/log"), 1).as_deref(), Some("seed 0"));
        assert_eq!(last_lines(&place.path().join("1/log"), 1), None);
    }

    #[test]
    fn a_stop_reaches_the_job_and_what_it_started() {
        let place = tempfile::tempdir().unwrap();
        let lock = Lock::take(&place.path().join("lock")).unwrap();
        let script = "trap 'echo saved; exit 143' TERM; echo ready; while :; do sleep 0.01; done";
        let jobs = [sh(place.path(), "0", script), sh(place.path(), "1", "echo never")].map(|job| (job, &lock));
        let stop = Stop::default();
        let events = RefCell::new(Vec::new());
        let codes = run(&jobs, 1, &stop, &|event| {
            if event == Event::Started(0) {
                while last_lines(&place.path().join("0/log"), 1).is_none() {
                    std::thread::sleep(PAUSE);
                }
                stop.flag().store(true, Ordering::Relaxed);
            }
            events.borrow_mut().push(event);
        });
        assert_eq!(codes.unwrap(), [Some(143), None]);
        assert_eq!(last_lines(&place.path().join("0/log"), 1).as_deref(), Some("saved"));
        assert!(events.borrow().contains(&Event::Stopping));
    }

    #[test]
    fn the_lock_outlives_git_ar_and_ends_with_the_job() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lock");
        let lock = Lock::take(&path).unwrap();
        assert_eq!(Lock::take(&path).unwrap_err().kind, Kind::Locked);
        let mut process = Process::start(&sh(place.path(), "0", "exec sleep 30"), &lock.0).unwrap();
        drop(lock);
        assert_eq!(Lock::take(&path).unwrap_err().kind, Kind::Locked);
        process.stop();
        while process.ended().unwrap().is_none() {
            std::thread::sleep(PAUSE);
        }
        assert!(Lock::take(&path).is_ok());
    }

    #[test]
    fn a_program_that_is_missing_is_named() {
        let place = tempfile::tempdir().unwrap();
        let lock = Lock::take(&place.path().join("lock")).unwrap();
        for program in ["no-such-program-here", "./train.sh"] {
            let job = Job { command: vec![program.into()], ..sh(place.path(), "0", "") };
            let problem = run(&[(job, &lock)], 1, &Stop::default(), &|_| {}).unwrap_err();
            assert!(problem.kind == Kind::Usage && problem.message.contains(program), "{problem}");
        }
    }
}
