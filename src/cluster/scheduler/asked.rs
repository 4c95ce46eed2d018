//! What may stand in a directive: every value is checked by its kind, so that no name becomes an option or a command.

use super::Spec;
use crate::state::problem::{Kind, Problem};
use crate::state::text::printable;

/// Longest job name that PBS takes (230 on OpenPBS 23; 18 takes 236).
const LONGEST_NAME: usize = 230;

/// The problem of a value that cannot stand in a job script's directive.
fn refused(what: &str, value: &str, rule: &str) -> Problem {
    let shown: String = printable(value).replace(['\n', '\t'], " ").chars().take(60).collect();
    let dots = if value.chars().count() > 60 { "…" } else { "" };
    let message = format!("the {what} `{shown}{dots}` cannot stand in a job script: {rule}");
    Problem::new(Kind::Invalid, "directive", message)
        .hint("write another one in configs/cluster/<name>.yaml, or on the command line")
}

/// Checks a value of letters, digits and the characters in `also`, not beginning with `-`.
fn plain(what: &str, value: &str, also: &str, longest: usize) -> Result<(), Problem> {
    let fits = |c: char| c.is_ascii_alphanumeric() || also.contains(c);
    if value.is_empty() || value.starts_with('-') || !value.chars().all(fits) {
        let rule = format!("letters, digits and {also}, and no `-` at the beginning");
        return Err(refused(what, value, &rule));
    }
    if value.len() > longest {
        return Err(refused(what, value, &format!("{} characters, at most {longest}", value.len())));
    }
    Ok(())
}

/// Checks everything of a job but its further options.
pub(super) fn check(spec: &Spec) -> Result<(), Problem> {
    plain("job name", &spec.name, "._+-", LONGEST_NAME)?;
    if let Some(queue) = &spec.queue {
        plain("queue", queue, "._@-", 64)?;
    }
    if let Some(account) = &spec.account {
        plain("account", account, "._+-", 128)?;
    }
    for (what, path) in [("output file", &spec.output), ("error file", &spec.error)] {
        plain(what, path, "._/+@,=~-", 4096)?;
    }
    for chunk in &spec.resources.chunk {
        plain("resource", chunk, "._=:+-", 200)?;
    }
    if spec.walltime_s == 0 || spec.walltime_s > 1_000 * 3600 {
        let shown = super::clock(spec.walltime_s);
        return Err(refused("walltime", &shown, "more than nothing, at most 1000 hours"));
    }
    spec.extra.iter().try_for_each(|option| extra(option).map_err(|rule| refused("option", option, &rule)))
}

/// Options that are ours, or that no job of ours may have.
const TAKEN: [&str; 27] = [
    "-N", "-q", "-P", "-A", "-l", "-o", "-e", "-j", "-J", "-t", "-V", "-v", "-h", "-I", "-X", "-z", "-S", "-C", "-a",
    "-c", "-f", "-d", "-D", "-w", "-k", "-r", "-p",
];

/// Long options of Slurm that are ours, or that no job of ours may have.
const TAKEN_LONG: [&str; 24] = [
    "job-name",
    "partition",
    "account",
    "output",
    "error",
    "array",
    "time",
    "export",
    "export-file",
    "wrap",
    "parsable",
    "chdir",
    "hold",
    "test-only",
    "wait",
    "nodes",
    "cpus-per-task",
    "mem",
    "gpus-per-node",
    "no-requeue",
    "requeue",
    "open-mode",
    "input",
    "get-user-env",
];

/// Whether a further option is one plain line that sets nothing of ours; says the rule that it breaks.
pub(super) fn extra(option: &str) -> Result<(), String> {
    if option.chars().any(|c| c.is_control() || "`$;&|<>\\\"'#".contains(c)) || !option.is_ascii() {
        return Err("one line of plain words, without quotes, `$`, `#` and the like".into());
    }
    if option.len() > 300 {
        return Err(format!("{} characters, at most 300", option.len()));
    }
    let first = option.split([' ', '=']).next().unwrap_or_default();
    let long = first.strip_prefix("--");
    let short = first.get(..2).unwrap_or_default();
    let taken =
        long.map_or(TAKEN.contains(&short), |name| TAKEN_LONG.iter().any(|t| !name.is_empty() && t.starts_with(name)));
    match first.len() > 1 && first.starts_with('-') && first != "--" {
        false => Err("an option begins with `-`, such as `-m abe`".into()),
        true if taken => Err(format!("`{first}` is set by git-ar, or may not be set at all")),
        true => Ok(()),
    }
}
