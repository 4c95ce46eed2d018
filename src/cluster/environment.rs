//! The virtual environment of a person's own trainer on a site: what it is made of, and where it therefore lies.
//!
//! Its folder is named after what it is made of, so an edited list of requirements leads to another environment, and
//! jobs that wait keep theirs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::legal::{expand, no_path};
use super::profile::Profile;
use crate::state::text::printable;
use crate::state::tree::digest;

/// The Python that makes an environment when none is named.
const PYTHON: &str = "python3";
/// A longer list of requirements is no list of requirements.
const MOST: usize = 256 << 10;

/// How an environment is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// The Python that makes it, such as python3.11 or a whole path; looked for after the modules and the setup lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
    /// The file of the repository that lists what pip installs into it; nothing is installed when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirements: Option<String>,
    /// A folder there with wheels, for a site without internet: pip takes from it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wheels: Option<String>,
    /// The folder there that holds environments; beside the runs when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
}

impl Environment {
    /// The Python that makes it.
    #[must_use]
    pub fn python(&self) -> &str {
        self.python.as_deref().unwrap_or(PYTHON)
    }

    /// The name of its folder: it follows from the Python, the modules and the requirements.
    #[must_use]
    pub fn key(&self, profile: &Profile, requirements: &str) -> String {
        let made_of = serde_json::json!([self.python(), profile.modules, requirements]);
        digest(made_of.to_string().as_bytes())[..12].to_string()
    }

    /// Its folder as a word for the site's shell, where `base` is the variable with the repository's folder there.
    #[must_use]
    pub fn place(&self, base: &str, key: &str) -> String {
        let own = self.folder.as_deref().and_then(expand);
        own.map_or_else(|| format!("\"${base}/environments/{key}\""), |folder| format!("{folder}/{key}"))
    }

    /// Why it cannot be meant.
    pub(super) fn wrong(&self) -> Option<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._/+$-".contains(c);
        let python = self.python();
        if python.is_empty() || python.starts_with('-') || !python.chars().all(plain) || expand(python).is_none() {
            return Some(format!("`{}` is no name of a program", printable(python)));
        }
        if let Some(why) = [&self.wheels, &self.folder].into_iter().flatten().find_map(|path| no_path(path)) {
            return Some(why);
        }
        let file = self.requirements.as_deref()?;
        let inside = !file.is_empty() && file.split('/').all(|part| !matches!(part, "" | "." | ".."));
        (!inside).then(|| format!("`{}` is no path in the repository", printable(file)))
    }
}

/// Why a list of requirements cannot be sent to a site: it must be whole, and name nothing outside of itself.
#[must_use]
pub fn unfit(requirements: &str) -> Option<String> {
    if requirements.len() > MOST {
        return Some("it is longer than 256 KiB".into());
    }
    if requirements.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Some("it holds a control character".into());
    }
    let outside = |line: &&str| {
        let words = ["-r", "-c", "-e", "--requirement", "--constraint", "--editable", ".", "/", "file:"];
        words.iter().any(|word| line.starts_with(word))
    };
    let line = requirements.lines().map(str::trim).find(outside)?;
    Some(format!("`{}` names what is not in this file: only the file itself is sent there", printable(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_follows_from_what_it_is_made_of() {
        let mut profile = Profile::local();
        let plain = Environment::default();
        let key = plain.key(&profile, "torch\n");
        assert_eq!(key, Environment { python: Some("python3".into()), ..plain.clone() }.key(&profile, "torch\n"));
        assert_ne!(key, plain.key(&profile, "torch==2\n"));
        assert_ne!(key, Environment { python: Some("python3.11".into()), ..plain.clone() }.key(&profile, "torch\n"));
        profile.modules = vec!["python/3.11".into()];
        assert_ne!(key, plain.key(&profile, "torch\n"));
        assert_eq!(plain.place("AR_SITE", "k"), "\"$AR_SITE/environments/k\"");
        let home = Environment { folder: Some("$HOME/envs".into()), ..plain };
        assert_eq!(home.place("AR_SITE", "k"), "\"${HOME}/envs\"/k");
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let with =
            |key: &str, value: &str| serde_json::from_value::<Environment>(serde_json::json!({ key: value })).unwrap();
        for (key, value) in [
            ("python", "python3; id"),
            ("python", "-m"),
            ("python", ""),
            ("python", "$(id)"),
            ("wheels", "wheels"),
            ("folder", "/a/../b"),
            ("requirements", "../requirements.txt"),
            ("requirements", "/etc/passwd"),
            ("requirements", ""),
        ] {
            assert!(with(key, value).wrong().is_some(), "{key}: {value}");
        }
        for (key, value) in [("python", "/opt/python3.11/bin/python3"), ("requirements", "env/requirements.txt")] {
            assert_eq!(with(key, value).wrong(), None, "{key}: {value}");
        }
        for bad in ["torch\n-r more.txt\n", "-e .\n", ".[dev]\n", "./wheels/x.whl\n", "a\u{1b}b\n"] {
            assert!(unfit(bad).is_some(), "{bad}");
        }
        assert_eq!(unfit("# torch\ntorch==2.3 --hash=sha256:ab\n--extra-index-url https://example.org/w\n"), None);
    }
}
