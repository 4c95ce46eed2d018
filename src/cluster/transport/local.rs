//! The site that is this machine: its shell is a process here.

use std::process::Command;

use super::exchange::{End, exchange};
use super::frame::Sentinels;
use super::process::GIT_VARIABLES;
use super::{Bytes, Call, Remote};
use crate::state::problem::{Kind, Problem};

/// A shell of this machine.
#[derive(Debug)]
pub struct Local {
    name: String,
    sentinels: Sentinels,
}

impl Local {
    /// The cluster of this name, which is this machine.
    #[must_use]
    pub fn new(name: &str, sentinels: Sentinels) -> Self {
        Self { name: name.to_string(), sentinels }
    }
}

impl Remote for Local {
    fn name(&self) -> &str {
        &self.name
    }

    fn fetch(&self, call: &Call<'_>) -> Result<Bytes, Problem> {
        let frame = self.sentinels.next(call);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &frame.command]);
        GIT_VARIABLES.iter().for_each(|name| _ = command.env_remove(name));
        let problem = |message: String| Problem::new(Kind::Unavailable, "unavailable", message);
        let what = format!("cannot {} on {}", call.what, self.name);
        let done = exchange(&mut command, frame, call.limit).map_err(|e| problem(format!("{what}: /bin/sh: {e}")))?;
        match done.end {
            End::Late => return Err(problem(format!("{what}: no answer within {} s", call.limit.as_secs()))),
            End::TooMuch => return Err(problem(format!("{what}: the answer is longer than 1 GiB"))),
            End::Ended => {}
        }
        let content = done.stdout.content().zip(done.stderr.content());
        let ((stdout, code), (stderr, _)) =
            content.ok_or_else(|| problem(format!("{what}: the answer is not whole")))?;
        Ok(Bytes { code, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn here() -> Local {
        Local::new("here", Sentinels::new(7, Some("/opt/it's here/bin")))
    }

    fn call<'a>(script: &'a str, input: &'a [u8]) -> Call<'a> {
        Call { what: "try", script, input, limit: Duration::from_secs(20) }
    }

    #[test]
    fn output_status_and_input_are_exact() {
        let done = here().fetch(&call("cat; printf 'no newline' >&2; exit 3", b"a\0b\n\n")).unwrap();
        assert_eq!(done, Bytes { code: 3, stdout: b"a\0b\n\n".to_vec(), stderr: "no newline".into() });
        let reply = here().sh(&call("printf %s \"${PATH%%:*}\"", b"")).unwrap();
        assert_eq!(reply.stdout, "/opt/it's here/bin");
        assert_eq!(
            here().sh(&call("kill -9 $$ 2>/dev/null; sh -c 'kill -9 $$'", b"")).unwrap_err().kind,
            Kind::Unavailable
        );
        assert_eq!(here().sh(&call("sh -c 'kill -9 $$'", b"")).unwrap().code, 137);
    }

    #[test]
    fn a_broken_script_is_an_answer_and_a_slow_one_is_none() {
        assert_ne!(here().sh(&call("if true; then", b"")).unwrap().code, 0);
        let slow = Call { limit: Duration::from_millis(200), ..call("sleep 60", b"") };
        let problem = here().sh(&slow).unwrap_err();
        assert_eq!((problem.kind, problem.code), (Kind::Unavailable, "unavailable"));
    }

    #[test]
    fn what_is_left_behind_does_not_hold_the_reply() {
        let reply = here().sh(&call("sleep 30 & echo $!", b"")).unwrap();
        here().sh(&call(&format!("kill {}", reply.stdout.trim()), b"")).unwrap();
    }

    #[test]
    fn the_input_is_stored_whole_or_not_at_all() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        let store = format!("ar_input '{}'", file.display());
        assert_eq!(here().sh(&call(&store, b"one")).unwrap().code, 0);
        assert_eq!(here().sh(&call(&format!("dd bs=1 count=1 >/dev/null 2>&1; {store}"), b"two")).unwrap().code, 1);
        assert_eq!(std::fs::read(&file).unwrap(), b"one");
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_script_that_arrives_cut_off_is_not_begun() {
        let place = tempfile::tempdir().unwrap();
        let script = format!("mkdir '{}/ran'; echo more", place.path().display());
        let whole = Sentinels::new(9, None).next(&call(&script, b""));
        for length in (0..whole.input.len()).step_by(3) {
            let mut frame = Sentinels::new(9, None).next(&call(&script, b""));
            frame.input.truncate(length);
            let mut command = Command::new("/bin/sh");
            command.args(["-c", &frame.command]);
            let done = exchange(&mut command, frame, Duration::from_secs(20)).unwrap();
            assert_eq!(done.stdout.content(), None, "cut at {length}");
            assert!(!place.path().join("ran").exists(), "cut at {length}");
        }
    }
}
