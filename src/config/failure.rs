//! What goes wrong while composing: a category, a sentence, a place, and the files that led there.

use std::rc::Rc;

use crate::state::problem::{Kind, Problem};
use crate::state::text::nearest;

/// Where something was written: a file (or a command-line override) of the composition, and a position in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Index into [`Names`]; 0 is nowhere.
    pub(super) source: u32,
    /// Line, from 1.
    pub(super) line: u32,
    /// Column in characters, from 1.
    pub(super) column: u32,
}

/// What the sources of a composition are called: nothing (0), files, and from [`OVERRIDES`] on the overrides.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    files: Vec<Rc<str>>,
    overrides: Vec<Rc<str>>,
}

/// The number of the first override.
const OVERRIDES: u32 = 1 << 31;

enum Source<'n> {
    Nowhere,
    File(&'n str),
    Override(&'n str),
}

impl Names {
    /// Registers a file; the place of its first character.
    pub(super) fn file(&mut self, path: String) -> Place {
        self.files.push(path.into());
        Place { source: self.files.len() as u32, line: 1, column: 1 }
    }

    /// Registers a command-line override.
    pub(super) fn command_line(&mut self, text: &str) -> Place {
        self.overrides.push(text.into());
        Place { source: OVERRIDES + self.overrides.len() as u32 - 1, line: 1, column: 1 }
    }

    /// Forgets the overrides, before the next composition.
    pub(super) fn forget_overrides(&mut self) {
        self.overrides.clear();
    }

    fn source(&self, place: Place) -> Source<'_> {
        match place.source {
            0 => Source::Nowhere,
            file if file < OVERRIDES => Source::File(&self.files[file as usize - 1]),
            line => {
                self.overrides.get((line - OVERRIDES) as usize).map_or(Source::Nowhere, |text| Source::Override(text))
            }
        }
    }

    /// The files, in the order in which they were registered.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|path| &**path)
    }

    /// File, line and column of a place in a file.
    pub(super) fn file_at(&self, place: Place) -> Option<(String, u32, u32)> {
        match self.source(place) {
            Source::File(path) => Some((path.to_string(), place.line, place.column)),
            _ => None,
        }
    }

    /// `file.yaml:3`, or the override itself.
    pub(super) fn show(&self, place: Place) -> String {
        match self.source(place) {
            Source::Nowhere => "the built-in config".into(),
            Source::File(path) => format!("{path}:{}", place.line),
            Source::Override(text) => format!("the override `{text}`"),
        }
    }
}

/// One error of a composition.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// Hydra's kind of error, a stable word such as `group_option_not_found`.
    pub(super) category: &'static str,
    /// One sentence without a full stop.
    pub(super) message: String,
    /// Where it was written.
    pub(super) place: Option<Place>,
    /// Who included that place, nearest first.
    pub(super) chain: Vec<Place>,
    /// What to do.
    pub(super) hint: Option<String>,
}

impl Failure {
    /// An error without a place.
    pub(super) fn new(category: &'static str, message: impl Into<String>) -> Self {
        Self { category, message: message.into(), place: None, chain: Vec::new(), hint: None }
    }

    /// The same error at a place, unless it has one.
    pub(super) fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }

    /// The same error with the chain of includes.
    pub(super) fn through(mut self, chain: &[Place]) -> Self {
        if self.chain.is_empty() {
            self.chain = chain.to_vec();
        }
        self
    }

    /// The same error with what to do.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The problem as reported.
    pub(super) fn problem(self, names: &Names) -> Problem {
        let kind = if self.category.starts_with("override_") || self.category == "sweep_without_multirun" {
            Kind::Usage
        } else {
            Kind::Invalid
        };
        let mut message = self.message;
        let mut problem = Problem::new(kind, self.category, "");
        if let Some(place) = self.place {
            match names.source(place) {
                Source::File(path) => {
                    problem.path = Some(path.to_string());
                    problem.line = Some(place.line);
                    problem.column = Some(place.column);
                }
                Source::Override(text) if !message.contains(text) => {
                    message = format!("the override `{text}`: {message}");
                }
                _ => {}
            }
        }
        if !self.chain.is_empty() {
            let chain: Vec<String> = self.chain.iter().map(|p| names.show(*p)).collect();
            message = format!("{message} (included by {})", chain.join(", by "));
        }
        problem.message = message;
        problem.hint = self.hint;
        problem
    }
}

/// Text as a message quotes it: shortened where it is long.
pub(super) fn brief(text: &str) -> String {
    if text.chars().count() <= 200 {
        text.to_string()
    } else {
        format!("{}…", text.chars().take(200).collect::<String>())
    }
}

/// `did you mean …? options: a, b, c`: what was meant, out of what exists.
pub(super) fn meant(word: &str, options: &[String], what: &str) -> String {
    if options.is_empty() {
        return format!("there are no {what}");
    }
    let all = options.join(", ");
    match nearest(word, options.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`? {what}: {all}"),
        None => format!("{what}: {all}"),
    }
}
