//! What a site said of itself.

use std::collections::BTreeMap;

use crate::cluster::live::Live;

/// Facts by name, a name possibly several times, and what the scheduler said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    named: Vec<(String, String)>,
    /// The scheduler's version, as it says it.
    pub version: Option<String>,
    /// Its queues; none when it did not describe them.
    pub queues: Option<BTreeMap<String, Live>>,
    /// Its words when it did not describe them.
    pub refusal: Option<String>,
    /// The time here, in seconds.
    pub here: i64,
}

impl Facts {
    /// Reads lines of a name, a tab and a value.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let pairs = text.lines().filter_map(|line| line.split_once('\t'));
        let named = pairs.map(|(name, value)| (name.to_string(), value.trim().to_string())).collect();
        Self { named, ..Self::default() }
    }

    /// A fact; none when it was not said, or is empty.
    #[must_use]
    pub fn one(&self, name: &str) -> Option<&str> {
        self.named.iter().find(|(n, value)| n == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// A fact that is a number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.one(name)?.parse().ok()
    }

    /// Every value of a name.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.named.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    }
}
