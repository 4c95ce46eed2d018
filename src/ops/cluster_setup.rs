//! `cluster setup`: makes what a site lacks before its first run: folders, clone, and a test job that says what a node
//! has. What is there stays as it is, so that it can be repeated.

use std::fmt;
use std::time::Duration;

use askama::Template as _;
use serde::Serialize;

use super::Context;
use super::site::Site;
use super::trust;
use super::venv::{self, Venv};
use crate::cluster::legal::expand;
use crate::cluster::profile::{Delivery, Profile};
use crate::cluster::scheduler::Spec;
use crate::cluster::shell::{line, quote};
use crate::cluster::transport::Call;
use crate::state::entities::{Settings, Trainer};
use crate::state::problem::{Kind, Problem, Problems};
use crate::state::text::printable;
use crate::state::tree::digest;

/// A clone over a slow line takes its time.
const LIMIT: Duration = Duration::from_secs(900);
/// What the test job asks for.
const WALLTIME_S: u64 = 300;

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The cluster.
    pub name: &'a str,
    /// Submit the test job.
    pub job: bool,
    /// Only show what would be run there.
    pub dry_run: bool,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// `folders`, `clone`, `python`, `environment` or `job`.
    pub name: String,
    /// `done`, `already`, `waiting` or `failed`.
    pub state: String,
    /// What came of it.
    pub found: String,
}

/// What came of a setup.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The cluster.
    pub cluster: String,
    /// The steps, as far as they went.
    pub steps: Vec<Step>,
    /// What would be run there, of a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
}

impl Outcome {
    /// The step that failed.
    #[must_use]
    pub fn failed(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.state == "failed")
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(script) = &self.script {
            return f.write_str(script);
        }
        self.steps.iter().try_for_each(|step| writeln!(f, "{:<8} {:<12} {}", step.state, step.name, step.found))
    }
}

#[derive(askama::Template)]
#[template(path = "site/test-job.sh", escape = "none")]
struct TestJob {
    directives: Vec<String>,
    folder: String,
    environment: String,
    venv: Option<String>,
}

/// Sets a cluster up, or shows how.
///
/// # Errors
/// [`Kind::Usage`] or [`Kind::Invalid`] for a cluster that cannot be set up; [`Kind::Unavailable`] when it does not
/// answer: the same command goes on where it stopped.
pub fn setup(context: &Context<'_>, wish: Wish<'_>) -> Result<Outcome, Problems> {
    let tree = context.repo.work_tree();
    if !wish.dry_run {
        trust::require(context, &trust::of_cluster(&tree, &context.settings.config_dir, wish.name)?)?;
    }
    let site = Site::open(context, &tree, wish.name)?;
    let venv = venv::of(context, &site, &tree)?;
    let job = if wish.job { Some(test_job(&site, venv.as_ref())?) } else { None };
    let script = script(context, &site, job.as_ref(), venv.as_ref())?;
    if wish.dry_run {
        let job = job.map_or(String::new(), |job| format!("\n# --- its input, the test job\n{}", job.text));
        return Ok(Outcome { cluster: site.name, steps: Vec::new(), script: Some(script + &job) });
    }
    if venv.is_some() {
        context.progress.say("the Python environment is made there, if it does not stand yet; that can take minutes");
    }
    let input = job.as_ref().map_or(&b""[..], |job| job.text.as_bytes());
    let call = Call { what: "set the site up", script: &script, input, limit: LIMIT };
    let reply = site.remote.sh(&call)?;
    let steps = steps(&reply.stdout);
    if reply.code != 0 || steps.is_empty() {
        let message =
            format!("the setup on {} ended with {}: {}", site.name, reply.code, printable(reply.stderr.trim()));
        let hint = format!("git ar cluster doctor {}   looks at the site", site.name);
        return Err(Problem::new(Kind::Io, "setup", message).hint(hint).into());
    }
    Ok(Outcome { cluster: site.name, steps, script: None })
}

struct Job {
    text: String,
    name: String,
}

/// The test job's script. Its name follows from the profile, so that an edited profile is tested again.
fn test_job(site: &Site, venv: Option<&Venv>) -> Result<Job, Problem> {
    let profile = &site.profile;
    let queue = profile.default_queue.as_deref();
    let spec = |name: String| Spec {
        name,
        queue: queue.map(str::to_string),
        account: profile.account.clone(),
        resources: profile.resources(queue, &Default::default()),
        walltime_s: WALLTIME_S,
        output: "job.out".into(),
        error: "job.err".into(),
        array: None,
        extra: profile.directives(queue),
    };
    let write = |name: String| -> Result<String, Problem> {
        let folder = format!("{{{}:-.}}", site.dialect.folder_variable());
        let venv = place(site, venv);
        let directives = site.dialect.directives(&spec(name))?;
        let job = TestJob { directives, folder, environment: environment(profile), venv };
        job.render()
            .map(|text| text + "\n")
            .map_err(|e| Problem::new(Kind::Bug, "template", format!("the test job: {e}")))
    };
    let plan = write("git-ar-setup".into())?;
    let name = format!("git-ar-setup-{}", &digest(plan.as_bytes())[..8]);
    Ok(Job { text: write(name.clone())?, name })
}

/// Lines of sh that load the modules and run the setup lines, and end when one of them fails.
fn environment(profile: &Profile) -> String {
    let mut text = String::new();
    if !profile.modules.is_empty() {
        text.push_str("if ! command -v module >/dev/null 2>&1; then\n  for ar_file in /etc/profile.d/modules.sh /etc/profile.d/lmod.sh /usr/share/modules/init/sh; do\n    if [ -r \"$ar_file\" ]; then . \"$ar_file\"; break; fi\n  done\nfi\n");
    }
    for module in &profile.modules {
        // Old versions of module end with 0 whatever happens.
        text.push_str(&format!("module load {module} || return 1\ncase :${{LOADEDMODULES:-}}: in\n*:{module}:* | *:{module}/*) ;;\n*) echo \"{module} is not loaded\"; return 1 ;;\nesac\n"));
    }
    for (name, value) in &profile.env {
        text.push_str(&format!("export {name}={}\n", expand(value).unwrap_or_else(|| quote(value))));
    }
    profile.setup.iter().for_each(|line| text.push_str(&format!("{line}\n")));
    // A function must hold a command; the status is the last line's.
    if profile.setup.is_empty() {
        text.push_str("true\n");
    }
    text
}

/// The folder of the Python environment, as a word for the site's shell.
fn place(site: &Site, venv: Option<&Venv>) -> Option<String> {
    Some(site.profile.environment.as_ref()?.place("ar_base", &venv?.key))
}

fn script(context: &Context<'_>, site: &Site, job: Option<&Job>, venv: Option<&Venv>) -> Result<String, Problem> {
    let pull = site.profile.delivery == Delivery::Pull;
    let clone = site.profile.clone.as_deref().filter(|_| pull).map_or("''".into(), |path| site.path(path));
    let address = if pull { address(context)? } else { String::new() };
    let name = job.map_or("", |job| job.name.as_str());
    let made = site.profile.environment.clone().unwrap_or_default();
    let values = [
        ("ar_base", site.path(site.layout.base())),
        ("ar_clone", clone),
        ("ar_url", quote(&address)),
        ("ar_branch", quote(&context.settings.branch)),
        ("ar_root", quote(&context.repo.root_commit("HEAD")?)),
        ("ar_venv", place(site, venv).unwrap_or("''".into())),
        ("ar_python", site.path(made.python())),
        ("ar_requirements", quote(venv.map_or("", |venv| venv.requirements.as_str()))),
        ("ar_wheels", made.wheels.as_deref().map_or("''".into(), |path| site.path(path))),
        ("ar_program", quote(program(&site.profile, &context.settings))),
        ("ar_job", quote(name)),
        ("ar_name", quote(name)),
    ];
    let mut text = String::new();
    values.iter().for_each(|(name, value)| text.push_str(&format!("{name}={value}\n")));
    text.push_str(&format!("ar_environment() {{\n{}\n}}\n", environment(&site.profile)));
    text.push_str(&format!("ar_submit() {{ {}; }}\n", line(&site.dialect.submit("job.sh"))));
    text.push_str(include_str!("../../templates/site/setup.sh"));
    Ok(text)
}

/// The program that a job starts first: the launcher's, or the trainer's own.
fn program<'a>(profile: &'a Profile, settings: &'a Settings) -> &'a str {
    let trainer = || match profile.trainer.as_ref().unwrap_or(&settings.trainer) {
        Trainer::Command(words) => words.first().map(String::as_str).filter(|word| !word.contains('/')),
        // Ours is checked by the runs themselves.
        Trainer::Named(_) => None,
    };
    profile.launcher.first().map(String::as_str).or_else(trainer).unwrap_or("")
}

/// Where the clone comes from; never with a password in it.
fn address(context: &Context<'_>) -> Result<String, Problem> {
    let address = context.repo.config("remote.origin.url").unwrap_or_default();
    let secret =
        address.split_once("://").and_then(|(_, rest)| rest.split_once('@')).is_some_and(|(who, _)| who.contains(':'));
    let wrong = match (address.as_str(), secret) {
        ("", _) => "this repository has no remote `origin` to clone from",
        (_, true) => "the address of `origin` holds a password, which would be seen on the site",
        _ => return Ok(address),
    };
    Err(Problem::new(Kind::Usage, "origin", wrong)
        .hint("git remote set-url origin ADDRESS, or write `delivery: archive` in the profile"))
}

/// The steps that the script told.
fn steps(text: &str) -> Vec<Step> {
    let told = text.lines().filter_map(|line| line.strip_prefix("step\t"));
    let step = |line: &str| {
        let mut parts = line.splitn(3, '\t').map(printable);
        Some(Step { name: parts.next()?, state: parts.next()?, found: parts.next()?.trim().to_string() })
    };
    told.filter_map(step).collect()
}
