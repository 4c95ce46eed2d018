//! Where the configs are: a folder that was named, the work tree of a repository, or one of its commits.

use std::path::Path;

use crate::ops::Context;
use crate::repo::DiskTree;
use crate::state::problem::{Kind, Problem};
use crate::state::tree::{EntryKind, Tree, join};

/// A tree of files and the config folder in it.
pub struct Source<'a> {
    /// The files.
    pub tree: Box<dyn Tree + 'a>,
    /// The config folder; empty for the top.
    pub dir: String,
    /// Whether the trainer is a built-in one, whose keys are known.
    pub typed: bool,
}

/// Any folder on disk; no repository is needed.
pub fn folder(path: &Path) -> Result<Source<'static>, Problem> {
    if !path.is_dir() {
        let problem = Problem::new(Kind::Invalid, "config_dir_not_found", "there is no such config folder");
        return Err(problem.at(path.display().to_string()).hint("name the folder with --config-dir DIR"));
    }
    Ok(Source { tree: Box::new(DiskTree::new(path)), dir: String::new(), typed: false })
}

impl<'a> Source<'a> {
    /// The config folder of the repository, on disk or at a commit.
    pub fn of(context: &'a Context<'_>, revision: Option<&str>) -> Result<Self, Problem> {
        let tree: Box<dyn Tree + 'a> = match revision {
            Some(revision) => Box::new(context.repo.commit_tree(revision)?),
            None => Box::new(context.repo.work_tree()),
        };
        let dir = context.settings.config_dir.trim_end_matches('/').to_string();
        check_dir(tree.as_ref(), &dir)?;
        let typed = context.settings.trainer.is_built_in();
        Ok(Self { tree, dir, typed })
    }
}

/// `config_dir` of `configs/ar.yaml` must stay in the repository, and lead through no symbolic link.
pub fn check_dir(tree: &dyn Tree, dir: &str) -> Result<(), Problem> {
    let bad = |message: String| {
        let problem = Problem::new(Kind::Invalid, "config_dir", message).at("configs/ar.yaml");
        problem.hint("set config_dir in configs/ar.yaml to a folder of this repository")
    };
    if dir.starts_with('/') || dir.split('/').any(|step| step == "..") {
        return Err(bad(format!("config_dir `{dir}` leads out of the repository")));
    }
    let mut above = String::new();
    for step in dir.split('/').filter(|step| !step.is_empty() && *step != ".") {
        let entries = tree.list(&above)?;
        above = join(&above, step);
        match entries.iter().find(|entry| entry.name == step).map(|entry| entry.kind) {
            Some(EntryKind::Folder) => {}
            Some(EntryKind::Symlink) => {
                return Err(bad(format!("config_dir `{dir}` leads through the symbolic link `{above}`")));
            }
            Some(_) => return Err(bad(format!("config_dir `{dir}` is not a folder"))),
            None => return Err(bad(format!("config_dir `{dir}` does not exist"))),
        }
    }
    Ok(())
}
