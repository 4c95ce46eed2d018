//! Findings of iterations that have concluded: their words and what they cite stay; a newer finding supersedes them.

use super::Case;
use super::files::FileKind;
use super::moved::Moved;
use crate::state::ids::{RunId, Slug};
use crate::state::load;
use crate::state::phase::Phase;
use crate::state::problem::{Kind, Problem};
use crate::state::project::Finding;
use crate::state::tree::{Change, join};

/// What is wrong with the findings that were changed, removed or added.
pub(super) fn check(case: &Case<'_>, moved: &Moved) -> Result<Vec<Problem>, Problem> {
    let mut found = Vec::new();
    for change in case.changes.iter().filter(|c| FileKind::of(&c.path) == FileKind::Finding) {
        found.extend(superseding(case, change)?);
        found.extend(frozen(case, change, moved)?);
    }
    Ok(found)
}

/// A finding that supersedes names one that is there.
fn superseding(case: &Case<'_>, change: &Change) -> Result<Option<Problem>, Problem> {
    let Ok(Some(finding)) = load::read::<Finding>(case.after, &change.path) else { return Ok(None) };
    let Some(old) = finding.supersedes else { return Ok(None) };
    let folder = change.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let other = join(folder, &format!("{old}.yaml"));
    if other != change.path && case.after.read(&other)?.is_some() {
        return Ok(None);
    }
    let message = format!("it supersedes the finding `{}`, which is not there", crate::state::text::printable(&old));
    let text = String::from_utf8_lossy(&case.after.read(&change.path)?.unwrap_or_default()).into_owned();
    let problem = Problem::new(Kind::Invalid, "supersedes", message).at(&change.path);
    Ok(Some(problem.line(load::line_of(&text, "supersedes")).hint(format!("name a file in {folder}/ without .yaml"))))
}

/// A finding of a concluded iteration keeps its text and its runs.
fn frozen(case: &Case<'_>, change: &Change, moved: &Moved) -> Result<Option<Problem>, Problem> {
    let Ok(Some(before)) = load::read::<Finding>(case.before, &change.path) else { return Ok(None) };
    let after = load::read::<Finding>(case.after, &change.path).ok().flatten();
    let same = |after: &Finding| {
        after.text == before.text && after.cites == before.cites && after.supersedes == before.supersedes
    };
    let renamed = change.after.is_none() && change.before.as_ref().is_some_and(|(_, id)| moved.has(&change.path, id));
    if renamed || after.as_ref().is_some_and(same) {
        return Ok(None);
    }
    let Some(iteration) = concluded(case, &change.path, &before.cites)? else { return Ok(None) };
    let what = if after.is_some() { "changed" } else { "removed" };
    let message = format!("a finding of {iteration}, which is concluded, is {what}");
    let text = String::from_utf8_lossy(&case.after.read(&change.path)?.unwrap_or_default()).into_owned();
    let id = change.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".yaml");
    let problem = Problem::new(Kind::Refused, "finding-frozen", message).at(&change.path);
    let hint = format!("write another finding beside it, with `supersedes: {id}`");
    Ok(Some(problem.line(after.and(load::line_of(&text, "text"))).hint(hint)))
}

/// The iteration that had concluded before the change and whose runs are cited.
fn concluded(case: &Case<'_>, path: &str, cites: &[RunId]) -> Result<Option<String>, Problem> {
    let Some(slug) = path.split('/').nth(1).and_then(|name| Slug::try_from(name).ok()) else { return Ok(None) };
    for view in load::iterations(case.before, &slug)? {
        if view.iteration.phase != Phase::Concluded {
            continue;
        }
        for id in cites {
            if case.before.read(&format!("{}/runs/{id}/run.yaml", view.folder))?.is_some() {
                return Ok(Some(view.name()));
            }
        }
    }
    Ok(None)
}
