//! `git ar config`: compose, expand, compare, check and digest configs, with or without a repository.

pub mod diff;
mod expand;
mod lint;
mod show;
mod source;

pub use diff::{Difference, Side, diff};
pub use expand::{Sweep, expand};
pub use lint::{Finding, Lint, fits, lint};
pub use show::{Digest, Shown, digest, show};
pub use source::{Source, check_dir, folder};

use crate::config::{Composed, Composer, Job, PRIMARY};
use crate::state::problem::{Kind, Problem, Problems};

/// What to compose.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The primary config; `config` where there is one otherwise.
    pub name: Option<String>,
    /// The overrides as typed.
    pub overrides: Vec<String>,
}

impl Request {
    /// The primary config's name, when there is one to start from.
    fn primary(&self, composer: &mut Composer<'_>) -> Result<Option<String>, Problem> {
        match &self.name {
            Some(name) => Ok(Some(name.clone())),
            None => Ok(composer.has(PRIMARY)?.then(|| PRIMARY.to_string())),
        }
    }

    fn compose<'a>(&self, composer: &mut Composer<'a>) -> Result<Composed<'a>, Problems> {
        let name = self.primary(composer)?;
        composer.compose(name.as_deref(), &self.overrides, Job::default())
    }
}

/// What a composition has to say beside its values.
fn warnings(composed: &Composed<'_>) -> Vec<Problem> {
    let warning = |(code, message): (&'static str, String)| Problem::new(Kind::Found, code, message).warn();
    composed.warnings().into_iter().map(warning).collect()
}
