//! A cluster as the verbs use it: its profile, its scheduler's dialect, the way to its shell, its folders.

use std::time::Duration;

use super::{Context, trust};
use crate::cluster::legal::expand;
use crate::cluster::profile::{LOCAL, Profile, Transport};
use crate::cluster::reply::Reply;
use crate::cluster::scheduler::Dialect;
use crate::cluster::shell::{line, quote};
use crate::cluster::site::Layout;
use crate::cluster::transport::{self, Call, Outside, Remote};
use crate::state::problem::{Kind, Problem};
use crate::state::text::printable;
use crate::state::tree::Tree;

/// How long a scheduler may take to answer where its profile does not say.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// The exit status with which a script of ours says that it could not do what it is for; the reason is on its standard
/// error.
const FAILED: i32 = 3;

/// One cluster, open for questions. Nothing is connected before the first call.
pub struct Site {
    /// The cluster's name.
    pub name: String,
    /// Its profile.
    pub profile: Profile,
    /// How its scheduler is spoken to.
    pub dialect: &'static dyn Dialect,
    /// The way to its shell.
    pub remote: Box<dyn Remote>,
    /// Where things lie on it. Its paths may begin with variables that the site's shell fills in: see [`Site::path`].
    pub layout: Layout,
}

impl Site {
    /// The cluster of a name, as `tree` describes it.
    ///
    /// # Errors
    /// [`Kind::Refused`] when nobody has trusted what the profile names, [`Kind::Usage`] when there is no such cluster or
    /// it has no scheduler, [`Kind::Invalid`] for a profile that does
    /// not read, [`Kind::Io`] for a clone without the beginning of its history.
    pub fn open(context: &Context<'_>, tree: &dyn Tree, name: &str) -> Result<Self, Problem> {
        Self::of(context, tree, Profile::read(tree, &context.settings.config_dir, name)?, name)
    }

    /// The same cluster for a command that runs on it: its shell is here.
    ///
    /// # Errors
    /// As [`Site::open`].
    pub fn here(context: &Context<'_>, tree: &dyn Tree, name: &str) -> Result<Self, Problem> {
        let profile = Profile::read(tree, &context.settings.config_dir, name)?;
        Self::of(context, tree, Profile { transport: Transport::Local, ..profile }, name)
    }

    fn of(context: &Context<'_>, tree: &dyn Tree, profile: Profile, name: &str) -> Result<Self, Problem> {
        trust::require_cluster(context, tree, name)?;
        let dialect = profile.scheduler.dialect().ok_or_else(|| no_scheduler(name))?;
        let scratch = profile.scratch.clone().ok_or_else(|| {
            Problem::new(Kind::Invalid, "scratch", format!("cluster {name} has no `scratch`"))
                .at(format!("{}/cluster/{name}.yaml", context.settings.config_dir))
                .hint("name the folder there that holds snapshots and runs, such as `scratch: $HOME/git-ar`")
        })?;
        let remote = transport::open(name, &profile, &Outside { env: context.env, entropy: context.entropy })?;
        let layout = Layout::new(&scratch, &repository_name(context), &context.repo.root_commit("HEAD")?);
        Ok(Self { name: name.to_string(), profile, dialect, remote, layout })
    }

    /// How long its scheduler may take to answer.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.profile.patience_s.map_or(PATIENCE, |seconds| Duration::from_secs(seconds.into()))
    }

    /// A path of the layout as a word for the site's shell.
    #[must_use]
    pub fn path(&self, path: &str) -> String {
        expand(path).unwrap_or_else(|| quote(path))
    }

    /// Runs a script of ours: `values` become variables, the repository's folder is `ar_base`. A value is a word for the
    /// shell already.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when no whole answer came; [`Kind::Io`] with the script's own words when it says that it
    /// cannot do what it is for.
    pub fn script(
        &self,
        what: &str,
        values: &[(&str, String)],
        parts: &[&str],
        input: &[u8],
        limit: Duration,
    ) -> Result<Reply, Problem> {
        let mut text = format!("ar_base={}\n", self.path(self.layout.base()));
        values.iter().for_each(|(name, value)| text.push_str(&format!("{name}={value}\n")));
        parts.iter().for_each(|part| text.push_str(part));
        let reply = self.remote.sh(&Call { what, script: &text, input, limit })?;
        match reply.code {
            0 => Ok(reply),
            FAILED => Err(self.failed(what, printable(reply.stderr.trim()))),
            code => Err(self.failed(what, format!("the shell ended with {code}: {}", printable(reply.stderr.trim())))),
        }
    }

    /// Runs one command of the scheduler; its exit status is part of the answer. A scheduler that keeps no history is
    /// asked once more, without it.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when no whole answer came.
    pub fn ask(&self, what: &str, words: &[String]) -> Result<Reply, Problem> {
        let ask = |words: &[String]| {
            let script = format!("{} </dev/null", line(words));
            self.remote.sh(&Call { what, script: &script, input: b"", limit: self.patience() })
        };
        let reply = ask(words)?;
        self.dialect.without_history(words, &reply).map_or(Ok(reply), |words| ask(&words))
    }

    fn failed(&self, what: &str, why: String) -> Problem {
        Problem::new(Kind::Io, "site", format!("cannot {what} on {}: {why}", self.name))
            .hint(format!("git ar cluster doctor {}   looks at the site", self.name))
    }
}

fn no_scheduler(name: &str) -> Problem {
    let message = format!("cluster {name} has no scheduler: its jobs start at once, on this machine");
    let problem = Problem::new(Kind::Usage, "no-scheduler", message);
    match name {
        LOCAL => problem.hint("git ar run local EXPERIMENT, or name another with --cluster (git ar cluster list)"),
        _ => problem.hint("name another cluster with --cluster (git ar cluster list)"),
    }
}

/// The repository's name: the last part of where it is pushed to, which all clones share; else its folder's.
fn repository_name(context: &Context<'_>) -> String {
    let address = context.repo.config("remote.origin.url").unwrap_or_default();
    let last = |text: &str| text.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default().to_string();
    let name = last(address.trim_end_matches('/').trim_end_matches(".git"));
    let folder = || context.repo.top().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if name.is_empty() { folder() } else { name }
}
