//! `git ar gate`.

use clap::Subcommand;

use super::{Recording, Reply, Session};
use crate::ops::gates;
use crate::state::problem::Problems;

/// List the gates of an iteration, or set one aside
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  git ar gate list\n  git ar gate waive smoke --reason \"the node is down until Monday\" --until 2026-12-01"
)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// List the gates before the next step (the default)
    #[command(after_help = "Example:\n  git ar gate list")]
    List {
        /// PROJECT/ID, or ID; the active one otherwise
        iteration: Option<String>,
    },
    /// Set one gate aside, with a reason and a last day
    #[command(after_help = "Example:\n  git ar gate waive smoke --reason \"the node is down\" --until 2026-12-01")]
    Waive {
        /// The gate's name
        gate: String,
        /// PROJECT/ID, or ID; the active one otherwise
        iteration: Option<String>,
        /// Why; boards show it as a footnote
        #[arg(long)]
        reason: String,
        /// The last day on which the waiver holds, such as 2026-12-31
        #[arg(long, value_name = "DAY")]
        until: jiff::civil::Date,
        #[command(flatten)]
        recording: Recording,
    },
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    match &args.verb {
        Some(Verb::Waive { gate, iteration, reason, until, recording }) => session.with(*recording, |context| {
            let waived = gates::waive(context, iteration.as_deref(), gate, reason, *until)?;
            Ok(Reply::new(&waived).next(format!("git ar phase next {}", waived.iteration)))
        }),
        Some(Verb::List { iteration }) => list(session, iteration.as_deref()),
        None => list(session, None),
    }
}

fn list(session: &Session, iteration: Option<&str>) -> Result<Reply, Problems> {
    session.with(Recording::default(), |context| {
        let standing = gates::standing(context, iteration)?;
        let next = standing.next().into_iter().filter(|c| !c.starts_with("git ar phase why"));
        Ok(Reply::new(&standing).nexts(next))
    })
}
