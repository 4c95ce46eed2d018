//! One attempt made ready: what the scheduler is asked for, the script, the files that go with it.

use super::{send, walltime};
use crate::cluster::legal::{self, Wish};
use crate::cluster::profile::{Profile, Resources, Transport};
use crate::cluster::scheduler::{Spec, clock, job_name};
use crate::cluster::script::{self, Sheet};
use crate::cluster::site::names;
use crate::config;
use crate::ops::run::Place;
use crate::ops::site::Site;
use crate::ops::{Context, venv};
use crate::runs::{pack, trainer};
use crate::state::entities::{BuiltIn, Seeds, Trainer};
use crate::state::ids::RunId;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::record::{self, Attempt, Run, SeedsAs};
use crate::state::tree::{MemoryTree, digest};
use crate::state::yaml::to_string;

/// An attempt that is about to be made.
pub(super) struct Wanted<'a> {
    pub(super) id: &'a RunId,
    pub(super) run: &'a Run,
    /// The recorded config.
    pub(super) stored: &'a str,
    pub(super) number: u32,
    pub(super) seeds: &'a [u64],
    pub(super) seeds_as: SeedsAs,
    pub(super) queue: Option<&'a str>,
    pub(super) walltime_s: u64,
}

/// An attempt that is ready to be sent.
#[derive(Debug)]
pub(super) struct Ready {
    /// The job's name at the scheduler.
    pub(super) name: String,
    pub(super) script: String,
    /// As it will be recorded, the job's id apart.
    pub(super) record: Attempt,
    files: Vec<(String, String)>,
}

impl Ready {
    /// The archive of the files that go with it.
    pub(super) fn archive(&self) -> Result<Vec<u8>, Problem> {
        pack::files(&self.files)
    }
}

/// Makes an attempt ready.
///
/// # Errors
/// [`Kind::Invalid`] for a value that cannot stand in a job script; [`Kind::Usage`] for a job that its queue does not
/// take; what keeps the config from being resolved there.
pub(super) fn ready(
    context: &Context<'_>,
    site: &Site,
    wanted: &Wanted<'_>,
    now: jiff::Timestamp,
) -> Result<Ready, Problems> {
    let config = resolved(&site.profile, wanted.stored)?;
    let name = job_name(wanted.id, wanted.number);
    let members = u32::try_from(wanted.seeds.len()).unwrap_or(u32::MAX);
    let spec = Spec {
        name: name.clone(),
        queue: wanted.queue.map(str::to_string),
        account: site.profile.account.clone(),
        resources: site.profile.resources(wanted.queue, &Resources::default()),
        walltime_s: wanted.walltime_s,
        output: names::output(wanted.number, None),
        error: names::error(wanted.number, None),
        array: (wanted.seeds_as == SeedsAs::Array && members > 1).then_some(members),
        extra: site.profile.directives(wanted.queue),
    };
    fits(context, site, &spec)?;
    let venv = match &site.profile.environment {
        Some(_) => venv::of(context, site, &send::code_of(context, &wanted.run.anchor)?)?,
        None => None,
    };
    let script = script::render(&Sheet {
        profile: &site.profile,
        spec: &spec,
        id: wanted.id,
        run: wanted.run,
        attempt: wanted.number,
        seeds: wanted.seeds,
        config_file: &digest(config.as_bytes()),
        trainer: &trainer_words(context, &site.profile)?,
        venv: venv.as_ref().map(|venv| venv.key.as_str()),
    })?;
    let record = Attempt {
        name: Some(name.clone()),
        seeds: Some(Seeds::try_from(wanted.seeds.to_vec()).map_err(|e| Problem::new(Kind::Bug, "seeds", e))?),
        seeds_as: spec.array.map(|_| SeedsAs::Array),
        resources: record::Resources { queue: spec.queue.clone(), walltime: Some(clock(spec.walltime_s)) },
        script: Some(digest(script.as_bytes())),
        ..Attempt::new(&site.name, now)
    };
    let files = vec![
        (names::CONFIG.to_string(), config),
        (names::RUN.to_string(), to_string(wanted.run)),
        (names::script(wanted.number), script.clone()),
        (format!("attempt-{}.yaml", wanted.number), to_string(&record)),
    ];
    Ok(Ready { name, script, record, files })
}

/// What the profile knows against the job, told before anything is sent.
fn fits(context: &Context<'_>, site: &Site, spec: &Spec) -> Result<(), Problems> {
    let wish = Wish {
        cluster: &site.name,
        queue: spec.queue.as_deref(),
        resources: &spec.resources,
        walltime_s: spec.walltime_s,
    };
    let dir = &context.settings.config_dir;
    let against = legal::against(&site.profile, &wish);
    let placed = against.into_iter().map(|p| p.at(format!("{dir}/cluster/{}.yaml", site.name))).collect::<Vec<_>>();
    if placed.is_empty() { Ok(()) } else { Err(Problems(placed)) }
}

/// The recorded config with the environment of the site's jobs put in: what the trainer there reads.
fn resolved(profile: &Profile, stored: &str) -> Result<String, Problems> {
    let env = environment(profile);
    let tree = MemoryTree::default().with("config.yaml", stored);
    let composed = config::Composer::new(&tree, "", &env).compose(Some("config"), &[], config::Job::default())?;
    Ok(composed.resolved()?.to_yaml())
}

/// The environment of a site's jobs, as far as it is known here: a value that the site's shell fills in is not.
pub(super) fn environment(profile: &Profile) -> impl Fn(&str) -> Option<String> {
    |name: &str| profile.env.get(name).filter(|value| !value.contains('$')).cloned()
}

/// The trainer's command on the site.
fn trainer_words(context: &Context<'_>, profile: &Profile) -> Result<Vec<String>, Problem> {
    let chosen = profile.trainer.as_ref().unwrap_or(&context.settings.trainer);
    if profile.transport == Transport::Local {
        return Ok(trainer::resolve(chosen, &context.exe, (context.env)("PATH").as_deref())?.started);
    }
    Ok(recorded_words(chosen))
}

/// The trainer's command without the place of a built-in one.
fn recorded_words(trainer: &Trainer) -> Vec<String> {
    let words = |all: &[&str]| all.iter().map(ToString::to_string).collect();
    match trainer {
        Trainer::Named(BuiltIn::Reference) => words(&["git-ar", trainer::REFERENCE]),
        Trainer::Named(BuiltIn::Engine) => words(&[trainer::ENGINE]),
        Trainer::Command(command) => command.clone(),
    }
}

/// What a run on this site is recorded to have started for each seed.
pub(super) fn command(context: &Context<'_>, profile: &Profile) -> Vec<String> {
    let trainer = profile.trainer.as_ref().unwrap_or(&context.settings.trainer);
    profile.launch().into_iter().chain(recorded_words(trainer)).collect()
}

/// The walltime of a job with so many seeds in sequence: as asked, else estimated; with words about the estimate.
pub(super) fn walltime(
    site: &Site,
    place: &Place,
    run: (&Run, &str),
    (seeds, queue, asked): (u64, Option<&str>, Option<u64>),
    tree: &dyn crate::state::tree::Tree,
) -> Result<(u64, Option<String>), Problem> {
    if let Some(asked) = asked {
        return Ok((asked, None));
    }
    let cap = queue.and_then(|name| site.profile.queues.get(name)).and_then(|q| q.max_walltime_s());
    let estimate = walltime::estimate(tree, place, run, seeds, cap)?;
    let kill = estimate.p_kill.map(|p| format!("; chance of a kill {:.0} %", 100.0 * p)).unwrap_or_default();
    Ok((estimate.walltime_s, Some(format!("walltime {} ({}{kill})", clock(estimate.walltime_s), estimate.from))))
}
