//! The system's `ssh` in batch mode: it knows the person's configuration, jump hosts, agent and second factor.
//!
//! It never asks, and never looser about host keys than the person's own configuration. A master connection that the
//! person has open is used; one whose process is gone is gone round, for `ssh` would then open a connection that
//! nobody sees.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::exchange::{End, Exchange, exchange};
use super::frame::Sentinels;
use super::process::GIT_VARIABLES;
use super::{Bytes, Call, Remote, ssh_words};
use crate::state::problem::{Kind, Problem};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(20);
/// How long a question about the configuration or the master may take.
const QUESTION: Duration = Duration::from_secs(10);

/// Whom `ssh` is to reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// A host, or an alias of the person's ssh configuration.
    pub host: String,
    /// Somebody else than the configuration says.
    pub user: Option<String>,
    /// Another port than the configuration says.
    pub port: Option<u16>,
}

impl Address {
    /// As a person writes it.
    #[must_use]
    pub fn shown(&self) -> String {
        let user = self.user.as_ref().map_or_else(String::new, |user| format!("{user}@"));
        let port = self.port.map_or_else(String::new, |port| format!(" -p {port}"));
        format!("{user}{}{port}", self.host)
    }

    /// Refuses what `ssh` or a shell would take for something else than a name.
    ///
    /// # Errors
    /// [`Kind::Invalid`].
    pub fn checked(self) -> Result<Self, Problem> {
        let name = |text: &str| {
            let legal = |c: char| c.is_ascii_alphanumeric() || "._-:%[]".contains(c);
            !text.is_empty() && text.len() < 256 && !text.starts_with('-') && text.chars().all(legal)
        };
        for (key, value) in [("host", Some(&self.host)), ("user", self.user.as_ref())] {
            if let Some(value) = value.filter(|value| !name(value)) {
                let message = format!("`{key}: {}` is no name that ssh can take", value.escape_default());
                return Err(Problem::new(Kind::Invalid, "bad-host", message)
                    .hint("letters, digits, `.`, `-` and `_`, as in the ssh configuration; user and port have keys of their own"));
            }
        }
        Ok(self)
    }

    fn arguments(&self) -> Vec<String> {
        let mut words = Vec::new();
        words.extend(self.user.iter().flat_map(|user| ["-l".to_string(), user.clone()]));
        words.extend(self.port.iter().flat_map(|port| ["-p".to_string(), port.to_string()]));
        words.extend(["--".to_string(), self.host.clone()]);
        words
    }
}

/// The person's `ssh`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The program.
    pub program: PathBuf,
    /// A folder of the person alone, where a shared connection of our own may live when the person has none.
    pub runtime: Option<PathBuf>,
}

impl Setup {
    /// `GIT_AR_SSH`, or `ssh` on the PATH; connections are shared below `XDG_RUNTIME_DIR`.
    pub fn of(env: &dyn Fn(&str) -> Option<String>) -> Self {
        let path = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self { program: path("GIT_AR_SSH").unwrap_or_else(|| "ssh".into()), runtime: path("XDG_RUNTIME_DIR") }
    }
}

/// A site behind `ssh`.
#[derive(Debug)]
pub struct Ssh {
    name: String,
    address: Address,
    sentinels: Sentinels,
    setup: Setup,
    options: OnceLock<Vec<String>>,
}

impl Ssh {
    /// The cluster of this name.
    #[must_use]
    pub fn new(name: &str, address: Address, sentinels: Sentinels, setup: Setup) -> Self {
        Self { name: name.to_string(), address, sentinels, setup, options: OnceLock::new() }
    }

    /// The options of every call, found out once.
    fn options(&self) -> &[String] {
        self.options.get_or_init(|| {
            let configuration = self.ask(&[], &["-G"]).unwrap_or_default();
            let set = |key: &str| {
                let lines = configuration.lines().filter_map(|line| line.split_once(' '));
                lines.filter(|(k, v)| *k == key && *v != "none").map(|(_, v)| v.to_string()).next()
            };
            let mut options = match (set("controlpath"), self.own_socket()) {
                (Some(socket), _) => self.shared(Path::new(&socket), Vec::new()),
                (None, Some(own)) => {
                    let make = ["ControlMaster=auto", "ControlPersist=60", &format!("ControlPath={}", own.display())];
                    self.shared(&own, make.map(|word| format!("-o{word}")).to_vec())
                }
                (None, None) => Vec::new(),
            };
            options.extend(fixed());
            if set("remotecommand").is_some() {
                options.push("-oRemoteCommand=none".into());
            }
            options
        })
    }

    /// A socket of our own; its path must fit into a socket's name, with what ssh adds while it makes one.
    fn own_socket(&self) -> Option<PathBuf> {
        let name = crate::state::tree::digest(self.address.shown().as_bytes());
        let path = self.setup.runtime.as_ref()?.join(format!("git-ar-{}", &name[..16]));
        (path.is_absolute() && path.as_os_str().len() < 80).then_some(path)
    }

    /// The options of a shared connection, or what goes round one whose socket is there and whose process is not.
    fn shared(&self, socket: &Path, options: Vec<String>) -> Vec<String> {
        if !socket.exists() || self.ask(&options, &["-O", "check"]).is_some() {
            return options;
        }
        vec!["-oControlMaster=no".into(), "-oControlPath=none".into()]
    }

    /// What `ssh` says to a question of its own; `None` when it says no.
    fn ask(&self, options: &[String], question: &[&str]) -> Option<String> {
        let mut command = Command::new(&self.setup.program);
        command.arg("-oBatchMode=yes").args(options).args(question).args(self.address.arguments());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().ok()?;
        let began = Instant::now();
        loop {
            match child.try_wait() {
                Ok(Some(_)) => break,
                Ok(None) if began.elapsed() < QUESTION => std::thread::sleep(Duration::from_millis(2)),
                _ => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return None;
                }
            }
        }
        let output = child.wait_with_output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn problem(&self, call: &Call<'_>, code: &'static str, why: &str) -> Problem {
        Problem::new(Kind::Unavailable, code, format!("cannot {} on {}: {why}", call.what, self.name))
    }

    /// Why there is no whole reply.
    fn why(&self, call: &Call<'_>, done: &Exchange) -> Problem {
        let seconds = call.limit.as_secs();
        if done.stdout.begun() || done.stderr.begun() {
            let why = match done.end {
                End::Late => format!("it began and gave no whole answer within {seconds} s"),
                End::TooMuch => "its answer is longer than 1 GiB".into(),
                End::Ended => "the connection was lost before the answer was whole".into(),
            };
            return self
                .problem(call, "lost-reply", &why)
                .hint("git ar tick looks what came of it; then repeat the command");
        }
        let said = String::from_utf8_lossy(done.stderr.raw());
        if done.end == End::Late {
            let hint = format!("ssh {} by hand shows where it waits", self.address.shown());
            return self.problem(call, "no-answer", &format!("no answer within {seconds} s")).hint(hint);
        }
        let words = ssh_words::explain(&said, &self.address);
        self.problem(call, words.code, &words.why).hint(words.hint)
    }
}

impl Remote for Ssh {
    fn name(&self) -> &str {
        &self.name
    }

    fn fetch(&self, call: &Call<'_>) -> Result<Bytes, Problem> {
        let frame = self.sentinels.next(call);
        let mut command = Command::new(&self.setup.program);
        command.args(self.options()).args(self.address.arguments()).arg(&frame.command);
        command.env("SSH_ASKPASS_REQUIRE", "never");
        GIT_VARIABLES.iter().for_each(|name| _ = command.env_remove(name));
        let missing = |e: std::io::Error| {
            self.problem(call, "no-ssh", &format!("{} does not start: {e}", self.setup.program.display()))
                .hint("install OpenSSH's client, or use `transport: ssh2`")
        };
        let done = exchange(&mut command, frame, call.limit).map_err(missing)?;
        if !(done.end == End::Ended && done.stdout.whole() && done.stderr.whole()) {
            return Err(self.why(call, &done));
        }
        let cut = || self.problem(call, "lost-reply", "the script did not arrive whole, and was not begun");
        let ((stdout, code), (stderr, _)) = done.stdout.content().zip(done.stderr.content()).ok_or_else(cut)?;
        Ok(Bytes { code, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
    }
}

/// The options that never change.
fn fixed() -> Vec<String> {
    let connect = format!("-oConnectTimeout={}", CONNECT.as_secs());
    let words = ["-T", "-oBatchMode=yes", &connect, "-oServerAliveInterval=15", "-oServerAliveCountMax=3"];
    let nothing_else = ["-oClearAllForwardings=yes", "-oForwardAgent=no", "-oForwardX11=no"];
    words.into_iter().chain(nothing_else).map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_name_and_nothing_else() {
        let of = |host: &str, user: Option<&str>| {
            Address { host: host.into(), user: user.map(str::to_string), port: None }.checked()
        };
        for host in ["lengau", "scp.chpc.ac.za", "10.0.0.1", "::1"] {
            assert!(of(host, Some("a_b-c")).is_ok(), "{host}");
        }
        for host in ["", "-oProxyCommand=id", "a b", "a;b", "a@b", "a\nb", "$(id)"] {
            assert_eq!(of(host, None).unwrap_err().kind, Kind::Invalid, "{host}");
            assert_eq!(of("host", Some(host)).unwrap_err().kind, Kind::Invalid, "{host}");
        }
    }

    #[test]
    fn an_address_is_shown_and_said_as_ssh_takes_it() {
        let address = Address { host: "lengau".into(), user: Some("me".into()), port: Some(2222) };
        assert_eq!(address.shown(), "me@lengau -p 2222");
        assert_eq!(address.arguments(), ["-l", "me", "-p", "2222", "--", "lengau"]);
    }
}
