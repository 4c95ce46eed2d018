//! Comparisons: which two things a sentence compares, and whether the data carries it.

use std::ops::Range;
use std::rc::Rc;

use super::Verdict;
use super::figures::Figure;
use super::relations::{Axis, Phrase, Relation};
use super::sentence::{Judged, Metric, Sentence};
use super::source::{Source, p_value};
use crate::state::board::BoardConfig;
use crate::state::markdown::{difference as shown, p_value as shown_p, spread};
use crate::state::problem::Problem;

/// Two things that are compared.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) a: Rc<Source>,
    pub(super) b: Rc<Source>,
    /// The sign that the words give the difference.
    pub(super) sign: Option<f64>,
}

/// The first mean less the second.
pub(super) fn difference(pair: &Pair, metric: &str) -> Option<f64> {
    let mean = |s: &Source| s.summary(metric, s.rule.best && metric == s.rule.metric).map(|s| s.mean);
    Some(mean(&pair.a)? - mean(&pair.b)?)
}

type Sources = Vec<Rc<Source>>;

impl Sentence<'_> {
    /// The verdict on a comparison; none when the words compare nothing that has a name.
    pub(super) fn comparison(&self, phrase: &Phrase) -> Result<Option<(Range<usize>, Judged)>, Problem> {
        if self.says(&["would", "might", "may", "could", "expect", "if", "whether", "hypothes", "predict"]) {
            return Ok(None);
        }
        let Some((a, b)) = self.sides(phrase)? else { return Ok(None) };
        let place = phrase.place.clone();
        let relation = if self.is_passive(phrase) { phrase.relation.mirrored() } else { phrase.relation };
        let (Some(first), Some(_)) = (a.first(), b.first()) else {
            let why = "nothing says which two rows are compared; name both, such as by experiment or label";
            return Ok(self.is_strong(phrase).then(|| (place, Judged::new(Verdict::WithoutSource, why))));
        };
        let metric = self.metric_at(&phrase.place);
        let (metric, _) = Metric::of(metric.as_ref(), first);
        let pairs = paired(self, &a, &b)?;
        let several = a.len() > 1 || b.len() > 1;
        if pairs.is_empty() || several && pairs.len() == 1 && !phrase.everywhere && a.len().min(b.len()) > 1 {
            let names: Vec<&str> = a.iter().chain(&b).map(|s| s.name.as_str()).take(6).collect();
            let why = format!("it fits several rows and nothing says which belong together: {}", names.join(", "));
            return Ok(Some((place, Judged::new(Verdict::WithoutSource, why))));
        }
        let judged = pairs.iter().map(|pair| judge(pair, relation, phrase.axis, &metric)).collect::<Vec<_>>();
        Ok(Some((place, all(judged))))
    }

    /// The two sides of a comparison. None when there is no second side and the words may mean something else.
    fn sides(&self, phrase: &Phrase) -> Result<Option<(Sources, Sources)>, Problem> {
        let of = |found: Option<&super::world::Mention>| found.map_or_else(Vec::new, |m| m.sources.clone());
        let mut behind = self.mentions.iter().filter(|m| m.place.start >= phrase.place.end);
        if phrase.both_follow {
            return Ok(Some((of(behind.next()), of(behind.next()))));
        }
        let mut before = self.mentions.iter().rev().filter(|m| m.place.end <= phrase.place.start);
        let next_phrase =
            self.phrases.iter().map(|p| p.place.start).find(|s| *s >= phrase.place.end).unwrap_or(self.end());
        let (mut a, mut b) = (of(before.next()), of(behind.find(|m| m.place.start < next_phrase)));
        let after = |f: &Figure| f.place.start >= phrase.place.end;
        let filler = |w: &str| matches!(w, "the" | "" | "about" | "predicted" | "at");
        if self.figures.iter().any(|f| after(f) && self.between(phrase.place.end..f.place.start).all(filler)) {
            // `above 97 %` is a bound of a figure.
            return Ok(None);
        }
        if a.is_empty() || b.is_empty() {
            let (wide_a, wide_b) = self.groups(phrase);
            (a, b) = (if a.is_empty() { wide_a } else { a }, if b.is_empty() { wide_b } else { b });
        }
        let scope = &self.scope.sources;
        if a.is_empty() && b.is_empty() && scope.len() == 2 && self.is_strong(phrase) {
            // A finding that names neither compares the two it cites, in their order.
            return Ok(Some((vec![Rc::clone(&scope[0])], vec![Rc::clone(&scope[1])])));
        }
        if a.is_empty() && !b.is_empty() {
            let rest: Sources = scope.iter().filter(|s| b.iter().all(|other| other.name != s.name)).cloned().collect();
            a = if rest.len() == 1 { rest } else { Vec::new() };
        } else if b.is_empty() && !a.is_empty() {
            let rest: Sources = scope.iter().filter(|s| a.iter().all(|other| other.name != s.name)).cloned().collect();
            b = if rest.len() == 1 && self.is_strong(phrase) { rest } else { Vec::new() };
        }
        let known = !b.is_empty() || self.is_strong(phrase);
        Ok(known.then_some((a, b)))
    }

    /// Sources of the scope that share a word, such as the rows with TTFS: on either side of a phrase.
    fn groups(&self, phrase: &Phrase) -> (Sources, Sources) {
        let words = self.scope.sources.iter().map(|s| s.words()).collect::<Vec<_>>();
        let group = |word: &str| -> Option<Sources> {
            let initials: String = word.split('-').filter_map(|part| part.chars().next()).collect();
            let has = |w: &std::collections::BTreeSet<String>| {
                w.contains(word) || initials.len() > 2 && word.contains('-') && w.contains(&initials)
            };
            let found: Sources =
                self.scope.sources.iter().zip(&words).filter(|(_, w)| has(w)).map(|(s, _)| Rc::clone(s)).collect();
            (!word.is_empty() && found.len() > 1 && found.len() < self.scope.sources.len()).then_some(found)
        };
        let before: Vec<&str> = self.between(0..phrase.place.start).collect();
        let a = before.into_iter().rev().find_map(group).unwrap_or_default();
        let b = self.between(phrase.place.end..self.end()).find_map(group).unwrap_or_default();
        (a, b)
    }

    /// `is beaten by`: the second beats the first.
    fn is_passive(&self, phrase: &Phrase) -> bool {
        let words: Vec<&str> = self.between(phrase.place.clone()).collect();
        let participle = words.last().is_some_and(|w| w.ends_with("en") || w.ends_with("ed"));
        let next = self.tokens.iter().position(|t| t.place.start >= phrase.place.end);
        let by = next.is_some_and(|at| {
            self.tokens[at].word() == "by"
                && self.tokens.get(at + 1).is_some_and(|t| t.number().is_none() && !t.is("+-−~"))
        });
        participle && by
    }

    /// Words that compare results and hardly anything else.
    fn is_strong(&self, phrase: &Phrase) -> bool {
        let words: Vec<&str> = self.between(phrase.place.clone()).collect();
        let next =
            self.between(phrase.place.end..self.end()).find(|w| !matches!(*w, "a" | "an" | "the")).unwrap_or_default();
        let other = matches!(next, "chance" | "guessing" | "random" | "expected" | "nothing" | "before" | "needed");
        let strong = ["beat", "outperform", "surpass", "underperform", "outdo", "superior", "inferior"];
        let than = words.contains(&"than") && phrase.axis == Axis::Quality || words.last() == Some(&"difference");
        !other && (than || words.iter().any(|w| strong.iter().any(|s| w.starts_with(s))))
    }

    /// The pairs that a figure may be a difference of.
    pub(super) fn pairs_at(&self, figure: &Figure) -> Result<Vec<Pair>, Problem> {
        let near =
            self.phrases.iter().filter(|p| !p.both_follow).min_by_key(|p| p.place.start.abs_diff(figure.place.start));
        if let Some(phrase) = near
            && let Some((a, b)) = self.sides(phrase)?
            && !a.is_empty()
            && !b.is_empty()
        {
            let relation = if self.is_passive(phrase) { phrase.relation.mirrored() } else { phrase.relation };
            let pairs = paired(self, &a, &b)?;
            return Ok(pairs.into_iter().map(|pair| Pair { sign: relation.sign(), ..pair }).collect());
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
            add(&self.scope.sources[0], &self.scope.sources[1], sign);
        }
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
fn paired(sentence: &Sentence<'_>, a: &[Rc<Source>], b: &[Rc<Source>]) -> Result<Vec<Pair>, Problem> {
    let pair = |a: &Rc<Source>, b: &Rc<Source>| Pair { a: Rc::clone(a), b: Rc::clone(b), sign: None };
    if a.len() == 1 || b.len() == 1 {
        return Ok(a.iter().flat_map(|x| b.iter().map(|y| pair(x, y))).filter(|p| p.a.name != p.b.name).collect());
    }
    let mut found = Vec::new();
    let (mut left, mut right): (Vec<_>, Vec<_>) = (a.to_vec(), b.to_vec());
    for way in 0..3 {
        let mut rest = Vec::new();
        for source in left {
            let declared = sentence.world.partner(&source)?.filter(|_| way == 0);
            let fits = |other: &Rc<Source>| match way {
                0 => declared.as_ref().is_some_and(|d| d.name == other.name),
                1 => stem(other) == stem(&source),
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

/// The first word of a label.
fn stem(source: &Source) -> &str {
    source.label.split([' ', ',', '(']).next().unwrap_or_default()
}

/// How many characters the first words of two labels have in common at their ends.
fn ending(a: &Source, b: &Source) -> usize {
    stem(a).chars().rev().zip(stem(b).chars().rev()).take_while(|(x, y)| x == y).count()
}

/// One pair against what is said of it.
fn judge(pair: &Pair, relation: Relation, axis: Axis, metric: &str) -> Judged {
    let Pair { a, b, .. } = pair;
    let Some(delta) = difference(pair, metric) else {
        let lacks = if a.summary(metric, false).is_none() { &a.name } else { &b.name };
        return Judged::new(Verdict::WithoutSource, format!("{lacks} has no {metric}"));
    };
    let p = p_value(a, b, metric);
    let maximize =
        if metric == a.rule.metric { a.rule.maximize } else { !metric.ends_with("loss") && !metric.ends_with("error") };
    let ahead = if axis == Axis::Size || maximize { delta } else { -delta };
    let alpha = a.rule.alpha;
    let apart = p.is_some_and(|p| p < alpha);
    let verdict = match relation {
        Relation::Better | Relation::Worse => {
            let right = ahead * relation.sign().unwrap_or(1.0);
            match (right > 0.0, apart) {
                (true, true) => Verdict::Supported,
                (false, _) => Verdict::Contradicted,
                (true, false) => Verdict::NotSeparated,
            }
        }
        Relation::Level if p.is_none() => Verdict::NotSeparated,
        Relation::Level if apart => Verdict::Contradicted,
        Relation::Different if !apart => Verdict::NotSeparated,
        Relation::NotWorse if apart && ahead < 0.0 => Verdict::Contradicted,
        Relation::NotBetter if apart && ahead > 0.0 => Verdict::Contradicted,
        _ => Verdict::Supported,
    };
    let share = BoardConfig::is_share(metric);
    let figures = |s: &Source| {
        let found = s.summary(metric, s.rule.best && metric == s.rule.metric);
        let words = found.map_or_else(String::new, |f| spread(share, f.mean, f.std, (f.n > 0).then_some(f.n)));
        format!("{} {words}", s.name)
    };
    let test = match p {
        Some(p) => format!("p {} at alpha {alpha}", shown_p(p)),
        None => "a single seed on one side decides nothing".to_string(),
    };
    let why = format!("{} against {}: {}, {test}", figures(a), figures(b), shown(share, delta));
    let judged = Judged::new(verdict, why).from([a.used(metric), b.used(metric)]);
    Judged { p, alpha: Some(alpha), ..judged }
}

/// One verdict on several pairs: that of the weakest, with each named.
fn all(mut judged: Vec<Judged>) -> Judged {
    if judged.len() == 1 {
        return judged.remove(0);
    }
    let verdict = judged.iter().map(|j| j.verdict).max().unwrap_or(Verdict::WithoutSource);
    let count = |v: Verdict| judged.iter().filter(|j| j.verdict == v).count();
    let told: Vec<String> = judged.iter().map(|j| format!("{}: {}", j.verdict, j.why)).collect();
    let why = format!("{} of {} pairs supported. {}", count(Verdict::Supported), judged.len(), told.join("; "));
    let alpha = judged.first().and_then(|j| j.alpha);
    let sources = judged.into_iter().flat_map(|j| j.sources);
    Judged { alpha, ..Judged::new(verdict, why) }.from(sources)
}
