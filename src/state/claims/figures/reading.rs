//! One number of a sentence, read by what stands around it.

use super::{Scale, What, count};
use crate::state::claims::units::Unit;
use crate::state::claims::words::{Kind, Number, Token};

/// A number of a sentence and what stands around it.
pub(super) struct Reading<'a> {
    pub(super) unit: &'a Unit,
    pub(super) tokens: &'a [Token],
    pub(super) at: usize,
    pub(super) number: Number,
}

/// Words behind a bare percentage that leave it a result; another word makes it a share of what the word names.
const OPEN: [&str; 52] = [
    "",
    "accuracy",
    "acc",
    "val",
    "validation",
    "test",
    "train",
    "training",
    "top-1",
    "correct",
    "error",
    "mean",
    "on",
    "over",
    "at",
    "with",
    "for",
    "in",
    "and",
    "or",
    "after",
    "from",
    "to",
    "against",
    "than",
    "but",
    "by",
    "while",
    "when",
    "as",
    "is",
    "was",
    "are",
    "were",
    "which",
    "that",
    "where",
    "reported",
    "across",
    "without",
    "both",
    "not",
    "only",
    "here",
    "now",
    "if",
    "the",
    "compared",
    "versus",
    "vs",
    "respectively",
    "under",
];

impl Reading<'_> {
    fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", Token::word)
    }

    fn is(&self, at: usize, signs: &str) -> bool {
        self.tokens.get(at).is_some_and(|t| t.is(signs))
    }

    fn before(&self, steps: usize) -> Option<&Token> {
        self.tokens.get(self.at.checked_sub(steps)?)
    }

    fn in_letters(&self) -> bool {
        self.tokens[self.at].number().is_none()
    }

    /// `n = 5`, `over five seeds`, and a cell below the head `n` or `Seeds`.
    pub(super) fn seeds(&self) -> Option<(What, usize)> {
        let whole = self.number.digits == 0 && !self.number.comma;
        let assigned = self.before(1).is_some_and(|t| t.is("=")) && self.before(2).is_some_and(|t| t.word() == "n");
        let seeds = matches!(self.word(self.at + 1), "seeds" | "seed");
        let lead = self.before(1).is_some_and(|t| {
            matches!(t.word(), "over" | "across" | "on" | "from" | "all" | "of" | "with" | "the" | "these") || t.is("(")
        });
        let some_of_them =
            self.before(2).is_some_and(|t| t.word() == "of") || self.before(1).is_some_and(|t| t.word() == "of");
        let mean_of = self.before(2).is_some_and(|t| matches!(t.word(), "mean" | "average" | "means"));
        if whole
            && (assigned
                || seeds && lead && (!some_of_them || mean_of || self.before(3).is_some_and(|t| count(t).is_some())))
        {
            return Some((What::Seeds(self.number.value), self.at + 1 + usize::from(seeds)));
        }
        let column = self.column().is_some_and(|head| matches!(head.as_str(), "n" | "seeds"));
        let alone = !self.is(self.at + 1, "-–,") && !self.before(1).is_some_and(|t| t.is("-–,"));
        (whole && column && alone && !self.in_letters()).then_some((What::Seeds(self.number.value), self.at + 1))
    }

    /// The head of the column, in small letters.
    fn column(&self) -> Option<String> {
        let start = self.tokens[self.at].place.start;
        self.unit.cells.iter().find(|(_, place)| place.contains(&start)).map(|(head, _)| head.trim().to_lowercase())
    }

    /// `p = 0.03`, `p < 0.05`, `p-value of 0.3`, `p 0.2`.
    pub(super) fn p(&self) -> Option<(What, usize)> {
        if self.in_letters() || self.number.value > 1.0 {
            return None;
        }
        let named = |steps: usize| self.before(steps).is_some_and(|t| matches!(t.word(), "p" | "p-value" | "p-values"));
        let joint = |t: &Token| t.is("=<>≤≥≈~") || matches!(t.word(), "of" | "is" | "was" | "value");
        let mut steps = 1;
        while steps <= 4 && self.before(steps).is_some_and(joint) {
            steps += 1;
        }
        let column = self.column().is_some_and(|head| matches!(head.as_str(), "p" | "p-value"));
        (named(steps) || column).then_some((What::P(self.number), self.at + 1))
    }

    /// `between 98.02 and 98.24 %`, `98.02 to 98.24 %`, `98.02-98.24 %`.
    pub(super) fn range(&self) -> Option<(What, usize)> {
        let mut second = self.at + 1;
        let first_unit = self.percent(second);
        second += first_unit.unwrap_or(0);
        let between = self.before(1).is_some_and(|t| matches!(t.word(), "between" | "from"));
        let joined = self.is(second, "-–—") || self.word(second) == "to" || between && self.word(second) == "and";
        let high = self.tokens.get(second + 1).and_then(Token::number).filter(|_| joined)?;
        let unit = self.percent(second + 2);
        if unit.is_none() && first_unit.is_none() {
            return None;
        }
        let what = What::Between { low: self.number, high, unit: Scale::Percent };
        Some((what, second + 2 + unit.unwrap_or(0)))
    }

    /// How many tokens say `per cent` at a place.
    fn percent(&self, at: usize) -> Option<usize> {
        match self.word(at) {
            "percent" => Some(1),
            "per" if self.word(at + 1) == "cent" => Some(2),
            _ => self.is(at, "%").then_some(1),
        }
    }

    /// How many tokens say `percentage points` at a place.
    fn points(&self, at: usize) -> Option<usize> {
        match (self.word(at), self.word(at + 1)) {
            ("pp" | "p.p" | "points" | "point", _) => Some(1),
            ("percentage" | "percent", "points" | "point") => Some(2),
            _ if self.is(at, "%") && matches!(self.word(at + 1), "points" | "point") => Some(2),
            _ => None,
        }
    }

    /// `two points better`, `by one percentage point`. In letters it is a difference where the words around it say so: a
    /// point may also be one that is made.
    fn in_words(&self) -> Option<(What, usize)> {
        let end = self.at + 1;
        let length = self.points(end).or_else(|| self.percent(end).filter(|_| self.by()))?;
        const THAN: [&str; 8] = ["better", "worse", "higher", "lower", "above", "below", "ahead", "behind"];
        let compared = length == 2 || self.by() || THAN.contains(&self.word(end + length));
        compared.then_some((What::Points { value: self.number, sign: None }, end + length))
    }

    pub(super) fn value(&self) -> Option<(What, usize)> {
        if self.in_letters() {
            return self.in_words();
        }
        let (mut end, mut std) = (self.at + 1, None);
        let mut unit = None;
        let points = self.points(end).or_else(|| self.points_column());
        if let Some(length) = points {
            let sign = self.sign();
            return Some((What::Points { value: self.number, sign }, end + length));
        }
        let deviation = |at: usize| self.is(at, "±").then(|| self.tokens.get(at + 1)?.number()).flatten();
        for _ in 0..2 {
            if let (None, Some(length)) = (unit, self.percent(end)) {
                (unit, end) = (Some(Scale::Percent), end + length);
            }
            if let (None, Some(number)) = (std, deviation(end)) {
                (std, end) = (Some(number), end + 2);
            }
        }
        let what = |unit| What::Value { value: self.number, unit, std };
        match (unit, std) {
            (_, Some(_)) => Some((what(unit.unwrap_or(Scale::Unsaid)), end)),
            (Some(_), None) if self.by() || self.sign().is_some() => {
                Some((What::Points { value: self.number, sign: self.sign() }, end))
            }
            (Some(_), None) => self.share(end).map(|other| (other.unwrap_or(what(Scale::Percent)), end)),
            (None, None) if self.is_named_value() || self.is_result_column() => Some((what(Scale::Unsaid), end)),
            (None, None) => None,
        }
    }

    /// What a bare percentage says by the words behind it: `Some(None)` a result, `None` a share of something else.
    fn share(&self, end: usize) -> Option<Option<What>> {
        let next = self.word(end);
        if matches!(next, "fewer" | "less" | "more") && self.word(end + 1).starts_with("parameter") {
            return Some(Some(What::Parameters { value: self.number, fewer: next != "more" }));
        }
        if next == "of" {
            let images =
                (end + 1..end + 6).any(|at| matches!(self.word(at), "images" | "examples" | "samples" | "digits"));
            let right = |t: &Token| ["correct", "right", "recogni", "classif"].iter().any(|w| t.word().starts_with(w));
            return (images && self.tokens.iter().any(right)).then_some(None);
        }
        (OPEN.contains(&next) && !self.is_portion()).then_some(None)
    }

    /// `(cross-entropy 90 %, energy 10 %)`: a whole percentage behind a word, in parentheses, is a portion of a mixture.
    fn is_portion(&self) -> bool {
        let opened = self.tokens[..self.at].iter().filter(|t| t.is("(")).count();
        let closed = self.tokens[..self.at].iter().filter(|t| t.is(")")).count();
        let word = self.before(1).map_or("", Token::word);
        const RESULT: [&str; 12] =
            ["accuracy", "acc", "val", "validation", "test", "mean", "at", "of", "to", "about", "only", "and"];
        opened > closed
            && self.number.digits == 0
            && !word.is_empty()
            && !RESULT.contains(&word)
            && word.contains(char::is_lowercase)
            && !word.contains(|c: char| c.is_ascii_digit() || c == '_')
    }

    /// `by 3 %` after a comparison is a difference.
    fn by(&self) -> bool {
        let mut steps = 1;
        while self.before(steps).is_some_and(|t| matches!(t.word(), "about" | "only" | "nearly" | "up" | "to")) {
            steps += 1;
        }
        self.before(steps).is_some_and(|t| t.word() == "by")
    }

    fn points_column(&self) -> Option<usize> {
        let head = self.column()?;
        let delta = ["delta", "difference", "Δ", "δ", "pp", "gain"].iter().any(|w| head.contains(w));
        (delta && self.percent(self.at + 1).is_none()).then_some(0)
    }

    /// A cell below a head that names results.
    fn is_result_column(&self) -> bool {
        let named = |head: String| {
            ["accuracy", "acc", "mean", "%", "per cent", "val/", "test/"].iter().any(|w| head.contains(w))
        };
        self.number.digits > 0 && self.column().is_some_and(named)
    }

    /// `accuracy of 0.9821`, `val/loss is 0.12`: a decimal number shortly behind a metric's name.
    fn is_named_value(&self) -> bool {
        let metric = |t: &Token| {
            let word = t.word();
            matches!(word, "accuracy" | "acc" | "loss" | "error")
                || ["val/", "test/", "train/"].iter().any(|p| word.starts_with(p))
        };
        let joint = |t: &Token| {
            const JOINTS: [&str; 21] = [
                "of", "is", "was", "at", "to", "a", "the", "mean", "about", "around", "near", "above", "below",
                "final", "ends", "reaches", "falls", "rises", "over", "under", "from",
            ];
            JOINTS.contains(&t.word()) || t.is("=:≈~<>≤≥(")
        };
        let mut steps = 1;
        while steps <= 4 && self.before(steps).is_some_and(joint) {
            steps += 1;
        }
        if self.number.digits == 0 {
            return false;
        }
        // `the val/loss of the CNN is 0.0083`, `0.9906 accuracy`.
        let stated = self.before(1).is_some_and(|t| matches!(t.word(), "is" | "was" | "reaches") || t.is("=:"));
        let path = |t: &Token| ["val/", "test/", "train/"].iter().any(|p| t.word().starts_with(p));
        let path = self.tokens[..self.at].iter().rev().take(9).any(path);
        let behind = self.tokens.get(self.at + 1).is_some_and(|t| matches!(t.word(), "accuracy" | "acc"));
        self.before(steps).is_some_and(metric) || stated && path || behind
    }

    /// The printed sign.
    fn sign(&self) -> Option<f64> {
        let token = self.before(1)?;
        let glued = token.place.end == self.tokens[self.at].place.start;
        let free = self
            .before(2)
            .is_none_or(|t| t.place.end < token.place.start || !matches!(t.kind, Kind::Number(_) | Kind::Word(_)));
        match token.kind {
            Kind::Sign('+') if glued && free => Some(1.0),
            Kind::Sign('-' | '−' | '–') if glued && free => Some(-1.0),
            _ => None,
        }
    }
}
