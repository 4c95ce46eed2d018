//! `init`: makes a folder a research repository, and leaves what is there as it is.

mod files;
mod place;

use std::fmt;

use serde::Serialize;

pub use files::Flavour;
pub use place::{Place, locate};

use super::record::{Recorded, Write};
use super::{Context, hook};
use crate::leaderboard;
use crate::state::entities::Switch;
use crate::state::load;
use crate::state::overlay::Overlay;
use crate::state::problem::Problems;
use crate::state::region;
use crate::state::tree::Tree;

/// What `init` did.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The top of the repository.
    pub top: String,
    /// The branch that holds the state.
    pub branch: String,
    /// Whether the git repository was made too.
    pub new_repository: bool,
    /// The files that were made.
    pub made: Vec<String>,
    /// The files that were there already and stay as they are.
    pub kept: Vec<String>,
    /// Whether hooks were installed just now.
    pub hooks_installed: bool,
    /// What is left for a person to do.
    pub notes: Vec<String>,
    /// What was recorded.
    #[serde(flatten)]
    pub recorded: Recorded,
}

/// Make what is missing, render the boards, commit exactly that, and install the hooks. The commit is judged by the
/// rules that the hooks ask, so nothing is lost by this order, and a refusal leaves no hook behind.
pub fn init(context: &Context<'_>, new_repository: bool, flavour: Flavour) -> Result<Outcome, Problems> {
    let tree = context.repo.work_tree();
    let title = context.repo.top().file_name().map_or("Research".into(), |name| name.to_string_lossy().into_owned());
    let (mut made, mut kept) = (Vec::new(), Vec::new());
    let first = load::projects(&tree)?.is_empty();
    for file in files::all(&title, &context.settings, first) {
        match tree.read(&file.path)? {
            Some(_) => kept.push(file.path),
            None => made.push(file),
        }
    }
    let mut notes = notes(context, &tree, flavour)?;
    let boards = boards(&tree, &made)?;
    made.retain(|file| boards.iter().all(|board| board.path != file.path));
    made.extend(boards);
    let paths = made.iter().map(|file: &Write| file.path.clone()).collect();
    let recorded = context.record("init", made, "init: a research repository", &[])?;
    let hooks_installed = hooks(context, &mut notes);
    Ok(Outcome {
        top: context.repo.top().display().to_string(),
        branch: context.settings.branch.clone(),
        new_repository,
        made: paths,
        kept,
        hooks_installed,
        notes,
        recorded,
    })
}

/// Install the hooks. Where that needs a person, it becomes a note: the rest of the repository works without.
fn hooks(context: &Context<'_>, notes: &mut Vec<String>) -> bool {
    match hook::install(&context.repo, &context.exe, (context.env)("PATH").as_deref()) {
        Ok(standing) => {
            notes.extend(standing.lines.map(|lines| format!("the hooks are another program's; add there:\n{lines}")));
            standing.changed
        }
        Err(problems) => {
            let hints = problems.0.iter().filter_map(|p| p.hint.clone()).map(|hint| format!("\n  {hint}"));
            notes.push(format!("no hooks were installed: {problems}{}", hints.collect::<String>()));
            false
        }
    }
}

/// The boards' files as they are with the files that are made; one that is there already is left alone.
fn boards(tree: &dyn Tree, made: &[Write]) -> Result<Vec<Write>, Problems> {
    if made.is_empty() {
        return Ok(Vec::new());
    }
    let files = made.iter().map(|file| (file.path.clone(), file.text.clone().map(String::into_bytes)));
    let stale = leaderboard::stale(&Overlay::new(tree, files))?;
    let mut writes = Vec::new();
    for file in stale {
        if tree.read(&file.path)?.is_none() {
            writes.push(Write { path: file.path, text: file.after });
        }
    }
    Ok(writes)
}

/// What `init` would have done to a file that it leaves alone.
fn notes(context: &Context<'_>, tree: &dyn Tree, flavour: Flavour) -> Result<Vec<String>, Problems> {
    let mut notes = Vec::new();
    let text = |path: &str| Ok::<_, Problems>(tree.read(path)?.map(|b| String::from_utf8_lossy(&b).into_owned()));
    if let Some(readme) = text("README.md")?
        && !region::find("README.md", &readme)?.iter().any(|r| r.name.starts_with("board "))
    {
        let lines = "<!-- ar:begin board digits -->\n  <!-- ar:end board digits -->";
        notes.push(format!(
            "README.md is kept; for a board in it, add these two lines where it should stand:\n  {lines}"
        ));
    }
    if let Some(ignored) = text(".gitignore")?
        && !ignored.lines().any(|line| matches!(line.trim(), ".env" | "/.env" | ".env*" | "*.env"))
    {
        notes.push(".gitignore is kept; add the line `.env`, so that no secret is committed".into());
    }
    if flavour == Flavour::RunsOnly && context.settings.phases == Switch::On {
        notes.push(
            "configs/ar.yaml is kept, and phases are on in it; for runs only, write `loop: \"off\"` there".into(),
        );
    }
    Ok(notes)
}

impl Outcome {
    /// What to type next.
    #[must_use]
    pub fn next(&self, flavour: Flavour) -> Vec<String> {
        let first = match flavour {
            Flavour::Loop => "git ar start \"TOPIC\"",
            Flavour::RunsOnly => "git ar run local digits_ffnn_adam --seeds 0-2",
        };
        vec![first.into(), "git ar doctor".into()]
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.new_repository { "new research repository" } else { "research repository" };
        let did = match self.made.len() {
            0 if self.hooks_installed => "every file is there already, hooks installed".into(),
            0 => format!("everything is there already ({} files kept)", self.kept.len()),
            n if self.hooks_installed => format!("{n} files made, hooks installed"),
            n => format!("{n} files made"),
        };
        writeln!(f, "{what} in {} (branch {}): {did}", self.top, self.branch)?;
        for path in self.made.iter().filter(|p| !p.starts_with("docs/schema/")) {
            writeln!(f, "  made  {path}")?;
        }
        let schemas = self.made.iter().filter(|p| p.starts_with("docs/schema/")).count();
        if schemas > 0 {
            writeln!(f, "  made  docs/schema/ ({schemas} files, for editors)")?;
        }
        if !self.made.is_empty() {
            for path in &self.kept {
                writeln!(f, "  kept  {path}")?;
            }
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        self.recorded.fmt(f)
    }
}
