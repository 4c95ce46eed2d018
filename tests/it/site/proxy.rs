//! A wire that breaks: connections to it reach the site's ssh server, and are cut after so many bytes.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// A port that leads to another one.
pub(crate) struct Proxy {
    port: u16,
    left: Arc<AtomicI64>,
    stop: Arc<AtomicBool>,
}

impl Proxy {
    /// A whole wire.
    pub(crate) fn to(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (left, stop) = (Arc::new(AtomicI64::new(i64::MAX)), Arc::new(AtomicBool::new(false)));
        let (ours, over) = (left.clone(), stop.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else { continue };
                let ends = [stream, server];
                for (from, to) in [(0, 1), (1, 0)] {
                    let pair = (ends[from].try_clone().unwrap(), ends[to].try_clone().unwrap());
                    let left = ours.clone();
                    std::thread::spawn(move || pass(pair.0, pair.1, &left));
                }
            }
        });
        Self { port, left, stop }
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Cuts when this many more bytes have passed, in both directions together; every later connection at once, until
    /// it is mended.
    pub(crate) fn cut_after(&self, bytes: i64) {
        self.left.store(bytes, Ordering::SeqCst);
    }

    /// A whole wire again.
    pub(crate) fn mend(&self) {
        self.left.store(i64::MAX, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Byte for byte near the end, so that the cut is where it was asked for.
fn pass(mut from: TcpStream, mut to: TcpStream, left: &AtomicI64) {
    let mut buffer = [0; 1 << 14];
    while let Ok(read) = from.read(&mut buffer) {
        let before = left.fetch_sub(read as i64, Ordering::SeqCst);
        let may = usize::try_from(before).unwrap_or(0).min(read);
        if to.write_all(&buffer[..may]).is_err() || may < read || read == 0 {
            break;
        }
    }
    for end in [&from, &to] {
        let _ = end.shutdown(Shutdown::Both);
    }
}
