//! `git ar trust`.

use super::{Recording, Reply, Session};
use crate::ops::trust::{self, Wish};
use crate::state::problem::Problems;

/// Agree to the programs that this repository's files name
///
/// A trainer of your own, and what a cluster's profile puts around it, start only after a person of this clone has
/// agreed to the very words. Other words, after a pull for instance, are asked about again. The trainers that come
/// with git-ar need nobody's word. For CI: GIT_AR_TRUST holds digests as --list shows them, or `all`.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  git ar trust --list       what there is, and what is trusted\n  git ar trust              agree to all of it"
)]
pub(super) struct Args {
    /// Show what the files name, and change nothing
    #[arg(long, conflicts_with = "revoke")]
    list: bool,
    /// Take back what this clone trusts
    #[arg(long)]
    revoke: bool,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    let wish = match (args.list, args.revoke) {
        (true, _) => Wish::List,
        (_, true) => Wish::Revoke,
        _ => Wish::Trust,
    };
    session.with(Recording::default(), |context| Ok(Reply::new(&trust::run(context, wish)?)))
}
