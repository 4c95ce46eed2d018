//! One sentence with all that its claims are judged by: names, figures, comparisons, the metric that it speaks of.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

use super::figures::{Figure, figures};
use super::relations::{Phrase, phrases};
use super::source::{Source, Used};
use super::units::Unit;
use super::words::{Token, tokens};
use super::world::{Mention, World, called, ends_here};
use super::{Claim, Scope, Verdict};
use crate::state::problem::Problem;
use crate::state::text::printable;

/// One sentence, or one row of a table.
pub(super) struct Sentence<'a> {
    pub(super) world: &'a World<'a>,
    pub(super) scope: &'a Scope,
    path: &'a str,
    unit: Unit,
    pub(super) tokens: Vec<Token>,
    pub(super) mentions: Vec<Mention>,
    pub(super) figures: Vec<Figure>,
    pub(super) phrases: Vec<Phrase>,
    /// It speaks of what others report.
    pub(super) reported: bool,
}

/// What a judge found out about one claim.
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    pub(super) why: String,
    pub(super) sources: Vec<Used>,
    pub(super) p: Option<f64>,
    pub(super) alpha: Option<f64>,
}

impl Judged {
    pub(super) fn new(verdict: Verdict, why: impl Into<String>) -> Self {
        Self { verdict, why: why.into(), sources: Vec::new(), p: None, alpha: None }
    }

    pub(super) fn from(mut self, sources: impl IntoIterator<Item = Used>) -> Self {
        self.sources.extend(sources);
        self
    }
}

impl<'a> Sentence<'a> {
    pub(super) fn new(world: &'a World<'a>, scope: &'a Scope, path: &'a str, unit: Unit) -> Result<Self, Problem> {
        let tokens = tokens(&unit.text);
        const ELSEWHERE: [&str; 6] = ["report", "publish", "literature", "elsewhere", "original", "program"];
        let reported = tokens.iter().any(|t| ELSEWHERE.iter().any(|w| t.word().starts_with(w)));
        let mut mentions = world.mentions(&unit.text, scope.project.as_ref(), reported)?;
        own_names(scope, &unit.text, &mut mentions);
        let figures = figures(&unit, &tokens);
        let phrases = phrases(&tokens);
        let mut sentence = Self { world, scope, path, unit, tokens, mentions, figures, phrases, reported };
        sentence.baseline()?;
        Ok(sentence)
    }

    /// `the baseline` names the row that the scope's rows are compared with.
    fn baseline(&mut self) -> Result<(), Problem> {
        let words = self.tokens.iter().filter(|t| t.word() == "baseline").map(|t| t.place.clone());
        for place in words.collect::<Vec<_>>() {
            let mut sources = Vec::new();
            for source in &self.scope.sources {
                sources.extend(self.world.partner(source)?);
            }
            sources.dedup_by(|a, b| a.name == b.name);
            let taken = self.mentions.iter().any(|m| m.place.start < place.end && place.start < m.place.end);
            if !sources.is_empty() && !taken {
                self.mentions.push(Mention { place, sources });
            }
        }
        self.mentions.sort_by_key(|m| m.place.start);
        Ok(())
    }

    /// The claims of the sentence in their order.
    pub(super) fn claims(&self) -> Result<Vec<Claim>, Problem> {
        if self.unit.text.ends_with('?') {
            return Ok(Vec::new());
        }
        let mut found: Vec<(Range<usize>, Judged)> = Vec::new();
        for phrase in &self.phrases {
            found.extend(self.comparison(phrase)?);
        }
        for figure in &self.figures {
            found.extend(self.figure(figure)?.map(|judged| (figure.place.clone(), judged)));
        }
        found.sort_by_key(|(place, _)| place.start);
        Ok(found.into_iter().map(|(place, judged)| self.claim(&place, judged)).collect())
    }

    fn claim(&self, place: &Range<usize>, judged: Judged) -> Claim {
        let one_line = |text: &str| printable(text).split_whitespace().collect::<Vec<_>>().join(" ");
        Claim {
            path: self.path.to_string(),
            line: self.unit.line_at(place.start),
            claim: one_line(&self.unit.text[place.clone()]),
            text: one_line(self.unit.text.trim_matches(|c: char| c == '|' || c.is_whitespace())),
            verdict: judged.verdict,
            why: printable(&judged.why),
            sources: judged.sources,
            p: judged.p.map(|p| (p * 1e6).round() / 1e6),
            alpha: judged.alpha,
        }
    }

    /// Whether some word of the sentence begins with one of these.
    pub(super) fn says(&self, beginnings: &[&str]) -> bool {
        self.tokens.iter().any(|t| beginnings.iter().any(|b| t.word().starts_with(b)))
    }

    /// Whether what stands behind a place is supposed, and not said: `we expect that`, `A would beat B`. `As expected, A
    /// beats B` says it.
    pub(super) fn supposes(&self, before: usize) -> bool {
        const WORDS: [&str; 13] = [
            "would",
            "might",
            "may",
            "could",
            "should",
            "expect",
            "expects",
            "predict",
            "predicts",
            "if",
            "whether",
            "hypothesis",
            "unless",
        ];
        let ahead = self.tokens.iter().take_while(|t| t.place.start < before);
        let to = |at: usize| self.tokens.get(at + 1).is_some_and(|t| t.word() == "to");
        ahead.enumerate().any(|(at, t)| WORDS.contains(&t.word()) || t.word() == "expected" && to(at))
    }

    /// Whether it cites what was read, as `[@key]`.
    pub(super) fn cites_reading(&self) -> bool {
        self.unit.text.contains("[@")
    }

    /// The words of the sentence between two places.
    pub(super) fn between(&self, place: Range<usize>) -> impl Iterator<Item = &str> {
        self.tokens.iter().filter(move |t| place.start <= t.place.start && t.place.end <= place.end).map(Token::word)
    }

    /// How long the sentence is.
    pub(super) fn end(&self) -> usize {
        self.unit.text.len()
    }

    /// The metric that a place speaks of: the split and the quantity that are named nearest, in the words behind it
    /// first; none when none is named.
    pub(super) fn metric_at(&self, place: &Range<usize>) -> Option<Metric> {
        let known = |t: &&Token| ["val/", "test/", "train/"].iter().any(|p| t.word().starts_with(p));
        if let Some(token) = self.tokens.iter().filter(known).min_by_key(|t| t.place.start.abs_diff(place.start)) {
            return Some(Metric { split: None, quantity: None, name: Some(token.word().to_string()) });
        }
        const NAMES: [&str; 14] = [
            "test",
            "val",
            "validation",
            "train",
            "training",
            "accuracy",
            "acc",
            "loss",
            "error",
            "set",
            "top-1",
            "mean",
            "on",
            "the",
        ];
        let behind = self.tokens.iter().filter(|t| t.place.start >= place.end).take(5);
        let behind: Vec<&Token> = behind.take_while(|t| NAMES.contains(&t.word())).collect();
        let before = self.tokens.iter().rev().filter(|t| t.place.end <= place.start);
        let head =
            self.unit.cells.iter().find(|(_, cell)| cell.contains(&place.start)).map(|(head, _)| head.to_lowercase());
        let head: Vec<&str> = head.as_deref().map_or_else(Vec::new, |h| h.split_whitespace().collect());
        let words = head.into_iter().chain(behind.into_iter().map(Token::word)).chain(before.map(Token::word));
        let words: Vec<&str> = words.collect();
        let split = words.iter().find_map(|w| match *w {
            "test" => Some("test"),
            "val" | "validation" => Some("val"),
            "train" | "training" if words.contains(&"accuracy") || words.contains(&"loss") => Some("train"),
            _ => None,
        });
        let quantity = words.iter().find_map(|w| match *w {
            "accuracy" | "acc" => Some("accuracy"),
            "loss" | "losses" => Some("loss"),
            "error" | "errors" => Some("error"),
            _ => None,
        });
        (split.is_some() || quantity.is_some()).then_some(Metric { split, quantity, name: None })
    }
}

/// A metric as a sentence names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Metric {
    split: Option<&'static str>,
    quantity: Option<&'static str>,
    name: Option<String>,
}

impl Metric {
    /// Its name among a source's results, and whether it is one less that (an error for an accuracy).
    pub(super) fn of(this: Option<&Self>, source: &Source) -> (String, bool) {
        let ranked = source.rule.metric.clone();
        let Some(metric) = this else { return (ranked, false) };
        if let Some(name) = &metric.name {
            return (name.clone(), false);
        }
        let (split, quantity) = ranked.split_once('/').unwrap_or(("val", "accuracy"));
        let split = metric.split.unwrap_or(split);
        match metric.quantity {
            Some("error") if !source.seeds.contains_key(&format!("{split}/error")) => {
                (format!("{split}/accuracy"), true)
            }
            other => (format!("{split}/{}", other.unwrap_or(quantity)), false),
        }
    }
}

/// Names that only the scope's own sources have: experiments and labels that are plain words, and the words that tell
/// one from the others.
fn own_names(scope: &Scope, text: &str, mentions: &mut Vec<Mention>) {
    let mut names: BTreeMap<String, Vec<Rc<Source>>> = BTreeMap::new();
    let mut add = |name: String, source: &Rc<Source>| {
        for name in [name.to_lowercase(), flat(&name)] {
            super::world::push(names.entry(name).or_default(), Rc::clone(source));
        }
    };
    let words: Vec<BTreeSet<String>> = scope.sources.iter().map(|s| s.words()).collect();
    for (index, source) in scope.sources.iter().enumerate() {
        called(&source.label).into_iter().chain(source.experiment.clone()).for_each(|name| add(name, source));
        if scope.sources.len() > 1 && !scope.wide {
            let others = |word: &String| words.iter().enumerate().any(|(i, w)| i != index && w.contains(word));
            let telling = words[index].iter().filter(|w| !COMMON.contains(&w.as_str()) && !others(w));
            telling.for_each(|word| add(word.clone(), source));
        }
    }
    let (lower, spaced) = (text.to_lowercase(), flat(text));
    if lower.len() != text.len() {
        return;
    }
    for (name, sources) in names.into_iter().rev() {
        let places = lower.match_indices(&name).chain(spaced.match_indices(&name)).map(|(at, _)| at);
        for at in places.collect::<BTreeSet<_>>() {
            let place = at..at + name.len();
            let before = lower[..at].chars().next_back();
            let begins = !before.is_some_and(|c| c.is_alphanumeric() || "_-/.".contains(c));
            if !begins || !ends_here(&lower[place.end..]) || !name.contains(char::is_alphabetic) {
                continue;
            }
            let other = mentions.iter().position(|m| m.place.start < place.end && place.start < m.place.end);
            let longer = |m: &Mention| m.place.len() > place.len();
            match other {
                Some(index) if longer(&mentions[index]) => {}
                Some(index) => mentions[index] = Mention { place, sources: sources.clone() },
                None => mentions.push(Mention { place, sources: sources.clone() }),
            }
        }
    }
    mentions.sort_by_key(|m| m.place.start);
}

/// A name in small letters in which hyphens and underscores are blanks: `PC-CNN v2` for `pc_cnn_v2`.
fn flat(name: &str) -> String {
    name.to_lowercase().replace(['-', '_'], " ")
}

/// Words that tell nothing apart although they may stand in one label only.
const COMMON: [&str; 24] = [
    "with", "and", "of", "on", "in", "the", "for", "no", "without", "plus", "net", "nets", "model", "at", "to", "by",
    "is", "seed", "seeds", "true", "false", "new", "from", "layer",
];
