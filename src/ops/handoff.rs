//! `handoff`: a verb that needs a cluster, done together with a person who reaches it: a sheet goes there, a receipt
//! comes back, and the verb's own code reads it, so that the record is the same.

use std::fmt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Context;
use crate::cluster::profile::Profile;
use crate::cluster::shell::quote;
use crate::cluster::transport::by_hand::Desk;
use crate::runs::scratch;
use crate::state::problem::{Kind, Problem};
use crate::state::text::printable;
use crate::state::tree::digest;

/// A verb that waits for a person. Clock and chance are those of its beginning, so that it asks the same again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Its name.
    pub id: String,
    /// The verb, as typed.
    pub words: Vec<String>,
    /// When it was typed.
    pub now: Timestamp,
    /// Its chance.
    pub entropy: u64,
}

/// The folder of what waits.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder in the `.git` that all worktrees share.
    #[must_use]
    pub fn of(context: &Context<'_>) -> Self {
        Self(context.repo.common_dir().join("ar").join("handoff"))
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What waits for a receipt.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when the note about it does not read.
    pub fn waiting(&self) -> Result<Option<Waiting>, Problem> {
        let Some(bytes) = scratch::read(&self.0.join("waiting.json"))? else { return Ok(None) };
        let bad = |e| {
            Problem::new(Kind::Invalid, "handoff", format!("the note about what waits does not read: {e}"))
                .hint("git ar handoff --drop")
        };
        serde_json::from_slice(&bytes).map(Some).map_err(bad)
    }

    /// Begins, or finds begun, what these words say.
    ///
    /// # Errors
    /// [`Kind::Locked`] when something else waits.
    pub fn begin(&self, context: &Context<'_>, words: &[String]) -> Result<Waiting, Problem> {
        match self.waiting()? {
            Some(waiting) if waiting.words == words => return Ok(waiting),
            Some(waiting) => {
                let message = format!("`git ar {}` waits for its receipt", waiting.words.join(" "));
                return Err(Problem::new(Kind::Locked, "handoff", message)
                    .hint("git ar handoff --receipt FILE, or git ar handoff --drop if its sheet was never run"));
            }
            None => {}
        }
        let seed = format!("{} {} {words:?}", context.now, context.entropy);
        let id = digest(seed.as_bytes())[..12].to_string();
        let waiting = Waiting { id, words: words.to_vec(), now: context.now, entropy: context.entropy };
        let text = serde_json::to_vec(&waiting).map_err(|e| Problem::new(Kind::Bug, "handoff", e.to_string()))?;
        scratch::write(&self.0.join("waiting.json"), &text)?;
        Ok(waiting)
    }

    /// Forgets what waits, with its sheets and receipts.
    ///
    /// # Errors
    /// [`Kind::Io`].
    pub fn drop(&self) -> Result<(), Problem> {
        scratch::remove_folder(&self.0)
    }

    /// The desks that have something on them.
    fn desks(&self) -> Result<Vec<(String, Desk)>, Problem> {
        let clusters = self.names()?.into_iter().filter_map(|name| Some(name.strip_suffix(".steps.json")?.to_string()));
        Ok(clusters.map(|cluster| (cluster.clone(), Desk::new(&self.0, &cluster))).collect())
    }

    fn names(&self) -> Result<Vec<String>, Problem> {
        let entries = match std::fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(scratch::failed("read", &self.0, &e)),
        };
        let mut names: Vec<String> = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        Ok(names)
    }

    /// Takes a receipt over, for whichever desk it belongs to.
    ///
    /// # Errors
    /// [`Kind::Usage`] when nothing waits; [`Kind::Invalid`] for a receipt that is not taken.
    pub fn receive(&self, text: &str) -> Result<(Waiting, usize), Problem> {
        let waiting = self.waiting()?.ok_or_else(|| {
            Problem::new(Kind::Usage, "handoff", "nothing waits for a receipt").hint("git ar handoff   prints a sheet")
        })?;
        let desks = self.desks()?;
        let own =
            desks.iter().find(|(cluster, _)| text.contains(&format!("git-ar receipt 1 {}.{cluster}", waiting.id)));
        let (cluster, desk) = own.or(desks.first()).ok_or_else(|| {
            Problem::new(Kind::Usage, "handoff", "nothing was asked of a cluster yet").hint("git ar handoff --drop")
        })?;
        let count = desk.receive(&format!("{}.{cluster}", waiting.id), text)?;
        Ok((waiting, count))
    }

    /// Forgets the steps before the verb is run again; the answers stay.
    ///
    /// # Errors
    /// [`Kind::Io`].
    pub fn clear(&self) -> Result<(), Problem> {
        self.desks()?.iter().try_for_each(|(_, desk)| desk.clear())
    }

    /// Writes the sheets of the steps that wait.
    ///
    /// # Errors
    /// [`Kind::Io`], or a profile that does not read.
    pub fn sheets(&self, context: &Context<'_>, waiting: &Waiting) -> Result<Outcome, Problem> {
        let mut outcome = Outcome { id: waiting.id.clone(), command: waiting.words.join(" "), sheets: Vec::new() };
        for (cluster, desk) in self.desks()? {
            let steps = desk.steps()?;
            if steps.is_empty() {
                continue;
            }
            let profile = Profile::read(&context.repo.work_tree(), &context.settings.config_dir, &cluster)?;
            let text = desk.sheet(&format!("{}.{cluster}", waiting.id), profile.scheduler_path.as_deref())?;
            let file = self.0.join(format!("{cluster}.sh"));
            scratch::write(&file, text.as_bytes())?;
            let user = profile.user.map_or(String::new(), |user| format!("{user}@"));
            let host = format!("{user}{}", profile.host.unwrap_or_else(|| cluster.clone()));
            let steps = steps.iter().map(|step| step.what.clone()).collect();
            outcome.sheets.push(Sheet { cluster, host, file, digest: digest(text.as_bytes()), steps });
        }
        Ok(outcome)
    }
}

/// One sheet.
#[derive(Clone, Debug, Serialize)]
pub struct Sheet {
    /// The cluster.
    pub cluster: String,
    /// Whom to copy it to.
    pub host: String,
    /// Where it lies here.
    pub file: PathBuf,
    /// SHA-256 of it.
    pub digest: String,
    /// What it does there, in order.
    pub steps: Vec<String>,
}

/// What a person is asked to do.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The name of what waits.
    pub id: String,
    /// The verb.
    pub command: String,
    /// The sheets; none when nothing is asked of anybody.
    pub sheets: Vec<Sheet>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for sheet in &self.sheets {
            let (name, host) = (format!("git-ar-{}", self.id), printable(&sheet.host));
            writeln!(f, "`git ar {}` waits for somebody who reaches {}:", self.command, sheet.cluster)?;
            writeln!(
                f,
                "  1. look at the sheet, and copy it there:\n       scp {} {host}:{name}.sh",
                quote(&sheet.file.display().to_string())
            )?;
            writeln!(f, "  2. run it there, on the login node:\n       sh {name}.sh >{name}.receipt")?;
            writeln!(f, "  3. bring the receipt back:\n       scp {host}:{name}.receipt .")?;
            writeln!(f, "  4. here:\n       git ar handoff --receipt {name}.receipt")?;
            writeln!(f, "The sheet (sha256 {}) does there:", &sheet.digest[..16])?;
            sheet.steps.iter().enumerate().try_for_each(|(n, step)| writeln!(f, "  {}) {step}", n + 1))?;
        }
        Ok(())
    }
}
