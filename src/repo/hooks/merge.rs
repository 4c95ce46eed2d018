//! Git's merge driver for state files: a section of the clone's own configuration, and lines in `info/attributes`.
//!
//! Both are the clone's own, so that nothing tracked changes; whoever lacks them gets git's merge by lines.

use std::path::Path;

use super::block::{END, block, without_block};
use crate::repo::Repo;
use crate::repo::git::failed;
use crate::repo::store::{Kept, Store};
use crate::state::problem::Problem;

const SECTION: &str = "merge.git-ar";
const ATTRIBUTES: &str = "info/attributes";
const OWN: &str = "# This file is git-ar's own.\n";
/// What is merged by the driver; attributes of one's own below these lines win.
const LINES: &str = "\
# >>> git-ar >>>
# How `git merge` brings state files together. From `git ar hook install`; `git ar hook uninstall` takes it out.
/README.md merge=git-ar
/configs/ar.yaml merge=git-ar
/configs/board/*.yaml merge=git-ar
/configs/cluster/*.yaml merge=git-ar
/leaderboard/** merge=git-ar
/projects/**/*.md merge=git-ar
/projects/**/*.yaml merge=git-ar
/projects/**/metrics.json merge=git-ar
";

impl Repo {
    /// Whether git merges state files through git-ar in this clone.
    ///
    /// # Errors
    /// When git cannot be asked, or the attributes cannot be read.
    pub fn merges(&self) -> Result<bool, Problem> {
        let lines = self.attributes()?.is_some_and(|bytes| block(&bytes).is_some());
        Ok(lines && self.local("driver")?.is_some_and(|driver| driver.contains("merge-driver")))
    }

    /// Lets git merge state files through git-ar in this clone. `fallback` is run where `git-ar` is not on the
    /// `PATH`. Returns whether anything changed; the attributes are kept in `kept` as they were.
    ///
    /// # Errors
    /// When configuration or attributes cannot be written; the configuration is as before then.
    pub fn install_merge(&self, fallback: Option<&Path>, kept: &mut Vec<Kept>) -> Result<bool, Problem> {
        let old = self.attributes()?;
        let own = old.as_ref().is_none_or(|old| without(old).is_some_and(|rest| rest.is_none()));
        let rest = old.as_ref().and_then(|old| without(old).unwrap_or_else(|| Some(old.clone()))).unwrap_or_default();
        let (mark, end) = (if own { OWN } else { "" }, String::from_utf8_lossy(END));
        let new = [format!("{LINES}{mark}{end}\n").as_bytes(), &rest].concat();
        let mut changed = false;
        if old.as_ref() != Some(&new) {
            kept.push(self.common().keep(ATTRIBUTES, &self.aside())?);
            changed = self.common().replace(ATTRIBUTES, &new)?;
        }
        Ok(self.set_driver(fallback)? || changed)
    }

    /// Sets the driver's section: all of it, or nothing.
    fn set_driver(&self, fallback: Option<&Path>) -> Result<bool, Problem> {
        let values = [
            ("name", "git-ar merges state files key by key".to_string()),
            // Of several common ancestors one is taken, and none is made up with conflict markers in it.
            ("recursive", "binary".to_string()),
            // The last one: where it is set, the others are.
            ("driver", driver(fallback)),
        ];
        let mut done: Vec<(&str, Option<String>)> = Vec::new();
        for (key, value) in values {
            let set = self.local(key).and_then(|old| {
                if old.as_ref() != Some(&value) {
                    self.git().config_set(&format!("{SECTION}.{key}"), &value)?;
                    done.push((key, old));
                }
                Ok(())
            });
            if let Err(mut problem) = set {
                for second in done.into_iter().rev().filter_map(|(key, old)| self.unset(key, old.as_deref()).err()) {
                    problem.message.push_str(&format!("; and {second}, so git's configuration is not as before"));
                }
                return Err(problem);
            }
        }
        Ok(!done.is_empty())
    }

    /// Lets a value of our section be as it was.
    fn unset(&self, key: &str, old: Option<&str>) -> Result<(), Problem> {
        let key = format!("{SECTION}.{key}");
        match old {
            Some(old) => self.git().config_set(&key, old),
            None => self.git().text(&["config", "--local", "--unset", &key]).map(drop),
        }
    }

    /// Takes both out again, git's configuration last: one git sets it, whole or not at all. The attributes are kept
    /// in `kept` as they were. Returns whether anything changed.
    ///
    /// # Errors
    /// When configuration or attributes cannot be written.
    pub fn uninstall_merge(&self, kept: &mut Vec<Kept>) -> Result<bool, Problem> {
        let mut changed = false;
        if let Some(rest) = self.attributes()?.and_then(|bytes| without(&bytes)) {
            kept.push(self.common().keep(ATTRIBUTES, &self.aside())?);
            changed = match rest {
                Some(rest) => self.common().replace(ATTRIBUTES, &rest)?,
                None => self.common().remove(ATTRIBUTES)?,
            };
        }
        if self.local("driver")?.is_some() {
            self.git().text(&["config", "--local", "--remove-section", SECTION])?;
            changed = true;
        }
        Ok(changed)
    }

    fn common(&self) -> Store {
        Store::at(self.common_dir())
    }

    fn attributes(&self) -> Result<Option<Vec<u8>>, Problem> {
        self.common().read(ATTRIBUTES)
    }

    /// A value of our section in the clone's own configuration.
    fn local(&self, key: &str) -> Result<Option<String>, Problem> {
        let arguments = ["config", "--local", "--get", &format!("{SECTION}.{key}")];
        let output = self.git().run(&arguments, b"")?;
        match output.status.code() {
            Some(0) => Ok(Some(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_string())),
            Some(1) => Ok(None),
            _ => Err(failed(&arguments, &output)),
        }
    }
}

/// The attributes without our lines: `None` where there are none, nothing inside where the file was ours alone.
fn without(bytes: &[u8]) -> Option<Option<Vec<u8>>> {
    let at = block(bytes)?;
    let own = bytes[at].windows(OWN.len()).any(|window| window == OWN.as_bytes());
    let rest = without_block(bytes)?;
    Some(if own && rest.is_empty() { None } else { Some(rest) })
}

/// The command that git gives to a shell. Where git-ar is missing, the file is merged by lines as git does.
fn driver(fallback: Option<&Path>) -> String {
    let fallback = fallback.map_or_else(String::new, |path| path.to_string_lossy().into_owned());
    let quoted = fallback.replace('\'', "'\\''").replace('%', "%%");
    format!(
        "git_ar=$(command -v git-ar || echo '{quoted}'); if [ -x \"$git_ar\" ]; then \
         \"$git_ar\" merge-driver %O %A %B %P %L %X %Y; else git merge-file --marker-size=%L %A %O %B; fi"
    )
}
