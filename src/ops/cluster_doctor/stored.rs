//! What lies on a site: snapshots and runs, how old and how large, and which of them nothing needs any more. Only told;
//! what is removed there, a person removes.

use std::collections::{BTreeMap, BTreeSet};

use super::Facts;
use crate::ops::doctor::Check;
use crate::ops::run;
use crate::ops::tick::active;
use crate::state::problem::Problem;
use crate::state::text::printable;
use crate::state::tree::Tree;

/// Folders that are named; of the others only the number is told.
const MOST: usize = 8;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// What this clone knows of the runs on a site.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Every run that is recorded here.
    recorded: BTreeSet<String>,
    /// Runs with an attempt that is not over, and the code trees that they train.
    active: BTreeSet<String>,
}

impl Known {
    /// What the records say.
    ///
    /// # Errors
    /// A record that does not read.
    pub(super) fn of(tree: &dyn Tree, cluster: &str) -> Result<Self, Problem> {
        let mut known = Self::default();
        for found in run::all(tree)? {
            known.recorded.insert(found.id.to_string());
            if active::of_run(tree, &found)?.iter().any(|attempt| attempt.attempt.cluster == cluster) {
                let view = found.view(tree)?;
                known.active.extend([found.id.to_string(), view.run.anchor.code_tree]);
            }
        }
        Ok(known)
    }
}

/// One folder of snapshots or runs.
#[derive(Clone, Copy, Debug, Default)]
struct Stored {
    /// When it was changed last, in seconds since 1970.
    since: Option<i64>,
    /// Its size in KiB.
    kib: Option<u64>,
}

/// A check for the snapshots and one for the runs, where there are any.
pub(super) fn checks(facts: &Facts, known: &Known) -> Vec<Check> {
    let now = facts.number("now").unwrap_or(facts.here);
    let check = |kind: &str, sort: &dyn Fn(&str) -> Option<&'static str>| {
        let all = stored(facts, kind);
        (!all.is_empty()).then(|| Check::ok(kind, told(&all, now, sort)))
    };
    let snapshot = |name: &str| (!known.active.contains(name)).then_some("used by no attempt that is active");
    let run = |name: &str| match (known.active.contains(name), known.recorded.contains(name)) {
        (true, _) => None,
        (_, true) => Some("over and recorded"),
        _ => Some("not recorded in this clone"),
    };
    [check("snapshots", &snapshot), check("runs", &run)].into_iter().flatten().collect()
}

/// The folders of one kind by name, oldest first where names do not decide.
fn stored(facts: &Facts, kind: &str) -> BTreeMap<String, Stored> {
    let mut found: BTreeMap<String, Stored> = BTreeMap::new();
    for (fact, lines) in [("since", facts.all("since")), ("size", facts.all("size"))] {
        for line in lines {
            let mut words = line.splitn(3, [' ', '\t']);
            let (Some(of), Some(number), Some(name)) = (words.next(), words.next(), words.next()) else { continue };
            if of != kind {
                continue;
            }
            let one = found.entry(printable(name.trim_start_matches("./"))).or_default();
            match fact {
                "since" => one.since = number.parse().ok(),
                _ => one.kib = number.parse().ok(),
            }
        }
    }
    found
}

/// How many there are, and which of them nothing needs, by the reason that `sort` gives.
fn told(all: &BTreeMap<String, Stored>, now: i64, sort: &dyn Fn(&str) -> Option<&'static str>) -> String {
    let mut text = format!("{} of {}", all.len(), size(all.values()));
    let mut groups: BTreeMap<&str, Vec<(&String, &Stored)>> = BTreeMap::new();
    for (name, one) in all {
        if let Some(why) = sort(name) {
            groups.entry(why).or_default().push((name, one));
        }
    }
    for (why, mut folders) in groups {
        folders.sort_by_key(|(_, one)| one.since);
        text.push_str(&format!("; {why}: {} of {}", folders.len(), size(folders.iter().map(|(_, one)| *one))));
        let one = |(name, one): &(&String, &Stored)| {
            let days = one.since.map_or("?".into(), |since| ((now - since).max(0) / DAY).to_string());
            format!("{name} ({days} days, {})", size([*one]))
        };
        let named: Vec<String> = folders.iter().take(MOST).map(one).collect();
        let more = folders.len().saturating_sub(MOST);
        let more = if more > 0 { format!(" and {more} younger ones") } else { String::new() };
        text.push_str(&format!(": {}{more}", named.join(", ")));
    }
    text
}

/// The size of all together; with `at least` where not all were measured.
fn size<'a>(all: impl IntoIterator<Item = &'a Stored>) -> String {
    let (mut kib, mut whole) = (0, true);
    for one in all {
        kib += one.kib.unwrap_or_default();
        whole &= one.kib.is_some();
    }
    let amount = match kib {
        0..1024 => format!("{kib} KiB"),
        1024..1_048_576 => format!("{} MiB", kib / 1024),
        _ => format!("{:.1} GiB", kib as f64 / f64::from(1 << 20)),
    };
    if whole { amount } else { format!("at least {amount}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let set = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Known { recorded: set(&["ka-x", "kb-x"]), active: set(&["kb-x", "c0ffee"]) }
    }

    #[test]
    fn what_nothing_needs_is_told_with_age_and_size() {
        let facts = Facts::read(
            "now\t8640000\nsince\tsnapshots 8640000 ./c0ffee\nsince\tsnapshots 0 ./abc123\nsize\tsnapshots 2048\t./c0ffee\n\
             size\tsnapshots 1024\t./abc123\nsince\truns 8000000 ./ka-x\nsince\truns 0 ./kz-x\nsince\truns 1 ./kb-x\nsize\truns 12\t./ka-x\n",
        );
        let found: Vec<(String, String)> = checks(&facts, &known()).into_iter().map(|c| (c.name, c.found)).collect();
        assert_eq!(
            found,
            [
                (
                    "snapshots".into(),
                    "2 of 3 MiB; used by no attempt that is active: 1 of 1 MiB: abc123 (100 days, 1 MiB)".into()
                ),
                (
                    "runs".into(),
                    "3 of at least 12 KiB; not recorded in this clone: 1 of at least 0 KiB: kz-x (100 days, at least 0 KiB); \
                     over and recorded: 1 of 12 KiB: ka-x (7 days, 12 KiB)"
                        .into()
                ),
            ]
        );
        assert!(checks(&Facts::read("now\t1\n"), &known()).is_empty());
    }

    #[test]
    fn of_many_the_oldest_are_named() {
        let lines: String =
            (0..20).map(|n| format!("since\truns {} ./k{n:02}-x\nsize\truns 1\t./k{n:02}-x\n", 20 - n)).collect();
        let found = checks(&Facts::read(&lines), &Known::default()).remove(0).found;
        assert!(found.contains("20 of 20 KiB") && found.contains(": k19-x (0 days, 1 KiB), k18-x"), "{found}");
        assert!(found.ends_with("k12-x (0 days, 1 KiB) and 12 younger ones"), "{found}");
    }
}
