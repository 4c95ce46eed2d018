//! `git ar start`.

use super::{Recording, Reply, Session};
use crate::ops::start;
use crate::state::problem::Problems;

/// Start an iteration on a topic: a new project, or the next iteration of one
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  git ar start \"research architectures for image classification\"\n  git ar start \"does width help?\" --project image-classification"
)]
pub(super) struct Args {
    /// The direction, in a person's words
    topic: String,
    /// Begin in this project instead of a new one
    #[arg(long, short)]
    project: Option<String>,
    #[command(flatten)]
    recording: Recording,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    session.with(args.recording, |context| {
        let started = start::start(context, &args.topic, args.project.as_deref())?;
        Ok(Reply::new(&started).nexts(started.next()).warn(started.recorded.warnings.clone()))
    })
}
