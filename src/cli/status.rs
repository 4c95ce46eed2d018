//! `git ar status`, `git ar resume` and `git ar next`: where things stand, and how to go on.

use super::{Recording, Reply, Session};
use crate::ops::{resume, status};
use crate::state::problem::Problems;

/// Show where everything stands
#[derive(clap::Args)]
#[command(after_help = "Example:\n  git ar status --json")]
pub(super) struct StatusArgs {}

/// Tell a fresh session what it needs to go on
#[derive(clap::Args)]
#[command(after_help = "Example:\n  git ar resume anp-snn/11")]
pub(super) struct ResumeArgs {
    /// PROJECT/ID, or ID; the active one otherwise
    iteration: Option<String>,
}

/// Print the commands to type next
#[derive(clap::Args)]
#[command(after_help = "Example:\n  git ar next")]
pub(super) struct NextArgs {
    /// PROJECT/ID, or ID; the active one otherwise
    iteration: Option<String>,
}

pub(super) fn status(session: &Session, _: &StatusArgs) -> Result<Reply, Problems> {
    session.with(Recording::default(), |context| {
        let status = status::status(context)?;
        Ok(Reply::new(&status).nexts(status.next()))
    })
}

pub(super) fn resume(session: &Session, args: &ResumeArgs) -> Result<Reply, Problems> {
    session.with(Recording::default(), |context| {
        let resumed = resume::resume(context, args.iteration.as_deref())?;
        Ok(Reply::new(&resumed).nexts(resumed.next()))
    })
}

pub(super) fn next(session: &Session, args: &NextArgs) -> Result<Reply, Problems> {
    session.with(Recording::default(), |context| {
        let next = resume::next(context, args.iteration.as_deref())?;
        let commands = next.commands.clone();
        let reply = Reply::new(&next);
        Ok(if session.json { reply.nexts(commands) } else { reply })
    })
}
