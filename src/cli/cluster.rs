//! `git ar cluster`.

use clap::Subcommand;

use super::{Recording, Reply, Session};
use crate::ops::{Context, cluster, cluster_doctor, cluster_setup};
use crate::state::problem::{Kind, Problems};

/// List, show, examine or set up the clusters where jobs can run
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar cluster show lengau\n  git ar cluster doctor lengau")]
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
    /// Look whether a cluster can do what its profile says, and what to do where it cannot
    ///
    /// Changes nothing, here or there. Ends with 1 when jobs cannot run there, and with 7 when it does not answer.
    #[command(after_help = "Example:\n  git ar cluster doctor lengau")]
    Doctor {
        /// The cluster; the only one that has a scheduler otherwise
        name: Option<String>,
    },
    /// Make what a cluster lacks before its first run: folders, a clone, a test job
    ///
    /// What is there stays as it is. Type it again to read what the test job found.
    #[command(after_help = "Examples:\n  git ar cluster setup lengau --dry-run\n  git ar cluster setup lengau")]
    Setup {
        /// The cluster
        name: String,
        /// Submit no test job
        #[arg(long)]
        no_job: bool,
        /// Print what would be run there, and touch nothing
        #[arg(long)]
        dry_run: bool,
    },
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    session.with(Recording::default(), |context| match &args.verb {
        Some(Verb::Show { cluster }) => Ok(Reply::new(&cluster::show(context, cluster)?)),
        Some(Verb::List) | None => Ok(Reply::new(&cluster::list(context)?)),
        Some(Verb::Doctor { name }) => doctor(context, name.as_deref()),
        Some(Verb::Setup { name, no_job, dry_run }) => {
            setup(context, cluster_setup::Wish { name, job: !no_job, dry_run: *dry_run })
        }
    })
}

fn doctor(context: &Context<'_>, name: Option<&str>) -> Result<Reply, Problems> {
    let name = name.map_or_else(|| cluster_doctor::only(context), |name| Ok(name.to_string()))?;
    let outcome = cluster_doctor::doctor(context, &name)?;
    let reply = Reply::new(&outcome);
    Ok(if outcome.is_well() { reply } else { reply.code(Kind::Found) })
}

fn setup(context: &Context<'_>, wish: cluster_setup::Wish<'_>) -> Result<Reply, Problems> {
    let outcome = cluster_setup::setup(context, wish)?;
    let reply = Reply::new(&outcome).next(format!("git ar cluster doctor {}", wish.name));
    Ok(if outcome.failed().is_none() { reply } else { reply.code(Kind::Found) })
}
