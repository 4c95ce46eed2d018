//! Where `init` acts: a repository that is there, or one that it makes.

use std::path::{Path, PathBuf};

use super::files::{self, Flavour};
use crate::repo::git::Git;
use crate::repo::{Environment, Repo};
use crate::state::entities::{BuiltIn, Settings};
use crate::state::load;
use crate::state::problem::{Kind, Problem};

/// The branch of a repository that `init` makes.
const BRANCH: &str = "develop";

/// A repository that is to become a research repository.
pub struct Place {
    /// The repository.
    pub repo: Repo,
    /// Its settings: those in `configs/ar.yaml`, or those that will be written there.
    pub settings: Settings,
    /// Whether the git repository was made just now.
    pub new_repository: bool,
}

/// Find the repository of a folder, or make one there: in a folder that is missing or empty, or in the current one.
///
/// `trainer` goes into the settings where there are none yet.
///
/// # Errors
/// [`Kind::Usage`] inside another repository, or when git does not know who commits.
pub fn locate(folder: &Path, flavour: Flavour, trainer: BuiltIn) -> Result<Place, Problem> {
    let existing = existing(folder)?;
    let new_repository = existing.is_none();
    author(folder)?;
    let repo = match existing {
        Some(repo) => repo,
        None => make(folder)?,
    };
    let settings = match load::settings(&repo.work_tree())? {
        Some(settings) => settings,
        None => files::settings(&branch(&repo)?, flavour, trainer),
    };
    Ok(Place { repo, settings, new_repository })
}

/// The repository whose top the folder is; none when one can be made there.
fn existing(folder: &Path) -> Result<Option<Repo>, Problem> {
    let is_empty = folder.read_dir().map_or(true, |mut entries| entries.next().is_none());
    if !folder.is_dir() && folder.symlink_metadata().is_ok() {
        return Err(Problem::new(Kind::Usage, "not-a-folder", format!("{} is no folder", folder.display()))
            .hint("name a folder, or a path where there is nothing yet"));
    }
    let repo = match Repo::discover(&nearest_folder(folder), Environment::Honoured) {
        Ok(repo) => repo,
        Err(problem) if problem.code == "not-a-repository" => return Ok(None),
        Err(problem) => return Err(problem),
    };
    let here = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let top = repo.top().canonicalize().unwrap_or_else(|_| repo.top().to_path_buf());
    if here == top {
        return Ok(Some(repo));
    }
    if is_empty {
        return Ok(None);
    }
    let message =
        format!("this folder belongs to the repository {}, and git-ar manages whole repositories", top.display());
    Err(Problem::new(Kind::Usage, "inside-a-repository", message).hint(format!("git ar init {}", top.display())))
}

/// Make a repository in a folder, which is made too.
fn make(folder: &Path) -> Result<Repo, Problem> {
    let target = folder.display().to_string();
    let arguments = ["init", "--quiet", &format!("--initial-branch={BRANCH}"), "--", &target];
    Git::at(&nearest_folder(folder)).text(&arguments)?;
    Repo::discover(folder, Environment::Ignored)
}

/// Refuse early when git could not make a commit because it does not know who commits.
fn author(folder: &Path) -> Result<(), Problem> {
    let output = Git::at(&nearest_folder(folder)).run(&["var", "GIT_COMMITTER_IDENT"], b"")?;
    if output.status.success() {
        return Ok(());
    }
    Err(Problem::new(Kind::Usage, "no-author", "git does not know who you are, and every change becomes a commit")
        .hint("git config --global user.name \"Your Name\", and the same for user.email"))
}

/// The folder itself, or the nearest one above it that exists.
fn nearest_folder(folder: &Path) -> PathBuf {
    folder.ancestors().find(|f| f.is_dir()).unwrap_or(Path::new("/")).to_path_buf()
}

/// The branch that is checked out, born or not.
fn branch(repo: &Repo) -> Result<String, Problem> {
    repo.head()?.branch.ok_or_else(|| {
        Problem::new(Kind::Usage, "detached", "no branch is checked out, so none can hold the program's state")
            .hint(format!("git switch -c {BRANCH}"))
    })
}
