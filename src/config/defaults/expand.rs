//! Follows defaults lists from the primary config down, and flattens what was found into one list of files.

use std::collections::HashSet;

use super::choices::Choices;
use super::entry::{Choice, Entry, Kind};
use super::list;
use crate::config::failure::{Failure, Place, meant};
use crate::config::interpolate::{Found, Resolver, World};
use crate::config::map::Entries;
use crate::config::source::Sources;
use crate::config::tree::Tree;
use crate::config::value::Value;
use crate::config::yaml::{Data, Item, Scalar};

/// One file of the final list.
#[derive(Clone, Debug)]
pub(in crate::config) struct Expanded {
    /// Its path without `.yaml`.
    pub(in crate::config) path: String,
    /// The package that its content goes below; empty for the top.
    pub(in crate::config) package: String,
    /// Who includes it, nearest first.
    pub(in crate::config) chain: Vec<Place>,
    key: Option<String>,
}

/// An entry with what its own defaults list brings.
struct Branch {
    entry: Entry,
    children: Vec<Child>,
}

enum Child {
    Leaf(Entry),
    Branch(Branch),
}

/// The final list of files, Hydra's own config first; failures of several files at once.
pub(in crate::config) fn expand(
    sources: &mut Sources<'_>, choices: &mut Choices, primary: Option<&str>, skip_missing: bool,
    env: &dyn Fn(&str) -> Option<String>, warnings: &mut Vec<(&'static str, String)>,
) -> Result<Vec<Expanded>, Vec<Failure>> {
    let mut walk = Walk { sources, choices, skip_missing, env, warnings, failures: Vec::new(), open: Vec::new() };
    let mut branches = Vec::new();
    for mut entry in [Entry::primary(primary), hydra_config()] {
        entry.set_parent("", "");
        match walk.branch(entry, false) {
            Ok(branch) => branches.insert(0, branch),
            Err(failure) => walk.failures.push(failure),
        }
    }
    let mut failures = walk.failures;
    let mut flat = Vec::new();
    for branch in &branches {
        flatten(branch, &[], &mut flat);
    }
    if failures.is_empty() {
        failures.extend(duplicates(&flat));
    }
    if failures.is_empty() {
        failures.extend(choices.unused(&sources.names));
    }
    if failures.is_empty() { Ok(flat) } else { Err(failures) }
}

fn hydra_config() -> Entry {
    Entry::config("hydra/config", None, Place::default()).expect("a path without a package")
}

struct Walk<'w, 's> {
    sources: &'w mut Sources<'s>,
    choices: &'w mut Choices,
    skip_missing: bool,
    env: &'w dyn Fn(&str) -> Option<String>,
    warnings: &'w mut Vec<(&'static str, String)>,
    failures: Vec<Failure>,
    /// The configs whose defaults lists are being followed, with the place that included each.
    open: Vec<(String, Place)>,
}

impl Walk<'_, '_> {
    fn chain(&self) -> Vec<Place> {
        self.open.iter().rev().map(|(_, at)| *at).filter(|at| at.source != 0).collect()
    }

    fn branch(&mut self, mut entry: Entry, interpolated: bool) -> Result<Branch, Failure> {
        let leaf = |entry: Entry| Ok(Branch { entry, children: Vec::new() });
        let path = entry.config_path();
        if let Kind::Nothing = entry.kind {
            entry.deleted = true;
            return self.follow(entry, &path, Vec::new(), false, interpolated);
        }
        if entry.primary && !self.sources.has_config(&path)? {
            return Err(self.no_primary(&path)?);
        }
        if !entry.is_missing() {
            let loaded = self.sources.load(&path).map_err(|f| f.at(entry.at).through(&self.chain()))?;
            entry.set_header(loaded.as_ref().and_then(|l| l.package.as_deref()));
        }
        if self.choices.delete(&mut entry) {
            return leaf(entry);
        }
        self.choices.remember(&entry)?;
        if matches!(entry.kind, Kind::Group { choice: Choice::Null, .. }) {
            return leaf(entry);
        }
        if path.ends_with("???") {
            return if self.skip_missing { leaf(entry) } else { Err(self.no_choice(&entry)?) };
        }
        let Some(loaded) = self.sources.load(&path)? else {
            if entry.optional {
                entry.deleted = true;
                return leaf(entry);
            }
            return Err(self.not_found(&entry)?);
        };
        let defaults = loaded.defaults.as_ref().map_or(Ok(Vec::new()), list::entries);
        let defaults = defaults.map_err(|f| f.through(&self.chain()))?;
        let content = has_content(&loaded.config);
        self.follow(entry, &path, defaults, content, interpolated)
    }

    /// Follows the defaults list of one config.
    fn follow(
        &mut self, entry: Entry, path: &str, mut defaults: Vec<Entry>, content: bool, interpolated: bool,
    ) -> Result<Branch, Failure> {
        if self.open.iter().any(|(open, _)| open == path) {
            let message = format!("the defaults lists lead in a circle: `{path}` includes itself");
            return Err(Failure::new("defaults_cycle", message).at(entry.at).through(&self.chain()));
        }
        let appended = if entry.primary { self.choices.appended.clone() } else { Vec::new() };
        let mut self_added = false;
        if !defaults.is_empty() || !appended.is_empty() {
            self_added = self.check_self(&entry, path, &mut defaults, content)?;
        }
        defaults.extend(appended);
        self.take_overrides(&entry, path, &mut defaults, interpolated)?;
        self.open.push((path.to_string(), entry.at));
        let children = self.children(&entry, path, defaults, self_added, interpolated);
        self.open.pop();
        Ok(Branch { entry, children: children? })
    }

    /// Adds the `_self_` that a list leaves out; whether it had to.
    fn check_self(
        &mut self, entry: &Entry, path: &str, defaults: &mut Vec<Entry>, content: bool,
    ) -> Result<bool, Failure> {
        let mut selves = defaults.iter().filter(|d| d.is_self());
        let has_self = selves.next().is_some();
        if let Some(second) = selves.next() {
            let message = format!("`_self_` stands twice in the defaults list of `{path}`");
            return Err(Failure::new("duplicate_self", message).at(second.at).through(&self.chain()));
        }
        let others = defaults.iter().any(|d| !d.is_override());
        if (!has_self && others) || defaults.is_empty() {
            if entry.primary && content && others {
                let message = format!("the defaults list of `{path}` has no `_self_`, so its own values come last");
                self.warnings.push(("missing_self", message));
            }
            defaults.push(Entry::config("_self_", None, Place::default())?);
        }
        Ok(!has_self)
    }

    /// Collects the `override` entries, which must stand last.
    fn take_overrides(
        &mut self, entry: &Entry, path: &str, defaults: &mut [Entry], interpolated: bool,
    ) -> Result<(), Failure> {
        let mut last: Option<String> = None;
        for d in defaults.iter_mut().filter(|d| !d.is_self()) {
            d.set_parent(&entry.group_path(), &entry.final_package(true));
            if let Some(key) = &last
                && !d.is_override()
                && !d.is_appended()
            {
                let message = format!("the override of `{key}` stands before `{}` in the defaults list", d.override_key());
                let hint = "move the overrides to the end of the list";
                return Err(Failure::new("override_before_default", message).at(d.at).through(&self.chain()).hint(hint));
            }
            if d.is_override() {
                let key = d.override_key();
                if interpolated {
                    let message = format!("`{path}` was included through an interpolation and may not override `{key}`");
                    return Err(Failure::new("override_in_interpolated_group", message).at(d.at).through(&self.chain()));
                }
                self.choices.add_override(d, path);
                last = Some(key);
            }
        }
        Ok(())
    }

    /// The children in order. They are visited last to first, because a later entry's overrides reach an earlier one.
    fn children(
        &mut self, entry: &Entry, path: &str, defaults: Vec<Entry>, self_added: bool, interpolated: bool,
    ) -> Result<Vec<Child>, Failure> {
        let (base, package) = (entry.group_path(), entry.final_package(true));
        let mut children = Vec::new();
        let mut order = Vec::new();
        for mut d in defaults.into_iter().rev() {
            if d.is_self() {
                order.push(None);
                children.push(Child::Leaf(d));
                continue;
            }
            if d.is_override() {
                continue;
            }
            self.choices.choose(&mut d);
            order.push(Some(d.clone()));
            if let Kind::Group { group, choice: Choice::Names(names), .. } = &d.kind {
                for name in names.iter().rev() {
                    if name.contains("${") {
                        let message = format!("`{name}`: a list of options may not hold interpolations");
                        return Err(Failure::new("interpolation_in_option_list", message).at(d.at).through(&self.chain()));
                    }
                    let mut one = Entry::config(&format!("{group}/{name}"), d.package.as_deref(), d.at)?;
                    one.optional = d.optional;
                    one.set_parent(&base, &package);
                    self.add(&mut children, one, interpolated);
                }
            } else if d.interpolation().is_some() {
                children.push(Child::Leaf(d));
            } else {
                self.add(&mut children, d, interpolated);
            }
        }
        let known = self.known(&order, self_added);
        for child in &mut children {
            if let Child::Leaf(d) = child
                && let Some(text) = d.interpolation()
            {
                let mut resolved = d.clone();
                resolved.resolve_to(self.resolve(&text, &known, d.at)?);
                resolved.set_parent(&base, &package);
                match self.branch(resolved, true) {
                    Ok(branch) => *child = Child::Branch(branch),
                    Err(failure) => self.failures.push(failure),
                }
            }
        }
        let _ = path;
        children.reverse();
        Ok(children)
    }

    fn add(&mut self, children: &mut Vec<Child>, entry: Entry, interpolated: bool) {
        match self.branch(entry, interpolated) {
            Ok(branch) => children.push(Child::Branch(branch)),
            Err(failure) => self.failures.push(failure),
        }
    }

    /// The choices so far, as an interpolation in a defaults list sees them.
    fn known(&self, reversed: &[Option<Entry>], self_added: bool) -> Item {
        let at = Place::default();
        let text = |name: &Option<String>| Item {
            at,
            data: Data::Scalar(name.clone().map_or(Scalar::Null, Scalar::Str)),
        };
        let mut map: Entries<Item> = self.choices.known.iter().map(|(k, name)| (k.clone(), text(name))).collect();
        let listed = reversed.iter().rev().filter(|d| d.is_some() || !self_added).map(|d| match d {
            Some(d @ Entry { kind: Kind::Group { .. }, .. }) => {
                let one = (d.override_key().as_str().into(), text(&d.name().map(ToString::to_string)));
                Item { at, data: Data::Map([one].into_iter().collect()) }
            }
            Some(d) => text(&Some(d.config_path())),
            None => text(&Some("_self_".into())),
        });
        map.insert("defaults".into(), Item { at, data: Data::List(listed.collect()) });
        Item { at, data: Data::Map(map) }
    }

    fn resolve(&self, text: &str, known: &Item, at: Place) -> Result<String, Failure> {
        let failed = |why: String| {
            let Data::Map(map) = &known.data else { return Failure::new("defaults_interpolation_failed", why) };
            let keys: Vec<String> = map.keys().map(ToString::to_string).filter(|k| k != "defaults").collect();
            let hint = format!("groups that can be named here: {}", keys.join(", "));
            Failure::new("defaults_interpolation_failed", why).at(at).through(&self.chain()).hint(hint)
        };
        if let Some(rest) = text.strip_prefix("${defaults.")
            && rest.as_bytes().first().is_some_and(u8::is_ascii_digit)
        {
            return Err(failed(format!("`{text}`: name the group instead of its position in the list")));
        }
        let mut tree = Tree::default();
        let root = tree.import(known, None);
        let node = Item { at, data: Data::Scalar(Scalar::Str(text.to_string())) };
        let node = tree.import(&node, Some(root));
        let world = World { env: self.env, hydra: None, keep_env: false };
        let mut resolver = Resolver::new(&mut tree, world);
        let found = resolver.dereference(node).map_err(|f| failed(format!("`{text}`: {}", f.message)))?;
        let value = match found {
            Found::Value(value) => value,
            Found::Node(id) => tree.value(id),
        };
        match value {
            Value::Str(name) => Ok(name),
            other => Err(failed(format!("`{text}` gives {}, not the name of an option", other.kind()))),
        }
    }

    fn no_primary(&mut self, path: &str) -> Result<Failure, Failure> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let options = self.sources.options(folder).unwrap_or_default();
        let message = format!("there is no primary config `{path}`");
        Ok(Failure::new("primary_config_not_found", message).hint(meant(name, &options, "configs here")))
    }

    fn no_choice(&mut self, entry: &Entry) -> Result<Failure, Failure> {
        let key = entry.override_key();
        if !matches!(entry.kind, Kind::Group { .. }) {
            return Ok(Failure::new("config_not_found", format!("`{}` names no config", entry.config_path())).at(entry.at));
        }
        let options = self.sources.options(&entry.group_path())?.join(", ");
        let message = format!("the group `{key}` needs a choice: give {key}=OPTION; options: {options}");
        Ok(Failure::new("group_choice_missing", message).at(entry.at).through(&self.chain()))
    }

    fn not_found(&mut self, entry: &Entry) -> Result<Failure, Failure> {
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
            let failure = Failure::new("group_does_not_exist", format!("there is no group `{group}`"));
            return Ok(failure.at(entry.at).through(&chain).hint(meant(last, &groups, "groups")));
        }
        let options = self.sources.options(&group)?;
        let message = format!("no option `{name}` in group `{group}`; {}", meant(name, &options, "options"));
        Ok(Failure::new("group_option_not_found", message).at(entry.at).through(&chain))
    }
}

/// Whether a config has anything but its defaults list.
fn has_content(config: &Item) -> bool {
    let missing = |item: &Item| matches!(&item.data, Data::Scalar(Scalar::Str(text)) if text == "???");
    matches!(&config.data, Data::Map(map) if map.iter().any(|(_, item)| !missing(item)))
}

fn flatten(branch: &Branch, chain: &[Place], flat: &mut Vec<Expanded>) {
    if branch.children.is_empty() {
        flat.extend(expanded(&branch.entry, chain));
        return;
    }
    let mut inner = vec![branch.entry.at];
    inner.extend_from_slice(chain);
    inner.retain(|at| at.source != 0);
    for child in &branch.children {
        match child {
            Child::Branch(branch) => flatten(branch, &inner, flat),
            Child::Leaf(entry) if entry.is_self() => flat.extend(expanded(&branch.entry, chain).map(|mut own| {
                own.key = None;
                own
            })),
            Child::Leaf(entry) => flat.extend(expanded(entry, &inner)),
        }
    }
}

fn expanded(entry: &Entry, chain: &[Place]) -> Option<Expanded> {
    if entry.deleted || entry.is_missing() || entry.name().is_none() {
        return None;
    }
    let key = matches!(entry.kind, Kind::Group { .. }).then(|| entry.override_key());
    let mut places = vec![entry.at];
    places.extend_from_slice(chain);
    places.retain(|at| at.source != 0);
    Some(Expanded { path: entry.config_path(), package: entry.final_package(true), chain: places, key })
}

fn duplicates(flat: &[Expanded]) -> Vec<Failure> {
    let mut seen = HashSet::new();
    let twice = flat.iter().filter_map(|one| one.key.as_ref().map(|key| (key, one))).filter(|(key, _)| !seen.insert(*key));
    twice
        .map(|(key, one)| {
            let failure = Failure::new("duplicate_group", format!("the group `{key}` stands twice in the final defaults list"));
            one.chain.first().map_or(failure.clone(), |at| failure.clone().at(*at).through(&one.chain[1..]))
        })
        .collect()
}
