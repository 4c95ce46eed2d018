//! Everything that a claim may name, found by its name: rows, iterations, runs, reported figures.
//!
//! Names come from iterations, boards and the names of folders; results are read when something is named.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use super::source::{Rule, Source};
use crate::state::board::{BoardConfig, Standing};
use crate::state::ids::{IterId, RunId, Slug};
use crate::state::load::{self, IterationView};
use crate::state::pool::{label, pool};
use crate::state::problem::Problem;
use crate::state::resolved::Configs;
use crate::state::row::RowName;
use crate::state::tree::{EntryKind, Tree, join};

/// What can be named.
pub(super) struct World<'a> {
    tree: &'a dyn Tree,
    boards: Vec<(String, BoardConfig)>,
    folders: Vec<Folder>,
    names: BTreeMap<String, Vec<Target>>,
    rows: RefCell<BTreeMap<usize, Rc<Rows>>>,
}

/// A folder that holds runs.
struct Folder {
    project: Slug,
    path: String,
    view: Option<IterationView>,
    runs: Vec<RunId>,
}

/// The sources of one folder.
struct Rows {
    rows: Vec<Rc<Source>>,
    /// Runs that are in no row.
    others: Vec<Rc<Source>>,
}

/// What a name means.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Rows { folder: usize, experiment: Option<String> },
    Run { folder: usize, run: String },
    Reported { board: usize, row: usize },
}

/// A name in a text.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    /// Where it stands.
    pub(super) place: Range<usize>,
    /// What it means; several where it is not unique.
    pub(super) sources: Vec<Rc<Source>>,
}

impl<'a> World<'a> {
    /// The names of a tree.
    pub(super) fn read(tree: &'a dyn Tree) -> Result<Self, Problem> {
        let mut world =
            Self { tree, boards: boards(tree)?, folders: Vec::new(), names: BTreeMap::new(), rows: RefCell::default() };
        for project in load::projects(tree)? {
            let path = format!("projects/{project}");
            world.folder(&project, path, None)?;
            for view in load::iterations(tree, &project)? {
                world.folder(&project, view.folder.clone(), Some(view))?;
            }
        }
        for board in 0..world.boards.len() {
            for row in 0..world.boards[board].1.reported.len() {
                let reported = &world.boards[board].1.reported[row];
                let mut names = called(&reported.label);
                names.extend(reported.experiment.clone());
                names.push(format!("{}/{}", reported.project, reported.iteration));
                names.into_iter().for_each(|name| world.name(name, Target::Reported { board, row }));
            }
        }
        Ok(world)
    }

    fn folder(&mut self, project: &Slug, path: String, view: Option<IterationView>) -> Result<(), Problem> {
        let folder = self.folders.len();
        let entries = self.tree.list(&join(&path, "runs"))?.into_iter().filter(|e| e.kind == EntryKind::Folder);
        let runs: Vec<RunId> = entries.filter_map(|e| RunId::try_from(e.name).ok()).collect();
        let mut experiments: Vec<String> =
            runs.iter().filter_map(|id| Some(id.as_str().split_once('-')?.1.to_string())).collect();
        let place = view.as_ref().map_or_else(|| project.to_string(), IterationView::name);
        if let Some(view) = &view {
            experiments.extend(view.iteration.plan.iter().map(|p| p.experiment.clone()));
            for (experiment, label) in &view.iteration.display.rows {
                for name in called(label) {
                    self.name(name, Target::Rows { folder, experiment: Some(experiment.clone()) });
                }
            }
            self.name(place.clone(), Target::Rows { folder, experiment: None });
        }
        for experiment in experiments {
            let target = Target::Rows { folder, experiment: Some(experiment.clone()) };
            self.name(format!("{place}/{experiment}"), target.clone());
            self.name(experiment, target);
        }
        for id in &runs {
            let run = id.to_string();
            let head = run.split_once('-').map_or(run.as_str(), |(head, _)| head).to_string();
            for name in [run.clone(), head] {
                self.name(name, Target::Run { folder, run: run.clone() });
            }
        }
        self.folders.push(Folder { project: project.clone(), path, view, runs });
        Ok(())
    }

    fn name(&mut self, name: String, target: Target) {
        let targets = self.names.entry(name).or_default();
        if !targets.contains(&target) {
            targets.push(target);
        }
    }

    /// The rows of the folder of an iteration or a project.
    pub(super) fn rows_of(&self, path: &str) -> Result<Vec<Rc<Source>>, Problem> {
        match self.folders.iter().position(|f| f.path == path) {
            Some(folder) => Ok(self.sources(folder)?.rows.clone()),
            None => Ok(Vec::new()),
        }
    }

    /// The iteration of a folder.
    pub(super) fn view(&self, path: &str) -> Option<&IterationView> {
        self.folders.iter().find(|f| f.path == path).and_then(|f| f.view.as_ref())
    }

    /// The iteration of a source.
    pub(super) fn view_of(&self, source: &Source) -> Option<&IterationView> {
        let ours = |f: &&Folder| f.project == source.project && f.view.as_ref().map(|v| v.id) == source.iteration;
        self.folders.iter().find(ours).and_then(|f| f.view.as_ref())
    }

    /// The rows that runs are in, in the order of the runs.
    pub(super) fn of_runs(&self, runs: &[RunId]) -> Result<Vec<Rc<Source>>, Problem> {
        let mut found: Vec<Rc<Source>> = Vec::new();
        for id in runs {
            for folder in (0..self.folders.len()).filter(|f| self.folders[*f].runs.contains(id)) {
                for source in self.of_target(&Target::Run { folder, run: id.to_string() })? {
                    push(&mut found, source);
                }
            }
        }
        Ok(found)
    }

    /// The figures that a board reports, excluded ones apart.
    pub(super) fn reported(&self, board: &str) -> Vec<Rc<Source>> {
        let found = self.boards.iter().filter(|(name, _)| name == board);
        let rows = found.flat_map(|(_, config)| config.reported.iter().map(move |row| (config, row)));
        let rows = rows.filter(|(_, row)| row.standing == Standing::Reported);
        rows.filter_map(|(config, row)| Source::of_reported(row, Rule::of(config))).map(Rc::new).collect()
    }

    /// What others report for the experiment of a row.
    pub(super) fn twins(&self, source: &Source) -> Vec<Rc<Source>> {
        let all = self.boards.iter().flat_map(|(name, _)| self.reported(name));
        all.filter(|r| !source.reported && r.experiment.is_some() && r.experiment == source.experiment).collect()
    }

    /// The row that a source is compared with: as its prediction or its `compare_to` says, or what it replaces.
    pub(super) fn partner(&self, source: &Source) -> Result<Option<Rc<Source>>, Problem> {
        if let Some(view) = self.view_of(source) {
            let predicted = view.iteration.prediction.as_ref().map(|p| p.baseline.as_str()).filter(|b| *b != "none");
            let named = predicted.or(view.iteration.compare_to.as_deref()).and_then(|n| n.parse::<RowName>().ok());
            if let Some(name) = named {
                let found = self.row(&name, source.reported)?;
                return Ok(found.filter(|other| other.name != source.name));
            }
        }
        let replaced = self.boards.iter().flat_map(|(_, config)| config.reported.iter().map(move |row| (config, row)));
        let mut replaced = replaced.filter(|(_, row)| {
            source.reported
                && row.project == source.project
                && row.superseded_by.is_some()
                && row.superseded_by == source.iteration
        });
        Ok(replaced.find_map(|(config, row)| Source::of_reported(row, Rule::of(config))).map(Rc::new))
    }

    /// A row by its name; of ours, or, where it is asked for or ours has no results, the reported one.
    fn row(&self, name: &RowName, reported: bool) -> Result<Option<Rc<Source>>, Problem> {
        let targets = self.names.get(&name.to_string()).cloned().unwrap_or_default();
        let mut own = Vec::new();
        for target in &targets {
            own.extend(self.of_target(target)?);
        }
        if !reported && own.len() == 1 {
            return Ok(own.pop());
        }
        let same = |r: &Rc<Source>| {
            r.project == name.project
                && r.iteration == name.iteration
                && r.experiment.as_ref() == Some(&name.experiment)
        };
        let printed = self.boards.iter().flat_map(|(board, _)| self.reported(board)).find(same);
        Ok(if reported || own.is_empty() { printed.or_else(|| own.pop()) } else { None })
    }

    /// The names in a text, longest first; `near` is the project whose iterations may go by their number alone.
    pub(super) fn mentions(&self, text: &str, near: Option<&Slug>, reported: bool) -> Result<Vec<Mention>, Problem> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < text.len() {
            match self.name_at(text, at, near) {
                Some((end, targets)) => {
                    let sources = self.meant(&targets, reported)?;
                    if !sources.is_empty() {
                        found.push(Mention { place: at..end, sources });
                    }
                    at = end;
                }
                None => at += text[at..].chars().next().map_or(1, char::len_utf8),
            }
        }
        Ok(found)
    }

    /// The longest name that begins at a place.
    fn name_at(&self, text: &str, at: usize, near: Option<&Slug>) -> Option<(usize, Vec<Target>)> {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || "_-/.".contains(c)) {
            return None;
        }
        let rest = &text[at..];
        if let (Some(project), Some((id, length))) = (near, numbered(rest)) {
            return self.names.get(&format!("{project}/{id}")).map(|targets| (at + length, targets.clone()));
        }
        let first: String = rest.chars().take(1).collect();
        let fits =
            |name: &&String| is_telling(name) && rest.starts_with(name.as_str()) && ends_here(&rest[name.len()..]);
        let names = self.names.range(first.clone()..).map(|(name, _)| name).take_while(|n| n.starts_with(&first));
        let name = names.filter(fits).max_by_key(|name| name.len())?;
        Some((at + name.len(), self.names[name].clone()))
    }

    /// Ours where there are results and nobody speaks of what is reported; otherwise the reported ones.
    fn meant(&self, targets: &[Target], reported: bool) -> Result<Vec<Rc<Source>>, Problem> {
        let (mut own, mut printed, mut aside) = (Vec::new(), Vec::new(), Vec::new());
        for target in targets {
            let out = matches!(target, Target::Reported { board, row } if self.boards[*board].1.reported[*row].standing != Standing::Reported);
            for source in self.of_target(target)? {
                push(
                    if out {
                        &mut aside
                    } else if source.reported {
                        &mut printed
                    } else {
                        &mut own
                    },
                    source,
                );
            }
        }
        let order = if reported { [printed, own, aside] } else { [own, printed, aside] };
        Ok(order.into_iter().find(|list| !list.is_empty()).unwrap_or_default())
    }

    fn of_target(&self, target: &Target) -> Result<Vec<Rc<Source>>, Problem> {
        Ok(match target {
            Target::Reported { board, row } => {
                let config = &self.boards[*board].1;
                Source::of_reported(&config.reported[*row], Rule::of(config)).map(Rc::new).into_iter().collect()
            }
            Target::Rows { folder, experiment } => {
                let named = |s: &&Rc<Source>| experiment.is_none() || s.experiment == *experiment;
                self.sources(*folder)?.rows.iter().filter(named).cloned().collect()
            }
            Target::Run { folder, run } => {
                let rows = self.sources(*folder)?;
                rows.rows.iter().chain(&rows.others).filter(|s| s.runs.contains(run)).cloned().collect()
            }
        })
    }

    /// The sources of a folder, read once.
    fn sources(&self, index: usize) -> Result<Rc<Rows>, Problem> {
        if let Some(rows) = self.rows.borrow().get(&index) {
            return Ok(Rc::clone(rows));
        }
        let folder = &self.folders[index];
        let runs = load::runs(self.tree, &folder.path)?;
        let place = (&folder.project, folder.view.as_ref().map(|v| v.id));
        let mut configs = Configs::default();
        let mut rows = Rows { rows: Vec::new(), others: Vec::new() };
        let mut rule = |run: &str| -> Result<Rule, Problem> {
            let config = configs.of(self.tree, run)?;
            let board = self.boards.iter().find(|(_, board)| config.dataset() == Some(board.dataset.as_str()));
            Ok(board.map(|(_, board)| Rule::of(board)).unwrap_or_default())
        };
        for pooled in pool(&runs, &str::to_string) {
            let shown = folder.view.as_ref().and_then(|v| v.iteration.display.rows.get(pooled.experiment));
            let label = label(shown.map(String::as_str), pooled.experiment, pooled.overrides);
            let rule = rule(&pooled.runs[0].folder)?;
            if !pooled.seeds.is_empty() {
                rows.rows.push(Rc::new(Source::of_row(&pooled, place, label, rule)));
            }
        }
        for run in &runs {
            let id = run.id.to_string();
            if !rows.rows.iter().any(|row| row.runs.contains(&id)) {
                rows.others.push(Rc::new(Source::of_run(run, place, rule(&run.folder)?)));
            }
        }
        let rows = Rc::new(rows);
        self.rows.borrow_mut().insert(index, Rc::clone(&rows));
        Ok(rows)
    }
}

pub(super) fn push(list: &mut Vec<Rc<Source>>, source: Rc<Source>) {
    if !list.iter().any(|known| known.name == source.name) {
        list.push(source);
    }
}

/// The boards of a tree; one that does not read is told by `check` and has no figures here.
fn boards(tree: &dyn Tree) -> Result<Vec<(String, BoardConfig)>, Problem> {
    let mut found = Vec::new();
    for entry in tree.list("configs/board")? {
        let Some(name) = entry.name.strip_suffix(".yaml") else { continue };
        let path = format!("configs/board/{}", entry.name);
        let text = String::from_utf8_lossy(&tree.read(&path)?.unwrap_or_default()).into_owned();
        found.extend(BoardConfig::read(&path, &text).ok().map(|board| (name.to_string(), board)));
    }
    Ok(found)
}

/// What a label is called: as it stands, and without what follows in parentheses, behind `@`, `+` or a comma.
pub(super) fn called(label: &str) -> Vec<String> {
    let mut names = vec![label.trim().to_string()];
    for end in [" (", " @ ", " + ", ", "] {
        let head = label.split(end).next().unwrap_or_default().trim().to_string();
        if !names.contains(&head) {
            names.push(head);
        }
    }
    names
}

/// A name that is no plain word of the language: it has a capital letter, a digit, an underscore or a slash.
fn is_telling(name: &str) -> bool {
    name.len() > 1 && name.contains(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "_/".contains(c))
}

/// Whether a name may end before this text; a plural `s` belongs to it.
pub(super) fn ends_here(rest: &str) -> bool {
    let rest = rest.strip_prefix('s').unwrap_or(rest);
    let mut chars = rest.chars();
    let joined = |c: char| c.is_alphanumeric() || c == '_';
    match (chars.next(), chars.next()) {
        (Some(c), _) if joined(c) => false,
        (Some('-' | '/'), Some(c)) => !joined(c),
        _ => true,
    }
}

/// `iteration 3`, `iter 8b`: the id and how long the words are.
fn numbered(text: &str) -> Option<(IterId, usize)> {
    let lower = text.get(..text.len().min(24)).unwrap_or_default().to_lowercase();
    let word = ["iteration ", "iter. ", "iter "].into_iter().find(|w| lower.starts_with(w))?;
    let id: String = text[word.len()..].chars().take_while(char::is_ascii_alphanumeric).collect();
    Some((id.parse().ok()?, word.len() + id.len()))
}
