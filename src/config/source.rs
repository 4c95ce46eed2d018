//! The files of a config tree: found, read once, split into header, defaults list and config.

use std::collections::HashMap;
use std::rc::Rc;

use super::builtin;
use super::failure::{Failure, Names, Place, brief};
use super::interpolate::grammar;
use super::map::Entries;
use super::scalar::Scalar;
use super::yaml::{Data, Item, load};
use crate::state::tree::{EntryKind, Tree, join};

/// A config file, read.
#[derive(Debug)]
pub(super) struct Loaded {
    /// The package that its header names.
    pub(super) package: Option<String>,
    /// The `defaults` item as written, when there is one.
    pub(super) defaults: Option<Item>,
    /// Everything else.
    pub(super) config: Item,
}

/// Reads files of a config tree; every file at most once.
pub(super) struct Sources<'a> {
    tree: &'a dyn Tree,
    dir: &'a str,
    /// What the files are called in messages.
    pub(super) names: Names,
    read: HashMap<String, Option<Rc<Loaded>>>,
    listed: HashMap<String, Rc<Listing>>,
}

/// The entries of one folder.
#[derive(Debug, Default)]
struct Listing {
    folders: Vec<String>,
    files: Vec<String>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(tree: &'a dyn Tree, dir: &'a str) -> Self {
        Self { tree, dir, names: Names::default(), read: HashMap::new(), listed: HashMap::new() }
    }

    /// The file of a config path such as `model/ffnn`; `None` when there is none.
    pub(super) fn load(&mut self, path: &str) -> Result<Option<Rc<Loaded>>, Failure> {
        if let Some(known) = self.read.get(path) {
            return Ok(known.clone());
        }
        let loaded = self.read_file(path)?.map(Rc::new);
        self.read.insert(path.to_string(), loaded.clone());
        Ok(loaded)
    }

    fn read_file(&mut self, path: &str) -> Result<Option<Loaded>, Failure> {
        if let Some(text) = builtin::text(path) {
            let file = Place::default();
            return split(text.as_bytes(), path, file).map(Some);
        }
        let inside = normal(&with_suffix(path))?;
        let (folder, file_name) = inside.rsplit_once('/').unwrap_or(("", &inside));
        if !self.list(folder)?.files.iter().any(|f| f == file_name) {
            return Ok(None);
        }
        let full = join(self.dir, &inside);
        let bytes = self.tree.read(&full).map_err(|p| Failure::new("config_not_readable", p.message))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let file = self.names.file(full);
        split(&bytes, path, file).map(Some)
    }

    fn list(&mut self, folder: &str) -> Result<Rc<Listing>, Failure> {
        if let Some(known) = self.listed.get(folder) {
            return Ok(known.clone());
        }
        let full = if folder.is_empty() { self.dir.to_string() } else { join(self.dir, folder) };
        let mut listing = Listing::default();
        let entries = self.tree.list(&full).map_err(|p| Failure::new("config_not_readable", p.message))?;
        for entry in entries {
            match entry.kind {
                EntryKind::Folder => listing.folders.push(entry.name),
                EntryKind::File | EntryKind::Executable => listing.files.push(entry.name),
                EntryKind::Symlink | EntryKind::Gitlink => {}
            }
        }
        let listing = Rc::new(listing);
        self.listed.insert(folder.to_string(), listing.clone());
        Ok(listing)
    }

    /// Every file that was read so far.
    pub(super) fn files_read(&self) -> Vec<String> {
        let mut files: Vec<String> = self.names.files().map(ToString::to_string).collect();
        files.sort();
        files.dedup();
        files
    }

    /// Whether a config file is there.
    pub(super) fn has_config(&mut self, path: &str) -> Result<bool, Failure> {
        Ok(self.load(path)?.is_some())
    }

    /// Whether a config file is there, readable or not.
    pub(super) fn has_file(&mut self, path: &str) -> Result<bool, Failure> {
        let inside = normal(&with_suffix(path))?;
        let (folder, name) = inside.rsplit_once('/').unwrap_or(("", inside.as_str()));
        Ok(self.list(folder)?.files.iter().any(|f| f == name))
    }

    /// Whether a folder of configs is there.
    pub(super) fn has_group(&mut self, path: &str) -> Result<bool, Failure> {
        if path == "hydra" || builtin::GROUPS.iter().any(|(group, ..)| *group == path) {
            return Ok(true);
        }
        let inside = normal(path)?;
        let (folder, name) = inside.rsplit_once('/').unwrap_or(("", inside.as_str()));
        Ok(inside.is_empty() || self.list(folder)?.folders.iter().any(|f| f == name))
    }

    /// The options of a group, sorted.
    pub(super) fn options(&mut self, group: &str) -> Result<Vec<String>, Failure> {
        let mut options: Vec<String> = builtin::GROUPS
            .iter()
            .filter(|(name, ..)| *name == group)
            .flat_map(|(_, options, _)| options.iter().map(ToString::to_string))
            .collect();
        let listing = self.list(&normal(group)?)?;
        options.extend(listing.files.iter().filter_map(|f| f.strip_suffix(".yaml")).map(ToString::to_string));
        options.sort();
        options.dedup();
        Ok(options)
    }

    /// The groups of a folder, sorted.
    pub(super) fn groups(&mut self, folder: &str) -> Result<Vec<String>, Failure> {
        let mut folders = self.list(folder)?.folders.clone();
        folders.sort();
        Ok(folders)
    }
}

fn with_suffix(path: &str) -> String {
    if path.ends_with(".yaml") { path.to_string() } else { format!("{path}.yaml") }
}

/// A path without `.` and `..`; an error when it leads out of the config folder.
fn normal(path: &str) -> Result<String, Failure> {
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                if steps.pop().is_none() {
                    let message = format!("`{path}` leads out of the config folder");
                    return Err(Failure::new("config_not_found", message));
                }
            }
            step => steps.push(step),
        }
    }
    Ok(steps.join("/"))
}

fn split(bytes: &[u8], path: &str, file: Place) -> Result<Loaded, Failure> {
    let package = package(bytes).map_err(|message| Failure::new("bad_package_header", message).at(file))?;
    let mut config = match load(bytes, file)? {
        None => Item { at: file, data: Data::Map(Entries::default()) },
        Some(Item { at, data: Data::Scalar(Scalar::Str(word)) }) => {
            let null = Item { at, data: Data::Scalar(Scalar::Null) };
            Item { at, data: Data::Map([(word.as_str().into(), null)].into_iter().collect()) }
        }
        Some(Item { at, data: Data::Scalar(Scalar::Null) }) => Item { at, data: Data::Map(Entries::default()) },
        Some(Item { at, data: Data::Scalar(_) }) => {
            let message = format!("the config `{path}` holds a single value, not a mapping");
            return Err(Failure::new("bad_config_file", message).at(at));
        }
        Some(item) => item,
    };
    check(&config)?;
    let defaults = match &mut config.data {
        Data::Map(map) => map.remove(&"defaults".into()),
        _ => None,
    };
    Ok(Loaded { package, defaults, config })
}

/// Every interpolation of a file must be well formed, used or not.
pub(super) fn check(item: &Item) -> Result<(), Failure> {
    match &item.data {
        Data::Scalar(Scalar::Str(text)) if text.contains("${") => grammar::parse(text)
            .map(drop)
            .map_err(|e| Failure::new("interpolation_syntax", format!("`{}`: {e}", brief(text))).at(item.at)),
        Data::Scalar(_) => Ok(()),
        Data::List(items) => items.iter().try_for_each(check),
        Data::Map(map) => map.iter().try_for_each(|(_, item)| check(item)),
    }
}

/// The package of the header: `# @package name` in the first lines, before anything else.
fn package(bytes: &[u8]) -> Result<Option<String>, String> {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(2048)]);
    let head: String = text.chars().take(512).collect();
    let mut package = None;
    for line in head.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let Some(comment) = line.strip_prefix('#') else { break };
        if !comment.trim_start().starts_with('@') {
            break;
        }
        let words: Vec<&str> = line.trim_start_matches('#').trim().split(' ').filter(|w| !w.is_empty()).collect();
        match words.as_slice() {
            [name, value] if *name == "@package" => package = Some(value.trim().to_string()),
            [_, _] => {}
            [name] => return Err(format!("the header `{name}` has no value: write `# @package name`")),
            _ => return Err(format!("the header `{}` has too many words", words.join(" "))),
        }
    }
    Ok(package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        assert_eq!(package(b"# @package _global_\na: 1\n"), Ok(Some("_global_".into())));
        assert_eq!(package(b"\n#@package a.b\n"), Ok(Some("a.b".into())));
        assert_eq!(package(b"# words first\n# @package a\n"), Ok(None));
        assert!(package(b"# @package\n").is_err() && package(b"# @package a b\n").is_err());
    }

    #[test]
    fn paths_stay_inside() {
        assert_eq!(normal("a/../b/./c").unwrap(), "b/c");
        assert_eq!(normal("a/../../b").unwrap_err().category, "config_not_found");
    }
}
