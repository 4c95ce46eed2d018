//! The documents of an iteration: their templates, and whether somebody wrote in every section.

/// A document that a phase writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// `survey.md`.
    Survey,
    /// `analysis.md`.
    Analysis,
    /// `conclusion.md`.
    Conclusion,
}

impl Document {
    /// The file's name.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Survey => "survey.md",
            Self::Analysis => "analysis.md",
            Self::Conclusion => "conclusion.md",
        }
    }

    /// The text that the document starts from.
    #[must_use]
    pub fn template(self) -> &'static str {
        match self {
            Self::Survey => include_str!("../../../templates/documents/survey.md"),
            Self::Analysis => include_str!("../../../templates/documents/analysis.md"),
            Self::Conclusion => include_str!("../../../templates/documents/conclusion.md"),
        }
    }
}

/// The template's sections in which `text` says nothing of its own: missing, empty, as in the template, or the
/// template's own hint made visible.
#[must_use]
pub fn untouched_sections(document: Document, text: &str) -> Vec<&'static str> {
    let written = sections(text);
    let own = |heading: &str, hint: &str| {
        let body = written.iter().find(|(h, _)| *h == heading).map(|(_, body)| words(&said(body)));
        body.is_some_and(|body| !body.iter().all(|word| PLACEHOLDERS.contains(&word.as_str())) && !repeats(&body, hint))
    };
    sections(document.template())
        .into_iter()
        .filter(|(heading, body)| !own(heading, body))
        .map(|(heading, _)| heading)
        .collect()
}

/// Words that hold a place for others.
const PLACEHOLDERS: [&str; 11] =
    ["todo", "tbd", "tba", "fixme", "xxx", "wip", "lorem", "ipsum", "placeholder", "br", "nbsp"];

/// The words of a text in small letters; signs, emoji and tags are none.
fn words(text: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let tag = rest[start + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        let end = rest[start..].find('>').filter(|_| tag).map(|end| start + end + 1);
        plain.push_str(&rest[..start]);
        plain.push(' ');
        rest = &rest[end.unwrap_or(start + 1)..];
    }
    plain.push_str(rest);
    let split = plain.split(|c: char| !c.is_alphanumeric());
    split.filter(|w| w.chars().any(char::is_alphabetic)).map(str::to_lowercase).collect()
}

/// Whether a text says only what the template's comment says.
fn repeats(body: &[String], hint: &str) -> bool {
    let hint = words(&hint.replace("<!--", " ").replace("-->", " "));
    body.len() >= 4 && body.iter().all(|word| hint.contains(word))
}

/// The line of a section's heading.
#[must_use]
pub(super) fn line_of_section(text: &str, heading: &str) -> Option<u32> {
    text.lines()
        .zip(1..)
        .find(|(line, _)| line.strip_prefix("## ").is_some_and(|h| h.trim() == heading))
        .map(|(_, n)| n)
}

/// Headings of the second level with what stands below them.
fn sections(text: &str) -> Vec<(&str, String)> {
    let mut found: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            found.push((heading.trim(), String::new()));
        } else if let Some((_, body)) = found.last_mut() {
            body.push_str(line);
            body.push('\n');
        }
    }
    found
}

/// What a body says: words outside comments and generated regions, in one line.
pub(super) fn said(body: &str) -> String {
    let mut text = String::new();
    let mut rest = body;
    while let Some(start) = rest.find("<!--") {
        text.push_str(&rest[..start]);
        let after = &rest[start..];
        let region = after.starts_with("<!-- ar:begin");
        let end = if region {
            after.find("<!-- ar:end").and_then(|e| after[e..].find("-->").map(|x| e + x))
        } else {
            after.find("-->")
        };
        rest = end.map_or("", |end| &after[end + 3..]);
    }
    text.push_str(rest);
    // `[//]: # (…)` is how Markdown itself hides a comment.
    let shown =
        text.lines().filter(|line| !["[//]:", "[comment]:"].iter().any(|mark| line.trim_start().starts_with(mark)));
    let text = shown.collect::<Vec<_>>().join("\n");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_template_says_nothing() {
        for document in [Document::Survey, Document::Analysis, Document::Conclusion] {
            let headings: Vec<&str> = sections(document.template()).iter().map(|s| s.0).collect();
            assert!(headings.len() >= 2, "{document:?}");
            assert_eq!(untouched_sections(document, document.template()), headings);
            assert_eq!(untouched_sections(document, ""), headings);
        }
    }

    #[test]
    fn words_count_and_comments_do_not() {
        let all = sections(Document::Survey.template());
        let written: String = all.iter().map(|(h, _)| format!("## {h}\n\nWords.\n\n")).collect();
        assert!(untouched_sections(Document::Survey, &written).is_empty());
        let hidden = written.replacen("Words.", "<!-- words -->", 1);
        assert_eq!(untouched_sections(Document::Survey, &hidden), [all[0].0]);
        for empty in
            [".", "…", "---", "- ", "<br/>", "&nbsp;", "TODO", "TBD.", "[//]: # (words)", "\u{200b}", "<p></p>", "✅"]
        {
            let text = written.replacen("Words.", empty, 1);
            assert_eq!(untouched_sections(Document::Survey, &text), [all[0].0], "{empty}");
        }
        let hint = all[0].1.replace("<!--", "").replace("-->", "");
        for shown in [hint.clone(), format!("{hint}."), hint.to_uppercase()] {
            let text = written.replacen("Words.", &shown, 1);
            assert_eq!(untouched_sections(Document::Survey, &text), [all[0].0], "{shown}");
        }
        let translated = written.replacen(&format!("## {}", all[0].0), "## Was man weiß", 1);
        assert_eq!(untouched_sections(Document::Survey, &translated), [all[0].0]);
        let generated = written.replacen("Words.", "<!-- ar:begin x sha256=0 -->\nwords\n<!-- ar:end x -->", 1);
        assert_eq!(untouched_sections(Document::Survey, &generated), [all[0].0]);
    }
}
