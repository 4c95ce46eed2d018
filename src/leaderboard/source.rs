//! Everything that boards are made of, read once from a tree: projects, iterations, runs, resolved configs.

use std::rc::Rc;

use crate::state::board::BoardConfig;
use crate::state::ids::{IterId, Slug};
use crate::state::load::{self, IterationView, RunView};
use crate::state::pool;
use crate::state::problem::{Kind, Problem};
use crate::state::project::Finding;
use crate::state::record::RunKind;
use crate::state::resolved::{Configs, Resolved};
use crate::state::tree::{EntryKind, Tree, join};

/// Where boards are set up.
pub(super) const FOLDER: &str = "configs/board";

/// What boards are made of.
pub(super) struct Program {
    /// The boards by name.
    pub(super) boards: Vec<(String, BoardConfig)>,
    /// Iterations, and projects that have runs of their own.
    pub(super) folders: Vec<Folder>,
    /// Findings by project and id.
    pub(super) findings: Vec<(Slug, String, Finding)>,
}

/// A folder that holds runs.
pub(super) struct Folder {
    /// The project.
    pub(super) project: Slug,
    /// The iteration; none for a project's own runs.
    pub(super) view: Option<IterationView>,
    /// Its full runs, oldest first, with their configs.
    pub(super) runs: Vec<(RunView, Rc<Resolved>)>,
}

impl Folder {
    /// The iteration's id.
    pub(super) fn iteration(&self) -> Option<IterId> {
        self.view.as_ref().map(|v| v.id)
    }

    /// What people read for a cell of an experiment, on one line.
    pub(super) fn label(&self, experiment: &str, overrides: &[String]) -> String {
        let given = self.view.as_ref().and_then(|v| v.iteration.display.rows.get(experiment));
        let label = pool::label(given.map(String::as_str), experiment, overrides);
        label.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The footnote keys that the iteration gives an experiment.
    pub(super) fn footnotes(&self, experiment: &str) -> Vec<String> {
        let keys = self.view.as_ref().and_then(|v| v.iteration.display.footnotes.get(experiment));
        keys.cloned().unwrap_or_default()
    }
}

/// The names of the boards in a tree, in order.
pub fn names(tree: &dyn Tree) -> Result<Vec<String>, Problem> {
    let entries = tree.list(FOLDER)?.into_iter().filter(|e| matches!(e.kind, EntryKind::File | EntryKind::Executable));
    let mut names = Vec::new();
    for entry in entries {
        let Some(name) = entry.name.strip_suffix(".yaml") else { continue };
        if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_') {
            let message = "a board's name is made of small letters, digits, `-` and `_`";
            return Err(Problem::new(Kind::Invalid, "board", message).at(join(FOLDER, &entry.name)));
        }
        names.push(name.to_string());
    }
    Ok(names)
}

/// One board's set-up.
pub(super) fn config(tree: &dyn Tree, name: &str) -> Result<BoardConfig, Problem> {
    let path = format!("{FOLDER}/{name}.yaml");
    let bytes = tree.read(&path)?.unwrap_or_default();
    let text = String::from_utf8(bytes)
        .map_err(|_| Problem::new(Kind::Invalid, "yaml", "not UTF-8 text (a binary file?)").at(&path))?;
    BoardConfig::read(&path, &text)
}

impl Program {
    /// Read everything. Nothing is read below `projects/` when there is no board.
    pub(super) fn read(tree: &dyn Tree) -> Result<Self, Problem> {
        let mut program = Self { boards: Vec::new(), folders: Vec::new(), findings: Vec::new() };
        for name in names(tree)? {
            let board = config(tree, &name)?;
            program.boards.push((name, board));
        }
        if program.boards.is_empty() {
            return Ok(program);
        }
        let mut configs = Configs::default();
        for project in load::projects(tree)? {
            let own = format!("projects/{project}");
            program.folders.push(folder(tree, &mut configs, &project, None, &own)?);
            for view in load::iterations(tree, &project)? {
                let path = view.folder.clone();
                program.folders.push(folder(tree, &mut configs, &project, Some(view), &path)?);
            }
            let findings = load::findings(tree, &project)?;
            program.findings.extend(findings.into_iter().map(|(id, finding)| (project.clone(), id, finding)));
        }
        Ok(program)
    }
}

fn folder(
    tree: &dyn Tree,
    configs: &mut Configs,
    project: &Slug,
    view: Option<IterationView>,
    path: &str,
) -> Result<Folder, Problem> {
    let mut runs = Vec::new();
    for run in load::runs(tree, path)? {
        if run.run.kind == RunKind::Full {
            let config = configs.of(tree, &run.folder)?;
            runs.push((run, config));
        }
    }
    Ok(Folder { project: project.clone(), view, runs })
}
