//! Pairs of rows: which two a figure is the difference of, and which of many belong together.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::compare::Pair;
use super::figures::Figure;
use super::sentence::Sentence;
use super::source::Source;
use crate::state::problem::Problem;

impl Sentence<'_> {
    /// The pairs that a figure may be a difference of.
    pub(super) fn pairs_at(&self, figure: &Figure) -> Result<Vec<Pair>, Problem> {
        let near =
            self.phrases.iter().filter(|p| !p.both_follow).min_by_key(|p| p.place.start.abs_diff(figure.place.start));
        if let Some(phrase) = near
            && let Some(sides) = self.sides(phrase)?
            && let Some(sign) = sides.sign()
        {
            return Ok(self.pairs_of(&sides)?.into_iter().map(|pair| Pair { sign, ..pair }).collect());
        }
        self.pairs(Some(figure))
    }

    /// The pairs that a sentence without a comparison speaks of.
    pub(super) fn pairs(&self, figure: Option<&Figure>) -> Result<Vec<Pair>, Problem> {
        const DOWN: [&str; 9] = ["lose", "loss of", "cost", "drop", "below", "behind", "worse", "lower", "trail"];
        const UP: [&str; 8] = ["gain", "above", "better", "higher", "improve", "bring", "add", "beat"];
        let near =
            figure.map_or(0..self.end(), |f| f.place.start.saturating_sub(60)..(f.place.end + 20).min(self.end()));
        let words: Vec<&str> = self.between(near).collect();
        let any = |list: &[&str]| words.iter().any(|w| list.iter().any(|b| w.starts_with(b)));
        let sign = if any(&DOWN) { Some(-1.0) } else { any(&UP).then_some(1.0) };
        let named: Vec<&Rc<Source>> = self.mentions.iter().flat_map(|m| &m.sources).collect();
        let mut found = Vec::new();
        let mut add = |a: &Rc<Source>, b: &Rc<Source>, sign| {
            if a.name != b.name {
                found.push(Pair { a: Rc::clone(a), b: Rc::clone(b), sign });
            }
        };
        if let Some(figure) = figure {
            for (a, b) in self.contrasts(figure) {
                add(&a, &b, None);
            }
        }
        for (index, a) in named.iter().enumerate() {
            named[index + 1..].iter().for_each(|b| add(a, b, sign));
        }
        let alone: Vec<&Rc<Source>> = match named.is_empty() {
            true if self.scope.wide => Vec::new(),
            true => self.scope.sources.iter().collect(),
            false => named,
        };
        for source in &alone {
            if let Some(partner) = self.world.partner(source)? {
                add(source, &partner, sign);
            }
            if self.reported {
                self.world.twins(source).iter().for_each(|twin| add(source, twin, sign));
            }
        }
        if self.mentions.is_empty() && self.scope.sources.len() == 2 {
            add(&self.scope.sources[0], &self.scope.sources[1], None);
            add(&self.scope.sources[1], &self.scope.sources[0], None);
        }
        let mut known: Vec<(String, String)> = Vec::new();
        found.retain(|pair| {
            let names = (pair.a.name.clone(), pair.b.name.clone());
            let new = !known.contains(&names);
            known.push(names);
            new
        });
        Ok(found)
    }

    /// Rows that differ in one thing that is on or off, which the sentence names: `Augmentation … +16.09 pp (SGD)`. The
    /// words behind the figure say which rows are meant.
    fn contrasts(&self, figure: &Figure) -> Vec<(Rc<Source>, Rc<Source>)> {
        let next = self.figures.iter().map(|f| f.place.start).find(|s| *s >= figure.place.end).unwrap_or(self.end());
        let behind: Vec<&str> = self.between(figure.place.end..next).flat_map(|w| w.split('+')).collect();
        let scope = &self.scope.sources;
        let on =
            |s: &Source, key: &str| s.values.get(key).map(String::as_str).map(|v| matches!(v, "true" | "yes" | "on"));
        let named = |key: &str| self.tokens.iter().any(|t| t.word() == key.to_lowercase());
        let mut found = Vec::new();
        for a in scope {
            for key in a.values.keys().filter(|key| named(key) && on(a, key) == Some(true)) {
                let rest = |s: &Source| {
                    s.values.iter().filter(|(k, _)| *k != key).map(|(k, v)| (k.clone(), v.clone())).collect::<Vec<_>>()
                };
                let same = |b: &&Rc<Source>| on(b, key) == Some(false) && rest(a) == rest(b) && a.label == b.label;
                // Words that are values of some row must be values of this one.
                let values = |s: &Source| s.values.values().map(|v| v.to_lowercase()).collect::<Vec<_>>();
                let meant = behind.iter().all(|w| {
                    !scope.iter().any(|s| values(s).iter().any(|v| v == w)) || values(a).iter().any(|v| v == w)
                });
                found.extend(scope.iter().filter(same).filter(|_| meant).map(|b| (Rc::clone(a), Rc::clone(b))));
            }
        }
        found
    }
}

/// Which of the first belong to which of the second: what they are declared to be compared with, then the same name,
/// then the ending that only the two share.
pub(super) fn paired(sentence: &Sentence<'_>, a: &[Rc<Source>], b: &[Rc<Source>]) -> Result<Vec<Pair>, Problem> {
    let pair = |a: &Rc<Source>, b: &Rc<Source>| Pair { a: Rc::clone(a), b: Rc::clone(b), sign: None };
    if a.len() == 1 || b.len() == 1 {
        return Ok(a.iter().flat_map(|x| b.iter().map(|y| pair(x, y))).filter(|p| p.a.name != p.b.name).collect());
    }
    let mut found = Vec::new();
    let (mut left, mut right): (Vec<_>, Vec<_>) = (a.to_vec(), b.to_vec());
    let likeness = Likeness::of(a, b);
    for way in 0..3 {
        let mut rest = Vec::new();
        for source in left {
            let declared = sentence.world.partner(&source)?.filter(|_| way == 0);
            let fits = |other: &Rc<Source>| match way {
                0 => declared.as_ref().is_some_and(|d| d.name == other.name),
                1 => stem(other) == stem(&source) || likeness.is_closest(&source, other, &right),
                _ => {
                    ending(other, &source) >= 3
                        && right.iter().all(|o| o.name == other.name || ending(o, &source) < ending(other, &source))
                }
            };
            match right.iter().position(fits) {
                Some(index) => found.push(pair(&source, &right.remove(index))),
                None => rest.push(source),
            }
        }
        left = rest;
    }
    Ok(found)
}

/// How like two sources of two groups are: the words that they share and that are not all their group's.
struct Likeness {
    common: BTreeSet<String>,
}

impl Likeness {
    fn of(a: &[Rc<Source>], b: &[Rc<Source>]) -> Self {
        let all = |group: &[Rc<Source>]| group.iter().map(|s| s.words()).reduce(|x, y| &x & &y).unwrap_or_default();
        Self { common: &all(a) | &all(b) }
    }

    fn between(&self, a: &Source, b: &Source) -> usize {
        (&a.words() & &b.words()).difference(&self.common).count()
    }

    /// Whether no other source is as like this one.
    fn is_closest(&self, source: &Source, other: &Rc<Source>, all: &[Rc<Source>]) -> bool {
        let like = self.between(source, other);
        like > 0 && all.iter().all(|o| o.name == other.name || self.between(source, o) < like)
    }
}

/// The first word of a label.
fn stem(source: &Source) -> &str {
    source.label.split([' ', ',', '(']).next().unwrap_or_default()
}

/// How many characters the first words of two labels have in common at their ends.
fn ending(a: &Source, b: &Source) -> usize {
    stem(a).chars().rev().zip(stem(b).chars().rev()).take_while(|(x, y)| x == y).count()
}
