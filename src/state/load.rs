//! State files read from a tree: settings, projects, iterations, runs.
//!
//! Everything is read on demand, one folder at a time, so that the cost grows with what is asked.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::entities::{Iteration, Settings};
use super::exclusion::Exclusion;
use super::ids::{IterId, RunId, Slug};
use super::problem::{Kind, Problem};
use super::project::{Finding, Project, References};
use super::record::{Attempt, Metrics, Run, Verdict};
use super::tree::{EntryKind, Tree, join};
use super::yaml;

/// Where a repository says that git-ar manages it.
pub const SETTINGS: &str = "configs/ar.yaml";

/// A larger state file is not read: it is data in a wrong place.
pub const MOST_BYTES: usize = 1 << 20;

/// One iteration with the text it was read from.
#[derive(Clone, Debug)]
pub struct IterationView {
    /// Its project.
    pub project: Slug,
    /// Its id, from the folder's name.
    pub id: IterId,
    /// Its folder, `projects/<slug>/iterations/<id>-<slug>`.
    pub folder: String,
    /// What `iteration.yaml` says.
    pub iteration: Iteration,
    /// The text of `iteration.yaml`.
    pub text: String,
}

impl IterationView {
    /// The path of `iteration.yaml`.
    #[must_use]
    pub fn path(&self) -> String {
        join(&self.folder, "iteration.yaml")
    }

    /// `<project>/<id>`, as commands take it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.project, self.id)
    }

    /// The line of a top-level key of `iteration.yaml`.
    #[must_use]
    pub fn line(&self, key: &str) -> Option<u32> {
        line_of(&self.text, key)
    }
}

/// One run with everything that was collected of it.
#[derive(Clone, Debug)]
pub struct RunView {
    /// Its id, from the folder's name.
    pub id: RunId,
    /// Its folder.
    pub folder: String,
    /// What `run.yaml` says.
    pub run: Run,
    /// Attempts by number.
    pub attempts: BTreeMap<u32, Attempt>,
    /// Results by seed; the message says what is wrong with a file.
    pub seeds: BTreeMap<u64, Result<Metrics, String>>,
    /// Its exclusion, also when it was withdrawn.
    pub exclusion: Option<Exclusion>,
}

impl RunView {
    /// The latest attempt.
    #[must_use]
    pub fn last_attempt(&self) -> Option<&Attempt> {
        self.attempts.values().next_back()
    }

    /// An attempt has no verdict yet.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.attempts.values().any(|a| a.verdict.is_none())
    }

    /// What ran is not what was to run.
    #[must_use]
    pub fn is_quarantined(&self) -> bool {
        self.attempts.values().any(|a| a.verdict == Some(Verdict::Quarantined))
    }

    /// Why this seed does not count, when it was excluded.
    #[must_use]
    pub fn excluded(&self, seed: u64) -> Option<&Exclusion> {
        let exclusion = self.exclusion.as_ref().filter(|e| e.withdrawn.is_none())?;
        let all = exclusion.seeds.as_ref();
        all.is_none_or(|s| s.as_slice().contains(&seed)).then_some(exclusion)
    }
}

/// The line (from 1) of a top-level key of a YAML text.
#[must_use]
pub fn line_of(text: &str, key: &str) -> Option<u32> {
    let lines = text.lines().zip(1..);
    lines.into_iter().find(|(line, _)| line.strip_prefix(key).is_some_and(|r| r.starts_with(':'))).map(|(_, n)| n)
}

/// The typed content of a YAML file; `None` when there is no such file.
pub fn read<T: DeserializeOwned>(tree: &dyn Tree, path: &str) -> Result<Option<T>, Problem> {
    let Some(bytes) = tree.read(path)? else { return Ok(None) };
    parse(path, &bytes).map(Some)
}

/// The typed content of a YAML file that `bytes` hold. A file of a newer version is told from a broken one.
pub fn parse<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<T, Problem> {
    typed(bytes).map_err(|error| error.in_file(path).quoting(bytes))
}

fn typed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, yaml::Error> {
    let limits = yaml::Limits { bytes: MOST_BYTES, ..yaml::Limits::default() };
    let hint = Some("every state file begins with `schema: 1`".to_string());
    let empty = || yaml::Error { message: "the file is empty".into(), pos: None, hint };
    let node = yaml::parse(bytes, limits)?.ok_or_else(empty)?;
    untagged(&node)?;
    check_schema(&node)?;
    yaml::from_node(&node)
}

/// No tag such as `!!python/object`: readers differ in what they make of it.
fn untagged(node: &yaml::Node) -> Result<(), yaml::Error> {
    if let Some(tag) = &node.tag {
        let message = format!("the tag `{}`; state files hold plain values", super::text::printable(tag));
        return Err(yaml::Error::at(node.pos, message).hinted("write the value without the tag"));
    }
    match &node.value {
        yaml::Value::Scalar { .. } => Ok(()),
        yaml::Value::List(items) => items.iter().try_for_each(untagged),
        yaml::Value::Map(entries) => {
            let ours = entries.iter().filter(|(key, _)| key.text().is_none_or(|k| !k.starts_with("x-")));
            ours.flat_map(|(key, value)| [key, value]).try_for_each(untagged)
        }
    }
}

/// Every state file starts with `schema: 1`.
fn check_schema(node: &yaml::Node) -> Result<(), yaml::Error> {
    let wrong = |message: String, hint: &str| Err(yaml::Error::at(node.pos, message).hinted(hint));
    match node.get("schema").map(|n| n.text().and_then(|t| t.parse::<u32>().ok())) {
        Some(Some(1)) => Ok(()),
        Some(Some(newer)) if newer > 1 => wrong(
            format!("schema {newer} is newer than this git-ar, which reads 1"),
            "install a newer git-ar; the file stays as it is",
        ),
        Some(_) => wrong("`schema` is not a version number".into(), "write `schema: 1`"),
        None => wrong(
            "key `schema` is missing".into(),
            "the first line of a state file is `schema: 1`; git ar migrate writes it into files from before",
        ),
    }
}

/// `configs/ar.yaml`; `None` when git-ar does not manage this tree.
pub fn settings(tree: &dyn Tree) -> Result<Option<Settings>, Problem> {
    let settings: Option<Settings> = read(tree, SETTINGS)?;
    let wrong = settings.as_ref().and_then(Settings::wrong);
    match wrong {
        None => Ok(settings),
        Some((key, message)) => {
            let text = String::from_utf8_lossy(&tree.read(SETTINGS)?.unwrap_or_default()).into_owned();
            let problem = Problem::new(Kind::Invalid, "settings", message).at(SETTINGS).line(line_of(&text, key));
            Err(problem.hint("git ar schema settings   tells the form"))
        }
    }
}

/// The projects in order of their names.
pub fn projects(tree: &dyn Tree) -> Result<Vec<Slug>, Problem> {
    let entries = tree.list("projects")?;
    Ok(entries
        .into_iter()
        .filter(|e| e.kind == EntryKind::Folder)
        .filter_map(|e| Slug::try_from(e.name).ok())
        .collect())
}

/// One project's `project.yaml`.
pub fn project(tree: &dyn Tree, slug: &Slug) -> Result<Option<Project>, Problem> {
    read(tree, &format!("projects/{slug}/project.yaml"))
}

/// The project's list of what was read; empty when there is none.
pub fn references(tree: &dyn Tree, slug: &Slug) -> Result<References, Problem> {
    let none = References { schema: 1, references: Vec::new() };
    Ok(read(tree, &format!("projects/{slug}/references.yaml"))?.unwrap_or(none))
}

/// The project's findings by id.
pub fn findings(tree: &dyn Tree, slug: &Slug) -> Result<BTreeMap<String, Finding>, Problem> {
    let folder = format!("projects/{slug}/findings");
    let mut found = BTreeMap::new();
    for entry in tree.list(&folder)? {
        let Some(id) = entry.name.strip_suffix(".yaml") else { continue };
        if let Some(finding) = read(tree, &join(&folder, &entry.name))? {
            found.insert(id.to_string(), finding);
        }
    }
    Ok(found)
}

/// Ids and folders of a project's iterations, in order of the ids. Nothing but the folder is read.
pub fn iteration_folders(tree: &dyn Tree, slug: &Slug) -> Result<Vec<(IterId, String)>, Problem> {
    let folder = format!("projects/{slug}/iterations");
    let entries = tree.list(&folder)?.into_iter().filter(|e| e.kind == EntryKind::Folder);
    let mut found: Vec<_> =
        entries.filter_map(|e| Some((IterId::of_folder(&e.name)?, join(&folder, &e.name)))).collect();
    found.sort();
    Ok(found)
}

/// One iteration; `None` when its folder has no `iteration.yaml`.
pub fn iteration(tree: &dyn Tree, slug: &Slug, id: IterId, folder: &str) -> Result<Option<IterationView>, Problem> {
    let path = join(folder, "iteration.yaml");
    let Some(bytes) = tree.read(&path)? else { return Ok(None) };
    let iteration = parse(&path, &bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Some(IterationView { project: slug.clone(), id, folder: folder.to_string(), iteration, text }))
}

/// Every iteration of a project, in order of the ids.
pub fn iterations(tree: &dyn Tree, slug: &Slug) -> Result<Vec<IterationView>, Problem> {
    let folders = iteration_folders(tree, slug)?;
    let read = folders.into_iter().map(|(id, folder)| iteration(tree, slug, id, &folder).transpose());
    read.flatten().collect()
}

/// The runs in `<folder>/runs`, oldest first.
pub fn runs(tree: &dyn Tree, folder: &str) -> Result<Vec<RunView>, Problem> {
    let folder = join(folder, "runs");
    let mut found = Vec::new();
    for entry in tree.list(&folder)? {
        if let Ok(id) = RunId::try_from(entry.name.clone()) {
            found.extend(run(tree, id, &join(&folder, &entry.name))?);
        }
    }
    found.sort_by(|a, b| (a.run.created, &a.id).cmp(&(b.run.created, &b.id)));
    Ok(found)
}

/// One run; `None` when its folder has no `run.yaml`.
pub fn run(tree: &dyn Tree, id: RunId, folder: &str) -> Result<Option<RunView>, Problem> {
    let Some(run) = read::<Run>(tree, &join(folder, "run.yaml"))? else { return Ok(None) };
    let mut view = RunView {
        id,
        folder: folder.to_string(),
        run,
        attempts: BTreeMap::new(),
        seeds: BTreeMap::new(),
        exclusion: read(tree, &join(folder, "exclusion.yaml"))?,
    };
    for entry in tree.list(folder)? {
        let Some(seed) = entry.name.strip_prefix("seed-").and_then(number) else { continue };
        if let Some(bytes) = tree.read(&format!("{folder}/{}/metrics.json", entry.name))? {
            view.seeds.insert(seed, Metrics::from_json(&bytes));
        }
    }
    let attempts = join(folder, "attempts");
    for entry in tree.list(&attempts)? {
        let Some(turn) = entry.name.strip_suffix(".yaml").and_then(number) else { continue };
        if let Some(attempt) = read(tree, &join(&attempts, &entry.name))? {
            view.attempts.insert(turn, attempt);
        }
    }
    Ok(Some(view))
}

/// The number that a name is, written in the one way it is written: `7`, not `07` or `+7`, so that no two names are one
/// seed or one attempt.
#[must_use]
pub fn number<T: std::str::FromStr + ToString>(name: &str) -> Option<T> {
    name.parse::<T>().ok().filter(|n| n.to_string() == name)
}

/// The folder of a run's iteration (or project, with `loop: off`) and the run's id, for a path inside a run.
#[must_use]
pub fn run_of_path(path: &str) -> Option<(String, RunId)> {
    let parts: Vec<&str> = path.split('/').collect();
    let at = match parts.as_slice() {
        ["projects", _, "iterations", _, "runs", _, ..] => 4,
        ["projects", _, "runs", _, ..] => 2,
        _ => return None,
    };
    let id = RunId::try_from(parts[at + 1]).ok()?;
    Some((parts[..at].join("/"), id))
}

/// Project, id and folder of the iteration that a path lies in.
#[must_use]
pub fn iteration_of_path(path: &str) -> Option<(Slug, IterId, String)> {
    let parts: Vec<&str> = path.split('/').collect();
    let ["projects", slug, "iterations", folder, _, ..] = parts.as_slice() else { return None };
    let slug = Slug::try_from(*slug).ok()?;
    Some((slug, IterId::of_folder(folder)?, parts[..4].join("/")))
}

/// The problem of a repository without `configs/ar.yaml`.
#[must_use]
pub fn not_managed() -> Problem {
    Problem::new(
        Kind::NotARepository,
        "not-managed",
        format!("this is a git repository without {SETTINGS}; git-ar does not manage it"),
    )
    .hint("git ar init")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tree::MemoryTree;

    #[test]
    fn paths_name_their_iteration_and_run() {
        let path = "projects/anp-snn/iterations/8b-ttfs/runs/kq7f3-a/seed-0/metrics.json";
        assert_eq!(iteration_of_path(path).unwrap().1.to_string(), "8b");
        let (folder, run) = run_of_path(path).unwrap();
        assert_eq!((folder.as_str(), run.as_str()), ("projects/anp-snn/iterations/8b-ttfs", "kq7f3-a"));
        assert_eq!(run_of_path("projects/p/runs/kq7f3-a/run.yaml").unwrap().0, "projects/p");
        assert!(iteration_of_path("projects/p/iterations/notes.md").is_none());
    }

    #[test]
    fn a_number_is_written_in_one_way() {
        assert_eq!(number::<u64>("10"), Some(10));
        for other in ["010", "+10", "", "-1", "1_0", "٣"] {
            assert_eq!(number::<u64>(other), None, "{other}");
        }
    }

    #[test]
    fn versions_are_told_apart() {
        let tree = |text: &str| MemoryTree::default().with(SETTINGS, text);
        assert!(settings(&tree("schema: 1\n")).unwrap().is_some());
        assert!(settings(&tree("schema: 2\nnew: 1\n")).unwrap_err().message.contains("newer"));
        assert!(settings(&tree("branch: main\n")).unwrap_err().message.contains("missing"));
        assert!(settings(&MemoryTree::default()).unwrap().is_none());
        for bad in
            ["branch: --mirror", "branch: a b", "config_dir: /etc", "config_dir: ../x", "trainer: []", "code: [../x]"]
        {
            let wrong = settings(&tree(&format!("schema: 1\n{bad}\n"))).unwrap_err();
            assert_eq!((wrong.kind, wrong.line), (Kind::Invalid, Some(2)), "{bad}");
        }
        assert!(
            settings(&tree("schema: 1\nbranch: feature/a.b\nconfig_dir: conf/x\ncode: [src, \"*.toml\"]\n")).is_ok()
        );
        assert!(settings(&tree("schema: !!int 1\n")).unwrap_err().message.contains("tag"));
        let typo = settings(&tree("schema: 1\nbranhc: main\n")).unwrap_err();
        assert_eq!((typo.line, typo.path.as_deref()), (Some(2), Some(SETTINGS)));
    }
}
