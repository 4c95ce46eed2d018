//! Whether a host's key is the one that the person knows: OpenSSH's `known_hosts`, as libssh2 alone does not read it.
//!
//! libssh2 offers no order of key types by what is known, and takes a wildcard, a revoked key and a certificate
//! authority for an unknown host. So the lines are read here; only hashed names are left to it.

use super::base64;
use ::ssh2::{CheckResult, KnownHostFileKind, Session};

/// What is known of a host's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It is the one.
    Match,
    /// Nothing is known of this host.
    Unknown,
    /// Another key is known.
    Changed,
    /// This key is marked as revoked.
    Revoked,
}

/// The lines that concern one host.
#[derive(Debug, Default)]
pub(super) struct Lines {
    keys: Vec<Vec<u8>>,
    revoked: Vec<Vec<u8>>,
}

impl Lines {
    /// Reads the text of known_hosts files for one host.
    pub(super) fn of(text: &str, host: &str, port: u16, session: &Session) -> Self {
        let mut found = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (marker, rest) = match line.strip_prefix('@') {
                Some(_) => line.split_once(char::is_whitespace).unwrap_or((line, "")),
                None => ("", line),
            };
            let mut words = rest.split_whitespace();
            let (Some(names), Some(_), Some(key)) = (words.next(), words.next(), words.next()) else { continue };
            let Some(key) = base64::decode(key) else { continue };
            match marker {
                // Whomever it belongs to, it is not to be trusted.
                "@revoked" => found.revoked.push(key),
                "" if names.starts_with("|1|") && hashed(session, rest, host, port, &key) => found.keys.push(key),
                "" if listed(names, host, port) => found.keys.push(key),
                _ => {}
            }
        }
        found
    }

    /// The key types to ask the server for, in libssh2's words; all of its own when nothing is known.
    pub(super) fn types(&self) -> Option<String> {
        let mut types: Vec<&str> = Vec::new();
        for key in &self.keys {
            match kind(key) {
                Some("ssh-rsa") => types.extend(["rsa-sha2-512", "rsa-sha2-256"]),
                Some(kind) => types.push(kind),
                None => {}
            }
        }
        types.dedup();
        (!types.is_empty()).then(|| types.join(","))
    }

    /// What is known of this key.
    pub(super) fn check(&self, key: &[u8]) -> Known {
        let has = |keys: &[Vec<u8>]| keys.iter().any(|known| known == key);
        match (has(&self.revoked), has(&self.keys), self.keys.is_empty()) {
            (true, ..) => Known::Revoked,
            (_, true, _) => Known::Match,
            (_, _, true) => Known::Unknown,
            _ => Known::Changed,
        }
    }
}

/// The type that a key says it has.
fn kind(key: &[u8]) -> Option<&str> {
    let length = u32::from_be_bytes(key.get(..4)?.try_into().ok()?) as usize;
    std::str::from_utf8(key.get(4..4 + length)?).ok()
}

/// Whether a hashed line is this host's: a line is its own host's when its own key matches.
fn hashed(session: &Session, line: &str, host: &str, port: u16, key: &[u8]) -> bool {
    let Ok(mut known) = session.known_hosts() else { return false };
    known.read_str(line, KnownHostFileKind::OpenSSH).is_ok()
        && matches!(known.check_port(host, port, key), CheckResult::Match)
}

/// Whether one of the names or patterns, separated by commas, is this host; `!` before one excludes it.
fn listed(names: &str, host: &str, port: u16) -> bool {
    let plain = if port == 22 { host.to_string() } else { format!("[{host}]:{port}") };
    let plain = plain.to_lowercase();
    let fits = |pattern: &str| glob(pattern.to_lowercase().as_bytes(), plain.as_bytes());
    let (not, yes): (Vec<&str>, Vec<&str>) = names.split(',').partition(|name| name.starts_with('!'));
    yes.into_iter().any(fits) && !not.into_iter().any(|name| fits(&name[1..]))
}

/// `*` is anything, `?` is one character.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.first(), text.first()) {
        (None, None) => true,
        (Some(b'*'), _) => glob(&pattern[1..], text) || (!text.is_empty() && glob(pattern, &text[1..])),
        (Some(b'?'), Some(_)) => glob(&pattern[1..], &text[1..]),
        (Some(a), Some(b)) if a == b => glob(&pattern[1..], &text[1..]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJ8Rm5Vq1mYb5HqLr0n5Y0Yx1o1mW5Cw1mQ0c1V3oQ0x";
    const RSA: &str = "AAAAB3NzaC1yc2EAAAADAQABAAAAAQ==";

    fn of(text: &str, host: &str, port: u16) -> Lines {
        Lines::of(text, host, port, &Session::new().unwrap())
    }

    #[test]
    fn a_key_is_known_by_name_pattern_and_port() {
        let key = base64::decode(ED).unwrap();
        for (names, host, port, known) in [
            ("lengau.chpc.ac.za", "lengau.chpc.ac.za", 22, Known::Match),
            ("a,Lengau", "lengau", 22, Known::Match),
            ("*.chpc.ac.za", "lengau.chpc.ac.za", 22, Known::Match),
            ("*.chpc.ac.za,!lengau*", "lengau.chpc.ac.za", 22, Known::Unknown),
            ("[lengau]:2222", "lengau", 2222, Known::Match),
            ("lengau", "lengau", 2222, Known::Unknown),
            ("login?", "login12", 22, Known::Unknown),
        ] {
            let lines = of(&format!("# comment\n{names} ssh-ed25519 {ED} note\n"), host, port);
            assert_eq!(lines.check(&key), known, "{names} {host}");
        }
    }

    #[test]
    fn another_type_is_asked_for_and_another_key_is_told() {
        let lines = of(&format!("host ssh-rsa {RSA}\n"), "host", 22);
        assert_eq!(lines.types().unwrap(), "rsa-sha2-512,rsa-sha2-256");
        assert_eq!(lines.check(&base64::decode(ED).unwrap()), Known::Changed);
        assert_eq!(of("", "host", 22).types(), None);
    }

    #[test]
    fn a_revoked_key_is_refused_whatever_else_is_said() {
        let text = format!("host ssh-ed25519 {ED}\n@revoked * ssh-ed25519 {ED}\n@cert-authority * ssh-rsa {RSA}\n");
        assert_eq!(of(&text, "host", 22).check(&base64::decode(ED).unwrap()), Known::Revoked);
    }
}
