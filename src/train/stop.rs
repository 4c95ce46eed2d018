//! Being told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::state::problem::{Kind, Problem};

/// SIGTERM and SIGINT, looked at between steps.
pub struct Stop {
    /// Set when the training is to stop at the next step.
    pub asked: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Stop {
    /// Listens from now on.
    pub fn listen() -> Result<Self, Problem> {
        let stop = Self { asked: Arc::default(), signal: Arc::default() };
        let listen = |signal: i32| {
            let number = usize::try_from(signal).expect("signals are positive");
            signal_hook::flag::register_usize(signal, Arc::clone(&stop.signal), number)?;
            signal_hook::flag::register(signal, Arc::clone(&stop.asked))
        };
        for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
            listen(signal).map_err(|e| Problem::new(Kind::Bug, "signal", format!("signals cannot be caught: {e}")))?;
        }
        Ok(stop)
    }

    /// As a shell counts it: 143 after SIGTERM, 130 after SIGINT.
    #[must_use]
    pub fn code(&self) -> u8 {
        128 + u8::try_from(self.signal.load(Ordering::Relaxed)).unwrap_or(15)
    }
}
