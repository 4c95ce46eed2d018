//! Commits: what a name stands for, ranges, ancestry, what was pushed.

use gix::ObjectId;
use gix::revision::walk::Sorting;

use super::Repo;
use super::objects::{explain, is_unreadable};
use crate::state::problem::{Kind, Problem};

/// A commit of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitInfo {
    /// Its id in hexadecimal.
    pub id: String,
    /// Its parents' ids, first parent first.
    pub parents: Vec<String>,
    /// The committer's time in seconds since 1970, UTC.
    pub time: i64,
    /// The first line of its message.
    pub subject: String,
}

impl Repo {
    /// The id of the commit that `rev` names (`HEAD`, a branch, a tag, an abbreviation, `HEAD~2`).
    ///
    /// # Errors
    /// [`Kind::Ambiguous`] when it names none.
    pub fn resolve(&self, rev: &str) -> Result<String, Problem> {
        self.resolve_object(&format!("{rev}^{{commit}}"), rev).map(|id| id.to_string())
    }

    /// The object that `spec` names; `said` is what the person wrote.
    pub(super) fn resolve_object(&self, spec: &str, said: &str) -> Result<ObjectId, Problem> {
        if said.is_empty() || said.starts_with('-') {
            return Err(unknown(said));
        }
        self.git.rev_parse_single(spec).map(gix::Id::detach).map_err(|error| match is_unreadable(&error) {
            true => explain("revision", said, &error),
            false => unknown(said),
        })
    }

    /// One commit.
    ///
    /// # Errors
    /// [`Kind::Ambiguous`] when `rev` names none.
    pub fn commit(&self, rev: &str) -> Result<CommitInfo, Problem> {
        let id = self.resolve_object(&format!("{rev}^{{commit}}"), rev)?;
        self.info(id)
    }

    /// The commits of a range `A..B`, parents before children; a single revision is that commit with all its
    /// ancestors. `A...B` is not a range.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a malformed range, [`Kind::Ambiguous`] for a name without commit.
    pub fn commits(&self, range: &str) -> Result<Vec<CommitInfo>, Problem> {
        let (hidden, tip) = match range.split_once("..") {
            Some((_, tip)) if tip.starts_with('.') => {
                return Err(Problem::new(Kind::Usage, "range", format!("`{range}` is no range of the form A..B")));
            }
            Some((from, tip)) => {
                let or_head = |rev: &str| if rev.is_empty() { "HEAD".to_string() } else { rev.to_string() };
                (vec![or_head(from)], or_head(tip))
            }
            None => (Vec::new(), range.to_string()),
        };
        self.commits_not_in(&hidden, &tip)
    }

    /// The ancestors of `tip` (with it) that no commit of `hidden` has among its own, parents before children.
    ///
    /// # Errors
    /// [`Kind::Ambiguous`] for a name without commit, [`Kind::Io`] for a history that cannot be read.
    pub fn commits_not_in(&self, hidden: &[String], tip: &str) -> Result<Vec<CommitInfo>, Problem> {
        let commit = |rev: &str| self.resolve_object(&format!("{rev}^{{commit}}"), rev);
        let hidden = hidden.iter().map(|rev| commit(rev)).collect::<Result<Vec<_>, _>>()?;
        let walk = self
            .git
            .rev_walk([commit(tip)?])
            .with_hidden(hidden)
            .sorting(Sorting::BreadthFirst)
            .all()
            .map_err(|error| explain("history", "The history", &error))?;
        let mut found = Vec::new();
        for info in walk {
            let info = info.map_err(|error| explain("history", "The history", &error))?;
            found.push(self.info(info.id)?);
        }
        Ok(parents_first(found))
    }

    /// The commits that a merge under way brings in; none outside of one.
    ///
    /// # Errors
    /// [`Kind::Ambiguous`] when one of them is not in this clone.
    pub fn merge_heads(&self) -> Result<Vec<String>, Problem> {
        // Without the file there is no merge under way.
        let heads = std::fs::read_to_string(self.git_dir().join("MERGE_HEAD")).unwrap_or_default();
        heads.lines().map(|id| self.resolve(id)).collect()
    }

    fn info(&self, id: ObjectId) -> Result<CommitInfo, Problem> {
        let unreadable = |error: gix::Error| explain("commit", &format!("The commit {id}"), &error);
        let commit = self.git.find_commit(id).map_err(unreadable)?;
        let time = commit.time().map_err(unreadable)?.seconds;
        let subject = commit.message_raw_sloppy().split(|b| *b == b'\n').next().map(super::objects::shown);
        Ok(CommitInfo {
            id: id.to_string(),
            parents: commit.parent_ids().map(|parent| parent.to_string()).collect(),
            time,
            subject: subject.unwrap_or_default(),
        })
    }

    /// The first commit of the history that leads to `rev`, by first parents: the same in every clone.
    ///
    /// # Errors
    /// [`Kind::Ambiguous`] when `rev` names none; [`Kind::Io`] for a history that cannot be read, or whose beginning
    /// is not in this clone.
    pub fn root_commit(&self, rev: &str) -> Result<String, Problem> {
        if self.is_shallow() {
            let problem = Problem::new(Kind::Io, "shallow", "the beginning of the history is not in this clone");
            return Err(problem.hint("git fetch --unshallow"));
        }
        let tip = self.resolve_object(&format!("{rev}^{{commit}}"), rev)?;
        let walk = self.git.rev_walk([tip]).first_parent_only().all();
        let walk = walk.map_err(|error| explain("history", "The history", &error))?;
        let mut last = tip;
        for info in walk {
            last = info.map_err(|error| explain("history", "The history", &error))?.id;
        }
        Ok(last.to_string())
    }

    /// The newest commit that `wanted` takes, `tip` or one of its ancestors; none when there is no such commit.
    ///
    /// # Errors
    /// As [`Repo::commits`], and what `wanted` finds.
    pub fn newest(
        &self,
        tip: &str,
        mut wanted: impl FnMut(&str) -> Result<bool, Problem>,
    ) -> Result<Option<String>, Problem> {
        use gix::traverse::commit::simple::CommitTimeOrder;
        let from = self.resolve_object(&format!("{tip}^{{commit}}"), tip)?;
        let walk = self.git.rev_walk([from]).sorting(Sorting::ByCommitTime(CommitTimeOrder::NewestFirst)).all();
        for info in walk.map_err(|error| explain("history", "The history", &error))? {
            let id = info.map_err(|error| explain("history", "The history", &error))?.id.to_string();
            if wanted(&id)? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// The whole message of a commit.
    ///
    /// # Errors
    /// [`Kind::Ambiguous`] when `rev` names none.
    pub fn message(&self, rev: &str) -> Result<String, Problem> {
        let id = self.resolve_object(&format!("{rev}^{{commit}}"), rev)?;
        let commit =
            self.git.find_commit(id).map_err(|error| explain("commit", &format!("The commit {id}"), &error))?;
        Ok(commit.message_raw_sloppy().to_string())
    }

    /// Whether `old` is `new` or one of its ancestors.
    ///
    /// # Errors
    /// [`Kind::Ambiguous`] when one of them names no commit.
    pub fn is_ancestor(&self, old: &str, new: &str) -> Result<bool, Problem> {
        let commit = |rev: &str| self.resolve_object(&format!("{rev}^{{commit}}"), rev);
        let (old, new) = (commit(old)?, commit(new)?);
        if old == new {
            return Ok(true);
        }
        let base = self.git.merge_base(old, new).map_err(|error| explain("history", "The history", &error))?;
        Ok(base.is_some_and(|base| base == old))
    }

    /// The tips of the remote-tracking branches as (short name, commit id), such as `origin/develop`.
    ///
    /// # Errors
    /// [`Kind::Io`] when the refs cannot be read.
    pub fn remote_branches(&self) -> Result<Vec<(String, String)>, Problem> {
        self.tips(true)
    }

    /// The tips of the local branches as (short name, commit id).
    ///
    /// # Errors
    /// [`Kind::Io`] when the refs cannot be read.
    pub fn local_branches(&self) -> Result<Vec<(String, String)>, Problem> {
        self.tips(false)
    }

    fn tips(&self, remote: bool) -> Result<Vec<(String, String)>, Problem> {
        let unreadable = |error: gix::Error| explain("refs", "The refs", &error);
        let refs = self.git.references().map_err(unreadable)?;
        let branches = if remote { refs.remote_branches() } else { refs.local_branches() }.map_err(unreadable)?;
        let mut tips = Vec::new();
        for branch in branches {
            let Ok(mut branch) = branch else { continue };
            let name = branch.name().shorten().to_string();
            if remote && name.ends_with("/HEAD") {
                continue;
            }
            let Ok(id) = branch.peel_to_id() else { continue };
            tips.push((name, id.to_string()));
        }
        Ok(tips)
    }

    /// Whether some remote-tracking branch contains the commit.
    ///
    /// # Errors
    /// [`Kind::Ambiguous`] when `rev` names none, [`Kind::Io`] when the refs cannot be read.
    pub fn is_pushed(&self, rev: &str) -> Result<bool, Problem> {
        for (_, tip) in self.remote_branches()? {
            if self.is_ancestor(rev, &tip)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The commits reordered so that each follows its parents; otherwise older first.
fn parents_first(commits: Vec<CommitInfo>) -> Vec<CommitInfo> {
    use std::collections::{BTreeSet, HashMap};
    let position: HashMap<String, usize> = commits.iter().enumerate().map(|(i, c)| (c.id.clone(), i)).collect();
    let mut waits = vec![0usize; commits.len()];
    let mut children = vec![Vec::new(); commits.len()];
    for (i, commit) in commits.iter().enumerate() {
        for parent in commit.parents.iter().filter_map(|p| position.get(p)) {
            waits[i] += 1;
            children[*parent].push(i);
        }
    }
    let key = |i: usize| (commits[i].time, std::cmp::Reverse(i));
    let mut ready: BTreeSet<_> = (0..commits.len()).filter(|i| waits[*i] == 0).map(key).collect();
    let mut order = Vec::with_capacity(commits.len());
    while let Some((_, std::cmp::Reverse(i))) = ready.pop_first() {
        order.push(i);
        for child in &children[i] {
            waits[*child] -= 1;
            if waits[*child] == 0 {
                ready.insert(key(*child));
            }
        }
    }
    let mut commits: Vec<Option<CommitInfo>> = commits.into_iter().map(Some).collect();
    order.into_iter().filter_map(|i| commits[i].take()).collect()
}

fn unknown(rev: &str) -> Problem {
    Problem::new(
        Kind::Ambiguous,
        "unknown-revision",
        format!("`{}` names no commit, or several", crate::state::text::printable(rev)),
    )
    .hint("git log --oneline")
}
