//! The receiving end of a push: a repository, often a bare one, with the objects that git holds in quarantine until
//! the hook has spoken.

use std::path::Path;

use super::store::Store;
use super::{Environment, Repo};
use crate::state::problem::{Kind, Problem};

impl Repo {
    /// Opens the repository of a folder as one that receives: it may be bare. `quarantine` is the folder in which git
    /// holds the objects of the push that is under way.
    ///
    /// # Errors
    /// As [`Repo::discover`], bareness apart.
    pub fn receiving(cwd: &Path, quarantine: Option<&Path>) -> Result<Self, Problem> {
        let git = Self::opened(cwd, Environment::Honoured)?;
        let top = git.workdir().unwrap_or_else(|| git.git_dir()).to_path_buf();
        let mut repo = Self::of(git, &top);
        if let Some(quarantine) = quarantine {
            repo.read_also(quarantine)?;
        }
        Ok(repo)
    }

    /// Whether there is no work tree.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.git.workdir().is_none()
    }

    /// The commits that branches and tags stand on, as ids.
    ///
    /// # Errors
    /// [`Kind::Io`] when the refs cannot be read.
    pub fn known_tips(&self) -> Result<Vec<String>, Problem> {
        let unreadable = |error: gix::Error| super::objects::explain("refs", "The refs", &error);
        let refs = self.git.references().map_err(unreadable)?;
        let mut tips = Vec::new();
        for found in refs.all().map_err(unreadable)?.flatten() {
            // A tag may stand on something other than a commit, and a ref may lead nowhere.
            let id = found.try_id().map(|id| id.to_string());
            tips.extend(id.and_then(|id| self.resolve(&id).ok()));
        }
        Ok(tips)
    }

    /// Reads objects from another folder too, through an object database of our own that lists both.
    fn read_also(&mut self, objects: &Path) -> Result<(), Problem> {
        let cannot = |error: std::io::Error| {
            Problem::new(Kind::Io, "quarantine", format!("the objects that are pushed cannot be read: {error}"))
                .hint("git fsck in the receiving repository")
        };
        let both = [objects.to_path_buf(), self.common_dir().join("objects")];
        let lines: String = both.iter().map(|path| format!("{}\n", path.display())).collect();
        let held = Held { store: Store::at(self.common_dir()), folder: format!("ar/received-{}", std::process::id()) };
        held.store.replace(&held.file(), lines.as_bytes())?;
        let database = gix::odb::at(self.common_dir().join(&held.folder), self.git.object_hash()).map_err(cannot)?;
        self.git.objects = gix::OdbHandle::from(database);
        self.git.object_cache_size_if_unset(4 << 20);
        self.held = Some(held);
        Ok(())
    }
}

/// An object database that is only a list of others; it goes when it is dropped.
pub(super) struct Held {
    store: Store,
    folder: String,
}

impl Held {
    fn file(&self) -> String {
        format!("{}/info/alternates", self.folder)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // What stays after a failure names two folders and does no harm.
        let _ = self.store.remove(&self.file());
    }
}
