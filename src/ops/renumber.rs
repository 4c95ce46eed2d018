//! `iter renumber`: another id for an iteration, with everything that refers to it.
//!
//! Two clones that made the same id meet in a merge; then the iteration is named by its folder.

use std::fmt;

use serde::Serialize;

use super::record::{Recorded, Write};
use super::{Context, find};
use crate::state::ids::{IterId, Slug};
use crate::state::load::{self, IterationView};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::tree::{Tree, files, join};
use crate::state::yaml::edit;

/// An iteration that got another id.
#[derive(Debug, Serialize)]
pub struct Renumbered {
    /// What it was.
    pub from: String,
    /// What it is, `project/id`.
    pub iteration: String,
    /// Its folder.
    pub folder: String,
    /// Other files that referred to it.
    pub mended: Vec<String>,
    /// What was recorded.
    #[serde(flatten)]
    pub recorded: Recorded,
}

/// Give the iteration that `name` means (`PROJECT/ID`, or its folder `PROJECT/ID-SLUG`) the id `to`.
pub fn renumber(context: &Context<'_>, name: &str, to: IterId) -> Result<Renumbered, Problems> {
    let tree = context.repo.work_tree();
    let (view, shared) = named(&tree, name)?;
    let folders = load::iteration_folders(&tree, &view.project)?;
    if let Some((_, taken)) = folders.iter().find(|(id, folder)| *id == to && *folder != view.folder) {
        let problem = Problem::new(Kind::Refused, "duplicate-id", format!("{}/{to} is there already", view.project));
        return Err(problem
            .at(join(taken, "iteration.yaml"))
            .hint(format!("git ar iter list {}", view.project))
            .into());
    }
    let (parent, old_name) = view.folder.rsplit_once('/').expect("a folder below iterations/");
    let slug = old_name.split_once('-').map_or("", |(_, slug)| slug);
    let folder = format!("{parent}/{to}-{slug}");
    let mut writes = moved(&tree, &view.folder, &folder)?;
    // While two iterations share the id, nobody can say which of them a reference means.
    let mended = if shared { Vec::new() } else { references(&tree, &view, to)? };
    let paths = mended.iter().map(|w| w.path.clone()).collect();
    for write in mended {
        let inside = write.path.strip_prefix(&view.folder).map(|rest| format!("{folder}{rest}"));
        let path = inside.unwrap_or_else(|| write.path.clone());
        writes.retain(|w| w.path != path);
        writes.push(Write { path, text: write.text });
    }
    let trailers = [("AR-Project", view.project.to_string()), ("AR-Iteration", to.to_string())];
    let subject = format!("{}: renumbered to {to}", view.name());
    let recorded = context.record("iter renumber", writes, &subject, &trailers)?;
    Ok(Renumbered { from: view.name(), iteration: format!("{}/{to}", view.project), folder, mended: paths, recorded })
}

/// The iteration by its folder's name or its id, and whether another one has the same id.
fn named(tree: &dyn Tree, name: &str) -> Result<(IterationView, bool), Problem> {
    if let Some((project, folder)) = name.split_once('/').filter(|(_, folder)| folder.contains('-')) {
        let slug = find::project(tree, Some(project))?;
        let folders = load::iteration_folders(tree, &slug)?;
        let wanted = folders.iter().find(|(_, path)| path.ends_with(&format!("/{folder}")));
        let absent = || Problem::new(Kind::Ambiguous, "unknown-id", format!("there is no folder {folder} in {slug}"));
        let (id, path) = wanted.ok_or_else(|| absent().hint(format!("git ar iter list {slug}")))?;
        let shared = folders.iter().filter(|(other, _)| other == id).count() > 1;
        let view = load::iteration(tree, &slug, *id, path)?;
        return Ok((view.ok_or_else(|| absent().at(path.clone()))?, shared));
    }
    find::iteration(tree, Some(name)).map(|view| (view, false))
}

/// Every file of the folder at its new place.
fn moved(tree: &dyn Tree, from: &str, to: &str) -> Result<Vec<Write>, Problem> {
    let mut writes = Vec::new();
    for (path, _) in files(tree, from)? {
        let bytes = tree.read(&path)?.unwrap_or_default();
        let binary = |_| {
            Problem::new(Kind::Refused, "binary", "this file is not text, and git-ar moves text only")
                .at(&path)
                .hint(format!("git mv {from} {to}   moves everything; then git commit"))
        };
        let text = String::from_utf8(bytes).map_err(binary)?;
        writes.push(Write::text(path.replacen(from, to, 1), text));
        writes.push(Write { path, text: None });
    }
    Ok(writes)
}

/// The files that name the iteration, with the new id in its place.
fn references(tree: &dyn Tree, view: &IterationView, to: IterId) -> Result<Vec<Write>, Problem> {
    let row = |text: &str| text.replace(&format!("{}/{}/", view.project, view.id), &format!("{}/{to}/", view.project));
    let mut writes = Vec::new();
    for slug in load::projects(tree)? {
        for other in load::iterations(tree, &slug)? {
            let mut text = row(&other.text);
            if slug == view.project && other.iteration.supersedes == Some(view.id) {
                text = edit::set(&text, "supersedes", &format!("\"{to}\"")).map_err(|e| e.in_file(&other.path()))?;
            }
            if text != other.text {
                writes.push(Write::text(other.path(), text));
            }
        }
    }
    writes.extend(ladder(tree, &view.project, view.id, to)?);
    Ok(writes)
}

/// The project's ladder with the new id.
fn ladder(tree: &dyn Tree, slug: &Slug, from: IterId, to: IterId) -> Result<Option<Write>, Problem> {
    let path = format!("projects/{slug}/project.yaml");
    let names = load::project(tree, slug)?.is_some_and(|p| p.ladder.iter().any(|r| r.iterations.contains(&from)));
    let Some(bytes) = tree.read(&path)?.filter(|_| names) else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes);
    let line = |line: &str| match line.split_once("iterations:") {
        Some((head, tail)) => format!("{head}iterations:{}", in_list(tail, from, to)),
        None => line.to_string(),
    };
    let text: String = text.split_inclusive('\n').map(line).collect();
    Ok(Some(Write::text(path, text)))
}

/// A bracketed list of ids with one of them changed; its quotes stay.
fn in_list(list: &str, from: IterId, to: IterId) -> String {
    let item = |item: &str| {
        let bare = item.trim().trim_matches(|c: char| "[]\"'{}".contains(c));
        if bare == from.to_string() { item.replacen(bare, &to.to_string(), 1) } else { item.to_string() }
    };
    list.split(',').map(item).collect::<Vec<_>>().join(",")
}

impl fmt::Display for Renumbered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} is now {}", self.from, self.iteration)?;
        writeln!(f, "  {}/", self.folder)?;
        for path in &self.mended {
            writeln!(f, "  mended {path}")?;
        }
        self.recorded.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_ids_keeps_its_form() {
        let id = |t: &str| t.parse::<IterId>().unwrap();
        assert_eq!(in_list(" [\"8\", 8b, \"18\"]}\n", id("8"), id("12")), " [\"12\", 8b, \"18\"]}\n");
        assert_eq!(in_list(" ['8b']\n", id("8"), id("12")), " ['8b']\n");
    }
}
