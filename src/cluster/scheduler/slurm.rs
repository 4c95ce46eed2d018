//! Slurm: directives and commands. Their replies are read by `slurm_reply`.
//!
//! The controller forgets a job some minutes after its end; what accounting remembers is asked second.

use super::{Dialect, Looked, Spec, Submitted, asked, slurm_reply};
use crate::cluster::reply::Reply;
use crate::state::problem::Problem;

/// The dialect.
pub(super) struct Slurm;

/// Columns of `squeue`: id, state, partition, used, limit, start, reason.
const COLUMNS: &str = "--format=%i|%T|%P|%M|%l|%S|%r";
/// The same columns of `sacct`, with the exit status for the reason.
const ACCOUNTED: &str = "--format=JobID,State,Partition,Elapsed,Timelimit,Start,ExitCode";

impl Dialect for Slurm {
    fn directives(&self, spec: &Spec) -> Result<Vec<String>, Problem> {
        asked::check(spec)?;
        let array = spec.array.filter(|members| *members > 1);
        let asked = &spec.resources;
        let mut options = vec![format!("--job-name={}", spec.name)];
        options.extend(spec.queue.iter().map(|q| format!("--partition={q}")));
        options.extend(spec.account.iter().map(|a| format!("--account={a}")));
        options.push(format!("--nodes={}", asked.nodes.unwrap_or(1)));
        options.push(format!("--cpus-per-task={}", asked.ncpus.unwrap_or(1)));
        options.extend(asked.mem_gb.map(|gb| format!("--mem={gb}G")));
        options.extend(asked.ngpus.filter(|n| *n > 0).map(|n| format!("--gpus-per-node={n}")));
        options.extend(asked.chunk.iter().map(|word| format!("--constraint={word}")));
        options.push(format!("--time={}", limit(spec.walltime_s)));
        options.push(format!("--output={}", member_file(&spec.output, array)));
        options.push(format!("--error={}", member_file(&spec.error, array)));
        options.extend(array.map(|members| format!("--array=0-{}", members - 1)));
        // Started again by the controller, it would be a second attempt under the name of the first; and nothing of the
        // shell that submits belongs into the job, least of all a secret.
        options.extend(["--no-requeue", "--open-mode=append", "--export=NONE"].map(String::from));
        options.extend(spec.extra.iter().cloned());
        Ok(options.into_iter().map(|option| format!("#SBATCH {option}")).collect())
    }

    fn submit(&self, script: &str) -> Vec<String> {
        words(&["sbatch", "--parsable", script])
    }

    fn job_id(&self, reply: &Reply) -> Submitted {
        slurm_reply::job_id(reply)
    }

    fn query(&self, ids: &[String]) -> Vec<String> {
        let jobs = format!("--jobs={}", ids.join(","));
        words(&["squeue", "--noheader", "--array", "--states=all", &jobs, COLUMNS])
    }

    fn states(&self, ids: &[String], reply: &Reply) -> Looked {
        slurm_reply::states(ids, reply)
    }

    fn cancel(&self, id: &str) -> Vec<String> {
        words(&["scancel", id])
    }

    fn find(&self, name: &str) -> Vec<String> {
        // The controller first, for its word counts; then what accounting remembers, where there is any.
        let script = "squeue --me --noheader --states=all --name=\"$1\" --format=%F; code=$?; \
                      sacct -X --noheader --parsable2 --starttime=now-90days --name=\"$1\" --format=JobID 2>/dev/null; exit $code";
        words(&["sh", "-c", script, "find", name])
    }

    fn found(&self, reply: &Reply) -> Result<Vec<String>, String> {
        slurm_reply::found(reply)
    }

    fn fallback(&self, id: &str) -> Option<Vec<String>> {
        let job = format!("--jobs={id}");
        Some(words(&["sacct", "-X", "--noheader", "--parsable2", &job, ACCOUNTED]))
    }

    fn id_of(&self, own: &str) -> Option<String> {
        slurm_reply::id(own)
    }

    fn id_variable(&self) -> &'static str {
        "SLURM_JOB_ID"
    }

    fn index_variable(&self) -> &'static str {
        "SLURM_ARRAY_TASK_ID"
    }

    fn folder_variable(&self) -> &'static str {
        "SLURM_SUBMIT_DIR"
    }
}

fn words(all: &[&str]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

/// `[D-]HH:MM:SS`.
fn limit(seconds: u64) -> String {
    let clock = super::clock(seconds % 86_400);
    match seconds / 86_400 {
        0 => clock,
        days => format!("{days}-{clock}"),
    }
}

/// The members of an array would all write one file.
fn member_file(path: &str, array: Option<u32>) -> String {
    match (array, path.rsplit_once('.')) {
        (None, _) => path.to_string(),
        (Some(_), Some((stem, extension))) if !extension.contains('/') => format!("{stem}.%a.{extension}"),
        (Some(_), _) => format!("{path}.%a"),
    }
}
