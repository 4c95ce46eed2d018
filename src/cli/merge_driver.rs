//! `git ar merge-driver`: what git calls for a state file that two branches changed.

use super::{Reply, Session};
use crate::ops::merge_driver::{self, Request};
use crate::state::problem::{Kind, Problems};

/// Merge one state file; git calls this
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  git ar hook install       lets git call it: git-ar merge-driver %O %A %B %P %L %X %Y"
)]
pub(super) struct Args {
    /// The file with the common ancestor's version
    base: String,
    /// The file with our version; the result is written there
    ours: String,
    /// The file with their version
    theirs: String,
    /// The path that is merged
    path: String,
    /// The length of conflict markers
    #[arg(default_value_t = 7)]
    marker: usize,
    /// What our version is called
    #[arg(default_value = "ours")]
    our_name: String,
    /// What their version is called
    #[arg(default_value = "theirs")]
    their_name: String,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    // An older git hands over `%X` as it stands.
    let name = |given: &str, other: &str| if given.starts_with('%') { other.to_string() } else { given.to_string() };
    let outcome = merge_driver::run(&Request {
        folder: session.folder.clone(),
        base: args.base.clone(),
        ours: args.ours.clone(),
        theirs: args.theirs.clone(),
        path: args.path.clone(),
        names: [name(&args.our_name, "ours"), name(&args.their_name, "theirs")],
        marker: args.marker,
    })?;
    let reply = Reply::new(&outcome);
    Ok(if outcome.conflict { reply.code(Kind::Found) } else { reply })
}
