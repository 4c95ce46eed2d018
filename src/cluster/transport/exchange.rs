//! One command with its input, its two outputs and a limit of our own.

use std::io::{ErrorKind, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::frame::{Frame, Stream};
use crate::repo::fail;

/// The longest reply that is taken into memory.
const MOST: usize = 1 << 30;
/// How long a command may take to end once its reply is whole, and how long its outputs once it has ended.
const GRACE: Duration = Duration::from_millis(500);
/// How often the end is looked for while nothing arrives.
const PAUSE: Duration = Duration::from_millis(20);

/// How an exchange ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The command ended, or both closing sentinels are there.
    Ended,
    /// It took too long.
    Late,
    /// It said too much.
    TooMuch,
}

/// What came of one exchange.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) end: End,
    pub(super) stdout: Stream,
    pub(super) stderr: Stream,
}

/// Which output something arrived on; an empty piece is its end.
enum Piece {
    Out(Vec<u8>),
    Err(Vec<u8>),
}

/// Runs a command as the head of its own process group, which is killed when the limit is reached.
///
/// # Errors
/// When it cannot be started.
pub(super) fn exchange(command: &mut Command, frame: Frame, limit: Duration) -> std::io::Result<Exchange> {
    use std::os::unix::process::CommandExt as _;
    let began = Instant::now();
    let (stdout, stderr) = (frame.stream(), frame.stream());
    command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    fail::shield(command);
    fail::point("remote.send")?;
    let mut child = command.spawn()?;
    let (tell, heard) = channel();
    let mut input = child.stdin.take().expect("the input is a pipe");
    // A command that does not read all of its input says so by its reply, or by none.
    std::thread::spawn(move || _ = input.write_all(&frame.input));
    read(child.stdout.take().expect("the output is a pipe"), Piece::Out, tell.clone());
    read(child.stderr.take().expect("the error output is a pipe"), Piece::Err, tell);
    let mut exchange = Exchange { end: End::Late, stdout, stderr };
    exchange.end = exchange.hear(&mut child, &heard, began + limit);
    if exchange.end != End::Ended || !ends(&mut child, GRACE) {
        // What has just ended needs no signal.
        let _ = rustix::process::kill_process_group(Pid::from_child(&child), Signal::KILL);
        let _ = child.wait();
    }
    fail::done("remote.done");
    Ok(exchange)
}

impl Exchange {
    fn hear(&mut self, child: &mut Child, heard: &Receiver<Piece>, until: Instant) -> End {
        let mut closed = 0;
        let mut ended: Option<Instant> = None;
        loop {
            match heard.recv_timeout(PAUSE) {
                Ok(Piece::Out(bytes) | Piece::Err(bytes)) if bytes.is_empty() => closed += 1,
                Ok(Piece::Out(bytes)) => self.stdout.take(&bytes),
                Ok(Piece::Err(bytes)) => self.stderr.take(&bytes),
                Err(RecvTimeoutError::Timeout) => {
                    let over = child.try_wait().is_ok_and(|status| status.is_some());
                    ended = ended.or_else(|| over.then(Instant::now));
                }
                // Both readers are gone; what is left is the end of the process.
                Err(RecvTimeoutError::Disconnected) => closed = 2,
            }
            let whole = self.stdout.whole() && self.stderr.whole();
            // A process that was left behind may hold the outputs open; it has nothing to say.
            if whole || closed == 2 || ended.is_some_and(|at| at.elapsed() > GRACE) {
                return End::Ended;
            }
            if self.stdout.len().max(self.stderr.len()) > MOST {
                return End::TooMuch;
            }
            if Instant::now() > until {
                return End::Late;
            }
        }
    }
}

/// Passes on what arrives, in a thread of its own: it may outlive the exchange, when a process that was left behind
/// holds the other end.
fn read(mut from: impl Read + Send + 'static, piece: fn(Vec<u8>) -> Piece, to: Sender<Piece>) {
    std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let length = match from.read(&mut buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => 0,
            };
            if to.send(piece(buffer[..length].to_vec())).is_err() || length == 0 {
                return;
            }
        }
    });
}

/// Whether it ends within this time.
fn ends(child: &mut Child, within: Duration) -> bool {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(_)) => return true,
            Ok(None) if began.elapsed() < within => std::thread::sleep(Duration::from_millis(2)),
            _ => return false,
        }
    }
}
