//! `git ar phase`.

use clap::Subcommand;

use super::{Recording, Reply, Session};
use crate::ops::{gates, phase};
use crate::state::phase::Phase;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::text::nearest;

/// Show where an iteration stands, and take its next step
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  git ar phase                     where the active iteration stands\n  git ar phase next                one step forward, if its gates hold\n  git ar phase back --to implement --reason \"the loss was not scaled\""
)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Show phase and gates (the default)
    #[command(after_help = "Example:\n  git ar phase show anp-snn/8")]
    Show {
        /// PROJECT/ID, or ID; the active one otherwise
        iteration: Option<String>,
        /// Render the comparison in analysis.md anew
        #[arg(long)]
        write: bool,
        #[command(flatten)]
        recording: Recording,
    },
    /// Take one step forward
    #[command(after_help = "Example:\n  git ar phase next")]
    Next {
        /// PROJECT/ID, or ID; the active one otherwise
        iteration: Option<String>,
        #[command(flatten)]
        recording: Recording,
    },
    /// Take one step back, with the reason
    #[command(after_help = "Example:\n  git ar phase back --to implement --reason \"the loss was not scaled\"")]
    Back {
        /// PROJECT/ID, or ID; the active one otherwise
        iteration: Option<String>,
        /// The phase to go back to
        #[arg(long, value_parser = phase_word)]
        to: Phase,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        recording: Recording,
    },
    /// Say what keeps an iteration from its next step
    #[command(after_help = "Example:\n  git ar phase why")]
    Why {
        /// PROJECT/ID, or ID; the active one otherwise
        iteration: Option<String>,
    },
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    match &args.verb {
        Some(Verb::Next { iteration, recording }) => session.with(*recording, |context| {
            let step = phase::next(context, iteration.as_deref())?;
            Ok(Reply::new(&step).nexts(step.next(context)).warn(step.recorded.warnings.clone()))
        }),
        Some(Verb::Back { iteration, to, reason, recording }) => session.with(*recording, |context| {
            let step = phase::back(context, iteration.as_deref(), *to, reason)?;
            Ok(Reply::new(&step).nexts(step.next(context)).warn(step.recorded.warnings.clone()))
        }),
        Some(Verb::Show { iteration, write: true, recording }) => {
            session.with(*recording, |context| Ok(Reply::new(&phase::write_comparison(context, iteration.as_deref())?)))
        }
        Some(Verb::Show { iteration, .. } | Verb::Why { iteration }) => standing(session, iteration.as_deref()),
        None => standing(session, None),
    }
}

fn standing(session: &Session, iteration: Option<&str>) -> Result<Reply, Problems> {
    session.with(Recording::default(), |context| {
        let standing = gates::standing(context, iteration)?;
        let next = standing.next().into_iter().filter(|c| !c.starts_with("git ar phase why"));
        Ok(Reply::new(&standing).nexts(next))
    })
}

/// A phase by its word.
fn phase_word(word: &str) -> Result<Phase, Problem> {
    let words = crate::state::phase::PHASES;
    words.into_iter().find(|p| p.word() == word).ok_or_else(|| {
        let near = nearest(word, words.iter().map(|p| p.word())).map(|n| format!("; did you mean `{n}`?"));
        Problem::new(Kind::Usage, "usage", format!("there is no phase `{word}`{}", near.unwrap_or_default()))
    })
}
