//! The checks of `doctor`, one function each.

use std::path::Path;

use super::{Check, Patient, State, remains};
use crate::ops::hook;
use crate::repo::git::Git;
use crate::repo::journal::{Content, Journal};
use crate::repo::{Environment, Repo};
use crate::runs::datasets::{DATA_SETS, DataSet, Found};
use crate::runs::trainer;
use crate::state::entities::{BuiltIn, Settings, Trainer};
use crate::state::load;
use crate::state::problem::Problem;

/// The oldest git that has every option we use.
const OLDEST_GIT: (u32, u32) = (2, 28);
/// Less free space than this is worth a word, in bytes.
const LITTLE_SPACE: u64 = 1 << 30;

/// Every check, in order. What cannot be looked at because something before it is broken is left out.
pub(super) fn all(patient: &Patient<'_>) -> Vec<Check> {
    let mut checks = vec![git(patient.folder), author(patient.folder)];
    match Repo::discover(patient.folder, Environment::Honoured) {
        Err(problem) => checks.push(broken("repository", &problem)),
        Ok(repo) => {
            let settings = load::settings(&repo.work_tree());
            checks.push(repository(&repo, &settings));
            if let Ok(Some(settings)) = &settings {
                checks.push(hooks(&repo));
                checks.extend(remains::all(&repo, settings));
                checks.extend(journal(&repo));
                checks.push(trainer(settings, patient));
                checks.extend(environment(&repo));
            }
        }
    }
    checks.extend(DATA_SETS.iter().map(|set| data(set, (patient.env)("AR_DATA").as_deref())));
    checks.push(disk(patient.folder));
    checks
}

/// The journal of submits, once there is one.
fn journal(repo: &Repo) -> Option<Check> {
    let journal = Journal::of(repo.common_dir());
    let content = match journal.read() {
        Ok(content) if content == Content::default() => return None,
        Ok(content) => content,
        Err(problem) => return Some(broken("journal", &problem)),
    };
    if let Some(damage) = &content.damage {
        return Some(broken("journal", &journal.damaged(damage)));
    }
    let cut = if content.cut { "; a line that a killed command left half-written is left out" } else { "" };
    Some(match content.pending().as_slice() {
        [] => Check::ok("journal", format!("nothing is pending{cut}")),
        pending => {
            let acts: Vec<&str> = pending.iter().map(|act| act.intent.about.as_str()).collect();
            let fix = vec!["git ar tick   finds out what became of it".into()];
            Check::bad("journal", State::Missing, format!("pending: {}{cut}", acts.join(", ")), fix)
        }
    })
}

fn broken(name: &str, problem: &Problem) -> Check {
    Check::bad(name, State::Broken, problem.to_string(), problem.hint.iter().cloned().collect())
}

fn git(folder: &Path) -> Check {
    let text = match Git::at(folder).text(&["version"]) {
        Ok(text) => text,
        Err(problem) => return broken("git", &problem),
    };
    let version = text.split_whitespace().nth(2).unwrap_or_default();
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < OLDEST_GIT {
        let fix = vec![format!("install git {}.{} or newer", OLDEST_GIT.0, OLDEST_GIT.1)];
        return Check::bad("git", State::Broken, format!("{version} is too old"), fix);
    }
    Check::ok("git", version)
}

fn author(folder: &Path) -> Check {
    match Git::at(folder).run(&["var", "GIT_COMMITTER_IDENT"], b"") {
        // The e-mail address is nobody's business here; the name says enough.
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout);
            Check::ok("author", text.split('<').next().unwrap_or_default().trim())
        }
        _ => {
            let fix = vec!["git config --global user.name \"Your Name\"".into(), "the same for user.email".into()];
            Check::bad("author", State::Broken, "git does not know who commits", fix)
        }
    }
}

fn repository(repo: &Repo, settings: &Result<Option<Settings>, Problem>) -> Check {
    match settings {
        Err(problem) => broken("repository", problem),
        Ok(None) => {
            let found = format!("{} is a git repository without {}", repo.top().display(), load::SETTINGS);
            Check::bad("repository", State::Broken, found, vec!["git ar init".into()])
        }
        Ok(Some(settings)) => match repo.head() {
            Err(problem) => broken("repository", &problem),
            Ok(head) => {
                let here = head.branch.unwrap_or_else(|| "no branch".into());
                let elsewhere =
                    if here == settings.branch { String::new() } else { format!(", state on {}", settings.branch) };
                Check::ok("repository", format!("{} on {here}{elsewhere}", repo.top().display()))
            }
        },
    }
}

fn hooks(repo: &Repo) -> Check {
    let standing = match hook::status(repo) {
        Ok(standing) => standing,
        Err(problems) => return broken("hooks", &problems.0[0]),
    };
    let names: Vec<&str> = standing.hooks.iter().filter(|hook| hook.runs).map(|hook| hook.name).collect();
    if standing.complete() {
        return Check::ok("hooks", names.join(", "));
    }
    let mut lacking: Vec<&str> = standing.hooks.iter().filter(|hook| !hook.runs).map(|hook| hook.name).collect();
    lacking.extend((!standing.merges).then_some("merges of state files"));
    let found = format!("git does not run git-ar in {}", lacking.join(", "));
    Check::bad("hooks", State::Missing, found, vec!["git ar hook install".into()])
}

fn trainer(settings: &Settings, patient: &Patient<'_>) -> Check {
    let path = (patient.env)("PATH");
    let command = match trainer::resolve(&settings.trainer, patient.exe, path.as_deref()) {
        Ok(command) => command,
        Err(problem) => {
            return Check::bad("trainer", State::Missing, problem.message, problem.hint.into_iter().collect());
        }
    };
    match &settings.trainer {
        Trainer::Named(BuiltIn::Reference) => Check::ok("trainer", "the reference trainer (digits images only)"),
        Trainer::Named(BuiltIn::Engine) => Check::ok("trainer", format!("the engine, {}", command.started[0])),
        Trainer::Command(words) => match on_path(&words[0], path.as_deref()) {
            true => Check::ok("trainer", words.join(" ")),
            false => {
                let fix = vec!["install it, or change `trainer:` in configs/ar.yaml".into()];
                Check::bad("trainer", State::Missing, format!("`{}` is not on PATH", words[0]), fix)
            }
        },
    }
}

/// A path is taken relative to the snapshot, which cannot be looked at here.
fn on_path(program: &str, path: Option<&str>) -> bool {
    program.contains('/') || path.unwrap_or_default().split(':').any(|folder| Path::new(folder).join(program).is_file())
}

/// The file with keys, when it is there.
fn environment(repo: &Repo) -> Option<Check> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(repo.top().join(".env")).ok()?.permissions().mode();
    Some(match mode & 0o077 {
        0 => Check::ok(".env", "yours alone"),
        _ => Check::bad(
            ".env",
            State::Missing,
            "other accounts of this machine may read it",
            vec!["chmod 600 .env".into()],
        ),
    })
}

fn data(set: &DataSet, root: Option<&str>) -> Check {
    let name = format!("data {}", set.name);
    let fetch =
        vec![format!("git ar data fetch {}", set.name), "(without internet it says which files to put where)".into()];
    let Some(root) = root.filter(|r| !r.is_empty()) else {
        let fix = [vec!["export AR_DATA=DIR".into()], fetch].concat();
        return Check::bad(&name, State::Missing, "AR_DATA does not say where data sets are", fix);
    };
    let found = set.look(Path::new(root));
    let wrong: Vec<String> = found
        .iter()
        .filter_map(|(file, found)| match found {
            Found::There(_) => None,
            Found::Missing => Some(format!("{} is missing", file.name)),
            Found::WrongSize(_, bytes) => Some(format!("{} has {bytes} bytes, not {}", file.name, file.bytes)),
        })
        .collect();
    match wrong.is_empty() {
        true => Check::ok(&name, format!("in {root}")),
        false => Check::bad(&name, State::Missing, format!("in {root}: {}", wrong.join(", ")), fetch),
    }
}

fn disk(folder: &Path) -> Check {
    let free = match rustix::fs::statvfs(folder) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => return Check::bad("disk", State::Missing, format!("cannot be asked: {error}"), Vec::new()),
    };
    #[expect(clippy::cast_precision_loss, reason = "one decimal of a size is shown")]
    let found = format!("{:.1} GiB free", free as f64 / f64::from(1 << 30));
    match free < LITTLE_SPACE {
        true => {
            Check::bad("disk", State::Missing, found, vec!["make room: a run keeps a snapshot and checkpoints".into()])
        }
        false => Check::ok("disk", found),
    }
}
