//! What a tick saw last, kept beside the repository: a cache that may be deleted, never a record.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::repo::store::Store;
use crate::state::problem::Problem;

/// What was seen of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// What it did then, in words.
    pub said: String,
    /// When it was looked at.
    pub at: Timestamp,
    /// Since when the scheduler is done with it, while the job itself has not said how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_since: Option<Timestamp>,
}

/// What was seen of one cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sights {
    /// When the scheduler was asked last, with an answer.
    #[serde(default)]
    pub asked: Option<Timestamp>,
    /// Attempts by `RUN.ATTEMPT`.
    #[serde(default)]
    pub attempts: BTreeMap<String, Sight>,
}

impl Sights {
    /// What was seen of a cluster; nothing when there is no cache, or none that reads.
    #[must_use]
    pub fn read(common_dir: &Path, cluster: &str) -> Self {
        let bytes = store(common_dir).read(&file(cluster)).ok().flatten();
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Keeps what was seen.
    ///
    /// # Errors
    /// [`Kind::Io`](crate::state::problem::Kind::Io) when it cannot be written.
    pub fn write(&self, common_dir: &Path, cluster: &str) -> Result<(), Problem> {
        let text = serde_json::to_string_pretty(self).expect("text and times") + "\n";
        store(common_dir).replace(&file(cluster), text.as_bytes()).map(drop)
    }

    /// Seconds since the scheduler was asked; none when it never was, or in the future by this clock.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Option<i64> {
        self.asked.map(|asked| now.as_second() - asked.as_second()).filter(|age| *age >= 0)
    }
}

/// Keeps the end of an attempt's logs for `run triage` and `job logs`.
///
/// # Errors
/// [`Kind::Io`](crate::state::problem::Kind::Io) when it cannot be written.
pub fn keep_logs(common_dir: &Path, attempt: &str, text: &str) -> Result<(), Problem> {
    store(common_dir).replace(&log(attempt), text.as_bytes()).map(drop)
}

/// The end of an attempt's logs, when a tick of this clone collected it.
#[must_use]
pub fn logs(common_dir: &Path, attempt: &str) -> Option<String> {
    let bytes = store(common_dir).read(&log(attempt)).ok().flatten()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn store(common_dir: &Path) -> Store {
    Store::at(&common_dir.join("ar").join("cache"))
}

fn file(cluster: &str) -> String {
    format!("cluster-{cluster}.json")
}

fn log(attempt: &str) -> String {
    format!("logs/{attempt}.txt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_kept_and_may_be_lost() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(Sights::read(place.path(), "lab"), Sights::default());
        let at: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        let sight = Sight { said: "running".into(), at, over_since: None };
        let sights = Sights { asked: Some(at), attempts: [("ka-x.1".to_string(), sight)].into() };
        sights.write(place.path(), "lab").unwrap();
        assert_eq!(Sights::read(place.path(), "lab"), sights);
        let later = at.checked_add(jiff::SignedDuration::from_secs(59)).unwrap();
        assert_eq!((sights.age(later), sights.age("2025-01-31T12:00:00Z".parse().unwrap())), (Some(59), None));
        std::fs::write(place.path().join("ar/cache/cluster-lab.json"), "{").unwrap();
        assert_eq!(Sights::read(place.path(), "lab"), Sights::default());
        keep_logs(place.path(), "ka-x.1", "the end\n").unwrap();
        assert_eq!(logs(place.path(), "ka-x.1").as_deref(), Some("the end\n"));
        assert_eq!(logs(place.path(), "ka-x.2"), None);
    }
}
