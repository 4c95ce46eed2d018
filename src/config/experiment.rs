//! How an experiment is named to the composer: by its choice in the primary config, or on its own.

use super::compose::{Ask, build};
use super::{Composer, Job};

/// The primary config that experiments start from, where the tree has one.
pub const PRIMARY: &str = "config";

/// What composes an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The primary config.
    pub name: Option<&'static str>,
    /// The override that chooses the experiment.
    pub choice: String,
}

impl Composer<'_> {
    /// How the experiment `name` (a file of the group `experiment`) is chosen: `experiment=name` where the primary
    /// config has that group in its defaults list, `+experiment=name` where it has not, and below no package of its
    /// own where there is no primary config at all.
    pub fn experiment(&mut self, name: &str) -> Selection {
        let has_primary = self.sources.has_config(PRIMARY).unwrap_or(true);
        if !has_primary {
            return Selection { name: None, choice: format!("+experiment@_global_={name}") };
        }
        let choice = format!("experiment={name}");
        let overrides = [choice.clone()];
        let ask =
            Ask { name: Some(PRIMARY), overrides: &overrides, job: Job::default(), multirun: true, env: self.env };
        let unlisted = |f: &super::failure::Failure| f.category == "group_not_in_defaults";
        match build(&mut self.sources, ask) {
            Err(failures) if failures.iter().any(unlisted) => {
                Selection { name: Some(PRIMARY), choice: format!("+{choice}") }
            }
            _ => Selection { name: Some(PRIMARY), choice },
        }
    }

    /// The names of all experiments, sorted.
    pub fn experiments(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec!["experiment".to_string()];
        while let Some(folder) = folders.pop() {
            let inside = folder.strip_prefix("experiment").unwrap_or_default().trim_start_matches('/').to_string();
            let named = |option: String| if inside.is_empty() { option } else { format!("{inside}/{option}") };
            found.extend(self.sources.options(&folder).unwrap_or_default().into_iter().map(named));
            folders
                .extend(self.sources.groups(&folder).unwrap_or_default().into_iter().map(|g| format!("{folder}/{g}")));
        }
        found.sort();
        found
    }

    /// Every config file that was read so far, by its path in the tree.
    #[must_use]
    pub fn files_read(&self) -> Vec<String> {
        self.sources.files_read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tree::MemoryTree;

    fn selected(tree: &MemoryTree) -> (Option<&'static str>, String) {
        let env = |_: &str| None;
        let Selection { name, choice } = Composer::new(tree, "", &env).experiment("e1");
        (name, choice)
    }

    #[test]
    fn three_layouts() {
        let tree = MemoryTree::default().with("experiment/e1.yaml", "# @package _global_\nx: 1\n");
        assert_eq!(selected(&tree), (None, "+experiment@_global_=e1".into()));
        let bare = tree.clone().with("config.yaml", "x: 0\n");
        assert_eq!(selected(&bare), (Some("config"), "+experiment=e1".into()));
        let listed = tree.with("config.yaml", "defaults:\n  - _self_\n  - experiment: null\nx: 0\n");
        assert_eq!(selected(&listed), (Some("config"), "experiment=e1".into()));
    }
}
