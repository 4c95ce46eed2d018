//! `sort(…)` as Python sorts: numbers among numbers, texts among texts, lists item by item.

use std::cmp::Ordering;

use super::literal::Literal;
use super::sweep::{Number, Sweep};

/// Sorts values that compare with one another.
pub(super) fn sort_list(mut items: Vec<Literal>, reverse: bool) -> Result<Vec<Literal>, String> {
    // Python's sort is stable in both directions.
    let mut unlike = None;
    items.sort_by(|a, b| {
        let (a, b) = if reverse { (b, a) } else { (a, b) };
        compare(a, b).unwrap_or_else(|| {
            unlike.get_or_insert_with(|| format!("`{}` and `{}` do not compare", a.text(), b.text()));
            Ordering::Equal
        })
    });
    unlike.map_or(Ok(items), Err)
}

fn compare(a: &Literal, b: &Literal) -> Option<Ordering> {
    match (a, b) {
        (Literal::Str(a), Literal::Str(b)) => Some(a.cmp(b)),
        (Literal::List(a), Literal::List(b)) => {
            for (a, b) in a.iter().zip(b) {
                if a != b {
                    return compare(a, b);
                }
            }
            Some(a.len().cmp(&b.len()))
        }
        _ => {
            let (a, b) = (Number::of(a)?, Number::of(b)?);
            match (a, b) {
                (Number::Int(a), Number::Int(b)) => Some(a.cmp(&b)),
                // A comparison with NaN is false in Python, which leaves the order alone.
                _ => Some(a.float().partial_cmp(&b.float()).unwrap_or(Ordering::Equal)),
            }
        }
    }
}

/// Sorts a choice, or turns a range round.
pub(super) fn sort_sweep(sweep: Sweep, reverse: bool) -> Result<Sweep, String> {
    match sweep {
        Sweep::Choice { list, simple, shuffle } => {
            Ok(Sweep::Choice { list: sort_list(list, reverse)?, simple, shuffle })
        }
        Sweep::Range { start, stop, step, shuffle } => {
            let ascending = start.float() < stop.float();
            let turn = if reverse { ascending } else { start.float() > stop.float() };
            if !turn {
                return Ok(Sweep::Range { start, stop, step, shuffle });
            }
            let width = step.abs();
            let shift = |n: Number| if reverse { n.minus(width) } else { n.plus(width) };
            Ok(Sweep::Range { start: shift(stop), stop: shift(start), step: step.negated(), shuffle })
        }
        _ => Err("takes values, choices and ranges only".into()),
    }
}
