//! `git ar man`: manual pages, from the same description as the help.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Reply, Session};
use crate::state::problem::{Kind, Problem, Problems};

/// Print a manual page, or write all of them into a folder
///
/// `git ar --help` asks git for the page git-ar(1): put the pages where man looks and it works.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar man phase next | man -l -\n  git ar man --dir ~/.local/share/man/man1")]
pub(super) struct Args {
    /// The verb, such as `phase next`; the overview when there is none
    verb: Vec<String>,
    /// Write every page into this folder, which must exist
    #[arg(long, conflicts_with = "verb")]
    dir: Option<PathBuf>,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    match &args.dir {
        Some(dir) => write_all(&session.folder.join(dir)),
        None => print(&args.verb),
    }
}

fn print(verb: &[String]) -> Result<Reply, Problems> {
    let mut page = super::command();
    page.build();
    for word in verb {
        let below = page.get_subcommands().find(|c| c.get_name() == word).cloned();
        page = below.ok_or_else(|| {
            Problem::new(Kind::Usage, "no-such-verb", format!("there is no verb `{}`", verb.join(" ")))
                .hint("git ar -h")
        })?;
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text).expect("a vector takes every byte");
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(Reply::parts(json!({"verb": verb, "page": text}), text))
}

fn write_all(dir: &Path) -> Result<Reply, Problems> {
    // The pages are called git-ar.1, git-ar-phase.1, git-ar-phase-next.1, as git's own are.
    clap_mangen::generate_to(super::command().bin_name("git-ar"), dir).map_err(|error| {
        Problem::new(Kind::Io, "io", format!("the pages cannot be written: {error}"))
            .at(dir.display().to_string())
            .hint("name a folder that exists and that you may write to")
    })?;
    let text = format!("the manual pages are in {}", dir.display());
    Ok(Reply::parts(json!({ "dir": dir }), text))
}
