//! Where things lie on a site: one folder for a repository, the same on both sides of the transport.

use crate::state::ids::RunId;

/// The folders of one repository on one site. Every path lies below the scratch root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    base: String,
}

/// One run's folder there: `AR_RUN_DIR`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    /// The folder.
    pub path: String,
}

impl Layout {
    /// The layout below `scratch`, which the site's shell has filled in or will fill in. `root_commit` tells
    /// repositories of the same name apart.
    #[must_use]
    pub fn new(scratch: &str, repository: &str, root_commit: &str) -> Self {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        let name: String = repository.chars().map(plain).take(64).collect();
        let name = name.trim_start_matches(['-', '.']);
        let root = root_commit.get(..8).unwrap_or(root_commit);
        Self {
            base: format!(
                "{}/{}-{root}",
                scratch.trim_end_matches('/'),
                if name.is_empty() { "repository" } else { name }
            ),
        }
    }

    /// The repository's folder.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The folder of all snapshots.
    #[must_use]
    pub fn snapshots(&self) -> String {
        format!("{}/snapshots", self.base)
    }

    /// The read-only files of a code tree.
    #[must_use]
    pub fn snapshot(&self, code_tree: &str) -> String {
        format!("{}/snapshots/{code_tree}", self.base)
    }

    /// The folder of all runs.
    #[must_use]
    pub fn runs(&self) -> String {
        format!("{}/runs", self.base)
    }

    /// Where a run works.
    #[must_use]
    pub fn run(&self, run: &RunId) -> RunFolder {
        RunFolder { path: format!("{}/runs/{run}", self.base) }
    }
}

impl RunFolder {
    /// A file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }
}

/// Names in a run's folder. An attempt that is an array has files of its own for each member, by index.
pub mod names {
    use crate::runs::contract;

    /// The resolved config.
    pub const CONFIG: &str = "config.yaml";
    /// The run as it is recorded.
    pub const RUN: &str = "run.yaml";

    /// The job script.
    #[must_use]
    pub fn script(attempt: u32) -> String {
        format!("job-{attempt}.sh")
    }

    /// The claim: a folder that can be made only once; it holds `id` and `name`.
    #[must_use]
    pub fn claim(attempt: u32) -> String {
        format!("claim-{attempt}")
    }

    /// What the job attested when it started.
    #[must_use]
    pub fn start(attempt: u32, member: Option<u32>) -> String {
        format!("start-{}.json", stem(attempt, member))
    }

    /// How it ended.
    #[must_use]
    pub fn exit(attempt: u32, member: Option<u32>) -> String {
        format!("exit-{}.json", stem(attempt, member))
    }

    /// Touched every minute while the job lives.
    #[must_use]
    pub fn heartbeat(attempt: u32, member: Option<u32>) -> String {
        format!("heartbeat-{}", stem(attempt, member))
    }

    /// The job's standard output.
    #[must_use]
    pub fn output(attempt: u32, member: Option<u32>) -> String {
        format!("job-{}.out", stem(attempt, member))
    }

    /// The job's standard error.
    #[must_use]
    pub fn error(attempt: u32, member: Option<u32>) -> String {
        format!("job-{}.err", stem(attempt, member))
    }

    /// A seed's folder.
    #[must_use]
    pub fn seed(seed: u64) -> String {
        contract::seed_dir(std::path::Path::new(""), seed).display().to_string()
    }

    /// The digest of a seed's metrics, written by the job script when the trainer ended with 0.
    #[must_use]
    pub fn done(seed: u64) -> String {
        format!("{}/done", self::seed(seed))
    }

    fn stem(attempt: u32, member: Option<u32>) -> String {
        member.map_or_else(|| attempt.to_string(), |member| format!("{attempt}.{member}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_keeps_repositories_apart() {
        let layout = Layout::new("/lustre/ar/", "my lab's $(repo)", "0123456789abcdef");
        assert_eq!(layout.base(), "/lustre/ar/my-lab-s---repo--01234567");
        assert_eq!(Layout::new("/s", "..", "0123").base(), "/s/repository-0123");
        let run = layout.run(&RunId::try_from("kq7f3-a").unwrap());
        assert_eq!(
            run.file(&names::exit(2, Some(3))),
            "/lustre/ar/my-lab-s---repo--01234567/runs/kq7f3-a/exit-2.3.json"
        );
        assert_eq!((names::output(1, None), names::done(4)), ("job-1.out".into(), "seed-4/done".into()));
    }
}
