//! YAML text to nodes with places, within stated limits.
//!
//! Aliases are expanded while building, and every expanded node counts against the limit, so an
//! "alias bomb" ends in an error long before it fills the memory.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Options, Parser, ScalarStyle, StructureStyle};

use super::{Error, Pos, strict};

/// One node of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it starts.
    pub pos: Pos,
    /// Explicit tag as written, such as `!!str` or `!local`.
    pub tag: Option<String>,
    /// What it holds.
    pub value: Value,
}

/// What a node holds. Scalars stay text: their type is the reader's business.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A scalar; `plain` when it was written without quotes and not as a block.
    Scalar {
        /// The text after YAML's escapes.
        text: String,
        /// Written plain, so that it may mean a number, a boolean or null.
        plain: bool,
    },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the order written; keys may repeat, the reader decides.
    Map(Vec<(Node, Node)>),
}

/// What a reader accepts at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Nodes after the aliases were expanded.
    pub nodes: usize,
    /// Levels of nesting.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 4 << 20, nodes: 1_000_000, depth: 64 }
    }
}

impl Node {
    /// Whether this is an empty or `null` plain scalar.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.tag.is_none()
            && matches!(&self.value, Value::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The value of `key` when this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|(k, _)| k.text() == Some(key)).map(|(_, v)| v)
    }

    /// The text when this is a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    fn count(&self) -> usize {
        1 + match &self.value {
            Value::Scalar { .. } => 0,
            Value::List(items) => items.iter().map(Node::count).sum(),
            Value::Map(entries) => entries.iter().map(|(k, v)| k.count() + v.count()).sum(),
        }
    }
}

/// The only document of `bytes`; `None` when there is none (empty or comments only).
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Option<Node>, Error> {
    let mut documents = parse_documents(bytes, limits)?;
    if let Some(second) = documents.get(1) {
        return Err(Error::at(second.pos, "a second YAML document; one file holds one document"));
    }
    Ok(documents.pop())
}

/// Every document of `bytes`.
pub fn parse_documents(bytes: &[u8], limits: Limits) -> Result<Vec<Node>, Error> {
    if bytes.len() > limits.bytes {
        let message = format!("{} bytes; at most {} are read", bytes.len(), limits.bytes);
        return Err(Error { message, pos: None, hint: None });
    }
    let text = utf8(bytes)?;
    let mut options = Options::default();
    options.flow_nesting_limit = limits.depth;
    options.block_nesting_limit = limits.depth;
    options.emit_anchor_events = true;
    let mut builder = Builder::new(limits);
    let open_end = (!text.ends_with('\n')).then(|| text.chars().count());
    let mut kept = Vec::new();
    for event in Parser::new_from_str_with_options(text, options) {
        let (mut event, span) = event.map_err(|e| Error::at(pos(e.marker()), e.info()))?;
        if let Event::Scalar(scalar, style, ..) = &mut event
            && *style != ScalarStyle::Plain
        {
            kept.push((span.start.index(), span.end.index()));
            // A block that the end of the file cuts short has no line break at its end.
            let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
            if block && open_end == Some(span.end.index()) && scalar.ends_with('\n') {
                scalar.to_mut().pop();
            }
        }
        builder.event(event, pos(&span.start))?;
    }
    if text.contains('\t') {
        strict::tabs(text, &kept)?;
    }
    Ok(builder.documents)
}

/// The text of `bytes` without a byte-order mark, or where it stops being text.
fn utf8(bytes: &[u8]) -> Result<&str, Error> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        Error::at(Pos { line: line as u32, column: 1 }, "not UTF-8 text (a binary file?)")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn pos(marker: &granit_parser::Marker) -> Pos {
    Pos { line: marker.line() as u32, column: marker.col() as u32 + 1 }
}

/// A collection that is still open.
struct Open {
    node: Node,
    /// Written with brackets or braces.
    flow: bool,
    anchor: usize,
    key: Option<Node>,
}

struct Builder {
    limits: Limits,
    nodes: usize,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    names: HashSet<String>,
    documents: Vec<Node>,
}

impl Builder {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            nodes: 0,
            open: Vec::new(),
            anchors: HashMap::new(),
            names: HashSet::new(),
            documents: Vec::new(),
        }
    }

    fn event(&mut self, event: Event<'_>, pos: Pos) -> Result<(), Error> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                // YAML 1.1 readers take such a `?` for the sign of a key.
                if style == ScalarStyle::Plain && text.starts_with('?') && self.open.iter().any(|open| open.flow) {
                    return Err(
                        Error::at(pos, "text that begins with `?` inside brackets or braces").hinted("quote it")
                    );
                }
                let value = Value::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                let node = Node { pos, tag: tag.map(|t| t.original()), value };
                self.spend(1, pos)?;
                self.close(node, anchor)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.start(Value::List(Vec::new()), style, anchor, tag.map(|t| t.original()), pos)
            }
            Event::MappingStart(style, anchor, tag) => {
                self.start(Value::Map(Vec::new()), style, anchor, tag.map(|t| t.original()), pos)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.close(open.node, open.anchor),
                None => Ok(()),
            },
            Event::Alias(id) => {
                let (node, count) =
                    self.anchors.get(&id).cloned().ok_or_else(|| Error::at(pos, "an alias inside its own anchor"))?;
                self.spend(count, pos)?;
                self.close(Node { pos, ..node }, 0)
            }
            Event::Anchor(_, name) if !self.names.insert(name.clone().into_owned()) => {
                Err(Error::at(pos, format!("the anchor `{name}` is defined twice")))
            }
            Event::DocumentStart(..) => {
                self.names.clear();
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn start(
        &mut self,
        value: Value,
        style: StructureStyle,
        anchor: usize,
        tag: Option<String>,
        pos: Pos,
    ) -> Result<(), Error> {
        self.spend(1, pos)?;
        if self.open.len() >= self.limits.depth {
            return Err(Error::at(pos, format!("nested deeper than {} levels", self.limits.depth)));
        }
        self.open.push(Open { node: Node { pos, tag, value }, flow: style == StructureStyle::Flow, anchor, key: None });
        Ok(())
    }

    fn close(&mut self, node: Node, anchor: usize) -> Result<(), Error> {
        if anchor != 0 {
            let count = node.count();
            self.anchors.insert(anchor, (node.clone(), count));
        }
        let Some(parent) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        match (&mut parent.node.value, parent.key.take()) {
            (Value::List(items), _) => items.push(node),
            (Value::Map(entries), Some(key)) => entries.push((key, node)),
            (Value::Map(_), None) => parent.key = Some(node),
            (Value::Scalar { .. }, _) => {}
        }
        Ok(())
    }

    fn spend(&mut self, count: usize, pos: Pos) -> Result<(), Error> {
        self.nodes = self.nodes.saturating_add(count);
        if self.nodes > self.limits.nodes {
            return Err(Error::at(
                pos,
                format!("more than {} nodes after the aliases are expanded", self.limits.nodes),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Node>, Error> {
        parse(text.as_bytes(), Limits::default())
    }

    #[test]
    fn places_and_quotes_are_kept() {
        let node = read("a: 1\nb:\n  - 'x'\n").unwrap().unwrap();
        let item = match &node.get("b").unwrap().value {
            Value::List(items) => items[0].clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(item.pos, Pos { line: 3, column: 5 });
        assert_eq!(item.value, Value::Scalar { text: "x".into(), plain: false });
    }

    #[test]
    fn aliases_are_expanded_and_counted() {
        let node = read("a: &x [1, 2]\nb: *x\n").unwrap().unwrap();
        assert_eq!(node.get("b").unwrap().count(), 3);
        let mut bomb = String::from("a0: &a0 [x, x]\n");
        for i in 1..40 {
            bomb.push_str(&format!("a{i}: &a{i} [*a{}, *a{}]\n", i - 1, i - 1));
        }
        assert!(read(&bomb).unwrap_err().message.contains("nodes"));
    }

    #[test]
    fn hostile_texts_are_refused_quickly() {
        assert!(read(&"[".repeat(200_000)).is_err());
        assert!(parse(&[0xff, 0xfe, 0], Limits::default()).unwrap_err().message.contains("UTF-8"));
        assert!(read("a: 1\n---\nb: 2\n").is_err());
        assert_eq!(read("# only a comment\n").unwrap(), None);
        assert_eq!(read("").unwrap(), None);
    }
}
