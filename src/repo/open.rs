//! Finding and opening the repository, and what can be asked of it without reading objects.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use gix::sec::trust::Mapping;

use super::objects::{explain, is_unreadable};
use super::{CommitTree, DiskTree, IndexTree};
use crate::state::problem::{Kind, Problem};

/// Whether `GIT_DIR`, `GIT_WORK_TREE` and `GIT_INDEX_FILE` of the process count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// They do: git exports them to hooks, and there the effective index is often not `.git/index`.
    Honoured,
    /// They do not: for a repository other than the one that the person works in.
    Ignored,
}

/// Where `HEAD` points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The branch's short name; `None` when detached.
    pub branch: Option<String>,
    /// The commit's id in hexadecimal; `None` on a branch without a commit.
    pub commit: Option<String>,
}

/// An opened repository with a work tree.
pub struct Repo {
    pub(super) git: gix::Repository,
    top: PathBuf,
    common_dir: PathBuf,
    git_dir: PathBuf,
    pub(super) code_trees: RefCell<HashMap<String, String>>,
    /// The commit that whoever opened the repository has seen, own commits since then included.
    pub(super) seen: RefCell<Result<Option<String>, Problem>>,
    /// The object database of a push, as long as the repository is open.
    pub(super) held: Option<super::receive::Held>,
}

impl Repo {
    /// Opens the repository that `cwd` lies in.
    ///
    /// # Errors
    /// [`Kind::NotARepository`] when there is none, when it is bare, when it belongs to somebody else and is not
    /// listed in `safe.directory`, or when its format is not supported.
    pub fn discover(cwd: &Path, environment: Environment) -> Result<Self, Problem> {
        let git = Self::opened(cwd, environment)?;
        let Some(top) = git.workdir().map(Path::to_path_buf) else {
            return Err(Problem::new(
                Kind::NotARepository,
                "bare",
                format!("{} is a bare repository, which has no work tree", git.git_dir().display()),
            )
            .hint(
                "run git-ar in a clone of it; git ar hook install --pre-receive lets it check what is pushed to it",
            ));
        };
        Ok(Self::of(git, &top))
    }

    /// The repository that `cwd` lies in, bare or not.
    pub(super) fn opened(cwd: &Path, environment: Environment) -> Result<gix::Repository, Problem> {
        let upwards = || gix::discover::upwards::Options { match_ceiling_dir_or_error: false, ..Default::default() };
        let opened = match environment {
            Environment::Honoured => gix::ThreadSafeRepository::discover_with_environment_overrides_opts(
                cwd,
                upwards(),
                options(gix::sec::Permission::Allow),
            ),
            Environment::Ignored => {
                gix::ThreadSafeRepository::discover_opts(cwd, upwards(), options(gix::sec::Permission::Deny))
            }
        };
        let mut git = opened.map_err(|error| not_opened(cwd, &error))?.to_thread_local();
        git.make_paths_absolute().map_err(|error| explain("repository", "The repository's paths", &error))?;
        if git.config_snapshot().string("extensions.refStorage").is_some_and(|format| format != "files") {
            return Err(Problem::new(
                Kind::NotARepository,
                "ref-storage",
                format!("{} stores its refs in a format that git-ar cannot read (reftable)", cwd.display()),
            )
            .hint("git refs migrate --ref-format=files"));
        }
        git.object_cache_size_if_unset(4 << 20);
        Ok(git)
    }

    pub(super) fn of(git: gix::Repository, top: &Path) -> Self {
        let top = clean(top);
        let (common_dir, git_dir) = (clean(git.common_dir()), clean(git.git_dir()));
        let (code_trees, seen) = (RefCell::default(), RefCell::new(Ok(None)));
        let repo = Self { git, top, common_dir, git_dir, code_trees, seen, held: None };
        // A HEAD that cannot be read is told by whoever needs it.
        *repo.seen.borrow_mut() = repo.head().map(|head| head.commit);
        repo
    }

    /// The folder that holds the work tree.
    #[must_use]
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The `.git` folder that all linked worktrees share.
    #[must_use]
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// The `.git` folder of this worktree.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The effective index file: `GIT_INDEX_FILE` where git set it.
    #[must_use]
    pub fn index_path(&self) -> PathBuf {
        self.git.index_path()
    }

    /// Where `HEAD` points.
    ///
    /// # Errors
    /// [`Kind::Io`] when `HEAD` cannot be read.
    pub fn head(&self) -> Result<Head, Problem> {
        let head = self.git.head().map_err(|error| explain("head", "HEAD", &error))?;
        Ok(Head {
            branch: head.referent_name().map(|name| name.shorten().to_string()),
            commit: head.id().map(|id| id.to_string()),
        })
    }

    /// The tree of the commit (or tag, or tree) that `rev` names.
    ///
    /// # Errors
    /// [`Kind::Ambiguous`] when `rev` names nothing.
    pub fn commit_tree(&self, rev: &str) -> Result<CommitTree, Problem> {
        let id = self.resolve_object(&format!("{rev}^{{tree}}"), rev)?;
        Ok(CommitTree::new(self.git.clone(), id))
    }

    /// The tree of `HEAD`; the empty tree when there is no commit yet.
    ///
    /// # Errors
    /// [`Kind::Io`] when `HEAD` or its commit cannot be read.
    pub fn head_tree(&self) -> Result<CommitTree, Problem> {
        let id = self.git.head_tree_id_or_empty().map_err(|error| explain("head", "HEAD's tree", &error))?;
        Ok(CommitTree::new(self.git.clone(), id.detach()))
    }

    /// The tree without files.
    #[must_use]
    pub fn empty_tree(&self) -> CommitTree {
        CommitTree::new(self.git.clone(), gix::ObjectId::empty_tree(self.git.object_hash()))
    }

    /// The content of the effective index.
    ///
    /// # Errors
    /// [`Kind::Io`] when the index cannot be read.
    pub fn index_tree(&self) -> Result<IndexTree, Problem> {
        IndexTree::open(self.git.clone())
    }

    /// The files on disk, read when asked for.
    #[must_use]
    pub fn work_tree(&self) -> DiskTree {
        DiskTree::new(&self.top)
    }

    /// What git is in the middle of, such as `a merge`; `None` when nothing is under way.
    #[must_use]
    pub fn in_progress(&self) -> Option<&'static str> {
        use gix::state::InProgress as P;
        match self.git.state()? {
            P::Merge => Some("a merge"),
            P::Rebase | P::RebaseInteractive | P::ApplyMailboxRebase => Some("a rebase"),
            P::CherryPick | P::CherryPickSequence => Some("a cherry-pick"),
            P::Revert | P::RevertSequence => Some("a revert"),
            P::ApplyMailbox => Some("git am"),
            P::Bisect => None,
        }
    }

    /// A value of the git configuration, such as `ar.trust`.
    #[must_use]
    pub fn config(&self, key: &str) -> Option<String> {
        self.git.config_snapshot().string(key).map(|value| value.to_string())
    }

    /// Every value of a key of the git configuration that may have several.
    #[must_use]
    pub fn config_all(&self, key: &str) -> Vec<String> {
        let values = self.git.config_snapshot().plumbing().strings(key).unwrap_or_default();
        values.into_iter().map(|value| value.to_string()).collect()
    }

    /// Whether the history ends early (`git clone --depth`).
    #[must_use]
    pub fn is_shallow(&self) -> bool {
        self.git.is_shallow().unwrap_or(false)
    }
}

/// Options that refuse another owner's repository as git does.
fn options(git_variables: gix::sec::Permission) -> Mapping<gix::open::Options> {
    let mut permissions = gix::open::Permissions::all();
    permissions.env.git_prefix = git_variables;
    // A replacement is this clone's own view of an object; what is judged is what everybody has.
    let options = gix::open::Options::default()
        .permissions(permissions)
        .bail_if_untrusted(true)
        .config_overrides(["core.useReplaceRefs=false"]);
    Mapping { full: options.clone(), reduced: options }
}

/// The path with symbolic links resolved, as git shows it.
fn clean(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// Why a repository was not opened.
fn not_opened(cwd: &Path, error: &gix::Error) -> Problem {
    use gix::discover::upwards::Error as E;
    let chain = super::objects::chain(error);
    match error.downcast_any_ref::<E>() {
        Some(E::NoTrustedGitRepository { candidate, .. }) => return another_owner(candidate),
        Some(_) if cwd.ancestors().any(looks_whole) => {
            let message = format!("The repository of {} cannot be read", cwd.display());
            return Problem::new(Kind::Io, "not-opened", message).hint("git status   says what git makes of it");
        }
        Some(_) => {
            return Problem::new(
                Kind::NotARepository,
                "not-a-repository",
                format!("{} is in no git repository", cwd.display()),
            )
            .hint("git ar init");
        }
        None => {}
    }
    if chain.contains("safe.directory") || chain.contains("not owned by") {
        return another_owner(cwd);
    }
    let kind = if is_unreadable(error) { Kind::Io } else { Kind::NotARepository };
    Problem::new(kind, "not-opened", format!("The repository of {} cannot be opened: {chain}", cwd.display()))
        .hint("git status   says what git makes of it")
}

/// Whether a folder holds what git takes for a repository.
fn looks_whole(folder: &Path) -> bool {
    let git = folder.join(".git");
    git.join("HEAD").is_file() && git.join("objects").is_dir() && git.join("refs").is_dir()
}

/// The refusal of a repository that belongs to somebody else.
fn another_owner(path: &Path) -> Problem {
    let top = if path.ends_with(".git") { path.parent().unwrap_or(path) } else { path };
    Problem::new(
        Kind::NotARepository,
        "another-owner",
        format!("the repository of {} belongs to another user", top.display()),
    )
    .hint(format!("git config --global --add safe.directory {}   (if you trust its owner)", top.display()))
}
