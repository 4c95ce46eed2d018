//! A site: `configs/cluster/<name>.yaml`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::state::load;
use crate::state::problem::{Kind, Problem};
use crate::state::tree::Tree;

/// The cluster that is this machine.
pub const LOCAL: &str = "local";

/// One site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// File version.
    pub schema: u32,
    /// The dialect of its scheduler.
    pub scheduler: Scheduler,
    /// How commands reach it.
    pub transport: Transport,
    /// What is put in front of the trainer's command, such as a container's `exec`.
    #[serde(default)]
    pub launcher: Vec<String>,
}

/// A scheduler's dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scheduler {
    /// None: jobs start at once, as processes.
    Local,
}

/// How commands reach a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// It is this machine.
    Local,
}

impl Profile {
    /// This machine as it is without a file.
    #[must_use]
    pub fn local() -> Self {
        Self { schema: 1, scheduler: Scheduler::Local, transport: Transport::Local, launcher: Vec::new() }
    }

    /// The profile of a name; `local` needs no file.
    ///
    /// # Errors
    /// [`Kind::Invalid`] with the place in the file; [`Kind::Usage`] when there is no such cluster.
    pub fn read(tree: &dyn Tree, config_dir: &str, name: &str) -> Result<Self, Problem> {
        let path = format!("{config_dir}/cluster/{name}.yaml");
        match load::read::<Self>(tree, &path)? {
            Some(profile) => Ok(profile),
            None if name == LOCAL => Ok(Self::local()),
            None => {
                let message = format!("there is no cluster `{name}`: {path} is missing");
                Err(Problem::new(Kind::Usage, "no-cluster", message).hint(format!("write {path}, or use `local`")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tree::MemoryTree;

    #[test]
    fn local_needs_no_file_and_a_file_is_checked() {
        let with = |text: &str| MemoryTree::default().with("configs/cluster/local.yaml", text);
        assert_eq!(Profile::read(&MemoryTree::default(), "configs", LOCAL).unwrap(), Profile::local());
        let text = "schema: 1\nscheduler: local\ntransport: local\nlauncher: [nice]\n";
        assert_eq!(Profile::read(&with(text), "configs", LOCAL).unwrap().launcher, ["nice"]);
        let problem =
            Profile::read(&with("schema: 1\nscheduler: pbs\ntransport: local\n"), "configs", LOCAL).unwrap_err();
        assert_eq!((problem.kind, problem.line), (Kind::Invalid, Some(2)));
        assert_eq!(Profile::read(&with(text), "configs", "lengau").unwrap_err().kind, Kind::Usage);
    }
}
