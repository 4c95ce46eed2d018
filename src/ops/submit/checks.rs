//! What must be so before anything is submitted: the branch, committed and pushed code, a cluster.

use crate::cluster::profile::{LOCAL, Profile};
use crate::cluster::scheduler::Scheduler;
use crate::ops::Context;
use crate::ops::run_local::refuse_dirty_code;
use crate::repo::CommitTree;
use crate::state::problem::{Kind, Problem};
use crate::state::tree::Tree;

/// What new runs belong to.
pub(super) struct Base {
    /// The anchor's commit.
    pub(super) commit: String,
    /// Its code.
    pub(super) code_tree: String,
    /// The tree of `HEAD`, whose code is the anchor's.
    pub(super) head: CommitTree,
}

/// The anchor: the newest pushed commit with HEAD's code.
///
/// # Errors
/// [`Kind::Refused`] on another branch than the program's, [`Kind::DirtyCode`] for code that is not committed or not
/// pushed.
pub(super) fn base(context: &Context<'_>) -> Result<Base, Problem> {
    on_branch(context)?;
    let head = context.repo.head()?;
    let wanted = &context.settings.branch;
    let Some(tip) = head.commit else {
        let problem = Problem::new(Kind::DirtyCode, "unborn", "there is no commit yet; a run belongs to a commit");
        return Err(problem.hint("git add the code and the configs, and git commit"));
    };
    refuse_dirty_code(context)?;
    let tree = context.repo.commit_tree(&tip)?;
    let code = &context.settings.code;
    let code_tree = context.repo.code_tree(&tree, code)?;
    let tips: Vec<String> = context.repo.remote_branches()?.into_iter().map(|(_, id)| id).collect();
    let unpushed: std::collections::HashSet<String> =
        context.repo.commits_not_in(&tips, &tip)?.into_iter().map(|commit| commit.id).collect();
    let anchor = context.repo.newest(&tip, |id| {
        Ok(!unpushed.contains(id) && context.repo.code_tree(&context.repo.commit_tree(id)?, code)? == code_tree)
    })?;
    match anchor {
        Some(commit) => Ok(Base { commit, code_tree, head: tree }),
        None => {
            let message = "the code of HEAD is not pushed; a job on a cluster belongs to a commit that others can see";
            Err(Problem::new(Kind::DirtyCode, "unpushed", message).hint(format!("git push origin {wanted}")))
        }
    }
}

/// Records are made on the program's branch only.
///
/// # Errors
/// [`Kind::Refused`] on another one.
pub(super) fn on_branch(context: &Context<'_>) -> Result<(), Problem> {
    let (branch, wanted) = (context.repo.head()?.branch, &context.settings.branch);
    if branch.as_ref() == Some(wanted) {
        return Ok(());
    }
    let on = branch.map_or("no branch".into(), |branch| format!("branch {branch}"));
    let message = format!("this is {on}; runs on a cluster are submitted from {wanted}");
    let hint = format!("git switch {wanted}; `branch:` in configs/ar.yaml names it");
    Err(Problem::new(Kind::Refused, "branch", message).at("configs/ar.yaml").hint(hint))
}

/// The cluster that is meant: the one named, else the only one that has a scheduler.
///
/// # Errors
/// [`Kind::Ambiguous`] when there are several, [`Kind::Usage`] when there is none.
pub(super) fn cluster(context: &Context<'_>, tree: &dyn Tree, named: Option<&str>) -> Result<String, Problem> {
    if let Some(name) = named {
        return Ok(name.to_string());
    }
    let dir = &context.settings.config_dir;
    let files = tree.list(&format!("{dir}/cluster"))?;
    let names = files.iter().filter_map(|entry| entry.name.strip_suffix(".yaml")).filter(|name| *name != LOCAL);
    let has_jobs = |name: &&str| Profile::read(tree, dir, name).map_or(true, |p| p.scheduler != Scheduler::Local);
    let names: Vec<&str> = names.filter(has_jobs).collect();
    match names.as_slice() {
        [one] => Ok((*one).to_string()),
        [] => Err(Problem::new(
            Kind::Usage,
            "no-cluster",
            format!("{dir}/cluster/ describes no cluster with a scheduler"),
        )
        .hint(format!("write {dir}/cluster/NAME.yaml (docs/clusters/), or train here: git ar run local EXPERIMENT"))),
        several => Err(Problem::new(
            Kind::Ambiguous,
            "clusters",
            format!("there are several clusters: {}", several.join(", ")),
        )
        .hint("name one with --cluster")),
    }
}
