//! A sentence as words, numbers and signs, each with its place.

use std::ops::Range;

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    /// Where it stands.
    pub(super) place: Range<usize>,
    /// What it is.
    pub(super) kind: Kind,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A word in small letters; also what has digits and is no number, such as `v2` or `784-256`.
    Word(String),
    /// A number that stands alone.
    Number(Number),
    /// Any other character.
    Sign(char),
}

/// A printed number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number {
    /// Its value, without a sign in front.
    pub(super) value: f64,
    /// Digits behind the point.
    pub(super) digits: i32,
    /// It is written with a decimal comma, which other readers take for thousands.
    pub(super) comma: bool,
}

impl Token {
    /// The word, or nothing.
    pub(super) fn word(&self) -> &str {
        match &self.kind {
            Kind::Word(word) => word,
            _ => "",
        }
    }

    /// The number.
    pub(super) fn number(&self) -> Option<Number> {
        match self.kind {
            Kind::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Whether it is one of these characters.
    pub(super) fn is(&self, signs: &str) -> bool {
        matches!(self.kind, Kind::Sign(sign) if signs.contains(sign))
    }
}

/// The tokens of a sentence.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let place = |from: usize, to: usize| chars[from].0..chars.get(to).map_or(text.len(), |(at, _)| *at);
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at].1;
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let end = if c.is_ascii_digit() { number_end(&chars, at) } else { at };
        if end > at && !joined(&chars, end) {
            let place = place(at, end);
            found.push(Token { kind: Kind::Number(number(&text[place.clone()])), place });
            at = end;
        } else if c.is_alphanumeric() {
            let end = word_end(&chars, at);
            let place = place(at, end);
            found.push(Token { kind: Kind::Word(text[place.clone()].to_lowercase()), place });
            at = end;
        } else {
            found.push(Token { place: place(at, at + 1), kind: Kind::Sign(c) });
            at += 1;
        }
    }
    found
}

/// Where a number that begins here ends: digits, groups of thousands, a point with digits.
fn number_end(chars: &[(usize, char)], from: usize) -> usize {
    let digit = |at: usize| chars.get(at).is_some_and(|(_, c)| c.is_ascii_digit());
    let mut end = from;
    while digit(end) {
        end += 1;
    }
    while chars.get(end).is_some_and(|(_, c)| matches!(c, '.' | ',')) && digit(end + 1) {
        end += 1;
        while digit(end) {
            end += 1;
        }
    }
    end
}

/// Whether something is joined to the number so that it is a name: a letter (units of points apart), a hyphen before
/// a letter, two hyphens with digits as in dates and layer sizes.
fn joined(chars: &[(usize, char)], end: usize) -> bool {
    let get = |at: usize| chars.get(at).map(|(_, c)| *c);
    let word: String = chars[end..].iter().map(|(_, c)| *c).take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    match get(end) {
        Some(c) if c.is_alphabetic() || c == '_' => !matches!(word.as_str(), "pp" | "points" | "percent"),
        Some('×' | '/' | ':') => get(end + 1).is_some_and(|c| c.is_alphanumeric()),
        Some('-') => match get(end + 1) {
            Some(c) if c.is_alphabetic() => true,
            Some(c) if c.is_ascii_digit() => {
                let next = number_end(chars, end + 1);
                get(next) == Some('-') || get(next).is_some_and(char::is_alphabetic)
            }
            _ => false,
        },
        _ => false,
    }
}

fn word_end(chars: &[(usize, char)], from: usize) -> usize {
    let inner = |c: char| matches!(c, '-' | '_' | '/' | '\'' | '’' | '.' | '=' | '×' | ':' | '@');
    let mut end = from + 1;
    while let Some((_, c)) = chars.get(end) {
        let next = chars.get(end + 1).is_some_and(|(_, n)| n.is_alphanumeric());
        // `n=5` and `p=0.03` are a word, a sign and a number.
        let assigned = *c == '=' && end - from == 1 && matches!(chars[from].1, 'n' | 'p' | 'N' | 'P');
        if c.is_alphanumeric() || inner(*c) && next && !assigned {
            end += 1;
        } else {
            break;
        }
    }
    end
}

fn number(text: &str) -> Number {
    let digits = |tail: &str| i32::try_from(tail.len()).unwrap_or(i32::MAX);
    let read = |text: &str| text.parse().unwrap_or(f64::NAN);
    let groups: Vec<&str> = text.split(',').collect();
    if let [whole, rest @ ..] = groups.as_slice()
        && !rest.is_empty()
    {
        let (last, _) = rest.last().map_or(("", ""), |l| l.split_once('.').unwrap_or((l, "")));
        let thousands = !whole.starts_with('0')
            && whole.len() <= 3
            && rest[..rest.len() - 1].iter().all(|g| g.len() == 3)
            && last.len() == 3;
        if !thousands {
            return Number { value: read(&text.replace(',', ".")), digits: digits(last), comma: true };
        }
    }
    let plain = text.replace(',', "");
    // `3.2.1` is a version: no number equals it.
    let tail = plain.split_once('.').map_or("", |(_, tail)| tail);
    Number { value: read(&plain), digits: digits(tail), comma: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<f64> {
        tokens(text).iter().filter_map(Token::number).map(|n| n.value).filter(|v| v.is_finite()).collect()
    }

    #[test]
    fn names_dates_and_versions_are_no_numbers() {
        for text in
            ["ResNet-18 v2 784-256-128-10", "2026-01-02 10b T=25 28×28 3.2.1 617k 2-layer", "mnist_8 seed-0 12:30"]
        {
            assert_eq!(numbers(text), [] as [f64; 0], "{text}");
        }
        assert_eq!(
            numbers("98.2% (n=5), p=0.03, 0.3pp, 98.02-98.24 %, 55,000"),
            [98.2, 5.0, 0.03, 0.3, 98.02, 98.24, 55000.0]
        );
    }

    #[test]
    fn a_decimal_comma_is_told_from_thousands() {
        let comma = |text: &str| tokens(text)[0].number().unwrap().comma;
        assert!(comma("98,21") && comma("0,987") && comma("98,2"));
        assert!(!comma("55,000") && !comma("1,234,567") && !comma("98.21"));
    }
}
