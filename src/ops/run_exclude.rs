//! `run exclude`: why a run, or some of its seeds, does not count; and why that no longer holds.

use std::fmt;

use serde::Serialize;

use super::record::{Recorded, Write};
use super::{Context, run};
use crate::runs::layout::Record;
use crate::state::entities::Seeds;
use crate::state::exclusion::Exclusion;
use crate::state::ids::RunId;
use crate::state::load::RunView;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::tree::Tree;
use crate::state::yaml::{edit, quote, to_string};

/// What is to be written down.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Why it does not count.
    pub reason: Option<String>,
    /// One word for the cause.
    pub cause: Option<String>,
    /// The seeds; all when absent.
    pub seeds: Option<Seeds>,
    /// The run that replaces it, by a unique prefix.
    pub superseded_by: Option<String>,
    /// The commit that mends the cause.
    pub fixed_by: Option<String>,
    /// Why the exclusion no longer holds.
    pub withdraw: Option<String>,
}

/// What was written down.
#[derive(Debug, Serialize)]
pub struct Excluded {
    /// The run.
    pub run: RunId,
    /// The record as it is now.
    pub exclusion: Exclusion,
    /// The commit.
    #[serde(flatten)]
    pub recorded: Recorded,
}

/// Exclude a run, add to its exclusion, or withdraw it.
pub fn exclude(context: &Context<'_>, name: &str, wish: &Wish) -> Result<Excluded, Problems> {
    let tree = context.repo.work_tree();
    let (place, view) = run::one(&tree, name)?;
    let record = Record { folder: view.folder.clone() };
    let wish = Wish { superseded_by: superseding(&tree, &view, wish)?, ..wish.clone() };
    check_seeds(&view, &wish)?;
    let text = match tree.read(&record.exclusion())? {
        None => new(context, &view, &wish)?,
        Some(bytes) => added(&view, &String::from_utf8_lossy(&bytes), &record.exclusion(), &wish)?,
    };
    let exclusion: Exclusion = crate::state::load::parse(&record.exclusion(), text.as_bytes())?;
    let what = if exclusion.withdrawn.is_some() { "counts again" } else { "is excluded" };
    let subject = format!("{}: run {} {what}", place.name(), view.id);
    let writes = vec![Write::text(record.exclusion(), text)];
    let recorded = context.record("run exclude", writes, &subject, &place.trailers(&view.id))?;
    Ok(Excluded { run: view.id, exclusion, recorded })
}

fn superseding(tree: &dyn Tree, view: &RunView, wish: &Wish) -> Result<Option<String>, Problem> {
    let Some(name) = &wish.superseded_by else { return Ok(None) };
    let (_, other) = run::one(tree, name)?;
    if other.id == view.id {
        return Err(Problem::new(Kind::Usage, "usage", format!("run {} cannot replace itself", view.id)));
    }
    Ok(Some(other.id.to_string()))
}

fn check_seeds(view: &RunView, wish: &Wish) -> Result<(), Problem> {
    let foreign = wish.seeds.iter().flat_map(|s| s.as_slice()).find(|seed| !view.run.seeds.as_slice().contains(seed));
    match foreign {
        None => Ok(()),
        Some(seed) => {
            let message = format!("seed {seed} is not one of run {}'s seeds {}", view.id, view.run.seeds);
            Err(Problem::new(Kind::Usage, "usage", message).hint(format!("git ar run show {}", view.id)))
        }
    }
}

fn new(context: &Context<'_>, view: &RunView, wish: &Wish) -> Result<String, Problem> {
    if wish.withdraw.is_some() {
        let message = format!("run {} is not excluded, so there is nothing to withdraw", view.id);
        return Err(Problem::new(Kind::Refused, "not-excluded", message).hint(format!("git ar run show {}", view.id)));
    }
    let reason = wish.reason.as_deref().map(str::trim).filter(|r| !r.is_empty()).ok_or_else(|| {
        let problem = Problem::new(Kind::Usage, "no-reason", "an exclusion needs its reason");
        problem.hint(format!("git ar run exclude {} --reason TEXT", view.id))
    })?;
    let superseded_by = wish.superseded_by.clone().map(|id| RunId::try_from(id).expect("the id of a run"));
    Ok(to_string(&Exclusion {
        schema: 1,
        reason: reason.to_string(),
        at: context.now,
        cause: wish.cause.clone(),
        seeds: wish.seeds.clone(),
        superseded_by,
        fixed_by: wish.fixed_by.clone(),
        withdrawn: None,
    }))
}

/// The record with what is new in the wish. What it says already is not changed.
fn added(view: &RunView, text: &str, path: &str, wish: &Wish) -> Result<String, Problem> {
    let now = view.exclusion.as_ref().expect("its file was read");
    if let Some(withdrawn) = now.withdrawn.as_ref().filter(|old| wish.withdraw.as_ref() != Some(old)) {
        let message = format!("the exclusion of run {} was withdrawn ({withdrawn}); that is not undone", view.id);
        let hint = "make a new run of the experiment; this record stays as it is";
        return Err(Problem::new(Kind::Refused, "withdrawn", message).at(path).hint(hint));
    }
    let refused = |key: &str, old: &str| {
        let message = format!("run {} is excluded already, with {key} `{old}`; a record is never changed", view.id);
        let hint = format!("git ar run exclude {} --withdraw TEXT", view.id);
        Problem::new(Kind::Refused, "excluded", message).at(path).hint(hint)
    };
    if wish.reason.as_ref().is_some_and(|reason| reason.trim() != now.reason) {
        return Err(refused("reason", &now.reason));
    }
    if wish.seeds.is_some() && wish.seeds != now.seeds {
        let old = now.seeds.as_ref().map_or("all".to_string(), ToString::to_string);
        return Err(refused("seeds", &old));
    }
    let superseded_by = now.superseded_by.as_ref().map(ToString::to_string);
    let keys = [
        ("cause", &now.cause, &wish.cause),
        ("superseded_by", &superseded_by, &wish.superseded_by),
        ("fixed_by", &now.fixed_by, &wish.fixed_by),
        ("withdrawn", &now.withdrawn, &wish.withdraw),
    ];
    let mut text = text.to_string();
    for (key, old, new) in keys {
        match (old, new) {
            (Some(old), Some(new)) if old != new => return Err(refused(key, old)),
            (None, Some(new)) if new.trim().is_empty() => {
                return Err(Problem::new(Kind::Usage, "usage", format!("--{} needs a text", key.replace('_', "-"))));
            }
            (None, Some(new)) => text = edit::set(&text, key, &quote(new)).map_err(|e| e.in_file(path))?,
            _ => {}
        }
    }
    Ok(text)
}

impl fmt::Display for Excluded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = self.exclusion.seeds.as_ref().map_or(String::new(), |seeds| format!(", seeds {seeds}"));
        match &self.exclusion.withdrawn {
            Some(reason) => writeln!(f, "run {} counts again: {reason}", self.run)?,
            None => writeln!(f, "run {}{which} is excluded: {}", self.run, self.exclusion.reason)?,
        }
        self.recorded.fmt(f)
    }
}
