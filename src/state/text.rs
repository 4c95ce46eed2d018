//! Small helpers on text: the nearest word, slugs, text from outside made safe to show.

/// The candidate that is closest to `word`, when it is close enough to be a slip of the keyboard.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = candidates.into_iter().map(|c| (distance(word, c), c)).min()?;
    (near.0 <= (word.chars().count() / 3).max(1)).then_some(near.1)
}

/// Edit distance with transpositions (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            if i == 0 || j == 0 {
                rows[i][j] = i + j;
                continue;
            }
            let swap = usize::from(a[i - 1] != b[j - 1]);
            rows[i][j] = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + swap);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                rows[i][j] = rows[i][j].min(rows[i - 2][j - 2] + 1);
            }
        }
    }
    rows[a.len()][b.len()]
}

/// Lower-case words of a title joined by hyphens, at most `longest` bytes; empty when nothing is left.
pub fn slug(title: &str, longest: usize) -> String {
    let mut slug = String::new();
    for word in title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()) {
        if !slug.is_empty() && slug.len() + 1 + word.len() > longest {
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(&word.to_ascii_lowercase());
    }
    slug.truncate(longest);
    slug
}

/// Whether a character above ASCII shows nothing itself and changes how a terminal or a reader takes what stands beside
/// it: controls, directions, zero-width and tag characters, further line ends.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Text from outside as it may be shown: control and direction characters become visible escapes.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => shown.push(c),
            '\u{0}'..='\u{1f}' => {
                shown.push('^');
                shown.push(char::from(c as u8 + 0x40));
            }
            '\u{7f}' => shown.push_str("^?"),
            c if is_hidden(c) => shown.push_str(&format!("U+{:04X}", c as u32)),
            _ => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word() {
        assert_eq!(nearest("adm", ["adam", "sgd_cosine"]), Some("adam"));
        assert_eq!(nearest("qeustion", ["question", "plan"]), Some("question"));
        assert_eq!(nearest("zebra", ["adam", "sgd"]), None);
    }

    #[test]
    fn slugs() {
        assert_eq!(slug("Research architectures for image classification!", 40), "research-architectures-for-image");
        assert_eq!(slug("ΑΒΓ", 40), "");
    }

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(printable("a\u{1b}[31m\u{202e}b"), "a^[[31mU+202Eb");
        assert_eq!(printable("\u{9b}2J\u{61c}\u{2060}\u{e0041}"), "U+009B2JU+061CU+2060U+E0041");
        assert_eq!(printable("naïve ± Δ 日本 👍"), "naïve ± Δ 日本 👍");
    }
}
