//! What the command line and `override` entries choose for groups, and what became of it.

use std::collections::{BTreeSet, HashMap};

use super::entry::{Choice, Entry, Kind};
use crate::config::failure::{Failure, Place};
use crate::config::map::{Entries, Key};
use crate::config::overrides::{Op, Override};
use crate::config::source::Sources;
use crate::config::value::Value;

/// A choice for a group, by its override key.
#[derive(Clone, Debug)]
struct Wanted {
    key: String,
    choice: Choice,
    at: Place,
    /// The config whose defaults list says so; none for the command line.
    by: Option<String>,
    used: bool,
}

/// A group taken off the defaults list.
#[derive(Clone, Debug)]
struct Deletion {
    key: String,
    option: Option<String>,
    at: Place,
    used: bool,
}

/// All choices of one composition.
#[derive(Debug, Default)]
pub(in crate::config) struct Choices {
    wanted: Vec<Wanted>,
    deletions: Vec<Deletion>,
    /// Groups that the command line adds.
    pub(super) appended: Vec<Entry>,
    /// The overrides that are not about groups.
    pub(in crate::config) values: Vec<Override>,
    /// What was chosen in the end.
    pub(in crate::config) known: Entries<Option<String>>,
    keys_of_group: HashMap<String, BTreeSet<String>>,
}

impl Choices {
    /// Sorts the command line's overrides into groups and values; sweeps are left out.
    pub(in crate::config) fn new(sources: &mut Sources<'_>, overrides: &[Override]) -> Result<Self, Vec<Failure>> {
        let mut choices = Self::default();
        let mut failures = Vec::new();
        for one in overrides.iter().filter(|o| o.sweep().is_none()) {
            match sources.has_group(&one.key) {
                Ok(is_group) => {
                    if let Err(failure) = choices.sort_in(one, is_group) {
                        failures.push(failure.at(one.at));
                    }
                }
                Err(failure) => failures.push(failure.at(one.at)),
            }
        }
        if failures.is_empty() { Ok(choices) } else { Err(failures) }
    }

    fn sort_in(&mut self, one: &Override, is_group: bool) -> Result<(), Failure> {
        let value = one.value();
        if !is_group || matches!(value, Some(Value::Map(_))) {
            self.values.push(one.clone());
            return Ok(());
        }
        let key = one.package.as_ref().map_or(one.key.clone(), |package| format!("{}@{package}", one.key));
        if one.op == Op::ForceAdd {
            let message = format!("`{}`: a group is added with one `+`", one.line);
            return Err(Failure::new("group_force_add", message).hint(one.line[1..].to_string()));
        }
        let bad_type = |what: &str| {
            let message = format!("`{}`: an option of the group `{}` must be text, not {what}", one.line, one.key);
            Failure::new("group_value_type", message)
        };
        let choice = match &value {
            None | Some(Value::Null) if one.op == Op::Delete => None,
            Some(Value::Str(option)) => Some(Choice::Name(option.clone())),
            Some(Value::List(items)) if one.op != Op::Delete => {
                let names = items.iter().map(|item| item.as_str().map(ToString::to_string));
                Some(Choice::Names(names.collect::<Option<_>>().ok_or_else(|| bad_type("a list of other things"))?))
            }
            other => return Err(bad_type(other.as_ref().map_or("nothing", Value::kind))),
        };
        match (one.op, choice) {
            (Op::Delete, option) => {
                let option = option.and_then(|o| if let Choice::Name(name) = o { Some(name) } else { None });
                self.deletions.retain(|d| d.key != key);
                self.deletions.push(Deletion { key, option, at: one.at, used: false });
            }
            (Op::Add, Some(choice)) => {
                let mut entry = Entry::group(&one.key, choice, one.package.as_deref(), one.at);
                if let Kind::Group { appended, .. } = &mut entry.kind {
                    *appended = true;
                }
                self.appended.push(entry);
            }
            (_, Some(choice)) => match self.wanted.iter_mut().find(|w| w.key == key) {
                Some(earlier) => (earlier.choice, earlier.at) = (choice, one.at),
                None => self.wanted.push(Wanted { key, choice, at: one.at, by: None, used: false }),
            },
            (_, None) => {}
        }
        Ok(())
    }

    /// Takes note of an `override` entry; what was chosen earlier stays.
    pub(super) fn add_override(&mut self, entry: &Entry, by: &str) {
        let key = entry.override_key();
        if let Kind::Group { choice, .. } = &entry.kind
            && !self.wanted.iter().any(|w| w.key == key)
        {
            let by = Some(by.to_string());
            self.wanted.push(Wanted { key, choice: choice.clone(), at: entry.at, by, used: false });
        }
    }

    /// Gives an entry the choice that was made for it.
    pub(super) fn choose(&mut self, entry: &mut Entry) {
        let key = entry.override_key();
        if let Kind::Group { choice, .. } = &mut entry.kind
            && let Some(wanted) = self.wanted.iter_mut().find(|w| w.key == key)
        {
            *choice = wanted.choice.clone();
            entry.at = wanted.at;
            wanted.used = true;
        }
    }

    /// Marks an entry as deleted where the command line says so.
    pub(super) fn delete(&mut self, entry: &mut Entry) -> bool {
        if !matches!(entry.kind, Kind::Group { .. }) {
            return false;
        }
        let key = entry.override_key();
        let fits = |d: &&mut Deletion| d.key == key && (d.option.is_none() || d.option.as_deref() == entry.name());
        let Some(deletion) = self.deletions.iter_mut().find(fits) else { return false };
        deletion.used = true;
        entry.deleted = true;
        true
    }

    /// Remembers what a group was set to in the end.
    pub(super) fn remember(&mut self, entry: &Entry) -> Result<(), Failure> {
        if !matches!(entry.kind, Kind::Group { .. }) {
            return Ok(());
        }
        let key = entry.override_key();
        let name = entry.name().map(ToString::to_string);
        match self.known.get_str(&key) {
            Some(earlier) if *earlier != name => {
                let shown = |name: &Option<String>| name.clone().unwrap_or("null".into());
                let message = format!("the group `{key}` is set to `{}` and to `{}`", shown(earlier), shown(&name));
                let hint = format!("write `override {key}: {}` in the later one", shown(&name));
                return Err(Failure::new("conflicting_group_values", message).at(entry.at).hint(hint));
            }
            Some(_) => {}
            None => {
                self.known.insert(Key::Str(key.clone()), name);
            }
        }
        self.keys_of_group.entry(entry.group_path()).or_default().insert(key);
        Ok(())
    }

    /// Every override and deletion must have met its group.
    pub(super) fn unused(&self) -> Vec<Failure> {
        let wanted = self.wanted.iter().filter(|w| !w.used).map(|w| self.unused_choice(w));
        let deletions = self.deletions.iter().filter(|d| !d.used).map(|d| {
            let what = d.option.as_ref().map_or(d.key.clone(), |option| format!("{}={option}", d.key));
            let message = format!("cannot delete `{what}`: no defaults list has it");
            Failure::new("group_delete_no_match", message).at(d.at)
        });
        wanted.chain(deletions).collect()
    }

    fn unused_choice(&self, wanted: &Wanted) -> Failure {
        let key = &wanted.key;
        let group = key.split('@').next().unwrap_or(key);
        let close: Vec<String> = self.keys_of_group.get(group).into_iter().flatten().cloned().collect();
        let (category, message) = match close.as_slice() {
            [] => ("group_not_in_defaults", format!("no defaults list has the group `{key}`")),
            [one] => ("group_override_wrong_package", format!("no defaults list has `{key}`; did you mean `{one}`?")),
            several => {
                let list = several.join(", ");
                ("group_override_ambiguous", format!("no defaults list has `{key}`; did you mean one of {list}?"))
            }
        };
        let by = wanted.by.as_ref().map_or(String::new(), |by| format!(" (overridden in `{by}`)"));
        let failure = Failure::new(category, format!("{message}{by}")).at(wanted.at);
        match (&wanted.choice, &wanted.by) {
            (Choice::Name(option), None) if close.is_empty() => {
                failure.hint(format!("to add the group: +{key}={option}"))
            }
            _ => failure,
        }
    }
}
