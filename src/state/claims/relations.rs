//! The comparisons that a sentence makes: the words that say which of two things is better.

use std::ops::Range;

use super::words::Token;

/// What is said of the first thing against the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// It is better.
    Better,
    /// It is worse.
    Worse,
    /// It is not told apart from it.
    Level,
    /// It differs, one way or the other.
    Different,
    /// It is not worse.
    NotWorse,
    /// It is not better.
    NotBetter,
}

/// Whether words speak of how good something is, or of how large a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    /// Better and worse.
    Quality,
    /// Higher and lower.
    Size,
}

/// A comparison's words in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Phrase {
    /// Where they stand.
    pub(super) place: Range<usize>,
    /// What they say.
    pub(super) relation: Relation,
    /// Of what.
    pub(super) axis: Axis,
    /// Both things follow, as in `between A and B`.
    pub(super) both_follow: bool,
    /// It is said of every pair.
    pub(super) everywhere: bool,
}

use Axis::{Quality, Size};
use Relation::{Better, Different, Level, NotBetter, NotWorse, Worse};

/// Phrases, longer ones before their beginnings. A `~` stands for any ending of the word.
const PHRASES: [(&str, Relation, Axis); 75] = [
    ("at least as good as", NotWorse, Quality),
    ("at least as high as", NotWorse, Size),
    ("at most as good as", NotBetter, Quality),
    ("at most as high as", NotBetter, Size),
    ("no better than", NotBetter, Quality),
    ("no worse than", NotWorse, Quality),
    ("no higher than", NotBetter, Size),
    ("no lower than", NotWorse, Size),
    ("no different from", Level, Quality),
    ("no significant difference", Level, Quality),
    ("no measurable difference", Level, Quality),
    ("no clear difference", Level, Quality),
    ("no difference", Level, Quality),
    ("not separated from", Level, Quality),
    ("not distinguishable from", Level, Quality),
    ("not told apart from", Level, Quality),
    ("cannot be told apart from", Level, Quality),
    ("indistinguishable from", Level, Quality),
    ("level with", Level, Quality),
    ("on par with", Level, Quality),
    ("on a par with", Level, Quality),
    ("as good as", Level, Quality),
    ("as well as", Level, Quality),
    ("as bad as", Level, Quality),
    ("as accurate as", Level, Quality),
    ("comparable to", Level, Quality),
    ("comparable with", Level, Quality),
    ("equal to", Level, Quality),
    ("equals", Level, Quality),
    ("the same as", Level, Quality),
    ("match~", Level, Quality),
    ("ties with", Level, Quality),
    ("in agreement with", Level, Quality),
    ("agree~ with", Level, Quality),
    ("reproduc~", Level, Quality),
    ("differ~ from", Different, Quality),
    ("falls short of", Worse, Quality),
    ("fall short of", Worse, Quality),
    ("fell short of", Worse, Quality),
    ("beat~", Better, Quality),
    ("outperform~", Better, Quality),
    ("surpass~", Better, Quality),
    ("overtak~", Better, Quality),
    ("outdo~", Better, Quality),
    ("exceed~", Better, Size),
    ("better than", Better, Quality),
    ("superior to", Better, Quality),
    ("ahead of", Better, Quality),
    ("more accurate than", Better, Quality),
    ("improv~ on", Better, Quality),
    ("improv~ over", Better, Quality),
    ("improv~ upon", Better, Quality),
    ("win~ over", Better, Quality),
    ("win~ against", Better, Quality),
    ("gain~ over", Better, Quality),
    ("higher than", Better, Size),
    ("greater than", Better, Size),
    ("above", Better, Size),
    ("worse than", Worse, Quality),
    ("inferior to", Worse, Quality),
    ("less accurate than", Worse, Quality),
    ("underperform~", Worse, Quality),
    ("trail~", Worse, Quality),
    ("lag~", Worse, Quality),
    ("behind", Worse, Quality),
    ("los~ to", Worse, Quality),
    ("los~ against", Worse, Quality),
    ("lower than", Worse, Size),
    ("smaller than", Worse, Size),
    ("below", Worse, Size),
    ("the best of", Better, Quality),
    ("the best among", Better, Quality),
    ("the worst of", Worse, Quality),
    ("as high as", NotWorse, Size),
    ("reach~", NotWorse, Quality),
];

/// The comparisons of a sentence in order.
pub(super) fn phrases(tokens: &[Token]) -> Vec<Phrase> {
    let words: Vec<&str> = tokens.iter().map(Token::word).collect();
    let mut found: Vec<Phrase> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let Some((length, relation, axis)) = phrase_at(&words[at..]) else {
            at += 1;
            continue;
        };
        let place = tokens[at].place.start..tokens[at + length - 1].place.end;
        let (negated, everywhere) = negation(tokens, at);
        let relation = if negated { relation.denied() } else { relation };
        let both_follow = words.get(at + length) == Some(&"between");
        found.push(Phrase { place, relation, axis, both_follow, everywhere });
        at += length;
    }
    found
}

fn phrase_at(words: &[&str]) -> Option<(usize, Relation, Axis)> {
    let fits = |phrase: &str| {
        let parts: Vec<&str> = phrase.split(' ').collect();
        let fit = parts.iter().zip(words).all(|(part, word)| match part.strip_suffix('~') {
            Some(stem) => word
                .strip_prefix(stem)
                .is_some_and(|e| matches!(e, "" | "s" | "es" | "ed" | "e" | "ing" | "en" | "t" | "ment")),
            None => part == word,
        });
        (fit && words.len() >= parts.len()).then_some(parts.len())
    };
    PHRASES.iter().find_map(|(phrase, relation, axis)| Some((fits(phrase)?, *relation, *axis)))
}

/// Whether a phrase is denied by a word shortly before it, or by `in no …` at the sentence's beginning; and whether it
/// is said of every case.
fn negation(tokens: &[Token], at: usize) -> (bool, bool) {
    let word = |i: usize| tokens[i].word();
    let near = (at.saturating_sub(5)..at).rev().take_while(|i| !tokens[*i].is(",;:()"));
    let denies = |w: &str| {
        matches!(w, "not" | "never" | "cannot" | "nor" | "neither" | "hardly" | "fails" | "failed" | "fail")
            || w.ends_with("n't")
            || w.ends_with("n’t")
    };
    let pair = tokens.iter().any(|t| t.word() == "neither");
    let denied = near.filter(|i| denies(word(*i)) && !(pair && word(*i) == "nor")).count() % 2 == 1;
    let no_case = tokens.windows(2).any(|w| w[0].word() == "in" && matches!(w[1].word(), "no" | "none"));
    let every = |w: &str| matches!(w, "every" | "all" | "each" | "always" | "everywhere" | "any");
    (denied != no_case, no_case || tokens.iter().any(|t| every(t.word())))
}

impl Relation {
    /// What is said when it is denied.
    pub(super) fn denied(self) -> Self {
        match self {
            Better => NotBetter,
            Worse => NotWorse,
            Level => Different,
            Different => Level,
            NotWorse => Worse,
            NotBetter => Better,
        }
    }

    /// The same with the two things changed over.
    pub(super) fn mirrored(self) -> Self {
        match self {
            Better => Worse,
            Worse => Better,
            NotWorse => NotBetter,
            NotBetter => NotWorse,
            same => same,
        }
    }

    /// The sign of the difference that it states, where it states one.
    pub(super) fn sign(self) -> Option<f64> {
        match self {
            Better => Some(1.0),
            Worse => Some(-1.0),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::tokens;
    use super::*;

    #[test]
    fn words_negations_and_their_opposites() {
        for (text, relation) in [
            ("GRU beats LSTM", Better),
            ("GRU does not beat LSTM", NotBetter),
            ("GRU doesn't outperform LSTM", NotBetter),
            ("TTFS is worse than rate", Worse),
            ("TTFS is no worse than rate", NotWorse),
            ("TTFS is not worse than rate", NotWorse),
            ("PC-CNN trails the CNN", Worse),
            ("A is level with B", Level),
            ("A is not level with B", Different),
            ("A loses to B", Worse),
            ("A falls short of B", Worse),
            ("A is at least as good as B", NotWorse),
            ("In no architecture does A reach B", Worse),
            ("A never reaches B", Worse),
            ("there is no difference between A and B", Level),
            ("A improves on B", Better),
        ] {
            let found = phrases(&tokens(text));
            assert_eq!(found.iter().map(|p| p.relation).collect::<Vec<_>>(), [relation], "{text}");
        }
        assert!(phrases(&tokens("The loss rises while the net overfits.")).is_empty());
        assert!(phrases(&tokens("no difference between A and B"))[0].both_follow);
        assert!(phrases(&tokens("worse in every architecture than, or worse than"))[0].everywhere);
    }
}
