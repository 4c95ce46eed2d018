//! Whether a profile can be meant, and whether a job fits its queue: told before anything is sent.

use super::profile::{Profile, Queue, Resources, Scheduler, Transport};
use super::scheduler::{clock, seconds};
use crate::state::problem::{Kind, Problem};
use crate::state::text::{nearest, printable};

/// The longest that a scheduler may take to answer: an hour.
const MOST_PATIENCE_S: u32 = 3600;

/// The first key of a profile whose value cannot be meant, and why.
pub(super) fn wrong(profile: &Profile) -> Option<(&'static str, String)> {
    let remote = profile.transport != Transport::Local;
    if remote && profile.host.is_none() {
        return Some(("transport", "`host` is missing: who is to be reached?".into()));
    }
    if profile.scheduler != Scheduler::Local && profile.scratch.is_none() {
        return Some(("scheduler", "`scratch` is missing: the folder for snapshots and runs there".into()));
    }
    if remote && profile.scheduler == Scheduler::Local {
        return Some(("scheduler", "`local` has no jobs on another machine; write `pbs` or `slurm`".into()));
    }
    if let Some(seconds) = profile.patience_s.filter(|seconds| !(1..=MOST_PATIENCE_S).contains(seconds)) {
        return Some(("patience_s", format!("{seconds} seconds are no patience: 1 to {MOST_PATIENCE_S}")));
    }
    words(profile).or_else(|| queues(profile)).or_else(|| variables(profile)).or_else(|| environment(profile))
}

/// Values that go to ssh and to a shell.
fn words(profile: &Profile) -> Option<(&'static str, String)> {
    let named: [(&'static str, &Option<String>, &str); 4] = [
        ("host", &profile.host, "._:-"),
        ("user", &profile.user, "._@-"),
        ("account", &profile.account, "._+-"),
        ("default_queue", &profile.default_queue, "._@-"),
    ];
    for (key, value, also) in named {
        let plain = |c: char| c.is_ascii_alphanumeric() || also.contains(c);
        if let Some(value) = value.as_ref().filter(|v| v.is_empty() || v.starts_with('-') || !v.chars().all(plain)) {
            return Some((key, format!("`{}` holds more than letters, digits and {also}", shown(value))));
        }
    }
    let paths = [("scratch", &profile.scratch), ("clone", &profile.clone), ("scheduler_path", &profile.scheduler_path)];
    for (key, value) in paths.into_iter().chain([("image", &profile.image)]) {
        if let Some(why) = value.as_deref().and_then(no_path) {
            return Some((key, why));
        }
    }
    let module = |m: &&String| {
        m.is_empty() || m.starts_with('-') || !m.chars().all(|c| c.is_ascii_alphanumeric() || "._/+-".contains(c))
    };
    if let Some(module) = profile.modules.iter().find(module) {
        return Some(("modules", format!("`{}` is no name of a module", shown(module))));
    }
    let odd = |w: &&String| w.chars().any(char::is_control);
    if let Some(word) = profile.launcher.iter().find(odd) {
        return Some(("launcher", format!("`{}` holds a control character", shown(word))));
    }
    let line = profile.setup.iter().find(|line| line.chars().any(|c| c.is_control() && c != '\t'));
    line.map(|line| ("setup", format!("`{}` is more than one line, or holds a control character", shown(line))))
}

/// Why a text is no path on a site: absolute, or beginning with a variable that the site's shell fills in.
pub(super) fn no_path(path: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/+@:,=~${}-".contains(c);
    if !path.starts_with(['/', '$']) || path.contains("/../") || path.ends_with("/..") {
        return Some(format!("`{}` is no whole path: begin with / or a variable such as $HOME", shown(path)));
    }
    match path.chars().all(plain) && expand(path).is_some() && !path.trim_matches('/').is_empty() {
        true => None,
        false => Some(format!("`{}` holds more than a plain path and variables such as $USER", shown(path))),
    }
}

/// A text for `sh` in double quotes, in which `$NAME` and `${NAME}` are filled in by the shell that runs it and
/// everything else stands for itself. None when a `$` begins no such name.
#[must_use]
pub fn expand(text: &str) -> Option<String> {
    let mut quoted = String::from("\"");
    for (plain, name) in pieces(text)? {
        escape(plain, &mut quoted);
        name.iter().for_each(|name| quoted.push_str(&format!("${{{name}}}")));
    }
    quoted.push('"');
    Some(quoted)
}

/// A text with its variables filled in here, one that is not set by nothing, as a shell does. None when a `$` begins no
/// name.
#[must_use]
pub fn fill(text: &str, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let piece = |(plain, name): (&str, Option<&str>)| plain.to_string() + &name.and_then(value).unwrap_or_default();
    Some(pieces(text)?.into_iter().map(piece).collect())
}

/// What stands for itself, each with the variable behind it; the last has none.
fn pieces(text: &str) -> Option<Vec<(&str, Option<&str>)>> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.find('$') {
        let after = &rest[at + 1..];
        let (name, length) = match after.strip_prefix('{') {
            Some(inner) => (inner.split_once('}')?.0, inner.find('}')? + 2),
            None => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                (&after[..end], end)
            }
        };
        if !is_variable(name) {
            return None;
        }
        found.push((&rest[..at], Some(name)));
        rest = &after[length..];
    }
    found.push((rest, None));
    Some(found)
}

fn escape(text: &str, quoted: &mut String) {
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '`' | '$') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
}

/// Whether a text names a variable of a shell.
#[must_use]
pub fn is_variable(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    begins && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn queues(profile: &Profile) -> Option<(&'static str, String)> {
    for (name, queue) in &profile.queues {
        let limit = queue.max_walltime.as_ref();
        if let Some(limit) = limit.filter(|l| seconds(l).is_none_or(|s| s == 0)) {
            return Some((
                "queues",
                format!("queue {}: `{}` is no walltime such as 12:00:00", shown(name), shown(limit)),
            ));
        }
        let ranges = [("nodes", queue.nodes), ("cores", queue.cores), ("gpus", queue.gpus)];
        if let Some((key, _)) = ranges.into_iter().find(|(_, range)| range.is_some_and(|[least, most]| least > most)) {
            return Some(("queues", format!("queue {}: the least of `{key}` is above its most", shown(name))));
        }
        if let Some((option, why)) = first_wrong(&queue.directives) {
            return Some(("queues", format!("queue {}: option `{}`: {why}", shown(name), shown(option))));
        }
    }
    if let Some(name) =
        profile.default_queue.as_ref().filter(|q| !profile.queues.is_empty() && !profile.queues.contains_key(*q))
    {
        return Some(("default_queue", format!("`{name}` is not among the queues")));
    }
    first_wrong(&profile.directives).map(|(option, why)| ("directives", format!("`{}`: {why}", shown(option))))
}

fn first_wrong(options: &[String]) -> Option<(&str, String)> {
    options.iter().find_map(|option| Some((option.as_str(), super::scheduler::wrong_option(option)?)))
}

/// Words in the name of a variable that holds a secret.
const SECRET: [&str; 7] = ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "API_KEY", "PRIVATE_KEY"];

fn variables(profile: &Profile) -> Option<(&'static str, String)> {
    for (name, value) in &profile.env {
        if !is_variable(name) {
            return Some(("env", format!("`{}` is no name of a variable", shown(name))));
        }
        if SECRET.iter().any(|word| name.to_ascii_uppercase().contains(word)) {
            return Some((
                "env",
                format!("`{name}` looks like a secret; it belongs into a file of yours there that `setup` reads"),
            ));
        }
        if name.starts_with("AR_") && name != "AR_DATA" {
            return Some(("env", format!("`{name}` is set by git-ar")));
        }
        if value.chars().any(char::is_control) || expand(value).is_none() {
            return Some(("env", format!("`{name}` holds a control character, or a `$` that begins no variable")));
        }
    }
    None
}

fn environment(profile: &Profile) -> Option<(&'static str, String)> {
    let environment = profile.environment.as_ref()?;
    let here = profile.scheduler == Scheduler::Local;
    let words =
        "jobs of this machine take the Python that `trainer:` in configs/ar.yaml names, such as .venv/bin/python";
    let why = if here { Some(words.into()) } else { environment.wrong() };
    why.map(|why| ("environment", why))
}

fn shown(text: &str) -> String {
    printable(text).replace(['\n', '\t'], " ").chars().take(60).collect()
}

/// One job as it is to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish<'a> {
    /// The cluster's name, for the messages.
    pub cluster: &'a str,
    /// Its queue.
    pub queue: Option<&'a str>,
    /// What it asks for, the profile's defaults included.
    pub resources: &'a Resources,
    /// Seconds.
    pub walltime_s: u64,
}

/// What the profile knows against a job: unknown queue, too long, too many cores, no account.
#[must_use]
pub fn against(profile: &Profile, wish: &Wish<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    let file = format!("configs/cluster/{}.yaml", wish.cluster);
    let mut say = |code: &'static str, message: String, hint: String| {
        found.push(Problem::new(Kind::Usage, code, message).at(file.clone()).hint(hint));
    };
    if profile.account_required && profile.account.is_none() {
        let message = format!("cluster {} refuses jobs without an account", wish.cluster);
        say("account", message, "write `account:` with your project's code, such as ABCD1234".into());
    }
    let Some(name) = wish.queue else {
        if !profile.queues.is_empty() {
            let message = format!("cluster {} has several queues and no default_queue", wish.cluster);
            say("queue", message, "give --queue NAME, or write `default_queue:`".into());
        }
        return found;
    };
    if profile.queues.is_empty() {
        return found;
    }
    let Some(queue) = profile.queues.get(name) else {
        let meant = nearest(name, profile.queues.keys().map(String::as_str)).map(|n| format!("did you mean `{n}`? "));
        let names: Vec<&str> = profile.queues.keys().map(String::as_str).collect();
        let hint = format!("{}queues: {}", meant.unwrap_or_default(), names.join(", "));
        say("queue", format!("cluster {} has no queue `{}`", wish.cluster, shown(name)), hint);
        return found;
    };
    for (message, hint) in limits(name, queue, wish) {
        say("queue", message, hint);
    }
    found
}

fn limits(name: &str, queue: &Queue, wish: &Wish<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Some(most) = queue.max_walltime_s().filter(|most| wish.walltime_s > *most) {
        let message = format!("walltime {} is above queue {name}'s {}", clock(wish.walltime_s), clock(most));
        let hint = format!("--walltime {}, a queue with more, or fewer seeds in one job", clock(most));
        found.push((message, hint));
    }
    let asked = wish.resources;
    let nodes = asked.nodes.unwrap_or(1);
    let cores = nodes.saturating_mul(asked.ncpus.unwrap_or(1));
    let gpus = nodes.saturating_mul(asked.ngpus.unwrap_or(0));
    for (what, value, range) in
        [("nodes", nodes, queue.nodes), ("cores", cores, queue.cores), ("GPUs", gpus, queue.gpus)]
    {
        if let Some([least, most]) = range.filter(|[least, most]| value < *least || value > *most) {
            let message = format!("{value} {what} do not fit queue {name}, which takes {least} to {most}");
            found.push((
                message,
                format!("change `resources:` of the queue or of the profile, or give another --queue than {name}"),
            ));
        }
    }
    if let (Some(asked), Some(most)) =
        (asked.mem_gb, queue.memory.filter(|most| asked.mem_gb.is_some_and(|gb| gb > *most)))
    {
        found.push((
            format!("{asked} GiB do not fit queue {name}, whose nodes have {most}"),
            "ask for less under `resources:`".into(),
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tree::MemoryTree;

    const SITE: &str = "schema: 1\nscheduler: pbs\ntransport: ssh\nhost: site\nscratch: /lustre/$USER/ar\n";

    fn read(more: &str) -> Result<Profile, Problem> {
        let tree = MemoryTree::default().with("configs/cluster/s.yaml", &format!("{SITE}{more}"));
        Profile::read(&tree, "configs", "s")
    }

    #[test]
    fn what_cannot_be_meant_is_told_with_its_line() {
        assert!(read("env: {OMP_NUM_THREADS: '4', X: \"$HOME/x y\"}\nmodules: [chpc/python/3.11]\nx-lab: 1\n").is_ok());
        for bad in [
            "user: -oProxyCommand=x",
            "account: \"a b\"",
            "account: \"$(id)\"",
            "clone: relative/path",
            "clone: \"/a$(id)\"",
            "clone: \"/a/../b\"",
            "image: \"/x/`id`.sif\"",
            "environment: {python: \"python3; id\"}",
            "environment: {requirements: ../r.txt}",
            "modules: [\"x; id\"]",
            "setup: [\"a\\nb\"]",
            "env: {WANDB_API_KEY: abc}",
            "env: {AR_SEED: '1'}",
            "env: {X: \"$(id)\"}",
            "env: {\"X=1; id\": a}",
            "directives: [\"-V\"]",
            "directives: [\"-N other\"]",
            "directives: [\"m abe\"]",
            "directives: [\"-m abe\\n#PBS -V\"]",
            "directives: [\"--export=ALL\"]",
            "directives: [\"--exp=ALL\"]",
            "default_queue: gpu\nqueues: {cpu: {}}",
            "queues: {cpu: {max_walltime: 48h}}",
            "queues: {cpu: {cores: [4, 2]}}",
            "patience_s: 0",
            "patience_s: 3601",
        ] {
            let problem = read(&format!("{bad}\n")).unwrap_err();
            assert_eq!(problem.kind, Kind::Invalid, "{bad}");
            assert!(problem.line.is_some_and(|line| line >= 6), "{bad}: {problem:?}");
        }
        let tree = MemoryTree::default().with("configs/cluster/s.yaml", &SITE.replace("host: site\n", ""));
        assert!(Profile::read(&tree, "configs", "s").unwrap_err().message.contains("`host`"));
    }

    #[test]
    fn only_variables_are_filled_in() {
        assert_eq!(expand("$HOME/a b").unwrap(), "\"${HOME}/a b\"");
        assert_eq!(expand("${SCRATCH}x").unwrap(), "\"${SCRATCH}x\"");
        assert_eq!(expand("a\"`\\").unwrap(), "\"a\\\"\\`\\\\\"");
        let value = |name: &str| (name == "HOME").then(|| "/h $X".to_string());
        assert_eq!(fill("a $HOME/${NONE}b\"", &value).unwrap(), "a /h $X/b\"");
        for bad in ["$(id)", "$", "a$1", "${a:-b}", "${a", "$$"] {
            assert_eq!((expand(bad), fill(bad, &value)), (None, None), "{bad}");
        }
    }

    #[test]
    fn a_job_that_does_not_fit_is_told_before_it_is_sent() {
        let queues =
            "queues:\n  gpu_1: {max_walltime: '12:00:00', nodes: [1, 1], cores: [1, 10], gpus: [1, 1], memory: 64}\n";
        let profile = read(&format!("account_required: true\n{queues}")).unwrap();
        let resources = Resources { ncpus: Some(12), mem_gb: Some(128), ..Resources::default() };
        let wish = Wish { cluster: "s", queue: Some("gpu_1"), resources: &resources, walltime_s: 13 * 3600 };
        let said: Vec<String> = against(&profile, &wish).into_iter().map(|p| p.message).collect();
        assert_eq!(said.len(), 5, "{said:?}");
        assert!(said[1].contains("13:00:00") && said[1].contains("12:00:00"));
        let good = Resources { ncpus: Some(4), ngpus: Some(1), ..Resources::default() };
        let profile = Profile { account: Some("ABCD1234".into()), ..profile };
        assert!(against(&profile, &Wish { resources: &good, walltime_s: 3600, ..wish.clone() }).is_empty());
        let unknown = against(&profile, &Wish { queue: Some("gpu1"), ..wish.clone() });
        assert!(unknown[0].hint.as_deref().unwrap().contains("did you mean `gpu_1`"));
        assert_eq!(against(&profile, &Wish { queue: None, ..wish }).len(), 1);
    }
}
