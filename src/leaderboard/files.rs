//! The files that boards are written to: a page and a JSON file each, the index, regions of `README.md`.

use super::build::build_all;
use super::markdown::{self, Depth};
use super::table::Board;
use super::{json, source};
use crate::state::markdown::cell;
use crate::state::problem::Problem;
use crate::state::region;
use crate::state::tree::{EntryKind, Tree};

/// The folder of generated files.
const FOLDER: &str = "leaderboard";
/// The document in which boards may have a region.
pub const README: &str = "README.md";

/// A generated file: what it must hold, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Its path.
    pub path: String,
    /// What it holds now; none when it is not there.
    pub before: Option<String>,
    /// What it must hold; none when it must not be there (its board is gone).
    pub after: Option<String>,
}

impl Generated {
    /// Whether the file is as it must be; line ends of a checkout apart.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let plain = |text: &Option<String>| text.as_ref().map(|t| t.replace("\r\n", "\n"));
        plain(&self.before) == plain(&self.after)
    }
}

/// Every generated file of a tree, current or not. Without boards there are none.
pub fn generated(tree: &dyn Tree) -> Result<Vec<Generated>, Problem> {
    generated_from(&build_all(tree)?, tree)
}

/// The generated files of a tree for boards that were built already.
pub fn generated_from(boards: &[Board], tree: &dyn Tree) -> Result<Vec<Generated>, Problem> {
    let mut files = Vec::new();
    if !boards.is_empty() {
        let mut add = |path: String, after: String| -> Result<(), Problem> {
            let before = text_of(tree, &path)?;
            files.push(Generated { path, before, after: Some(after) });
            Ok(())
        };
        for board in boards {
            let page = region::render(&region_name(&board.name), &markdown::board(board, Depth::Page));
            add(format!("{FOLDER}/{}.md", board.name), page)?;
            add(format!("{FOLDER}/{}.json", board.name), json::board(board))?;
        }
        add(format!("{FOLDER}/{README}"), region::render("boards", &markdown::index(boards)))?;
    }
    if let Some(before) = text_of(tree, README)? {
        let after = fill(boards, &before)?;
        files.push(Generated { path: README.into(), before: Some(before), after: Some(after) });
    }
    files.extend(leftovers(tree, boards)?);
    Ok(files)
}

/// The generated files of a tree that are behind.
pub fn stale(tree: &dyn Tree) -> Result<Vec<Generated>, Problem> {
    if source::names(tree)?.is_empty() && tree.list(FOLDER)?.is_empty() {
        return Ok(Vec::new());
    }
    Ok(generated(tree)?.into_iter().filter(|file| !file.is_current()).collect())
}

fn region_name(board: &str) -> String {
    format!("board {board}")
}

/// The text of `README.md` with its boards' regions filled.
pub fn fill(boards: &[Board], readme: &str) -> Result<String, Problem> {
    let mut text = readme.to_string();
    for region in region::find(README, readme)? {
        let Some(name) = region.name.strip_prefix("board ") else { continue };
        let body = match boards.iter().find(|b| b.name == name) {
            Some(board) => markdown::board(board, Depth::Inside),
            None => format!("There is no board {}.\n", cell(name)),
        };
        text = region::replace(README, &text, &region.name, &body)?.unwrap_or(text);
    }
    Ok(text)
}

/// Generated files of boards that are gone. A file that does not carry our marker is somebody's own.
fn leftovers(tree: &dyn Tree, boards: &[Board]) -> Result<Vec<Generated>, Problem> {
    let mut found = Vec::new();
    for entry in tree.list(FOLDER)?.into_iter().filter(|e| e.kind == EntryKind::File) {
        let Some(name) = entry.name.strip_suffix(".md").filter(|name| boards.iter().all(|b| b.name != *name)) else {
            continue;
        };
        let path = format!("{FOLDER}/{}", entry.name);
        let before = text_of(tree, &path)?;
        let ours =
            before.as_ref().is_some_and(|text| text.starts_with(&format!("<!-- ar:begin {} ", region_name(name))));
        if ours {
            let json = format!("{FOLDER}/{name}.json");
            let beside = text_of(tree, &json)?.map(|text| Generated { path: json, before: Some(text), after: None });
            found.push(Generated { path, before, after: None });
            found.extend(beside);
        }
    }
    Ok(found)
}

fn text_of(tree: &dyn Tree, path: &str) -> Result<Option<String>, Problem> {
    Ok(tree.read(path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}
