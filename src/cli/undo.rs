//! `git ar undo`.

use super::{Recording, Reply, Session};
use crate::ops::undo;
use crate::state::problem::Problems;

/// Take back the last commits that git-ar made
///
/// Only git-ar's own commits at the end of the branch, and only while their files are as committed. Commits that are
/// not pushed go from the branch, and every file is as it was before the command, with what you had written and not
/// committed; git keeps them, and the output names them. A pushed commit is taken back by a new one, where the rules allow
/// that. What cannot be taken back, such as a submitted job, is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar undo --dry-run\n  git ar undo\n  git ar undo 3")]
pub(super) struct Args {
    /// How many commits
    #[arg(value_name = "N", default_value_t = 1)]
    count: usize,
    /// Say what would be taken back, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    session.with(Recording::default(), |context| {
        let undone = undo::undo(context, args.count, args.dry_run)?;
        Ok(Reply::new(&undone).nexts(undone.next()))
    })
}
