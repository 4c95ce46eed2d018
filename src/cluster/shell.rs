//! Words for a POSIX shell: the one place that quotes.

/// One word, safe for `sh` whatever it holds.
#[must_use]
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c);
    // A leading `=`, as in `=ls`, is looked up by zsh.
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(plain) {
        return word.to_string();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A command line of these words.
#[must_use]
pub fn line<S: AsRef<str>>(words: &[S]) -> String {
    words.iter().map(|word| quote(word.as_ref())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_comes_out_as_it_went_in() {
        let long = "x'".repeat(150);
        let words = [
            "plain-1.2/x:y=z",
            "",
            "two words",
            "it's",
            "$(id)",
            "`id`",
            "a\nb",
            "#PBS -q x",
            "\\",
            "!",
            "*",
            "=ls",
            "ä\u{1}",
            &long,
        ];
        let script = format!("printf '%s\\0' {}", line(&words));
        let output = std::process::Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(printed.split_terminator('\0').collect::<Vec<_>>(), words);
    }
}
