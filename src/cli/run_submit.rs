//! `git ar run submit`, and `run smoke` on a cluster.

use super::run::PlaceArgs;
use super::{Recording, Reply, Session};
use crate::cluster::scheduler::seconds;
use crate::ops::run_cells::Wanted;
use crate::ops::submit::{self, Outcome, Request};
use crate::state::entities::Seeds;
use crate::state::problem::Problems;
use crate::state::record::{RunKind, SeedsAs};

/// Submit an experiment to a cluster from its commit, and record the jobs
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar run submit digits_ffnn_adam --cluster lengau --seeds 0-4\n  \
    git ar run submit digits_ffnn_adam --dry-run\n  \
    git ar run submit digits_ffnn_adam optimizer.lr=0.01 --seeds 0-2 --seeds-as jobs --walltime 02:00:00\n\n\
    A command that was cut off is repeated: it looks for its job before anything is sent again.")]
pub(super) struct SubmitArgs {
    /// A config under configs/experiment/
    experiment: String,
    /// Overrides, such as optimizer.lr=0.01; without any, the plan's
    overrides: Vec<String>,
    /// Seeds, such as 0-4 or 0,1,7; the plan's when absent
    #[arg(long, value_name = "SEEDS")]
    seeds: Option<Seeds>,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    recording: Recording,
}

/// Where and how jobs are submitted.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct ClusterArgs {
    /// The cluster, a file under configs/cluster/; the only one when absent
    #[arg(long, value_name = "NAME")]
    pub(super) cluster: Option<String>,
    /// One job for all seeds, one for each, or a job array; chosen from the queue's limits when absent
    #[arg(long, value_name = "HOW")]
    seeds_as: Option<How>,
    /// The queue; the profile's default when absent
    #[arg(long, value_name = "QUEUE")]
    queue: Option<String>,
    /// The walltime of each job, as HH:MM:SS; estimated when absent
    #[arg(long, value_name = "TIME", value_parser = walltime)]
    walltime: Option<u64>,
    /// This machine is the cluster's login node: commit nothing here, leave a receipt for `git ar tick` elsewhere
    #[arg(long)]
    here: bool,
    /// Print the very script, and touch nothing here or there
    #[arg(long)]
    dry_run: bool,
}

/// How seeds become jobs.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum How {
    Sequence,
    Jobs,
    Array,
}

impl From<How> for SeedsAs {
    fn from(how: How) -> Self {
        match how {
            How::Sequence => Self::Sequence,
            How::Jobs => Self::Jobs,
            How::Array => Self::Array,
        }
    }
}

fn walltime(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no walltime such as 12:00:00");
    seconds(text).filter(|s| *s > 0 && text.contains(':')).ok_or_else(wrong)
}

impl ClusterArgs {
    /// Whether anything that only a cluster has was asked for.
    pub(super) fn is_meant(&self) -> bool {
        self.cluster.is_some()
            || self.seeds_as.is_some()
            || self.queue.is_some()
            || self.walltime.is_some()
            || self.here
            || self.dry_run
    }
}

pub(super) fn run(session: &Session, args: SubmitArgs) -> Result<Reply, Problems> {
    let SubmitArgs { experiment, overrides, seeds, cluster, place, recording } = args;
    submit(session, Wanted { kind: RunKind::Full, experiment, overrides, seeds }, cluster, place, recording)
}

/// Submits what is wanted.
pub(super) fn submit(
    session: &Session,
    wanted: Wanted,
    cluster: ClusterArgs,
    place: PlaceArgs,
    recording: Recording,
) -> Result<Reply, Problems> {
    let request = request(wanted, cluster, place.iter, place.project);
    let outcome = session.with(recording, |context| submit::start(context, &request))?;
    Ok(reply(&outcome))
}

/// Submit a run once more, from its own commit and config, as a new run that names the old one
#[derive(clap::Args)]
#[command(after_help = "Example:\n  git ar run rerun kq7f3 --seeds 3")]
pub(super) struct RerunArgs {
    /// The run, by a unique prefix of its id
    run: String,
    /// Only these seeds; all of the run's when absent
    #[arg(long, value_name = "SEEDS")]
    seeds: Option<Seeds>,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    recording: Recording,
}

pub(super) fn rerun(session: &Session, args: RerunArgs) -> Result<Reply, Problems> {
    let wanted = Wanted { kind: RunKind::Full, experiment: String::new(), overrides: Vec::new(), seeds: None };
    let request = request(wanted, args.cluster, None, None);
    let seeds = args.seeds.as_ref();
    let outcome = session.with(args.recording, |context| submit::rerun(context, &args.run, seeds, request))?;
    Ok(reply(&outcome))
}

fn request(wanted: Wanted, cluster: ClusterArgs, iteration: Option<String>, project: Option<String>) -> Request {
    Request {
        wanted,
        cluster: cluster.cluster,
        seeds_as: cluster.seeds_as.map(Into::into),
        queue: cluster.queue,
        walltime_s: cluster.walltime,
        here: cluster.here,
        dry_run: cluster.dry_run,
        iteration,
        project,
    }
}

fn reply(outcome: &Outcome) -> Reply {
    let warnings = outcome.cells.iter().flat_map(|cell| cell.recorded.warnings.clone());
    let reply = Reply::new(outcome).warn(warnings);
    match outcome.dry_run || outcome.here {
        true => reply,
        false => reply.next("git ar tick"),
    }
}
