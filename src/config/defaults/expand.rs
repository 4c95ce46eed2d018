//! Follows defaults lists from the primary config down, and flattens what was found into one list of files.

use super::choices::Choices;
use super::entry::{Choice, Entry, Kind};
use super::flatten::{Expanded, duplicates, flatten};
use super::list;
use crate::config::failure::{Failure, Place};
use crate::config::interpolate::{Found, Resolver, World};
use crate::config::map::Entries;
use crate::config::scalar::Scalar;
use crate::config::source::Sources;
use crate::config::tree::Tree;
use crate::config::value::Value;
use crate::config::yaml::{Data, Item};

/// An entry with what its own defaults list brings.
pub(super) struct Branch {
    pub(super) entry: Entry,
    pub(super) children: Vec<Child>,
}

/// A child: resolved, or standing for the config itself.
pub(super) enum Child {
    Leaf(Entry),
    Branch(Branch),
}

/// The final list of files, Hydra's own config first; failures of several files at once.
pub(in crate::config) fn expand(
    sources: &mut Sources<'_>,
    choices: &mut Choices,
    primary: Option<&str>,
    skip_missing: bool,
    env: &dyn Fn(&str) -> Option<String>,
    warnings: &mut Vec<(&'static str, String)>,
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
        failures.extend(choices.unused());
    }
    if failures.is_empty() { Ok(flat) } else { Err(failures) }
}

fn hydra_config() -> Entry {
    Entry::config("hydra/config", None, Place::default()).expect("a path without a package")
}

/// One walk over all defaults lists.
pub(super) struct Walk<'w, 's> {
    pub(super) sources: &'w mut Sources<'s>,
    choices: &'w mut Choices,
    skip_missing: bool,
    env: &'w dyn Fn(&str) -> Option<String>,
    warnings: &'w mut Vec<(&'static str, String)>,
    failures: Vec<Failure>,
    /// The configs whose defaults lists are being followed, with the place that included each.
    open: Vec<(String, Place)>,
}

impl Walk<'_, '_> {
    /// Who includes what is looked at, nearest first.
    pub(super) fn chain(&self) -> Vec<Place> {
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
        &mut self,
        entry: Entry,
        path: &str,
        mut defaults: Vec<Entry>,
        content: bool,
        interpolated: bool,
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
        let children = self.children(&entry, defaults, self_added, interpolated);
        self.open.pop();
        Ok(Branch { entry, children: children? })
    }

    /// Adds the `_self_` that a list leaves out; whether it had to.
    fn check_self(
        &mut self,
        entry: &Entry,
        path: &str,
        defaults: &mut Vec<Entry>,
        content: bool,
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
        &mut self,
        entry: &Entry,
        path: &str,
        defaults: &mut [Entry],
        interpolated: bool,
    ) -> Result<(), Failure> {
        let mut last: Option<String> = None;
        for d in defaults.iter_mut().filter(|d| !d.is_self()) {
            d.set_parent(&entry.group_path(), &entry.final_package(true));
            if let Some(key) = &last
                && !d.is_override()
                && !d.is_appended()
            {
                let message =
                    format!("the override of `{key}` stands before `{}` in the defaults list", d.override_key());
                let hint = "move the overrides to the end of the list";
                return Err(Failure::new("override_before_default", message)
                    .at(d.at)
                    .through(&self.chain())
                    .hint(hint));
            }
            if d.is_override() {
                let key = d.override_key();
                if interpolated {
                    let message =
                        format!("`{path}` was included through an interpolation and may not override `{key}`");
                    return Err(Failure::new("override_in_interpolated_group", message)
                        .at(d.at)
                        .through(&self.chain()));
                }
                self.choices.add_override(d, path);
                last = Some(key);
            }
        }
        Ok(())
    }

    /// The children in order. They are visited last to first, because a later entry's overrides reach an earlier one.
    fn children(
        &mut self,
        entry: &Entry,
        defaults: Vec<Entry>,
        self_added: bool,
        interpolated: bool,
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
                        return Err(Failure::new("interpolation_in_option_list", message)
                            .at(d.at)
                            .through(&self.chain()));
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
        let text =
            |name: &Option<String>| Item { at, data: Data::Scalar(name.clone().map_or(Scalar::Null, Scalar::Str)) };
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
}

/// Whether a config has anything but its defaults list.
fn has_content(config: &Item) -> bool {
    let missing = |item: &Item| matches!(&item.data, Data::Scalar(Scalar::Str(text)) if text == "???");
    matches!(&config.data, Data::Map(map) if map.iter().any(|(_, item)| !missing(item)))
}
