//! The type of a YAML scalar as OmegaConf's loader sees it: YAML 1.1, with exponents that need no sign and no point.

use super::number::{parse_float, parse_int};

/// A single value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(String),
}

/// `!!str` for a tag in either of its spellings.
pub(super) fn short(tag: &str) -> String {
    match tag.strip_prefix("tag:yaml.org,2002:") {
        Some(name) => format!("!!{name}"),
        None => tag.trim_start_matches('<').trim_end_matches('>').to_string(),
    }
}

/// The value of a scalar: plain text is typed, everything else is text unless a tag says otherwise.
pub(super) fn scalar(text: &str, plain: bool, tag: Option<&str>) -> Result<Scalar, String> {
    let bad = |what: &str| Err(format!("`{text}` is not {what}"));
    match tag.map(short).as_deref() {
        None if !plain => Ok(Scalar::Str(text.to_string())),
        // PyYAML types the value of a bare `!` as if it were written plain.
        None | Some("!") => implicit(text),
        Some("!!str") => Ok(Scalar::Str(text.to_string())),
        Some("!!null") => Ok(Scalar::Null),
        Some("!!int") => integer(text).map_or_else(|| bad("an integer"), |n| Ok(Scalar::Int(n))),
        Some("!!float") => float(text).map_or_else(|| bad("a float"), |f| Ok(Scalar::Float(f))),
        Some("!!bool") => match boolean(&text.to_lowercase()) {
            Some(b) => Ok(Scalar::Bool(b)),
            None => bad("a boolean"),
        },
        Some(other) => Err(format!("the tag `{other}` is not supported in configs")),
    }
}

/// The type of a plain scalar.
fn implicit(text: &str) -> Result<Scalar, String> {
    if matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Ok(Scalar::Null);
    }
    let cased = text == text.to_lowercase() || text == text.to_uppercase() || is_capitalised(text);
    if cased && let Some(b) = boolean(&text.to_lowercase()) {
        return Ok(Scalar::Bool(b));
    }
    if text == "=" || text == "<<" {
        return Err(format!("a plain `{text}` has no value in YAML 1.1: quote it"));
    }
    let first = text.as_bytes()[0];
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return Ok(Scalar::Str(text.to_string()));
    }
    if looks_like_old_float(text) {
        return float(text).map(Scalar::Float).ok_or_else(|| format!("`{text}` is not a float"));
    }
    if looks_like_integer(text) {
        let too_long = || format!("the integer `{text}` cannot be read (git-ar reads up to 127 bits)");
        return integer(text).map(Scalar::Int).ok_or_else(too_long);
    }
    if looks_like_new_float(text) {
        return float(text).map(Scalar::Float).ok_or_else(|| format!("`{text}` is not a float"));
    }
    Ok(Scalar::Str(text.to_string()))
}

fn is_capitalised(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(char::is_uppercase) && letters.all(|c| !c.is_uppercase())
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "true" | "on" => Some(true),
        "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

fn all(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    text.bytes().all(allowed)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && all(text, |b| b.is_ascii_digit())
}

/// Digits and underscores that begin with a digit.
fn loose_digits(text: &str) -> bool {
    text.as_bytes().first().is_some_and(u8::is_ascii_digit) && all(text, |b| b.is_ascii_digit() || b == b'_')
}

/// Digits with single underscores between them.
fn strict_digits(text: &str) -> bool {
    !text.is_empty() && text.split('_').all(digits)
}

/// `:30:59` as in base-sixty numbers; at least one part.
fn sixties(text: &str) -> bool {
    let mut parts = text.split(':');
    let empty_first = parts.next() == Some("");
    let mut count = 0;
    let all_fit = parts.all(|part| {
        count += 1;
        digits(part) && (part.len() == 1 || (part.len() == 2 && part.as_bytes()[0] <= b'5'))
    });
    empty_first && count > 0 && all_fit
}

fn exponent(text: &str, sign_needed: bool) -> bool {
    let Some(rest) = text.strip_prefix(['e', 'E']) else { return text.is_empty() };
    let body = unsigned(rest);
    digits(body) && (!sign_needed || body.len() < rest.len())
}

fn split_exponent(text: &str) -> (&str, &str) {
    text.find(['e', 'E']).map_or((text, ""), |at| text.split_at(at))
}

fn is_special_float(text: &str) -> bool {
    matches!(unsigned(text), ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

/// PyYAML's own float pattern.
fn looks_like_old_float(text: &str) -> bool {
    if is_special_float(text) {
        return true;
    }
    if let Some(fraction) = text.strip_prefix('.') {
        let (fraction, power) = split_exponent(fraction);
        return loose_digits(fraction) && exponent(power, true);
    }
    let body = unsigned(text);
    let Some((whole, rest)) = body.split_once('.') else { return false };
    let (fraction, power) = split_exponent(rest);
    let fraction_fits = all(fraction, |b| b.is_ascii_digit() || b == b'_');
    if loose_digits(whole) {
        return fraction_fits && exponent(power, true);
    }
    whole.find(':').is_some_and(|at| loose_digits(&whole[..at]) && sixties(&whole[at..]))
        && fraction_fits
        && power.is_empty()
}

/// The pattern that OmegaConf adds: exponents without a sign or a point.
fn looks_like_new_float(text: &str) -> bool {
    if let Some(fraction) = text.strip_prefix('.') {
        let (fraction, power) = split_exponent(fraction);
        return strict_digits(fraction) && exponent(power, true);
    }
    let (mantissa, power) = split_exponent(unsigned(text));
    match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            strict_digits(whole) && all(fraction, |b| b.is_ascii_digit() || b == b'_') && exponent(power, false)
        }
        None => strict_digits(mantissa) && !power.is_empty() && exponent(power, false),
    }
}

fn looks_like_integer(text: &str) -> bool {
    let body = unsigned(text);
    if let Some(bits) = body.strip_prefix("0b") {
        return !bits.is_empty() && all(bits, |b| matches!(b, b'0' | b'1' | b'_'));
    }
    if let Some(hex) = body.strip_prefix("0x") {
        return !hex.is_empty() && all(hex, |b| b.is_ascii_hexdigit() || b == b'_');
    }
    if let Some(octal) = body.strip_prefix('0') {
        return all(octal, |b| matches!(b, b'0'..=b'7' | b'_'));
    }
    match body.find(':') {
        Some(colon) => loose_digits(&body[..colon]) && sixties(&body[colon..]),
        None => loose_digits(body),
    }
}

/// The value of an integer as PyYAML constructs it.
fn integer(text: &str) -> Option<i128> {
    let text = text.replace('_', "");
    let body = unsigned(&text);
    let value = if body == "0" {
        0
    } else if let Some(bits) = body.strip_prefix("0b") {
        i128::from_str_radix(bits, 2).ok()?
    } else if let Some(hex) = body.strip_prefix("0x") {
        i128::from_str_radix(hex, 16).ok()?
    } else if body.starts_with('0') {
        i128::from_str_radix(body, 8).ok()?
    } else if body.contains(':') {
        body.split(':').try_fold(0_i128, |sum, part| sum.checked_mul(60)?.checked_add(parse_int(part)?))?
    } else {
        parse_int(body)?
    };
    Some(if text.starts_with('-') { -value } else { value })
}

/// The value of a float as PyYAML constructs it.
fn float(text: &str) -> Option<f64> {
    let text = text.replace('_', "").to_lowercase();
    let body = unsigned(&text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    let value = match body {
        ".inf" => f64::INFINITY,
        ".nan" => return Some(f64::NAN),
        _ if body.contains(':') => body.split(':').try_fold(0.0, |sum, part| Some(sum * 60.0 + parse_float(part)?))?,
        _ => parse_float(body)?,
    };
    Some(sign * value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Scalar {
        implicit(text).unwrap()
    }

    #[test]
    fn plain_scalars_are_typed_as_omegaconf_does() {
        for (text, value) in [("1e-3", 1e-3), ("5.", 5.0), ("1_000.5", 1000.5), ("+2.5e+10", 2.5e10), ("1:30.5", 90.5)]
        {
            assert_eq!(read(text), Scalar::Float(value), "{text}");
        }
        for (text, value) in [("0x1F", 31), ("010", 8), ("1_0", 10), ("48:00:00", 172_800), ("0b11", 3), ("-0", 0)] {
            assert_eq!(read(text), Scalar::Int(value), "{text}");
        }
        for text in ["-.5", "1e", "08", "y", "yEs", "1.2.3", "2024-01-01", "0o7", "+", "1e5x", "1:60"] {
            assert_eq!(read(text), Scalar::Str(text.into()), "{text}");
        }
        assert_eq!(read("Off"), Scalar::Bool(false));
        assert_eq!(read("~"), Scalar::Null);
    }
}
