//! PBS Professional and OpenPBS: directives and commands. Their replies are read by `pbs_reply`.
//!
//! Measured on PBS Pro 18.1.4 and OpenPBS 23.06.06: `qstat -xfw` is the one form that both print unfolded and whole;
//! JSON is invalid for some environments, and one of them answers several ids with the first only.

use super::{Dialect, Looked, Spec, Submitted, asked, clock, pbs_reply};
use crate::cluster::reply::Reply;
use crate::state::problem::Problem;

/// The dialect.
pub(super) struct Pbs;

impl Dialect for Pbs {
    fn directives(&self, spec: &Spec) -> Result<Vec<String>, Problem> {
        asked::check(spec)?;
        let array = spec.array.filter(|members| *members > 1);
        // A job that the server starts again by itself would be a second attempt under the name of the first; an array
        // is refused without that right.
        let rerun = array.is_none().then(|| "-r n".to_string());
        let mut options = vec!["-S /bin/sh".to_string(), format!("-N {}", spec.name)];
        options.extend(spec.queue.iter().map(|q| format!("-q {q}")));
        options.extend(spec.account.iter().map(|a| format!("-P {a}")));
        options.push(format!("-l {}", select(spec)));
        options.push(format!("-l walltime={}", clock(spec.walltime_s)));
        options.push(format!("-o {}", member_file(&spec.output, array)));
        options.push(format!("-e {}", member_file(&spec.error, array)));
        options.extend(array.map(|members| format!("-J 0-{}", members - 1)));
        options.extend(rerun);
        options.extend(spec.extra.iter().cloned());
        Ok(options.into_iter().map(|option| format!("#PBS {option}")).collect())
    }

    fn submit(&self, script: &str) -> Vec<String> {
        words(&["qsub", script])
    }

    fn job_id(&self, reply: &Reply) -> Submitted {
        pbs_reply::job_id(reply)
    }

    fn query(&self, ids: &[String]) -> Vec<String> {
        // `-t` shows the members of arrays.
        let form = if ids.iter().any(|id| id.contains('[')) { "-xtfw" } else { "-xfw" };
        ["qstat", form].into_iter().map(String::from).chain(ids.iter().cloned()).collect()
    }

    fn states(&self, ids: &[String], reply: &Reply) -> Looked {
        pbs_reply::states(ids, reply)
    }

    fn cancel(&self, id: &str) -> Vec<String> {
        words(&["qdel", id])
    }

    fn find(&self, name: &str) -> Vec<String> {
        // Whoever else works with this repository on the same server gives the same names.
        words(&["sh", "-c", "qselect -x -u \"$(id -un)\" -N \"$1\"", "find", name])
    }

    fn found(&self, reply: &Reply) -> Result<Vec<String>, String> {
        pbs_reply::found(reply)
    }

    fn without_history(&self, question: &[String], reply: &Reply) -> Option<Vec<String>> {
        let off = reply.code != 0 && reply.stderr.contains("not configured to maintain job history");
        let now = |word: &String| match word.strip_prefix("-x") {
            Some(letters) => format!("-{letters}"),
            None => word.replace("qselect -x ", "qselect "),
        };
        // The ids and the names behind begin with no `-`.
        off.then(|| question.iter().map(now).collect())
    }

    fn id_of(&self, own: &str) -> Option<String> {
        pbs_reply::whole(own)
    }

    fn id_variable(&self) -> &'static str {
        "PBS_JOBID"
    }

    fn index_variable(&self) -> &'static str {
        "PBS_ARRAY_INDEX"
    }

    fn folder_variable(&self) -> &'static str {
        "PBS_O_WORKDIR"
    }
}

fn words(all: &[&str]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

/// `select=…`: memory stands in the chunk, for `-l mem` beside a select is refused.
fn select(spec: &Spec) -> String {
    let asked = &spec.resources;
    let mut chunk = vec![format!("select={}", asked.nodes.unwrap_or(1)), format!("ncpus={}", asked.ncpus.unwrap_or(1))];
    chunk.extend(asked.mem_gb.map(|gb| format!("mem={gb}gb")));
    chunk.extend(asked.ngpus.filter(|n| *n > 0).map(|n| format!("ngpus={n}")));
    chunk.extend(asked.chunk.iter().cloned());
    chunk.join(":")
}

/// The members of an array would all write one file.
fn member_file(path: &str, array: Option<u32>) -> String {
    match (array, path.rsplit_once('.')) {
        (None, _) => path.to_string(),
        (Some(_), Some((stem, extension))) if !extension.contains('/') => format!("{stem}.^array_index^.{extension}"),
        (Some(_), _) => format!("{path}.^array_index^"),
    }
}
