//! The attempts without a verdict in a tree of records.

use crate::ops::run::{self, Found};
use crate::runs::layout::Record;
use crate::state::load;
use crate::state::problem::Problem;
use crate::state::record::Attempt;
use crate::state::tree::Tree;

/// An attempt that nobody has judged yet.
#[derive(Clone, Debug)]
pub struct Active {
    /// Its run.
    pub found: Found,
    /// Its number, from 1.
    pub number: u32,
    /// What its record says.
    pub attempt: Attempt,
    /// Where its record lies.
    pub path: String,
    /// The record's text.
    pub text: String,
}

impl Active {
    /// How people and caches name it: `RUN.ATTEMPT`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.found.id, self.number)
    }
}

/// Every attempt without a verdict, by run. A record that has one is not parsed, so that thousands of old runs cost
/// little more than their reading.
///
/// # Errors
/// [`Kind::Invalid`](crate::state::problem::Kind::Invalid) for a record that does not read.
pub fn find(tree: &dyn Tree) -> Result<Vec<Active>, Problem> {
    let mut active = Vec::new();
    for found in run::all(tree)? {
        active.extend(of_run(tree, &found)?);
    }
    Ok(active)
}

/// The attempts without a verdict of the runs in the folder of an iteration or a project.
///
/// # Errors
/// As [`find`].
pub fn in_place(tree: &dyn Tree, parent: &str) -> Result<Vec<Active>, Problem> {
    let mut active = Vec::new();
    for found in run::in_place(tree, parent)? {
        active.extend(of_run(tree, &found)?);
    }
    Ok(active)
}

/// The attempts of one run without a verdict.
///
/// # Errors
/// As [`find`].
pub fn of_run(tree: &dyn Tree, found: &Found) -> Result<Vec<Active>, Problem> {
    let record = Record::new(&found.parent, &found.id);
    let mut active = Vec::new();
    for entry in tree.list(&format!("{}/attempts", record.folder))? {
        let Some(number) = entry.name.strip_suffix(".yaml").and_then(load::number::<u32>) else { continue };
        let path = record.attempt(number);
        let Some(bytes) = tree.read(&path)? else { continue };
        if has_verdict(&bytes) {
            continue;
        }
        let attempt: Attempt = load::parse(&path, &bytes)?;
        if attempt.verdict.is_none() {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            active.push(Active { found: found.clone(), number, attempt, path, text });
        }
    }
    Ok(active)
}

/// Whether a record surely has a verdict: the key begins a line.
fn has_verdict(bytes: &[u8]) -> bool {
    bytes.split(|b| *b == b'\n').any(|line| line.starts_with(b"verdict: "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tree::MemoryTree;

    #[test]
    fn only_attempts_without_a_verdict_are_found() {
        let attempt = "schema: 1\ncluster: c\njob: \"7\"\nsubmitted: 2026-01-31T12:00:00Z\n";
        let run = "projects/p/iterations/1-a/runs/ka-x";
        let mut tree = MemoryTree::default()
            .with(&format!("{run}/attempts/1.yaml"), &format!("{attempt}verdict: killed\nreason: x\n"))
            .with(&format!("{run}/attempts/2.yaml"), attempt)
            .with("projects/p/runs/kb-x/attempts/1.yaml", attempt)
            .with("projects/p/runs/kb-x/attempts/01.yaml", attempt)
            .with(
                "projects/p/runs/kc-x/attempts/1.yaml",
                &format!("{{{}, verdict: failed}}\n", "schema: 1, cluster: c, submitted: 2026-01-31T12:00:00Z"),
            );
        let names: Vec<String> = find(&tree).unwrap().iter().map(Active::name).collect();
        assert_eq!(names, ["kb-x.1", "ka-x.2"]);
        tree = tree.with("projects/p/runs/kb-x/attempts/1.yaml", "schema: 1\n");
        assert!(find(&tree).is_err());
    }
}
