//! Credentials for reaching a site: from the environment, or from the file `.env`, which git never sees.

use std::collections::BTreeMap;

/// What is taken from `.env`: a key's file and its passphrase, and nothing that would be started.
pub const NAMES: [&str; 2] = ["GIT_AR_SSH_KEY", "GIT_AR_SSH_PASSPHRASE"];

/// The credentials in the text of an `.env` file: lines of `NAME=value`, with `export` or quotes or without.
#[must_use]
pub fn read(text: &str) -> BTreeMap<String, String> {
    let line = |line: &str| {
        let line = line.trim();
        let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let quoted = ['"', '\''].into_iter().find_map(|q| value.strip_prefix(q)?.strip_suffix(q));
        NAMES.contains(&name).then(|| (name.to_string(), quoted.unwrap_or(value).to_string()))
    };
    text.lines().filter_map(line).filter(|(_, value)| !value.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_credentials_are_taken() {
        let text = "# comment\nexport GIT_AR_SSH_KEY=\"/home/me/a key\"\nGIT_AR_SSH_PASSPHRASE='it = #1'\nGIT_AR_SSH=/tmp/evil\nPATH=/tmp\nWANDB_API_KEY=x\n";
        let found = read(text);
        assert_eq!(found["GIT_AR_SSH_KEY"], "/home/me/a key");
        assert_eq!(found["GIT_AR_SSH_PASSPHRASE"], "it = #1");
        assert_eq!(found.len(), 2);
        assert!(read("GIT_AR_SSH_KEY=\nno line\n").is_empty());
    }
}
