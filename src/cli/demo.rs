//! `git ar demo`: one iteration from survey to board, typed into this very command line.

use std::path::{Path, PathBuf};

use super::session::Stderr;
use super::{Reply, Session};
use crate::ops::demo::{Shell, demo};
use crate::runs::trainer;
use crate::state::problem::{Kind, Problem, Problems};

/// Where the demo plays when no folder is named.
const FOLDER: &str = "git-ar-demo";

/// Watch one iteration from survey to a ranked board
///
/// Makes a research repository, goes through all phases with the hooks on, trains two experiments with three seeds
/// each, and shows how a skipped phase and a falsified metric are refused. Takes less than a minute and needs neither
/// network nor data.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar demo\n  git ar demo --engine /tmp/look")]
pub(super) struct Args {
    /// Train with the built-in engine (libtorch) instead of the reference trainer
    #[arg(long)]
    engine: bool,
    /// The folder, which must be missing or empty [default: git-ar-demo]
    dir: Option<PathBuf>,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    if args.engine && trainer::engine(&session.exe, session.env("PATH").as_deref()).is_none() {
        let problem = Problem::new(Kind::Usage, "no-engine", "the engine is neither beside git-ar nor on PATH");
        return Err(problem.hint("cargo xtask engine").into());
    }
    let folder = session.folder.join(args.dir.as_deref().unwrap_or(Path::new(FOLDER)));
    let outcome = demo(&folder, args.engine, &Typed(session), &Stderr)?;
    Ok(Reply::new(&outcome).nexts(findable(session)).nexts(outcome.next()))
}

/// How a shell finds this program, when it does not yet.
fn findable(session: &Session) -> Option<String> {
    let path = session.env("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join("git-ar").is_file());
    let folder = session.exe.parent()?;
    (!found).then(|| format!("export PATH=\"{}:$PATH\"", folder.display()))
}

/// Words that are parsed and run as if they had been typed.
struct Typed<'a>(&'a Session);

impl Shell for Typed<'_> {
    fn git_ar(&self, folder: &Path, words: &[&str]) -> Result<String, Problems> {
        super::typed(&self.0.again(folder), words).map(Reply::into_text)
    }
}
