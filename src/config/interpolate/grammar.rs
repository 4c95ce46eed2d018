//! Reads OmegaConf's interpolations: `${a.b}`, `${..a[0]}`, `${oc.env:NAME,default}`, nested and escaped.

use super::parts::{Element, Inter, Name, Part, Step};
use crate::config::token::{Word, blanks, id, unescape, value, word};
use crate::config::value::Value;

/// How deep brackets and interpolations may nest.
const DEEPEST: usize = 64;

/// Reads a text with interpolations.
pub(crate) fn parse(text: &str) -> Result<Vec<Part>, String> {
    let chars: Vec<char> = text.chars().collect();
    let mut reader = Reader { text: &chars, at: 0, depth: 0 };
    let parts = reader.parts(None)?;
    debug_assert_eq!(reader.at, chars.len());
    Ok(parts)
}

/// Reads one element, as `oc.decode` does.
pub(crate) fn parse_element(text: &str) -> Result<Element, String> {
    let chars: Vec<char> = text.chars().collect();
    let mut reader = Reader { text: &chars, at: 0, depth: 0 };
    let element = reader.element()?;
    if reader.at == chars.len() { Ok(element) } else { Err(reader.unexpected()) }
}

struct Reader<'t> {
    text: &'t [char],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &[char] {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().first().copied()
    }

    fn looking_at(&self, word: &str) -> bool {
        word.chars().enumerate().all(|(i, c)| self.rest().get(i) == Some(&c))
    }

    fn unexpected(&self) -> String {
        match self.peek() {
            Some(c) => format!("unexpected `{c}` at character {} of the interpolation", self.at + 1),
            None => "the interpolation ends too early".into(),
        }
    }

    /// Steps over blanks and then `c`; `false` leaves everything where it was.
    fn close(&mut self, c: char) -> bool {
        let skip = blanks(self.rest());
        let found = self.rest().get(skip) == Some(&c);
        if found {
            self.at += skip + 1;
        }
        found
    }

    /// Steps over `c` with the blanks on both sides.
    fn separator(&mut self, c: char) -> bool {
        let found = self.close(c);
        if found {
            self.at += blanks(self.rest());
        }
        found
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("nested deeper than {DEEPEST} levels"));
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Text up to the end, or up to the closing quote (which is stepped over).
    fn parts(&mut self, quote: Option<char>) -> Result<Vec<Part>, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        loop {
            let slashes = self.rest().iter().take_while(|c| **c == '\\').count();
            self.at += slashes;
            let keep = |count: usize, literal: &mut String| literal.push_str(&"\\".repeat(count));
            if self.looking_at("${") {
                keep(slashes / 2, &mut literal);
                self.at += 2;
                if slashes % 2 == 1 {
                    literal.push_str("${");
                    continue;
                }
                if !literal.is_empty() || slashes > 0 {
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                }
                parts.push(Part::Inter(self.deeper(Self::interpolation)?));
            } else if quote.is_some() && self.peek() == quote {
                keep(slashes / 2, &mut literal);
                self.at += 1;
                if slashes % 2 == 0 {
                    break;
                }
                literal.extend(quote);
            } else {
                keep(slashes, &mut literal);
                match (self.peek(), quote) {
                    (Some(c), _) => literal.push(c),
                    (None, None) => break,
                    (None, Some(_)) => return Err("a quote in the interpolation is never closed".into()),
                }
                self.at += 1;
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(parts)
    }

    /// What follows `${`.
    fn interpolation(&mut self) -> Result<Inter, String> {
        self.at += blanks(self.rest());
        let dots = self.rest().iter().take_while(|c| **c == '.').count();
        self.at += dots;
        let mut steps = vec![self.step(true)?];
        loop {
            if self.close('}') {
                return Ok(Inter::Node { dots, steps });
            }
            if self.separator(':') {
                let name = resolver_name(dots, steps).ok_or_else(|| self.unexpected())?;
                let args = self.sequence('}')?;
                return Ok(Inter::Resolver { name, args });
            }
            let dotted = self.peek() == Some('.');
            self.at += usize::from(dotted);
            steps.push(self.step(!dotted)?);
        }
    }

    /// A key, or `[key]` where that may stand.
    fn step(&mut self, bracket_allowed: bool) -> Result<Step, String> {
        let bracket = bracket_allowed && self.peek() == Some('[');
        self.at += usize::from(bracket);
        let key = self.key()?;
        if bracket {
            if self.peek() != Some(']') {
                return Err(self.unexpected());
            }
            self.at += 1;
        }
        Ok(Step { bracket, key })
    }

    fn key(&mut self) -> Result<Name, String> {
        if self.looking_at("${") {
            self.at += 2;
            return Ok(Name::Inter(Box::new(self.deeper(Self::interpolation)?)));
        }
        let length = self.rest().iter().take_while(|c| !"\\{}()[]:. \t'\"".contains(**c)).count();
        if length == 0 {
            return Err(self.unexpected());
        }
        let key = self.rest()[..length].iter().collect();
        self.at += length;
        Ok(Name::Plain(key))
    }

    /// Elements between commas up to the closing bracket, which is stepped over.
    fn sequence(&mut self, end: char) -> Result<Vec<Element>, String> {
        let mut items = Vec::new();
        if self.close(end) {
            return Ok(items);
        }
        loop {
            let starts = blanks(self.rest());
            let empty = matches!(self.rest().get(starts), Some(c) if *c == ',' || *c == end);
            items.push(if empty { Element::Empty } else { self.element()? });
            if self.separator(',') {
                continue;
            }
            if self.close(end) {
                return Ok(items);
            }
            return Err(self.unexpected());
        }
    }

    fn element(&mut self) -> Result<Element, String> {
        match self.peek() {
            Some(quote @ ('\'' | '"')) => {
                self.at += 1;
                Ok(Element::Quoted(self.parts(Some(quote))?))
            }
            Some('[') => {
                self.at += 1;
                self.at += blanks(self.rest());
                Ok(Element::List(self.deeper(|r| r.sequence(']'))?))
            }
            Some('{') => {
                self.at += 1;
                self.at += blanks(self.rest());
                self.deeper(Self::map)
            }
            _ => self.primitive(),
        }
    }

    fn map(&mut self) -> Result<Element, String> {
        let mut pairs = Vec::new();
        if self.close('}') {
            return Ok(Element::Map(pairs));
        }
        loop {
            let key = match self.words(false)?.as_slice() {
                [(Some(kind), Part::Text(text))] => value(*kind, text).ok_or_else(|| self.unexpected())?,
                words => Value::Str(words.iter().filter_map(|(_, part)| literal(part)).collect()),
            };
            if !self.separator(':') {
                return Err(self.unexpected());
            }
            pairs.push((key, self.element()?));
            if self.separator(',') {
                continue;
            }
            if self.close('}') {
                return Ok(Element::Map(pairs));
            }
            return Err(self.unexpected());
        }
    }

    fn primitive(&mut self) -> Result<Element, String> {
        let mut words = self.words(true)?;
        if words.len() > 1 {
            let unescaped = words.into_iter().map(|(kind, part)| match (kind, part) {
                (Some(Word::Escape), Part::Text(text)) => Part::Text(unescape(&text)),
                (_, part) => part,
            });
            return Ok(Element::Text(unescaped.collect()));
        }
        match words.pop() {
            Some((_, Part::Inter(inter))) => Ok(Element::Inter(inter)),
            Some((Some(Word::Blank), _)) => Err("only blanks where a value should stand".into()),
            Some((Some(kind), Part::Text(text))) => {
                Ok(Element::Value(value(kind, &text).ok_or("a number that cannot be read")?))
            }
            Some((None, Part::Text(text))) => Ok(Element::Value(Value::Str(text))),
            None => Err(self.unexpected()),
        }
    }

    /// The words of a primitive; at least one. A colon and interpolations are words except in a dict's key.
    fn words(&mut self, value_side: bool) -> Result<Vec<(Option<Word>, Part)>, String> {
        let mut words = Vec::new();
        loop {
            let skip = blanks(self.rest());
            let next = self.rest().get(skip).copied();
            if value_side && self.looking_at("${") {
                self.at += 2;
                words.push((None, Part::Inter(self.deeper(Self::interpolation)?)));
            } else if value_side && next == Some(':') {
                let start = self.at;
                self.separator(':');
                words.push((None, Part::Text(self.text[start..self.at].iter().collect())));
            } else if matches!(next, Some(',' | ']' | '}' | ':')) {
                break;
            } else if let Some((kind, length)) = word(self.rest()) {
                let text = self.rest()[..length].iter().collect();
                self.at += length;
                words.push((Some(kind), Part::Text(text)));
            } else {
                break;
            }
        }
        if words.is_empty() { Err(self.unexpected()) } else { Ok(words) }
    }
}

fn literal(part: &Part) -> Option<&str> {
    match part {
        Part::Text(text) => Some(text),
        Part::Inter(_) => None,
    }
}

/// The name of a resolver, when these steps can be one: names and interpolations joined by dots.
fn resolver_name(dots: usize, steps: Vec<Step>) -> Option<Vec<Name>> {
    let is_name = |step: &Step| match &step.key {
        Name::Plain(text) => {
            let chars: Vec<char> = text.chars().collect();
            id(&chars) == chars.len()
        }
        Name::Inter(_) => true,
    };
    (dots == 0 && steps.iter().all(|s| !s.bracket && is_name(s))).then(|| steps.into_iter().map(|s| s.key).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(s: &str) -> Part {
        Part::Text(s.into())
    }

    #[test]
    fn escapes_before_an_interpolation() {
        assert_eq!(parse(r"\${a}").unwrap(), [text("${a}")]);
        let inter = parse("${a}").unwrap();
        assert_eq!(parse(r"x\\${a}").unwrap(), [text(r"x\"), inter[0].clone()]);
        assert_eq!(parse(r"a\b ${a}").unwrap(), [text(r"a\b "), inter[0].clone()]);
    }

    #[test]
    fn resolvers_take_typed_arguments() {
        let parts = parse("${oc.env:A, 'b, c', 1, [x, 2.0], {k: ${v}}}").unwrap();
        let [Part::Inter(Inter::Resolver { name, args })] = parts.as_slice() else { panic!("{parts:?}") };
        assert_eq!(name.len(), 2);
        assert_eq!(args.len(), 5);
        assert_eq!(args[2], Element::Value(Value::Int(1)));
        assert_eq!(args[1], Element::Quoted(vec![text("b, c")]));
    }

    #[test]
    fn what_is_not_an_interpolation_is_refused() {
        for bad in ["${", "${}", "${a", "${a..b}", "${a b}", "${a:", "${a:'x}", "${a[b}", "${a{b}}", "${a${b}}"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        for good in ["$", "{a}", "${.a}", "${..a[0].b}", "${[a].b}", "${a:}", "${ a }", "${a:,}", "${a.${b}}"] {
            assert!(parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        assert!(parse(&"${a:[".repeat(100_000)).is_err());
    }
}
