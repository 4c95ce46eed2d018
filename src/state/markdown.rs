//! Text from outside made safe inside Markdown, and numbers as people read them.

use super::text::is_hidden;

/// Text as literal Markdown inside a table cell or behind other words: one line, no markup, no links, no HTML.
///
/// Every character that could start markup becomes a character reference. Left alone, so that a board's diff can
/// be read, are those without a meaning where they stand: `#`, `+`, `-` and parentheses inside a line, `_` inside
/// a word, a full stop that makes no `www.` address, a colon before a space or between digits.
#[must_use]
pub fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let chars: Vec<char> = text.trim().chars().collect();
    for (at, c) in chars.iter().copied().enumerate() {
        let before = at.checked_sub(1).map(|at| chars[at]);
        match c {
            '\n' | '\r' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push(' '),
            c if c.is_control() || is_hidden(c) => out.push('\u{fffd}'),
            // A reader finds mail addresses after it resolved character references; only a gap stops it.
            '@' if chars.get(at + 1).is_some_and(|c| c.is_alphanumeric()) => out.push_str("@<!-- -->"),
            c if is_markup(before, c, chars.get(at + 1).copied()) => out.push_str(&format!("&#{};", c as u32)),
            c => out.push(c),
        }
    }
    out
}

/// Whether a character could mean something to a Markdown reader between these neighbours.
fn is_markup(before: Option<char>, c: char, after: Option<char>) -> bool {
    let all = |test: fn(&char) -> bool| before.as_ref().is_some_and(test) && after.as_ref().is_some_and(test);
    match c {
        '|' | '\\' | '`' | '*' | '{' | '}' | '[' | ']' | '<' | '>' | '!' | '~' | '&' | '$' => true,
        '_' => !all(char::is_ascii_alphanumeric),
        '.' => matches!(before, Some('w' | 'W')),
        ':' => after.is_some_and(|c| !c.is_whitespace()) && !all(char::is_ascii_digit),
        _ => false,
    }
}

/// Mean, deviation and number of seeds as `98.06 ± 0.15 (n=5)`; a share is shown in per cent.
#[must_use]
pub fn spread(share: bool, mean: f64, std: Option<f64>, n: Option<usize>) -> String {
    let std = std.map(|s| format!(" ± {}", number(share, s))).unwrap_or_default();
    let n = n.map(|n| format!(" (n={n})")).unwrap_or_default();
    format!("{}{std}{n}", number(share, mean))
}

/// A difference with its sign, as `+0.30 pp` or `-0.0123`.
#[must_use]
pub fn difference(share: bool, value: f64) -> String {
    let text = number(share, value.abs());
    let zero = !text.contains(|c: char| c.is_ascii_digit() && c != '0');
    let sign = if zero {
        "±"
    } else if value < 0.0 {
        "-"
    } else {
        "+"
    };
    format!("{sign}{text}{}", if share { " pp" } else { "" })
}

/// A number: a share in per cent with two decimals, anything else with four.
#[must_use]
pub fn number(share: bool, value: f64) -> String {
    if share {
        format!("{:.2}", value * 100.0)
    } else if value != 0.0 && (value.abs() < 1e-3 || value.abs() >= 1e6) {
        format!("{value:.3e}")
    } else {
        format!("{value:.4}")
    }
}

/// A p-value with two significant digits, `< 0.0001` below that.
#[must_use]
pub fn p_value(p: f64) -> String {
    match p {
        p if p < 1e-4 => "< 0.0001".into(),
        p if p < 1e-2 => format!("{p:.4}"),
        p => format!("{p:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_labels_stay_readable() {
        assert_eq!(cell("CNN (2 conv + 1 FC) @ 60ep"), "CNN (2 conv + 1 FC) @ 60ep");
        assert_eq!(cell("lr=0.001 T=25 #3 a-b at 04:00: mnist_b."), "lr=0.001 T=25 #3 a-b at 04:00: mnist_b.");
    }

    #[test]
    fn hostile_cells_become_text() {
        // Each was rendered by GitHub's own Markdown reader: the text comes back as it was, in one cell.
        for (hostile, literal) in [
            ("a | b", "a &#124; b"),
            ("a \\| b", "a &#92;&#124; b"),
            ("<!-- ar:end x -->", "&#60;&#33;-- ar&#58;end x --&#62;"),
            ("<img src=x onerror=a(1)>", "&#60;img src=x onerror=a(1)&#62;"),
            ("[x](javascript:a(1))", "&#91;x&#93;(javascript&#58;a(1))"),
            ("![x](y)", "&#33;&#91;x&#93;(y)"),
            ("https://example.com", "https&#58;//example.com"),
            ("www.example.com", "www&#46;example.com"),
            ("a@example.com", "a@<!-- -->example.com"),
            (
                "`code` *b* _i_ ~~s~~ $m$",
                "&#96;code&#96; &#42;b&#42; &#95;i&#95; &#126;&#126;s&#126;&#126; &#36;m&#36;",
            ),
            ("&lt;b&gt; :smile:", "&#38;lt;b&#38;gt; &#58;smile:"),
        ] {
            assert_eq!(cell(hostile), literal);
        }
        assert_eq!(cell("a\r\nb\u{2028}c\u{202e}d\0e\u{1b}"), "a  b c\u{fffd}d\u{fffd}e\u{fffd}");
    }

    #[test]
    fn numbers_for_people() {
        assert_eq!(spread(true, 0.9806, Some(0.0015), Some(5)), "98.06 ± 0.15 (n=5)");
        assert_eq!(spread(false, 0.123_456, None, None), "0.1235");
        assert_eq!(difference(true, -0.0031), "-0.31 pp");
        assert_eq!(difference(true, 0.000_001), "±0.00 pp");
        assert_eq!(
            (p_value(0.21), p_value(0.0024), p_value(1e-9)),
            ("0.21".into(), "0.0024".into(), "< 0.0001".into())
        );
    }
}
