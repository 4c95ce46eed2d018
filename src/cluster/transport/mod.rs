//! Door 3: the one place that starts a job's processes and reaches the machines of a site.
//!
//! A [`Remote`] runs POSIX sh text in a shell of the site: on this machine ([`local`]) or through the system's `ssh`
//! ([`ssh`]). Every reply is read between two random sentinels ([`frame`]), so that a login banner is never taken for
//! an answer and a reply that did not arrive whole is never taken for one that did.

mod base64;
pub mod by_hand;
mod exchange;
pub mod frame;
#[cfg(feature = "ssh2")]
mod known_hosts;
pub mod local;
pub mod process;
pub mod ssh;
#[cfg(feature = "ssh2")]
pub mod ssh2;
mod ssh_words;

use std::time::Duration;

use super::profile::{Profile, Transport};
use super::reply::Reply;
use crate::state::problem::{Kind, Problem};

/// A script for a shell of the site.
///
/// It begins in the home folder, and runs whole or not at all: a script that arrives cut off is not begun. Its standard input is [`Call::input`];
/// what reads none of it, and must not, is told so by `</dev/null`. Beside it the script finds one function,
/// `ar_input FILE`: it stores the input under this name, by a rename, only when every byte of it has arrived, and
/// fails otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// What it is for, as in "cannot {what} on lengau".
    pub what: &'a str,
    /// POSIX sh text.
    pub script: &'a str,
    /// Its standard input.
    pub input: &'a [u8],
    /// How long it may take, all in all.
    pub limit: Duration,
}

/// A reply whose standard output is bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    /// The script's exit status.
    pub code: i32,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: String,
}

/// A way to a site's shell.
pub trait Remote {
    /// The cluster's name.
    fn name(&self) -> &str;

    /// Whether a person carries every question there: what can be asked at once is asked at once.
    fn by_hand(&self) -> bool {
        false
    }

    /// Runs a script whose standard output may be any bytes.
    ///
    /// # Errors
    /// `Kind::Unavailable` when no whole reply came: nobody can say whether the script ran, and how far.
    fn fetch(&self, call: &Call<'_>) -> Result<Bytes, Problem>;

    /// Runs a script whose output is text.
    ///
    /// # Errors
    /// As [`Remote::fetch`].
    fn sh(&self, call: &Call<'_>) -> Result<Reply, Problem> {
        let Bytes { code, stdout, stderr } = self.fetch(call)?;
        Ok(Reply { code, stdout: String::from_utf8_lossy(&stdout).into_owned(), stderr })
    }
}

/// Whether a call that ended with this problem certainly ran nothing on the site: no connection was made.
#[must_use]
pub fn never_began(problem: &Problem) -> bool {
    let codes = [
        "host-key-changed",
        "host-key-unknown",
        "unknown-host",
        "too-many-keys",
        "auth-refused",
        "ssh-config",
        "no-ssh",
        by_hand::CODE,
        "unreachable",
    ];
    codes.contains(&problem.code)
}

/// What a transport takes from outside.
#[derive(Clone, Copy)]
pub struct Outside<'a> {
    /// The environment, with the credentials of `.env`.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Chance, for the sentinels.
    pub entropy: u64,
}

/// The way to the site of a profile. Nothing is started or connected yet.
///
/// # Errors
/// `Kind::Invalid` for a profile that cannot be reached as it says.
pub fn open(name: &str, profile: &Profile, outside: &Outside<'_>) -> Result<Box<dyn Remote>, Problem> {
    if let Some(folder) = (outside.env)(by_hand::VARIABLE).filter(|folder| !folder.is_empty()) {
        let desk = by_hand::Desk::new(folder.as_ref(), name);
        return Ok(Box::new(by_hand::ByHand::new(desk)));
    }
    let sentinels = frame::Sentinels::new(outside.entropy, profile.scheduler_path.as_deref());
    match profile.transport {
        Transport::Local => Ok(Box::new(local::Local::new(name, sentinels))),
        Transport::Ssh => {
            let setup = ssh::Setup::of(outside.env);
            Ok(Box::new(ssh::Ssh::new(name, address(name, profile)?, sentinels, setup)))
        }
        #[cfg(feature = "ssh2")]
        Transport::Ssh2 => {
            let login = ssh2::Login::of(outside.env);
            Ok(Box::new(ssh2::Ssh2::new(name, address(name, profile)?, sentinels, login)))
        }
        #[cfg(not(feature = "ssh2"))]
        Transport::Ssh2 => {
            let message = format!("cluster {name} asks for `transport: ssh2`, which this build does not have");
            Err(Problem::new(Kind::Usage, "no-ssh2", message)
                .hint("write `transport: ssh`, which uses the system's ssh, or build it whole: cargo install --path . (without --no-default-features)"))
        }
    }
}

/// Whom a profile names.
fn address(name: &str, profile: &Profile) -> Result<ssh::Address, Problem> {
    let file = |problem: Problem| problem.at(format!("cluster/{name}.yaml"));
    let Some(host) = profile.host.clone() else {
        let message = format!("cluster {name} is reached by ssh and names no host");
        return Err(file(Problem::new(Kind::Invalid, "no-host", message))
            .hint("add a line such as `host: lengau`, the name that you type after ssh"));
    };
    ssh::Address { host, user: profile.user.clone(), port: profile.port }.checked().map_err(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::load;

    #[test]
    fn every_transport_opens_and_a_build_without_one_says_how_to_get_it() {
        let text = "schema: 1\nscheduler: pbs\nhost: h\nscratch: /s\ntransport: ";
        for transport in ["local", "ssh", "ssh2"] {
            let profile: Profile = load::parse("c.yaml", format!("{text}{transport}\n").as_bytes()).unwrap();
            match open("h", &profile, &Outside { env: &|_| None, entropy: 1 }) {
                Ok(remote) => assert_eq!(remote.name(), "h", "{transport}"),
                Err(problem) => {
                    assert!(transport == "ssh2" && cfg!(not(feature = "ssh2")), "{problem}");
                    assert!(problem.hint.unwrap().contains("cargo install --path ."));
                }
            }
        }
    }
}
