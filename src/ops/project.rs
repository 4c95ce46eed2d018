//! `project new|list|show`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::record::Recorded;
use super::{Context, find, scaffold, start};
use crate::state::ids::Slug;
use crate::state::load;
use crate::state::phase::Phase;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::project::{Project, Rung};

/// A new project.
#[derive(Debug, Serialize)]
pub struct NewProject {
    /// Its folder name.
    pub project: String,
    /// What was recorded.
    #[serde(flatten)]
    pub recorded: Recorded,
}

/// Make a project without an iteration.
pub fn new(context: &Context<'_>, title: &str, slug: Option<&str>) -> Result<NewProject, Problems> {
    let bad = |e: crate::state::ids::BadName| {
        Problem::new(Kind::Usage, "usage", e.to_string()).hint("git ar project new \"TITLE\" --slug NAME")
    };
    let slug = slug.map_or_else(|| start::named(title, 40), |s| Slug::try_from(s).map_err(bad))?;
    if load::project(&context.repo.work_tree(), &slug)?.is_some() {
        let taken = Problem::new(Kind::Refused, "exists", format!("the project {slug} is there already"));
        return Err(taken.at(format!("projects/{slug}/project.yaml")).hint("git ar project list").into());
    }
    let writes = vec![scaffold::project(&slug, title.trim()), scaffold::references(&slug)];
    let trailers = [("AR-Project", slug.to_string())];
    let recorded = context.record("project new", writes, &format!("{slug}: new project"), &trailers)?;
    Ok(NewProject { project: slug.to_string(), recorded })
}

impl fmt::Display for NewProject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "new project {}", self.project)?;
        self.recorded.fmt(f)
    }
}

/// One project with its iterations counted by phase.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Its folder name.
    pub project: String,
    /// Its title.
    pub title: String,
    /// Its question.
    pub question: String,
    /// The rungs on the way to its goal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ladder: Vec<Rung>,
    /// How many iterations are in which phase.
    pub phases: BTreeMap<Phase, usize>,
}

/// One or more projects.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Projects(pub Vec<Summary>);

/// Every project.
pub fn list(context: &Context<'_>) -> Result<Projects, Problems> {
    let tree = context.repo.work_tree();
    load::projects(&tree)?.iter().map(|slug| summary(context, slug)).collect::<Result<_, _>>().map(Projects)
}

/// One project.
pub fn show(context: &Context<'_>, name: Option<&str>) -> Result<Projects, Problems> {
    let slug = find::project(&context.repo.work_tree(), name)?;
    Ok(Projects(vec![summary(context, &slug)?]))
}

fn summary(context: &Context<'_>, slug: &Slug) -> Result<Summary, Problems> {
    let tree = context.repo.work_tree();
    let missing = Project { schema: 1, title: slug.to_string(), question: String::new(), ladder: Vec::new() };
    let project = load::project(&tree, slug)?.unwrap_or(missing);
    let mut phases = BTreeMap::new();
    for view in load::iterations(&tree, slug)? {
        *phases.entry(view.iteration.phase).or_insert(0) += 1;
    }
    Ok(Summary {
        project: slug.to_string(),
        title: project.title,
        question: project.question,
        ladder: project.ladder,
        phases,
    })
}

impl fmt::Display for Projects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "no project yet");
        }
        for project in &self.0 {
            writeln!(f, "{}  {}", project.project, project.title)?;
            writeln!(f, "  {}", project.question)?;
            let counts: Vec<String> = project.phases.iter().map(|(phase, n)| format!("{n} {phase}")).collect();
            writeln!(f, "  iterations: {}", if counts.is_empty() { "none".into() } else { counts.join(", ") })?;
            for rung in &project.ladder {
                writeln!(f, "  - {}{}", rung.step, rung.note.as_ref().map(|n| format!(" ({n})")).unwrap_or_default())?;
            }
        }
        Ok(())
    }
}
