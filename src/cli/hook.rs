//! `git ar hook`: git's hooks.

use super::{Recording, Reply, Session};
use crate::ops::hook;
use crate::repo::{Environment, Repo};
use crate::state::load;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::yaml;

/// Check every commit and push through git's hooks
#[derive(clap::Args)]
#[command(after_help = "Example:\n  git ar hook install")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Put git-ar's part into the hooks; hooks that are there keep running
    #[command(after_help = "Examples:\n  git ar hook install\n  git ar -C /srv/nets.git hook install --pre-receive")]
    Install {
        /// The hook of a repository that is pushed to, bare or not: it refuses a push that holds a bad commit
        #[arg(long)]
        pre_receive: bool,
    },
    /// Take git-ar's part out again, to the byte
    #[command(after_help = "Example:\n  git ar hook uninstall")]
    Uninstall,
    /// Show what git runs; fails when it does not run git-ar
    #[command(after_help = "Example:\n  git ar hook status --json")]
    Status,
    /// Do what a hook does; git calls this
    #[command(after_help = "Example:\n  git ar hook run pre-commit")]
    Run {
        /// The hook
        name: String,
        /// What git tells the hook: for pre-push the remote's name and address
        arguments: Vec<String>,
    },
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Reply, Problems> {
    let repo = || Repo::discover(&session.folder, Environment::Honoured);
    let any = || match repo() {
        Err(problem) if problem.code == "bare" => Repo::receiving(&session.folder, None),
        opened => opened,
    };
    match &args.verb {
        Verb::Install { pre_receive: true } => {
            let repo = Repo::receiving(&session.folder, None)?;
            let standing = hook::install_receiving(&repo, &session.exe, session.env("PATH").as_deref())?;
            Ok(Reply::new(&standing).next("git ar hook status"))
        }
        Verb::Install { .. } => {
            let standing = hook::install(&repo()?, &session.exe, session.env("PATH").as_deref())?;
            Ok(Reply::new(&standing).next("git ar hook status"))
        }
        Verb::Uninstall => Ok(Reply::new(&hook::uninstall(&any()?)?)),
        Verb::Status => {
            let standing = hook::status(&any()?)?;
            let reply = Reply::new(&standing);
            let bare = standing.hooks.iter().all(|hook| hook.name == "pre-receive");
            let mend = if bare { "git ar hook install --pre-receive" } else { "git ar hook install" };
            Ok(if standing.complete() { reply } else { reply.next(mend).code(Kind::Found) })
        }
        Verb::Run { name, arguments } if name == "pre-receive" => {
            let quarantine = session.env("GIT_QUARANTINE_PATH").map(std::path::PathBuf::from);
            check(session, Repo::receiving(&session.folder, quarantine.as_deref())?, name, arguments)
        }
        Verb::Run { name, arguments } => check(session, repo()?, name, arguments),
    }
}

/// Runs a hook. The settings are those of `HEAD`: what lies in the work tree is not what is committed.
fn check(session: &Session, repo: Repo, name: &str, arguments: &[String]) -> Result<Reply, Problems> {
    let (remote, refs) = match name {
        "pre-push" => push(session, arguments),
        "pre-receive" => (String::new(), std::io::read_to_string(std::io::stdin()).unwrap_or_default()),
        _ => Default::default(),
    };
    let unset = || yaml::from_str("schema: 1\n").expect("every other setting has a default");
    let settings = load::settings(&repo.head_tree()?).ok().flatten().unwrap_or_else(unset);
    session.on(repo, settings, Recording::default(), |context| {
        let reports = hook::run(context, name, &remote, &refs)?;
        let warnings: Vec<Problem> = reports.into_iter().flat_map(|report| report.warnings).collect();
        Ok(Reply::parts(serde_json::json!({"hook": name}), String::new()).warn(warnings))
    })
}

/// What is pushed where. Git says it by an argument and on standard input; the pre-commit framework reads that input
/// itself and passes it on in variables.
fn push(session: &Session, arguments: &[String]) -> (String, String) {
    let read = |name: &str| session.env(name).unwrap_or_default();
    // When a whole history is pushed it names no commits, only the branch.
    let branch = || session.env("PRE_COMMIT_LOCAL_BRANCH").filter(|_| session.env("PRE_COMMIT_REMOTE_NAME").is_some());
    if let Some(tip) = session.env("PRE_COMMIT_TO_REF").or_else(branch) {
        let (local, remote) = (read("PRE_COMMIT_LOCAL_BRANCH"), read("PRE_COMMIT_REMOTE_BRANCH"));
        let shown = |branch: String| if branch.is_empty() { "branch".to_string() } else { branch };
        let from = Some(read("PRE_COMMIT_FROM_REF")).filter(|from| !from.is_empty()).unwrap_or_else(|| "0".into());
        let refs = format!("{} {tip} {} {from}", shown(local), shown(remote));
        return (read("PRE_COMMIT_REMOTE_NAME"), refs);
    }
    let refs = std::io::read_to_string(std::io::stdin()).unwrap_or_default();
    (arguments.first().cloned().unwrap_or_default(), refs)
}
