//! The Python environment of a site's jobs, as the profile and the files of a tree make it.

use super::Context;
use super::site::Site;
use crate::cluster::environment::unfit;
use crate::state::problem::{Kind, Problem};
use crate::state::tree::Tree;

/// An environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Venv {
    /// The name of its folder there.
    pub key: String,
    /// What pip installs into it; empty for nothing.
    pub requirements: String,
}

/// The environment that jobs with the code of `tree` use; none where the profile names none.
///
/// # Errors
/// [`Kind::Invalid`] when the file with the requirements is not in the tree, or cannot be sent.
pub fn of(context: &Context<'_>, site: &Site, tree: &dyn Tree) -> Result<Option<Venv>, Problem> {
    let Some(environment) = &site.profile.environment else { return Ok(None) };
    let mut requirements = String::new();
    if let Some(file) = &environment.requirements {
        let wrong = |message: String, hint: &str| {
            let profile = format!("{}/cluster/{}.yaml", context.settings.config_dir, site.name);
            Problem::new(Kind::Invalid, "requirements", message).at(profile).hint(hint)
        };
        let bytes = tree.read(file)?.ok_or_else(|| {
            wrong(
                format!("`environment` names {file}, which is not there"),
                "write and commit the file, or name another",
            )
        })?;
        requirements = String::from_utf8(bytes)
            .map_err(|_| wrong(format!("{file} is no text"), "write one requirement on each line"))?;
        if let Some(why) = unfit(&requirements) {
            let hint = "write one file that names every package; the code itself comes from the snapshot";
            return Err(wrong(format!("{file}: {why}"), hint));
        }
    }
    Ok(Some(Venv { key: environment.key(&site.profile, &requirements), requirements }))
}
