//! `job logs` and `job script`: files of an attempt, as they lie on its cluster.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::Named;
use crate::cluster::site::names;
use crate::cluster::transport::Call;
use crate::ops::Context;
use crate::ops::tick::seen;
use crate::runs::layout::Scratch;
use crate::state::problem::{Kind, Problem};
use crate::state::text::printable;
use crate::state::tree::digest;

/// How long a look at a few files may take.
const LOOK: Duration = Duration::from_secs(60);
/// Shows the ends of an attempt's logs; `ar_lines` of each, of the seed `ar_seed` only where there is one.
const TAIL: &str = r#"
if [ -n "$ar_seed" ]; then set -- "seed-$ar_seed/log"; else
    set -- "job-$ar_attempt.out" "job-$ar_attempt".*.out "job-$ar_attempt.err" "job-$ar_attempt".*.err seed-*/log
fi
for ar_file; do
    [ -f "$ar_file" ] && [ ! -L "$ar_file" ] || continue
    printf '== %s\n' "$ar_file"
    tail -n "$ar_lines" "$ar_file" | tail -c 65536
done
"#;

/// The ends of an attempt's logs.
#[derive(Debug, Serialize)]
pub struct Logs {
    /// `RUN.ATTEMPT`.
    pub attempt: String,
    /// Where they were read: the cluster's name, or what was kept of them.
    pub from: String,
    /// Each file's name and its last lines.
    pub text: String,
}

/// The last `lines` of every log of an attempt, or of one seed. Where the cluster gives no answer, what the last tick kept.
///
/// # Errors
/// [`Kind::Unavailable`] when nothing was kept either.
pub fn logs(
    context: &Context<'_>,
    name: &str,
    attempt: Option<u32>,
    seed: Option<u64>,
    lines: u32,
) -> Result<Logs, Problem> {
    let named = Named::find(context, name, attempt)?;
    let fetched = match named.attempt.cluster == crate::cluster::profile::LOCAL {
        true => local(context, &named, seed, lines),
        false => remote(context, &named, seed, lines).map(|text| (named.attempt.cluster.clone(), text)),
    };
    let (from, text) = fetched.or_else(|problem| {
        let kept = seen::logs(context.repo.common_dir(), &named.name()).filter(|_| seed.is_none());
        kept.map(|text| (format!("kept by the last tick, for {problem}"), text)).ok_or(problem)
    })?;
    let text = text.lines().map(|line| printable(line) + "\n").collect();
    Ok(Logs { attempt: named.name(), from, text })
}

fn remote(context: &Context<'_>, named: &Named, seed: Option<u64>, lines: u32) -> Result<String, Problem> {
    let site = named.site(context)?;
    let folder = site.path(&site.layout.run(&named.found.id).path);
    let seed = seed.map(|seed| seed.to_string()).unwrap_or_default();
    let head = format!("cd {folder} || exit 3\nar_attempt={} ar_lines={lines} ar_seed={seed}\n", named.number);
    let script = head + TAIL;
    let reply = site.remote.sh(&Call { what: "read logs", script: &script, input: b"", limit: LOOK })?;
    if reply.code == 0 { Ok(reply.stdout) } else { Err(absent(named, reply.stderr.trim())) }
}

fn local(context: &Context<'_>, named: &Named, seed: Option<u64>, lines: u32) -> Result<(String, String), Problem> {
    let dir = Scratch::of(context.repo.common_dir()).run(&named.found.id);
    let mut text = String::new();
    for seed in named.view.run.seeds.as_slice().iter().filter(|s| seed.is_none_or(|wanted| wanted == **s)) {
        let most = usize::try_from(lines).unwrap_or(usize::MAX);
        if let Some(end) = crate::cluster::local::last_lines(&dir.log(*seed), most) {
            text.push_str(&format!("== seed-{seed}/log\n{}\n", end.trim_end()));
        }
    }
    if text.is_empty() { Err(absent(named, "")) } else { Ok((dir.path.display().to_string(), text)) }
}

fn absent(named: &Named, said: &str) -> Problem {
    let said = if said.is_empty() { String::new() } else { format!(": {}", printable(said)) };
    let message = format!("there are no logs of {} on {}{said}", named.name(), named.attempt.cluster);
    Problem::new(Kind::Unavailable, "no-logs", message).hint(format!("git ar job why {}", named.found.id))
}

impl fmt::Display for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({})", self.attempt, self.from)?;
        f.write_str(&self.text)
    }
}

/// An attempt's job script.
#[derive(Debug, Serialize)]
pub struct Script {
    /// Where it lies, below the cluster's scratch.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Whether it is the one that the record names; none when the record names none.
    pub as_recorded: Option<bool>,
}

/// The job script of an attempt, as it lies on its cluster.
///
/// # Errors
/// [`Kind::Unavailable`] when the cluster gives no answer; [`Kind::Usage`] for a run on this machine, which has none.
pub fn script(context: &Context<'_>, name: &str, attempt: Option<u32>) -> Result<Script, Problem> {
    let named = Named::find(context, name, attempt)?;
    let site = named.site(context)?;
    let path = site.layout.run(&named.found.id).file(&names::script(named.number));
    let text = format!("cat {}", site.path(&path));
    let reply = site.remote.fetch(&Call { what: "read the script", script: &text, input: b"", limit: LOOK })?;
    if reply.code != 0 {
        let message = format!("{path} is not on {}: {}", site.name, printable(reply.stderr.trim()));
        return Err(Problem::new(Kind::Io, "no-script", message).hint(format!("git ar job why {}", named.found.id)));
    }
    let as_recorded = named.attempt.script.as_ref().map(|wanted| *wanted == digest(&reply.stdout));
    Ok(Script { path, text: String::from_utf8_lossy(&reply.stdout).into_owned(), as_recorded })
}

impl Script {
    /// A warning when it is not the one that was submitted.
    #[must_use]
    pub fn changed(&self) -> Option<Problem> {
        let message = format!("{} was changed since it was submitted", self.path);
        let problem = Problem::new(Kind::Found, "script-changed", message).warn();
        (self.as_recorded == Some(false)).then(|| problem.hint("git ar run verify RUN   tells what else differs"))
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |line: &str| crate::state::text::printable(&line.replace('\t', "    "));
        self.text.lines().try_for_each(|line| writeln!(f, "{}", shown(line)))
    }
}
