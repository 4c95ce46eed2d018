//! `config expand`: the jobs of a sweep.

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::{Request, Source};
use crate::config::{Composer, Job, Jobs};
use crate::state::problem::{Problem, Problems};

/// The jobs of a sweep.
#[derive(Debug, Serialize)]
pub struct Sweep {
    /// Each job's overrides, in Hydra's order.
    pub jobs: Vec<Vec<String>>,
    /// Each job's config, or why it has none; only where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<Vec<Json>>,
    /// The first job that cannot be composed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<usize>,
    /// Why it cannot.
    #[serde(skip)]
    pub problems: Vec<Problem>,
}

impl std::fmt::Display for Sweep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for job in &self.jobs {
            let words: Vec<String> = job.iter().map(|word| shell(word)).collect();
            writeln!(f, "{}", words.join(" "))?;
        }
        Ok(())
    }
}

/// A word as a POSIX shell reads it back.
fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-+=.,/:@%~".contains(c);
    if !word.is_empty() && !word.starts_with('~') && word.chars().all(plain) {
        return word.to_string();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// The jobs of a sweep; `resolve` adds each job's config.
pub fn expand(
    source: &Source<'_>,
    request: &Request,
    resolve: bool,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Sweep, Problems> {
    let mut composer = Composer::new(source.tree.as_ref(), &source.dir, env);
    let name = request.primary(&mut composer)?;
    let jobs = composer.expand(name.as_deref(), &request.overrides, Job::default())?;
    let results = (resolve && jobs.failed.is_none()).then(|| results(&mut composer, name.as_deref(), &jobs));
    let failed = jobs.failed.as_ref().map(|(at, _)| *at);
    let problems = jobs.failed.map(|(at, found)| told(at, found)).unwrap_or_default();
    Ok(Sweep { jobs: jobs.jobs, results, failed, problems })
}

fn results(composer: &mut Composer<'_>, name: Option<&str>, jobs: &Jobs) -> Vec<Json> {
    let mut one = |at: usize| {
        let resolved = composer.job(name, jobs, at, Job::default()).and_then(|composed| composed.resolved());
        match resolved {
            Ok(config) => json!({ "config": config }),
            Err(problems) => json!({ "error": problems.0.first() }),
        }
    };
    (0..jobs.jobs.len()).map(&mut one).collect()
}

fn told(at: usize, problems: Problems) -> Vec<Problem> {
    let named = |problem: Problem| Problem { message: format!("job {at}: {}", problem.message), ..problem };
    problems.0.into_iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::shell;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(shell("seed=1"), "seed=1");
        assert_eq!(shell("a=[1,2]"), "'a=[1,2]'");
        assert_eq!(shell("a='x'"), r"'a='\''x'\'''");
        assert_eq!(shell("~a=null"), "'~a=null'");
    }
}
