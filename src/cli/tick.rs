//! `git ar tick`: bring the records to what really happened on the clusters.

use std::time::{Duration, Instant};

use super::{Recording, Reply, Session};
use crate::cluster::transport::process::Stop;
use crate::ops::tick::{self, Options, Ticked};
use crate::state::problem::{Kind, Problem, Problems};

/// Ask the clusters, collect what ended, and commit it
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar tick\n  git ar tick --push\n  \
    git ar tick --until-idle --every 10m      until nothing is active any more\n  \
    git ar tick --print-schedule              lines for cron and systemd\n\n\
    It commits in a worktree of its own and moves the branch only where the checkout can follow. Ends with 7 when a \
    cluster gave no answer, with 8 when the branch could not move; the next tick goes on from there.")]
pub(super) struct Args {
    /// Ask although a scheduler was asked less than a minute ago
    #[arg(long)]
    now: bool,
    /// Say what would be done, and do nothing
    #[arg(long, conflicts_with_all = ["push", "until_idle"])]
    dry_run: bool,
    /// Push the branch after a commit
    #[arg(long)]
    push: bool,
    /// Look on this cluster for jobs of `run submit --here` too, also when nothing is active there; repeatable
    #[arg(long, value_name = "NAME")]
    cluster: Vec<String>,
    /// Go on until no attempt is active
    #[arg(long)]
    until_idle: bool,
    /// The pause between two ticks, such as 10m or 1h; at least a minute makes sense
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = span, requires = "until_idle")]
    every: Duration,
    /// Print lines that let cron or systemd do it, and do nothing else
    #[arg(long, conflicts_with_all = ["now", "dry_run", "until_idle"])]
    print_schedule: bool,
}

/// `90s`, `10m`, `2h`.
fn span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time; write it as 90s, 10m or 2h");
    let (number, unit) = text.split_at(text.len() - text.chars().next_back().map_or(0, char::len_utf8));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let total = number.checked_mul(seconds).filter(|total| (1..=7 * 86_400).contains(total)).ok_or_else(wrong)?;
    Ok(Duration::from_secs(total))
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    if args.print_schedule {
        return schedule(session, args.push);
    }
    let options = Options { now: args.now, dry: args.dry_run, also: args.cluster.clone() };
    if !args.until_idle {
        return Ok(reply(&once(session, args.push, &options)?));
    }
    let stop = Stop::on_signals()?;
    loop {
        // Each tick has its own time; what is in the way of one may be gone at the next.
        let later = session.again(&session.folder);
        match once(&later, args.push, &options) {
            Ok(ticked) if ticked.active() == 0 || ticked.failure().is_some_and(|kind| kind != Kind::Unavailable) => {
                return Ok(reply(&ticked));
            }
            Ok(ticked) => session.say(ticked.to_string().trim_end()),
            Err(problems) if waits(&problems) => session.say(&format!("not now: {problems}")),
            Err(problems) => return Err(problems),
        }
        let began = Instant::now();
        while began.elapsed() < args.every {
            if stop.asked() {
                let problem = Problem::new(Kind::Interrupted, "interrupted", "stopped between two ticks");
                return Err(problem.hint("git ar tick   goes on at any time").into());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

fn once(session: &Session, push: bool, options: &Options) -> Result<Ticked, Problems> {
    let recording = Recording { no_commit: false, push };
    session.with(recording, |context| tick::tick(context, options))
}

/// Whether waiting may help.
fn waits(problems: &Problems) -> bool {
    problems.0.first().is_some_and(|p| matches!(p.kind, Kind::Unavailable | Kind::Locked))
}

fn reply(ticked: &Ticked) -> Reply {
    let reply = Reply::new(ticked).warn(ticked.warnings.clone()).nexts(ticked.next());
    match ticked.failure() {
        Some(kind) => reply.code(kind),
        None => reply,
    }
}

/// Lines for cron and systemd, with this program and this folder.
fn schedule(session: &Session, push: bool) -> Result<Reply, Problems> {
    session.with(Recording::default(), |context| {
        let (program, top) = (session.exe.display().to_string(), context.repo.top().display().to_string());
        let text = tick::schedule(&program, &top, push);
        Ok(Reply::parts(serde_json::json!({ "program": program, "folder": top, "text": text }), text.clone()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(span("10m"), Ok(Duration::from_secs(600)));
        assert_eq!((span("90s"), span("2h")), (Ok(Duration::from_secs(90)), Ok(Duration::from_secs(7200))));
        for bad in ["", "10", "m", "0s", "-1m", "1d", "9999999999999h", "10 m", "é"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }
}
