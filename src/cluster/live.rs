//! Queues as the scheduler itself describes them, beside what a profile says of them.

use std::collections::BTreeMap;

use super::profile::{Profile, Queue, Scheduler};
use super::reply::Reply;
use super::scheduler::{clock, seconds};
use crate::state::text::printable;

/// A queue as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// The longest walltime, in seconds; none when the queue sets none.
    pub max_walltime_s: Option<u64>,
    /// Whether it takes jobs, and starts them.
    pub open: bool,
}

/// The command that describes the queues, and the one that says the scheduler's version.
#[must_use]
pub fn questions(scheduler: Scheduler) -> Option<(Vec<String>, Vec<String>)> {
    let words = |line: &str| line.split(' ').map(str::to_string).collect();
    match scheduler {
        Scheduler::Local => None,
        Scheduler::Pbs => Some((words("qstat -Qf"), words("qstat --version"))),
        Scheduler::Slurm => Some((words("scontrol --oneliner show partition"), words("sinfo --version"))),
    }
}

/// The commands that a site must have.
#[must_use]
pub fn commands(scheduler: Scheduler) -> &'static [&'static str] {
    match scheduler {
        Scheduler::Local => &[],
        Scheduler::Pbs => &["qsub", "qstat", "qdel", "qselect"],
        Scheduler::Slurm => &["sbatch", "squeue", "scontrol", "scancel"],
    }
}

/// The queues in the reply; none when it is no description of queues.
#[must_use]
pub fn queues(scheduler: Scheduler, reply: &Reply) -> Option<BTreeMap<String, Live>> {
    if reply.code != 0 {
        return None;
    }
    let found = match scheduler {
        Scheduler::Local => BTreeMap::new(),
        Scheduler::Pbs => pbs(&reply.stdout),
        Scheduler::Slurm => slurm(&reply.stdout),
    };
    (!found.is_empty()).then_some(found)
}

/// `qstat -Qf`: `Queue: NAME`, then `key = value` lines.
fn pbs(text: &str) -> BTreeMap<String, Live> {
    let mut found: BTreeMap<String, Live> = BTreeMap::new();
    let mut name = None;
    for line in text.lines() {
        if let Some(queue) = line.strip_prefix("Queue: ") {
            name = Some(printable(queue.trim()));
            found.insert(printable(queue.trim()), Live { max_walltime_s: None, open: true });
        }
        let Some(queue) = name.as_ref().and_then(|name| found.get_mut(name)) else { continue };
        match line.trim().split_once(" = ") {
            Some(("resources_max.walltime", value)) => queue.max_walltime_s = seconds(value),
            Some(("enabled" | "started", value)) => queue.open &= value == "True",
            _ => {}
        }
    }
    found
}

/// `scontrol --oneliner show partition`: `Key=value` words.
fn slurm(text: &str) -> BTreeMap<String, Live> {
    let one = |line: &str| {
        let word = |key: &str| line.split_whitespace().find_map(|w| w.strip_prefix(key)?.strip_prefix('='));
        let limit = word("MaxTime").and_then(seconds);
        Some((printable(word("PartitionName")?), Live { max_walltime_s: limit, open: word("State") == Some("UP") }))
    };
    text.lines().filter_map(one).collect()
}

/// What a profile says otherwise than the scheduler: the queue, and half a sentence.
#[must_use]
pub fn differences(profile: &Profile, live: &BTreeMap<String, Live>) -> Vec<(String, String)> {
    let used = profile.default_queue.iter().filter(|name| !profile.queues.contains_key(*name));
    let none = Queue::default();
    let named = profile.queues.iter().chain(used.map(|name| (name, &none)));
    named
        .filter_map(|(name, queue)| {
            let Some(now) = live.get(name) else {
                return Some((name.clone(), "the scheduler knows no such queue".into()));
            };
            if !now.open {
                return Some((name.clone(), "takes no jobs now".into()));
            }
            match (queue.max_walltime_s(), now.max_walltime_s) {
                (Some(ours), Some(theirs)) if ours > theirs => Some((
                    name.clone(),
                    format!(
                        "the profile allows {}, the scheduler {}: longer jobs are refused",
                        clock(ours),
                        clock(theirs)
                    ),
                )),
                (None, Some(theirs)) => {
                    Some((name.clone(), format!("the scheduler's limit of {} is not in the profile", clock(theirs))))
                }
                _ => None,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(stdout: &str) -> Reply {
        Reply { code: 0, stdout: stdout.into(), stderr: String::new() }
    }

    #[test]
    fn queues_of_pbs_are_read() {
        let text = "Queue: serial\n    queue_type = Execution\n    resources_max.walltime = 48:00:00\n    enabled = True\n    started = True\n\nQueue: stopped\n    enabled = True\n    started = False\n\n";
        let found = queues(Scheduler::Pbs, &reply(text)).unwrap();
        assert_eq!(found["serial"], Live { max_walltime_s: Some(48 * 3600), open: true });
        assert_eq!(found["stopped"], Live { max_walltime_s: None, open: false });
        assert_eq!(queues(Scheduler::Pbs, &reply("qstat: error")), None);
        assert_eq!(queues(Scheduler::Pbs, &Reply { code: 255, ..Reply::default() }), None);
    }

    #[test]
    fn queues_of_slurm_are_read() {
        let text = "PartitionName=serial AllowGroups=ALL MaxTime=2-00:00:00 MinNodes=0 State=UP TotalCPUs=2\nPartitionName=gpu_1 MaxTime=12:00:00 State=DRAIN\nPartitionName=free MaxTime=UNLIMITED State=UP\n";
        let found = queues(Scheduler::Slurm, &reply(text)).unwrap();
        assert_eq!(found["serial"], Live { max_walltime_s: Some(48 * 3600), open: true });
        assert_eq!(found["gpu_1"], Live { max_walltime_s: Some(12 * 3600), open: false });
        assert_eq!(found["free"].max_walltime_s, None);
    }

    #[test]
    fn a_profile_is_compared() {
        let queue = |time: &str| Queue { max_walltime: Some(time.into()), ..Queue::default() };
        let named = [("same", "01:00:00"), ("above", "48:00:00"), ("gone", "01:00:00"), ("shut", "01:00:00")];
        let queues = named.map(|(name, time)| (name.to_string(), queue(time))).into();
        let profile = Profile { queues, ..Profile::local() };
        let live = |s: u64, open: bool| Live { max_walltime_s: Some(s), open };
        let now = [("same", live(3600, true)), ("above", live(12 * 3600, true)), ("shut", live(3600, false))];
        let found = differences(&profile, &now.map(|(name, live)| (name.to_string(), live)).into());
        assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["above", "gone", "shut"]);
        assert!(found[0].1.contains("48:00:00") && found[0].1.contains("12:00:00"));
    }
}
