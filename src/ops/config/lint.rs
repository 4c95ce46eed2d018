//! `config lint`: every experiment composes, fits the typed schema, and no file lies there unused.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Source;
use crate::config::schema::{Misfit, check};
use crate::config::{Composed, Composer, Job, PRIMARY, Value};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::tree::{files, join};

/// Folders of the config folder that hold no configs of experiments.
const OTHERS: [&str; 2] = ["cluster", "board"];
/// The file of settings, which is no config of an experiment.
const SETTINGS: &str = "ar.yaml";

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The experiment, or none for the primary config and for files.
    pub experiment: Option<String>,
    /// What was found.
    #[serde(flatten)]
    pub problem: Problem,
}

/// What a lint found.
#[derive(Debug, Serialize)]
pub struct Lint {
    /// The experiments that were composed.
    pub experiments: Vec<String>,
    /// What is wrong.
    pub errors: Vec<Finding>,
    /// What is worth a look.
    pub warnings: Vec<Finding>,
}

impl Lint {
    /// Everything found, for the envelope.
    pub fn problems(&self) -> impl Iterator<Item = Problem> {
        self.errors.iter().chain(&self.warnings).map(|finding| {
            let mut problem = finding.problem.clone();
            if let Some(name) = &finding.experiment {
                problem.message = format!("{name}: {}", problem.message);
            }
            problem
        })
    }
}

impl std::fmt::Display for Lint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (experiments, errors, warnings) = (self.experiments.len(), self.errors.len(), self.warnings.len());
        writeln!(f, "{experiments} experiments, {errors} errors, {warnings} warnings")
    }
}

/// Looks at every experiment and every file.
pub fn lint(source: &Source<'_>, env: &dyn Fn(&str) -> Option<String>) -> Result<Lint, Problems> {
    let mut composer = Composer::new(source.tree.as_ref(), &source.dir, env);
    let mut lint = Lint { experiments: composer.experiments(), errors: Vec::new(), warnings: Vec::new() };
    if lint.experiments.is_empty() || composer.has(PRIMARY)? {
        let name = composer.has(PRIMARY)?.then_some(PRIMARY);
        // The primary config alone may leave a choice open that every experiment makes.
        let result = composer.compose(name, &[], Job::default()).and_then(|composed| composed.stored().map(drop));
        if lint.experiments.is_empty() {
            lint.add(None, result.err());
        }
    }
    for name in lint.experiments.clone() {
        let found = experiment(&mut composer, &name, source.typed);
        lint.errors.extend(found.into_iter().map(|problem| Finding { experiment: Some(name.clone()), problem }));
    }
    unused(&mut composer, source, &mut lint)?;
    lint.errors.dedup();
    Ok(lint)
}

impl Lint {
    fn add(&mut self, experiment: Option<&str>, problems: Option<Problems>) {
        for problem in problems.into_iter().flat_map(|p| p.0) {
            self.errors.push(Finding { experiment: experiment.map(ToString::to_string), problem });
        }
    }
}

fn experiment(composer: &mut Composer<'_>, name: &str, typed: bool) -> Vec<Problem> {
    let selection = composer.experiment(name);
    let jobs = match composer.expand(selection.name, &[selection.choice], Job::default()) {
        Ok(jobs) => jobs,
        Err(problems) => return problems.0,
    };
    if let Some((_, problems)) = jobs.failed {
        return problems.0;
    }
    let mut found: Vec<Problem> = Vec::new();
    for at in 0..jobs.jobs.len() {
        let composed = composer.job(selection.name, &jobs, at, Job::default());
        let here = match composed.and_then(|composed| Ok((composed.stored()?, composed))) {
            Ok((stored, composed)) if typed => check(&stored).into_iter().map(|m| told(&composed, m)).collect(),
            Ok(_) => Vec::new(),
            Err(problems) => problems.0,
        };
        for problem in here {
            if !found.contains(&problem) {
                found.push(problem);
            }
        }
    }
    found
}

/// Every key of a composed config must be one that the built-in trainers know, with a value in its range.
pub fn fits(composed: &Composed<'_>, stored: &Value) -> Result<(), Problems> {
    let misfits: Vec<Problem> = check(stored).into_iter().map(|misfit| told(composed, misfit)).collect();
    if misfits.is_empty() { Ok(()) } else { Err(Problems(misfits)) }
}

/// A key that does not fit, with the place where it was written.
fn told(composed: &Composed<'_>, misfit: Misfit) -> Problem {
    let mut problem = Problem::new(Kind::Invalid, misfit.code, misfit.message);
    problem.hint = misfit.hint;
    if let Some((path, line, column)) = composed.file_of(&misfit.path) {
        (problem.path, problem.line, problem.column) = (Some(path), Some(line), Some(column));
    }
    problem
}

/// Files that no experiment reads: each must at least be a config.
fn unused(composer: &mut Composer<'_>, source: &Source<'_>, lint: &mut Lint) -> Result<(), Problems> {
    let read: BTreeSet<String> = composer.files_read().into_iter().collect();
    for (path, _) in files(source.tree.as_ref(), &source.dir)? {
        let inside = path.strip_prefix(&source.dir).unwrap_or(&path).trim_start_matches('/');
        let other = OTHERS.iter().any(|folder| inside.starts_with(&format!("{folder}/"))) || inside == SETTINGS;
        let Some(name) = inside.strip_suffix(".yaml").filter(|_| !other) else { continue };
        let path = join(&source.dir, inside);
        if read.contains(&path) {
            continue;
        }
        match composer.parse(name) {
            Err(problem) => lint.errors.push(Finding { experiment: None, problem }),
            Ok(()) => {
                let problem = Problem::new(Kind::Found, "unused-file", "no experiment uses this file").at(path).warn();
                lint.warnings.push(Finding { experiment: None, problem });
            }
        }
    }
    Ok(())
}
