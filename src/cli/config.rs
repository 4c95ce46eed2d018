//! `git ar config`.

use std::path::PathBuf;

use clap::Subcommand;

use super::{Recording, Reply, Session};
use crate::ops::config::{self, Request, Side, Source};
use crate::state::problem::{Kind, Problem, Problems};

/// Compose, compare and check configs as Hydra does
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  git ar config show experiment=mnist_ffnn_adam optimizer.lr=1e-2\n  git ar config expand experiment=mnist_ffnn_adam seed=range(5)\n  git ar config diff mnist_ffnn_adam mnist_cnn_adam\n  git ar config show --config-dir ../other/configs --resolve -- ~optimizer.betas"
)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// What is composed, and from where
#[derive(clap::Args)]
struct What {
    /// A config folder anywhere; config_dir of configs/ar.yaml otherwise
    #[arg(long, value_name = "DIR")]
    config_dir: Option<PathBuf>,
    /// The primary config; `config` otherwise
    #[arg(long, value_name = "NAME")]
    config_name: Option<String>,
    /// Overrides, in Hydra's grammar; behind `--` where one begins with a dash
    overrides: Vec<String>,
}

#[derive(Subcommand)]
enum Verb {
    /// Print one composed config
    #[command(after_help = "Example:\n  git ar config show experiment=mnist_ffnn_adam --resolve")]
    Show {
        /// Follow the interpolations
        #[arg(long)]
        resolve: bool,
        #[command(flatten)]
        what: What,
    },
    /// Print the jobs of a sweep, one per line
    #[command(after_help = "Example:\n  git ar config expand experiment=mnist_ffnn_adam optimizer.lr=1e-2,1e-3")]
    Expand {
        /// Add each job's config to the JSON
        #[arg(long)]
        resolve: bool,
        #[command(flatten)]
        what: What,
    },
    /// Show what two experiments set differently; exit 1 when they differ
    #[command(
        after_help = "Examples:\n  git ar config diff mnist_ffnn_adam mnist_cnn_adam\n  git ar config diff HEAD~3:mnist_ffnn_adam mnist_ffnn_adam"
    )]
    Diff {
        /// An experiment, or REVISION:EXPERIMENT
        a: String,
        /// The other one
        b: String,
        /// Overrides for both
        overrides: Vec<String>,
    },
    /// Check that every experiment composes and fits its schema; exit 1 otherwise
    #[command(after_help = "Example:\n  git ar config lint")]
    Lint {
        /// A config folder anywhere; config_dir of configs/ar.yaml otherwise
        #[arg(long, value_name = "DIR")]
        config_dir: Option<PathBuf>,
    },
    /// Print the digest of a config and the text it is of
    #[command(after_help = "Example:\n  git ar config digest experiment=mnist_ffnn_adam")]
    Digest {
        #[command(flatten)]
        what: What,
    },
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    let env = |name: &str| session.env(name);
    match &args.verb {
        None => at(session, None, |source| lint(source, &env)),
        Some(Verb::Lint { config_dir }) => at(session, config_dir.as_ref(), |source| lint(source, &env)),
        Some(Verb::Show { resolve, what }) => what.at(session, |source, request| {
            let shown = config::show(source, request, *resolve, &env)?;
            Ok(Reply::new(&shown).warn(shown.warnings))
        }),
        Some(Verb::Expand { resolve, what }) => what.at(session, |source, request| {
            let sweep = config::expand(source, request, *resolve, &env)?;
            let reply = Reply::new(&sweep);
            Ok(match sweep.problems.first().map(|problem| problem.kind) {
                Some(kind) => reply.code(kind).warn(sweep.problems),
                None => reply,
            })
        }),
        Some(Verb::Digest { what }) => {
            what.at(session, |source, request| Ok(Reply::new(&config::digest(source, request, &env)?)))
        }
        Some(Verb::Diff { a, b, overrides }) => session.with(Recording::default(), |context| {
            let difference = config::diff(context, &Side::parse(a), &Side::parse(b), overrides)?;
            let reply = Reply::new(&difference).warn(difference.warnings);
            Ok(if difference.changes.is_empty() { reply } else { reply.code(Kind::Found) })
        }),
    }
}

impl What {
    fn at(
        &self,
        session: &Session,
        work: impl FnOnce(&Source<'_>, &Request) -> Result<Reply, Problems>,
    ) -> Result<Reply, Problems> {
        let request = Request { name: self.config_name.clone(), overrides: self.overrides.clone() };
        at(session, self.config_dir.as_ref(), |source| work(source, &request))
    }
}

/// Work on the configs of a named folder, or of the repository.
fn at(
    session: &Session,
    config_dir: Option<&PathBuf>,
    work: impl FnOnce(&Source<'_>) -> Result<Reply, Problems>,
) -> Result<Reply, Problems> {
    match config_dir {
        Some(dir) => work(&config::folder(&session.folder.join(dir))?),
        None => session.with(Recording::default(), |context| work(&Source::of(context, None)?)),
    }
}

fn lint(source: &Source<'_>, env: &dyn Fn(&str) -> Option<String>) -> Result<Reply, Problems> {
    let lint = config::lint(source, env)?;
    let problems: Vec<Problem> = lint.problems().collect();
    let reply = Reply::new(&lint).warn(problems);
    Ok(if lint.errors.is_empty() { reply } else { reply.code(Kind::Found) })
}
