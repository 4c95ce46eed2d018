//! `git ar data`: data sets.

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};

use super::session::Stderr;
use super::{Reply, Session};
use crate::ops::{Progress as _, data};
use crate::runs::fetch::Watcher;
use crate::state::problem::Problems;

/// Fetch the data sets of the built-in trainers, or list what is here
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar data fetch mnist --to ~/data\n  git ar data list\n\n\
    A download that was cut goes on where it stopped. AR_DATA says where trainers look for data sets.")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(clap::Subcommand)]
enum Verb {
    Fetch(FetchArgs),
    List(ListArgs),
}

/// Fetch a data set, checked by SHA-256
///
/// Files that are there already stay as they are. Without internet it says which files to put where.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar data fetch mnist\n  git ar data fetch cifar10 --to /scratch/data\n  \
    git ar data fetch mnist --from http://mirror.example.org/mnist")]
struct FetchArgs {
    /// The data set
    #[arg(value_name = "NAME")]
    name: String,
    /// The folder of data sets; the files go into a folder of the data set's name below it [env: AR_DATA]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Another server: the address that a file's name follows [env: AR_DATA_FROM]
    #[arg(long, value_name = "URL")]
    from: Option<String>,
}

/// List data sets and what of them is below AR_DATA
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar data list\n  AR_DATA=~/data git ar data list --json")]
struct ListArgs {}

pub(super) fn run(session: &Session, args: Args) -> Result<Reply, Problems> {
    match args.verb {
        Some(Verb::Fetch(args)) => fetch(session, args),
        Some(Verb::List(_)) | None => Ok(list(session)),
    }
}

fn fetch(session: &Session, args: FetchArgs) -> Result<Reply, Problems> {
    let env = |name: &str| session.env(name);
    let to = args.to.map(|to| session.folder.join(to));
    let request = data::Request { name: &args.name, to, from: args.from, env: &env };
    let fetched = data::fetch(&request, &mut Bar::default())?;
    let reply = Reply::new(&fetched);
    Ok(match &fetched.root {
        Some(root) => reply.next(format!("export AR_DATA={}", root.display())),
        None => reply,
    })
}

fn list(session: &Session) -> Reply {
    let root = session.env("AR_DATA").filter(|root| !root.is_empty()).map(PathBuf::from);
    let listing = data::list(root);
    let lacking = listing.sets.iter().filter(|set| set.there < set.files);
    Reply::new(&listing).nexts(lacking.map(|set| format!("git ar data fetch {}", set.name)))
}

/// A bar on a terminal; elsewhere a line for each file.
#[derive(Default)]
struct Bar(Option<ProgressBar>);

impl Watcher for Bar {
    fn start(&mut self, name: &str, here: u64, bytes: u64) {
        let style = ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
        let bar = ProgressBar::new(bytes).with_position(here).with_message(name.to_string());
        bar.set_style(style.expect("the template names known fields"));
        if bar.is_hidden() {
            Stderr.say(&match here {
                0 => format!("{name} ({bytes} bytes)"),
                here => format!("{name} ({bytes} bytes), on from {here}"),
            });
        }
        self.0 = Some(bar);
    }

    fn here(&mut self, bytes: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(bytes);
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.0.take() {
            bar.finish_and_clear();
        }
    }

    fn say(&mut self, line: &str) {
        match &self.0 {
            Some(bar) => bar.suspend(|| Stderr.say(line)),
            None => Stderr.say(line),
        }
    }
}
