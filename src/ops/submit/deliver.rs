//! The anchor's files on a site: there and whole, or brought there and verified.

use std::time::Duration;

use crate::cluster::profile::Delivery;
use crate::cluster::shell::quote;
use crate::ops::site::Site;
use crate::ops::{Context, venv};
use crate::repo::CommitTree;
use crate::runs::pack;
use crate::state::problem::{Kind, Problem};
use crate::state::record::Anchor;

const COMMON: &str = include_str!("../../../templates/submit/common.sh");
const WHOLE: &str = include_str!("../../../templates/submit/whole.sh");
const LOOK: &str = include_str!("../../../templates/submit/look.sh");
const RECEIVE: &str = include_str!("../../../templates/submit/receive.sh");
const PULL: &str = include_str!("../../../templates/submit/pull.sh");
/// What [`LOOK`] says of a site without the Python environment.
const NO_VENV: &str = "the Python environment";
/// How long sending the code, or pulling it, may take.
const LONG: Duration = Duration::from_secs(1800);

/// Puts the snapshot of an anchor on a site, where it is not there already. `tree` is a tree with the anchor's code.
///
/// # Errors
/// [`Kind::Unavailable`] when the site does not answer; [`Kind::Io`] when it cannot take the files;
/// [`Kind::Refused`] when its clone cannot be pulled; [`Kind::Invalid`] when the tree is not the anchor's.
pub(super) fn ensure(context: &Context<'_>, site: &Site, tree: &CommitTree, anchor: &Anchor) -> Result<(), Problem> {
    let values = vec![("ar_tree", quote(&anchor.code_tree)), ("ar_manifest", quote(&anchor.manifest))];
    let venv = venv::of(context, site, tree)?.zip(site.profile.environment.as_ref());
    let place = venv.as_ref().map_or("''".into(), |(venv, made)| made.place("ar_base", &venv.key));
    let look = [values.as_slice(), &[("ar_venv", place)]].concat();
    let reply = site.script("prepare the folders", &look, &[COMMON, WHOLE, LOOK], b"", site.patience());
    let reply = reply.map_err(|problem| match venv {
        Some(_) if problem.message.contains(NO_VENV) => {
            let hint = format!("git ar cluster setup {}   makes it", site.name);
            Problem { kind: Kind::Refused, code: "environment", ..problem }.hint(hint)
        }
        _ => problem,
    })?;
    match reply.stdout.lines().next() {
        Some("snapshot whole") => return Ok(()),
        Some("snapshot absent") => {}
        _ => context.progress.say("the snapshot there had been changed; it is put aside"),
    }
    if site.profile.delivery == Delivery::Pull {
        return pull(context, site, tree, anchor, values);
    }
    let packed = pack::code(tree, &context.settings.code)?;
    same(&packed.digest, anchor)?;
    let size = packed.tar.len().div_ceil(1024);
    context.progress.say(&format!("sending the code of {} to {} ({size} KiB)", short(&anchor.commit), site.name));
    site.script("store the snapshot", &values, &[COMMON, WHOLE, RECEIVE], &packed.tar, LONG).map(drop)
}

fn pull(
    context: &Context<'_>,
    site: &Site,
    tree: &CommitTree,
    anchor: &Anchor,
    mut values: Vec<(&'static str, String)>,
) -> Result<(), Problem> {
    let clone = site.profile.clone.as_deref().ok_or_else(|| {
        Problem::new(Kind::Invalid, "no-clone", "`delivery: pull` needs `clone`, the folder of the clone there")
            .at(format!("{}/cluster/{}.yaml", context.settings.config_dir, site.name))
            .hint("add a line such as `clone: $HOME/repo`, or take that of `delivery` away")
    })?;
    let (manifest, digest) = pack::manifest(tree, &context.settings.code)?;
    same(&digest, anchor)?;
    values.push(("ar_clone", site.path(clone)));
    values.push(("ar_branch", quote(&context.settings.branch)));
    values.push(("ar_commit", quote(&anchor.commit)));
    context.progress.say(&format!("pulling {clone} on {}", site.name));
    let pulled = site.script("take the snapshot", &values, &[COMMON, WHOLE, PULL], manifest.as_bytes(), LONG);
    pulled.map(drop).map_err(|problem| match problem.kind {
        Kind::Io => Problem { kind: Kind::Refused, code: "clone", ..problem }
            .hint(format!("mend the clone there by hand (nothing in it was changed), or write `delivery: archive` in {}/cluster/{}.yaml", context.settings.config_dir, site.name)),
        _ => problem,
    })
}

/// The files of a tree are those that the run was made with.
fn same(digest: &str, anchor: &Anchor) -> Result<(), Problem> {
    if digest == anchor.manifest {
        return Ok(());
    }
    let message = format!("commit {} does not hold the files that the run was made with", short(&anchor.commit));
    Err(Problem::new(Kind::Invalid, "snapshot", message).hint("git fsck; git ar check"))
}

fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}
