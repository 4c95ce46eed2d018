//! `git ar doctor`: what is missing here, and how to get it.

use super::{Reply, Session};
use crate::ops::doctor::{Patient, doctor, fix};
use crate::state::problem::{Kind, Problems};

/// Look at this machine and repository: what is missing, and how to get it
///
/// Changes nothing and works outside of a repository too. Ends with 1 when git-ar cannot work here; what is only
/// missing for some work is told and does not count. With --fix it first mends what can be mended without a guess: a
/// change that was killed half-way, the lock and the temporary files of a process that runs no more, missing hooks.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar doctor\n  git ar doctor --fix")]
pub(super) struct Args {
    /// Mend what can be mended, and say what was done
    #[arg(long)]
    fix: bool,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    let env = |name: &str| session.env(name);
    let patient = Patient { folder: &session.folder, exe: &session.exe, env: &env };
    let outcome = if args.fix { fix(&patient) } else { doctor(&patient) };
    let reply = Reply::new(&outcome);
    Ok(if outcome.is_well() { reply } else { reply.code(Kind::Found) })
}
