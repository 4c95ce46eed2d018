//! State files one by one: they read, they are files, and what may not change did not change.

use serde::de::DeserializeOwned;

use super::Case;
use super::moved::Moved;
use crate::state::board::BoardConfig;
use crate::state::entities::{Iteration, Settings};
use crate::state::exclusion::Exclusion;
use crate::state::ids::Slug;
use crate::state::load;
use crate::state::migrate;
use crate::state::problem::{Kind, Problem};
use crate::state::project::{Finding, Project, References};
use crate::state::record::{Attempt, Metrics, Run};
use crate::state::region;
use crate::state::tree::{Change, EntryKind};

/// What a path holds by its place and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    Settings,
    Board,
    Project,
    References,
    Finding,
    Iteration,
    Run,
    RunConfig,
    Attempt,
    Exclusion,
    Metrics,
    /// Markdown in which generated regions may stand.
    Text,
    /// Anything else.
    Other,
}

impl FileKind {
    pub(crate) fn of(path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').collect();
        let markdown = path.ends_with(".md");
        match parts.as_slice() {
            _ if path == load::SETTINGS => Self::Settings,
            ["configs", "board", name] if name.ends_with(".yaml") => Self::Board,
            ["projects", _, "project.yaml"] => Self::Project,
            ["projects", _, "references.yaml"] => Self::References,
            ["projects", _, "findings", name] if name.ends_with(".yaml") => Self::Finding,
            ["projects", _, "iterations", _, "iteration.yaml"] => Self::Iteration,
            ["projects", _, "iterations", _, "runs", _, rest @ ..] | ["projects", _, "runs", _, rest @ ..] => {
                Self::of_run(rest)
            }
            ["README.md"] | ["leaderboard" | "projects", ..] if markdown => Self::Text,
            _ => Self::Other,
        }
    }

    fn of_run(rest: &[&str]) -> Self {
        match rest {
            ["run.yaml"] => Self::Run,
            ["config.yaml"] => Self::RunConfig,
            ["exclusion.yaml"] => Self::Exclusion,
            ["attempts", name] if name.ends_with(".yaml") => Self::Attempt,
            [seed, "metrics.json"] if seed.starts_with("seed-") => Self::Metrics,
            _ => Self::Other,
        }
    }

    /// Written once; what was measured is not edited.
    fn is_immutable(self) -> bool {
        matches!(self, Self::Run | Self::RunConfig | Self::Metrics)
    }

    /// Keys are added, never changed.
    fn is_append_only(self) -> bool {
        matches!(self, Self::Attempt | Self::Exclusion)
    }

    /// What happened, written down.
    pub(super) fn is_record(self) -> bool {
        self.is_immutable() || self.is_append_only()
    }
}

/// What is wrong with the changed files.
pub(super) fn check(case: &Case<'_>, moved: &Moved) -> Result<Vec<Problem>, Problem> {
    let mut found = Vec::new();
    for change in case.changes {
        if is_link(change) {
            found.push(not_a_file(change));
            continue;
        }
        let kind = FileKind::of(&change.path);
        if kind == FileKind::Other {
            found.extend(miswritten(change));
            continue;
        }
        match &change.after {
            None => found.extend(removal(case, kind, change, moved)?),
            Some(_) => match misplaced(kind, &change.path) {
                Some(problem) => found.push(problem),
                None => found.extend(content(case, kind, change)?),
            },
        }
    }
    Ok(found)
}

/// A link or a submodule where state lies.
pub(super) fn is_link(change: &Change) -> bool {
    let state = ["projects/", "leaderboard/", "configs/board/", "configs/cluster/"];
    let is_state =
        state.iter().any(|folder| format!("{}/", change.path).starts_with(folder)) || change.path == load::SETTINGS;
    is_state && matches!(change.after, Some((EntryKind::Symlink | EntryKind::Gitlink, _)))
}

/// A state file in a folder whose name no command would find.
fn misplaced(kind: FileKind, path: &str) -> Option<Problem> {
    let parts: Vec<&str> = path.split('/').collect();
    let project = parts.get(1).filter(|_| parts[0] == "projects").is_some_and(|name| Slug::try_from(*name).is_err());
    let (wrong, rule) = match kind {
        FileKind::Text | FileKind::Board | FileKind::Settings => (false, ""),
        _ if project => (true, "a project's folder has lower-case letters, digits and inner hyphens"),
        FileKind::Iteration => (
            load::iteration_of_path(path).is_none(),
            "an iteration's folder is its id, a hyphen and a slug, such as 8b-srnn",
        ),
        FileKind::Metrics if number_of::<u64>(&parts, parts.len() - 2, "seed-", "").is_none() => {
            (true, "a seed's folder is seed- and its number without zeros in front, such as seed-7")
        }
        FileKind::Attempt if number_of::<u32>(&parts, parts.len() - 1, "", ".yaml").is_none() => {
            (true, "an attempt's file is its number without zeros in front, such as 1.yaml")
        }
        FileKind::Run | FileKind::RunConfig | FileKind::Attempt | FileKind::Exclusion | FileKind::Metrics => {
            (load::run_of_path(path).is_none(), "a run's folder is its id, such as kq7f3-digits_mlp")
        }
        _ => (false, ""),
    };
    wrong.then(|| Problem::new(Kind::Invalid, "misplaced", rule).at(path).line(Some(1)).hint("rename the folder"))
}

/// A path that is a state file's but for small and capital letters: some file systems take the two for one.
fn miswritten(change: &Change) -> Option<Problem> {
    let small = change.path.to_lowercase();
    let state = small.starts_with("projects/") && !matches!(FileKind::of(&small), FileKind::Other | FileKind::Text);
    if change.after.is_none() || small == change.path || !state {
        return None;
    }
    let message = "this differs only by capital letters from where state lies";
    Some(
        Problem::new(Kind::Invalid, "misplaced", message)
            .at(&change.path)
            .line(Some(1))
            .hint("write it in small letters"),
    )
}

/// The number in one name of a path, between what stands before and behind it.
fn number_of<T: std::str::FromStr + ToString>(parts: &[&str], at: usize, before: &str, behind: &str) -> Option<T> {
    load::number(parts[at].strip_prefix(before)?.strip_suffix(behind)?)
}

/// A record may leave its place only by turning up, unchanged, in another one.
fn removal(case: &Case<'_>, kind: FileKind, change: &Change, moved: &Moved) -> Result<Option<Problem>, Problem> {
    let Some((_, id)) = &change.before else { return Ok(None) };
    let guarded = match kind {
        FileKind::Project => {
            case.after.list(&beside(&change.path, "iterations"))?.iter().any(|e| e.kind == EntryKind::Folder)
        }
        kind => kind.is_immutable() || kind.is_append_only() || kind == FileKind::Iteration,
    };
    if !guarded {
        return Ok(None);
    }
    if moved.has(&change.path, id) {
        return left_behind(case, kind, change);
    }
    let problem =
        Problem::new(Kind::Refused, "record-removed", "a record is removed; what happened stays in the history");
    let hint = match kind {
        FileKind::Iteration => {
            "git ar iter abandon ID --reason TEXT   (to rename its folder: git mv, and no edit in the same commit)"
                .to_string()
        }
        FileKind::Project => format!("git restore --staged {}", change.path),
        _ => format!(
            "git restore --staged {}   (a run that should not count: git ar run exclude RUN --reason TEXT)",
            change.path
        ),
    };
    Ok(Some(problem.at(&change.path).hint(hint)))
}

/// An iteration that is renamed takes its runs along.
fn left_behind(case: &Case<'_>, kind: FileKind, change: &Change) -> Result<Option<Problem>, Problem> {
    let runs = beside(&change.path, "runs");
    if kind != FileKind::Iteration || case.after.list(&runs)?.is_empty() {
        return Ok(None);
    }
    let problem = Problem::new(Kind::Refused, "record-removed", "the iteration is renamed without its runs");
    Ok(Some(problem.at(&change.path).hint(format!("move {runs} along: git mv its whole folder"))))
}

/// Another name in the folder of a file.
fn beside(path: &str, name: &str) -> String {
    path.rsplit_once('/').map_or_else(|| name.to_string(), |(folder, _)| format!("{folder}/{name}"))
}

pub(super) fn not_a_file(change: &Change) -> Problem {
    let what = match change.after {
        Some((EntryKind::Symlink, _)) => "a symbolic link",
        _ => "another repository",
    };
    Problem::new(Kind::Refused, "not-a-file", format!("a state file is {what}; it must be a plain file"))
        .at(&change.path)
        .hint("put the content itself here")
}

fn content(case: &Case<'_>, kind: FileKind, change: &Change) -> Result<Vec<Problem>, Problem> {
    let Some(bytes) = case.after.read(&change.path)? else { return Ok(Vec::new()) };
    if kind.is_immutable()
        && let Some(problem) = rewritten(case, kind, change)?
    {
        return Ok(vec![problem]);
    }
    let mut found: Vec<Problem> = match kind {
        FileKind::Text => regions(&change.path, &bytes),
        kind => readable(kind, &change.path, &bytes).err().into_iter().collect(),
    };
    if found.is_empty() && kind.is_append_only() {
        found.extend(rewritten(case, kind, change)?);
    }
    Ok(found)
}

/// A record that was there before and does not say the same.
pub(super) fn rewritten(case: &Case<'_>, kind: FileKind, change: &Change) -> Result<Option<Problem>, Problem> {
    let (Some(_), Some(after)) = (&change.before, case.after.read(&change.path)?) else { return Ok(None) };
    if kind.is_append_only() {
        let before = case.before.read(&change.path)?.unwrap_or_default();
        return Ok(only_added(&change.path, &before, &after));
    }
    Ok((!is_migration(case, &change.path, &after)?).then(|| edited(change, kind)))
}

/// Whether a record is what its older version becomes.
fn is_migration(case: &Case<'_>, path: &str, after: &[u8]) -> Result<bool, Problem> {
    let before = case.before.read(path)?.unwrap_or_default();
    Ok(migrate::migrated(path, &before).is_some_and(|text| text.as_bytes() == after))
}

fn edited(change: &Change, kind: FileKind) -> Problem {
    let what = match kind {
        FileKind::Metrics => "the metrics of a finished run are changed; measured values are never edited",
        FileKind::Run => "a run's record is changed; it is written once",
        _ => "the config that a run was made with is changed; it is written once",
    };
    Problem::new(Kind::Refused, "record-changed", what).at(&change.path).line(Some(1)).hint(format!(
        "git restore --staged {}   (a run that should not count: git ar run exclude RUN --reason TEXT)",
        change.path
    ))
}

/// The file reads as what its place says.
fn readable(kind: FileKind, path: &str, bytes: &[u8]) -> Result<(), Problem> {
    fn typed<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<(), Problem> {
        conflict(path, bytes)?;
        load::parse::<T>(path, bytes).map(drop)
    }
    match kind {
        FileKind::Settings => typed::<Settings>(path, bytes),
        FileKind::Board => typed::<BoardConfig>(path, bytes),
        FileKind::Project => typed::<Project>(path, bytes),
        FileKind::References => typed::<References>(path, bytes),
        FileKind::Finding => typed::<Finding>(path, bytes),
        FileKind::Iteration => typed::<Iteration>(path, bytes),
        FileKind::Run => typed::<Run>(path, bytes),
        FileKind::Attempt => typed::<Attempt>(path, bytes),
        FileKind::Exclusion => typed::<Exclusion>(path, bytes),
        FileKind::Metrics => Metrics::read(bytes).map(drop).map_err(|error| {
            let line = error.pos.map_or(1, |p| p.line);
            let fix = "git ar schema metrics   (docs/trainer-contract.md tells the format)";
            let hint = error.hint.unwrap_or_else(|| fix.into());
            Problem::new(Kind::Invalid, "metrics", error.message).at(path).line(Some(line)).hint(hint)
        }),
        FileKind::Text | FileKind::RunConfig | FileKind::Other => Ok(()),
    }
}

/// The generated regions of a text are as they were generated.
fn regions(path: &str, bytes: &[u8]) -> Vec<Problem> {
    region::verify(path, &String::from_utf8_lossy(bytes)).unwrap_or_else(|problem| vec![problem])
}

/// A merge's conflict markers, told as what they are.
fn conflict(path: &str, bytes: &[u8]) -> Result<(), Problem> {
    if bytes.len() > load::MOST_BYTES {
        return Ok(());
    }
    let text = String::from_utf8_lossy(bytes);
    let marker = text.lines().zip(1..).find(|(line, _)| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> "));
    match marker {
        None => Ok(()),
        Some((_, line)) => {
            Err(Problem::new(Kind::Invalid, "conflict", "a merge's conflict marker stands in a state file")
                .at(path)
                .line(Some(line))
                .hint("keep one side of each conflict, remove the marker lines, and `git add` the file"))
        }
    }
}

/// Every key that was there before is there with the same value.
fn only_added(path: &str, before: &[u8], after: &[u8]) -> Option<Problem> {
    let read = |bytes: &[u8]| load::parse::<serde_json::Map<String, serde_json::Value>>(path, bytes).ok();
    let (before, after) = (read(before)?, read(after)?);
    let (key, _) = before.iter().find(|(key, value)| after.get(*key) != Some(value))?;
    let message = format!("`{key}` is changed; keys of this record are added, never changed");
    Some(Problem::new(Kind::Refused, "record-changed", message).at(path).hint(format!("git restore --staged {path}")))
}
