//! `run rerun`: a run once more, from its own commit and config, as a new run that names the old one.

use super::cell::Setting;
use super::checks::{self, Base};
use super::{Outcome, Request, send, settle};
use crate::cluster::profile::LOCAL;
use crate::ops::run;
use crate::ops::site::Site;
use crate::ops::{Context, trust};
use crate::state::entities::Seeds;
use crate::state::problem::{Kind, Problem, Problems};

/// Submits a run again. `request` says where and how; what is wanted is what the run was.
///
/// # Errors
/// As [`super::start`]; [`Kind::Usage`] for a run that belongs to this machine and no cluster is named.
pub fn rerun(
    context: &Context<'_>,
    name: &str,
    seeds: Option<&Seeds>,
    mut request: Request,
) -> Result<Outcome, Problems> {
    let disk = context.repo.work_tree();
    let (place, view) = run::one(&disk, name)?;
    place.allow(view.run.kind)?;
    if context.commit && !request.here && !request.dry_run {
        context.repo.refuse_in_progress()?;
    }
    checks::on_branch(context)?;
    let head = context.repo.head_tree()?;
    let cluster = match (&request.cluster, view.run.cluster.as_str()) {
        (Some(named), _) => named.clone(),
        (None, LOCAL) => return Err(of_this_machine(view.id.as_str()).into()),
        (None, old) => old.to_string(),
    };
    let site = match request.here {
        true => Site::here(context, &head, &cluster)?,
        false => Site::open(context, &head, &cluster)?,
    };
    if site.profile.trainer.is_none() {
        trust::require_trainer(context, &head)?;
    }
    let anchor = view.run.anchor.clone();
    let base = Base { head: send::code_of(context, &anchor)?, commit: anchor.commit, code_tree: anchor.code_tree };
    request.wanted.kind = view.run.kind;
    request.wanted.experiment.clone_from(&view.run.experiment);
    request.wanted.overrides.clone_from(&view.run.overrides);
    let mut outcome = Outcome::new(place.name(), cluster, &request);
    if !request.dry_run {
        outcome.settled = settle(context, &site, request.here)?;
    }
    let seeds = seeds.unwrap_or(&view.run.seeds);
    let setting =
        Setting { context, request: &request, site: &site, place: &place, base: &base, manifest: anchor.manifest };
    outcome.cells.push(setting.rerun(&view, seeds)?);
    Ok(outcome)
}

fn of_this_machine(run: &str) -> Problem {
    let message = format!("run {run} was trained on this machine; which cluster is to train it?");
    Problem::new(Kind::Usage, "cluster", message)
        .hint("name one with --cluster; on this machine: git ar run local EXPERIMENT --seeds SEEDS")
}
