//! ssh from within git-ar (libssh2), for machines without an `ssh` program. It knows no ssh configuration, jump
//! hosts or shared connections; keys come from the agent or from files.

use std::cell::RefCell;
use std::io::{ErrorKind, Read, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ::ssh2::{Channel, MethodType, Session};

use super::frame::{Frame, Sentinels, Stream};
use super::known_hosts::{Known, Lines};
use super::ssh::Address;
use super::{Bytes, Call, Remote, base64};
use crate::repo::fail;
use crate::state::problem::{Kind, Problem};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(20);
/// How long nothing may arrive before it is looked again.
const PAUSE: Duration = Duration::from_millis(3);
/// Servers end a connection after six keys.
const KEYS: usize = 5;
/// Where a person's keys lie, below `~/.ssh`.
const NAMES: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];
/// The longest reply that is taken into memory.
const MOST: usize = 1 << 30;

/// Who logs in, and with what.
#[derive(Clone)]
pub struct Login {
    home: Option<PathBuf>,
    user: Option<String>,
    key: Option<PathBuf>,
    passphrase: Option<String>,
    agent: bool,
}

impl Login {
    /// `HOME`, `USER`, the agent of `SSH_AUTH_SOCK`, and of git-ar's own `GIT_AR_SSH_KEY` (a file) and
    /// `GIT_AR_SSH_PASSPHRASE`.
    pub fn of(env: &dyn Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        Self {
            home: set("HOME").map(PathBuf::from),
            user: set("USER").or_else(|| set("LOGNAME")),
            key: set("GIT_AR_SSH_KEY").map(PathBuf::from),
            passphrase: set("GIT_AR_SSH_PASSPHRASE"),
            agent: set("SSH_AUTH_SOCK").is_some(),
        }
    }

    /// The key files to offer.
    fn files(&self) -> Vec<PathBuf> {
        self.places().into_iter().filter(|path| self.key.is_some() || path.is_file()).collect()
    }

    /// Where key files lie.
    fn places(&self) -> Vec<PathBuf> {
        if let Some(key) = &self.key {
            return vec![key.clone()];
        }
        let folder = self.home.as_ref().map(|home| home.join(".ssh"));
        let names = NAMES.map(|name| folder.as_ref().map(|folder| folder.join(name)));
        names.into_iter().flatten().collect()
    }

    /// The public keys that lie beside these files: of an agent with many keys, these are meant.
    fn public(&self) -> Vec<Vec<u8>> {
        let read = |file: PathBuf| {
            let mut name = file.into_os_string();
            name.push(".pub");
            base64::decode(std::fs::read_to_string(name).ok()?.split_whitespace().nth(1)?)
        };
        self.places().into_iter().filter_map(read).collect()
    }
}

/// A site behind libssh2.
pub struct Ssh2 {
    name: String,
    address: Address,
    sentinels: Sentinels,
    login: Login,
    session: RefCell<Option<Session>>,
}

impl Ssh2 {
    /// The cluster of this name.
    #[must_use]
    pub fn new(name: &str, address: Address, sentinels: Sentinels, login: Login) -> Self {
        Self { name: name.to_string(), address, sentinels, login, session: RefCell::new(None) }
    }

    fn problem(&self, call: &Call<'_>, code: &'static str, why: &str) -> Problem {
        Problem::new(Kind::Unavailable, code, format!("cannot {} on {}: {why}", call.what, self.name))
    }

    /// A channel of the open connection, or of a new one.
    fn channel(&self, call: &Call<'_>) -> Result<(Session, Channel), Problem> {
        if let Some(session) = self.session.borrow_mut().take() {
            session.set_blocking(true);
            if let Ok(channel) = session.channel_session() {
                return Ok((session, channel));
            }
        }
        let session = self.connect(call)?;
        let channel = session.channel_session().map_err(|e| self.problem(call, "closed", &e.to_string()))?;
        Ok((session, channel))
    }

    fn connect(&self, call: &Call<'_>) -> Result<Session, Problem> {
        let (host, port) = (self.address.host.as_str(), self.address.port.unwrap_or(22));
        let found = (host, port).to_socket_addrs().map_err(|e| {
            let hint = "`transport: ssh2` reads no ssh configuration: `host:` is the full name of the machine";
            self.problem(call, "unknown-host", &format!("no host is called {host} ({e})")).hint(hint)
        })?;
        let mut last = None;
        let stream = found
            .into_iter()
            .find_map(|to| TcpStream::connect_timeout(&to, CONNECT).map_err(|e| last = Some(e.to_string())).ok());
        let hint = "try again later; git ar handoff works without a connection";
        let stream = stream.ok_or_else(|| self.problem(call, "unreachable", &last.unwrap_or_default()).hint(hint))?;
        let failed = |e: ::ssh2::Error| self.problem(call, "closed", &format!("{host}: {}", e.message())).hint(hint);
        let mut session = Session::new().map_err(failed)?;
        session.set_tcp_stream(stream);
        session.set_timeout(u32::try_from(CONNECT.as_millis()).unwrap_or(u32::MAX));
        let known = Lines::of(&self.known_hosts(), host, port, &session);
        if let Some(types) = known.types() {
            session.method_pref(MethodType::HostKey, &types).map_err(failed)?;
        }
        session.handshake().map_err(failed)?;
        self.trust(call, &known, &session)?;
        self.enter(call, &session)?;
        Ok(session)
    }

    fn known_hosts(&self) -> String {
        let own = self.login.home.as_ref().map(|home| home.join(".ssh/known_hosts"));
        let files = own.into_iter().chain([PathBuf::from("/etc/ssh/ssh_known_hosts")]);
        // A file that is not there knows nobody.
        files.map(|file| std::fs::read_to_string(file).unwrap_or_default() + "\n").collect()
    }

    fn trust(&self, call: &Call<'_>, known: &Lines, session: &Session) -> Result<(), Problem> {
        let host = &self.address.host;
        let key = session.host_key().map_or(&[][..], |(key, _)| key);
        match known.check(key) {
            Known::Match => Ok(()),
            Known::Unknown => {
                let why = format!("the host key of {host} is not in ~/.ssh/known_hosts");
                let hint = format!(
                    "ssh {} once by hand, and compare the fingerprint with the one that the site publishes",
                    self.address.shown()
                );
                Err(self.problem(call, "host-key-unknown", &why).hint(hint))
            }
            Known::Changed | Known::Revoked => {
                let why = format!(
                    "the host key of {host} is not the one in known_hosts, or is revoked: somebody may be in between"
                );
                Err(self.problem(call, "host-key-changed", &why).hint("ask the site whether its key has changed; only when it says so, take the old line out of known_hosts by hand"))
            }
        }
    }

    /// Logs in: key files first, for an agent may hold more keys than a server hears.
    fn enter(&self, call: &Call<'_>, session: &Session) -> Result<(), Problem> {
        let user = self.address.user.as_ref().or(self.login.user.as_ref()).cloned().unwrap_or_default();
        let mut tried = Vec::new();
        for file in self.login.files().iter().take(KEYS) {
            match session.userauth_pubkey_file(&user, None, file, self.login.passphrase.as_deref()) {
                Ok(()) => return Ok(()),
                Err(error) => tried.push(format!("{}: {}", name_of(file), unlocked(&error))),
            }
        }
        if self.login.agent {
            match self.agent(session, &user, KEYS.saturating_sub(tried.len())) {
                Ok(()) => return Ok(()),
                Err(error) => tried.push(format!("the agent: {}", error.message())),
            }
        }
        let why = if tried.is_empty() { "there is no key to offer".to_string() } else { tried.join("; ") };
        let hint = "name the key file in GIT_AR_SSH_KEY and its passphrase in GIT_AR_SSH_PASSPHRASE (in .env, which is never committed), or load it with ssh-add; a second factor needs `transport: ssh`";
        Err(self.problem(call, "auth-refused", &format!("{user} is not let in: {why}")).hint(hint))
    }

    fn agent(&self, session: &Session, user: &str, most: usize) -> Result<(), ::ssh2::Error> {
        let mut agent = session.agent()?;
        agent.connect()?;
        agent.list_identities()?;
        let mut last = Err(::ssh2::Error::from_errno(::ssh2::ErrorCode::Session(-18)));
        let meant = self.login.public();
        let mut keys = agent.identities()?;
        keys.sort_by_key(|key| !meant.iter().any(|public| public == key.blob()));
        for key in keys.iter().take(most) {
            last = agent.userauth(user, key);
            if last.is_ok() {
                break;
            }
        }
        last
    }

    /// Sends and hears at the same time, until both outputs are whole, the channel ends or the limit is reached.
    fn exchange(
        &self,
        call: &Call<'_>,
        session: &Session,
        channel: &mut Channel,
        frame: &Frame,
    ) -> Result<(Stream, Stream), Problem> {
        let until = Instant::now() + call.limit;
        let lost = |why: String| {
            self.problem(call, "lost-reply", &why).hint("git ar tick looks what came of it; then repeat the command")
        };
        let (mut stdout, mut stderr) = (frame.stream(), frame.stream());
        channel.exec(&frame.command).map_err(|e| lost(e.message().to_string()))?;
        session.set_blocking(false);
        let (mut left, mut closed) = (frame.input.as_slice(), false);
        loop {
            let mut moved = 0;
            if !left.is_empty() {
                match channel.write(left) {
                    Ok(count) => (moved, left) = (count, &left[count..]),
                    Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                    // A script that does not read all of its input says so by its reply, or by none.
                    Err(_) => left = &[],
                }
            } else if !closed {
                closed = channel.send_eof().is_ok();
            }
            moved += take(channel, &mut stdout).map_err(|e| lost(e.to_string()))?;
            moved += take(&mut channel.stderr(), &mut stderr).map_err(|e| lost(e.to_string()))?;
            if stdout.whole() && stderr.whole() || channel.eof() && moved == 0 {
                return Ok((stdout, stderr));
            }
            if Instant::now() > until || stdout.len().max(stderr.len()) > MOST {
                return Err(lost(format!("no whole answer within {} s", call.limit.as_secs())));
            }
            if moved == 0 {
                std::thread::sleep(PAUSE);
            }
        }
    }
}

impl Remote for Ssh2 {
    fn name(&self) -> &str {
        &self.name
    }

    fn fetch(&self, call: &Call<'_>) -> Result<Bytes, Problem> {
        let frame = self.sentinels.next(call);
        fail::point("remote.send").map_err(|e| self.problem(call, "unreachable", &e.to_string()))?;
        let (session, mut channel) = self.channel(call)?;
        session.set_timeout(u32::try_from(call.limit.as_millis()).unwrap_or(u32::MAX));
        let (stdout, stderr) = self.exchange(call, &session, &mut channel, &frame)?;
        let cut = || {
            self.problem(call, "lost-reply", "the connection was lost before the answer was whole")
                .hint("git ar tick looks what came of it; then repeat the command")
        };
        let ((stdout, code), (stderr, _)) = stdout.content().zip(stderr.content()).ok_or_else(cut)?;
        *self.session.borrow_mut() = Some(session);
        Ok(Bytes { code, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
    }
}

/// What has arrived, without waiting.
fn take(from: &mut impl Read, to: &mut Stream) -> std::io::Result<usize> {
    let mut buffer = [0; 1 << 15];
    match from.read(&mut buffer) {
        Ok(count) => {
            to.take(&buffer[..count]);
            Ok(count)
        }
        Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(0),
        Err(e) => Err(e),
    }
}

/// libssh2 says of a passphrase that is wrong or missing that the format is not supported.
fn unlocked(error: &::ssh2::Error) -> String {
    match error.message() {
        said if said.contains("Unable to extract public key") => "its passphrase is missing or wrong".into(),
        said => said.to_string(),
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
