//! `git ar check`.

use super::{Recording, Reply, Session};
use crate::ops::check;
use crate::state::problem::Problems;

/// Check that state is in order and every step legal
///
/// Without options what is staged is checked, as the pre-commit hook does. Nothing is written.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  git ar check                              what is staged\n  git ar check --range origin/develop..HEAD every commit of a branch, as CI does\n  git ar check --tree HEAD                  one commit's files, gates apart"
)]
pub(super) struct Args {
    /// Check what is staged (the default)
    #[arg(long, conflicts_with_all = ["range", "tree"])]
    staged: bool,
    /// Check every commit of a range, oldest first
    #[arg(long, value_name = "A..B", conflicts_with = "tree")]
    range: Option<String>,
    /// Check the files of one commit
    #[arg(long, value_name = "REV")]
    tree: Option<String>,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    session.with(Recording::default(), |context| {
        let report = match (&args.range, &args.tree) {
            (Some(range), _) => check::range(context, range)?,
            (None, Some(rev)) => check::tree(context, rev)?,
            (None, None) => check::staged(context)?,
        };
        Ok(Reply::new(&report).warn(report.warnings.clone()))
    })
}
