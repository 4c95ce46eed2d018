//! A multirun: the jobs of a sweep, in the order and with the words of Hydra's basic sweeper.

use super::Composer;
use super::failure::{Failure, Place};
use super::map::{Entries, Key};
use super::overrides::{Given, Literal, parse};
use super::tree::Data;
use super::value::Value;
use super::{Composed, Job, problems};
use crate::state::problem::Problems;

/// More jobs than this are refused.
const MOST: usize = 100_000;

/// The jobs of a sweep.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    /// Each job's overrides.
    pub jobs: Vec<Vec<String>>,
    /// The first job that cannot be composed, and why; then none may be started.
    pub failed: Option<(usize, Problems)>,
    /// The overrides of Hydra's own settings, which every job gets before its own.
    pub common: Vec<String>,
}

impl<'a> Composer<'a> {
    /// The jobs of a sweep, each composed once to see whether it can be.
    pub fn expand(&mut self, name: Option<&str>, overrides: &[String], job: Job<'_>) -> Result<Jobs, Problems> {
        let mut jobs = self.jobs(name, overrides, job)?;
        for at in 0..jobs.jobs.len() {
            if let Err(found) = self.job(name, &jobs, at, job) {
                jobs.failed = Some((at, found));
                break;
            }
        }
        Ok(jobs)
    }

    /// The config of one job of a sweep.
    pub fn job(&mut self, name: Option<&str>, jobs: &Jobs, at: usize, job: Job<'_>) -> Result<Composed<'a>, Problems> {
        let own = jobs.jobs.get(at).cloned().unwrap_or_default();
        let all: Vec<String> = jobs.common.iter().cloned().chain(own).collect();
        self.compose(name, &all, Job { num: u32::try_from(at).ok(), ..job })
    }

    fn jobs(&mut self, name: Option<&str>, overrides: &[String], job: Job<'_>) -> Result<Jobs, Problems> {
        let built = self.build(name, overrides, job, true)?;
        let common = built.overrides.iter().filter(|o| o.is_hydra()).map(|o| o.line.clone()).collect();
        let params = built.tree.child(built.hydra, "sweeper").and_then(|s| built.tree.child(s, "params"));
        let mut lines: Vec<(String, Place)> = Vec::new();
        if let Some(params) = params
            && let Data::Map(map) = &built.tree.node(params).data
        {
            for (key, child) in map.iter() {
                let value = match built.tree.value(*child) {
                    Value::Str(text) => text,
                    other => other.python_str(),
                };
                lines.push((format!("{key}={value}"), built.tree.node(*child).at));
            }
        }
        lines.extend(built.overrides.iter().filter(|o| !o.is_hydra()).map(|o| (o.line.clone(), o.at)));
        let jobs = self.product(&lines).map_err(|failures| problems(failures, &self.sources.names))?;
        Ok(Jobs { jobs, failed: None, common })
    }

    /// Every combination; the last override changes fastest.
    fn product(&mut self, lines: &[(String, Place)]) -> Result<Vec<Vec<String>>, Vec<Failure>> {
        let mut axes: Entries<Vec<String>> = Entries::default();
        let mut failures = Vec::new();
        for (line, at) in lines {
            match self.axis(line, *at) {
                Ok((key, texts)) => {
                    axes.insert(Key::Str(key), texts);
                }
                Err(failure) => failures.push(failure.at(*at)),
            }
        }
        if !failures.is_empty() {
            return Err(failures);
        }
        let total = axes.iter().try_fold(1_usize, |total, (_, texts)| total.checked_mul(texts.len()));
        if total.is_none_or(|total| total > MOST) {
            let message = format!("the sweep has more than {MOST} jobs");
            return Err(vec![Failure::new("sweep_too_large", message).hint("sweep over fewer values at a time")]);
        }
        let mut jobs = vec![Vec::new()];
        for (_, texts) in axes.iter() {
            let longer = |job: Vec<String>| {
                texts.iter().map(move |text| {
                    let mut longer = job.clone();
                    longer.push(text.clone());
                    longer
                })
            };
            jobs = jobs.into_iter().flat_map(longer).collect();
        }
        Ok(jobs)
    }

    fn axis(&mut self, line: &str, at: Place) -> Result<(String, Vec<String>), Failure> {
        let one = parse(line, at)?;
        let left = one.left();
        let texts = match &one.given {
            Some(Given::Sweep(sweep)) => sweep.texts(&one.key, &mut self.sources)?,
            Some(Given::One(literal)) => vec![literal.text()],
            None => vec![Literal::Null.text()],
        };
        let jobs = texts.into_iter().map(|text| format!("{left}={text}")).collect();
        Ok((left, jobs))
    }
}
