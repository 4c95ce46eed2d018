//! `git ar train`: train without a record; and the reference trainer, which this program contains.

use super::session::Stderr;
use super::{Recording, Reply, Session};
use crate::cluster::transport::process::Stop;
use crate::ops::{Progress as _, train};
use crate::runs::contract::{STOPPED, Task};
use crate::runs::reference::{self, End};
use crate::state::problem::Problems;

/// Train a composed config on the files as they are, without a record
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar train experiment=digits_ffnn_adam seed=0 epochs=2\n  \
    git ar train --multirun experiment=digits_ffnn_adam seed=0,1,2 optimizer.lr=1e-3,1e-2\n\n\
    The same command goes on from its checkpoint; a finished training is not repeated (--fresh starts anew).\n\
    What is to be counted is trained by `git ar run local`.")]
pub(super) struct Args {
    /// Overrides, such as experiment=NAME seed=0 epochs=2
    #[arg(value_name = "OVERRIDE")]
    overrides: Vec<String>,
    /// Train every job of a sweep, each in its own folder
    #[arg(long, short)]
    multirun: bool,
    /// Train at most this many jobs of a sweep at the same time
    #[arg(short = 'j', long = "jobs", value_name = "N", default_value_t = 1)]
    at_once: usize,
    /// Start in a new folder, whatever was trained before
    #[arg(long)]
    fresh: bool,
}

pub(super) fn run(session: &Session, args: Args) -> Result<Reply, Problems> {
    let request =
        train::Request { overrides: args.overrides, multirun: args.multirun, at_once: args.at_once, fresh: args.fresh };
    let stop = Stop::on_signals()?;
    let trained = session.with(Recording::default(), |context| train::train(context, &request, &stop))?;
    let reply = Reply::new(&trained);
    Ok(match trained.failure() {
        Some(kind) => reply.code(kind),
        None => reply,
    })
}

/// Train as the contract with trainers says: told by the environment what to do
#[derive(clap::Args)]
#[command(after_help = "Example:\n  AR_RUN_DIR=/tmp/r AR_SEED=0 AR_CONFIG=config.yaml git-ar reference-trainer\n\n\
    docs/trainer-contract.md lists what a trainer is given and what it leaves.")]
pub(super) struct ReferenceArgs {}

pub(super) fn reference(session: &Session, _: &ReferenceArgs) -> Result<Reply, Problems> {
    let task = Task::from_env(&|name| session.env(name))?;
    let stop = Stop::on_signals()?;
    let end = reference::train(&task, stop.flag(), &|line| Stderr.say(line))?;
    let reply = Reply::parts(serde_json::Value::Null, String::new());
    Ok(match end {
        End::Finished => reply,
        End::Stopped => reply.exit(u8::try_from(STOPPED).expect("an exit status")),
    })
}
