//! One attempt from here to the scheduler: intent, files, claim, effect. New runs, later attempts and those that `tick`
//! makes all go this way.

use super::claim::{Came, Claim};
use super::deliver;
use super::intent::{Intent, run_of};
use super::job::{self, Ready, Wanted};
use crate::ops::run::Place;
use crate::ops::site::Site;
use crate::ops::{Context, trust};
use crate::repo::CommitTree;
use crate::runs::layout::Record;
use crate::state::ids::RunId;
use crate::state::load::{self, RunView};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::record::{Anchor, Attempt, Run, SeedsAs};
use crate::state::tree::Tree;
use crate::state::yaml::to_string;

/// A further attempt of a run on record.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Its number, from 1.
    pub number: u32,
    /// Its seeds.
    pub seeds: &'a [u64],
    /// One after another, or as an array.
    pub seeds_as: SeedsAs,
    /// The queue; the profile's default when absent.
    pub queue: Option<&'a str>,
    /// Seconds.
    pub walltime_s: u64,
}

/// An attempt that the scheduler has. Whoever records it calls [`Intent::observed`] after that.
#[derive(Clone, Debug)]
pub struct Sent {
    /// What records it.
    pub intent: Intent,
    /// The scheduler's id.
    pub job: String,
}

/// Submits a further attempt of a run, from the run's own anchor and config. `tree` holds the records.
///
/// # Errors
/// [`Kind::SchedulerRefused`] with the scheduler's words, [`Kind::Unavailable`] when nobody can say what became of it;
/// what else keeps a job from being made.
pub fn attempt(
    context: &Context<'_>,
    site: &Site,
    tree: &dyn Tree,
    (place, view): (&Place, &RunView),
    ask: &Ask<'_>,
) -> Result<Sent, Problems> {
    if site.profile.trainer.is_none() {
        trust::require_trainer(context, tree)?;
    }
    let path = Record::new(&place.folder, &view.id).config();
    let stored = tree.read(&path)?.ok_or_else(|| Problem::new(Kind::Invalid, "no-config", "it is missing").at(path))?;
    let stored = String::from_utf8_lossy(&stored).into_owned();
    let wanted = Wanted {
        id: &view.id,
        run: &view.run,
        stored: &stored,
        number: ask.number,
        seeds: ask.seeds,
        seeds_as: ask.seeds_as,
        queue: ask.queue.or(site.profile.default_queue.as_deref()),
        walltime_s: ask.walltime_s,
    };
    let ready = job::ready(context, site, &wanted, context.now)?;
    deliver::ensure(context, site, &code_of(context, &view.run.anchor)?, &view.run.anchor)?;
    Ok(send(context, site, place, &wanted, &ready)?)
}

/// A tree with the code of an anchor: its commit's, or that of any other commit with this code.
///
/// # Errors
/// [`Kind::Invalid`] when this clone has no such code.
pub(super) fn code_of(context: &Context<'_>, anchor: &Anchor) -> Result<CommitTree, Problem> {
    if let Ok(tree) = context.repo.commit_tree(&anchor.commit) {
        return Ok(tree);
    }
    let code = &context.settings.code;
    let found = context
        .repo
        .newest("HEAD", |id| Ok(context.repo.code_tree(&context.repo.commit_tree(id)?, code)? == anchor.code_tree))?;
    let commit = found.ok_or_else(|| {
        let message = format!("the code of commit {} is not in this clone", anchor.commit);
        Problem::new(Kind::Invalid, "anchor-absent", message)
            .hint("git fetch --unshallow, or fetch the branch it was made on")
    })?;
    context.repo.commit_tree(&commit)
}

/// Sends an attempt that is ready: never a second time, whatever happens on the way.
pub(super) fn send(
    context: &Context<'_>,
    site: &Site,
    place: &Place,
    wanted: &Wanted<'_>,
    ready: &Ready,
) -> Result<Sent, Problem> {
    let mut intent = Intent {
        cluster: site.name.clone(),
        run: wanted.id.clone(),
        attempt: wanted.number,
        parent: place.folder.clone(),
        place: place.name(),
        trailers: place.trailers(wanted.id).into_iter().map(|(k, v)| (k.to_string(), v)).collect(),
        run_yaml: to_string(wanted.run),
        config_yaml: wanted.stored.to_string(),
        record: ready.record.clone(),
    };
    let archive = ready.archive()?;
    intent.begin(context, context.now)?;
    let claim = Claim { site, run: wanted.id, attempt: wanted.number, name: &ready.name };
    let came = claim.submit(&archive, &crate::cluster::site::names::script(wanted.number)).inspect_err(|problem| {
        if crate::cluster::transport::never_began(problem) {
            // Nothing was sent, so nothing is pending. Should this line not be written, the next command finds out.
            let _ = intent.seen(context, context.now, &Came::Nothing);
        }
    })?;
    if let Came::Job { fresh: false, .. } = &came {
        adopt(site, wanted, &mut intent)?;
        intent.begin(context, context.now)?;
    }
    intent.seen(context, context.now, &came)?;
    match came {
        Came::Job { id, .. } => Ok(Sent { intent, job: id }),
        Came::Refused(words) => Err(refused(site, wanted.id, &words)),
        Came::Nothing => Err(Problem::new(Kind::Unavailable, "unavailable", "the submit was given up on the site")
            .hint("repeat the command")),
    }
}

/// Somebody submitted this very attempt before, from another clone or from this one without its journal: what they
/// wrote on the site is what is recorded, so that both records are the same.
fn adopt(site: &Site, wanted: &Wanted<'_>, intent: &mut Intent) -> Result<(), Problem> {
    let values =
        [("ar_run", crate::cluster::shell::quote(wanted.id.as_str())), ("ar_attempt", wanted.number.to_string())];
    let script =
        "cd \"$ar_base/runs/$ar_run\" && echo $(($(wc -c <run.yaml))) && cat run.yaml \"attempt-$ar_attempt.yaml\"\n";
    let reply = site.script("read what was submitted", &values, &[script], b"", site.patience())?;
    let foreign = || {
        let message = format!("run {} was submitted to {} by somebody else, with other contents", wanted.id, site.name);
        Problem::new(Kind::Refused, "submitted-elsewhere", message).hint("git pull, then git ar run list")
    };
    let (length, text) = reply.stdout.split_once('\n').ok_or_else(foreign)?;
    let (run, attempt) = length.parse().ok().and_then(|at| text.split_at_checked(at)).ok_or_else(foreign)?;
    let attempt: Attempt = load::parse("attempt.yaml", attempt.as_bytes())?;
    let theirs = Intent { run_yaml: run.to_string(), record: attempt, ..intent.clone() };
    let mine = |run: &Run| (run.kind, run.config_digest.clone(), run.anchor.code_tree.clone(), run.seeds.clone());
    if mine(&run_of(&theirs)?) != mine(wanted.run) {
        return Err(foreign());
    }
    *intent = theirs;
    Ok(())
}

fn refused(site: &Site, id: &RunId, words: &str) -> Problem {
    let message = format!("the scheduler of {} refused run {id}: {words}", site.name);
    Problem::new(Kind::SchedulerRefused, "refused", message)
        .hint(format!("mend what it names (git ar cluster show {} has the limits), then repeat the command", site.name))
}
