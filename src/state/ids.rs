//! The names of things: project slugs, iteration ids, run ids.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a name may not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadName {
    what: &'static str,
    name: String,
    rule: &'static str,
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no {}: {}", super::text::printable(&self.name), self.what, self.rule)
    }
}

impl std::error::Error for BadName {}

/// A project's folder name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = r"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$"))]
pub struct Slug(String);

impl Slug {
    /// The slug as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Slug {
    type Error = BadName;

    fn try_from(name: String) -> Result<Self, BadName> {
        let fits = !name.is_empty()
            && name.len() <= 64
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !name.starts_with('-')
            && !name.ends_with('-');
        if fits {
            Ok(Self(name))
        } else {
            Err(BadName { what: "slug", name, rule: "lower-case letters, digits and inner hyphens, at most 64" })
        }
    }
}

/// An iteration's id: a number with an optional letter, `8` or `8b`. Ids order by number, then letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = r"^[1-9][0-9]*[a-z]?$", "type" = ["string", "integer"]))]
pub struct IterId {
    number: u32,
    letter: Option<char>,
}

impl IterId {
    /// The id with a number and no letter.
    #[must_use]
    pub fn number(number: u32) -> Self {
        Self { number, letter: None }
    }

    /// The next whole number after this id.
    #[must_use]
    pub fn next(self) -> Self {
        Self::number(self.number + 1)
    }

    /// The id that supersedes this one: `8` → `8b` → `8c`; none after `z`.
    #[must_use]
    pub fn successor(self) -> Option<Self> {
        let letter = match self.letter {
            None => 'b',
            Some('z') => return None,
            Some(letter) => char::from(letter as u8 + 1),
        };
        Some(Self { letter: Some(letter), ..self })
    }

    /// The id that a folder name such as `8b-srnn` begins with.
    #[must_use]
    pub fn of_folder(name: &str) -> Option<Self> {
        let (id, slug) = name.split_once('-')?;
        Slug::try_from(slug.to_string()).ok()?;
        id.parse().ok()
    }
}

impl FromStr for IterId {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let bad = || BadName {
            what: "iteration id",
            name: text.to_string(),
            rule: "a number from 1 with an optional letter, such as 8 or 8b",
        };
        let digits = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
        let mut letters = text[digits.len()..].chars();
        let letter = letters.next();
        if letters.next().is_some() || digits.starts_with('0') || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        Ok(Self { number: digits.parse().map_err(|_| bad())?, letter })
    }
}

impl fmt::Display for IterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number)?;
        self.letter.map_or(Ok(()), |l| write!(f, "{l}"))
    }
}

/// A run's id, such as `kq7f3-digits_mlp`: five letters and digits, then its experiment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = r"^[a-z]([A-Za-z0-9_-]{0,118}[A-Za-z0-9_])?$"))]
pub struct RunId(String);

impl RunId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RunId {
    type Error = BadName;

    fn try_from(name: String) -> Result<Self, BadName> {
        let fits = name.len() <= 120
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !name.ends_with('-');
        if fits {
            Ok(Self(name))
        } else {
            Err(BadName {
                what: "run id",
                name,
                rule: "a small letter, then letters, digits, `-` and `_`, at most 120",
            })
        }
    }
}

macro_rules! text_of {
    ($($name:ident)*) => {$(
        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
        impl TryFrom<&str> for $name {
            type Error = BadName;
            fn try_from(text: &str) -> Result<Self, BadName> {
                Self::try_from(text.to_string())
            }
        }
    )*};
}
text_of!(Slug IterId RunId);

impl TryFrom<String> for IterId {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        text.parse()
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iteration_ids_parse_order_and_continue() {
        let id = |t: &str| t.parse::<IterId>().unwrap();
        assert!(id("8") < id("8b") && id("8b") < id("9") && id("9") < id("10"));
        assert_eq!(id("8b").to_string(), "8b");
        assert_eq!(id("8").successor(), Some(id("8b")));
        assert_eq!(id("8z").successor(), None);
        for bad in ["", "b", "08", "8bb", "8B", "-1", "8 ", "99999999999"] {
            assert!(bad.parse::<IterId>().is_err(), "{bad}");
        }
        assert_eq!(IterId::of_folder("8b-srnn"), Some(id("8b")));
        assert_eq!(IterId::of_folder("notes"), None);
    }

    #[test]
    fn slugs_and_runs_are_plain_names() {
        for bad in ["", "A", "a b", "-a", "a-", "../x", "a/b"] {
            assert!(Slug::try_from(bad).is_err(), "{bad}");
        }
        assert!(RunId::try_from("kq7f3-digits_mlp").is_ok());
        assert!(RunId::try_from("..").is_err());
    }
}
