//! One entry of a defaults list, and the paths and packages that follow from where it stands.

use crate::config::failure::{Failure, Place};

/// What was chosen for a group.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::config) enum Choice {
    /// Nothing.
    Null,
    /// One option.
    Name(String),
    /// Several options.
    Names(Vec<String>),
}

/// What kind of entry it is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// `- path`.
    Config { path: String },
    /// `- group: choice`.
    Group {
        group: String,
        choice: Choice,
        /// `override group: choice`.
        overrides: bool,
        /// Added from the command line with `+group=choice`.
        appended: bool,
    },
    /// No primary config was named.
    Nothing,
}

/// An entry of a defaults list.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    /// What stands behind `@`.
    pub(super) package: Option<String>,
    pub(super) optional: bool,
    pub(super) primary: bool,
    /// Left out of the result.
    pub(super) deleted: bool,
    /// Where the entry is written.
    pub(super) at: Place,
    /// The package that the file's own header names.
    header: Option<String>,
    base: String,
    parent_package: String,
}

impl Entry {
    fn new(kind: Kind, package: Option<&str>, at: Place) -> Self {
        let package = package.map(|p| if p == "_here_" { String::new() } else { p.to_string() });
        Self {
            kind,
            package,
            optional: false,
            primary: false,
            deleted: false,
            at,
            header: None,
            base: String::new(),
            parent_package: String::new(),
        }
    }

    /// `- path`.
    pub(super) fn config(path: &str, package: Option<&str>, at: Place) -> Result<Self, Failure> {
        if path == "_self_" && package.is_some() {
            return Err(Failure::new("self_with_package", "`_self_` takes no package").at(at));
        }
        Ok(Self::new(Kind::Config { path: path.to_string() }, package, at))
    }

    /// `- group: choice`.
    pub(super) fn group(group: &str, choice: Choice, package: Option<&str>, at: Place) -> Self {
        let kind = Kind::Group { group: group.to_string(), choice, overrides: false, appended: false };
        Self::new(kind, package, at)
    }

    /// The entry of the primary config.
    pub(super) fn primary(name: Option<&str>) -> Self {
        let kind = name.map_or(Kind::Nothing, |name| Kind::Config { path: name.to_string() });
        Self { primary: true, ..Self::new(kind, None, Place::default()) }
    }

    /// Tells the entry which config it stands in.
    pub(super) fn set_parent(&mut self, base: &str, package: &str) {
        self.base = base.to_string();
        self.parent_package = package.to_string();
        if let Some(package) = &self.package
            && package.contains("_group_")
        {
            self.package = Some(format!("_global_.{}", package.replace("_group_", &self.default_package())));
        }
    }

    /// Tells the entry what its file's header says.
    pub(super) fn set_header(&mut self, header: Option<&str>) {
        self.header = header.map(|package| {
            if package == "_global_" || package.starts_with("_global_.") {
                package.to_string()
            } else {
                format!("_global_.{package}")
            }
        });
    }

    pub(super) fn is_self(&self) -> bool {
        match &self.kind {
            Kind::Config { path } => path == "_self_",
            Kind::Group { choice, .. } => *choice == Choice::Name("_self_".into()),
            Kind::Nothing => false,
        }
    }

    pub(super) fn is_override(&self) -> bool {
        matches!(self.kind, Kind::Group { overrides: true, .. })
    }

    pub(super) fn is_appended(&self) -> bool {
        matches!(self.kind, Kind::Group { appended: true, .. })
    }

    pub(super) fn is_missing(&self) -> bool {
        self.name() == Some("???")
    }

    /// The path or the group as written, without a leading slash, and whether it had one.
    fn written(&self) -> (&str, bool) {
        let text = match &self.kind {
            Kind::Config { path } => path,
            Kind::Group { group, .. } => group,
            Kind::Nothing => "",
        };
        text.strip_prefix('/').map_or((text, false), |rest| (rest, true))
    }

    /// The folder as written.
    fn relative_group(&self) -> &str {
        let (text, _) = self.written();
        match self.kind {
            Kind::Group { .. } => text,
            _ => text.rsplit_once('/').map_or("", |(folder, _)| folder),
        }
    }

    /// The folder below the config folder.
    pub(super) fn group_path(&self) -> String {
        let (_, absolute) = self.written();
        let group = self.relative_group();
        match (absolute || self.base.is_empty(), group) {
            (true, group) => group.to_string(),
            (false, "") => self.base.clone(),
            (false, group) => format!("{}/{group}", self.base),
        }
    }

    /// The one chosen option; `None` when nothing or a list is chosen.
    pub(super) fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Config { path } => Some(path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name)),
            Kind::Group { choice: Choice::Name(name), .. } => Some(name),
            _ => None,
        }
    }

    /// The path of the file below the config folder, without `.yaml`.
    pub(super) fn config_path(&self) -> String {
        match &self.kind {
            Kind::Group { .. } => format!("{}/{}", self.group_path(), self.name().unwrap_or("None")),
            _ => {
                let (path, absolute) = self.written();
                if absolute || self.base.is_empty() { path.to_string() } else { format!("{}/{path}", self.base) }
            }
        }
    }

    /// The package that the group's place alone would give.
    pub(super) fn default_package(&self) -> String {
        self.group_path().replace('/', ".")
    }

    /// The package that this entry's content goes below.
    pub(super) fn final_package(&self, with_header: bool) -> String {
        let header = if with_header { self.header.as_ref() } else { None };
        let package = self.package.as_ref().or(header);
        let package = package.cloned().unwrap_or_else(|| self.relative_group().replace('/', "."));
        let full = match (self.parent_package.as_str(), package.as_str()) {
            ("", package) => package.to_string(),
            (parent, "") => parent.to_string(),
            (parent, package) => format!("{parent}.{package}"),
        };
        match full.rfind("_global_") {
            None => full,
            Some(at) => full.get(at + "_global_".len() + 1..).unwrap_or("").to_string(),
        }
    }

    /// How an override names this entry: `group`, or `group@package` where the package is not the group's own.
    pub(super) fn override_key(&self) -> String {
        let package = self.final_package(false);
        let group = self.group_path();
        match package.as_str() {
            own if own == self.default_package() => group,
            "" => format!("{group}@_global_"),
            package => format!("{group}@{package}"),
        }
    }

    /// The text whose interpolation decides which file is meant.
    pub(super) fn interpolation(&self) -> Option<String> {
        let text = match &self.kind {
            Kind::Config { .. } => self.config_path(),
            _ => self.name()?.to_string(),
        };
        text.contains("${").then_some(text)
    }

    /// Puts what the interpolation gave in its place.
    pub(super) fn resolve_to(&mut self, text: String) {
        match &mut self.kind {
            Kind::Config { path } => *path = text,
            Kind::Group { choice, .. } => *choice = Choice::Name(text),
            Kind::Nothing => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(group: &str, package: Option<&str>, base: &str, parent: &str) -> Entry {
        let mut entry = Entry::group(group, Choice::Name("x".into()), package, Place::default());
        entry.set_parent(base, parent);
        entry
    }

    #[test]
    fn packages_follow_groups_unless_told() {
        assert_eq!(entry("db", None, "", "").final_package(true), "db");
        assert_eq!(entry("db", None, "server", "server").final_package(true), "server.db");
        assert_eq!(entry("/db", None, "server", "server").final_package(true), "server.db");
        assert_eq!(entry("/db", Some("_global_"), "server", "server").final_package(true), "");
        assert_eq!(entry("db", Some("_here_"), "server", "server").final_package(true), "server");
        assert_eq!(entry("db", Some("src"), "", "").override_key(), "db@src");
        assert_eq!(entry("db", Some("_global_"), "", "").override_key(), "db@_global_");
    }
}
