//! `start "TOPIC"`: a project and its first iteration, or the next iteration of a project, in phase survey.

use std::fmt;

use serde::Serialize;

use super::record::Recorded;
use super::{Context, find, scaffold};
use crate::state::ids::{IterId, Slug};
use crate::state::load;
use crate::state::phase::Phase;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::text;

/// An iteration's folder begins with its id; the slug behind it only has to remind.
pub(super) const ITERATION_SLUG: usize = 28;

/// What was started.
#[derive(Debug, Serialize)]
pub struct Started {
    /// The project.
    pub project: String,
    /// Whether the project is new.
    pub new_project: bool,
    /// The iteration, `project/id`.
    pub iteration: String,
    /// Its folder.
    pub folder: String,
    /// What was recorded.
    #[serde(flatten)]
    pub recorded: Recorded,
}

/// Begin to work on `topic`, in `project` when one is named, otherwise in a new project named after the topic.
pub fn start(context: &Context<'_>, topic: &str, project: Option<&str>) -> Result<Started, Problems> {
    let topic = topic.trim();
    let slug = named(topic, 40)?;
    let tree = context.repo.work_tree();
    let existing = project.map(|name| find::project(&tree, Some(name))).transpose()?;
    let new_project = existing.is_none();
    let project = existing.unwrap_or_else(|| slug.clone());
    if new_project && load::project(&tree, &project)?.is_some() {
        let taken = Problem::new(Kind::Refused, "exists", format!("the project {project} is there already"));
        return Err(taken
            .at(format!("projects/{project}/project.yaml"))
            .hint(format!("git ar start \"TOPIC\" --project {project}"))
            .into());
    }
    let last = load::iteration_folders(&tree, &project)?.last().map(|(id, _)| *id);
    let id = last.map_or(IterId::number(1), IterId::next);
    let folder = format!("projects/{project}/iterations/{id}-{}", named(topic, ITERATION_SLUG)?);
    let mut writes = Vec::new();
    if new_project {
        writes.push(scaffold::project(&project, topic));
    }
    if new_project || tree_lacks_references(&tree, &project)? {
        writes.push(scaffold::references(&project));
    }
    writes.extend(scaffold::iteration(&folder, topic, Some((Phase::Survey, context.now))));
    let trailers = [
        ("AR-Project", project.to_string()),
        ("AR-Iteration", id.to_string()),
        ("AR-Phase", Phase::Survey.to_string()),
    ];
    let recorded = context.record("start", writes, &format!("{project}/{id}: start {topic}"), &trailers)?;
    Ok(Started { iteration: format!("{project}/{id}"), project: project.to_string(), new_project, folder, recorded })
}

fn tree_lacks_references(tree: &dyn crate::state::tree::Tree, project: &Slug) -> Result<bool, Problem> {
    Ok(tree.read(&format!("projects/{project}/references.yaml"))?.is_none())
}

/// The slug of a topic, at most `longest` bytes.
pub(super) fn named(topic: &str, longest: usize) -> Result<Slug, Problem> {
    let bad = |_| {
        let message = "the topic needs a word in letters a to z or digits, which becomes the folder's name";
        Problem::new(Kind::Usage, "usage", message).hint("git ar start \"image classification\"")
    };
    let words = ["research", "explore", "investigate", "study"];
    let short = topic
        .split_whitespace()
        .skip_while(|w| words.contains(&w.to_lowercase().as_str()))
        .collect::<Vec<_>>()
        .join(" ");
    Slug::try_from(text::slug(if short.is_empty() { topic } else { &short }, longest)).map_err(bad)
}

impl Started {
    /// What to type next.
    #[must_use]
    pub fn next(&self) -> Vec<String> {
        vec![format!("git ar phase show {}", self.iteration), format!("git ar phase next {}", self.iteration)]
    }
}

impl fmt::Display for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let new = if self.new_project { "new project" } else { "project" };
        writeln!(f, "{new} {}, iteration {} in phase survey", self.project, self.iteration)?;
        writeln!(f, "  {}/", self.folder)?;
        writeln!(f, "    iteration.yaml   question, hypothesis, prediction, plan")?;
        writeln!(f, "    survey.md        what is known, what is missing, what we expect")?;
        self.recorded.fmt(f)
    }
}
