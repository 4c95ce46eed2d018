//! An override as tokens. Left of the first `=` stands a key, right of it a value; each side has its own tokens.

use crate::config::token::{Word, blanks, id, integer, word};

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Equal,
    Tilde,
    Plus,
    At,
    Slash,
    /// A key with a `$`.
    Special,
    /// `a.b.0`.
    DotPath,
    ParenOpen,
    ParenClose,
    Comma,
    BracketOpen,
    BracketClose,
    BraceOpen,
    BraceClose,
    Colon,
    Quoted,
    Interpolation,
    /// A number, name or other character.
    Word(Word),
}

/// A token with its text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
    /// Where it starts, in characters from 0.
    pub(super) at: usize,
}

/// The tokens of an override, or what cannot be one and where.
pub(super) fn tokens(line: &str) -> Result<Vec<Token>, String> {
    let chars: Vec<char> = line.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut in_value) = (0, false);
    while at < chars.len() {
        let found = if in_value { value_token(&chars[at..]) } else { key_token(&chars[at..]) };
        let Some((kind, length)) = found else {
            return Err(unexpected(&chars, at));
        };
        in_value = in_value || kind == Kind::Equal;
        tokens.push(Token { kind, text: chars[at..at + length].iter().collect(), at });
        at += length;
    }
    Ok(tokens)
}

fn unexpected(chars: &[char], at: usize) -> String {
    match chars[at] {
        quote @ ('\'' | '"') => format!("the quote {quote} at character {} is never closed", at + 1),
        c => format!("unexpected `{c}` at character {}", at + 1),
    }
}

fn key_token(text: &[char]) -> Option<(Kind, usize)> {
    let single = match text[0] {
        '=' => return Some((Kind::Equal, 1 + blanks(&text[1..]))),
        '~' => Some(Kind::Tilde),
        '+' => Some(Kind::Plus),
        '@' => Some(Kind::At),
        ':' => Some(Kind::Colon),
        '/' => Some(Kind::Slash),
        _ => None,
    };
    if let Some(kind) = single {
        return Some((kind, 1));
    }
    let candidates =
        [(Kind::Word(Word::Id), id(text)), (Kind::Special, special(text)), (Kind::DotPath, dot_path(text))];
    longest(&candidates)
}

/// The longest candidate; of equally long ones the first.
fn longest(candidates: &[(Kind, usize)]) -> Option<(Kind, usize)> {
    let mut best: Option<(Kind, usize)> = None;
    for (kind, length) in candidates {
        if *length > best.map_or(0, |(_, longest)| longest) {
            best = Some((*kind, *length));
        }
    }
    best
}

/// A name that may hold `$`.
fn special(text: &[char]) -> usize {
    match text.first() {
        Some(c) if c.is_ascii_alphabetic() || matches!(c, '_' | '$') => {
            text.iter().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$')).count()
        }
        _ => 0,
    }
}

/// Names and indices joined by dots; at least two.
fn dot_path(text: &[char]) -> usize {
    let step = |text: &[char]| special(text).max(integer(text));
    let mut length = step(text);
    let mut steps = usize::from(length > 0);
    while steps > 0 && text.get(length) == Some(&'.') {
        match step(&text[length + 1..]) {
            0 => break,
            more => length += 1 + more,
        }
        steps += 1;
    }
    if steps > 1 { length } else { 0 }
}

fn value_token(text: &[char]) -> Option<(Kind, usize)> {
    let skip = blanks(text);
    let after = |length: usize| length + blanks(&text[length..]);
    // Signs that swallow the blanks before them (and some those behind).
    let sign = match text.get(skip) {
        Some('(') => Some((Kind::ParenOpen, after(skip + 1))),
        Some(',') => Some((Kind::Comma, after(skip + 1))),
        Some(')') => Some((Kind::ParenClose, skip + 1)),
        Some(']') => Some((Kind::BracketClose, skip + 1)),
        Some('}') => Some((Kind::BraceClose, skip + 1)),
        Some(':') => Some((Kind::Colon, after(skip + 1))),
        Some('=') => Some((Kind::Equal, after(skip + 1))),
        Some('[') if skip == 0 => Some((Kind::BracketOpen, after(1))),
        Some('{') if skip == 0 => Some((Kind::BraceOpen, after(1))),
        _ => None,
    };
    if sign.is_some() {
        return sign;
    }
    let plain = word(text).map(|(kind, length)| (Kind::Word(kind), length));
    let (kind, length) = plain.unwrap_or((Kind::Quoted, 0));
    longest(&[(kind, length), (Kind::Quoted, quoted(text)), (Kind::Interpolation, interpolation(text))])
}

/// The length up to the first closing quote that an even number of backslashes precedes.
fn quoted(text: &[char]) -> usize {
    let Some(quote @ ('\'' | '"')) = text.first().copied() else { return 0 };
    let mut slashes = 0;
    for (at, c) in text.iter().enumerate().skip(1) {
        if *c == quote && slashes % 2 == 0 {
            return at + 1;
        }
        slashes = if *c == '\\' { slashes + 1 } else { 0 };
    }
    0
}

/// `${` up to the first `}`, with something between.
fn interpolation(text: &[char]) -> usize {
    if !text.starts_with(&['$', '{']) {
        return 0;
    }
    match text.iter().position(|c| *c == '}') {
        Some(end) if end > 2 => end + 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(line: &str) -> Vec<Kind> {
        tokens(line).unwrap().into_iter().map(|t| t.kind).collect()
    }

    #[test]
    fn both_sides_have_their_own_tokens() {
        assert_eq!(kinds("a.b=1"), [Kind::DotPath, Kind::Equal, Kind::Word(Word::Int)]);
        assert_eq!(
            kinds("+db@src= x"),
            [Kind::Plus, Kind::Word(Word::Id), Kind::At, Kind::Word(Word::Id), Kind::Equal, Kind::Word(Word::Id)]
        );
        assert_eq!(kinds("a='it\\'s'"), [Kind::Word(Word::Id), Kind::Equal, Kind::Quoted]);
        assert_eq!(kinds("a=${b}"), [Kind::Word(Word::Id), Kind::Equal, Kind::Interpolation]);
        assert!(tokens("a='x").is_err() && tokens("a b=1").is_err() && tokens("ä=1").is_err());
    }
}
