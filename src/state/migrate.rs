//! Versions of state files: what an older file becomes, step by step, as text: comments, order and quoting survive.
//!
//! A migration is one line of [`MIGRATIONS`] and one function from text to text. A file of a newer version is never
//! touched: whoever reads it says so.

use super::rules::FileKind;
use super::yaml::{self, Limits, Node, Value};

/// The version that this git-ar writes.
pub const CURRENT: u32 = 1;

/// One step from a version to the next.
struct Migration {
    from: u32,
    yaml: fn(&str, &Node) -> Option<String>,
    json: fn(&str) -> Option<String>,
}

/// Every step, oldest first. Version 0 is the form before versions were named: no `schema`, or `schema: 0`.
const MIGRATIONS: [Migration; 1] = [Migration { from: 0, yaml: name_version, json: name_version_json }];

/// Where a file stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is of this version, or its content is not a state file's.
    Current,
    /// It is of a newer version.
    Newer(u32),
    /// It is of an older version, and this is what it becomes.
    Older {
        /// Its version.
        from: u32,
        /// Its new text.
        text: String,
    },
}

/// Where the state file at `path` stands; none for a path that holds no state with a version.
#[must_use]
pub fn standing(path: &str, bytes: &[u8]) -> Option<Standing> {
    let json = match FileKind::of(path) {
        FileKind::Metrics => true,
        FileKind::Text | FileKind::RunConfig => return None,
        FileKind::Other if !(path.starts_with("configs/cluster/") && path.ends_with(".yaml")) => return None,
        _ => false,
    };
    let text = std::str::from_utf8(bytes).ok()?;
    let from = version(text, json)?;
    if from >= CURRENT {
        return Some(if from > CURRENT { Standing::Newer(from) } else { Standing::Current });
    }
    let mut new = text.to_string();
    for step in MIGRATIONS.iter().filter(|step| step.from >= from) {
        new = match json {
            true => (step.json)(&new)?,
            false => (step.yaml)(&new, &yaml::parse(new.as_bytes(), Limits::default()).ok()??)?,
        };
    }
    Some(Standing::Older { from, text: new })
}

/// What an older file becomes; none when it is not older.
#[must_use]
pub fn migrated(path: &str, bytes: &[u8]) -> Option<String> {
    match standing(path, bytes)? {
        Standing::Older { text, .. } => Some(text),
        Standing::Current | Standing::Newer(_) => None,
    }
}

/// The version that a mapping names; 0 when it names none, none for what is no mapping.
fn version(text: &str, json: bool) -> Option<u32> {
    if json {
        let value: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
        return value.get("schema").map_or(Some(0), |version| version.as_u64()?.try_into().ok());
    }
    let node = yaml::parse(text.as_bytes(), Limits::default()).ok()??;
    let Value::Map(_) = node.value else { return None };
    node.get("schema").map_or(Some(0), |version| version.text()?.parse().ok())
}

/// 0 to 1: the version is named, before the first key.
fn name_version(text: &str, node: &Node) -> Option<String> {
    if node.get("schema").is_some() {
        return yaml::edit::set(text, "schema", "1").ok();
    }
    let Value::Map(entries) = &node.value else { return None };
    let first = entries.first().map(|(key, _)| key.pos).filter(|pos| pos.column == 1)?;
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let before: usize = text.split_inclusive('\n').take(first.line as usize - 1).map(str::len).sum();
    let at = before.max(mark);
    Some(format!("{}schema: 1{newline}{}", &text[..at], &text[at..]))
}

/// 0 to 1 of a JSON object.
fn name_version_json(text: &str) -> Option<String> {
    let (head, rest) = text.split_once('{')?;
    let gap: String = rest.chars().take_while(|c| c.is_whitespace()).collect();
    let new = format!("{head}{{{gap}\"schema\": 1,{}{}", if gap.is_empty() { " " } else { &gap }, &rest[gap.len()..]);
    serde_json::from_str::<serde_json::Value>(&new).ok().map(|_| new)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "projects/p/project.yaml";

    #[test]
    fn an_older_file_gets_its_version_and_nothing_else() {
        for (old, new) in [
            ("title: T\n", "schema: 1\ntitle: T\n"),
            ("# mine\n\ntitle: T  # x\n", "# mine\n\nschema: 1\ntitle: T  # x\n"),
            ("\u{feff}title: T\r\n", "\u{feff}schema: 1\r\ntitle: T\r\n"),
            ("title: T\nschema: 0  # old\n", "title: T\nschema: 1  # old\n"),
        ] {
            assert_eq!(migrated(PATH, old.as_bytes()).as_deref(), Some(new));
            assert_eq!(standing(PATH, new.as_bytes()), Some(Standing::Current));
        }
        let metrics = "projects/p/runs/kq7f3-a/seed-0/metrics.json";
        assert_eq!(migrated(metrics, b"{\"run\":1}").unwrap(), "{\"schema\": 1, \"run\":1}");
        assert_eq!(migrated(metrics, b"{\n  \"run\": 1\n}\n").unwrap(), "{\n  \"schema\": 1,\n  \"run\": 1\n}\n");
    }

    #[test]
    fn newer_and_foreign_files_are_left() {
        assert_eq!(standing(PATH, b"schema: 2\nnew: [1]\n"), Some(Standing::Newer(2)));
        for (path, text) in
            [("README.md", "x"), ("src/a.yaml", "a: 1\n"), (PATH, "- 1\n"), (PATH, "a: [\n"), (PATH, "schema: x\n")]
        {
            assert_eq!(standing(path, text.as_bytes()), None, "{path} {text}");
        }
    }

    #[test]
    fn the_steps_lead_to_the_current_version() {
        let steps: Vec<u32> = MIGRATIONS.iter().map(|step| step.from).collect();
        assert_eq!(steps, (0..CURRENT).collect::<Vec<_>>());
    }
}
