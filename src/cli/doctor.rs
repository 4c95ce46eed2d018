//! `git ar doctor`: what is missing here, and how to get it.

use super::{Reply, Session};
use crate::ops::doctor::{Patient, doctor};
use crate::state::problem::{Kind, Problems};

/// Look at this machine and repository: what is missing, and how to get it
///
/// Changes nothing and works outside of a repository too. Ends with 1 when git-ar cannot work here; what is only
/// missing for some work is told and does not count.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar doctor\n  git ar doctor --json")]
pub(super) struct Args {}

pub(super) fn run(session: &Session, _: &Args) -> Result<Reply, Problems> {
    let env = |name: &str| session.env(name);
    let outcome = doctor(&Patient { folder: &session.folder, exe: &session.exe, env: &env });
    let reply = Reply::new(&outcome);
    Ok(if outcome.is_well() { reply } else { reply.code(Kind::Found) })
}
