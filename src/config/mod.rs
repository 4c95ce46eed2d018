//! L1: configs composed exactly as Hydra 1.3 and OmegaConf 2.3 compose them; text in, one tree out.
//!
//! Start at [`Composer::compose`]: overrides are read, the defaults list is followed (`defaults`), its files are
//! read (`source`, `yaml`) and merged (`merge`) into one tree (`tree`), overrides change it (`overrides`), and
//! interpolations are followed (`interpolate`) when a [`Composed`] is asked for its values. Files come through
//! [`crate::state::tree::Tree`], the environment through a function: nothing here touches disk, clock or process.

mod builtin;
mod compose;
mod decimal;
mod defaults;
mod digest;
mod experiment;
mod failure;
mod interpolate;
mod map;
mod merge;
mod number;
mod overrides;
mod scalar;
pub mod schema;
mod source;
mod sweep;
mod token;
mod tree;
mod value;
mod yaml;

pub use digest::{LEFT_OUT_AT_TOP, canonical, digest};
pub use experiment::{PRIMARY, Selection};
pub use map::{Entries, Key};
pub use sweep::Jobs;
pub use value::Value;

use crate::state::problem::{Problem, Problems};
use crate::state::tree::Tree;
use compose::{Ask, Built, build};
use failure::{Failure, Names};
use interpolate::{KEPT, Resolver, World};
use source::Sources;

/// What to compose.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Where the files are.
    pub tree: &'a dyn Tree,
    /// The config folder inside the tree; empty for its top.
    pub dir: &'a str,
    /// The primary config, such as `config`; none composes overrides alone.
    pub name: Option<&'a str>,
    /// Overrides as a shell hands them over.
    pub overrides: &'a [String],
    /// The environment, for `oc.env`.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// What `${hydra:job…}` gives.
    pub job: Job<'a>,
}

/// The job that a config is composed for.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// `hydra.job.name`, unless the config sets it.
    pub name: &'a str,
    /// `hydra.job.num` inside a sweep.
    pub num: Option<u32>,
}

impl Default for Job<'_> {
    fn default() -> Self {
        Self { name: "train", num: None }
    }
}

/// Composes one config. A sweep is refused.
pub fn compose<'a>(request: &Request<'a>) -> Result<Composed<'a>, Problems> {
    Composer::new(request.tree, request.dir, request.env).compose(request.name, request.overrides, request.job)
}

/// The jobs of a sweep in Hydra's order, each as its overrides. Every job is composed; the first that cannot be
/// is the error.
pub fn expand(request: &Request<'_>) -> Result<Vec<Vec<String>>, Problems> {
    let mut composer = Composer::new(request.tree, request.dir, request.env);
    let jobs = composer.expand(request.name, request.overrides, request.job)?;
    match jobs.failed {
        Some((_, problems)) => Err(problems),
        None => Ok(jobs.jobs),
    }
}

/// The value of a YAML text, typed as OmegaConf types it, interpolations left as text; `path` is for messages.
/// This reads a stored `config.yaml` back.
pub fn read(text: &[u8], path: &str) -> Result<Value, Problem> {
    let mut names = Names::default();
    let file = names.file(path.to_string());
    match yaml::load(text, file) {
        Ok(Some(item)) => {
            let mut tree = tree::Tree::default();
            let root = tree.import(&item, None);
            Ok(tree.value(root))
        }
        Ok(None) => Ok(Value::Map(Entries::default())),
        Err(failure) => Err(failure.problem(&names)),
    }
}

/// Composes several configs of one tree, reading every file once.
pub struct Composer<'a> {
    sources: Sources<'a>,
    env: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Composer<'a> {
    /// A composer for the config folder `dir` of a tree.
    pub fn new(tree: &'a dyn Tree, dir: &'a str, env: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { sources: Sources::new(tree, dir), env }
    }

    /// Composes one config. A sweep is refused.
    pub fn compose(
        &mut self,
        name: Option<&str>,
        overrides: &[String],
        job: Job<'_>,
    ) -> Result<Composed<'a>, Problems> {
        let built = self.build(name, overrides, job, false)?;
        Ok(Composed { names: self.sources.names.clone(), built, env: self.env })
    }

    /// Whether the tree has a config file, such as `config` or `model/ffnn`.
    pub fn has(&mut self, path: &str) -> Result<bool, Problem> {
        self.sources.has_file(path).map_err(|failure| failure.problem(&self.sources.names))
    }

    /// Reads a config file without composing it.
    pub fn parse(&mut self, path: &str) -> Result<(), Problem> {
        self.sources.load(path).map(drop).map_err(|failure| failure.problem(&self.sources.names))
    }

    fn build(
        &mut self,
        name: Option<&str>,
        overrides: &[String],
        job: Job<'_>,
        multirun: bool,
    ) -> Result<Built, Problems> {
        let ask = Ask { name, overrides, job, multirun, env: self.env };
        build(&mut self.sources, ask).map_err(|failures| problems(failures, &self.sources.names))
    }
}

fn problems(failures: Vec<Failure>, names: &Names) -> Problems {
    let mut all: Vec<Problem> = Vec::new();
    for failure in failures {
        let problem = failure.problem(names);
        if !all.contains(&problem) {
            all.push(problem);
        }
    }
    Problems(all)
}

/// A composed config; interpolations are followed when its values are asked for.
pub struct Composed<'a> {
    built: Built,
    names: Names,
    env: &'a dyn Fn(&str) -> Option<String>,
}

impl Composed<'_> {
    /// The values with every interpolation followed; all that cannot be followed are reported at once.
    pub fn resolved(&self) -> Result<Value, Problems> {
        self.follow(false)
    }

    /// The values as written, interpolations left as text.
    #[must_use]
    pub fn unresolved(&self) -> Value {
        self.built.tree.value(self.built.task)
    }

    /// What `config.yaml` of a run stores: followed, but `oc.env` stays an interpolation, so that no path and no
    /// secret of one machine is stored and the digest is the same on every machine. Text that happens to hold
    /// `${` is escaped, so that the stored file reads back the same.
    pub fn stored(&self) -> Result<Value, Problems> {
        self.follow(true).map(keep)
    }

    /// What is worth a warning: a word such as `missing_self`, and a sentence.
    #[must_use]
    pub fn warnings(&self) -> Vec<(&'static str, String)> {
        let mut tree = self.built.tree.clone();
        let mut resolver = Resolver::new(&mut tree, self.world(false));
        resolver.value(self.built.task, &mut Vec::new());
        let mut warnings = self.built.warnings.clone();
        warnings.append(&mut resolver.warnings);
        warnings.dedup();
        warnings
    }

    /// Where the value at a dotted path was written: file and line, or the override.
    #[must_use]
    pub fn place(&self, path: &str) -> Option<String> {
        let tree = &self.built.tree;
        let id = path.split('.').try_fold(self.built.task, |at, step| tree.child(at, step))?;
        Some(self.names.show(tree.node(id).at))
    }

    /// The file, line and column where the value at a dotted path was written; of the nearest thing above it when
    /// it is not there. `None` for what no file says.
    #[must_use]
    pub fn file_of(&self, path: &str) -> Option<(String, u32, u32)> {
        let tree = &self.built.tree;
        let mut at = self.built.task;
        for step in path.split('.') {
            let item = match &tree.node(at).data {
                tree::Data::List(items) => step.parse::<usize>().ok().and_then(|i| items.get(i)).copied(),
                _ => tree.child(at, step),
            };
            match item {
                Some(child) => at = child,
                None => break,
            }
        }
        self.names.file_at(tree.node(at).at)
    }

    fn world(&self, keep_env: bool) -> World<'_> {
        World { env: self.env, hydra: Some(self.built.hydra), keep_env }
    }

    fn follow(&self, keep_env: bool) -> Result<Value, Problems> {
        let mut tree = self.built.tree.clone();
        let mut failures = Vec::new();
        let value = Resolver::new(&mut tree, self.world(keep_env)).value(self.built.task, &mut failures);
        if failures.is_empty() { Ok(value) } else { Err(problems(failures, &self.names)) }
    }
}

/// Turns the marks of kept interpolations back into `$`, and escapes text that only looks like one.
fn keep(value: Value) -> Value {
    match value {
        Value::Str(text) if text.contains("${") || text.contains(KEPT) => {
            Value::Str(text.replace("${", "\\${").replace(KEPT, "$"))
        }
        Value::List(items) => Value::List(items.into_iter().map(keep).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(key, value)| (key.clone(), keep(value.clone()))).collect()),
        other => other,
    }
}
