//! `git ar migrate`.

use super::{Recording, Reply, Session};
use crate::ops::migrate;
use crate::state::load;
use crate::state::problem::Problems;
use crate::state::tree::Tree as _;
use crate::state::yaml;

/// Bring state files of an older version to the present one
///
/// Each file is edited in place: comments and order survive. A file of a newer version stays as it is. Run twice, it
/// changes nothing.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  git ar migrate --dry-run   the change as a diff, nothing written\n  git ar migrate"
)]
pub(super) struct Args {
    /// Show the change as a diff, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    recording: Recording,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    let repo = session.repo()?;
    // The settings may themselves be of an older version.
    let unset = || yaml::from_str("schema: 1\n").expect("every other setting has a default");
    if repo.work_tree().read(load::SETTINGS)?.is_none() {
        return Err(load::not_managed().into());
    }
    let settings = load::settings(&repo.work_tree()).ok().flatten().unwrap_or_else(unset);
    let outcome = session.on(repo, settings, args.recording, |context| migrate::run(context, args.dry_run))?;
    Ok(Reply::new(&outcome).warn(outcome.warnings.clone()))
}
