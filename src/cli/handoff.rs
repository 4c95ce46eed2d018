//! `git ar handoff`: clusters that only a person reaches.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{Recording, Reply, Session, typed};
use crate::cluster::transport::by_hand;
use crate::ops::handoff::{Folder, Waiting};
use crate::state::problem::{Kind, Problem, Problems};

/// Do a command's work on a cluster by hand: print a sheet for a person who reaches it, and take back their receipt
///
/// The command is any that needs a cluster; `tick --now` without one. It gets as far as the receipts go, and what it asks
/// next is a further sheet. When nothing is left to ask, it does and records what it always does.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  git ar handoff run submit mlp --cluster lengau\n  git ar handoff --receipt git-ar-3f0c.receipt\n  git ar handoff"
)]
pub(super) struct Args {
    /// Take the receipt that a sheet printed: a file, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["drop", "command"])]
    receipt: Option<PathBuf>,
    /// Forget what waits; only for a sheet that was never run
    #[arg(long, conflicts_with = "command")]
    drop: bool,
    /// The command, as it would be typed after `git ar`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

impl Args {
    /// Whether `--json` stands behind the command's words.
    pub(super) fn wants_json(&self) -> bool {
        self.command.iter().any(|word| word == JSON)
    }

    /// The command's own words.
    fn words(&self) -> Vec<String> {
        self.command.iter().filter(|word| *word != JSON).cloned().collect()
    }
}

const JSON: &str = "--json";

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    if args.drop {
        return session.with(Recording::default(), |context| {
            let folder = Folder::of(context);
            let text = match folder.waiting() {
                Ok(None) => "nothing waits".to_string(),
                Ok(Some(waiting)) => format!("`git ar {}` waits no more", waiting.words.join(" ")),
                Err(_) => "what waited did not read, and is forgotten".to_string(),
            };
            folder.drop()?;
            Ok(Reply::parts(serde_json::json!({ "dropped": text }), text))
        });
    }
    let (folder, waiting) = session.with(Recording::default(), |context| {
        let folder = Folder::of(context);
        let waiting = match &args.receipt {
            Some(file) => folder.receive(&read(&session.folder, file)?)?.0,
            None => begin(&folder, context, &args.words())?,
        };
        folder.clear()?;
        Ok((folder, waiting))
    })?;
    go(session, &folder, &waiting)
}

fn begin(folder: &Folder, context: &crate::ops::Context<'_>, command: &[String]) -> Result<Waiting, Problem> {
    if command.first().is_some_and(|word| word == "handoff") {
        return Err(Problem::new(Kind::Usage, "usage", "a handoff is not handed off").hint("git ar handoff"));
    }
    match (command, folder.waiting()?) {
        ([], Some(waiting)) => Ok(waiting),
        ([], None) => folder.begin(context, &["tick".to_string(), "--now".to_string()]),
        (command, _) => folder.begin(context, command),
    }
}

/// Runs the command as far as it gets, and says what it asks of a person.
fn go(session: &Session, folder: &Folder, waiting: &Waiting) -> Result<Reply, Problems> {
    let place = folder.path().display().to_string();
    let inner = session.fixed(waiting.now, waiting.entropy).with_env(by_hand::VARIABLE, &place);
    let words: Vec<&str> = waiting.words.iter().map(String::as_str).collect();
    let came = typed(&inner, &words);
    // What was asked and answered so far is kept for the same command.
    if came.as_ref().err().is_some_and(passes) {
        return came;
    }
    let outcome = session.with(Recording::default(), |context| Ok(folder.sheets(context, waiting)?))?;
    if outcome.sheets.is_empty() {
        session.with(Recording::default(), |_| Ok(folder.drop()?))?;
        return came;
    }
    let next = format!("git ar handoff --receipt git-ar-{}.receipt", waiting.id);
    Ok(Reply::new(&outcome).next(next))
}

/// Whether the same answers may do once a disk or a lock is free again.
fn passes(problems: &Problems) -> bool {
    problems.0.iter().any(|problem| matches!(problem.kind, Kind::Io | Kind::Locked | Kind::Interrupted))
}

fn read(here: &Path, file: &Path) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    let done = match file == Path::new("-") {
        true => std::io::stdin().lock().read_to_end(&mut bytes).map(drop),
        false => std::fs::read(here.join(file)).map(|read| bytes = read),
    };
    let bad = |e: std::io::Error| {
        Problem::new(Kind::Io, "receipt", format!("{} cannot be read: {e}", file.display()))
            .hint("name the receipt's file, or - to paste it")
    };
    done.map_err(bad)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
