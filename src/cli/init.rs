//! `git ar init`: a research repository, here or in a folder.

use std::path::PathBuf;

use super::{Recording, Reply, Session};
use crate::ops::init::{self, Flavour};
use crate::runs::trainer;
use crate::state::entities::BuiltIn;
use crate::state::problem::Problems;

/// Make this folder, or another, a research repository
///
/// Makes the git repository too where there is none (on branch develop). A file that exists is never changed; what is
/// missing is made and committed. Run twice, it changes nothing.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar init\n  git ar init --runs-only my-research")]
pub(super) struct Args {
    /// Anchored runs and boards only: no phases, no gates
    #[arg(long)]
    runs_only: bool,
    /// What trains here; the engine where it is installed, else the reference trainer
    #[arg(long, value_name = "reference|engine")]
    trainer: Option<Named>,
    /// The folder; it may be missing or empty. The current one when not given
    dir: Option<PathBuf>,
    #[command(flatten)]
    recording: Recording,
}

/// A trainer that comes with git-ar.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Named {
    Reference,
    Engine,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    let flavour = if args.runs_only { Flavour::RunsOnly } else { Flavour::Loop };
    let folder = args.dir.as_ref().map_or_else(|| session.folder.clone(), |dir| session.folder.join(dir));
    let trainer = match args.trainer {
        Some(Named::Reference) => BuiltIn::Reference,
        Some(Named::Engine) => BuiltIn::Engine,
        None if trainer::engine(&session.exe, session.env("PATH").as_deref()).is_some() => BuiltIn::Engine,
        None => BuiltIn::Reference,
    };
    let mut place = init::locate(&folder, flavour, trainer)?;
    if Session::recovered(&place.repo)? {
        // What stood there was half of an earlier command.
        place = init::locate(&folder, flavour, trainer)?;
    }
    let new_repository = place.new_repository;
    let outcome = session
        .on(place.repo, place.settings, args.recording, |context| init::init(context, new_repository, flavour))?;
    let enter = args.dir.as_ref().map(|dir| format!("cd {}", dir.display()));
    let next = enter.into_iter().chain(outcome.next(flavour));
    Ok(Reply::new(&outcome).warn(outcome.recorded.warnings.clone()).nexts(next))
}
