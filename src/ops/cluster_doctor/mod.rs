//! `cluster doctor`: whether a site can do what its profile says, and what to do where it cannot. Changes nothing.

mod checks;
mod facts;
mod stored;

use serde::Serialize;

use super::doctor::{Check, State};
use super::site::{PATIENCE, Site};
use super::{Context, trust, venv};
use crate::cluster::legal::expand;
use crate::cluster::live;
use crate::cluster::profile::Profile;
use crate::cluster::shell::{line, quote};
use crate::cluster::transport::Call;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::tree::Tree as _;

pub use facts::Facts;

/// What a look at a site found.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The cluster.
    pub cluster: String,
    /// The checks in order.
    pub checks: Vec<Check>,
}

impl Outcome {
    /// Whether jobs can run there.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.checks.iter().all(|check| check.state < State::Broken)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.checks.iter().try_for_each(|check| write!(f, "{check}"))
    }
}

/// Looks at a cluster.
///
/// # Errors
/// [`Kind::Usage`] for a cluster that has no scheduler or no profile; [`Kind::Unavailable`] when it does not answer.
pub fn doctor(context: &Context<'_>, name: &str) -> Result<Outcome, Problems> {
    let tree = context.repo.work_tree();
    trust::require(context, &trust::of_cluster(&tree, &context.settings.config_dir, name)?)?;
    let site = Site::open(context, &tree, name)?;
    let facts = look(context, &site)?;
    let mut checks = checks::all(&site, &facts, context);
    checks.extend(stored::checks(&facts, &stored::Known::of(&tree, name)?));
    Ok(Outcome { cluster: name.to_string(), checks })
}

/// Asks the site, in one call, and its scheduler, in two.
fn look(context: &Context<'_>, site: &Site) -> Result<Facts, Problem> {
    let profile = &site.profile;
    let path = |path: &Option<String>| path.as_deref().map_or("''".into(), |path| site.path(path));
    let days =
        profile.file_age_days.map_or(String::new(), |days| days.saturating_sub(checks::WARNING_DAYS).to_string());
    let venv = venv::of(context, site, &context.repo.work_tree())?.zip(profile.environment.as_ref());
    let venv = venv.map(|(venv, made)| made.place("ar_base", &venv.key));
    let tools = live::commands(profile.scheduler).join(" ");
    let values = [
        ("ar_base", site.path(site.layout.base())),
        ("ar_scratch", path(&profile.scratch)),
        (
            "ar_image",
            profile.image.as_deref().map_or("''".into(), |image| expand(image).unwrap_or_else(|| quote(image))),
        ),
        ("ar_clone", path(&profile.clone)),
        ("ar_venv", venv.unwrap_or("''".into())),
        ("ar_days", quote(&days)),
        ("ar_modules", quote(&profile.modules.join(" "))),
        ("ar_tools", quote(&tools)),
    ];
    let mut script = String::new();
    values.iter().for_each(|(name, value)| script.push_str(&format!("{name}={value}\n")));
    script.push_str(include_str!("../../../templates/site/look.sh"));
    let call = Call { what: "look round", script: &script, input: b"", limit: PATIENCE };
    let mut facts = Facts::read(&site.remote.sh(&call)?.stdout);
    if facts.all("lacks").is_empty()
        && let Some((queues, version)) = live::questions(profile.scheduler)
    {
        let both = format!("{} </dev/null 2>&1 | head -n 1", line(&version));
        let call = Call { what: "ask the scheduler's version", script: &both, input: b"", limit: PATIENCE };
        facts.version = Some(site.remote.sh(&call)?.stdout.trim().to_string());
        let reply = site.ask("ask for the queues", &queues)?;
        facts.queues = live::queues(profile.scheduler, &reply);
        facts.refusal = facts.queues.is_none().then(|| reply.stderr.trim().to_string());
    }
    facts.here = context.now.as_second();
    Ok(facts)
}

/// The clusters that `configs/cluster` describes and that have a scheduler.
///
/// # Errors
/// [`Kind::Usage`] when there is none, or several and none was named.
pub fn only(context: &Context<'_>) -> Result<String, Problem> {
    let tree = context.repo.work_tree();
    let folder = format!("{}/cluster", context.settings.config_dir);
    let mut names = Vec::new();
    for entry in tree.list(&folder)? {
        let Some(name) = entry.name.strip_suffix(".yaml") else { continue };
        if Profile::read(&tree, &context.settings.config_dir, name)?.scheduler.dialect().is_some() {
            names.push(name.to_string());
        }
    }
    match names.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Problem::new(Kind::Usage, "no-cluster", "no cluster is described in configs/cluster")
            .hint("write configs/cluster/NAME.yaml; docs/clusters shows how")),
        several => Err(Problem::new(
            Kind::Ambiguous,
            "which-cluster",
            format!("there are {} clusters: {}", several.len(), several.join(", ")),
        )
        .hint(format!("git ar cluster doctor {}", several[0]))),
    }
}
