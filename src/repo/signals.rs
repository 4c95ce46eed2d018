//! SIGINT, SIGTERM and SIGHUP while the lock is held: a change is finished or taken back and the lock given back before
//! the process ends. At any other time they end it at once, as they do with every program.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::state::problem::{Kind, Problem};

static FLAGS: OnceLock<Flags> = OnceLock::new();
static HELD: AtomicUsize = AtomicUsize::new(0);
static ELSEWHERE: AtomicBool = AtomicBool::new(false);

struct Flags {
    /// Nothing is held: a signal does what it does by default.
    free: Arc<AtomicBool>,
    /// The signal that came while something was held; 0 for none.
    asked: Arc<AtomicUsize>,
}

/// While this lives, the first signal only asks; a second one ends the process.
#[derive(Debug)]
pub struct Hold(());

/// Holds signals back. A system that refuses to tell about them leaves them as they are: the lock of a process that they
/// end is recognised by the next one.
#[must_use]
pub fn hold() -> Hold {
    let flags = FLAGS.get_or_init(Flags::listen);
    HELD.fetch_add(1, Ordering::SeqCst);
    flags.free.store(false, Ordering::SeqCst);
    Hold(())
}

/// From now on somebody else of this process takes care of signals: a run that stops at its next checkpoint.
pub fn leave_to_caller() {
    ELSEWHERE.store(true, Ordering::SeqCst);
    // Never given back.
    std::mem::forget(hold());
}

/// The number of the signal that came while something was held.
#[must_use]
pub fn asked() -> Option<u8> {
    let asked = FLAGS.get().map_or(0, |flags| flags.asked.load(Ordering::SeqCst));
    u8::try_from(asked).ok().filter(|signal| *signal > 0 && !ELSEWHERE.load(Ordering::SeqCst))
}

/// Refuses to begin or go on once a signal has come.
///
/// # Errors
/// [`Kind::Interrupted`].
pub fn refuse_when_asked() -> Result<(), Problem> {
    match asked() {
        None => Ok(()),
        Some(_) => Err(Problem::new(Kind::Interrupted, "interrupted", "stopped by a signal; nothing was changed")
            .hint("repeat the command when it is wanted")),
    }
}

impl Flags {
    fn listen() -> Self {
        let flags = Self { free: Arc::new(AtomicBool::new(true)), asked: Arc::default() };
        let second = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let (free, asked) = (flags.free.clone(), flags.asked.clone());
            // In this order: what a signal does is asked of the flags as they were before it.
            let _ = flag::register_conditional_default(signal, free);
            let _ = flag::register_conditional_shutdown(signal, 128 + signal, second.clone());
            let _ = flag::register(signal, second.clone());
            let _ = flag::register_usize(signal, asked, usize::try_from(signal).unwrap_or(0));
        }
        flags
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if HELD.fetch_sub(1, Ordering::SeqCst) == 1
            && let Some(flags) = FLAGS.get()
        {
            flags.free.store(true, Ordering::SeqCst);
        }
    }
}
