//! `git ar cluster`.

use clap::Subcommand;

use super::{Recording, Reply, Session};
use crate::ops::cluster;
use crate::state::problem::Problems;

/// List or show the clusters where jobs can run
#[derive(clap::Args)]
#[command(after_help = "Example:\n  git ar cluster show lengau")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// List the clusters (the default)
    #[command(after_help = "Example:\n  git ar cluster list")]
    List,
    /// Show one cluster: its queues with their limits, and what a job there still lacks
    #[command(after_help = "Example:\n  git ar cluster show lengau")]
    Show {
        /// Its name or the beginning of it
        cluster: String,
    },
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    session.with(Recording::default(), |context| match &args.verb {
        Some(Verb::Show { cluster }) => Ok(Reply::new(&cluster::show(context, cluster)?)),
        Some(Verb::List) | None => Ok(Reply::new(&cluster::list(context)?)),
    })
}
