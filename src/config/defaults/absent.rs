//! What to say when a config, a group or an option is not there.

use super::entry::{Entry, Kind};
use super::expand::Walk;
use crate::config::failure::{Failure, meant};

impl Walk<'_, '_> {
    pub(super) fn no_primary(&mut self, path: &str) -> Result<Failure, Failure> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let options = self.sources.options(folder).unwrap_or_default();
        let message = format!("there is no primary config `{path}`");
        Ok(Failure::new("primary_config_not_found", message).hint(meant(name, &options, "configs here")))
    }

    pub(super) fn no_choice(&mut self, entry: &Entry) -> Result<Failure, Failure> {
        let key = entry.override_key();
        if !matches!(entry.kind, Kind::Group { .. }) {
            return Ok(
                Failure::new("config_not_found", format!("`{}` names no config", entry.config_path())).at(entry.at)
            );
        }
        let options = self.sources.options(&entry.group_path())?.join(", ");
        let message = format!("the group `{key}` needs a choice: give {key}=OPTION; options: {options}");
        Ok(Failure::new("group_choice_missing", message).at(entry.at).through(&self.chain()))
    }

    pub(super) fn not_found(&mut self, entry: &Entry) -> Result<Failure, Failure> {
        let path = entry.config_path();
        let chain = self.chain();
        let Kind::Group { .. } = entry.kind else {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
            let options = self.sources.options(folder).unwrap_or_default();
            let failure = Failure::new("config_not_found", format!("there is no config `{path}`"));
            return Ok(failure.at(entry.at).through(&chain).hint(meant(name, &options, "configs there")));
        };
        let group = entry.group_path();
        let name = entry.name().unwrap_or_default();
        if !self.sources.has_group(&group)? {
            let (folder, last) = group.rsplit_once('/').unwrap_or(("", &group));
            let groups = self.sources.groups(folder).unwrap_or_default();
            let failure = Failure::new("group_option_not_found", format!("there is no group `{group}`"));
            return Ok(failure.at(entry.at).through(&chain).hint(meant(last, &groups, "groups")));
        }
        let options = self.sources.options(&group)?;
        let message = format!("no option `{name}` in group `{group}`; {}", meant(name, &options, "options"));
        Ok(Failure::new("group_option_not_found", message).at(entry.at).through(&chain))
    }
}
