//! How a script goes to a shell and its reply comes back, whatever the login shell is and prints.
//!
//! The command itself is one line without newlines and double meanings, which csh, tcsh, fish and every POSIX shell
//! read alike. It reads the frame from its standard input, the frame reads the script, the script reads the rest.
//! Frame and script are run only when they have arrived whole. Both output streams carry the sentinels; the exit
//! status travels in the closing one, so that the transport's own status means nothing.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Call;
use crate::cluster::{legal, shell};
use crate::state::tree;

/// Makes the sentinels of one transport.
#[derive(Debug)]
pub struct Sentinels {
    entropy: u64,
    calls: AtomicU64,
    path: Option<String>,
}

impl Sentinels {
    /// Sentinels from chance. `path` goes before the site's own `PATH`; it may name variables.
    #[must_use]
    pub fn new(entropy: u64, path: Option<&str>) -> Self {
        Self { entropy, calls: AtomicU64::new(0), path: path.map(str::to_string) }
    }

    /// The frame of the next call.
    pub(super) fn next(&self, call: &Call<'_>) -> Frame {
        let count = self.calls.fetch_add(1, Ordering::Relaxed);
        let seed = format!("{} {count} {}", self.entropy, std::process::id());
        let mark = tree::digest(seed.as_bytes())[..24].to_string();
        let script = format!("{}\n# ar-whole {mark}", call.script);
        let text = frame(&mark, self.path.as_deref(), script.len(), call.input.len());
        let command = format!("/bin/sh -c 'eval \"$(dd bs=1 count={} 2>/dev/null)\"'", text.len());
        let input = [text.as_bytes(), script.as_bytes(), call.input].concat();
        Frame { mark, command, input }
    }
}

/// A brace group, for an unfinished one is a syntax error and runs nothing.
fn frame(mark: &str, path: Option<&str>, script: usize, input: usize) -> String {
    let path = path.map_or_else(String::new, |path| {
        let path = legal::expand(path).unwrap_or_else(|| shell::quote(path));
        format!("PATH={path}:$PATH; export PATH\n")
    });
    format!(
        r#"{{
set +xv
ar_script=$(dd bs=1 count={script} 2>/dev/null)
ar_input() {{
  cat >"$1.ar-part" && [ "$(wc -c <"$1.ar-part")" -eq {input} ] && mv -f "$1.ar-part" "$1" || {{ rm -f "$1.ar-part"; return 1; }}
}}
printf '\nar-begin %s\n' {mark}
printf '\nar-begin %s\n' {mark} >&2
case $ar_script in
*'ar-whole {mark}') (
{path}cd "$HOME" || exit 96
eval "$ar_script"
) ; ar_code=$? ;;
*) ar_code=cut ;;
esac
printf '\nar-end %s %s\n' {mark} "$ar_code"
printf '\nar-end %s %s\n' {mark} "$ar_code" >&2
}}
"#
    )
}

/// One call as it goes over the wire.
#[derive(Debug)]
pub(super) struct Frame {
    mark: String,
    /// The command line for the login shell.
    pub(super) command: String,
    /// All of its standard input.
    pub(super) input: Vec<u8>,
}

impl Frame {
    /// A reader for one output stream.
    pub(super) fn stream(&self) -> Stream {
        let begin = format!("\nar-begin {}\n", self.mark).into_bytes();
        let end = format!("\nar-end {} ", self.mark).into_bytes();
        Stream { begin, end, bytes: Vec::new(), from: None, looked: 0, found: None }
    }
}

/// What arrived of one output stream.
#[derive(Debug)]
pub(super) struct Stream {
    begin: Vec<u8>,
    end: Vec<u8>,
    bytes: Vec<u8>,
    /// Where the content begins.
    from: Option<usize>,
    /// Up to here there is no closing sentinel.
    looked: usize,
    found: Option<(Range<usize>, Option<i32>)>,
}

impl Stream {
    /// Takes what has arrived.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.found.is_some() {
            return;
        }
        if self.from.is_none() {
            self.from = find(&self.bytes, &self.begin, self.looked).map(|at| at + self.begin.len());
            // The closing sentinel of an empty reply shares no byte with the opening one.
            self.looked = self.from.unwrap_or(self.bytes.len().saturating_sub(self.begin.len()));
        }
        let Some(from) = self.from else { return };
        match find(&self.bytes, &self.end, self.looked) {
            Some(at) => {
                let rest = &self.bytes[at + self.end.len()..];
                let Some(line) = rest.iter().position(|b| *b == b'\n') else {
                    self.looked = at;
                    return;
                };
                let code = std::str::from_utf8(&rest[..line]).ok().and_then(|code| code.parse().ok());
                self.found = Some((from..at, code));
            }
            None => self.looked = from.max(self.bytes.len().saturating_sub(self.end.len())),
        }
    }

    /// Whether the closing sentinel is there.
    pub(super) fn whole(&self) -> bool {
        self.found.is_some()
    }

    /// Whether the opening sentinel is there: the script may have run.
    pub(super) fn begun(&self) -> bool {
        self.from.is_some()
    }

    /// How much has arrived.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Everything that arrived, sentinels and noise too.
    pub(super) fn raw(&self) -> &[u8] {
        &self.bytes
    }

    /// What the script printed, and its exit status; `None` when the reply is not whole or the script did not arrive
    /// whole.
    pub(super) fn content(mut self) -> Option<(Vec<u8>, i32)> {
        let (range, code) = self.found?;
        let code = code?;
        self.bytes.truncate(range.end);
        Some((self.bytes.split_off(range.start), code))
    }
}

/// Where `needle` begins at or after `from`.
fn find(bytes: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let first = needle.first()?;
    let mut at = 0;
    while let Some(next) = rest[at..].iter().position(|b| b == first) {
        at += next;
        if rest[at..].starts_with(needle) {
            return Some(from + at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn framed() -> Frame {
        let call = Call { what: "test", script: "cat", input: b"in", limit: Duration::from_secs(1) };
        Sentinels::new(1, None).next(&call)
    }

    /// The reply `\0out\n` with status 7 between noise.
    fn reply(frame: &Frame) -> Vec<u8> {
        let mark = &frame.mark;
        let mut bytes = format!("Welcome!\n123.sched01\nar-begin 0000\n\nar-begin {mark}\n").into_bytes();
        bytes.extend_from_slice(b"\0out\n");
        bytes.extend_from_slice(format!("\nar-end {mark} 7\nlogout\n").as_bytes());
        bytes
    }

    #[test]
    fn a_reply_is_what_lies_between_the_sentinels() {
        let frame = framed();
        let bytes = reply(&frame);
        for step in [1, 2, 7, bytes.len()] {
            let mut stream = frame.stream();
            bytes.chunks(step).for_each(|chunk| stream.take(chunk));
            assert_eq!(stream.content(), Some((b"\0out\n".to_vec(), 7)), "in steps of {step}");
        }
    }

    #[test]
    fn a_reply_that_is_cut_anywhere_is_none() {
        let frame = framed();
        let bytes = reply(&frame);
        let whole = bytes.len() - "logout\n".len();
        for length in 0..whole {
            let mut stream = frame.stream();
            stream.take(&bytes[..length]);
            assert_eq!(stream.content(), None, "{length} bytes");
        }
    }

    #[test]
    fn marks_differ_from_call_to_call() {
        let call = Call { what: "test", script: "", input: b"", limit: Duration::from_secs(1) };
        let sentinels = Sentinels::new(1, None);
        assert_ne!(sentinels.next(&call).mark, sentinels.next(&call).mark);
        assert!(!framed().command.contains('\n'));
    }
}
