//! What `ssh` says when it reaches nobody, and what a person does about it.

use super::ssh::Address;
use crate::state::text::printable;

/// Why there was no connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// A stable word for programs.
    pub(super) code: &'static str,
    /// Half a sentence.
    pub(super) why: String,
    /// What to do.
    pub(super) hint: String,
}

/// Phrases of OpenSSH's client, from 6.6 to 10, by what they mean. The first that is found counts.
const PHRASES: [(&str, &[&str]); 8] = [
    (
        "host-key-changed",
        &["REMOTE HOST IDENTIFICATION HAS CHANGED", "REVOKED HOST KEY", "has changed and you have requested strict"],
    ),
    ("host-key-unknown", &["Host key verification failed", "host key is known for", "host key for"]),
    ("unknown-host", &["Could not resolve hostname", "Name or service not known", "nodename nor servname"]),
    ("too-many-keys", &["Too many authentication failures"]),
    ("auth-refused", &["Permission denied", "No more authentication methods", "Authentication failed"]),
    (
        "ssh-config",
        &[
            "Bad configuration option",
            "bad ownership or permissions",
            "Bad owner or permissions",
            "terminating, ",
            "UNPROTECTED PRIVATE KEY",
        ],
    ),
    (
        "unreachable",
        &["Connection refused", "timed out", "No route to host", "Network is unreachable", "Connection reset"],
    ),
    ("closed", &["Connection closed", "closed by remote host", "kex_exchange_identification", "Broken pipe"]),
];

/// Reads the error output of an `ssh` that reached nobody.
pub(super) fn explain(said: &str, address: &Address) -> Words {
    let code = PHRASES.iter().find(|(_, phrases)| phrases.iter().any(|phrase| said.contains(phrase)));
    let code = code.map_or("no-connection", |(code, _)| code);
    let to = address.shown();
    let host = &address.host;
    let last =
        printable(said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("ssh ended without a word"));
    let (why, hint) = match code {
        "host-key-changed" => (
            format!("the host key of {host} is not the one in known_hosts: somebody may be in between"),
            "ask the site whether its key has changed; only when it says so, take the old line out of known_hosts by hand".to_string(),
        ),
        "host-key-unknown" => (
            format!("the host key of {host} is not known yet"),
            format!("ssh {to} once by hand, and compare the fingerprint with the one that the site publishes"),
        ),
        "unknown-host" => (
            format!("no host is called {host} ({last})"),
            format!("check `host:` in configs/cluster, the `Host {host}` entry in ~/.ssh/config, and the network"),
        ),
        "too-many-keys" => (
            "the server gave up before the right key was offered".to_string(),
            format!("name the key for {host} in ~/.ssh/config: IdentityFile and IdentitiesOnly yes"),
        ),
        "auth-refused" => (
            format!("the site refuses the login ({last})"),
            format!("ssh {to} must work without a question: load the key with ssh-add, or, for a password or a second factor, open a connection that is shared (ControlMaster and ControlPath in ~/.ssh/config, then ssh -fN {to})"),
        ),
        "ssh-config" => (format!("ssh refuses its own configuration ({last})"), format!("ssh {to} by hand shows the line to mend")),
        "unreachable" | "closed" => (last, format!("try again later; ssh {to} by hand shows whether it is the network; git ar handoff works without a connection")),
        _ => (last, format!("ssh {to} by hand shows more")),
    };
    Words { code, why, hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_says_is_understood() {
        let cases = [
            (
                "@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n",
                "host-key-changed",
            ),
            (
                "No ED25519 host key is known for [127.0.0.1]:2222 and you have requested strict checking.\r\nHost key verification failed.\r\n",
                "host-key-unknown",
            ),
            ("ssh: Could not resolve hostname lengau: Name or service not known\r\n", "unknown-host"),
            ("Received disconnect from 127.0.0.1 port 22:2: Too many authentication failures\r\n", "too-many-keys"),
            ("alice@lengau: Permission denied (publickey,password).\r\n", "auth-refused"),
            ("/home/a/.ssh/config: line 3: Bad configuration option: foo\r\n", "ssh-config"),
            ("ssh: connect to host 127.0.0.1 port 1: Connection refused\r\n", "unreachable"),
            ("Connection closed by 127.0.0.1 port 22\r\n", "closed"),
            ("", "no-connection"),
        ];
        let address = Address { host: "lengau".into(), ..Address::default() };
        for (said, code) in cases {
            let words = explain(said, &address);
            assert_eq!(words.code, code, "{said}");
            assert!(!words.why.is_empty() && words.hint.contains(['h', 's']), "{said}");
        }
    }

    #[test]
    fn control_characters_of_a_banner_are_shown() {
        let words = explain("bye\u{1b}[2J\r\n", &Address::default());
        assert!(!words.why.contains('\u{1b}'));
    }
}
