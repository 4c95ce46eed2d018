//! Text from outside made safe inside Markdown, and numbers as people read them.

/// Text as literal Markdown inside a table cell or a list item: one line, no markup, no links, no HTML.
///
/// Every character that could start markup becomes a character reference. Left alone are those that have no
/// meaning inside a line (`#`, `+`, `-`, parentheses once brackets are gone) and a full stop between digits.
#[must_use]
pub fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let chars: Vec<char> = text.trim().chars().collect();
    for (i, c) in chars.iter().enumerate() {
        let digit = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_digit);
        match c {
            '\n' | '\r' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push(' '),
            c if c.is_control() || is_invisible(*c) => out.push('\u{fffd}'),
            '.' if digit(i.checked_sub(1)) && digit(Some(i + 1)) => out.push('.'),
            '|' | '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '!' | '~' | '&' | '@' | ':' | '.'
            | '$' => {
                out.push_str(&format!("&#{};", *c as u32));
            }
            c => out.push(*c),
        }
    }
    out
}

/// Characters that change how text reads without showing: direction marks, zero-width ones, the byte-order mark.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}' | '\u{61c}')
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
        assert_eq!(cell("CNN (2 conv + 1 FC)"), "CNN (2 conv + 1 FC)");
        assert_eq!(cell("lr=0.001 T=25 #3 a-b"), "lr=0.001 T=25 #3 a-b");
    }

    #[test]
    fn hostile_cells_become_text() {
        for hostile in [
            "a | b",
            "a \\| b",
            "<!-- ar:end board mnist -->",
            "<img src=x onerror=alert(1)>",
            "[x](javascript:alert(1))",
            "![x](y)",
            "https://example.com",
            "www.example.com",
            "a@example.com",
            "`code`",
            "*b* _i_ ~~s~~",
            "&lt;b&gt;",
        ] {
            let safe = cell(hostile);
            assert!(!safe.contains(['|', '<', '>', '[', ']', '`', '*', '_', '~', '@', '\\', ':', '!']), "{safe}");
            assert!(!safe.replace("&#", "").contains('&') && !safe.contains("www."), "{safe}");
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
