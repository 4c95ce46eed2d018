//! `git ar claim`.

use std::path::PathBuf;

use clap::Subcommand;

use super::{Recording, Reply, Session};
use crate::ops::claim::{self, Wish};
use crate::state::problem::{Kind, Problems};

/// Recompute the figures and comparisons in prose from the raw seeds
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar claim check\n  git ar claim check projects/anp-snn/findings/ttfs.yaml")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Say of every figure and comparison whether the results carry it (the default)
    ///
    /// Without a file: analysis.md and conclusion.md of the open iterations, and the findings of their projects.
    /// Ends with 1 when a claim is contradicted or without a source. docs/claims.md tells what counts as a claim.
    #[command(
        after_help = "Examples:\n  git ar claim check\n  git ar claim check --iter anp-snn/8b\n  git ar claim check --all"
    )]
    Check {
        /// Markdown, findings or boards
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The documents of one iteration, as PROJECT/ID or ID
        #[arg(long, value_name = "ID", conflicts_with = "files")]
        iter: Option<String>,
        /// Every iteration, finding and board
        #[arg(long, conflicts_with_all = ["files", "iter"])]
        all: bool,
    },
}

pub(super) fn run(session: &Session, args: Args) -> Result<Reply, Problems> {
    let wish = match args.verb {
        Some(Verb::Check { files, iter, all }) => {
            let files = files.into_iter().map(|file| session.folder.join(file)).collect();
            Wish { files, iteration: iter, all }
        }
        None => Wish::default(),
    };
    session.with(Recording::default(), |context| {
        let checked = claim::check(context, &wish)?;
        let problems = checked.problems();
        let reply = Reply::new(&checked);
        Ok(if problems.is_empty() { reply } else { reply.code(Kind::Found) })
    })
}
