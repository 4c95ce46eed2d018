//! `git ar run`: train on this machine or a cluster from a snapshot, list and show runs, exclude what does not count.

use super::run_judge::{self, TriageArgs, VerifyArgs};
use super::run_submit::{self, ClusterArgs, RerunArgs, SubmitArgs};
use super::{Recording, Reply, Session};
use crate::cluster::transport::process::Stop;
use crate::ops::run_cells::Wanted;
use crate::ops::{run_diff, run_exclude, run_local, run_show};
use crate::state::entities::Seeds;
use crate::state::problem::Problems;
use crate::state::record::RunKind;

/// Runs that a list shows when nothing else is asked for.
const SHOWN: usize = 40;

/// Train an experiment from a commit, here or on a cluster; list, show and exclude runs
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  git ar run\n  git ar run smoke digits_ffnn_adam\n  git ar run local digits_ffnn_adam --seeds 0-2"
)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(clap::Subcommand)]
enum Verb {
    Smoke(SmokeArgs),
    Local(LocalArgs),
    Submit(SubmitArgs),
    Triage(TriageArgs),
    Verify(VerifyArgs),
    Rerun(RerunArgs),
    List(ListArgs),
    Show(ShowArgs),
    Diff(DiffArgs),
    Exclude(ExcludeArgs),
}

/// Where a run belongs.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct PlaceArgs {
    /// The iteration, as ID or PROJECT/ID, when it is not the one that is active
    #[arg(long, value_name = "ID")]
    pub(super) iter: Option<String>,
    /// The project, by a unique prefix
    #[arg(long, value_name = "PROJECT")]
    pub(super) project: Option<String>,
}

/// Try an experiment with a few batches of one seed, and record that it works
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  git ar run smoke digits_ffnn_adam\n  git ar run smoke digits_ffnn_adam --cluster lengau"
)]
struct SmokeArgs {
    /// A config under configs/experiment/
    experiment: String,
    /// Overrides, such as optimizer.lr=0.01; without any, the plan's
    overrides: Vec<String>,
    /// The seed; the first that is planned, or 0
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    recording: Recording,
}

/// Train an experiment on this machine from a snapshot of the commit, and record the results
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar run local digits_ffnn_adam\n  \
    git ar run local digits_ffnn_adam optimizer.lr=0.01 --seeds 0-4 -j 2\n\n\
    Seeds that have their result are left alone; a run that stopped goes on. Ctrl-C waits for the checkpoint.")]
struct LocalArgs {
    /// A config under configs/experiment/
    experiment: String,
    /// Overrides, such as optimizer.lr=0.01; without any, the plan's
    overrides: Vec<String>,
    /// Seeds, such as 0-4 or 0,1,7; the plan's when absent
    #[arg(long, value_name = "SEEDS")]
    seeds: Option<Seeds>,
    /// Train this many seeds at the same time
    #[arg(short = 'j', long = "jobs", value_name = "N", default_value_t = 1)]
    at_once: usize,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    recording: Recording,
}

/// List runs with their state
#[derive(clap::Args)]
#[command(after_help = "Example:\n  git ar run list --project anp-snn")]
struct ListArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// At most this many, the newest; 0 for all
    #[arg(long, value_name = "N", default_value_t = SHOWN)]
    limit: usize,
}

/// Show one run: anchor, attempts, results
#[derive(clap::Args)]
#[command(after_help = "Example:\n  git ar run show kq7f3")]
struct ShowArgs {
    /// The run, by a unique prefix of its id
    run: String,
}

/// Compare two runs: what they were made of and what came of them
#[derive(clap::Args)]
#[command(after_help = "Example:\n  git ar run diff kq7f3 b2wmh")]
struct DiffArgs {
    /// The first run, by a unique prefix of its id
    a: String,
    /// The second run
    b: String,
}

/// Say why a run, or some of its seeds, does not count
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar run exclude kq7f3 --reason \"labels were shuffled\" --cause data\n  \
    git ar run exclude kq7f3 --withdraw \"the labels were right after all\"\n\nA record is never deleted: it is excluded, and an exclusion is withdrawn.")]
struct ExcludeArgs {
    /// The run, by a unique prefix of its id
    run: String,
    /// Why it does not count; shown on the board
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// One word for the cause, such as bug, data or config
    #[arg(long, value_name = "WORD")]
    cause: Option<String>,
    /// Only these seeds
    #[arg(long, value_name = "SEEDS")]
    seeds: Option<Seeds>,
    /// The run that replaces it
    #[arg(long, value_name = "RUN")]
    superseded_by: Option<String>,
    /// The commit that mends the cause
    #[arg(long, value_name = "COMMIT")]
    fixed_by: Option<String>,
    /// Why the exclusion no longer holds
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["reason", "seeds"])]
    withdraw: Option<String>,
    #[command(flatten)]
    recording: Recording,
}

pub(super) fn run(session: &Session, args: Args) -> Result<Reply, Problems> {
    match args.verb {
        None => list(session, None, None, SHOWN),
        Some(Verb::List(args)) => list(session, args.place.iter.as_deref(), args.place.project.as_deref(), args.limit),
        Some(Verb::Show(args)) => {
            let shown = session.with(Recording::default(), |context| Ok(run_show::show(context, &args.run)?))?;
            Ok(Reply::new(&shown))
        }
        Some(Verb::Exclude(args)) => exclude(session, args),
        Some(Verb::Smoke(args)) => {
            let seeds = args.seed.map(|seed| Seeds::try_from(vec![seed]).expect("one seed"));
            let wanted = Wanted { kind: RunKind::Smoke, experiment: args.experiment, overrides: args.overrides, seeds };
            if args.cluster.is_meant() {
                return run_submit::submit(session, wanted, args.cluster, args.place, args.recording);
            }
            train(session, wanted, 1, args.place, args.recording)
        }
        Some(Verb::Submit(args)) => run_submit::run(session, args),
        Some(Verb::Triage(args)) => run_judge::triage(session, &args),
        Some(Verb::Verify(args)) => run_judge::verify(session, &args),
        Some(Verb::Rerun(args)) => run_submit::rerun(session, args),
        Some(Verb::Diff(args)) => {
            let diff = session.with(Recording::default(), |context| Ok(run_diff::diff(context, &args.a, &args.b)?))?;
            Ok(Reply::new(&diff))
        }
        Some(Verb::Local(args)) => {
            let LocalArgs { experiment, overrides, seeds, at_once, place, recording } = args;
            train(session, Wanted { kind: RunKind::Full, experiment, overrides, seeds }, at_once, place, recording)
        }
    }
}

fn list(session: &Session, iteration: Option<&str>, project: Option<&str>, most: usize) -> Result<Reply, Problems> {
    let list = session.with(Recording::default(), |context| run_show::list(context, iteration, project, most))?;
    Ok(Reply::new(&list))
}

fn exclude(session: &Session, args: ExcludeArgs) -> Result<Reply, Problems> {
    let wish = run_exclude::Wish {
        reason: args.reason,
        cause: args.cause,
        seeds: args.seeds,
        superseded_by: args.superseded_by,
        fixed_by: args.fixed_by,
        withdraw: args.withdraw,
    };
    let excluded = session.with(args.recording, |context| run_exclude::exclude(context, &args.run, &wish))?;
    Ok(Reply::new(&excluded).warn(excluded.recorded.warnings.clone()))
}

fn train(
    session: &Session,
    wanted: Wanted,
    at_once: usize,
    place: PlaceArgs,
    recording: Recording,
) -> Result<Reply, Problems> {
    let stop = Stop::on_signals()?;
    let request = run_local::Request { wanted, at_once, iteration: place.iter, project: place.project };
    let ran = session.with(recording, |context| run_local::start(context, &request, &stop))?;
    let recorded = ran.cells.iter().flat_map(|cell| cell.recorded.warnings.clone());
    let reply = Reply::new(&ran).warn(recorded).warn(ran.warnings.clone());
    let reply =
        reply.nexts(ran.cells.iter().filter_map(|cell| Some(format!("git ar run show {}", cell.run.as_ref()?))));
    Ok(match ran.failure() {
        Some(kind) => reply.code(kind),
        None => reply.next("git ar status"),
    })
}
