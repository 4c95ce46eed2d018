//! What the plan says about the jobs of an experiment, where the command says nothing.

use super::Request;
use crate::cluster::scheduler::seconds;
use crate::ops::Context;
use crate::ops::run::Place;
use crate::state::record::RunKind;

/// The request with the plan's cluster, queue and walltime, and the cluster of configs/ar.yaml. What a plan says of one
/// cluster is not carried to another one that the command names.
pub(super) fn filled(context: &Context<'_>, place: &Place, request: &Request) -> Request {
    let mut request = request.clone();
    let plan = place.iteration.as_ref().map_or(&[][..], |view| &view.iteration.plan);
    let entry = plan.iter().find(|entry| entry.experiment == request.wanted.experiment);
    let default = context.settings.cluster.clone();
    if let Some(entry) = entry {
        let cluster = request.cluster.clone().or_else(|| entry.cluster.clone()).or_else(|| default.clone());
        if entry.cluster.is_none() || entry.cluster == cluster {
            request.queue = request.queue.or_else(|| entry.queue.clone());
            let full = request.wanted.kind == RunKind::Full;
            request.walltime_s = request.walltime_s.or_else(|| seconds(entry.walltime.as_deref().filter(|_| full)?));
        }
        request.cluster = cluster;
    }
    request.cluster = request.cluster.or(default);
    request
}
