//! Names as people type them: projects and iterations by id or unique prefix, the one that is active.

use crate::state::ids::{IterId, Slug};
use crate::state::load::{self, IterationView};
use crate::state::problem::{Kind, Problem};
use crate::state::tree::Tree;

/// The project that `name` begins, or the only one when no name is given.
pub fn project(tree: &dyn Tree, name: Option<&str>) -> Result<Slug, Problem> {
    let all = load::projects(tree)?;
    let names: Vec<&str> = all.iter().map(Slug::as_str).collect();
    let Some(name) = name else {
        return match all.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(none_yet()),
            _ => Err(ambiguous("which project is meant", &names).hint("git ar project list")),
        };
    };
    let fits: Vec<&Slug> = all.iter().filter(|s| s.as_str().starts_with(name)).collect();
    match (all.iter().find(|s| s.as_str() == name), fits.as_slice()) {
        (Some(exact), _) => Ok(exact.clone()),
        (None, [one]) => Ok((*one).clone()),
        (None, []) => {
            Err(unknown(&format!("no project begins with `{name}`"), name, &names).hint("git ar project list"))
        }
        (None, fits) => {
            let names: Vec<&str> = fits.iter().map(|s| s.as_str()).collect();
            Err(ambiguous(&format!("`{name}` begins several projects"), &names).hint("git ar project list"))
        }
    }
}

/// The iteration that `name` means: `PROJECT/ID`, or `ID` where one project has it; without a name the active one.
pub fn iteration(tree: &dyn Tree, name: Option<&str>) -> Result<IterationView, Problem> {
    let Some(name) = name else { return active(tree) };
    let (slug, id) = match name.split_once('/') {
        Some((project_name, id)) => (Some(project(tree, Some(project_name))?), id),
        None => (None, name),
    };
    let id: IterId =
        id.parse().map_err(|e| Problem::new(Kind::Usage, "usage", format!("{e}")).hint("git ar iter list"))?;
    let projects = slug.map_or_else(|| load::projects(tree), |s| Ok(vec![s]))?;
    let mut found = Vec::new();
    for slug in projects {
        for (other, folder) in load::iteration_folders(tree, &slug)? {
            if other == id {
                found.extend(load::iteration(tree, &slug, id, &folder)?);
            }
        }
    }
    let names: Vec<String> = found.iter().map(|v| v.folder.clone()).collect();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Problem::new(Kind::Ambiguous, "unknown-id", format!("there is no iteration {name}"))
            .hint("git ar iter list")),
        _ => Err(ambiguous(&format!("{name} is the id of several iterations"), &names)
            .hint("git ar iter list   then name it as PROJECT/ID")),
    }
}

/// The one iteration that is being worked on; when none is, the one that is planned.
fn active(tree: &dyn Tree) -> Result<IterationView, Problem> {
    let mut active = Vec::new();
    let mut planned = Vec::new();
    for slug in load::projects(tree)? {
        for view in load::iterations(tree, &slug)? {
            let phase = view.iteration.phase;
            if phase.is_active() {
                active.push(view);
            } else if !phase.is_end() {
                planned.push(view);
            }
        }
    }
    let mut candidates = if active.is_empty() { planned } else { active };
    let names: Vec<String> = candidates.iter().map(IterationView::name).collect();
    match candidates.len() {
        1 => Ok(candidates.remove(0)),
        0 => Err(none_yet()),
        _ => Err(ambiguous("several iterations are open; say which one", &names).hint("git ar iter list")),
    }
}

fn none_yet() -> Problem {
    Problem::new(Kind::Ambiguous, "none", "no iteration is open").hint("git ar start \"TOPIC\"")
}

fn unknown(message: &str, name: &str, names: &[&str]) -> Problem {
    let near = crate::state::text::nearest(name, names.iter().copied());
    let near = near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
    Problem::new(Kind::Ambiguous, "unknown-id", format!("{message}{near}"))
}

fn ambiguous<S: AsRef<str>>(message: &str, names: &[S]) -> Problem {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).take(12).collect();
    Problem::new(Kind::Ambiguous, "ambiguous", format!("{message}: {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tree::MemoryTree;

    fn tree() -> MemoryTree {
        let iteration = |phase: &str| format!("schema: 1\nphase: {phase}\n");
        MemoryTree::default()
            .with("projects/anp-snn/project.yaml", "schema: 1\ntitle: a\nquestion: q\n")
            .with("projects/anp-snn/iterations/8-a/iteration.yaml", &iteration("concluded"))
            .with("projects/anp-snn/iterations/8b-a/iteration.yaml", &iteration("survey"))
            .with("projects/anp-rnn/project.yaml", "schema: 1\ntitle: a\nquestion: q\n")
            .with("projects/anp-rnn/iterations/8-a/iteration.yaml", &iteration("planned"))
    }

    #[test]
    fn names_are_found_by_prefix_and_refused_when_unclear() {
        let tree = tree();
        assert_eq!(project(&tree, Some("anp-s")).unwrap().as_str(), "anp-snn");
        assert_eq!(project(&tree, Some("anp")).unwrap_err().kind, Kind::Ambiguous);
        assert_eq!(project(&tree, None).unwrap_err().kind, Kind::Ambiguous);
        assert_eq!(iteration(&tree, None).unwrap().name(), "anp-snn/8b");
        assert_eq!(iteration(&tree, Some("anp-rnn/8")).unwrap().name(), "anp-rnn/8");
        assert_eq!(iteration(&tree, Some("8")).unwrap_err().kind, Kind::Ambiguous);
        assert!(iteration(&tree, Some("9")).unwrap_err().message.contains("no iteration 9"));
    }
}
