//! `config show` and `config digest`: one composed config.

use serde::Serialize;

use super::{Request, Source, warnings};
use crate::config::{self, Composer, Value};
use crate::state::problem::{Problem, Problems};

/// A composed config.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// The config.
    pub config: Value,
    /// What is worth a warning.
    #[serde(skip)]
    pub warnings: Vec<Problem>,
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.config.to_yaml())
    }
}

/// Composes a config; `resolve` follows its interpolations.
pub fn show(
    source: &Source<'_>,
    request: &Request,
    resolve: bool,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Shown, Problems> {
    let mut composer = Composer::new(source.tree.as_ref(), &source.dir, env);
    let composed = request.compose(&mut composer)?;
    let config = if resolve { composed.resolved()? } else { composed.unresolved() };
    Ok(Shown { config, warnings: warnings(&composed) })
}

/// The digest of a config.
#[derive(Debug, Serialize)]
pub struct Digest {
    /// SHA-256 of the canonical text, in hexadecimal.
    pub digest: String,
    /// The canonical text.
    pub canonical: String,
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}\n{}", self.digest, self.canonical)
    }
}

/// Composes a config and digests it as a run's config is: environment variables stay unresolved.
pub fn digest(
    source: &Source<'_>,
    request: &Request,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Digest, Problems> {
    let mut composer = Composer::new(source.tree.as_ref(), &source.dir, env);
    let stored = request.compose(&mut composer)?.stored()?;
    Ok(Digest { digest: config::digest(&stored), canonical: config::canonical(&stored) })
}
