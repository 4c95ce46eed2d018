//! `git ar iter`.

use clap::Subcommand;

use super::{Recording, Reply, Session};
use crate::ops::{iter, phase, renumber};
use crate::state::ids::IterId;
use crate::state::problem::Problems;

/// List, show, plan or abandon iterations
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  git ar iter new anp-snn \"SRNN, rate code\"\n  git ar iter new anp-snn \"TTFS, threshold 0.9\" --supersedes 8 --inherit\n  git ar iter abandon anp-snn/8 --reason \"the encoder stays silent\""
)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Plan an iteration
    #[command(after_help = "Example:\n  git ar iter new anp-snn \"SRNN, rate code\"")]
    New {
        /// The project, or the beginning of its name
        project: String,
        /// What it is about
        topic: String,
        /// Its id, such as 8 or 8b; the next number otherwise
        #[arg(long)]
        id: Option<IterId>,
        /// The iteration that it replaces
        #[arg(long, value_name = "ID")]
        supersedes: Option<IterId>,
        /// Take over question, hypothesis, prediction, plan and survey of the one it supersedes
        #[arg(long, requires = "supersedes")]
        inherit: bool,
        #[command(flatten)]
        recording: Recording,
    },
    /// List iterations (the default)
    #[command(after_help = "Example:\n  git ar iter list")]
    List {
        /// Only this project's
        project: Option<String>,
    },
    /// Show one iteration and its runs
    #[command(after_help = "Example:\n  git ar iter show anp-snn/8")]
    Show {
        /// PROJECT/ID, or ID; the active one otherwise
        iteration: Option<String>,
    },
    /// Give an iteration another id, and mend what refers to it
    #[command(
        after_help = "Examples:\n  git ar iter renumber anp-snn/8 12\n  git ar iter renumber anp-snn/8-ttfs-again 12      when two folders have the id 8"
    )]
    Renumber {
        /// PROJECT/ID, or PROJECT/FOLDER when two iterations have the id
        iteration: String,
        /// The new id
        to: IterId,
        #[command(flatten)]
        recording: Recording,
    },
    /// Give an iteration up, with the reason
    #[command(after_help = "Example:\n  git ar iter abandon anp-snn/8 --reason \"the encoder stays silent\"")]
    Abandon {
        /// PROJECT/ID, or ID
        iteration: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        recording: Recording,
    },
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    let reading = Recording::default();
    match &args.verb {
        None => session.with(reading, |context| Ok(Reply::new(&iter::list(context, None)?))),
        Some(Verb::List { project }) => {
            session.with(reading, |context| Ok(Reply::new(&iter::list(context, project.as_deref())?)))
        }
        Some(Verb::Show { iteration }) => {
            session.with(reading, |context| Ok(Reply::new(&iter::show(context, iteration.as_deref())?)))
        }
        Some(Verb::New { project, topic, id, supersedes, inherit, recording }) => session.with(*recording, |context| {
            let new = iter::new(context, Some(project), topic, *id, *supersedes, *inherit)?;
            Ok(Reply::new(&new).next(format!("git ar phase next {}", new.iteration)))
        }),
        Some(Verb::Renumber { iteration, to, recording }) => {
            session.with(*recording, |context| Ok(Reply::new(&renumber::renumber(context, iteration, *to)?)))
        }
        Some(Verb::Abandon { iteration, reason, recording }) => {
            session.with(*recording, |context| Ok(Reply::new(&phase::abandon(context, iteration, reason)?)))
        }
    }
}
