//! The job script: `templates/job/job.sh` with everything that is not fixed, quoted for sh.
//!
//! It needs nothing of ours on the node. From the folder of its submission, which is the run's, it finds the snapshot
//! beside it, so that no path of a site stands in it.

use std::collections::BTreeMap;

use askama::Template as _;

use super::legal::expand;
use super::profile::Profile;
use super::scheduler::Spec;
use super::shell;
use crate::state::ids::RunId;
use crate::state::problem::{Kind, Problem};
use crate::state::record::{Run, RunKind};
use crate::state::text::printable;

/// Exit status of a job that found other files than it was made with, and trained nothing.
pub const MISMATCH: i32 = 78;

/// What one job script is made of.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// The site.
    pub profile: &'a Profile,
    /// What the scheduler is asked for.
    pub spec: &'a Spec,
    /// The run's id.
    pub id: &'a RunId,
    /// The run as it is recorded.
    pub run: &'a Run,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// The seeds of this attempt, one after another; one for each member of an array.
    pub seeds: &'a [u64],
    /// SHA-256 of the bytes of `config.yaml` in the run's folder.
    pub config_file: &'a str,
    /// The trainer's command there, without the launcher.
    pub trainer: &'a [String],
    /// The name of the Python environment's folder, where the profile has one.
    pub venv: Option<&'a str>,
}

#[derive(askama::Template)]
#[template(path = "job/job.sh", escape = "none")]
struct Text<'a> {
    directives: Vec<String>,
    id: &'a RunId,
    attempt: u32,
    commit: String,
    code_tree: String,
    manifest: String,
    config_file: String,
    config_digest: String,
    folder_variable: String,
    id_variable: String,
    index_variable: Option<String>,
    modules: &'a [String],
    env: BTreeMap<&'a String, String>,
    setup: &'a [String],
    venv: Option<String>,
    smoke: bool,
    python: Option<String>,
    command: String,
    seeds: String,
}

/// The text of a job script.
///
/// # Errors
/// [`Kind::Invalid`] for a value that cannot stand in it, by name; [`Kind::Usage`] for a profile without a scheduler.
pub fn render(sheet: &Sheet<'_>) -> Result<String, Problem> {
    let dialect = sheet.profile.scheduler.dialect().ok_or_else(|| {
        let message = "the scheduler `local` has no job scripts: its jobs start at once";
        Problem::new(Kind::Usage, "no-scheduler", message).hint("git ar run local EXPERIMENT")
    })?;
    let array = sheet.spec.array.is_some_and(|members| members > 1);
    if sheet.seeds.is_empty() || (array && sheet.spec.array != u32::try_from(sheet.seeds.len()).ok()) {
        let message = format!("{} seeds for {:?} members of an array", sheet.seeds.len(), sheet.spec.array);
        return Err(Problem::new(Kind::Bug, "seeds", message));
    }
    for (what, value) in [
        ("commit", &sheet.run.anchor.commit),
        ("code tree", &sheet.run.anchor.code_tree),
        ("manifest", &sheet.run.anchor.manifest),
        ("config digest", &sheet.run.config_digest),
    ] {
        hexadecimal(what, value)?;
    }
    hexadecimal("digest of the config", sheet.config_file)?;
    let launch = words(&sheet.profile.launch())?;
    let trainer = trainer(sheet.trainer)?;
    let text = Text {
        directives: dialect.directives(sheet.spec)?,
        id: sheet.id,
        attempt: sheet.attempt,
        commit: shell::quote(&sheet.run.anchor.commit),
        code_tree: shell::quote(&sheet.run.anchor.code_tree),
        manifest: shell::quote(&sheet.run.anchor.manifest),
        config_file: shell::quote(sheet.config_file),
        config_digest: shell::quote(&sheet.run.config_digest),
        folder_variable: braced(dialect.folder_variable()),
        id_variable: braced(dialect.id_variable()),
        index_variable: array.then(|| braced(dialect.index_variable())),
        modules: &sheet.profile.modules,
        env: environment(sheet.profile)?,
        setup: &sheet.profile.setup,
        venv: sheet.profile.environment.as_ref().zip(sheet.venv).map(|(made, key)| made.place("AR_SITE", key)),
        smoke: sheet.run.kind == RunKind::Smoke,
        python: python(sheet.trainer).map(|python| joined(&launch, &python)),
        command: joined(&launch, &trainer),
        seeds: sheet.seeds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    };
    let text = text.render().map_err(|e| Problem::new(Kind::Bug, "template", format!("the job script: {e}")))?;
    Ok(if text.ends_with('\n') { text } else { text + "\n" })
}

/// `{NAME:-}`, behind a `$` in the template.
fn braced(name: &str) -> String {
    format!("{{{name}:-}}")
}

fn joined(launch: &str, command: &str) -> String {
    [launch, command].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Words of the profile, in which `$NAME` is filled in on the node.
fn words(all: &[String]) -> Result<String, Problem> {
    let quoted = all.iter().map(|word| match word.contains('$') {
        false => Ok(shell::quote(word)),
        true => expand(word).ok_or_else(|| {
            let message = format!("`{}` in `launcher` holds a `$` that begins no variable", printable(word));
            Problem::new(Kind::Invalid, "launcher", message).hint("write variables as $NAME or ${NAME}")
        }),
    });
    quoted.collect::<Result<Vec<_>, _>>().map(|words| words.join(" "))
}

/// The trainer's words, which stand for themselves as they do on this machine.
fn trainer(all: &[String]) -> Result<String, Problem> {
    let odd = |word: &&String| word.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    match all.iter().find(odd) {
        None => Ok(shell::line(all)),
        Some(word) => {
            let message = format!("`{}` in the trainer's command holds a control character", printable(word));
            Err(Problem::new(Kind::Invalid, "trainer", message)
                .at("configs/ar.yaml")
                .hint("write another word under `trainer:`"))
        }
    }
}

/// The interpreter of a Python trainer: the words up to `python`, or the program in front of a `.py` file.
fn python(trainer: &[String]) -> Option<String> {
    let is_python = |word: &String| {
        let name = word.rsplit('/').next().unwrap_or_default();
        name.strip_prefix("python").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
    };
    let at = trainer.iter().position(is_python)?;
    Some(shell::line(&trainer[..=at]))
}

fn environment(profile: &Profile) -> Result<BTreeMap<&String, String>, Problem> {
    let mut quoted = BTreeMap::new();
    for (name, value) in &profile.env {
        let text = expand(value).ok_or_else(|| {
            Problem::new(Kind::Invalid, "env", format!("`{name}` holds a `$` that begins no variable"))
        })?;
        quoted.insert(name, text);
    }
    Ok(quoted)
}

fn hexadecimal(what: &str, value: &str) -> Result<(), Problem> {
    if !value.is_empty() && value.len() <= 128 && value.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(());
    }
    let message = format!("the {what} `{}` is no digest", printable(value).chars().take(60).collect::<String>());
    Err(Problem::new(Kind::Invalid, "script", message).hint("git ar check   tells what is wrong with the run's record"))
}

#[cfg(test)]
mod tests;
