//! `cluster list|show`: the sites of this repository, with their queues and what a job would meet there.

use std::fmt;

use serde::Serialize;

use super::Context;
use crate::cluster::legal::{Wish, against};
use crate::cluster::profile::{LOCAL, Profile, Resources, Transport};
use crate::cluster::walltime;
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::text::{nearest, printable};
use crate::state::tree::Tree;

/// One site in a list.
#[derive(Debug, Serialize)]
pub struct Line {
    /// Its name.
    pub cluster: String,
    /// Its scheduler; none when the file is invalid.
    pub scheduler: Option<&'static str>,
    /// How it is reached.
    pub reached: String,
    /// Its queues.
    pub queues: Vec<String>,
    /// What is wrong with its file.
    pub problem: Option<Problem>,
}

/// Every site.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Clusters(pub Vec<Line>);

/// The sites of this repository; `local` needs no file.
pub fn list(context: &Context<'_>) -> Result<Clusters, Problems> {
    let tree = context.repo.work_tree();
    let lines = names(context, &tree)?.into_iter().map(|name| match read(context, &tree, &name) {
        Ok(profile) => Line {
            scheduler: Some(profile.scheduler.word()),
            reached: reached(&profile),
            queues: profile.queues.keys().cloned().collect(),
            problem: None,
            cluster: name,
        },
        Err(problem) => {
            Line { cluster: name, scheduler: None, reached: String::new(), queues: Vec::new(), problem: Some(problem) }
        }
    });
    Ok(Clusters(lines.collect()))
}

/// The names of the sites, `local` first.
fn names(context: &Context<'_>, tree: &dyn Tree) -> Result<Vec<String>, Problem> {
    let folder = format!("{}/cluster", context.settings.config_dir);
    let files = tree.list(&folder)?.into_iter();
    let mut names: Vec<String> =
        files.filter_map(|entry| Some(entry.name.strip_suffix(".yaml")?.to_string())).collect();
    names.retain(|name| name != LOCAL);
    names.insert(0, LOCAL.into());
    Ok(names)
}

fn read(context: &Context<'_>, tree: &dyn Tree, name: &str) -> Result<Profile, Problem> {
    Profile::read(tree, &context.settings.config_dir, name)
}

fn reached(profile: &Profile) -> String {
    let host = profile.host.as_deref().unwrap_or_default();
    let user = profile.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    match profile.transport {
        Transport::Local => "this machine".into(),
        Transport::Ssh => format!("ssh {user}{host}"),
        Transport::Ssh2 => format!("ssh2 {user}{host}"),
    }
}

/// One site in full.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// Its name.
    pub cluster: String,
    /// Its file.
    pub path: String,
    /// What the file says.
    pub profile: Profile,
    /// What stands against a job with the defaults in the default queue.
    pub problems: Vec<Problem>,
}

/// One site; by the beginning of its name.
pub fn show(context: &Context<'_>, name: &str) -> Result<Shown, Problems> {
    let tree = context.repo.work_tree();
    let names = names(context, &tree)?;
    let exact = names.iter().find(|known| *known == name);
    let fits: Vec<&String> = names.iter().filter(|known| known.starts_with(name)).collect();
    let name = match (exact, fits.as_slice()) {
        (Some(name), _) => name.clone(),
        (None, [name]) => (*name).clone(),
        (None, []) => return Err(unknown(name, &names).into()),
        (None, several) => {
            let several: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
            let message = format!("`{}` fits {}", printable(name), several.join(", "));
            return Err(Problem::new(Kind::Ambiguous, "ambiguous", message).hint("write more of the name").into());
        }
    };
    let profile = read(context, &tree, &name)?;
    let queue = profile.default_queue.as_deref();
    let resources = profile.resources(queue, &Resources::default());
    let longest = queue.and_then(|q| profile.queues.get(q)?.max_walltime_s()).unwrap_or(u64::MAX);
    let wish = Wish { cluster: &name, queue, resources: &resources, walltime_s: walltime::FLOOR.min(longest) };
    let problems = against(&profile, &wish);
    let path = format!("{}/cluster/{name}.yaml", context.settings.config_dir);
    Ok(Shown { path, problems, profile, cluster: name })
}

fn unknown(name: &str, names: &[String]) -> Problem {
    let meant =
        nearest(name, names.iter().map(String::as_str)).map(|n| format!("did you mean `{n}`? ")).unwrap_or_default();
    let message = format!("there is no cluster `{}`", printable(name));
    Problem::new(Kind::Usage, "no-cluster", message).hint(format!("{meant}clusters: {}", names.join(", ")))
}

impl fmt::Display for Clusters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|line| line.cluster.len()).max().unwrap_or_default();
        for line in &self.0 {
            match (&line.problem, line.scheduler) {
                (Some(problem), _) => writeln!(f, "{:<width$}  invalid: {}", line.cluster, problem.message)?,
                (None, scheduler) => {
                    let scheduler = scheduler.unwrap_or_default();
                    write!(f, "{:<width$}  {scheduler:<6} {}", line.cluster, line.reached)?;
                    let queues = if line.queues.is_empty() {
                        String::new()
                    } else {
                        format!("  queues: {}", line.queues.join(", "))
                    };
                    writeln!(f, "{queues}")?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let profile = &self.profile;
        writeln!(f, "{}  {}, {}  ({})", self.cluster, profile.scheduler.word(), reached(profile), self.path)?;
        let mut line = |what: &str, value: &str| match value {
            "" => Ok(()),
            value => writeln!(f, "  {what:<9} {value}"),
        };
        line("scratch", profile.scratch.as_deref().unwrap_or_default())?;
        line("account", profile.account.as_deref().unwrap_or_default())?;
        line("modules", &profile.modules.join(" "))?;
        let python = profile
            .environment
            .as_ref()
            .map(|made| [made.python(), made.requirements.as_deref().unwrap_or_default()].join(" "));
        line("python", python.as_deref().unwrap_or_default().trim())?;
        line("launcher", &profile.launch().join(" "))?;
        line("file age", &profile.file_age_days.map(|days| format!("{days} days")).unwrap_or_default())?;
        queues(profile, f)?;
        for (what, texts) in [("note", &profile.notes), ("source", &profile.sources)] {
            texts.iter().try_for_each(|text| writeln!(f, "  {what}: {text}"))?;
        }
        for problem in &self.problems {
            writeln!(f, "  open: {}", problem.message)?;
            problem.hint.iter().try_for_each(|hint| writeln!(f, "    {hint}"))?;
        }
        Ok(())
    }
}

fn queues(profile: &Profile, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if profile.queues.is_empty() {
        return Ok(());
    }
    let range = |range: Option<[u32; 2]>| match range {
        None => "?".to_string(),
        Some([least, most]) if least == most => most.to_string(),
        Some([least, most]) => format!("{least}-{most}"),
    };
    let number = |n: Option<u32>| n.map_or("?".to_string(), |n| n.to_string());
    writeln!(
        f,
        "  {:<12} {:>9} {:>8} {:>9} {:>5} {:>7} {:>6}",
        "queue", "walltime", "nodes", "cores", "GPUs", "running", "queued"
    )?;
    for (name, queue) in &profile.queues {
        let default = profile.default_queue.as_deref() == Some(name);
        let remarks = [default.then_some("default"), queue.restricted.then_some("restricted"), queue.note.as_deref()];
        let remarks: Vec<&str> = remarks.into_iter().flatten().collect();
        writeln!(
            f,
            "  {name:<12} {:>9} {:>8} {:>9} {:>5} {:>7} {:>6}  {}",
            queue.max_walltime.as_deref().unwrap_or("?"),
            range(queue.nodes),
            range(queue.cores),
            range(queue.gpus),
            number(queue.max_running),
            number(queue.max_queued),
            remarks.join(", ")
        )?;
    }
    Ok(())
}
