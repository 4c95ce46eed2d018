//! `taint`: which runs a bug touched, by ancestry of their anchors and the paths they used; and their exclusion.

use std::fmt;

use serde::Serialize;

use super::board::diff::{self, Moved};
use super::record::{Recorded, Write};
use super::{Context, board, run};
use crate::leaderboard::terminal;
use crate::repo::{CommitTree, code};
use crate::runs::layout::Record;
use crate::state::entities::Planned;
use crate::state::exclusion::Exclusion;
use crate::state::load::RunView;
use crate::state::overlay::Overlay;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::record::RunKind;
use crate::state::tree::{Tree, digest, files};
use crate::state::yaml::to_string;

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// The commit that brought the bug.
    pub introduced: String,
    /// The commit that mended it.
    pub fixed: Option<String>,
    /// The files or folders that the bug is in; without any, every run with the commit is touched.
    pub paths: Vec<String>,
    /// Exclude what is touched.
    pub apply: bool,
    /// The reason of the exclusions.
    pub reason: Option<String>,
    /// How wide the tables may be.
    pub width: Option<u16>,
}

/// How a run stands to the bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It ran with the bug.
    Touched,
    /// It ran with the bug and is excluded already.
    Excluded,
    /// It ran with the bug, and its exclusion covers some seeds only or was withdrawn: a person decides.
    Open,
    /// Its anchor cannot be placed in this clone.
    Unknown,
    /// It did not run with the bug.
    Clear,
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The run.
    pub run: String,
    /// `project/id`, or the project.
    pub place: String,
    /// Smoke or full.
    pub kind: RunKind,
    /// The experiment.
    pub experiment: String,
    /// The anchor's commit.
    pub commit: String,
    /// How it stands to the bug.
    pub standing: Standing,
    /// Why.
    pub why: String,
    #[serde(skip)]
    folder: String,
}

/// What was found, and what was recorded.
#[derive(Debug, Serialize)]
pub struct Tainted {
    /// The commit that brought the bug, in full.
    pub introduced: String,
    /// The commit that mended it, in full.
    pub fixed: Option<String>,
    /// The paths that were looked at.
    pub paths: Vec<String>,
    /// Every run: touched ones first.
    pub runs: Vec<Line>,
    /// How the boards change, or would change.
    pub boards: Vec<Moved>,
    /// Whether the exclusions were recorded.
    pub applied: bool,
    /// What was recorded.
    #[serde(flatten)]
    pub recorded: Recorded,
    #[serde(skip)]
    width: Option<u16>,
}

/// The two commits and the tree before the first.
struct Bug<'a> {
    context: &'a Context<'a>,
    introduced: String,
    fixed: Option<String>,
    before: CommitTree,
    paths: &'a [String],
}

/// Find the runs that a bug touched, and with `apply` exclude them in one commit.
///
/// # Errors
/// [`Kind::Ambiguous`] for a revision that names nothing, and what recording refuses.
pub fn taint(context: &Context<'_>, wish: &Wish) -> Result<Tainted, Problems> {
    let bug = Bug::new(context, wish)?;
    let tree = context.repo.work_tree();
    let mut runs = Vec::new();
    for found in run::all(&tree)? {
        let view = found.view(&tree)?;
        let (standing, why) = bug.standing(&view)?;
        runs.push(Line {
            run: view.id.to_string(),
            place: found.place_name(),
            kind: view.run.kind,
            experiment: view.run.experiment.clone(),
            commit: view.run.anchor.commit.clone(),
            standing,
            why,
            folder: view.folder.clone(),
        });
    }
    runs.sort_by_key(|line| line.standing as u8);
    let writes = exclusions(context, &bug, wish, &runs)?;
    let head = context.repo.head_tree()?;
    let staged = writes.iter().map(|w| (w.path.clone(), w.text.clone().map(String::into_bytes)));
    let after = Overlay::new(&head, staged.collect::<Vec<_>>());
    let boards = diff::of_trees(&head, &after)?;
    let mut recorded = Recorded::default();
    if wish.apply && !writes.is_empty() {
        let (rendered, waits) = board::in_step(context, &after)?;
        let count = writes.len();
        let all = writes.into_iter().chain(rendered).collect();
        let what = if count == 1 { "run is" } else { "runs are" };
        let subject = format!("taint: {count} {what} excluded, touched since {}", short(&bug.introduced));
        recorded = context.record("taint", all, &subject, &[("AR-Taint", bug.introduced.clone())])?;
        recorded.warnings.extend(waits);
    }
    let (introduced, fixed, paths) = (bug.introduced, bug.fixed, wish.paths.clone());
    Ok(Tainted { introduced, fixed, paths, runs, boards, applied: wish.apply, recorded, width: wish.width })
}

impl<'a> Bug<'a> {
    fn new(context: &'a Context<'a>, wish: &'a Wish) -> Result<Self, Problem> {
        let info = context.repo.commit(&wish.introduced)?;
        let before = match info.parents.first() {
            Some(parent) => context.repo.commit_tree(parent)?,
            None => context.repo.empty_tree(),
        };
        let fixed = wish.fixed.as_deref().map(|rev| context.repo.resolve(rev)).transpose()?;
        if let Some(fixed) = &fixed
            && (*fixed == info.id || !context.repo.is_ancestor(&info.id, fixed)?)
        {
            let message = format!("{} does not come after {}, so it cannot mend it", short(fixed), short(&info.id));
            return Err(
                Problem::new(Kind::Usage, "order", message).hint("git log --graph --oneline   shows which is older")
            );
        }
        if let Some(path) = wish.paths.iter().find(|p| !code::is_code(p)) {
            let message = format!("{} is no code: no run depends on it", crate::state::text::printable(path));
            return Err(Problem::new(Kind::Usage, "not-code", message)
                .hint("name files that runs use, from the top of the repository"));
        }
        Ok(Self { context, introduced: info.id, fixed, before, paths: &wish.paths })
    }

    fn standing(&self, run: &RunView) -> Result<(Standing, String), Problem> {
        let repo = &self.context.repo;
        let anchor = &run.run.anchor.commit;
        let tree = match repo.commit_tree(anchor) {
            Ok(tree) => tree,
            Err(problem) if problem.kind == Kind::Ambiguous => {
                return Ok((Standing::Unknown, "its anchor is not in this clone".into()));
            }
            Err(problem) => return Err(problem),
        };
        if !repo.is_ancestor(&self.introduced, anchor)? {
            return Ok(match repo.is_shallow() {
                true => (Standing::Unknown, "this clone's history ends early".into()),
                false => (Standing::Clear, format!("its anchor does not contain {}", short(&self.introduced))),
            });
        }
        if let Some(fixed) = &self.fixed
            && repo.is_ancestor(fixed, anchor)?
        {
            return Ok((Standing::Clear, format!("its anchor contains the fix {}", short(fixed))));
        }
        let used = match self.paths {
            [] => Some(format!("its anchor contains {}", short(&self.introduced))),
            _ => self.used(run, &tree)?,
        };
        let Some(used) = used else {
            return Ok((Standing::Clear, "what it used of the paths is as it was before".into()));
        };
        Ok(match &run.exclusion {
            None => (Standing::Touched, used),
            Some(e) if e.withdrawn.is_some() => {
                (Standing::Open, "its exclusion was withdrawn, which is not undone".into())
            }
            Some(e) if e.seeds.is_some() => {
                (Standing::Open, "some of its seeds are excluded; a record is never changed".into())
            }
            Some(e) => (Standing::Excluded, e.reason.clone()),
        })
    }

    /// How the run used one of the paths as the bug left it; none when it used none.
    fn used(&self, run: &RunView, anchor: &CommitTree) -> Result<Option<String>, Problem> {
        for path in self.paths {
            let (now, then) = (content(anchor, path)?, content(&self.before, path)?);
            if now == then {
                continue;
            }
            if !self.is_config(path) || self.composes_otherwise(run, anchor, path)? {
                return Ok(Some(format!("{path} is not as it was before {}", short(&self.introduced))));
            }
        }
        Ok(None)
    }

    fn is_config(&self, path: &str) -> bool {
        let folder = self.context.settings.config_dir.trim_end_matches('/');
        path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Whether the run's config would have been another one with the path as it was before. What does not compose
    /// counts as used.
    fn composes_otherwise(&self, run: &RunView, anchor: &CommitTree, path: &str) -> Result<bool, Problem> {
        let paths = content(anchor, path)?.into_iter().chain(content(&self.before, path)?).map(|(path, _)| path);
        let mut old = Vec::new();
        for path in paths {
            let bytes = self.before.read(&path)?;
            old.push((path, bytes));
        }
        let tree = Overlay::new(anchor, old);
        let (experiment, overrides) = (run.run.experiment.clone(), run.run.overrides.clone());
        let seeds = run.run.seeds.clone();
        let planned = Planned { experiment, overrides, seeds, cluster: None, queue: None, walltime: None };
        let cells = super::cells::of_plan(&tree, &self.context.settings, &planned, self.context.env);
        Ok(!cells.is_ok_and(|cells| cells.iter().any(|cell| cell.digest == run.run.config_digest)))
    }
}

/// The files at or below a path, with what they hold.
fn content(tree: &dyn Tree, path: &str) -> Result<Vec<(String, String)>, Problem> {
    let path = path.trim_end_matches('/');
    // A folder reads as no file, or not at all.
    if let Ok(Some(bytes)) = tree.read(path) {
        return Ok(vec![(path.to_string(), digest(&bytes))]);
    }
    let mut found = Vec::new();
    for (file, _) in files(tree, path)? {
        if let Some(bytes) = tree.read(&file)? {
            found.push((file, digest(&bytes)));
        }
    }
    Ok(found)
}

/// The exclusions of every touched run.
fn exclusions(context: &Context<'_>, bug: &Bug<'_>, wish: &Wish, runs: &[Line]) -> Result<Vec<Write>, Problem> {
    let given = wish.reason.as_deref().map(str::trim).filter(|r| !r.is_empty());
    let subject = context.repo.commit(&bug.introduced)?.subject;
    let paths = if wish.paths.is_empty() { String::new() } else { format!(" in {}", wish.paths.join(", ")) };
    let usual = format!(
        "ran with the bug{paths} that {} brought ({})",
        short(&bug.introduced),
        crate::state::text::printable(&subject)
    );
    let exclusion = Exclusion {
        schema: 1,
        reason: given.map_or(usual, str::to_string),
        at: context.now,
        cause: Some("taint".into()),
        seeds: None,
        superseded_by: None,
        fixed_by: bug.fixed.clone(),
        withdrawn: None,
    };
    let text = to_string(&exclusion);
    let touched = runs.iter().filter(|line| line.standing == Standing::Touched);
    Ok(touched.map(|line| Write::text(Record { folder: line.folder.clone() }.exclusion(), text.clone())).collect())
}

fn short(id: &str) -> String {
    id.chars().take(10).collect()
}

impl Tainted {
    /// How many runs stand so.
    #[must_use]
    pub fn count(&self, standing: Standing) -> usize {
        self.runs.iter().filter(|line| line.standing == standing).count()
    }
}

impl fmt::Display for Tainted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = short(&self.introduced);
        let until = self.fixed.as_deref().map_or(String::new(), |b| format!(" and before {}", short(b)));
        let shown: Vec<&Line> = self.runs.iter().filter(|line| line.standing != Standing::Clear).collect();
        if shown.is_empty() {
            return writeln!(f, "no run was touched since {since}{until} ({} looked at)", self.runs.len());
        }
        let heads =
            [("Run", false), ("Place", false), ("Kind", false), ("Anchor", false), ("Bug", false), ("Why", false)];
        let heads = heads.map(|(title, right)| (title.to_string(), right));
        let row = |line: &&Line| {
            let standing = match line.standing {
                Standing::Touched if self.applied => "excluded now",
                Standing::Touched => "touched",
                Standing::Excluded => "excluded",
                Standing::Open => "to decide",
                Standing::Unknown => "unknown",
                Standing::Clear => "clear",
            };
            let kind = if line.kind == RunKind::Full { "full" } else { "smoke" };
            let cells = [
                line.run.clone(),
                line.place.clone(),
                kind.into(),
                short(&line.commit),
                standing.into(),
                line.why.clone(),
            ];
            cells.to_vec()
        };
        f.write_str(&terminal::table(&heads, &shown.iter().map(row).collect::<Vec<_>>(), self.width))?;
        let (touched, clear) = (self.count(Standing::Touched), self.count(Standing::Clear));
        writeln!(
            f,
            "{touched} touched since {since}{until}, {} unknown, {clear} clear",
            self.count(Standing::Unknown)
        )?;
        if !self.boards.is_empty() {
            writeln!(f, "\n{}", if self.applied { "the boards changed:" } else { "the boards would change:" })?;
            f.write_str(&diff::table(&self.boards, self.width))?;
        }
        match self.applied {
            true => self.recorded.fmt(f),
            false => Ok(()),
        }
    }
}
