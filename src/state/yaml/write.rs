//! Typed values to YAML text that every common reader reads back the same.

use serde::Serialize;

/// The YAML text of `value`, with strings quoted wherever a YAML 1.1 reader would see another type.
///
/// # Panics
/// Never for the crate's own types: they have text keys and finite numbers.
pub fn to_string<T: Serialize>(value: &T) -> String {
    serde_saphyr::to_string(value).expect("our types have text keys and finite numbers")
}

/// One string as a YAML scalar on one line, quoted where it must be.
pub fn quote(text: &str) -> String {
    if text.contains(['\n', '\r']) || text.len() > 70 || text.chars().any(char::is_control) {
        // JSON's strings are YAML's double-quoted scalars; the writer would fold or use a block here.
        let json = serde_json::Value::from(text).to_string();
        let c1 = |c: char| ('\u{7f}'..='\u{9f}').contains(&c);
        return json.chars().map(|c| if c1(c) { format!("\\u{:04x}", c as u32) } else { c.to_string() }).collect();
    }
    to_string(&text).trim_end().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::yaml::from_str;

    #[test]
    fn hostile_strings_come_back() {
        for text in [
            "no",
            "48:00:00",
            "1e-3",
            "1_000",
            "~",
            "",
            "a: b",
            "- x",
            "# c",
            "line\nbreak",
            "'",
            "\"",
            "{a}",
            "é",
            "y",
            "0o7",
            "\u{7f}",
        ] {
            let back: Vec<String> = from_str(&to_string(&vec![text])).unwrap();
            assert_eq!(back, [text]);
            let back: Vec<String> = from_str(&format!("- {}\n", quote(text))).unwrap();
            assert_eq!(back, [text], "{}", quote(text));
        }
        assert_eq!(quote("a\u{7f}"), "\"a\\u007f\"");
        assert_eq!(quote("48:00:00"), "\"48:00:00\"");
    }
}
