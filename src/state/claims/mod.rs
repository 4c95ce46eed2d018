//! Claims in prose against the raw seeds: every figure and every comparison, recomputed.
//!
//! A claim is a printed figure (a mean, a difference in points, a p-value, a number of seeds) or a comparison of two
//! named things. What it is about is what its sentence names; where it names nothing, the rows of the document's own
//! iteration, or the runs that a finding cites. `docs/claims.md` tells the grammar.

mod compare;
mod figures;
mod judge;
mod op;
mod pairs;
mod relations;
mod sentence;
mod source;
mod units;
mod words;
mod world;

use std::fmt;
use std::rc::Rc;

use serde::Serialize;

use super::ids::Slug;
use super::load::{self, MOST_BYTES};
use super::problem::{Kind, Problem};
use super::project::Finding;
use super::tree::Tree;
use super::yaml;
use sentence::Sentence;
use source::Source;
pub use source::Used;
use world::World;

/// How a claim stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The figures carry it.
    Supported,
    /// The data does not tell the two apart.
    NotSeparated,
    /// Nothing says what it is to be recomputed from.
    WithoutSource,
    /// The figures say otherwise.
    Contradicted,
}

impl Verdict {
    /// The words for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::NotSeparated => "not separated",
            Self::WithoutSource => "without a source",
            Self::Contradicted => "contradicted",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// One claim with what was recomputed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Claim {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// The words that claim it.
    pub claim: String,
    /// The sentence.
    pub text: String,
    /// How it stands.
    pub verdict: Verdict,
    /// What was recomputed, in one sentence.
    pub why: String,
    /// What it was recomputed from.
    pub sources: Vec<Used>,
    /// The p-value, where two things are compared.
    pub p: Option<f64>,
    /// The p-value from which on the board counts rows as level.
    pub alpha: Option<f64>,
}

/// What a text is about where it names nothing.
#[derive(Default)]
struct Scope {
    /// In the order in which they are cited.
    sources: Vec<Rc<Source>>,
    /// The project whose iterations go by their number alone.
    project: Option<Slug>,
    /// Figures without a name are claims about the scope; elsewhere only where a metric is named.
    owned: bool,
    /// A whole board: what names nothing is about none of its rows in particular.
    wide: bool,
}

/// Checks documents of one tree.
pub struct Checker<'a> {
    world: World<'a>,
}

impl<'a> Checker<'a> {
    /// Reads what can be named in a tree.
    ///
    /// # Errors
    /// When a project or an iteration does not read.
    pub fn new(tree: &'a dyn Tree) -> Result<Self, Problem> {
        Ok(Self { world: World::read(tree)? })
    }

    /// The claims of one file, whose bytes are handed in: a finding, a board's findings, or any Markdown.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when the file does not read.
    pub fn file(&self, path: &str, bytes: &[u8]) -> Result<Vec<Claim>, Problem> {
        if bytes.len() > MOST_BYTES {
            return Err(Problem::new(Kind::Invalid, "too-large", "a document of more than 1 MiB is data").at(path));
        }
        let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["projects", project, "findings", name] if name.ends_with(".yaml") => {
                let finding: Finding = load::parse(path, bytes)?;
                let sources = self.world.of_runs(&finding.cites)?;
                let scope = Scope { sources, project: Slug::try_from(*project).ok(), owned: true, wide: false };
                self.text(path, &finding.text, line_of_text(&text, "text"), &scope)
            }
            ["configs", "board", name] if name.ends_with(".yaml") => {
                self.board(path, name.trim_end_matches(".yaml"), &text)
            }
            _ if path.ends_with(".yaml") || path.ends_with(".yml") || path.ends_with(".json") => {
                let message = "this is no document with claims";
                let hint = "name Markdown, a finding or a board: git ar claim check projects/P/findings/ID.yaml";
                Err(Problem::new(Kind::Usage, "no-document", message).at(path).hint(hint))
            }
            _ => self.text(path, &text, 1, &self.scope_of(path)?),
        }
    }

    /// A document in an iteration's folder is about its rows.
    fn scope_of(&self, path: &str) -> Result<Scope, Problem> {
        let project = path.strip_prefix("projects/").and_then(|rest| Slug::try_from(rest.split('/').next()?).ok());
        let Some((_, _, folder)) = load::iteration_of_path(path) else {
            return Ok(Scope { project, ..Scope::default() });
        };
        Ok(Scope {
            sources: self.world.rows_of(&folder)?,
            project,
            owned: self.world.view(&folder).is_some(),
            wide: false,
        })
    }

    /// The findings that a board holds are about what it reports.
    fn board(&self, path: &str, name: &str, text: &str) -> Result<Vec<Claim>, Problem> {
        let config = super::board::BoardConfig::read(path, text)?;
        let scope = Scope { sources: self.world.reported(name), project: None, owned: true, wide: true };
        let node = yaml::parse(text.as_bytes(), yaml::Limits::default()).map_err(|e| e.in_file(path))?;
        let lines: Vec<u32> = match node.as_ref().and_then(|n| n.get("findings")).map(|n| &n.value) {
            Some(yaml::Value::List(items)) => items.iter().map(|item| item.pos.line).collect(),
            _ => Vec::new(),
        };
        let mut found = Vec::new();
        for (finding, line) in config.findings.iter().zip(lines) {
            found.extend(self.text(path, finding, line, &scope)?);
        }
        Ok(found)
    }

    fn text(&self, path: &str, text: &str, line: u32, scope: &Scope) -> Result<Vec<Claim>, Problem> {
        let mut found = Vec::new();
        for unit in units::units(text, line) {
            found.extend(Sentence::new(&self.world, scope, path, unit)?.claims()?);
        }
        Ok(found)
    }

    /// Analysis and conclusion of iterations of a project, and all of its findings, as they lie in `disk`.
    ///
    /// # Errors
    /// When the tree does not read.
    pub fn documents(disk: &dyn Tree, project: &Slug, folders: &[String]) -> Result<Vec<String>, Problem> {
        let mut found = Vec::new();
        for folder in folders {
            for name in ["analysis.md", "conclusion.md"] {
                let path = format!("{folder}/{name}");
                if disk.read(&path)?.is_some() {
                    found.push(path);
                }
            }
        }
        let findings = format!("projects/{project}/findings");
        let entries = disk.list(&findings)?.into_iter().filter(|e| e.name.ends_with(".yaml"));
        found.extend(entries.map(|e| format!("{findings}/{}", e.name)));
        Ok(found)
    }
}

/// The line on which the text of a key begins.
fn line_of_text(text: &str, key: &str) -> u32 {
    let at = load::line_of(text, key).unwrap_or(1);
    let line = text.lines().nth(at as usize - 1).unwrap_or_default();
    // A block text begins on the line behind its key.
    if line.trim_end().ends_with(['|', '>', '-', '+']) { at + 1 } else { at }
}

#[cfg(test)]
mod tests;
