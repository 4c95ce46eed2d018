//! Comparisons: which two things a sentence compares, and whether the data carries it.

use std::ops::Range;
use std::rc::Rc;

use super::Verdict;
use super::figures::Figure;
use super::pairs::paired;
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

/// The two sides of a comparison.
pub(super) struct Sides {
    a: Sources,
    b: Sources,
    relation: Relation,
    /// Each of the first is compared with each of the second.
    listed: bool,
    /// Neither is named: the two sources of the scope, and nobody knows which is which.
    unnamed: bool,
}

impl Sides {
    /// The sign that the words give the difference, where both sides are known.
    pub(super) fn sign(&self) -> Option<Option<f64>> {
        let known = !self.a.is_empty() && !self.b.is_empty();
        known.then(|| self.relation.sign().filter(|_| !self.unnamed))
    }
}

/// Words and signs that join names to a list.
fn joins(word: &str) -> bool {
    matches!(word, "" | "and" | "or" | "nor" | "both" | "the" | "a" | "as" | "well" | "neither" | "either" | "all")
}

impl Sentence<'_> {
    /// The verdict on a comparison; none when the words compare nothing that has a name.
    pub(super) fn comparison(&self, phrase: &Phrase) -> Result<Option<(Range<usize>, Judged)>, Problem> {
        if self.supposes(phrase.place.start) {
            return Ok(None);
        }
        let Some(sides) = self.sides(phrase)? else { return Ok(None) };
        let place = phrase.place.clone();
        let (Some(first), Some(_)) = (sides.a.first(), sides.b.first()) else {
            let why = "nothing says which two rows are compared; name both, such as by experiment or label";
            return Ok(self.is_strong(phrase).then(|| (place, Judged::new(Verdict::WithoutSource, why))));
        };
        let metric = self.metric_at(&phrase.place);
        let (metric, _) = Metric::of(metric.as_ref(), first);
        let pairs = self.pairs_of(&sides)?;
        if pairs.is_empty()
            || !sides.listed && pairs.len() == 1 && !phrase.everywhere && sides.a.len().min(sides.b.len()) > 1
        {
            let names: Vec<&str> = sides.a.iter().chain(&sides.b).map(|s| s.name.as_str()).take(6).collect();
            let why = format!("it fits several rows and nothing says which belong together: {}", names.join(", "));
            return Ok(Some((place, Judged::new(Verdict::WithoutSource, why))));
        }
        let judged = pairs.iter().map(|pair| judge(pair, sides.relation, phrase.axis, &metric)).collect::<Vec<_>>();
        if sides.unnamed {
            // Either order may be meant, so the better one counts.
            return Ok(judged.into_iter().min_by_key(|j| j.verdict).map(|judged| (place, judged)));
        }
        Ok(Some((place, all(judged))))
    }

    /// The pairs of two sides: each with each of a list, else those that belong together.
    pub(super) fn pairs_of(&self, sides: &Sides) -> Result<Vec<Pair>, Problem> {
        if !sides.listed {
            return paired(self, &sides.a, &sides.b);
        }
        let pairs = sides.a.iter().flat_map(|a| sides.b.iter().map(move |b| (a, b)));
        let pair = |a: &Rc<Source>, b: &Rc<Source>| Pair { a: Rc::clone(a), b: Rc::clone(b), sign: None };
        let pairs = pairs.filter(|(a, b)| a.name != b.name);
        let both = pairs.flat_map(|(a, b)| [Some(pair(a, b)), sides.unnamed.then(|| pair(b, a))]);
        Ok(both.flatten().collect())
    }

    /// The two sides of a comparison. None when there is no second side and the words may mean something else.
    pub(super) fn sides(&self, phrase: &Phrase) -> Result<Option<Sides>, Problem> {
        let after = |f: &Figure| f.place.start >= phrase.place.end;
        let filler = |w: &str| matches!(w, "the" | "" | "about" | "predicted" | "at");
        if self.figures.iter().any(|f| after(f) && self.between(phrase.place.end..f.place.start).all(filler)) {
            // `above 97 %` is a bound of a figure.
            return Ok(None);
        }
        let mirrored = self.is_passive(phrase);
        let relation = if mirrored { phrase.relation.mirrored() } else { phrase.relation };
        let sides = |a: Sources, b: Sources, listed| Ok(Some(Sides { a, b, relation, listed, unnamed: false }));
        let next = self.phrases.iter().map(|p| p.place.start).find(|s| *s >= phrase.place.end).unwrap_or(self.end());
        if phrase.both_follow {
            let both = self.list(phrase.place.end..next);
            let (a, b) = both.split_at(both.len().min(1));
            return sides(a.concat(), b.concat(), true);
        }
        let (before, behind) = (self.list_before(phrase.place.start), self.list(phrase.place.end..next));
        let listed = before.len() > 1 || behind.len() > 1;
        let (mut a, mut b) = (before.concat(), behind.concat());
        let scope = &self.scope.sources;
        let rest = |of: &Sources| -> Sources {
            scope.iter().filter(|s| of.iter().all(|o| o.name != s.name)).cloned().collect()
        };
        let says = |place: Range<usize>, words: &[&str]| self.between(place).take(6).any(|w| words.contains(&w));
        if a.is_empty() && !b.is_empty() && self.is_strong(phrase) && says(0..phrase.place.start, &["nothing", "none"])
        {
            // Nothing beats B: no other is better.
            let relation = relation.denied();
            return Ok(Some(Sides { a: rest(&b), b, relation, listed: true, unnamed: false }));
        }
        if a.is_empty() && !b.is_empty() && phrase.everywhere && !self.scope.wide {
            return sides(rest(&b), b, true);
        }
        let superlative = self.between(phrase.place.clone()).any(|w| matches!(w, "best" | "worst"));
        if superlative && a.is_empty() {
            return Ok(None);
        }
        if b.is_empty()
            && !a.is_empty()
            && (superlative || says(phrase.place.end..self.end(), &["others", "all", "every", "everything", "rest"]))
        {
            let others = rest(&a);
            return sides(a, others, true);
        }
        if a.is_empty() || b.is_empty() {
            let (wide_a, wide_b) = self.groups(phrase);
            (a, b) = (if a.is_empty() { wide_a } else { a }, if b.is_empty() { wide_b } else { b });
        }
        if a.is_empty() && b.is_empty() && scope.len() == 2 && self.is_strong(phrase) {
            let (a, b) = (vec![Rc::clone(&scope[0])], vec![Rc::clone(&scope[1])]);
            return Ok(Some(Sides { a, b, relation, listed: true, unnamed: true }));
        }
        if a.is_empty() && !b.is_empty() {
            a = Some(rest(&b)).filter(|r| r.len() == 1).unwrap_or_default();
        } else if b.is_empty() && !a.is_empty() && self.is_strong(phrase) {
            b = Some(rest(&a)).filter(|r| r.len() == 1).unwrap_or_default();
        }
        let known = !b.is_empty() || self.is_strong(phrase);
        if known { sides(a, b, listed) } else { Ok(None) }
    }

    /// The names in a part of the sentence up to the first that is not joined to those before it by `and` and the
    /// like.
    fn list(&self, part: Range<usize>) -> Vec<Sources> {
        let mut found: Vec<Sources> = Vec::new();
        let mut end = part.start;
        for mention in self.mentions.iter().filter(|m| part.contains(&m.place.start)) {
            if !found.is_empty() && !self.between(end..mention.place.start).all(joins) {
                break;
            }
            found.push(mention.sources.clone());
            end = mention.place.end;
        }
        found
    }

    /// The names that end last before a place, as far as they are joined.
    fn list_before(&self, end: usize) -> Vec<Sources> {
        let mut found: Vec<Sources> = Vec::new();
        let mut start = end;
        for mention in self.mentions.iter().rev().filter(|m| m.place.end <= end) {
            let between: Vec<&str> = self.between(mention.place.end..start).collect();
            if !found.is_empty() && (between.is_empty() || !between.into_iter().all(joins)) {
                break;
            }
            found.insert(0, mention.sources.clone());
            start = mention.place.start;
        }
        found
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
