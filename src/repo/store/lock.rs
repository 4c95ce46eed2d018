//! The lock of a repository: one writer at a time, on file systems without flock too.
//!
//! The lock is a file that appears whole, by a hard link, with its owner inside. It is taken over only when its
//! owner certainly lives no more: same host, same boot, and no such process. Anything else is told, never broken.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Store;
use crate::repo::effect;
use crate::repo::process::{boot, host, runs};
use crate::repo::signals::{Hold, hold, refuse_when_asked};
use crate::state::problem::{Kind, Problem};

/// Where the lock lies in the `.git` folder that all worktrees share.
const PLACE: &str = "ar/lock";
/// What stands in locks of this process that it could not give back, since the disk failed just then.
static DROPPED: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// How often a waiter looks.
const PAUSE: Duration = Duration::from_millis(20);
/// Looks while the owner is a process of this machine: half a minute.
const LOOKS_NEAR: usize = 1500;
/// Looks while the owner cannot be seen from here: three seconds.
const LOOKS_FAR: usize = 150;

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The host's name.
    pub host: String,
    /// What tells one boot (and one container) of that host from the next; empty where the system does not say.
    pub boot: String,
    /// The process.
    pub pid: u32,
    /// What it is doing, such as `phase next`.
    pub doing: String,
}

/// A held lock; given back when dropped.
#[derive(Debug)]
pub struct Lock {
    place: PathBuf,
    text: String,
    // Dropped last: a signal may end the process once the lock file is gone.
    _hold: Hold,
}

impl Lock {
    /// Takes the lock of a repository, waiting a while for another process to give it back.
    ///
    /// # Errors
    /// [`Kind::Locked`], naming who holds it; [`Kind::Io`] when the lock file cannot be written.
    pub fn take(common_dir: &Path, doing: &str) -> Result<Self, Problem> {
        let mut looks = 0;
        loop {
            let (place, holder, standing) = match Self::look(common_dir, doing)? {
                Look::Taken(lock) => return Ok(lock),
                Look::Held(place, holder, standing) => (place, holder, standing),
            };
            let most = if matches!(standing, Standing::Far) { LOOKS_FAR } else { LOOKS_NEAR };
            if looks >= most {
                return Err(held(&place, holder.as_ref()));
            }
            refuse_when_asked()?;
            looks += 1;
            std::thread::sleep(PAUSE);
        }
    }

    /// Takes the lock if nobody who may live holds it.
    ///
    /// # Errors
    /// [`Kind::Io`] when the lock file cannot be written.
    pub fn try_take(common_dir: &Path, doing: &str) -> Result<Option<Self>, Problem> {
        match Self::look(common_dir, doing)? {
            Look::Taken(lock) => Ok(Some(lock)),
            Look::Held(..) => Ok(None),
        }
    }

    /// Who left the lock behind: a process that certainly lives no more.
    ///
    /// # Errors
    /// [`Kind::Io`] when the lock cannot be read.
    pub fn left_over(common_dir: &Path) -> Result<Option<Owner>, Problem> {
        let Some(found) = read(&common_dir.join(PLACE))? else { return Ok(None) };
        let own = Owner { host: host(), boot: boot(), pid: std::process::id(), doing: String::new() };
        let holder = owner_in(&found);
        Ok(holder.filter(|holder| matches!(standing(Some(holder), &own), Standing::Gone)))
    }

    /// One try, left-over locks taken away.
    fn look(common_dir: &Path, doing: &str) -> Result<Look, Problem> {
        let place = common_dir.join(PLACE);
        let hold = hold();
        let owner = Owner { host: host(), boot: boot(), pid: std::process::id(), doing: doing.to_string() };
        // Two locks of one process differ too, so that each gives back only its own.
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let text = format!("{}\n{}\n", serde_json::json!(owner), COUNT.fetch_add(1, Ordering::Relaxed));
        loop {
            // Looked at first: a waiter must not write a file at every look.
            let Some(found) = read(&place)? else {
                match create(&place, &text) {
                    Ok(true) => return Ok(Look::Taken(Self { place, text, _hold: hold })),
                    Ok(false) => continue,
                    Err(problem) => {
                        // It may stand there all the same, its name not flushed; then it is given back.
                        drop(Self { place, text, _hold: hold });
                        return Err(problem);
                    }
                }
            };
            if is_dropped(&found) {
                take_away(&place, &found)?;
                continue;
            }
            let holder = owner_in(&found);
            match standing(holder.as_ref(), &owner) {
                Standing::Gone => take_away(&place, &found)?,
                standing => return Ok(Look::Held(place, holder, standing)),
            }
        }
    }
}

/// What came of one try.
enum Look {
    Taken(Lock),
    Held(PathBuf, Option<Owner>, Standing),
}

impl Drop for Lock {
    fn drop(&mut self) {
        if std::fs::read_to_string(&self.place).is_ok_and(|found| found == self.text) {
            // A lock that cannot be given back is recognised as left over by the next process, and by this one.
            if effect::remove(&self.place).is_err() {
                DROPPED.lock().unwrap_or_else(PoisonError::into_inner).push(self.text.clone());
            }
        }
    }
}

/// Whether this process has let go of the lock in which `text` stands.
fn is_dropped(text: &str) -> bool {
    DROPPED.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|dropped| dropped == text)
}

/// What is known of a holder.
enum Standing {
    /// It certainly lives no more.
    Gone,
    /// It runs on this machine.
    Near,
    /// It cannot be seen from here.
    Far,
}

fn standing(holder: Option<&Owner>, own: &Owner) -> Standing {
    match holder {
        Some(holder) if holder.host == own.host && holder.boot == own.boot => {
            if runs(holder.pid) {
                Standing::Near
            } else {
                Standing::Gone
            }
        }
        _ => Standing::Far,
    }
}

/// Who stands in a lock file.
fn owner_in(text: &str) -> Option<Owner> {
    text.lines().next().and_then(|line| serde_json::from_str(line).ok())
}

/// Creates the lock file with its content at once; `false` when somebody was first.
fn create(place: &Path, text: &str) -> Result<bool, Problem> {
    let folder = place.parent().unwrap_or(place);
    match Store::at(folder).write_new("lock", text.as_bytes()) {
        Ok(()) => Ok(true),
        Err(problem) if problem.code == "exists" => Ok(false),
        Err(problem) => Err(problem.at(place.display().to_string())),
    }
}

fn read(place: &Path) -> Result<Option<String>, Problem> {
    match std::fs::read_to_string(place) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Problem::new(Kind::Io, "lock", format!("the lock cannot be read: {error}"))
                .at(place.display().to_string()))
        }
    }
}

/// Takes a dead process's lock away. The rename has one winner; should it have caught the lock of a process that
/// came in between, that lock is put back.
fn take_away(place: &Path, seen: &str) -> Result<(), Problem> {
    let aside = effect::temporary_name(place.parent().unwrap_or(place));
    match effect::rename(place, &aside) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(Problem::new(Kind::Io, "lock", format!("a left-over lock cannot be taken away: {error}"))
                .at(place.display().to_string()));
        }
        Ok(()) => {}
    }
    if std::fs::read_to_string(&aside).is_ok_and(|found| found != seen) {
        let _ = effect::link(&aside, place);
    }
    let _ = effect::remove(&aside);
    Ok(())
}

fn held(place: &Path, holder: Option<&Owner>) -> Problem {
    let since = std::fs::metadata(place)
        .and_then(|found| found.modified())
        .ok()
        .and_then(|time| jiff::Timestamp::try_from(time).ok())
        .map(|time| format!(" since {time:.0}"))
        .unwrap_or_default();
    let message = match holder {
        Some(Owner { host, pid, doing, .. }) => {
            let doing = crate::state::text::printable(doing);
            let host = crate::state::text::printable(host);
            format!("process {pid} on {host} holds the lock of this repository{since} ({doing})")
        }
        None => format!("something holds the lock of this repository{since}, and the lock does not say who"),
    };
    Problem::new(Kind::Locked, "locked", message)
        .at(place.display().to_string())
        .hint("try again; if that process has ended (ps -p on its host), remove the lock file by hand")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner { host: host(), boot: boot(), pid: std::process::id(), doing: "a test".into() }
    }

    fn leave(folder: &Path, owner: &Owner) {
        std::fs::create_dir_all(folder.join("ar")).unwrap();
        std::fs::write(folder.join(PLACE), serde_json::to_string(owner).unwrap()).unwrap();
    }

    /// A process id that was in use and is free again.
    fn dead() -> u32 {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        child.id()
    }

    #[test]
    fn a_lock_is_held_by_one_and_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::take(folder.path(), "one").unwrap();
        assert!(!create(&lock.place, "x").unwrap());
        drop(lock);
        assert!(!folder.path().join(PLACE).exists());
    }

    #[test]
    fn the_lock_of_a_dead_process_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        leave(folder.path(), &Owner { pid: dead(), ..owner() });
        let lock = Lock::take(folder.path(), "two").unwrap();
        assert!(lock.text.contains("two"));
        assert_eq!(std::fs::read_dir(folder.path().join("ar")).unwrap().count(), 1);
    }

    #[test]
    fn another_hosts_lock_is_never_broken() {
        let own = owner();
        let far = |holder: Owner| matches!(standing(Some(&holder), &own), Standing::Far);
        assert!(far(Owner { host: "elsewhere".into(), pid: dead(), ..owner() }));
        assert!(far(Owner { boot: "another boot".into(), pid: dead(), ..owner() }));
        assert!(matches!(standing(None, &own), Standing::Far));
        assert!(matches!(standing(Some(&own), &own), Standing::Near));
    }

    #[test]
    fn many_threads_lose_no_update() {
        let folder = tempfile::tempdir().unwrap();
        let count = folder.path().join("count");
        std::fs::write(&count, "0").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _lock = Lock::take(folder.path(), "count").unwrap();
                    let seen: u32 = std::fs::read_to_string(&count).unwrap().parse().unwrap();
                    std::fs::write(&count, (seen + 1).to_string()).unwrap();
                });
            }
        });
        assert_eq!(std::fs::read_to_string(&count).unwrap(), "8");
    }
}
