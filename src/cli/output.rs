//! What a person or a program sees: text on stdout, problems on stderr, or the one JSON envelope.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::{Value, json};

use crate::repo::signals;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::text::{is_hidden, printable};

/// What a verb has to say when it worked.
pub struct Reply {
    data: Value,
    text: String,
    warnings: Vec<Problem>,
    next: Vec<String>,
    code: u8,
}

impl Reply {
    /// A reply whose text is the outcome's `Display` and whose data is its `Serialize`.
    pub fn new<T: Serialize + std::fmt::Display>(outcome: &T) -> Self {
        Self::parts(serde_json::to_value(outcome).unwrap_or(Value::Null), outcome.to_string())
    }

    /// A reply from data and text.
    #[must_use]
    pub fn parts(data: Value, text: String) -> Self {
        Self { data, text, warnings: Vec::new(), next: Vec::new(), code: 0 }
    }

    /// What a person reads.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// The same with a command to type next. Never a destructive one.
    #[must_use]
    pub fn next(mut self, command: impl Into<String>) -> Self {
        self.next.push(command.into());
        self
    }

    /// The same with several commands to type next.
    #[must_use]
    pub fn nexts(mut self, commands: impl IntoIterator<Item = String>) -> Self {
        self.next.extend(commands);
        self
    }

    /// The same with warnings.
    #[must_use]
    pub fn warn(mut self, warnings: impl IntoIterator<Item = Problem>) -> Self {
        self.warnings.extend(warnings);
        self
    }

    /// The same with an exit code of its own (a check that found something).
    #[must_use]
    pub fn code(mut self, kind: Kind) -> Self {
        self.code = kind as u8;
        self
    }

    /// The same with an exit status that a contract outside of git-ar asks for.
    #[must_use]
    pub fn exit(mut self, status: u8) -> Self {
        self.code = status;
        self
    }
}

/// Print a reply.
pub(super) fn success(verb: &str, reply: &Reply, json: bool) -> ExitCode {
    let text = match json {
        true => envelope(verb, reply.code == 0, &reply.data, &reply.warnings, &reply.next),
        false => printable(&reply.text),
    };
    let printed = print(&if text.is_empty() || text.ends_with('\n') { text } else { text + "\n" });
    if !json {
        tell(&reply.warnings);
        tell_next(&reply.next);
    }
    match printed {
        Ok(()) => ExitCode::from(reply.code),
        Err(error) => {
            let problem = Problem::new(Kind::Io, "stdout", format!("the output cannot be written: {error}"));
            tell(&[problem.hint("the command itself is done; print it elsewhere: git ar status")]);
            ExitCode::from(Kind::Io as u8)
        }
    }
}

/// Print problems; the first error decides the exit code.
pub(super) fn failure(verb: &str, problems: &Problems, json: bool) -> ExitCode {
    if json {
        // The exit code says the same when nobody can read this.
        let _ = print(&envelope(verb, false, &Value::Null, &problems.0, &[]));
    } else {
        tell(&problems.0);
    }
    let first = problems.0.iter().find(|p| !p.warning).or(problems.0.first());
    match first.map_or(Kind::Bug, |p| p.kind) {
        Kind::Interrupted => ExitCode::from(signals::asked().map_or(Kind::Interrupted as u8, |signal| 128 + signal)),
        kind => ExitCode::from(kind as u8),
    }
}

/// Print what clap has to say: help and version to stdout, mistakes to stderr.
pub(super) fn usage(error: &clap::Error, json: bool) -> ExitCode {
    if !error.use_stderr() {
        let printed = print(&error.render().to_string());
        return if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(Kind::Io as u8) };
    }
    if json {
        return failure("", &mistyped(error).into(), true);
    }
    // Nothing is left to do when stderr is closed.
    let _ = write!(std::io::stderr(), "{}", printable(&error.render().to_string()));
    ExitCode::from(Kind::Usage as u8)
}

/// What clap has against the words, as a problem.
pub(super) fn mistyped(error: &clap::Error) -> Problem {
    let text = error.to_string();
    let message = text.trim().trim_start_matches("error: ").to_string();
    Problem::new(Kind::Usage, "usage", message).hint("git ar -h")
}

fn envelope(verb: &str, ok: bool, data: &Value, problems: &[Problem], next: &[String]) -> String {
    let (warnings, errors): (Vec<&Problem>, Vec<&Problem>) = problems.iter().partition(|p| p.warning);
    let schema = format!("git-ar/{}/1", if verb.is_empty() { "usage" } else { verb }.replace(' ', "-"));
    let mut value = json!({"schema": schema, "ok": ok, "data": data, "errors": errors, "next": next});
    if !warnings.is_empty() {
        value["warnings"] = json!(warnings);
    }
    visible(&value.to_string()) + "\n"
}

/// JSON with the characters escaped that could mislead a terminal.
fn visible(json: &str) -> String {
    let hidden = |c: char| c == '\u{7f}' || is_hidden(c);
    if !json.contains(hidden) {
        return json.to_string();
    }
    let mut units = [0; 2];
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        match hidden(c) {
            true => shown.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}"))),
            false => shown.push(c),
        }
    }
    shown
}

/// To stdout; a reader that went away (`| head -1`) is no error.
fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

fn tell(problems: &[Problem]) {
    let paint = Paint::new();
    let mut text = String::new();
    for problem in problems {
        let word = if problem.warning { paint.yellow("warning") } else { paint.red("error") };
        text.push_str(&format!("{word}: {}\n", printable(&problem.message)));
        if let Some(path) = &problem.path {
            let line = problem.line.map(|l| format!(":{l}")).unwrap_or_default();
            let column = problem.line.and(problem.column).map(|c| format!(":{c}")).unwrap_or_default();
            text.push_str(&format!("  --> {}{line}{column}\n", printable(path)));
        }
        if let Some(line) = &problem.snippet {
            text.push_str(&format!("   | {}\n", printable(line)));
        }
        if let Some(hint) = &problem.hint {
            text.push_str(&format!("{}: {}\n", paint.cyan("hint"), printable(hint)));
        }
    }
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// A line of progress; a typed command and a heading stand out on a terminal.
pub(super) fn told(line: &str) -> String {
    match line.starts_with("$ ") || line.starts_with("── ") {
        true => Paint::new().with("1", line),
        false => line.to_string(),
    }
}

fn tell_next(next: &[String]) {
    let paint = Paint::new();
    let lines: String = next.iter().map(|n| format!("{}: {}\n", paint.cyan("next"), printable(n))).collect();
    let _ = std::io::stderr().write_all(lines.as_bytes());
}

/// Colours for stderr, when it is a terminal that wants them.
struct Paint(bool);

impl Paint {
    fn new() -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|t| t == "dumb");
        Self(std::io::stderr().is_terminal() && !no_color && !dumb)
    }

    fn with(&self, code: &str, word: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word.to_string() }
    }

    fn red(&self, word: &str) -> String {
        self.with("1;31", word)
    }

    fn yellow(&self, word: &str) -> String {
        self.with("1;33", word)
    }

    fn cyan(&self, word: &str) -> String {
        self.with("36", word)
    }
}
