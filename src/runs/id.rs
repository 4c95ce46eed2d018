//! New run ids: five characters and the experiment, such as `kq7f3-digits_mlp`.

use crate::state::ids::RunId;
use crate::state::tree::digest;

/// No vowels, so that no word appears by chance; no `0`, `1` and `l`, which are read for others.
const LETTERS: &[u8; 18] = b"bcdfghjkmnpqrstvwx";
const DIGITS: &[u8; 8] = b"23456789";

/// An id for a run of `experiment` that is not `taken`. The same chance and time lead to the same ids in turn.
#[must_use]
pub fn new(experiment: &str, entropy: u64, now: jiff::Timestamp, taken: &dyn Fn(&RunId) -> bool) -> RunId {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let mut name: String = experiment.chars().take(100).map(plain).collect();
    name.truncate(name.trim_end_matches('-').len());
    let ids = (0u64..).map(|turn| {
        let drawn = digest(format!("{entropy}\n{}\n{turn}\n{experiment}", now.as_nanosecond()).as_bytes());
        let id = format!("{}-{name}", word(&drawn));
        RunId::try_from(id.trim_end_matches('-')).expect("made of what a run id may hold")
    });
    ids.into_iter().find(|id| !taken(id)).expect("there are more ids than runs")
}

/// Five characters drawn from a digest; the first is a letter.
fn word(digest: &str) -> String {
    let alphabet: Vec<u8> = LETTERS.iter().chain(DIGITS).copied().collect();
    let mut number = u64::from_str_radix(&digest[..15], 16).expect("hexadecimal");
    let mut draw = |from: &[u8]| {
        let chosen = from[usize::try_from(number % from.len() as u64).expect("below the alphabet's length")];
        number /= from.len() as u64;
        char::from(chosen)
    };
    (0..5).map(|place| draw(if place == 0 { LETTERS } else { &alphabet })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_new_plain_and_repeatable() {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let first = new("digits_mlp", 7, now, &|_| false);
        assert_eq!(first, new("digits_mlp", 7, now, &|_| false));
        assert!(first.as_str().ends_with("-digits_mlp") && first.as_str().len() == 16);
        let second = new("digits_mlp", 7, now, &|id| *id == first);
        assert_ne!(first, second);
        assert_ne!(first, new("digits_mlp", 8, now, &|_| false));
        assert!(new("group/a b é", 1, now, &|_| false).as_str().ends_with("-group-a-b"));
    }
}
