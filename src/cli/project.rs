//! `git ar project`.

use clap::Subcommand;

use super::{Recording, Reply, Session};
use crate::ops::project;
use crate::state::problem::Problems;

/// List, show or make projects
#[derive(clap::Args)]
#[command(after_help = "Example:\n  git ar project new \"Spiking networks\" --slug anp-snn")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a project without an iteration
    #[command(after_help = "Example:\n  git ar project new \"Spiking networks\" --slug anp-snn")]
    New {
        /// Its title
        title: String,
        /// Its folder's name; made from the title otherwise
        #[arg(long)]
        slug: Option<String>,
        #[command(flatten)]
        recording: Recording,
    },
    /// List the projects (the default)
    #[command(after_help = "Example:\n  git ar project list")]
    List,
    /// Show one project
    #[command(after_help = "Example:\n  git ar project show anp-snn")]
    Show {
        /// Its name or the beginning of it; may be left out when there is one
        project: Option<String>,
    },
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    match &args.verb {
        Some(Verb::New { title, slug, recording }) => session.with(*recording, |context| {
            let new = project::new(context, title, slug.as_deref())?;
            Ok(Reply::new(&new).next(format!("git ar start \"TOPIC\" --project {}", new.project)))
        }),
        Some(Verb::Show { project }) => {
            session.with(Recording::default(), |context| Ok(Reply::new(&project::show(context, project.as_deref())?)))
        }
        Some(Verb::List) | None => {
            session.with(Recording::default(), |context| Ok(Reply::new(&project::list(context)?)))
        }
    }
}
