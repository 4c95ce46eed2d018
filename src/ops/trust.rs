//! `trust`: what tracked files name and git-ar would start, and whether a person of this clone agreed to it.
//!
//! A pull can change which program a repository asks to be started. So the words are digested, the digests that were
//! agreed to stand in the clone's own git configuration, and other words are refused until a person agrees again.

use std::fmt;

use serde::Serialize;

use super::Context;
use crate::cluster::profile::LOCAL;
use crate::state::entities::{Settings, Trainer};
use crate::state::load;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::text::printable;
use crate::state::tree::{Tree, digest};
use crate::state::yaml::{Limits, Node, Value, parse};

/// The key in git's configuration; it has a value for each thing that is trusted.
const KEY: &str = "ar.trusted";
/// The variable that trusts without a record: digests, or `all`.
pub const VARIABLE: &str = "GIT_AR_TRUST";
/// Keys of a cluster's profile that end in something being started, or decide what is.
const PROFILE_KEYS: [&str; 9] =
    ["launcher", "setup", "trainer", "image", "env", "environment", "modules", "scheduler_path", "directives"];
/// Fewer digits of a digest than this name nothing.
const FEWEST_DIGITS: usize = 12;

/// Something that a tracked file names and git-ar would start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// The file.
    pub path: String,
    /// Its line.
    pub line: Option<u32>,
    /// The key there.
    pub key: String,
    /// The words, as they would be started.
    pub words: Vec<String>,
}

impl Named {
    /// What is trusted when this is trusted: key and words, wherever they stand.
    #[must_use]
    pub fn digest(&self) -> String {
        digest(serde_json::json!([self.key, self.words]).to_string().as_bytes())
    }

    fn shown(&self) -> String {
        self.words.iter().map(|word| quoted(&printable(word))).collect::<Vec<_>>().join(" ")
    }
}

/// A word as one would type it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./+@%=:,".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// The trainer of `configs/ar.yaml`, when it is a command of the repository's own.
#[must_use]
pub fn of_settings(settings: &Settings, text: &str) -> Option<Named> {
    let Trainer::Command(words) = &settings.trainer else { return None };
    let line = load::line_of(text, "trainer");
    Some(Named { path: load::SETTINGS.into(), line, key: "trainer".into(), words: words.clone() })
}

/// What the profile of a cluster names, key by key.
///
/// # Errors
/// When the file cannot be read or is no YAML.
pub fn of_cluster(tree: &dyn Tree, config_dir: &str, cluster: &str) -> Result<Vec<Named>, Problem> {
    let path = format!("{config_dir}/cluster/{cluster}.yaml");
    let Some(bytes) = tree.read(&path)? else { return Ok(Vec::new()) };
    let Some(node) = parse(&bytes, Limits::default()).map_err(|error| error.in_file(&path))? else {
        return Ok(Vec::new());
    };
    let named = PROFILE_KEYS.iter().filter_map(|key| {
        let value = node.get(key)?;
        let words = words(value);
        let key = format!("{cluster} {key}");
        (!words.is_empty()).then(|| Named { path: path.clone(), line: Some(value.pos.line), key, words })
    });
    Ok(named.collect())
}

/// Every scalar in a value, keys of a mapping as `key=value`.
fn words(node: &Node) -> Vec<String> {
    match &node.value {
        Value::Scalar { .. } if node.is_null() => Vec::new(),
        Value::Scalar { text, .. } => vec![text.clone()],
        Value::List(items) => items.iter().flat_map(words).collect(),
        Value::Map(entries) => {
            let line =
                |(key, value): &(Node, Node)| format!("{}={}", key.text().unwrap_or_default(), words(value).join(" "));
            entries.iter().map(line).collect()
        }
    }
}

/// Refuses to go on when a person has not agreed to what would be started. Built-in trainers need nobody's word.
///
/// # Errors
/// [`Kind::Refused`], one problem for each thing, with the exact words.
pub fn require(context: &Context<'_>, named: &[Named]) -> Result<(), Problems> {
    let known = Known::read(context);
    let problem = |named: &Named| {
        let message = format!("this would start what nobody has trusted in this clone yet: {}", named.shown());
        Problem::new(Kind::Refused, "not-trusted", message)
            .at(&named.path)
            .line(named.line)
            .hint("read what it starts, then: git ar trust")
    };
    let found: Vec<Problem> = named.iter().filter(|named| !known.has(named)).map(problem).collect();
    if found.is_empty() { Ok(()) } else { Err(Problems(found)) }
}

/// [`require`] for one cluster of a tree, as one problem.
///
/// # Errors
/// As [`require`], and when a file cannot be read.
pub fn require_cluster(context: &Context<'_>, tree: &dyn Tree, cluster: &str) -> Result<(), Problem> {
    let named = of_cluster(tree, &context.settings.config_dir, cluster)?;
    require(context, &named).map_err(|problems| problems.0.into_iter().next().expect("a refusal names a problem"))
}

/// [`require`] for the trainer of the settings, as `tree` has them.
///
/// # Errors
/// As [`require`], and when a file cannot be read.
pub fn require_trainer(context: &Context<'_>, tree: &dyn Tree) -> Result<(), Problems> {
    require(context, trainer(context, tree)?.as_slice())
}

/// [`require`] for the trainer and one cluster of a tree.
///
/// # Errors
/// As [`require`], and when a file cannot be read.
pub fn require_all(context: &Context<'_>, tree: &dyn Tree, cluster: &str) -> Result<(), Problems> {
    let mut named: Vec<Named> = trainer(context, tree)?.into_iter().collect();
    named.extend(of_cluster(tree, &context.settings.config_dir, cluster)?);
    require(context, &named)
}

fn trainer(context: &Context<'_>, tree: &dyn Tree) -> Result<Option<Named>, Problem> {
    let text = tree.read(load::SETTINGS)?.unwrap_or_default();
    Ok(of_settings(&context.settings, &String::from_utf8_lossy(&text)))
}

/// The digests that are trusted here.
struct Known {
    all: bool,
    digests: Vec<String>,
}

impl Known {
    fn read(context: &Context<'_>) -> Self {
        let told = (context.env)(VARIABLE).unwrap_or_default();
        let words = told.split([',', ' ']).map(str::trim).filter(|word| word.len() >= FEWEST_DIGITS);
        let mut digests: Vec<String> = words.map(str::to_string).collect();
        digests.extend(context.repo.config_all(KEY));
        Self { all: told.trim() == "all", digests }
    }

    fn has(&self, named: &Named) -> bool {
        let digest = named.digest();
        self.all || self.digests.iter().any(|known| digest.starts_with(known.as_str()))
    }
}

/// One thing that tracked files name.
#[derive(Debug, Serialize)]
pub struct Item {
    /// What.
    #[serde(flatten)]
    pub named: Named,
    /// The digest under which it is trusted.
    pub digest: String,
    /// Whether it is trusted.
    pub trusted: bool,
}

/// What tracked files name, and what was changed.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Each thing.
    pub items: Vec<Item>,
    /// Whether this command changed something.
    pub changed: bool,
    /// Whether trust was taken back.
    pub revoked: bool,
}

/// What to do about trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Show what there is.
    List,
    /// Trust everything that the files name now.
    Trust,
    /// Take everything back.
    Revoke,
}

/// List, trust or revoke what the files of the work tree name.
///
/// # Errors
/// When a file cannot be read, or git's configuration not written.
pub fn run(context: &Context<'_>, wish: Wish) -> Result<Outcome, Problems> {
    let disk = context.repo.work_tree();
    let mut named: Vec<Named> = trainer(context, &disk)?.into_iter().collect();
    for cluster in clusters(&disk, &context.settings.config_dir)? {
        named.extend(of_cluster(&disk, &context.settings.config_dir, &cluster)?);
    }
    let known = Known::read(context);
    let recorded = context.repo.config_all(KEY);
    let mut changed = false;
    if wish == Wish::Revoke && !recorded.is_empty() {
        context.repo.git().text(&["config", "--local", "--unset-all", KEY])?;
        changed = true;
    }
    let mut items = Vec::new();
    for named in named {
        let digest = named.digest();
        let new =
            wish == Wish::Trust && !recorded.contains(&digest) && !items.iter().any(|i: &Item| i.digest == digest);
        if new {
            context.repo.git().text(&["config", "--local", "--add", KEY, &digest])?;
            changed = true;
        }
        let trusted = wish == Wish::Trust || wish == Wish::List && known.has(&named);
        items.push(Item { named, digest, trusted });
    }
    Ok(Outcome { items, changed, revoked: wish == Wish::Revoke })
}

/// The clusters that have a profile, `local` among them when it has one.
fn clusters(tree: &dyn Tree, config_dir: &str) -> Result<Vec<String>, Problem> {
    let entries = tree.list(&format!("{config_dir}/cluster"))?;
    let mut found: Vec<String> =
        entries.iter().filter_map(|entry| entry.name.strip_suffix(".yaml").map(str::to_string)).collect();
    found.sort_by_key(|name| (name != LOCAL, name.clone()));
    Ok(found)
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.items.is_empty() {
            writeln!(f, "the tracked files name no program of their own; there is nothing to trust")?;
        }
        for Item { named, digest, trusted } in &self.items {
            let word = if *trusted { "trusted" } else { "not trusted" };
            let line = named.line.map_or_else(String::new, |line| format!(":{line}"));
            writeln!(f, "{word:<12} {}  {}{line}  {}", &digest[..16], named.path, named.key)?;
            writeln!(f, "{:<12} {}", "", named.shown())?;
        }
        match (self.changed, self.revoked) {
            (true, true) => writeln!(f, "nothing is trusted in this clone any more"),
            (true, false) => writeln!(f, "recorded in this clone's git configuration ({KEY})"),
            (false, _) => writeln!(f, "nothing changed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tree::MemoryTree;

    #[test]
    fn what_a_profile_names_is_told_key_by_key() {
        let text = "schema: 1\nscheduler: local\nlauncher: [nice, -n, \"10\"]\nsetup:\n  - . venv/bin/activate\nmodules: []\nenv: {LD_PRELOAD: ./x.so}\n";
        let tree = MemoryTree::default().with("configs/cluster/a.yaml", text);
        let named = of_cluster(&tree, "configs", "a").unwrap();
        let shown: Vec<String> = named.iter().map(|n| format!("{:?} {}: {}", n.line, n.key, n.shown())).collect();
        assert_eq!(
            shown,
            [
                "Some(3) a launcher: nice -n 10",
                "Some(5) a setup: '. venv/bin/activate'",
                "Some(7) a env: LD_PRELOAD=./x.so"
            ]
        );
        assert_eq!(of_cluster(&tree, "configs", "b").unwrap(), []);
    }

    #[test]
    fn other_words_have_another_digest() {
        let named = |words: &[&str]| Named {
            path: "p".into(),
            line: None,
            key: "trainer".into(),
            words: words.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(
            named(&["a", "b"]).digest(),
            Named { path: "q".into(), line: Some(1), ..named(&["a", "b"]) }.digest()
        );
        assert_ne!(named(&["a", "b"]).digest(), named(&["a b"]).digest());
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
