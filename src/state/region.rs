//! Generated regions in text files: find, verify, replace.
//!
//! A region lies between two lines, `<!-- ar:begin NAME sha256=DIGEST -->` and `<!-- ar:end NAME -->`. The digest
//! (first 16 digits) is of the text between them with line ends as LF, so a checkout with CRLF stays valid. A
//! person places a region by writing both lines without a digest and nothing between them.

use std::ops::Range;

use super::problem::{Kind, Problem};
use super::tree::digest;

/// One region of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its name, such as `board mnist`.
    pub name: String,
    /// The line of its begin marker, from 1.
    pub line: u32,
    /// The bytes of both markers and what is between them.
    pub whole: Range<usize>,
    /// The bytes between the markers.
    pub body: Range<usize>,
    /// The digest in the begin marker; none while a person has only placed it.
    pub digest: Option<String>,
}

impl Region {
    /// Whether the text between the markers is what was generated.
    #[must_use]
    pub fn is_intact(&self, text: &str) -> bool {
        let body = &text[self.body.clone()];
        match &self.digest {
            Some(digest) => *digest == short_digest(body),
            None => body.trim().is_empty(),
        }
    }
}

/// A region's text with its markers, LF line ends.
#[must_use]
pub fn render(name: &str, body: &str) -> String {
    let newline = if body.is_empty() || body.ends_with('\n') { "" } else { "\n" };
    let body = format!("{body}{newline}");
    format!("<!-- ar:begin {name} sha256={} -->\n{body}<!-- ar:end {name} -->\n", short_digest(&body))
}

/// Every region of the file `path` in order; an error where the markers make no sense.
pub fn find(path: &str, text: &str) -> Result<Vec<Region>, Problem> {
    let bad = |line: u32, message: String| {
        Problem::new(Kind::Invalid, "region", message)
            .at(path)
            .line(Some(line))
            .hint("every `<!-- ar:begin NAME -->` line needs one `<!-- ar:end NAME -->` line after it, outside of code blocks")
    };
    let mut regions: Vec<Region> = Vec::new();
    let mut open: Option<Region> = None;
    let mut fence = Fence::default();
    let mut offset = 0;
    for (line, number) in text.split_inclusive('\n').zip(1_u32..) {
        let span = offset..offset + line.len();
        offset = span.end;
        let fenced = fence.covers(line);
        match marker(line).map_err(|why| bad(number, why))? {
            None => {}
            Some(marker) if fenced && (marker.digest.is_some() || open.is_some()) => {
                return Err(bad(number, format!("the region `{}` is inside a code block", marker.name)));
            }
            // A marker without a digest in a code block is an example in a document.
            Some(_) if fenced => {}
            Some(Marker { begin: true, name, digest }) => {
                if let Some(open) = &open {
                    return Err(bad(number, format!("the region `{name}` begins inside the region `{}`", open.name)));
                }
                if regions.iter().any(|r| r.name == name) {
                    return Err(bad(number, format!("the region `{name}` is there twice")));
                }
                open = Some(Region { name, line: number, whole: span.clone(), body: span.end..span.end, digest });
            }
            Some(Marker { name, .. }) => match open.take() {
                Some(region) if region.name == name => regions.push(Region {
                    whole: region.whole.start..span.end,
                    body: region.body.start..span.start,
                    ..region
                }),
                Some(region) => {
                    return Err(bad(number, format!("the region `{}` is ended as `{name}`", region.name)));
                }
                None => return Err(bad(number, format!("the region `{name}` ends before it begins"))),
            },
        }
    }
    match open {
        Some(region) => Err(bad(region.line, format!("the region `{}` has no end", region.name))),
        None => Ok(regions),
    }
}

/// What is between the markers of the region `name`; `None` when there is no such region.
pub fn body<'a>(path: &str, text: &'a str, name: &str) -> Result<Option<&'a str>, Problem> {
    let region = find(path, text)?.into_iter().find(|r| r.name == name);
    Ok(region.map(|r| &text[r.body]))
}

/// The regions of a file that were edited by hand, each as a problem.
pub fn verify(path: &str, text: &str) -> Result<Vec<Problem>, Problem> {
    let edited = find(path, text)?.into_iter().filter(|r| !r.is_intact(text));
    let problem = |region: Region| {
        Problem::new(
            Kind::Refused,
            "region-edited",
            format!("the generated region `{}` was edited by hand", region.name),
        )
        .at(path)
        .line(Some(region.line))
        .hint(how_to_render(&region.name))
    };
    Ok(edited.map(problem).collect())
}

/// The command that writes a region anew.
fn how_to_render(name: &str) -> &'static str {
    if name.starts_with("board") { "git ar board render" } else { "git ar phase next" }
}

/// `text` with the region `name` holding `body`; `None` when it has no such region. The file's line ends are kept.
pub fn replace(path: &str, text: &str, name: &str, body: &str) -> Result<Option<String>, Problem> {
    let Some(region) = find(path, text)?.into_iter().find(|r| r.name == name) else { return Ok(None) };
    let mut generated = render(name, body);
    if text[region.whole.clone()].contains("\r\n") {
        generated = generated.replace('\n', "\r\n");
    }
    if !text[region.whole.clone()].ends_with('\n') {
        generated.truncate(generated.trim_end().len());
    }
    Ok(Some(format!("{}{generated}{}", &text[..region.whole.start], &text[region.whole.end..])))
}

fn short_digest(body: &str) -> String {
    digest(body.replace("\r\n", "\n").as_bytes())[..16].to_string()
}

struct Marker {
    begin: bool,
    name: String,
    digest: Option<String>,
}

/// The marker that a line is, if it is one. A line that only looks like one is an error, so that a slip of the
/// keyboard does not turn a region into plain text.
fn marker(line: &str) -> Result<Option<Marker>, String> {
    let line = line.trim_end();
    let Some(rest) = line.trim_start().strip_prefix("<!-- ar:") else { return Ok(None) };
    if line.len() - line.trim_start().len() > 3 {
        return Ok(None);
    }
    let inner = rest.strip_suffix("-->").ok_or("a marker stands alone on its line and ends in `-->`")?.trim();
    let (word, rest) = inner.split_once(' ').unwrap_or((inner, ""));
    let begin = match word {
        "begin" => true,
        "end" => false,
        _ => return Err(format!("`ar:{}` is no marker; there are ar:begin and ar:end", super::text::printable(word))),
    };
    let (name, digest) = match rest.split_once(" sha256=") {
        Some((name, digest)) if begin && digest.len() == 16 && digest.bytes().all(|b| b.is_ascii_hexdigit()) => {
            (name, Some(digest.to_string()))
        }
        Some(_) => return Err("the marker's digest is not 16 hexadecimal digits".into()),
        None => (rest, None),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || " -_/.".contains(c);
    if name.is_empty() || !name.chars().all(plain) {
        return Err("the marker has no name such as `board mnist`".into());
    }
    Ok(Some(Marker { begin, name: name.to_string(), digest }))
}

/// Which lines lie in a fenced code block.
#[derive(Default)]
struct Fence {
    open: Option<(char, usize)>,
}

impl Fence {
    /// Whether `line` is part of a code block (its fences included); lines are given in order.
    fn covers(&mut self, line: &str) -> bool {
        let inner = line.trim_start_matches(' ');
        let indent = line.len() - inner.len();
        let c = inner.chars().next().filter(|c| matches!(c, '`' | '~') && indent < 4);
        let length = c.map_or(0, |c| inner.chars().take_while(|x| *x == c).count());
        match (self.open, c) {
            (None, Some(c)) if length >= 3 => {
                let info = &inner[length..];
                if c == '`' && info.contains('`') {
                    return false;
                }
                self.open = Some((c, length));
                true
            }
            (Some((fence, least)), Some(c)) if c == fence && length >= least && inner[length..].trim().is_empty() => {
                self.open = None;
                true
            }
            (open, _) => open.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACED: &str = "# Title\n\n<!-- ar:begin board mnist -->\n<!-- ar:end board mnist -->\n\nafter\n";

    #[test]
    fn a_placed_region_is_filled_and_filled_again() {
        let once = replace("README.md", PLACED, "board mnist", "| a |\n").unwrap().unwrap();
        assert!(once.starts_with("# Title\n\n<!-- ar:begin board mnist sha256=") && once.ends_with("-->\n\nafter\n"));
        assert_eq!(replace("README.md", &once, "board mnist", "| a |\n").unwrap().unwrap(), once);
        assert_eq!(verify("README.md", &once).unwrap(), []);
        assert_eq!(replace("README.md", PLACED, "board cifar10", "x").unwrap(), None);
        let bare = once.trim_end().strip_suffix("\n\nafter").unwrap();
        assert_eq!(replace("README.md", bare, "board mnist", "| a |").unwrap().unwrap(), bare);
    }

    #[test]
    fn an_edit_by_hand_is_seen_and_line_ends_are_not_an_edit() {
        let text = render("comparison", "one\ntwo\n");
        let edited = verify("a.md", &text.replace("two", "2")).unwrap();
        assert_eq!((edited[0].code, edited[0].line), ("region-edited", Some(1)));
        let windows = text.replace('\n', "\r\n");
        assert_eq!(verify("a.md", &windows).unwrap(), []);
        let again = replace("a.md", &windows, "comparison", "one\ntwo\nthree\n").unwrap().unwrap();
        assert!(again.ends_with("three\r\n<!-- ar:end comparison -->\r\n") && !again.contains("e\n<"));
        assert_eq!(verify("a.md", "<!-- ar:begin x -->\nmine\n<!-- ar:end x -->\n").unwrap().len(), 1);
    }

    #[test]
    fn markers_that_make_no_sense_are_refused() {
        let region = render("x", "a\n");
        for (text, line) in [
            (format!("{region}{region}"), 4),
            ("<!-- ar:end x -->\n<!-- ar:begin x -->\n".into(), 1),
            ("<!-- ar:begin x -->\n<!-- ar:begin y -->\n<!-- ar:end y -->\n<!-- ar:end x -->\n".into(), 2),
            ("<!-- ar:begin x -->\n<!-- ar:end y -->\n".into(), 2),
            ("\n<!-- ar:begin x -->\n".into(), 2),
            (format!("```\n{region}```\n"), 2),
            ("<!-- ar:begin x -->\n```\n<!-- ar:end x -->\n```\n".into(), 3),
            ("<!-- ar:begin x --> text\n".into(), 1),
            ("<!-- ar:begin x sha256=1 -->\n".into(), 1),
            ("<!-- ar:begin -->\n".into(), 1),
            ("<!-- ar:bgin x -->\n".into(), 1),
        ] {
            assert_eq!(find("a.md", &text).unwrap_err().line, Some(line), "{text}");
        }
    }

    #[test]
    fn examples_in_documents_are_no_regions() {
        let text = "Write `<!-- ar:begin board mnist -->`:\n```md\n<!-- ar:begin board mnist -->\n<!-- ar:end board mnist -->\n```\n";
        assert_eq!(find("docs/a.md", text).unwrap(), []);
        assert_eq!(find("docs/a.md", "    <!-- ar:begin x -->\n").unwrap(), []);
    }

    #[test]
    fn no_text_breaks_it_and_what_is_replaced_stays_replaced() {
        const PARTS: [&str; 14] = [
            "<!-- ar:begin x -->",
            "<!-- ar:end x -->",
            "<!-- ar:begin y sha256=00 -->",
            "<!-- ar:",
            "-->",
            "```",
            "~~~",
            "\n",
            "\r\n",
            "    ",
            "x",
            "\u{0}",
            "é",
            "| a |",
        ];
        let mut state = 1_u64;
        for _ in 0..20_000 {
            let text: String = (0..12)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    PARTS[(state >> 33) as usize % PARTS.len()]
                })
                .collect();
            let _ = verify("a.md", &text);
            if let Ok(Some(once)) = replace("a.md", &text, "x", "body\n") {
                assert_eq!(replace("a.md", &once, "x", "body\n").unwrap().unwrap(), once, "{text:?}");
            }
        }
    }
}
