//! `data`: the data sets that the built-in trainers read, what of them is here, and how the rest comes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::runs::datasets::{self, DATA_SETS, DataSet, Found};
use crate::runs::fetch::http::Net;
use crate::runs::fetch::{self, Watcher, megabytes};
use crate::state::problem::{Kind, Problem, Problems};

/// The variable that says where data sets are.
const ROOT: &str = "AR_DATA";
/// The variable that names another server.
const SERVER: &str = "AR_DATA_FROM";
/// Waited after an attempt that brought nothing.
const PAUSE: Duration = Duration::from_secs(1);

/// What to fetch.
pub struct Request<'a> {
    /// The data set.
    pub name: &'a str,
    /// The folder above the data set's own; `AR_DATA` when absent.
    pub to: Option<PathBuf>,
    /// The address that a file's name follows; the public ones when absent.
    pub from: Option<String>,
    /// The environment.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Fetched {
    /// The data set.
    pub name: &'static str,
    /// Where its files are.
    pub folder: PathBuf,
    /// Files that were there before.
    pub there: usize,
    /// Files that came.
    pub fetched: usize,
    /// Bytes that came over the network.
    pub bytes: u64,
    /// The folder above, when `AR_DATA` does not say it yet.
    pub root: Option<PathBuf>,
}

/// Fetches a data set, or the rest of it.
pub fn fetch(request: &Request<'_>, watcher: &mut dyn Watcher) -> Result<Fetched, Problems> {
    let set = datasets::named(request.name)?;
    let set_root = (request.env)(ROOT).filter(|root| !root.is_empty()).map(PathBuf::from);
    let root = request.to.clone().or_else(|| set_root.clone()).ok_or_else(nowhere)?;
    let from = request.from.clone().or_else(|| (request.env)(SERVER)).filter(|from| !from.is_empty());
    let from = from.map_or_else(|| set.from.iter().map(ToString::to_string).collect(), |from| vec![from]);
    let folder = place(set, &root);
    let net = Net::new(request.env, PAUSE)?;
    let got = fetch::fetch(set, &folder, &from, &net, watcher)?;
    let root = Some(root).filter(|root| set_root.as_ref() != Some(root));
    Ok(Fetched { name: set.name, folder, there: got.there, fetched: got.fetched, bytes: got.bytes, root })
}

/// The folder below the root that has some of the files already, or the one of the data set's name.
fn place(set: &DataSet, root: &Path) -> PathBuf {
    let holds =
        |folder: &PathBuf| set.files.iter().any(|f| [f.name, f.unpacked()].iter().any(|n| folder.join(n).is_file()));
    set.folders(root).into_iter().find(holds).unwrap_or_else(|| root.join(set.name))
}

fn nowhere() -> Problem {
    Problem::new(Kind::Usage, "data", "nobody says where to: AR_DATA is not set")
        .hint("name the folder of data sets: --to ~/data, or export AR_DATA=DIR")
}

impl fmt::Display for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, folder, there, fetched, bytes, .. } = self;
        match fetched {
            0 => writeln!(f, "{name}: all {there} files are in {}; nothing to do", folder.display()),
            _ => writeln!(f, "{name}: {fetched} files fetched ({}) into {}", megabytes(*bytes), folder.display()),
        }
    }
}

/// One data set as `data list` shows it.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// Its name in configs.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// Its files' size together, in bytes.
    pub bytes: u64,
    /// How many files it has.
    pub files: usize,
    /// How many of them are below `AR_DATA`.
    pub there: usize,
    /// What is wrong with the others, file by file.
    pub wrong: Vec<String>,
    /// Where it is published.
    pub from: &'static [&'static str],
}

/// Every data set.
#[derive(Debug, Serialize)]
pub struct Listing {
    /// The folder that was looked through.
    pub root: Option<PathBuf>,
    /// One by one.
    pub sets: Vec<Listed>,
}

/// What there is, below a folder.
#[must_use]
pub fn list(root: Option<PathBuf>) -> Listing {
    let sets = DATA_SETS.iter().map(|set| listed(set, root.as_deref())).collect();
    Listing { root, sets }
}

fn listed(set: &DataSet, root: Option<&Path>) -> Listed {
    let found = root.map(|root| set.look(root)).unwrap_or_default();
    let wrong = |(file, found): &(datasets::DataFile, Found)| match found {
        Found::There(_) => None,
        Found::Missing => Some(format!("{} is missing", file.name)),
        Found::WrongSize(path, bytes) => Some(format!("{} has {bytes} bytes, not {}", path.display(), file.bytes)),
    };
    let wrong: Vec<String> = found.iter().filter_map(wrong).collect();
    Listed {
        name: set.name,
        title: set.title,
        bytes: set.files.iter().map(|file| file.bytes).sum(),
        files: set.files.len(),
        there: found.len() - wrong.len(),
        wrong,
        from: set.from,
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.root {
            Some(root) => writeln!(f, "in {}:", root.display())?,
            None => writeln!(f, "AR_DATA is not set")?,
        }
        writeln!(f, "{:<9} built in", "digits")?;
        for set in &self.sets {
            let Listed { name, title, bytes, files, there, .. } = set;
            let state = match there == files {
                true => "here".to_string(),
                false => format!("{there} of {files} files here"),
            };
            writeln!(f, "{name:<9} {state:<20} {:>9}  {title}", megabytes(*bytes))?;
            // Nothing is wrong with a set that nobody has begun to fetch.
            let begun = *there > 0 || set.wrong.iter().any(|words| !words.ends_with("is missing"));
            set.wrong.iter().filter(|_| begun).try_for_each(|words| writeln!(f, "          {words}"))?;
        }
        Ok(())
    }
}
