//! What common YAML 1.1 readers (PyYAML, and so OmegaConf) refuse although YAML 1.2 allows it.

use super::{Error, Pos};

/// A tab is white space only in comments; elsewhere it must stand in quotes or in a block. `kept` are the ranges of
/// quoted and block scalars, in characters, in order.
pub(super) fn tabs(text: &str, kept: &[(usize, usize)]) -> Result<(), Error> {
    let mut kept = kept.iter().peekable();
    let (mut line, mut column, mut comment, mut blank) = (1, 1, false, true);
    for (at, c) in text.chars().enumerate() {
        while kept.next_if(|(_, end)| *end <= at).is_some() {}
        let inside = kept.peek().is_some_and(|(start, _)| *start <= at);
        match c {
            '\n' => (comment, blank) = (false, true),
            '#' if blank && !inside => comment = true,
            '\t' if !comment && !inside => {
                let message = "a tab outside quotes, which YAML 1.1 readers refuse";
                return Err(Error::at(Pos { line, column }, message).hinted("use spaces, or put the text in quotes"));
            }
            _ => blank = c == ' ',
        }
        (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::state::yaml::{Limits, parse};

    #[test]
    fn tabs_stand_in_quotes_blocks_and_comments_only() {
        let read = |text: &str| parse(text.as_bytes(), Limits::default());
        for good in ["a: 'x\ty' # c\td\n", "a: |\n  x\ty\nb: \"\t\"\n", "# \t\n"] {
            assert!(read(good).is_ok(), "{good:?}");
        }
        for bad in ["a: x\ty\n", "\t\na: 1\n", "a:\t1\n", "a: 1\t# c\n", "a: 'x'\t\n"] {
            assert!(read(bad).unwrap_err().message.contains("tab"), "{bad:?}");
        }
    }
}
