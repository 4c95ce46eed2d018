//! `demo`: one research iteration from a direction to a ranked board, with every command really run.

mod acts;
mod edits;
mod stage;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use stage::Shell;
use stage::Stage;

use crate::ops::Progress;
use crate::repo::git::Git;
use crate::state::problem::{Kind, Problem, Problems};

/// What the demo leaves behind.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The research repository it made.
    pub folder: PathBuf,
    /// The iteration, `project/id`.
    pub iteration: String,
    /// What was refused, as it was tried.
    pub refused: Vec<String>,
    /// The board as text.
    pub board: String,
}

/// Play the demo in `folder`, which must be missing or empty. `engine` trains with libtorch instead of the reference trainer.
///
/// # Errors
/// [`Kind::Usage`] when the folder is not empty; whatever a command refuses that should have worked.
pub fn demo(folder: &Path, engine: bool, shell: &dyn Shell, progress: &dyn Progress) -> Result<Outcome, Problems> {
    empty(folder)?;
    let trainer = if engine { "engine (libtorch)" } else { "reference trainer (built in)" };
    progress.say(&format!("git ar demo: one research iteration in {}, trained by the {trainer}.", folder.display()));
    progress.say("Everything is really done: the commits, the training on 1,797 images, the refusals.");
    let stage = Stage { folder: folder.to_path_buf(), shell, progress };
    acts::play(&stage, engine)
}

fn empty(folder: &Path) -> Result<(), Problem> {
    let there = folder.symlink_metadata().is_ok();
    let is_empty = folder.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    if !there || is_empty {
        return Ok(());
    }
    let shown = folder.display().to_string();
    Err(Problem::new(Kind::Usage, "not-empty", "the demo needs a folder of its own, and this one is not empty")
        .at(shown)
        .hint("name another one: git ar demo DIR"))
}

/// Make the demo's own git repository, and settle there what the person's set-up lacks or would put in the way.
fn repository(stage: &Stage<'_>) -> Result<(), Problem> {
    let outside = stage.folder.ancestors().find(|f| f.is_dir()).unwrap_or(Path::new("/"));
    let target = stage.folder.display().to_string();
    Git::at(outside).text(&["init", "--quiet", "--initial-branch=develop", "--", &target])?;
    let git = Git::at(&stage.folder);
    if !git.run(&["var", "GIT_COMMITTER_IDENT"], b"")?.status.success() {
        stage.tell("  (git does not know you yet, so this repository's commits are by \"git-ar demo\")");
        git.config_set("user.name", "git-ar demo")?;
        git.config_set("user.email", "demo@localhost.invalid")?;
    }
    if git.config_get("core.hooksPath")?.is_some() {
        git.config_set("core.hooksPath", &stage.folder.join(".git/hooks").display().to_string())?;
    }
    // Nobody should be asked for a passphrase by a demo.
    git.config_set("commit.gpgSign", "false")
}

impl Outcome {
    /// What to type next.
    #[must_use]
    pub fn next(&self) -> Vec<String> {
        vec![
            format!("cd {}", self.folder.display()),
            "git log --oneline".into(),
            "git ar status".into(),
            "git ar board explain digits_wide".into(),
        ]
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.board.trim_end())
    }
}
