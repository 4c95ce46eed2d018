//! What the rules cannot know from files alone: cells that compose, digests of configs and code, comparisons.

use super::Context;
use crate::repo::{CommitTree, code};
use crate::state::claims::{Checker, Claim};
use crate::state::compare;
use crate::state::entities::{Planned, Settings};
use crate::state::load::{self, IterationView, RunView};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::rules::{Cell, Facts};
use crate::state::tree::Tree;

/// Facts about one tree.
pub struct TreeFacts<'a> {
    /// What surrounds the command.
    pub context: &'a Context<'a>,
    /// The tree that is judged.
    pub tree: &'a dyn Tree,
}

impl TreeFacts<'_> {
    /// The settings of the tree itself; a branch may have others than the work tree.
    fn settings(&self) -> Result<Settings, Problem> {
        Ok(load::settings(self.tree)?.unwrap_or_else(|| self.context.settings.clone()))
    }

    /// The digest of the code in a commit's tree, by that tree's own settings. What does not read there counts as none.
    fn code_of(&self, tree: &CommitTree) -> Result<String, Problem> {
        let roots = load::settings(tree).ok().flatten().map_or_else(Vec::new, |s| s.code);
        self.context.repo.code_tree(tree, &roots)
    }
}

impl Facts for TreeFacts<'_> {
    fn cells(&self, planned: &Planned) -> Result<Vec<Cell>, Problems> {
        super::cells::of_plan(self.tree, &self.settings()?, planned, self.context.env)
    }

    fn against_cluster(&self, planned: &Planned) -> Result<Vec<Problem>, Problem> {
        super::cells::against_cluster(self.tree, &self.settings()?, planned)
    }

    fn config_digest(&self, path: &str, config: &[u8]) -> Result<String, Problem> {
        super::cells::digest_of(path, config)
    }

    fn code_tree(&self) -> Result<String, Problem> {
        code::digest_of(self.tree, &self.settings()?.code)
    }

    fn code_tree_of(&self, commit: &str) -> Result<Option<String>, Problem> {
        match self.context.repo.commit_tree(commit) {
            Ok(tree) => self.code_of(&tree).map(Some),
            Err(problem) if problem.kind == Kind::Ambiguous => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    fn is_known_code(&self, code_tree: &str) -> Result<bool, Problem> {
        let repo = &self.context.repo;
        let Some(head) = repo.head()?.commit else { return Ok(false) };
        // Newest first: what was anchored lately is found after few commits.
        for commit in repo.commits(&head)?.iter().rev() {
            if self.code_of(&repo.commit_tree(&commit.id)?)? == code_tree {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn claims(&self, documents: &[String]) -> Result<Vec<Claim>, Problem> {
        let checker = Checker::new(self.tree)?;
        let mut found = Vec::new();
        for path in documents {
            if let Some(bytes) = self.tree.read(path)? {
                found.extend(checker.file(path, &bytes)?);
            }
        }
        Ok(found)
    }

    fn comparison(&self, view: &IterationView, runs: &[RunView]) -> Result<String, Problem> {
        Ok(compare::iteration(self.tree, view, runs)?.body())
    }
}
