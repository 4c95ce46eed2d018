//! `claim check`: every figure and comparison in prose, recomputed from the committed results.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::{Context, find};
use crate::state::claims::{Checker, Claim, Verdict};
use crate::state::load::{self, IterationView};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::tree::{EntryKind, Tree};

/// What is to be checked.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Files; where there are none, the documents of the open iterations and the findings of their projects.
    pub files: Vec<std::path::PathBuf>,
    /// The documents of this iteration, as `PROJECT/ID` or `ID`.
    pub iteration: Option<String>,
    /// Every document, finding and board of the repository.
    pub all: bool,
}

/// What was checked.
#[derive(Debug, Serialize)]
pub struct Checked {
    /// The files that were read.
    pub documents: Vec<String>,
    /// How many claims stand how.
    pub supported: usize,
    /// Claims that the data does not separate.
    pub not_separated: usize,
    /// Claims that nothing can be recomputed for.
    pub without_source: usize,
    /// Claims that the figures contradict.
    pub contradicted: usize,
    /// Every claim in the order of files and lines.
    pub claims: Vec<Claim>,
}

/// Check claims. Documents are read from the work tree, results from `HEAD`.
///
/// # Errors
/// [`Kind::Usage`] for a file that is not in the repository or holds no claims.
pub fn check(context: &Context<'_>, wish: &Wish) -> Result<Checked, Problems> {
    let disk = context.repo.work_tree();
    let head = context.repo.head_tree()?;
    let checker = Checker::new(&head)?;
    let documents = match wish.files.is_empty() {
        true => usual(&disk, wish)?,
        false => {
            let inside = |file: &std::path::PathBuf| in_repository(context.repo.top(), file);
            wish.files.iter().map(inside).collect::<Result<_, _>>()?
        }
    };
    let mut claims = Vec::new();
    for path in &documents {
        let bytes = disk.read(path)?.ok_or_else(|| {
            Problem::new(Kind::Usage, "no-document", "there is no such file").at(path).hint("git ar claim check --all")
        })?;
        claims.extend(checker.file(path, &bytes)?);
    }
    let count = |verdict| claims.iter().filter(|c: &&Claim| c.verdict == verdict).count();
    Ok(Checked {
        supported: count(Verdict::Supported),
        not_separated: count(Verdict::NotSeparated),
        without_source: count(Verdict::WithoutSource),
        contradicted: count(Verdict::Contradicted),
        documents,
        claims,
    })
}

/// What an iteration's documents claim without the data carrying it, as warnings for a step that was made.
pub(super) fn warnings(context: &Context<'_>, folder: &str) -> Result<Vec<Problem>, Problems> {
    let names = ["analysis.md", "conclusion.md"].map(|name| context.repo.top().join(folder).join(name));
    let files = names.into_iter().filter(|path| path.is_file()).collect();
    let checked = check(context, &Wish { files, ..Wish::default() })?;
    let weak = checked.claims.iter().filter(|c| c.verdict != Verdict::Supported);
    Ok(weak.map(|claim| problem(claim).warn()).collect())
}

/// The documents that are meant when no file is named.
fn usual(disk: &dyn Tree, wish: &Wish) -> Result<Vec<String>, Problems> {
    let mut views: Vec<IterationView> = Vec::new();
    match &wish.iteration {
        Some(name) => views.push(find::iteration(disk, Some(name))?),
        None => {
            for slug in load::projects(disk)? {
                views.extend(load::iterations(disk, &slug)?);
            }
            if !wish.all && views.iter().any(|v| v.iteration.phase.is_active()) {
                views.retain(|v| v.iteration.phase.is_active());
            }
        }
    }
    let mut found = Vec::new();
    let projects: Vec<_> = match wish.all {
        true => load::projects(disk)?,
        false => {
            views.iter().map(|v| v.project.clone()).collect::<std::collections::BTreeSet<_>>().into_iter().collect()
        }
    };
    for project in projects {
        let folders: Vec<String> = views.iter().filter(|v| v.project == project).map(|v| v.folder.clone()).collect();
        found.extend(Checker::documents(disk, &project, &folders)?);
    }
    if wish.all {
        let boards = disk.list("configs/board")?.into_iter().filter(|e| e.kind != EntryKind::Folder);
        found.extend(boards.filter(|e| e.name.ends_with(".yaml")).map(|e| format!("configs/board/{}", e.name)));
    }
    Ok(found)
}

/// A file's path from the top of the repository.
fn in_repository(top: &Path, file: &Path) -> Result<String, Problem> {
    let shown = crate::state::text::printable(&file.display().to_string());
    let real = file.canonicalize().map_err(|error| {
        Problem::new(Kind::Usage, "no-document", format!("{shown}: {error}")).hint("git ar claim check --all")
    })?;
    let inside = real.strip_prefix(top).ok().map(|rest| rest.to_string_lossy().into_owned());
    inside.ok_or_else(|| {
        let message = format!("{shown} is not in this repository; claims are checked against its results");
        Problem::new(Kind::Usage, "outside", message).hint("git ar claim check --all")
    })
}

impl Checked {
    /// What does not hold, for the exit code and for programs.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let told = self.claims.iter().filter(|c| c.verdict >= Verdict::WithoutSource);
        told.map(problem).collect()
    }
}

/// A claim that does not hold, as a problem.
#[must_use]
pub fn problem(claim: &Claim) -> Problem {
    let (code, hint) = match claim.verdict {
        Verdict::Contradicted => {
            ("claim-contradicted", "write what the seeds give; git ar board explain ROW names them")
        }
        _ => {
            ("claim-without-source", "name the run or row it comes from, by id, experiment, label or PROJECT/ITERATION")
        }
    };
    let message = format!("`{}` is {}: {}", claim.claim, claim.verdict, claim.why);
    Problem::new(Kind::Found, code, message).at(&claim.path).line(Some(claim.line)).hint(hint)
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for claim in &self.claims {
            writeln!(f, "{}:{}: {}: {}", claim.path, claim.line, claim.verdict, claim.claim)?;
            if claim.verdict != Verdict::Supported {
                writeln!(f, "    in: {}", claim.text)?;
            }
            writeln!(f, "    {}", claim.why)?;
            let runs: Vec<&str> = claim.sources.iter().flat_map(|s| &s.runs).map(String::as_str).collect();
            if !runs.is_empty() {
                writeln!(f, "    runs: {}", runs.join(", "))?;
            }
        }
        let (claims, files) = (self.claims.len(), self.documents.len());
        if claims == 0 {
            return writeln!(f, "no claims in {files} documents");
        }
        writeln!(
            f,
            "{claims} claims in {files} documents: {} supported, {} not separated, {} without a source, {} contradicted",
            self.supported, self.not_separated, self.without_source, self.contradicted
        )
    }
}
