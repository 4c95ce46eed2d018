//! Edits of a YAML text that touch only their own lines: comments, order and quoting survive.
//!
//! Only block mappings at the top level are edited, which is what state files are. Anything else is refused
//! rather than rewritten.

use super::{Error, Limits, Node, Pos, Value, parse};

/// `text` with the top-level `key` set to `yaml` (a scalar or flow value on one line, or an indented block
/// that begins with a newline). The key is appended when it is not there.
pub fn set(text: &str, key: &str, yaml: &str) -> Result<String, Error> {
    let line = if yaml.starts_with('\n') { format!("{key}:{yaml}") } else { format!("{key}: {yaml}") };
    let Some((first, last)) = extent(text, key)? else {
        return Ok(format!("{}{line}{}", ended(text), newline(text)));
    };
    let comment = trailing_comment(text, key, first)?;
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let line = match comment {
        Some(comment) if !yaml.starts_with('\n') && first == last => format!("{line}  {comment}{}", newline(text)),
        _ => format!("{line}{}", newline(text)),
    };
    lines.splice(first - 1..last, [line.as_str()]);
    Ok(lines.concat())
}

/// `text` with one more item (an inline YAML value) at the end of the list under the top-level `key`.
pub fn append(text: &str, key: &str, item: &str) -> Result<String, Error> {
    let document = document(text)?;
    let items = match document.get(key).map(|n| (&n.value, n.is_null(), n.pos)) {
        None | Some((_, true, _)) => return set(text, key, &format!("{}  - {item}", newline(text))),
        Some((Value::List(items), ..)) => items,
        Some((_, _, pos)) => return Err(Error::at(pos, format!("`{key}` is not a list"))),
    };
    let Some(first) = items.first() else { return set(text, key, &format!("{}  - {item}", newline(text))) };
    let (start, last) = extent(text, key)?.unwrap_or((1, 1));
    if (first.pos.line as usize) == start {
        return Err(Error::at(first.pos, format!("`{key}` is a list in brackets; write it with one `- ` item a line")));
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let dash = lines[start..last].iter().find(|l| l.trim_start().starts_with('-')).copied().unwrap_or("  - ");
    let indent = &dash[..dash.len() - dash.trim_start().len()];
    let (head, tail) = lines.split_at(last);
    Ok(format!("{}{indent}- {item}{}{}", ended(&head.concat()), newline(text), tail.concat()))
}

/// First and last line (from 1) of the top-level entry `key`, without blank or comment lines after it.
fn extent(text: &str, key: &str) -> Result<Option<(usize, usize)>, Error> {
    let document = document(text)?;
    let Value::Map(entries) = &document.value else {
        return Err(Error::at(document.pos, "expected a mapping"));
    };
    let Some(index) = entries.iter().position(|(k, _)| k.text() == Some(key)) else { return Ok(None) };
    let start = entries[index].0.pos;
    if start.column != 1 {
        return Err(Error::at(start, "this file is a mapping in braces; write one key a line"));
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut last = entries.get(index + 1).map_or(lines.len(), |(k, _)| k.pos.line as usize - 1);
    // A block scalar may end in blank lines or hold lines that look like comments, but those are indented.
    let ends = |line: &str| line.trim().is_empty() || line.starts_with('#') || line == "...";
    while last > start.line as usize && ends(lines[last - 1]) {
        last -= 1;
    }
    Ok(Some((start.line as usize, last)))
}

/// The comment behind a one-line scalar value.
fn trailing_comment(text: &str, key: &str, line: usize) -> Result<Option<String>, Error> {
    let document = document(text)?;
    let Some(Value::Scalar { .. }) = document.get(key).map(|n| &n.value) else { return Ok(None) };
    let line = text.lines().nth(line - 1).unwrap_or_default();
    let at = line.rfind(" #").filter(|at| !line[*at..].contains(['"', '\'']));
    Ok(at.map(|at| line[at..].trim().to_string()))
}

fn document(text: &str) -> Result<Node, Error> {
    Ok(parse(text.as_bytes(), Limits::default())?.unwrap_or(Node {
        pos: Pos { line: 1, column: 1 },
        tag: None,
        value: Value::Map(Vec::new()),
    }))
}

fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

fn ended(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_string() } else { format!("{text}{}", newline(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# mine\nschema: 1\nphase: planned  # now\nsteps: []\n\n# why\nquestion: |\n  a\n  # not a comment\n\nx-note: {a: 1}\n";

    #[test]
    fn set_touches_one_line() {
        let text = set(TEXT, "phase", "survey").unwrap();
        assert_eq!(text, TEXT.replace("phase: planned  # now", "phase: survey  # now"));
        let text = set(TEXT, "question", "\"b\"").unwrap();
        assert_eq!(text, TEXT.replace("question: |\n  a\n  # not a comment\n", "question: \"b\"\n"));
        assert_eq!(set("a: 1", "b", "2").unwrap(), "a: 1\nb: 2\n");
    }

    #[test]
    fn append_keeps_the_list_style() {
        let text = append(TEXT, "steps", "{to: survey}").unwrap();
        assert_eq!(text, TEXT.replace("steps: []", "steps:\n  - {to: survey}"));
        let text = append(&text, "steps", "{to: implement}").unwrap();
        assert!(text.contains("steps:\n  - {to: survey}\n  - {to: implement}\n\n# why"), "{text}");
        assert_eq!(append("a:\n- 1\n", "a", "2").unwrap(), "a:\n- 1\n- 2\n");
        assert!(append("a: [1]\n", "a", "2").is_err());
        assert_eq!(append("a:\r\n  - 1\r\n", "a", "2").unwrap(), "a:\r\n  - 1\r\n  - 2\r\n");
    }
}
