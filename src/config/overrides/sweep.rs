//! What a sweep runs through: the values of a choice, a range or a glob, in Hydra's order.

use super::literal::Literal;
use crate::config::decimal::Decimal;
use crate::config::failure::Failure;
use crate::config::source::Sources;

/// More values than this in one sweep are refused.
pub(in crate::config) const MOST: usize = 100_000;

/// Several values, one for each job.
#[derive(Clone, Debug)]
pub(in crate::config) enum Sweep {
    /// `a,b,c` (simple) or `choice(a,b,c)`.
    Choice { list: Vec<Literal>, simple: bool, shuffle: bool },
    /// `range(start,stop,step)`.
    Range { start: Number, stop: Number, step: Number, shuffle: bool },
    /// `interval(start,end)`, which the basic sweeper cannot run.
    Interval,
    /// `glob(pattern)` over the options of a group.
    Glob { include: Vec<String>, exclude: Vec<String> },
}

/// An integer or a float.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::config) enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    pub(super) fn of(literal: &Literal) -> Option<Self> {
        match literal {
            Literal::Int(n) => Some(Self::Int(*n)),
            Literal::Bool(b) => Some(Self::Int(i128::from(*b))),
            Literal::Float(f) => Some(Self::Float(*f)),
            _ => None,
        }
    }

    pub(super) fn literal(self) -> Literal {
        match self {
            Self::Int(n) => Literal::Int(n),
            Self::Float(f) => Literal::Float(f),
        }
    }

    pub(super) fn float(self) -> f64 {
        match self {
            Self::Int(n) => n as f64,
            Self::Float(f) => f,
        }
    }

    pub(super) fn negated(self) -> Self {
        match self {
            Self::Int(n) => Self::Int(-n),
            Self::Float(f) => Self::Float(-f),
        }
    }

    pub(super) fn abs(self) -> Self {
        if self.float() < 0.0 { self.negated() } else { self }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Self::Int(a.saturating_add(b)),
            _ => Self::Float(self.float() + other.float()),
        }
    }

    pub(super) fn minus(self, other: Self) -> Self {
        self.plus(other.negated())
    }

    fn decimal(self) -> Option<Decimal> {
        match self {
            Self::Int(n) => Decimal::parse(&n.to_string()),
            Self::Float(f) => Decimal::exact(f),
        }
    }
}

impl Sweep {
    /// The right sides of the jobs' overrides, in order. `group` is the group that a glob looks into.
    pub(in crate::config) fn texts(&self, group: &str, sources: &mut Sources<'_>) -> Result<Vec<String>, Failure> {
        let (values, shuffle) = match self {
            Self::Choice { list, shuffle, .. } => (list.iter().map(Literal::text).collect(), *shuffle),
            Self::Range { start, stop, step, shuffle } => (range(*start, *stop, *step)?, *shuffle),
            Self::Interval => {
                let message = "an interval is for optimizers; Hydra's basic sweeper cannot run through it";
                let hint = "name the values: range(0,1,0.1) or choice(0.1,0.5)";
                return Err(Failure::new("interval_sweep_unsupported", message).hint(hint));
            }
            Self::Glob { include, exclude } => {
                let any = |patterns: &[String], name: &str| patterns.iter().any(|p| matches(p, name));
                let options = if sources.has_group(group)? { sources.options(group)? } else { Vec::new() };
                (options.into_iter().filter(|name| any(include, name) && !any(exclude, name)).collect(), false)
            }
        };
        Ok(if shuffle { shuffled(values) } else { values })
    }
}

fn range(start: Number, stop: Number, step: Number) -> Result<Vec<String>, Failure> {
    let wrong = |message: String| Failure::new("override_function", format!("range(): {message}"));
    let too_many = || wrong(format!("more than {MOST} values"));
    let mut values = Vec::new();
    if let (Number::Int(mut at), Number::Int(stop), Number::Int(step)) = (start, stop, step) {
        if step == 0 {
            return Err(wrong("the step may not be 0".into()));
        }
        while (step > 0 && at < stop) || (step < 0 && at > stop) {
            if values.len() >= MOST {
                return Err(too_many());
            }
            values.push(at.to_string());
            at = at.saturating_add(step);
        }
        return Ok(values);
    }
    let decimal = |n: Number| n.decimal().ok_or_else(|| wrong("takes finite numbers".into()));
    let (mut at, stop, step) = (decimal(start)?, decimal(stop)?, decimal(step)?);
    if step.is_zero() {
        return Err(wrong("the step may not be 0".into()));
    }
    while if step.is_negative() { at > stop } else { at < stop } {
        if values.len() >= MOST {
            return Err(too_many());
        }
        values.push(Literal::Float(at.float()).text());
        at = at.plus(&step);
    }
    Ok(values)
}

/// Python's `fnmatch`: `*`, `?`, `[abc]`, `[!abc]`.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    // Where the last `*` was, and how far it reached.
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match one(&pattern[p..], name[n]) {
            _ if pattern.get(p) == Some(&'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(length) => {
                p += length;
                n += 1;
            }
            None => match star {
                Some((at, reached)) => {
                    star = Some((at, reached + 1));
                    (p, n) = (at + 1, reached + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// How much of the pattern one character uses up, when it fits.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern.first()? {
        '?' => Some(1),
        '[' => {
            let negated = pattern.get(1) == Some(&'!');
            let from = 1 + usize::from(negated);
            let Some(close) = pattern.iter().skip(from + 1).position(|c| *c == ']').map(|at| at + from + 1) else {
                return (c == '[').then_some(1);
            };
            let set = &pattern[from..close];
            let mut found = false;
            let mut i = 0;
            while i < set.len() {
                if i + 2 < set.len() && set[i + 1] == '-' {
                    found |= (set[i]..=set[i + 2]).contains(&c);
                    i += 3;
                } else {
                    found |= set[i] == c;
                    i += 1;
                }
            }
            (found != negated).then_some(close + 1)
        }
        plain => (*plain == c).then_some(1),
    }
}

/// The items in a mixed order that is the same every time, so that a shuffled sweep can be repeated.
pub(in crate::config) fn shuffled<T>(mut items: Vec<T>) -> Vec<T> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for i in (1..items.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        items.swap(i, (state % (i as u64 + 1)) as usize);
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, name) in
            [("*", "x"), ("ff*", "ffnn"), ("*n", "cnn"), ("c?n", "cnn"), ("[ab]x", "bx"), ("[!a]x", "bx")]
        {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("", "x"), ("ff", "ffnn"), ("[!b]x", "bx"), ("?", "")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn float_ranges_add_as_decimals() {
        let texts = range(Number::Float(0.1), Number::Float(0.5), Number::Float(0.1)).unwrap();
        assert_eq!(texts, ["0.1", "0.2", "0.30000000000000004", "0.4"]);
        assert!(range(Number::Int(0), Number::Int(i128::MAX), Number::Int(1)).is_err());
    }
}
