//! `git ar run verify` and `git ar run triage`: runs that are looked at again.

use super::{Recording, Reply, Session};
use crate::ops::{run_triage, run_verify};
use crate::state::problem::{Kind, Problems};

/// Look at a run again: anchor, snapshot, config, attestation, results
///
/// Writes nothing and asks no cluster. Ends with 1 when something is not as recorded.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  git ar run verify kq7f3")]
pub(super) struct VerifyArgs {
    /// The run, by a unique prefix of its id
    run: String,
}

/// Tell of the runs that did not end well: cause, the lines that matter, what to type next
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar run triage\n  git ar run triage kq7f3")]
pub(super) struct TriageArgs {
    /// One run, by a unique prefix of its id
    run: Option<String>,
}

pub(super) fn verify(session: &Session, args: &VerifyArgs) -> Result<Reply, Problems> {
    session.with(Recording::default(), |context| {
        let verified = run_verify::verify(context, &args.run)?;
        let reply = Reply::new(&verified);
        Ok(if verified.differs() {
            reply.code(Kind::Found).next(format!("git ar run exclude {} --reason TEXT", verified.run))
        } else {
            reply
        })
    })
}

pub(super) fn triage(session: &Session, args: &TriageArgs) -> Result<Reply, Problems> {
    session.with(Recording::default(), |context| {
        let triage = run_triage::triage(context, args.run.as_deref())?;
        let next: Vec<String> = triage.cases.iter().map(|case| case.next.clone()).collect();
        Ok(Reply::new(&triage).nexts(next))
    })
}
