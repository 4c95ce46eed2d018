//! Failpoints as a test's build has them: counted through the process, one of them fails.
//!
//! `kill@7` ends the process with SIGKILL at the seventh point, `panic@7` lets it panic there; `enospc@7`, `erofs@7` and `eio@7` let what stands
//! behind it fail with that error, once; with a `+` at the end everything fails from there on, as on a disk that is
//! full. `count@FILE` lets nothing fail and writes the name of each point into FILE, a line each.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::io::Errno;
use rustix::process::{Signal, getpid, kill_process};

use crate::state::problem::{Kind, Problem};

/// Points that need no room on the disk: a full one lets them pass.
const ROOMLESS: [&str; 7] =
    ["file.rename", "file.remove", "file.cut", "folder.remove", "file.mode", "git.start", "job.start"];

static MODE: OnceLock<Mode> = OnceLock::new();
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// What happens where.
struct Mode {
    what: What,
    at: usize,
    onward: bool,
}

enum What {
    Kill,
    Panic,
    Fail(Errno),
    Count(PathBuf),
}

/// Sets what fails, from the text of `GIT_AR_FAIL`. Only the first call of a process counts.
///
/// # Errors
/// [`Kind::Usage`] for a text of another form.
pub fn arm(text: Option<&str>) -> Result<(), Problem> {
    let Some(text) = text else { return Ok(()) };
    let bad = || Problem::new(Kind::Usage, "usage", "GIT_AR_FAIL holds no WHAT@NUMBER, such as kill@7");
    let (word, at) = text.split_once('@').ok_or_else(bad)?;
    let what = match word {
        "kill" => What::Kill,
        "panic" => What::Panic,
        "enospc" => What::Fail(Errno::NOSPC),
        "erofs" => What::Fail(Errno::ROFS),
        "eio" => What::Fail(Errno::IO),
        "count" => What::Count(at.into()),
        _ => return Err(bad()),
    };
    let onward = at.ends_with('+');
    let at = match what {
        What::Count(_) => 0,
        _ => at.trim_end_matches('+').parse().map_err(|_| bad())?,
    };
    // A second arming, by a further command of this process, counts on.
    let _ = MODE.set(Mode { what, at, onward });
    Ok(())
}

/// A point before an effect.
///
/// # Errors
/// What was asked for, when this is the point.
pub fn point(name: &str) -> io::Result<()> {
    let Some(mode) = pass(name) else { return Ok(()) };
    match mode.what {
        What::Fail(Errno::NOSPC) if ROOMLESS.contains(&name) => Ok(()),
        What::Fail(error) => Err(error.into()),
        What::Kill | What::Panic | What::Count(_) => Ok(()),
    }
}

/// A point after an effect that another program had: only a kill can strike there.
pub fn done(name: &str) {
    pass(name);
}

/// Counts a point; kills the process when it is the one. Returns the mode when something else shall happen here.
fn pass(name: &str) -> Option<&'static Mode> {
    let mode = MODE.get()?;
    let number = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    if let What::Count(file) = &mode.what {
        let file = std::fs::File::options().create(true).append(true).open(file);
        // A count that cannot be written is missed by the test that asked for it.
        let _ = file.and_then(|mut file| writeln!(file, "{name}"));
        return None;
    }
    let here = number == mode.at || (mode.onward && number > mode.at);
    if here && matches!(mode.what, What::Kill) {
        let _ = kill_process(getpid(), Signal::KILL);
    }
    assert!(!(here && matches!(mode.what, What::Panic)), "a panic that was asked for at {name}");
    here.then_some(mode)
}

/// Keeps the failpoints of this process from the programs that it starts.
pub fn shield(command: &mut Command) {
    command.env_remove("GIT_AR_FAIL");
}
