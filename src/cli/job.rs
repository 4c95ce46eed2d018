//! `git ar job`: the scheduler jobs of runs.

use clap::Subcommand;

use super::{Recording, Reply, Session};
use crate::cluster::scheduler::seconds;
use crate::ops::job;
use crate::state::problem::Problems;

/// List, read, explain and cancel the scheduler jobs of runs
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  git ar job\n  git ar job why kq7f3\n  git ar job logs kq7f3 --seed 2\n  git ar job cancel kq7f3"
)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// Which attempt.
#[derive(clap::Args)]
struct Which {
    /// The run, by a unique prefix of its id
    run: String,
    /// The attempt's number; the newest otherwise
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
}

#[derive(Subcommand)]
enum Verb {
    /// List the active attempts with what was seen of them last (the default)
    ///
    /// Nothing is asked of a cluster; `git ar tick` does that.
    #[command(after_help = "Example:\n  git ar job status --json")]
    Status,
    /// Ask the scheduler about one attempt, and tell all that is known of it
    #[command(after_help = "Example:\n  git ar job why kq7f3")]
    Why(Which),
    /// Show the ends of an attempt's logs
    #[command(after_help = "Examples:\n  git ar job logs kq7f3\n  git ar job logs kq7f3 --seed 2 --lines 200")]
    Logs {
        #[command(flatten)]
        which: Which,
        /// Only this seed's
        #[arg(long, value_name = "SEED")]
        seed: Option<u64>,
        /// Lines of each log
        #[arg(long, value_name = "N", default_value_t = 20)]
        lines: u32,
    },
    /// Print an attempt's job script as it lies on the cluster
    #[command(after_help = "Example:\n  git ar job script kq7f3")]
    Script(Which),
    /// Submit the seeds of a run that have no result once more, from its own anchor and config
    #[command(
        after_help = "Examples:\n  git ar job resubmit kq7f3\n  git ar job resubmit kq7f3 --walltime 12:00:00 --queue gpu_2"
    )]
    Resubmit {
        /// The run, by a unique prefix of its id
        run: String,
        /// The queue; the last attempt's otherwise
        #[arg(long, value_name = "NAME")]
        queue: Option<String>,
        /// How long it may take, HH:MM:SS; as the last attempt otherwise
        #[arg(long, value_name = "TIME", value_parser = walltime)]
        walltime: Option<u64>,
        /// Push the branch after the commit
        #[arg(long)]
        push: bool,
    },
    /// Tell the scheduler to end the active attempts of a run
    ///
    /// The next tick records how they ended. With --lost, attempts that the scheduler does not know any more are recorded
    /// as killed.
    #[command(
        after_help = "Examples:\n  git ar job cancel kq7f3\n  git ar job cancel kq7f3 --lost \"the node burned down\""
    )]
    Cancel {
        #[command(flatten)]
        which: Which,
        /// Give up attempts that the scheduler does not know, for this reason
        #[arg(long, value_name = "REASON")]
        lost: Option<String>,
        /// Push the branch after a commit
        #[arg(long, requires = "lost")]
        push: bool,
    },
}

fn walltime(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no walltime; write it as 12:00:00");
    seconds(text).filter(|seconds| *seconds > 0 && text.contains(':')).ok_or_else(wrong)
}

pub(super) fn run(session: &Session, args: Args) -> Result<Reply, Problems> {
    let still = Recording::default();
    match args.verb {
        None | Some(Verb::Status) => session.with(still, |context| {
            let listed = job::list(context)?;
            let reply = Reply::new(&listed);
            Ok(if listed.count() > 0 { reply.next("git ar tick") } else { reply })
        }),
        Some(Verb::Why(which)) => session.with(still, |context| {
            let why = job::why(context, &which.run, which.attempt)?;
            Ok(Reply::new(&why).nexts(why.next.clone()))
        }),
        Some(Verb::Logs { which, seed, lines }) => session
            .with(still, |context| Ok(Reply::new(&job::logs(context, &which.run, which.attempt, seed, lines.max(1))?))),
        Some(Verb::Script(which)) => session.with(still, |context| {
            let script = job::script(context, &which.run, which.attempt)?;
            Ok(Reply::new(&script).warn(script.changed()))
        }),
        Some(Verb::Resubmit { run, queue, walltime, push }) => {
            let recording = Recording { no_commit: false, push };
            session.with(recording, |context| {
                let resubmitted = job::resubmit(context, &run, queue.as_deref(), walltime)?;
                Ok(Reply::new(&resubmitted).warn(resubmitted.recorded.warnings.clone()).next("git ar tick"))
            })
        }
        Some(Verb::Cancel { which, lost, push }) => {
            let recording = Recording { no_commit: false, push };
            session.with(recording, |context| {
                let canceled = job::cancel(context, &which.run, which.attempt, lost.as_deref())?;
                Ok(Reply::new(&canceled).warn(canceled.recorded.warnings.clone()).next("git ar tick --now"))
            })
        }
    }
}
