//! `git ar taint`.

use super::{Recording, Reply, Session};
use crate::ops::taint::{self, Standing, Wish};
use crate::state::problem::Problems;

/// Find the runs that a bug touched, and exclude them
///
/// A run is touched when its anchor contains the commit that brought the bug and not the one that mended it. With
/// paths, only when one of them was not as before at its anchor (a config file: only when the run's config would have
/// been another one). Runs whose anchor is gone are listed as unknown. Nothing changes without --apply.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  git ar taint --introduced 3fa91c\n  git ar taint --introduced 3fa91c --fixed 77b0e2 -- src/data.py\n  git ar taint --introduced 3fa91c --fixed 77b0e2 --apply --reason \"labels were shuffled\""
)]
pub(super) struct Args {
    /// The commit that brought the bug
    #[arg(long, value_name = "COMMIT")]
    introduced: String,
    /// The commit that mended it
    #[arg(long, value_name = "COMMIT")]
    fixed: Option<String>,
    /// Exclude the touched runs in one commit, with the boards
    #[arg(long)]
    apply: bool,
    /// Why they do not count; shown on the board
    #[arg(long, value_name = "TEXT", requires = "apply")]
    reason: Option<String>,
    /// Files or folders that the bug is in, from the top of the repository
    #[arg(last = true, value_name = "PATH")]
    paths: Vec<String>,
    #[command(flatten)]
    recording: Recording,
}

pub(super) fn run(session: &Session, args: Args) -> Result<Reply, Problems> {
    let Args { introduced, fixed, apply, reason, paths, recording } = args;
    let paths: Vec<String> = paths.iter().map(|path| path.trim_start_matches("./").to_string()).collect();
    let width = super::board::width(session);
    let typed: String = fixed.iter().map(|b| format!(" --fixed {b}")).collect();
    let behind = if paths.is_empty() { String::new() } else { format!(" -- {}", paths.join(" ")) };
    let again = format!("git ar taint --introduced {introduced}{typed} --apply{behind}");
    let wish = Wish { introduced, fixed, paths, apply, reason, width };
    session.with(recording, |context| {
        let tainted = taint::taint(context, &wish)?;
        let reply = Reply::new(&tainted).warn(tainted.recorded.warnings.clone());
        Ok(if !apply && tainted.count(Standing::Touched) > 0 { reply.next(again) } else { reply })
    })
}
