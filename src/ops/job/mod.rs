//! `job`: the scheduler jobs of runs. Looking is free of side effects; a job's end is recorded by `tick` alone.

mod cancel;
mod files;
mod list;
mod resubmit;
mod why;

pub use cancel::{Canceled, cancel};
pub use files::{Logs, Script, logs, script};
pub use list::{Listed, in_places, list};
pub use resubmit::{Resubmitted, resubmit};
pub use why::{Why, why};

use super::Context;
use super::run::{self, Found};
use super::site::Site;
use super::tick;
use crate::repo::CommitTree;
use crate::state::load::RunView;
use crate::state::problem::{Kind, Problem};
use crate::state::record::Attempt;

/// One attempt that a person named.
struct Named {
    tree: CommitTree,
    found: Found,
    view: RunView,
    number: u32,
    attempt: Attempt,
}

impl Named {
    /// The attempt of a run: the one that is named, else the newest.
    fn find(context: &Context<'_>, name: &str, attempt: Option<u32>) -> Result<Self, Problem> {
        let tree = tick::tip(context)?;
        let (place, view) = run::one(&tree, name)?;
        let newest = view.attempts.keys().next_back().copied();
        let wanted = attempt.or(newest).and_then(|number| Some((number, view.attempts.get(&number)?.clone())));
        let iteration = place.iteration.as_ref().map(|view| view.id);
        let found = Found { project: place.project, iteration, parent: place.folder, id: view.id.clone() };
        match wanted {
            Some((number, attempt)) => Ok(Self { tree, found, view, number, attempt }),
            None => {
                let message = match attempt {
                    Some(number) => format!("run {} has no attempt {number}", view.id),
                    None => format!("run {} has no attempt on record", view.id),
                };
                Err(Problem::new(Kind::Ambiguous, "no-attempt", message).hint(format!("git ar run show {}", view.id)))
            }
        }
    }

    /// `RUN.ATTEMPT`.
    fn name(&self) -> String {
        format!("{}.{}", self.found.id, self.number)
    }

    /// The cluster of the attempt.
    fn site(&self, context: &Context<'_>) -> Result<Site, Problem> {
        Site::open(context, &self.tree, &self.attempt.cluster)
    }

    /// The scheduler's id of the attempt.
    fn job(&self) -> Result<&String, Problem> {
        self.attempt.job.as_ref().ok_or_else(|| {
            let message = format!("the record of {} names no job", self.name());
            Problem::new(Kind::Ambiguous, "no-job", message).hint("git ar tick   finds out what became of a submit")
        })
    }
}
