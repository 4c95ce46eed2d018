//! Tokens to an override: the grammar of Hydra 1.3.

use super::functions::{Call, call};
use super::lexer::{Kind, Token, tokens};
use super::literal::{Literal, unquoted};
use super::sweep::Sweep;
use super::{Given, Op, Override};
use crate::config::failure::{Failure, Place, brief};
use crate::config::token::{Word, unescape, value};
use crate::config::value::Value;

/// How deep brackets may nest.
const DEEPEST: usize = 64;

/// Reads one override.
pub(in crate::config) fn parse(line: &str, at: Place) -> Result<Override, Failure> {
    let syntax = |message: String| {
        let failure = Failure::new("override_syntax", format!("the override `{}`: {message}", brief(line)));
        failure.at(at).hint("write key=value, and quote text with special characters: 'key=\"a, b\"'")
    };
    if line.len() > 1 << 20 {
        return Err(syntax("longer than a mebibyte".into()));
    }
    let tokens = tokens(line).map_err(syntax)?;
    let mut parser = Parser { tokens: &tokens, next: 0, depth: 0 };
    parser.whole(line, at).map_err(|error| match error {
        Wrong::Syntax(message) => syntax(message),
        Wrong::Call(failure) => {
            let message = format!("the override `{}`: {}", brief(line), failure.message);
            Failure { message, ..failure }.at(at)
        }
    })
}

/// What a part of the right side is.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// A value.
    One(Literal),
    /// A sweep that a function made.
    Sweep(Sweep),
}

enum Wrong {
    Syntax(String),
    Call(Failure),
}

struct Parser<'t> {
    tokens: &'t [Token],
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<Kind> {
        self.tokens.get(self.next).map(|t| t.kind)
    }

    fn eat(&mut self, kind: Kind) -> bool {
        let found = self.peek() == Some(kind);
        self.next += usize::from(found);
        found
    }

    fn take(&mut self) -> Option<&Token> {
        let token = self.tokens.get(self.next);
        self.next += 1;
        token
    }

    fn unexpected(&self) -> Wrong {
        Wrong::Syntax(match self.tokens.get(self.next) {
            Some(token) => format!("unexpected `{}` at character {}", token.text.trim(), token.at + 1),
            None => "it ends too early".into(),
        })
    }

    fn whole(&mut self, line: &str, at: Place) -> Result<Override, Wrong> {
        let op = if self.eat(Kind::Tilde) {
            Op::Delete
        } else if self.eat(Kind::Plus) {
            if self.eat(Kind::Plus) { Op::ForceAdd } else { Op::Add }
        } else {
            Op::Change
        };
        let (key, package) = self.key()?;
        let mut given = None;
        if self.eat(Kind::Equal) {
            given =
                Some(if self.peek().is_none() { Given::One(Literal::Str(String::new())) } else { self.right_side()? });
        } else if op != Op::Delete {
            return Err(match self.peek() {
                None => Wrong::Syntax("there is no `=`".into()),
                Some(_) => self.unexpected(),
            });
        }
        if self.peek().is_some() {
            return Err(self.unexpected());
        }
        Ok(Override { op, key, package, given, line: line.to_string(), at })
    }

    fn key(&mut self) -> Result<(String, Option<String>), Wrong> {
        let mut key = self.path();
        if self.peek() == Some(Kind::Slash) {
            if self.tokens.get(self.next.wrapping_sub(1)).map(|t| t.kind) != Some(Kind::Word(Word::Id)) {
                return Err(self.unexpected());
            }
            while self.eat(Kind::Slash) {
                if self.peek() != Some(Kind::Word(Word::Id)) {
                    return Err(self.unexpected());
                }
                key = format!("{key}/{}", self.path());
            }
        }
        let package = if self.eat(Kind::At) { Some(self.path()) } else { None };
        Ok((key, package))
    }

    /// A name, a dotted path, or nothing.
    fn path(&mut self) -> String {
        match self.peek() {
            Some(Kind::Word(Word::Id) | Kind::Special | Kind::DotPath) => {
                self.take().map_or(String::new(), |token| token.text.clone())
            }
            _ => String::new(),
        }
    }

    fn right_side(&mut self) -> Result<Given, Wrong> {
        let first = self.element()?;
        if self.peek() != Some(Kind::Comma) {
            return Ok(match first {
                Piece::One(literal) => Given::One(literal),
                Piece::Sweep(sweep) => Given::Sweep(sweep),
            });
        }
        let mut list = vec![literal(first)?];
        while self.eat(Kind::Comma) {
            list.push(literal(self.element()?)?);
        }
        Ok(Given::Sweep(Sweep::Choice { list, simple: true, shuffle: false }))
    }

    fn element(&mut self) -> Result<Piece, Wrong> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Wrong::Syntax(format!("nested deeper than {DEEPEST} levels")));
        }
        let second = self.tokens.get(self.next + 1).map(|t| t.kind);
        let piece = match self.peek() {
            Some(Kind::Word(Word::Id)) if second == Some(Kind::ParenOpen) => self.function()?,
            Some(Kind::BracketOpen) => Piece::One(self.list()?),
            Some(Kind::BraceOpen) => Piece::One(self.map()?),
            _ => Piece::One(self.primitive(true)?),
        };
        self.depth -= 1;
        Ok(piece)
    }

    fn list(&mut self) -> Result<Literal, Wrong> {
        self.next += 1;
        let mut items = Vec::new();
        if self.eat(Kind::BracketClose) {
            return Ok(Literal::List(items));
        }
        loop {
            items.push(literal(self.element()?)?);
            if self.eat(Kind::BracketClose) {
                return Ok(Literal::List(items));
            }
            if !self.eat(Kind::Comma) {
                return Err(self.unexpected());
            }
        }
    }

    fn map(&mut self) -> Result<Literal, Wrong> {
        self.next += 1;
        let mut pairs: Vec<(Literal, Literal)> = Vec::new();
        if self.eat(Kind::BraceClose) {
            return Ok(Literal::Map(pairs));
        }
        loop {
            let key = self.primitive(false)?;
            if key == Literal::Null {
                let failure = Failure::new("bad_key_type", "a key may not be null").hint("quote the key");
                return Err(Wrong::Call(failure));
            }
            if !self.eat(Kind::Colon) {
                return Err(self.unexpected());
            }
            let item = literal(self.element()?)?;
            match pairs.iter_mut().find(|(earlier, _)| earlier.value() == key.value()) {
                Some((_, earlier)) => *earlier = item,
                None => pairs.push((key, item)),
            }
            if self.eat(Kind::BraceClose) {
                return Ok(Literal::Map(pairs));
            }
            if !self.eat(Kind::Comma) {
                return Err(self.unexpected());
            }
        }
    }

    /// Words joined to one text, or one word with its type. A dict's key may hold neither colons nor interpolations.
    fn primitive(&mut self, value_side: bool) -> Result<Literal, Wrong> {
        if value_side && self.peek() == Some(Kind::Quoted) {
            let (text, quote) = unquoted(&self.tokens[self.next].text);
            self.next += 1;
            return Ok(Literal::Quoted(text, quote));
        }
        let start = self.next;
        while let Some(kind) = self.peek() {
            let fits =
                matches!(kind, Kind::Word(_)) || (value_side && matches!(kind, Kind::Colon | Kind::Interpolation));
            if !fits {
                break;
            }
            self.next += 1;
        }
        let mut words = &self.tokens[start..self.next];
        let blank = |t: &Token| t.kind == Kind::Word(Word::Blank);
        if words.is_empty() {
            return Err(self.unexpected());
        }
        if words.first().is_some_and(blank) {
            words = &words[1..];
        }
        if words.last().is_some_and(blank) {
            words = &words[..words.len() - 1];
        }
        match words {
            [] => Err(Wrong::Syntax("only blanks where a value should stand".into())),
            [one] => single(one).ok_or_else(|| Wrong::Syntax(format!("the number `{}` is too long", one.text))),
            several => Ok(Literal::Str(several.iter().map(joined).collect())),
        }
    }

    fn function(&mut self) -> Result<Piece, Wrong> {
        let name = self.take().map_or(String::new(), |token| token.text.clone());
        self.next += 1;
        let mut made = Call { name, args: Vec::new(), named: Vec::new() };
        if !self.eat(Kind::ParenClose) {
            loop {
                let second = self.tokens.get(self.next + 1).map(|t| t.kind);
                if self.peek() == Some(Kind::Word(Word::Id)) && second == Some(Kind::Equal) {
                    let name = self.take().map_or(String::new(), |token| token.text.clone());
                    self.next += 1;
                    let value = self.element()?;
                    made.named.retain(|(known, _)| *known != name);
                    made.named.push((name, value));
                } else if made.named.is_empty() {
                    let value = self.element()?;
                    made.args.push(value);
                } else {
                    return Err(Wrong::Syntax("an argument without a name stands behind one with a name".into()));
                }
                if self.eat(Kind::ParenClose) {
                    break;
                }
                if !self.eat(Kind::Comma) {
                    return Err(self.unexpected());
                }
            }
        }
        call(made).map_err(Wrong::Call)
    }
}

fn literal(piece: Piece) -> Result<Literal, Wrong> {
    match piece {
        Piece::One(literal) => Ok(literal),
        Piece::Sweep(_) => Err(Wrong::Call(Failure::new(
            "override_function",
            "a sweep cannot stand inside a list, a mapping or another sweep",
        ))),
    }
}

fn joined(token: &Token) -> String {
    if token.kind == Kind::Word(Word::Escape) { unescape(&token.text) } else { token.text.clone() }
}

fn single(token: &Token) -> Option<Literal> {
    let Kind::Word(word) = token.kind else { return Some(Literal::Str(token.text.clone())) };
    Some(match value(word, &token.text)? {
        Value::Null => Literal::Null,
        Value::Bool(b) => Literal::Bool(b),
        Value::Int(n) => Literal::Int(n),
        Value::Float(f) => Literal::Float(f),
        Value::Str(text) => Literal::Str(text),
        Value::List(_) | Value::Map(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Override {
        parse(line, Place::default()).unwrap()
    }

    fn value_of(line: &str) -> Value {
        read(line).value().unwrap()
    }

    fn category(line: &str) -> &'static str {
        parse(line, Place::default()).unwrap_err().category
    }

    #[test]
    fn values_are_typed() {
        assert_eq!(value_of("a=1"), Value::Int(1));
        assert_eq!(value_of("a=1e-3"), Value::Float(1e-3));
        assert_eq!(value_of("a=007"), Value::Str("007".into()));
        assert_eq!(value_of("a=nULL"), Value::Null);
        assert_eq!(value_of("a="), Value::Str(String::new()));
        assert_eq!(value_of("a='1'"), Value::Str("1".into()));
        assert_eq!(value_of("a=x:y z"), Value::Str("x:y z".into()));
        assert_eq!(value_of(r"a=a\,b"), Value::Str("a,b".into()));
        assert_eq!(value_of("a=[1, {b: c}]").python_repr(), "[1, {'b': 'c'}]");
        assert_eq!(value_of("a=int('3')"), Value::Int(3));
    }

    #[test]
    fn what_does_not_parse() {
        for bad in
            ["a", "a=b=c", "a=[1", "a=1]", "a=${a.${b}}", "=1,", "a=(x)", "a='x'y", "a=[,]", "a b=1", "+~a=1", "a= \t,"]
        {
            assert_eq!(category(bad), "override_syntax", "{bad}");
        }
        assert_eq!(category("a=nope(1)"), "override_unknown_function");
        assert_eq!(category("a=int(x)"), "override_function");
        assert_eq!(category(&format!("a={}", "[".repeat(200_000))), "override_syntax");
    }

    #[test]
    fn lines_keep_their_parts() {
        let one = read("++a/b@c.d=x");
        assert_eq!((one.op, one.key.as_str(), one.package.as_deref()), (Op::ForceAdd, "a/b", Some("c.d")));
        assert!(read("a=1,2").sweep().is_some());
        assert_eq!(read("~a").value(), None);
    }
}
