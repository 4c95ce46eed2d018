//! Commits beside a person's checkout: a detached worktree of git-ar's own at a branch's tip, made there with hooks and
//! signing as anywhere, and then a branch that moves by compare-and-swap.
//!
//! Where the branch is checked out, the checkout follows by `git merge --ff-only`, which touches no file that is
//! edited, staged or unknown to git, or it does not follow and the branch stays.

use std::path::{Path, PathBuf};

use super::git::{Git, failed, said};
use super::store::{Lock, Store};
use super::{Environment, Repo};
use crate::state::problem::{Kind, Problem};

/// The code of the problem when the branch moved meanwhile: what was done is done again on its new tip.
pub const OVERTAKEN: &str = "overtaken";

/// A worktree of git-ar's own, at the tip of a branch and on none.
pub struct Apart {
    /// The repository, seen from that worktree.
    pub repo: Repo,
    branch: String,
    tip: String,
}

/// A worktree that has the branch checked out, or is in the middle of rebasing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// Its folder.
    pub top: PathBuf,
    /// What is under way in it.
    busy: Option<&'static str>,
}

impl Repo {
    /// The commit of a local branch; `None` when there is no such branch.
    #[must_use]
    pub fn branch_tip(&self, branch: &str) -> Option<String> {
        self.resolve(&format!("refs/heads/{branch}")).ok()
    }

    /// The worktree of git-ar's own, at the tip of `branch`. What a killed process left in it is gone.
    ///
    /// # Errors
    /// [`Kind::Refused`] when there is no such branch, [`Kind::Io`] when git cannot make the worktree.
    pub fn apart(&self, branch: &str) -> Result<Apart, Problem> {
        let tip = self.branch_tip(branch).ok_or_else(|| no_branch(branch))?;
        let folder = self.common_dir().join("ar").join("tick");
        if !self.has_worktree(&folder) {
            // Of a repository that was moved or copied: its links lead to where that was, and it holds nothing else.
            if folder.join(".git").is_file() {
                Store::retire(&folder)?;
            }
            let place = folder.to_string_lossy();
            let git = Git::at(self.common_dir()).without_large_files();
            git.text(&["worktree", "add", "--quiet", "--force", "--detach", &place, &tip])?;
        }
        let repo = Self::discover(&folder, Environment::Ignored)?;
        repo.recover()?;
        if repo.head()?.branch.is_some() || repo.in_progress().is_some() {
            let message = "somebody works in the worktree that git-ar keeps for itself";
            let problem = Problem::new(Kind::Locked, "apart", message).at(folder.display().to_string());
            return Err(problem.hint("finish there, then `git switch --detach` in it; git-ar needs it on no branch"));
        }
        repo.git().without_large_files().text(&["reset", "--quiet", "--hard", &tip])?;
        // Opened anew: it has seen the tip from now on.
        let repo = Self::discover(&folder, Environment::Ignored)?;
        Ok(Apart { repo, branch: branch.to_string(), tip })
    }

    fn has_worktree(&self, folder: &Path) -> bool {
        let found = Self::discover(folder, Environment::Ignored);
        found.is_ok_and(|repo| {
            repo.common_dir() == self.common_dir() && folder.canonicalize().is_ok_and(|f| f == repo.top())
        })
    }

    /// The worktrees that have a branch checked out.
    ///
    /// # Errors
    /// [`Kind::Io`] when git fails.
    pub fn checkouts(&self, branch: &str) -> Result<Vec<Checkout>, Problem> {
        let listed = Git::at(self.common_dir()).text(&["worktree", "list", "--porcelain"])?;
        let mut found = Vec::new();
        for block in listed.split("\n\n") {
            let Some(top) = block.lines().find_map(|line| line.strip_prefix("worktree ")).map(PathBuf::from) else {
                continue;
            };
            let bare = block.lines().any(|line| line == "bare");
            if bare || !top.is_dir() {
                continue;
            }
            let on_it = block.lines().any(|line| line.strip_prefix("branch refs/heads/") == Some(branch));
            let busy = Self::discover(&top, Environment::Ignored).ok().and_then(|repo| repo.under_way(branch));
            if on_it || busy == Some(REBASE) {
                found.push(Checkout { top, busy });
            }
        }
        Ok(found)
    }

    /// What is under way in this worktree that a branch which moves would disturb.
    fn under_way(&self, branch: &str) -> Option<&'static str> {
        let rebased = |folder: &str| {
            let name = std::fs::read_to_string(self.git_dir().join(folder).join("head-name")).unwrap_or_default();
            name.trim() == format!("refs/heads/{branch}")
        };
        if rebased("rebase-merge") || rebased("rebase-apply") { Some(REBASE) } else { self.in_progress() }
    }
}

const REBASE: &str = "a rebase";

impl Apart {
    /// The commit from which the branch is to move.
    #[must_use]
    pub fn tip(&self) -> &str {
        &self.tip
    }

    /// The checkouts of the branch, when a commit could land: at most one, and nothing under way in it.
    ///
    /// # Errors
    /// [`Kind::Locked`] when it could not, with what to finish first.
    pub fn may_land(&self) -> Result<Option<Checkout>, Problem> {
        let mut found = self.repo.checkouts(&self.branch)?;
        if let Some(Checkout { top, busy: Some(what) }) = found.iter().find(|checkout| checkout.busy.is_some()) {
            let message = format!("{} is in the middle of {what}, so {} cannot move", top.display(), self.branch);
            return Err(Problem::new(Kind::Locked, "in-progress", message)
                .hint("finish it first: git status there says how; then repeat the command"));
        }
        if found.len() > 1 {
            let tops: Vec<String> = found.iter().map(|c| c.top.display().to_string()).collect();
            let message = format!("{} is checked out in several worktrees: {}", self.branch, tops.join(", "));
            return Err(Problem::new(Kind::Locked, "several-checkouts", message)
                .hint("`git switch --detach` in all of them but one, then repeat the command"));
        }
        Ok(found.pop())
    }

    /// Moves the branch to the commit that this worktree is at now; a checkout of it follows. `why` stands in the
    /// reflog. Returns the new tip.
    ///
    /// # Errors
    /// [`Kind::Locked`]: with the code [`OVERTAKEN`] when the branch has moved meanwhile, otherwise when its checkout
    /// cannot follow. Branch and checkout are as before then.
    pub fn land(&self, why: &str) -> Result<String, Problem> {
        let new = self.repo.head()?.commit.ok_or_else(|| no_branch(&self.branch))?;
        if new == self.tip {
            return Ok(new);
        }
        let _lock = Lock::take(self.repo.common_dir(), why)?;
        if self.repo.branch_tip(&self.branch).as_deref() != Some(&self.tip) {
            return Err(self.overtaken());
        }
        match self.may_land()? {
            Some(checkout) => self.follow(&checkout.top, &new, why)?,
            None => {
                let name = format!("refs/heads/{}", self.branch);
                let output = self.repo.git().run(&["update-ref", "-m", why, &name, &new, &self.tip], b"")?;
                if !output.status.success() {
                    let moved = self.repo.branch_tip(&self.branch).as_deref() != Some(&self.tip);
                    return Err(if moved { self.overtaken() } else { failed(&["update-ref"], &output) });
                }
            }
        }
        Ok(new)
    }

    fn follow(&self, top: &Path, new: &str, why: &str) -> Result<(), Problem> {
        // What a person has set for their own merges does not belong here: no stash, no squash.
        let options = format!("branch.{}.mergeOptions=", self.branch);
        let arguments = ["-c", "merge.autoStash=false", "-c", &options, "merge", "--quiet", "--ff-only", new];
        let output = Git::at(top).because(why).run(&arguments, b"")?;
        let tip = self.repo.branch_tip(&self.branch);
        if output.status.success() && tip.as_deref() == Some(new) {
            return Ok(());
        }
        if tip.as_deref() != Some(&self.tip) {
            return Err(self.overtaken());
        }
        let problem = failed(&["merge"], &output);
        if problem.kind == Kind::Locked {
            return Err(problem);
        }
        let message =
            format!("the checkout of {} cannot follow without touching an edited file: {}", self.branch, said(&output));
        Err(Problem::new(Kind::Locked, "edited", message)
            .at(top.display().to_string())
            .hint("commit those edits, or take them elsewhere, and repeat the command; nothing was moved"))
    }

    fn overtaken(&self) -> Problem {
        Problem::new(Kind::Locked, OVERTAKEN, format!("{} has just moved", self.branch)).hint("repeat the command")
    }
}

fn no_branch(branch: &str) -> Problem {
    Problem::new(
        Kind::Refused,
        "no-branch",
        format!("there is no branch {branch} here, and `branch:` in configs/ar.yaml names it"),
    )
    .hint(format!("git branch {branch} origin/{branch}"))
}

#[cfg(test)]
mod tests;
