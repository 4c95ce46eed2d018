//! How a figure is meant by the words before it: the value itself, about it, or a bound.

use super::words::Token;

/// How a figure is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// It is the value, rounded.
    Is,
    /// It is about the value.
    About,
    /// The value is above it.
    Above,
    /// The value is not below it.
    AtLeast,
    /// The value is below it.
    Below,
    /// The value is not above it.
    AtMost,
}

/// How the figure at a token is meant, by the words before it.
pub(super) fn op(tokens: &[Token], at: usize) -> Op {
    let word = |steps: usize| at.checked_sub(steps).map_or("", |i| tokens[i].word());
    let sign = |signs: &str| at.checked_sub(1).is_some_and(|i| tokens[i].is(signs));
    let skip = usize::from(matches!(word(1), "the" | "predicted" | "a"))
        + usize::from(word(2) == "the" && word(1) == "predicted");
    match (word(skip + 3), word(skip + 2), word(skip + 1)) {
        (_, "at", "least") | ("no" | "not", "less" | "fewer" | "lower", "than") => Op::AtLeast,
        (_, "at", "most") | (_, "up", "to") | ("no" | "not", "more" | "higher", "than") => Op::AtMost,
        (_, "more" | "higher" | "greater" | "larger" | "better", "than")
        | (_, _, "above" | "over" | "exceeds" | "exceeding" | "beyond" | "exceed" | "exceeded" | "past") => Op::Above,
        (_, "less" | "lower" | "fewer" | "worse" | "smaller", "than") | (_, _, "below" | "under") => Op::Below,
        (
            _,
            _,
            "about" | "around" | "near" | "nearly" | "roughly" | "almost" | "approximately" | "circa" | "ca" | "some",
        )
        | (_, "close", "to") => Op::About,
        _ if sign(">") => Op::Above,
        _ if sign("≥") => Op::AtLeast,
        _ if sign("<") => Op::Below,
        _ if sign("≤") => Op::AtMost,
        _ if sign("~≈∼") => Op::About,
        _ => Op::Is,
    }
}
