//! What a tick found out becomes one commit on the program's branch, beside whatever a person has checked out.

use crate::ops::Context;
use crate::ops::board;
use crate::ops::record::{Recorded, Write};
use crate::repo::{Apart, Checkout, Environment, OVERTAKEN, Repo};
use crate::state::overlay::Overlay;
use crate::state::problem::{Kind, Problem, Problems};

/// How often a commit is made again because the branch moved meanwhile.
const TRIES: usize = 5;

/// Commits these files and the boards that they change, and moves the branch there.
///
/// # Errors
/// [`Kind::Locked`] when the branch is checked out and the checkout cannot follow; nothing is moved then. What the rules,
/// a hook or signing refuse.
pub fn land(
    context: &Context<'_>,
    subject: &str,
    trailers: &[(&str, String)],
    writes: &[Write],
) -> Result<Recorded, Problems> {
    let branch = &context.settings.branch;
    for _ in 0..TRIES {
        let apart = context.repo.apart(branch)?;
        let checkout = apart.may_land()?;
        let inner = inside(context, &apart)?;
        let (boards, warnings) = boards(&inner, writes, checkout.as_ref())?;
        let all = writes.iter().cloned().chain(boards).collect();
        let mut recorded = inner.record("tick", all, subject, trailers)?;
        recorded.warnings.extend(warnings);
        match apart.land("tick") {
            Ok(_) => {
                if context.push && recorded.changed {
                    context.repo.git().push("origin", branch)?;
                    recorded.pushed = true;
                }
                return Ok(recorded);
            }
            Err(problem) if problem.code == OVERTAKEN => {}
            Err(problem) => return Err(problem.into()),
        }
    }
    let message = format!("{branch} moved {TRIES} times while this was to be committed");
    Err(Problem::new(Kind::Locked, OVERTAKEN, message).hint("repeat the command").into())
}

/// Refuses early when a commit could not land, before anything is done on a cluster.
///
/// # Errors
/// [`Kind::Locked`] with what to finish first.
pub fn may_land(context: &Context<'_>) -> Result<(), Problem> {
    context.repo.apart(&context.settings.branch)?.may_land().map(drop)
}

/// The same command in the worktree of git-ar's own.
fn inside<'a>(context: &Context<'a>, apart: &Apart) -> Result<Context<'a>, Problem> {
    Ok(Context {
        repo: Repo::discover(apart.repo.top(), Environment::Ignored)?,
        settings: context.settings.clone(),
        now: context.now,
        entropy: context.entropy,
        env: context.env,
        progress: context.progress,
        commit: true,
        push: false,
        exe: context.exe.clone(),
    })
}

/// The boards that the new results change. One that a person is editing in the checkout waits.
fn boards(
    inner: &Context<'_>,
    writes: &[Write],
    checkout: Option<&Checkout>,
) -> Result<(Vec<Write>, Vec<Problem>), Problem> {
    let head = inner.repo.head_tree()?;
    let files = writes.iter().map(|w| (w.path.clone(), w.text.as_ref().map(|t| t.as_bytes().to_vec())));
    let (mut boards, warning) = board::in_step(inner, &Overlay::new(&head, files))?;
    let mut warnings: Vec<Problem> = warning.into_iter().collect();
    if let (Some(checkout), false) = (checkout, boards.is_empty()) {
        let dirty = Repo::discover(&checkout.top, Environment::Ignored)?.dirty_paths()?;
        let edited = |path: &str| dirty.iter().any(|d| d.path == path);
        for board in boards.iter().filter(|board| edited(&board.path)) {
            let message = "has edits that are not committed, so it was left as it is";
            let problem = Problem::new(Kind::Stale, "board-edited", message).at(&board.path);
            warnings.push(problem.hint("commit it, then git ar board render").warn());
        }
        boards.retain(|board| !edited(&board.path));
    }
    Ok((boards, warnings))
}
