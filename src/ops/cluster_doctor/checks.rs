//! From facts to checks, one function each; pure but for what the profile says.

use super::Facts;
use crate::cluster::live;
use crate::cluster::profile::{Delivery, Transport};
use crate::ops::Context;
use crate::ops::doctor::{Check, State};
use crate::ops::site::Site;
use crate::state::entities::{BuiltIn, Trainer};

/// Runs are told so many days before the site deletes their files.
pub(super) const WARNING_DAYS: u32 = 14;
/// A clock may be this many seconds off.
const SKEW: i64 = 120;
/// Less free space than this is worth a word, in KiB.
const LITTLE_SPACE: i64 = 5 << 20;
/// Fewer free files than this are worth a word.
const FEW_FILES: i64 = 10_000;
/// The engine's libtorch needs this version of glibc.
const ENGINE_GLIBC: (u32, u32) = (2, 28);

/// Every check, in order.
pub(super) fn all(site: &Site, facts: &Facts, context: &Context<'_>) -> Vec<Check> {
    let mut checks = vec![connection(facts), clock(facts), basics(facts), system(site, facts, context)];
    checks.extend([commands(site, facts), queues(site, facts), account(site)]);
    checks.extend([scratch(site, facts), space(facts)]);
    checks.extend(quota(facts));
    checks.extend(age(site, facts));
    checks.extend(modules(site, facts));
    checks.extend(python(site, facts));
    checks.extend(image(site, facts));
    checks.extend(clone(site, facts));
    checks.push(programs(site, facts, context));
    checks
}

fn broken(name: &str, found: impl Into<String>, fix: impl Into<String>) -> Check {
    Check::bad(name, State::Broken, found, vec![fix.into()])
}

fn missing(name: &str, found: impl Into<String>, fix: impl Into<String>) -> Check {
    Check::bad(name, State::Missing, found, vec![fix.into()])
}

fn connection(facts: &Facts) -> Check {
    let said = |name: &str| facts.one(name).unwrap_or("?").to_string();
    Check::ok("connection", format!("{} as {}", said("host"), said("user")))
}

fn clock(facts: &Facts) -> Check {
    let Some(there) = facts.number("now") else {
        return missing("clock", "the site does not say its time", "date +%s   there shows why");
    };
    match there - facts.here {
        skew if skew.abs() <= SKEW => Check::ok("clock", format!("{skew:+} s")),
        skew => missing(
            "clock",
            format!("{skew:+} s beside this machine"),
            "date -u   on both sides; times of jobs are the site's, and only their differences are used",
        ),
    }
}

fn basics(facts: &Facts) -> Check {
    match facts.all("basic").as_slice() {
        [] => Check::ok("shell", "everything that a job script uses"),
        lacking => {
            broken("shell", format!("lacks {}", lacking.join(", ")), "ask the site's help desk for these programs")
        }
    }
}

fn system(site: &Site, facts: &Facts, context: &Context<'_>) -> Check {
    let parts = ["system", "kernel", "libc"].map(|name| facts.one(name).unwrap_or("?"));
    let found = parts.join(", ");
    let engine = site.profile.trainer.as_ref().unwrap_or(&context.settings.trainer) == &Trainer::Named(BuiltIn::Engine);
    let mut numbers = parts[2].trim_start_matches("glibc ").split('.').map_while(|n| n.parse::<u32>().ok());
    let old = numbers.next().zip(numbers.next()).is_none_or(|version| version < ENGINE_GLIBC);
    if engine && old && site.profile.launcher.is_empty() {
        let fix = "name a container: `launcher: [singularity]` and `image:` in the profile, or a trainer of your own under `trainer:`";
        return missing("system", format!("{found}: too old for the built-in engine"), fix);
    }
    Check::ok("system", found)
}

fn commands(site: &Site, facts: &Facts) -> Check {
    let lacking = facts.all("lacks");
    let name = |line: &str| line.split(' ').next().unwrap_or_default().to_string();
    if lacking.is_empty() {
        let version = facts.version.as_deref().unwrap_or(site.profile.scheduler.word());
        return Check::ok("scheduler", version);
    }
    let names: Vec<String> = lacking.iter().map(|line| name(line)).collect();
    let place =
        lacking.iter().find_map(|line| line.split_once(' ')?.1.rsplit_once('/').map(|(folder, _)| folder.to_string()));
    let fix = match place {
        Some(folder) => format!("a login shell finds it: add `scheduler_path: {folder}` to the profile"),
        None => "add `scheduler_path:`, the folder with these programs there, to the profile".into(),
    };
    broken("scheduler", format!("no {} without a login shell", names.join(", ")), fix)
}

fn queues(site: &Site, facts: &Facts) -> Check {
    let Some(now) = &facts.queues else {
        let words = facts.refusal.as_deref().filter(|words| !words.is_empty()).unwrap_or("the scheduler was not asked");
        return missing(
            "queues",
            words,
            format!("git ar cluster doctor {}   again when the scheduler answers", site.name),
        );
    };
    let differences = live::differences(&site.profile, now);
    if differences.is_empty() {
        let names: Vec<&str> = now.keys().map(String::as_str).collect();
        return Check::ok("queues", format!("as the profile says; there are {}", names.join(", ")));
    }
    let found: Vec<String> = differences.into_iter().map(|(queue, how)| format!("{queue}: {how}")).collect();
    let fix = format!("edit `queues:` in {}", file(site));
    Check::bad("queues", State::Missing, found.join("; "), vec![fix])
}

fn account(site: &Site) -> Check {
    match (&site.profile.account, site.profile.account_required) {
        (Some(account), _) => {
            Check::ok("account", format!("{account} (whether it may be used shows at the first job)"))
        }
        (None, false) => Check::ok("account", "none is needed"),
        (None, true) => {
            broken("account", "the site refuses jobs without one", format!("add `account:` to {}", file(site)))
        }
    }
}

fn scratch(site: &Site, facts: &Facts) -> Check {
    let setup = format!("git ar cluster setup {}", site.name);
    match (facts.one("writable"), facts.one("scratch"), facts.one("base")) {
        (None, ..) => broken(
            "scratch",
            format!("{} cannot be written", site.profile.scratch.as_deref().unwrap_or_default()),
            format!("name another folder under `scratch:` in {}", file(site)),
        ),
        (_, _, Some(base)) => Check::ok("scratch", base),
        (Some(at), None, _) => missing("scratch", format!("not there yet; {at} can be written"), setup),
        (_, Some(scratch), None) => {
            missing("scratch", format!("{scratch} holds nothing of this repository yet"), setup)
        }
    }
}

fn space(facts: &Facts) -> Check {
    let (free, files) = (facts.number("free"), facts.number("inodes"));
    let found = format!(
        "{} free, room for {} files",
        free.map_or("?".into(), |kib| format!("{:.1} GiB", kib as f64 / f64::from(1 << 20))),
        files.map_or("?".into(), |n| n.to_string())
    );
    if free.is_some_and(|kib| kib < LITTLE_SPACE) || files.is_some_and(|n| (1..FEW_FILES).contains(&n)) {
        return missing(
            "space",
            found,
            "make room there; checkpoints and logs of finished runs can go once they are collected",
        );
    }
    Check::ok("space", found)
}

fn quota(facts: &Facts) -> Option<Check> {
    let lines = facts.all("quota");
    // Lustre marks what is over its limit with an asterisk.
    let over = lines.iter().any(|line| line.contains('*'));
    let found = lines.join(" | ");
    let check = match over {
        true => missing("quota", found, "make room there: what is over the limit has a `*`"),
        false => Check::ok("quota", found),
    };
    (!lines.is_empty()).then_some(check)
}

fn age(site: &Site, facts: &Facts) -> Option<Check> {
    let days = site.profile.file_age_days?;
    let old = facts.all("old");
    if old.is_empty() {
        return Some(Check::ok("file age", format!("no run is near the limit of {days} days")));
    }
    let fix = vec!["git ar tick   collects what is not collected yet".to_string()];
    let found = format!(
        "files are deleted there after {days} days; untouched for {}: {}",
        days.saturating_sub(WARNING_DAYS),
        old.join(", ")
    );
    Some(Check::bad("file age", State::Missing, found, fix))
}

/// The environment of the person's own trainer.
fn python(site: &Site, facts: &Facts) -> Option<Check> {
    let made = site.profile.environment.as_ref()?;
    Some(match facts.one("venv") {
        Some(version) => Check::ok("python", format!("{version}, its environment stands")),
        None => missing(
            "python",
            format!("the environment that {} makes does not stand yet", made.python()),
            format!("git ar cluster setup {}", site.name),
        ),
    })
}

fn modules(site: &Site, facts: &Facts) -> Option<Check> {
    if site.profile.modules.is_empty() {
        return None;
    }
    let bad = facts.all("badmodule");
    if bad.is_empty() {
        return Some(Check::ok("modules", facts.all("module").join(", ")));
    }
    Some(broken(
        "modules",
        bad.join("; "),
        format!("module avail   there shows the names; `modules:` is in {}", file(site)),
    ))
}

fn image(site: &Site, facts: &Facts) -> Option<Check> {
    let image = site.profile.image.as_ref()?;
    Some(match facts.one("image") {
        Some("yes") => Check::ok("image", image),
        _ => broken(
            "image",
            format!("{image} is not there"),
            "build it from templates/ and copy it there; docs/clusters shows how",
        ),
    })
}

fn clone(site: &Site, facts: &Facts) -> Option<Check> {
    if site.profile.delivery != Delivery::Pull {
        return None;
    }
    let place = site.profile.clone.as_deref().unwrap_or_default();
    Some(match (facts.one("clone"), facts.one("dirty")) {
        (None, _) => missing("clone", format!("{place} is no clone"), format!("git ar cluster setup {}", site.name)),
        (Some(at), None) => Check::ok("clone", format!("{place} at {at}")),
        (Some(_), Some(change)) => broken(
            "clone",
            format!("{place} has changes of its own: {change}"),
            "commit them from a work tree of your own, or take them back there; git-ar touches nothing in it",
        ),
    })
}

fn programs(site: &Site, facts: &Facts, context: &Context<'_>) -> Check {
    let said = |name: &str, none: &str| facts.one(name).unwrap_or(none).to_string();
    let others = format!("{}, {}", said("git", "no git"), said("python", "no python3"));
    if let Some(why) = facts.one("badgit-ar") {
        let fix = vec![
            "cargo xtask static   builds a git-ar that starts on old systems (docs/clusters/reaching.md)".to_string(),
            "without it, `sh` and the script that git ar run submit --dry-run prints do as well".to_string(),
        ];
        return Check::bad("programs", State::Missing, format!("{others}; git-ar does not start there: {why}"), fix);
    }
    let trainer = site.profile.trainer.as_ref().unwrap_or(&context.settings.trainer);
    let ours = trainer == &Trainer::Named(BuiltIn::Reference) && site.profile.transport != Transport::Local;
    if ours && facts.one("git-ar").is_none() {
        let fix = vec![
            "cargo xtask static   builds one that starts there: copy it into a folder on the PATH of jobs".to_string(),
            format!("or name a trainer of your own under `trainer:` in {} or configs/ar.yaml", file(site)),
        ];
        let found = format!("{others}, no git-ar, which the trainer `reference` needs there");
        return Check::bad("programs", State::Missing, found, fix);
    }
    Check::ok("programs", format!("{others}, {}", said("git-ar", "no git-ar (jobs need none)")))
}

fn file(site: &Site) -> String {
    format!("configs/cluster/{}.yaml", site.name)
}
