//! The figures of a sentence: means, differences, p-values and numbers of seeds, as they are printed.

mod reading;

use std::ops::Range;

use super::op::{Op, op};
use super::units::Unit;
use super::words::{Number, Token};
use reading::Reading;

/// A printed figure.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Figure {
    /// Where it stands.
    pub(super) place: Range<usize>,
    /// What it says.
    pub(super) what: What,
    /// How it is meant.
    pub(super) op: Op,
}

/// What a figure says. Values are as printed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum What {
    /// A value, with a deviation where there is one.
    Value { value: Number, unit: Scale, std: Option<Number> },
    /// From one value to another.
    Between { low: Number, high: Number, unit: Scale },
    /// A difference in percentage points; the sign where one is printed.
    Points { value: Number, sign: Option<f64> },
    /// A p-value.
    P(Number),
    /// A number of seeds.
    Seeds(f64),
    /// Per cent fewer (or more) parameters.
    Parameters { value: Number, fewer: bool },
    /// Written with a decimal comma.
    Comma,
}

/// The unit of a printed value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Per cent.
    Percent,
    /// Not said: a share above 1 is per cent.
    Unsaid,
}

/// The figures of a sentence or of a row of a table.
pub(super) fn figures(unit: &Unit, tokens: &[Token]) -> Vec<Figure> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let in_code = unit.code.iter().any(|code| code.contains(&tokens[at].place.start));
        match if in_code { None } else { figure(unit, tokens, at) } {
            Some((figure, next)) => {
                found.push(figure);
                at = next;
            }
            None => at += 1,
        }
    }
    found
}

/// The figure that begins at a token, and the token behind it.
fn figure(unit: &Unit, tokens: &[Token], at: usize) -> Option<(Figure, usize)> {
    let number = count(&tokens[at])?;
    if number.value.is_nan() {
        return None;
    }
    let read = Reading { unit, tokens, at, number };
    let (what, end) = read.seeds().or_else(|| read.p()).or_else(|| read.range()).or_else(|| read.value())?;
    let what = if number.comma { What::Comma } else { what };
    let place = tokens[at].place.start..tokens[end - 1].place.end;
    Some((Figure { place, what, op: op(tokens, at) }, end))
}

/// A number in digits or, up to twelve, in letters.
fn count(token: &Token) -> Option<Number> {
    const WORDS: [&str; 12] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    token.number().or_else(|| {
        let value = WORDS.iter().position(|w| *w == token.word())? + 1;
        Some(Number { value: value as f64, digits: 0, comma: false })
    })
}

#[cfg(test)]
mod tests {
    use super::super::{units::units, words::tokens};
    use super::*;

    fn read(text: &str) -> Vec<Figure> {
        let units = units(text, 1);
        units.iter().flat_map(|u| figures(u, &tokens(&u.text))).collect()
    }

    fn shown(text: &str) -> String {
        let what = |f: Figure| match f.what {
            What::Value { value, std, .. } => {
                format!("{}{}", value.value, std.map_or(String::new(), |s| format!("±{}", s.value)))
            }
            What::Between { low, high, .. } => format!("{}..{}", low.value, high.value),
            What::Points { value, sign } => format!("{}pp", value.value * sign.unwrap_or(1.0)),
            What::P(n) => format!("p{}", n.value),
            What::Seeds(n) => format!("n{n}"),
            What::Parameters { value, fewer } => format!("params{}{}", if fewer { "-" } else { "+" }, value.value),
            What::Comma => "comma".into(),
        };
        read(text).into_iter().map(what).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_way_to_print_a_figure() {
        for (text, figures) in [
            ("It reaches 98.21 ± 0.07 % over five seeds.", "98.21±0.07 n5"),
            ("98.21% ± 0.07% (n=5) and 98.2 per cent", "98.21±0.07 n5 98.2"),
            ("$98.21 \\pm 0.07$", "98.21±0.07"),
            ("It gains +0.30 pp, loses −0.4 pp, or 0.3 percentage points.", "0.3pp -0.4pp 0.3pp"),
            ("p = 0.03, p < 0.05, a p-value of 0.3 (p 0.2)", "p0.03 p0.05 p0.3 p0.2"),
            ("between 98.02 and 98.24 %, 97.1-97.9 %, from 1 % to 2 %", "98.02..98.24 97.1..97.9 1..2"),
            ("an accuracy of 0.9821 and val/loss = 0.12", "0.9821 0.12"),
            ("it is better by 3 %", "3pp"),
            ("it is two points better, worse by one point, one percentage point", "2pp 1pp 1pp"),
            ("98,21 % here", "comma"),
            ("with 25 % fewer parameters", "params-25"),
            ("97.3 % of the test images are classified correctly", "97.3"),
        ] {
            assert_eq!(shown(text), figures, "{text}");
        }
        assert_eq!(read("above 97.76 %").pop().unwrap().op, Op::Above);
        assert_eq!(read("at least 97.76 %").pop().unwrap().op, Op::AtLeast);
        assert_eq!(read("about 97 %").pop().unwrap().op, Op::About);
    }

    #[test]
    fn other_numbers_are_no_figures() {
        for text in [
            "Adam at 0.001 with betas 0.9 and 0.999, batches of 128, 50 epochs, T=25, ResNet-18.",
            "On 2026-01-02 run kq7f3-a used version 3.2.1 and seeds 0-4; two of the five seeds stopped.",
            "a gradient of 90 % CE and 10 % energy, 78 % of the gap, 20 % dropout, `98.2 %`",
            "The validation set has 5,000 images. Three seeds stopped early.",
            "One point remains open. At two points the loss rose; three per cent of it is energy.",
        ] {
            assert!(shown(text).trim_matches(|c| "n5 ".contains(c)).is_empty(), "{text}: {}", shown(text));
        }
    }

    #[test]
    fn tables_are_read_by_their_heads() {
        let table =
            "| Row | Mean | Delta | p | n | lr |\n|--|--|--|--|--|--|\n| a | 98.21 | +0.30 | 0.03 | 5 | 0.001 |\n";
        assert_eq!(shown(table), "98.21 0.3pp p0.03 n5");
    }
}
