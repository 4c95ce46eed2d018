//! `migrate`: brings state files of an older version to the present one, in one commit.

use std::fmt;

use serde::Serialize;
use similar::TextDiff;

use super::Context;
use super::record::{Recorded, Write};
use crate::state::migrate::{self, CURRENT, Standing};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::tree::{Tree, files};

/// One file that is older.
#[derive(Debug, Serialize)]
pub struct Older {
    /// Its path.
    pub path: String,
    /// Its version.
    pub from: u32,
    /// What changes in it, as a diff.
    pub diff: String,
}

/// What was found, and what was done.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The files that are older.
    pub older: Vec<Older>,
    /// Nothing was to be written.
    pub dry_run: bool,
    /// What was recorded.
    #[serde(flatten)]
    pub recorded: Recorded,
    /// Files that stay as they are.
    #[serde(skip)]
    pub warnings: Vec<Problem>,
}

/// Bring every state file of the work tree to the present version, or show what would change.
///
/// # Errors
/// When a file cannot be read, or the rules refuse the change.
pub fn run(context: &Context<'_>, dry_run: bool) -> Result<Outcome, Problems> {
    let disk = context.repo.work_tree();
    let (mut older, mut writes, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    for folder in ["configs", "projects"] {
        for (path, _) in files(&disk, folder)? {
            let bytes = disk.read(&path)?.unwrap_or_default();
            match migrate::standing(&path, &bytes) {
                None | Some(Standing::Current) => {}
                Some(Standing::Newer(version)) => warnings.push(newer(&path, version)),
                Some(Standing::Older { from, text }) => {
                    let old = String::from_utf8_lossy(&bytes);
                    let diff = TextDiff::from_lines(&*old, &text);
                    let diff = diff.unified_diff().context_radius(1).header(&path, &path).to_string();
                    older.push(Older { path: path.clone(), from, diff });
                    writes.push(Write::text(path, text));
                }
            }
        }
    }
    let recorded = match dry_run || writes.is_empty() {
        true => Recorded::default(),
        false => {
            let subject = format!("migrate: {} state files to schema {CURRENT}", writes.len());
            context.record("migrate", writes, &subject, &[])?
        }
    };
    warnings.extend(recorded.warnings.clone());
    Ok(Outcome { older, dry_run, recorded, warnings })
}

fn newer(path: &str, version: u32) -> Problem {
    let message = format!("schema {version} is newer than this git-ar, which reads {CURRENT}; the file stays as it is");
    Problem::new(Kind::Invalid, "newer", message).at(path).hint("install a newer git-ar").warn()
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.older.is_empty() {
            return writeln!(f, "every state file is of schema {CURRENT}; nothing changed");
        }
        for file in &self.older {
            match self.dry_run {
                true => write!(f, "{}", file.diff)?,
                false => writeln!(f, "{}: schema {} to {CURRENT}", file.path, file.from)?,
            }
        }
        match self.dry_run {
            true => writeln!(f, "{} files would change; nothing is written", self.older.len()),
            false => self.recorded.fmt(f),
        }
    }
}
