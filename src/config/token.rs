//! The words that Hydra's override grammar and OmegaConf's interpolation grammar share: numbers, names, escapes.

use super::number::{parse_float, parse_int};
use super::value::Value;

/// A word of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Float,
    Int,
    Bool,
    Null,
    /// One of the other characters that need no quotes.
    Other,
    /// A name.
    Id,
    /// Backslash escapes.
    Escape,
    Blank,
}

/// The longest word at the start of `text` and its length; of equally long ones the first kind wins.
pub(super) fn word(text: &[char]) -> Option<(Word, usize)> {
    let kinds = [
        (Word::Float, float(text)),
        (Word::Int, signed(text, integer)),
        (Word::Bool, keyword(text, &["true", "false"])),
        (Word::Null, keyword(text, &["null"])),
        (Word::Other, usize::from(text.first().is_some_and(|c| "/-\\+.$%*@?|".contains(*c)))),
        (Word::Id, id(text)),
        (Word::Escape, escapes(text)),
        (Word::Blank, blanks(text)),
    ];
    let mut best: Option<(Word, usize)> = None;
    for (kind, length) in kinds {
        if length > best.map_or(0, |(_, longest)| longest) {
            best = Some((kind, length));
        }
    }
    best
}

/// The value of a word that stands alone.
pub(super) fn value(kind: Word, text: &str) -> Option<Value> {
    match kind {
        Word::Float => parse_float(text).map(Value::Float),
        Word::Int => parse_int(text).map(Value::Int),
        Word::Bool => Some(Value::Bool(text.eq_ignore_ascii_case("true"))),
        Word::Null => Some(Value::Null),
        Word::Escape => Some(Value::Str(unescape(text))),
        Word::Other | Word::Id | Word::Blank => Some(Value::Str(text.to_string())),
    }
}

/// Every second character: `\,\=` is `,=`.
pub(super) fn unescape(text: &str) -> String {
    text.chars().skip(1).step_by(2).collect()
}

/// The length of the blanks.
pub(super) fn blanks(text: &[char]) -> usize {
    text.iter().take_while(|c| matches!(c, ' ' | '\t')).count()
}

/// The length of a name: a letter or `_`, then letters, digits, `_` and `-`.
pub(super) fn id(text: &[char]) -> usize {
    match text.first() {
        Some(c) if c.is_ascii_alphabetic() || *c == '_' => {
            text.iter().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).count()
        }
        _ => 0,
    }
}

/// The length of digits in groups joined by single underscores.
fn digits(text: &[char]) -> usize {
    let mut length = 0;
    loop {
        let gap = usize::from(length > 0 && text.get(length) == Some(&'_'));
        if !text.get(length + gap).is_some_and(char::is_ascii_digit) {
            return length;
        }
        length += gap + 1;
    }
}

/// The length of an integer without a sign: `0`, or digits that do not begin with 0.
pub(super) fn integer(text: &[char]) -> usize {
    if text.first() == Some(&'0') { 1 } else { digits(text) }
}

fn signed(text: &[char], number: fn(&[char]) -> usize) -> usize {
    let sign = usize::from(matches!(text.first(), Some('+' | '-')));
    match number(&text[sign..]) {
        0 => 0,
        length => sign + length,
    }
}

fn float(text: &[char]) -> usize {
    signed(text, |body| {
        let special = keyword(body, &["inf", "nan"]);
        [point_float(body), exponent_float(body), special].into_iter().max().unwrap_or(0)
    })
}

/// `1.`, `.5`, `1.5`: the integer part may not begin with 0 unless it is 0.
fn point_float(text: &[char]) -> usize {
    let whole = integer(text);
    if text.get(whole) != Some(&'.') {
        return 0;
    }
    let fraction = digits(&text[whole + 1..]);
    if whole == 0 && fraction == 0 { 0 } else { whole + 1 + fraction }
}

fn exponent_float(text: &[char]) -> usize {
    let whole = point_float(text).max(integer(text));
    if whole == 0 || !matches!(text.get(whole), Some('e' | 'E')) {
        return 0;
    }
    let sign = usize::from(matches!(text.get(whole + 1), Some('+' | '-')));
    match digits(&text[whole + 1 + sign..]) {
        0 => 0,
        length => whole + 1 + sign + length,
    }
}

fn keyword(text: &[char], words: &[&str]) -> usize {
    let fits =
        |word: &&&str| word.chars().enumerate().all(|(i, c)| text.get(i).is_some_and(|t| t.to_ascii_lowercase() == c));
    words.iter().find(fits).map_or(0, |word| word.len())
}

fn escapes(text: &[char]) -> usize {
    let mut length = 0;
    while text.get(length) == Some(&'\\') && text.get(length + 1).is_some_and(|c| "\\()[]{}:=, \t".contains(*c)) {
        length += 2;
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_word_wins() {
        let first = |text: &str| word(&text.chars().collect::<Vec<_>>());
        assert_eq!(first("1e-3,"), Some((Word::Float, 4)));
        assert_eq!(first("007"), Some((Word::Int, 1)));
        assert_eq!(first("1_000"), Some((Word::Int, 5)));
        assert_eq!(first("1_"), Some((Word::Int, 1)));
        assert_eq!(first("inf"), Some((Word::Float, 3)));
        assert_eq!(first("info"), Some((Word::Id, 4)));
        assert_eq!(first("true"), Some((Word::Bool, 4)));
        assert_eq!(first("-x"), Some((Word::Other, 1)));
        assert_eq!(first("\\,\\="), Some((Word::Escape, 4)));
        assert_eq!(first("'"), None);
    }
}
