//! A site: `configs/cluster/<name>.yaml`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::environment::Environment;
use super::legal::fill;
pub use super::scheduler::Scheduler;
use crate::state::entities::Trainer;
use crate::state::load;
use crate::state::problem::{Kind, Problem};
use crate::state::record::SeedsAs;
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
    /// The host, or its alias in the person's ssh configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The account's name there; ssh's own choice when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The port of its ssh server; ssh's own choice when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The folder that holds all that git-ar puts there. It may name variables such as $HOME or $USER, which the site's
    /// shell fills in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scratch: Option<String>,
    /// How the code gets there.
    #[serde(default)]
    pub delivery: Delivery,
    /// The clone of the repository there, for `delivery: pull`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clone: Option<String>,
    /// What pays for the jobs: PBS's project, Slurm's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Jobs without an account are refused there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub account_required: bool,
    /// The queue of a job that names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_queue: Option<String>,
    /// Its queues with their limits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub queues: BTreeMap<String, Queue>,
    /// What a job asks for when nothing else is said.
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,
    /// How the seeds of a run become jobs; chosen from the queue's limits when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seeds: Option<SeedsAs>,
    /// Further options of every job, such as `-m abe`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub directives: Vec<String>,
    /// Modules to load, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// Lines of POSIX sh before the trainer, such as `. "$HOME/venv/bin/activate"`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub setup: Vec<String>,
    /// The virtual environment of your own trainer in Python: made there by `git ar cluster setup`, used by every job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// Variables of the job. A value may name other variables such as $HOME.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// What is put in front of the trainer's command, such as a container's `exec`; `[singularity]` alone stands for its
    /// whole `exec` with the `image`. A word may name variables such as $AR_RUN_DIR.
    #[serde(default)]
    pub launcher: Vec<String>,
    /// The container's image there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The trainer's command there, where it is another one than in configs/ar.yaml.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trainer: Option<Trainer>,
    /// The folder with qsub, sbatch and the like, where a plain ssh command does not find them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduler_path: Option<String>,
    /// How many seconds its scheduler may take to answer before that counts as no answer; 90 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience_s: Option<u32>,
    /// Files in scratch that are older than this many days are deleted there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_age_days: Option<u32>,
    /// How often an attempt that was killed is submitted again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resubmit: Option<u32>,
    /// What to know about the site.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Where the figures come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
}

/// How commands reach a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// It is this machine.
    Local,
    /// The system's `ssh`, in batch mode.
    Ssh,
    /// ssh from within git-ar, without another program.
    Ssh2,
}

/// How the code gets to a site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// The files are sent over the transport.
    #[default]
    Archive,
    /// A clone there is pulled.
    Pull,
}

/// A queue's limits, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// The longest walltime, `HH:MM:SS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_walltime: Option<String>,
    /// Least and most nodes of a job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<[u32; 2]>,
    /// Least and most cores of a job, over all its nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<[u32; 2]>,
    /// Least and most GPUs of a job, over all its nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpus: Option<[u32; 2]>,
    /// Most memory of a node, in GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u32>,
    /// Most jobs of one person that run at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_running: Option<u32>,
    /// Most jobs of one person in the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_queued: Option<u32>,
    /// Only for accounts that were given access.
    #[serde(default, skip_serializing_if = "is_false")]
    pub restricted: bool,
    /// What its jobs ask for when nothing else is said; over the profile's own.
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,
    /// Further options of its jobs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub directives: Vec<String>,
    /// What to know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What a job asks for; the scheduler's default where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// Nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<u32>,
    /// Cores of each node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ncpus: Option<u32>,
    /// GPUs of each node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ngpus: Option<u32>,
    /// Memory of each node, in GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mem_gb: Option<u32>,
    /// Further words of PBS's chunk such as `node_type=32GB`, or Slurm's constraints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chunk: Vec<String>,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Resources {
    /// Nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These, and `below` for what they leave open.
    #[must_use]
    pub fn over(&self, below: &Self) -> Self {
        Self {
            nodes: self.nodes.or(below.nodes),
            ncpus: self.ncpus.or(below.ncpus),
            ngpus: self.ngpus.or(below.ngpus),
            mem_gb: self.mem_gb.or(below.mem_gb),
            chunk: if self.chunk.is_empty() { below.chunk.clone() } else { self.chunk.clone() },
        }
    }
}

impl Queue {
    /// The longest walltime in seconds.
    #[must_use]
    pub fn max_walltime_s(&self) -> Option<u64> {
        super::scheduler::seconds(self.max_walltime.as_deref()?)
    }
}

impl Profile {
    /// This machine as it is without a file.
    #[must_use]
    pub fn local() -> Self {
        let text = b"schema: 1\nscheduler: local\ntransport: local\n";
        load::parse("configs/cluster/local.yaml", text).expect("the smallest profile is whole")
    }

    /// The profile of a name; `local` needs no file.
    ///
    /// # Errors
    /// [`Kind::Invalid`] with the place in the file; [`Kind::Usage`] when there is no such cluster.
    pub fn read(tree: &dyn Tree, config_dir: &str, name: &str) -> Result<Self, Problem> {
        let path = format!("{config_dir}/cluster/{name}.yaml");
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            let message = format!("`{}` is no name of a cluster", crate::state::text::printable(name));
            return Err(Problem::new(Kind::Usage, "no-cluster", message).hint("git ar cluster list"));
        }
        match load::read::<Self>(tree, &path)? {
            Some(profile) => match super::legal::wrong(&profile) {
                None => Ok(profile),
                Some((key, message)) => {
                    let text = String::from_utf8_lossy(&tree.read(&path)?.unwrap_or_default()).into_owned();
                    let problem = Problem::new(Kind::Invalid, "cluster", message);
                    let problem = problem.at(&path).line(load::line_of(&text, key));
                    Err(problem.hint("git ar schema cluster   tells the form"))
                }
            },
            None if name == LOCAL => Ok(Self::local()),
            None => {
                let message = format!("there is no cluster `{name}`: {path} is missing");
                Err(Problem::new(Kind::Usage, "no-cluster", message).hint(format!("write {path}, or use `local`")))
            }
        }
    }

    /// What a job in this queue asks for: `asked` over the queue's, over the profile's.
    #[must_use]
    pub fn resources(&self, queue: Option<&str>, asked: &Resources) -> Resources {
        let queue = queue.and_then(|name| self.queues.get(name)).map(|q| q.resources.clone()).unwrap_or_default();
        asked.over(&queue).over(&self.resources)
    }

    /// The further options of a job in this queue.
    #[must_use]
    pub fn directives(&self, queue: Option<&str>) -> Vec<String> {
        let queue = queue.and_then(|name| self.queues.get(name));
        self.directives.iter().chain(queue.iter().flat_map(|q| &q.directives)).cloned().collect()
    }

    /// What stands in front of the trainer's command, the container's own words included.
    #[must_use]
    pub fn launch(&self) -> Vec<String> {
        let words = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut launch = match self.launcher.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [program @ ("singularity" | "apptainer")] => {
                words(&[program, "exec", "--nv", "--bind", "$AR_SITE", "--pwd", "$AR_SNAPSHOT"])
            }
            _ => self.launcher.clone(),
        };
        launch.extend(self.image.clone());
        launch
    }

    /// The same for a process of this machine, whose variables `value` knows. A word in which a `$` begins no variable
    /// stands for itself.
    #[must_use]
    pub fn launch_here(&self, value: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
        self.launch().into_iter().map(|word| fill(&word, value).unwrap_or(word)).collect()
    }

    /// How the seeds become jobs in this queue, when nobody says it: in one job where the queue lets few jobs run at the
    /// same time, else as jobs of their own.
    #[must_use]
    pub fn seeds_as(&self, queue: Option<&str>, seeds: usize) -> SeedsAs {
        let limits = queue.and_then(|name| self.queues.get(name));
        let few = limits.and_then(|q| q.max_running.into_iter().chain(q.max_queued).min());
        match (self.seeds, few) {
            (Some(said), _) => said,
            (None, Some(few)) if (few as usize) >= seeds.max(2) => SeedsAs::Jobs,
            (None, _) => SeedsAs::Sequence,
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
            Profile::read(&with("schema: 1\nscheduler: lsf\ntransport: local\n"), "configs", LOCAL).unwrap_err();
        assert_eq!((problem.kind, problem.line), (Kind::Invalid, Some(2)));
        assert_eq!(Profile::read(&with(text), "configs", "lengau").unwrap_err().kind, Kind::Usage);
        assert_eq!(Profile::read(&with(text), "configs", "../ar").unwrap_err().kind, Kind::Usage);
    }
}
