//! `job status`: every active attempt with what was seen of it last. Nothing is asked.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::ops::Context;
use crate::ops::tick::active::{self, Active};
use crate::ops::tick::seen::Sights;
use crate::ops::tick::{Line, tip};
use crate::state::problem::Problem;
use crate::state::tree::Tree;

/// The active attempts.
#[derive(Debug, Default, Serialize)]
pub struct Listed {
    /// By cluster.
    pub clusters: BTreeMap<String, Vec<Line>>,
}

/// Every active attempt that is on record, with the date of what is known of it.
///
/// # Errors
/// [`Kind::Invalid`](crate::state::problem::Kind::Invalid) for a record that does not read.
pub fn list(context: &Context<'_>) -> Result<Listed, Problem> {
    Ok(known(context, active::find(&tip(context)?)?))
}

/// The active attempts of the runs in some folders of iterations and projects.
///
/// # Errors
/// As [`list`].
pub fn in_places(context: &Context<'_>, tree: &dyn Tree, places: &[String]) -> Result<Listed, Problem> {
    let mut actives = Vec::new();
    for place in places {
        actives.extend(active::in_place(tree, place)?);
    }
    Ok(known(context, actives))
}

fn known(context: &Context<'_>, actives: Vec<Active>) -> Listed {
    let mut clusters: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    let mut sights: BTreeMap<String, Sights> = BTreeMap::new();
    for active in actives {
        let name = active.attempt.cluster.clone();
        let known = sights.entry(name.clone()).or_insert_with(|| Sights::read(context.repo.common_dir(), &name));
        clusters.entry(name).or_default().push(Line::known(&active, known));
    }
    Listed { clusters }
}

impl Listed {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.clusters.values().map(Vec::len).sum()
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.clusters.is_empty() {
            return writeln!(f, "no attempt is active");
        }
        for (cluster, lines) in &self.clusters {
            writeln!(f, "{cluster}: {} active", lines.len())?;
            lines.iter().try_for_each(|line| line.fmt(f))?;
        }
        Ok(())
    }
}
