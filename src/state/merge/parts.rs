//! A YAML text in parts: the entries of a mapping or the items of a list, each with the comments before it, so that
//! parts of two texts can stand together in a third.

use crate::state::yaml::{Limits, Node, Value, parse};

/// One entry of a mapping or one item of a list, as written.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Blank lines and comments before it.
    pub(super) lead: String,
    /// `key:` or `-`.
    pub(super) head: String,
    /// The rest of its first line, without the line's end.
    pub(super) same: String,
    /// Its other lines.
    pub(super) below: String,
    /// What it holds.
    pub(super) node: Node,
}

/// What a text is made of.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    /// Whether it is a list.
    pub(super) list: bool,
    /// Whether it is written in brackets or braces.
    pub(super) flow: bool,
    /// By how many blanks its lines are indented where it stands.
    pub(super) indent: usize,
    /// The parts in order.
    pub(super) parts: Vec<Part>,
    /// Blank lines and comments after the last one.
    pub(super) tail: String,
}

impl Part {
    /// What it says, without the comments before it.
    pub(super) fn body(&self) -> String {
        format!("{}{}\n{}", self.head, self.same, self.below)
    }

    /// The key, or nothing for an item of a list.
    pub(super) fn key(&self) -> &str {
        self.head.strip_suffix(':').unwrap_or_default().trim().trim_matches(['"', '\''])
    }

    /// The parts that its value is made of; `None` for a scalar, and for what cannot be taken apart.
    pub(super) fn inner(&self) -> Option<Parts> {
        let (value, comment) = split_comment(&self.same);
        let value = value.trim();
        let is_list = match self.node.value {
            Value::Scalar { .. } => return None,
            Value::List(_) => true,
            Value::Map(_) => false,
        };
        if value.starts_with(['[', '{']) {
            return if self.below.trim().is_empty() { flow(value) } else { None };
        }
        if value.is_empty() {
            let indent = indent_of(&self.below)?;
            let mut parts = of(&dedent(&self.below, indent)).filter(|parts| parts.list == is_list)?;
            parts.indent = indent;
            return Some(parts);
        }
        // `- key: value`: the item's first entry stands on the line of its dash.
        if self.head != "-" || !comment.is_empty() && self.below.is_empty() {
            return None;
        }
        let column = 1 + self.same.len() - self.same.trim_start().len();
        if indent_of(&self.below).is_some_and(|indent| indent < column) {
            return None;
        }
        let text = format!("{}\n{}", self.same.trim_start(), dedent(&self.below, column));
        let mut parts = of(&text).filter(|parts| parts.list == is_list && !parts.flow)?;
        parts.indent = column;
        Some(parts)
    }
}

impl Parts {
    /// Nothing yet, in the form of these.
    pub(super) fn empty_like(&self) -> Self {
        Self { parts: Vec::new(), tail: String::new(), ..*self }
    }
}

/// The parts of a text in which every entry or item begins in the first column; `None` for anything else.
pub(super) fn of(text: &str) -> Option<Parts> {
    let node = parse(text.as_bytes(), Limits::default()).ok()??;
    if node.tag.is_some() {
        return None;
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (list, starts) = match &node.value {
        Value::Scalar { .. } => return None,
        Value::Map(entries) => {
            let column = entries.iter().all(|(key, _)| key.pos.column == 1);
            (false, column.then(|| entries.iter().map(|(key, _)| key.pos.line as usize - 1).collect::<Vec<_>>())?)
        }
        Value::List(items) => {
            let dashes: Vec<usize> =
                (0..lines.len()).filter(|n| lines[*n].trim_end() == "-" || lines[*n].starts_with("- ")).collect();
            (true, (dashes.len() == items.len()).then_some(dashes)?)
        }
    };
    if starts.windows(2).any(|pair| pair[0] >= pair[1]) || starts.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    let mut free = 0;
    for (index, start) in starts.iter().enumerate() {
        let mut end = starts.get(index + 1).copied().unwrap_or(lines.len());
        while end > start + 1 && is_between(lines[end - 1]) {
            end -= 1;
        }
        let (head, same) = head(lines[*start].trim_end_matches('\n'), list)?;
        let node = match &node.value {
            Value::List(items) => items[index].clone(),
            Value::Map(entries) => entries[index].1.clone(),
            Value::Scalar { .. } => return None,
        };
        let (lead, below) = (lines[free..*start].concat(), ended(lines[start + 1..end].concat()));
        parts.push(Part { lead, head: head.into(), same: same.into(), below, node });
        free = end;
    }
    Some(Parts { list, flow: false, indent: 0, parts, tail: ended(lines[free..].concat()) })
}

/// A line that belongs to what follows it: blank, or a comment in the first column.
fn is_between(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with('#')
}

/// The head of a line and its rest.
fn head(line: &str, list: bool) -> Option<(&str, &str)> {
    if list {
        return Some(line.split_at(1));
    }
    let key = match line.chars().next()? {
        quote @ ('"' | '\'') => line[1..].find(quote)? + 2,
        '?' | '&' | '!' | '*' => return None,
        _ => 0,
    };
    let colon = line[key..].match_indices(':').map(|(at, _)| key + at);
    let at = colon.into_iter().find(|at| matches!(line[at + 1..].chars().next(), None | Some(' ')))?;
    Some(line.split_at(at + 1))
}

/// The parts of a list in brackets or a mapping in braces that stands on one line.
fn flow(text: &str) -> Option<Parts> {
    let list = text.starts_with('[');
    let inner = text.strip_prefix(['[', '{'])?.strip_suffix([']', '}'])?;
    let mut parts = Vec::new();
    for piece in pieces(inner)? {
        let (head, same) = match list {
            true => ("-", format!(" {piece}")),
            false => match head(piece, false) {
                Some((head, same)) => (head, same.to_string()),
                None => return None,
            },
        };
        let node = parse(same.as_bytes(), Limits::default()).ok()??;
        parts.push(Part { lead: String::new(), head: head.into(), same, below: String::new(), node });
    }
    Some(Parts { list, flow: true, indent: 2, parts, tail: String::new() })
}

/// What stands between the commas of a list or mapping in brackets; `None` where brackets or quotes do not match.
fn pieces(text: &str) -> Option<Vec<&str>> {
    let (mut depth, mut quote, mut skip, mut start, mut found) = (0_usize, None, false, 0, Vec::new());
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match quote {
            Some(_) if skip => skip = false,
            Some('"') if c == '\\' => skip = true,
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None => match c {
                '"' | '\'' if " [{,:".contains(before) => quote = Some(c),
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.checked_sub(1)?,
                '#' if before == ' ' => return None,
                ',' if depth == 0 => {
                    found.push(text[start..at].trim());
                    start = at + 1;
                }
                _ => {}
            },
        }
        before = c;
    }
    if depth > 0 || quote.is_some() {
        return None;
    }
    let last = text[start..].trim();
    if !last.is_empty() {
        found.push(last);
    }
    found.iter().all(|piece| !piece.is_empty()).then_some(found)
}

/// A value on one line and the comment behind it, with the blanks between them.
pub(super) fn split_comment(line: &str) -> (&str, &str) {
    let (mut quote, mut skip, mut before) = (None, false, ' ');
    for (at, c) in line.char_indices() {
        match quote {
            Some(_) if skip => skip = false,
            Some('"') if c == '\\' => skip = true,
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') && " [{,:".contains(before) => quote = Some(c),
            None if c == '#' && before == ' ' => return line.split_at(line[..at].trim_end().len()),
            None => {}
        }
        before = c;
    }
    (line, "")
}

/// The fewest blanks before a line that says something.
fn indent_of(text: &str) -> Option<usize> {
    let told = text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    told.map(|line| line.len() - line.trim_start_matches(' ').len()).min()
}

/// Every line with so many blanks fewer; one that has fewer loses what it has.
fn dedent(text: &str, by: usize) -> String {
    let line = |line: &str| {
        let blanks = (line.len() - line.trim_start_matches(' ').len()).min(by);
        line[blanks..].to_string()
    };
    text.split_inclusive('\n').map(line).collect()
}

/// The text with its last line ended.
pub(super) fn ended(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# top\nschema: 1\n\n# steps\nsteps:\n  - {to: survey, at: x} # one\n  # inner\n  - to: b\n    at: |\n      y\nnext: [a, \"b, c\", 'd''s']\nx-mine: {a: [1, 2], \"b\": 'x: y'}\n# end";

    #[test]
    fn a_text_is_the_sum_of_its_parts() {
        let parts = of(TEXT).unwrap();
        let joined: String = parts.parts.iter().map(|p| format!("{}{}", p.lead, p.body())).collect();
        assert_eq!(joined + &parts.tail, format!("{TEXT}\n"));
        let keys: Vec<&str> = parts.parts.iter().map(Part::key).collect();
        assert_eq!(keys, ["schema", "steps", "next", "x-mine"]);
        let steps = parts.parts[1].inner().unwrap();
        assert_eq!((steps.indent, steps.parts.len()), (2, 2));
        assert_eq!(steps.parts[1].lead, "# inner\n");
        let step = steps.parts[1].inner().unwrap();
        assert_eq!((step.indent, step.parts[1].below.as_str()), (2, "  y\n"));
        let next = parts.parts[2].inner().unwrap();
        assert_eq!(next.parts.iter().map(|p| p.same.as_str()).collect::<Vec<_>>(), [" a", " \"b, c\"", " 'd''s'"]);
        let mine = parts.parts[3].inner().unwrap();
        assert_eq!(mine.parts.iter().map(Part::key).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn what_cannot_be_taken_apart_is_not() {
        for text in ["a", "{a: 1}\n", "? a\n: b\n", "a: 1\n  b: 2\n", "!!map\na: 1\n", "", "a: &x 1\n? b\n"] {
            assert!(of(text).is_none(), "{text}");
        }
        assert_eq!(split_comment("\"a # b\"  # c"), ("\"a # b\"", "  # c"));
        assert_eq!(split_comment("it's a#b"), ("it's a#b", ""));
    }
}
