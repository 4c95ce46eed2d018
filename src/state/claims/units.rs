//! Markdown to the sentences and table rows in which claims stand, each with its place.
//!
//! Code blocks, comments and generated regions hold no claims. Inline code is kept, because names are written in it.

use std::ops::Range;

/// One sentence or one row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    /// Its text; line breaks are blanks.
    pub(super) text: String,
    /// The cells' heads with the cells' places in the text, for a row of a table.
    pub(super) cells: Vec<(String, Range<usize>)>,
    /// Inline code, whose numbers are no figures.
    pub(super) code: Vec<Range<usize>>,
    /// The line of the first character.
    line: u32,
    /// Offsets at which further lines begin.
    breaks: Vec<usize>,
}

impl Unit {
    /// The line (from 1) of a place in the text.
    pub(super) fn line_at(&self, at: usize) -> u32 {
        self.line + self.breaks.iter().filter(|start| **start <= at).count() as u32
    }
}

/// The units of a Markdown text whose first line has the number `first`.
pub(super) fn units(text: &str, first: u32) -> Vec<Unit> {
    let text = plain(text);
    let mut found = Vec::new();
    let mut block: Vec<(u32, &str)> = Vec::new();
    let (mut fence, mut blank): (Option<String>, bool) = (None, true);
    for (line, number) in text.lines().zip(first..) {
        let inner = line.trim_start().trim_start_matches("> ");
        let mark: String = inner.chars().take_while(|c| matches!(c, '`' | '~')).collect();
        match &fence {
            Some(open) => {
                if mark.starts_with(open.as_str()) && inner.trim() == mark {
                    fence = None;
                }
                continue;
            }
            None if mark.len() >= 3 => {
                flush(&mut block, &mut found);
                fence = Some(mark);
                continue;
            }
            None => {}
        }
        let indented = line.starts_with("    ") || line.starts_with('\t');
        if inner.trim().is_empty() {
            flush(&mut block, &mut found);
            blank = true;
            continue;
        }
        if indented && blank && block.is_empty() {
            continue;
        }
        blank = false;
        let table = inner.starts_with('|');
        let was_table = block.last().is_some_and(|(_, l)| l.starts_with('|'));
        if starts_block(inner) || table != was_table {
            flush(&mut block, &mut found);
        }
        block.push((number, inner.trim_start_matches('#').trim_start()));
        if inner.starts_with('#') {
            flush(&mut block, &mut found);
        }
    }
    flush(&mut block, &mut found);
    found
}

/// Whether a line begins a heading or an item of a list.
fn starts_block(line: &str) -> bool {
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = digits.len() < line.len() && (digits.starts_with(". ") || digits.starts_with(") "));
    line.starts_with('#') || numbered || ["- ", "* ", "+ "].iter().any(|mark| line.starts_with(mark))
}

/// The text with comments and generated regions blanked, emphasis and formula marks as blanks, addresses of links away.
fn plain(text: &str) -> String {
    let mut out = blanked(text, "<!-- ar:begin", "<!-- ar:end");
    out = blanked(&out, "<!--", "-->");
    let mut address = String::with_capacity(out.len());
    let mut rest = out.as_str();
    while let Some(at) = rest.find("](") {
        let end = rest[at..].find(')').map_or(rest.len(), |e| at + e + 1);
        address.push_str(&rest[..at]);
        address.extend(rest[at..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[end..];
    }
    address.push_str(rest);
    let written = address.replace("\\pm", "  ±").replace("+/-", "±").replace("&nbsp;", " ").replace("&plusmn;", "±");
    written
        .chars()
        .map(|c| if matches!(c, '*' | '$' | '\\' | '\u{a0}' | '\u{202f}' | '\u{2009}') { ' ' } else { c })
        .collect()
}

/// The text with everything from `open` to `close` (and the line's rest after a region's end) replaced by blanks.
fn blanked(text: &str, open: &str, close: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(open) {
        let Some(end) = rest[start..].find(close).map(|e| start + e + close.len()) else { break };
        out.push_str(&rest[..start]);
        out.extend(rest[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

fn flush(block: &mut Vec<(u32, &str)>, found: &mut Vec<Unit>) {
    let lines = std::mem::take(block);
    match lines.first() {
        None => {}
        Some((_, first)) if first.starts_with('|') => rows(&lines, found),
        Some(_) => sentences(&lines, found),
    }
}

/// The rows of a table below its head.
fn rows(lines: &[(u32, &str)], found: &mut Vec<Unit>) {
    let heads: Vec<String> = lines.first().map_or_else(Vec::new, |(_, l)| split(l).map(|(cell, _)| cell).collect());
    let rule = |l: &str| l.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '));
    for (line, text) in lines.iter().skip(1).filter(|(_, l)| !rule(l)) {
        let cells = split(text).enumerate();
        let cells = cells.map(|(i, (_, place))| (heads.get(i).cloned().unwrap_or_default(), place)).collect();
        let text = (*text).to_string();
        found.push(Unit { code: code(&text), text, cells, line: *line, breaks: Vec::new() });
    }
}

/// The cells of a table's line with their places.
fn split(line: &str) -> impl Iterator<Item = (String, Range<usize>)> {
    let mut start = 1;
    let ends: Vec<usize> = line.match_indices('|').map(|(at, _)| at).filter(|at| *at > 0).collect();
    ends.into_iter().map(move |end| {
        let place = start..end;
        start = end + 1;
        (line[place.clone()].trim().to_string(), place)
    })
}

/// Abbreviations whose full stop ends no sentence.
const SHORT: [&str; 13] = ["e.g", "i.e", "vs", "cf", "al", "approx", "ca", "resp", "fig", "eq", "no", "incl", "p.p"];

/// The sentences of a paragraph.
fn sentences(lines: &[(u32, &str)], found: &mut Vec<Unit>) {
    let mut text = String::new();
    let mut starts = Vec::new();
    for (line, words) in lines {
        starts.push((text.len(), *line));
        text.push_str(words);
        text.push(' ');
    }
    let line_of = |at: usize| starts.iter().rev().find(|(start, _)| *start <= at).map_or(1, |(_, line)| *line);
    let mut begin = 0;
    let mut cut = |end: usize, begin: usize| {
        let words = &text[begin..end];
        let at = begin + (words.len() - words.trim_start().len());
        let words = text[at..end].trim_end().to_string();
        if !words.is_empty() {
            let breaks = starts.iter().filter(|(s, _)| *s > at && *s < end).map(|(s, _)| s - at).collect();
            found.push(Unit { code: code(&words), text: words, cells: Vec::new(), line: line_of(at), breaks });
        }
    };
    for (at, c) in text.char_indices() {
        let after = text[at + c.len_utf8()..].chars().next();
        let short = || SHORT.iter().any(|s| ends_with_word(&text[begin..at], s));
        if matches!(c, '.' | '!' | '?' | ';')
            && after.is_none_or(|a| a.is_whitespace() || matches!(a, '"' | ')' | '”'))
            && !(c == '.' && short())
        {
            cut(at + c.len_utf8(), begin);
            begin = at + c.len_utf8();
        }
    }
    cut(text.len(), begin);
}

/// Whether a text ends with a word, in any case of letters.
fn ends_with_word(text: &str, word: &str) -> bool {
    let tail = text.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    tail.eq_ignore_ascii_case(word)
}

/// Places of inline code.
fn code(text: &str) -> Vec<Range<usize>> {
    let ticks: Vec<usize> = text.match_indices('`').map(|(at, _)| at).collect();
    ticks.chunks_exact(2).map(|pair| pair[0]..pair[1] + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(markdown: &str) -> Vec<(u32, String)> {
        units(markdown, 1).into_iter().map(|u| (u.line, u.text)).collect()
    }

    #[test]
    fn sentences_have_their_lines() {
        let found = texts("# Head\n\nOne is 98.2 % vs. two.\nThree\nfour; five.\n\n- item\n");
        let lines: Vec<u32> = found.iter().map(|f| f.0).collect();
        assert_eq!(lines, [1, 3, 4, 5, 7], "{found:?}");
        let unit = &units("a\nb 98 %\nc.", 10)[0];
        assert_eq!((unit.line_at(0), unit.line_at(4), unit.line_at(9)), (10, 11, 12));
    }

    #[test]
    fn code_comments_and_generated_text_hold_no_claims() {
        let text = "```\n98 %\n```\n\n~~~\n98 %\n~~~\n\n    98 %\n\n<!-- 98 %\n-->\n<!-- ar:begin x sha256=0 -->\n98 %\n<!-- ar:end x -->\nLeft.\n";
        let found = texts(text);
        assert!(found.iter().all(|(_, t)| !t.contains("98")), "{found:?}");
        assert!(found.iter().any(|(line, t)| *line == 16 && t == "Left."), "{found:?}");
    }

    #[test]
    fn rows_of_a_table_know_their_heads() {
        let found = units("| Row | Mean |\n|:--|--:|\n| a | 98.2 ± 0.1 |\n", 1);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].cells[1].0.as_str(), &found[0].text[found[0].cells[1].1.clone()]),
            ("Mean", " 98.2 ± 0.1 ")
        );
    }
}
