//! The functions of the override grammar: casts, `choice`, `range`, `interval`, `glob`, `sort`, `shuffle`, `tag`.

use super::literal::Literal;
use super::parser::Piece;
use super::sort::{sort_list, sort_sweep};
use super::sweep::{Number, Sweep, shuffled};
use crate::config::failure::{Failure, meant};
use crate::config::number::{float_repr, parse_float, parse_int};
use crate::config::value::Value;

/// A function call as written.
pub(super) struct Call {
    pub(super) name: String,
    pub(super) args: Vec<Piece>,
    pub(super) named: Vec<(String, Piece)>,
}

const NAMES: [&str; 11] =
    ["bool", "choice", "float", "glob", "int", "interval", "range", "shuffle", "sort", "str", "tag"];

type Outcome<T> = Result<T, String>;

/// Evaluates a call.
pub(super) fn call(call: Call) -> Result<Piece, Failure> {
    let name = call.name.clone();
    let result = match name.as_str() {
        "int" | "float" | "str" | "bool" => cast_call(&name, call),
        "choice" => choice(call),
        "range" => range(call),
        "interval" => interval(call),
        "glob" => glob(call),
        "sort" => sort(call),
        "shuffle" => shuffle(call),
        "tag" => tag(call),
        _ => {
            let known: Vec<String> = NAMES.map(String::from).to_vec();
            let failure = Failure::new("override_unknown_function", format!("there is no function `{name}`"));
            return Err(failure.hint(meant(&name, &known, "functions")));
        }
    };
    result.map_err(|message| Failure::new("override_function", format!("{name}(): {message}")))
}

/// Strings lose their quotes when they are arguments themselves (not inside a list).
fn unquote(piece: Piece) -> Piece {
    match piece {
        Piece::One(Literal::Quoted(text, _)) => Piece::One(Literal::Str(text)),
        other => other,
    }
}

impl Call {
    /// The arguments by position and name: `names` may be given by either, the rest is refused.
    fn bind<const N: usize>(self, names: [&str; N]) -> Outcome<[Option<Piece>; N]> {
        if self.args.len() > N {
            return Err(format!("takes at most {N} arguments"));
        }
        let mut bound = [const { None }; N];
        for (slot, arg) in bound.iter_mut().zip(self.args) {
            *slot = Some(unquote(arg));
        }
        for (name, value) in self.named {
            let at = names.iter().position(|n| *n == name).ok_or_else(|| format!("has no argument `{name}`"))?;
            if bound[at].is_some() {
                return Err(format!("the argument `{name}` is given twice"));
            }
            bound[at] = Some(unquote(value));
        }
        Ok(bound)
    }

    /// Any number of arguments, and these by name only.
    fn rest<const N: usize>(self, names: [&str; N]) -> Outcome<(Vec<Piece>, [Option<Piece>; N])> {
        let mut bound = [const { None }; N];
        for (name, value) in self.named {
            let at = names.iter().position(|n| *n == name).ok_or_else(|| format!("has no argument `{name}`"))?;
            bound[at] = Some(unquote(value));
        }
        Ok((self.args.into_iter().map(unquote).collect(), bound))
    }
}

fn literals(pieces: Vec<Piece>) -> Outcome<Vec<Literal>> {
    let one = |piece| match piece {
        Piece::One(literal) => Ok(literal),
        Piece::Sweep(_) => Err("a sweep cannot stand among other values".to_string()),
    };
    pieces.into_iter().map(one).collect()
}

fn simple(list: Vec<Literal>, shuffle: bool) -> Piece {
    Piece::Sweep(Sweep::Choice { list, simple: true, shuffle })
}

fn cast_call(to: &str, call: Call) -> Outcome<Piece> {
    let (mut args, [value]) = call.rest(["value"])?;
    match (args.len(), value) {
        (0, None) => Err("takes a value".into()),
        (0, Some(Piece::One(Literal::Null))) => Err("takes a value".into()),
        (0, Some(value)) => cast_piece(to, value),
        (_, Some(_)) => Err("takes either arguments or `value=`".into()),
        (1, None) => cast_piece(to, args.remove(0)),
        (_, None) => cast_piece(to, simple(literals(args)?, false)),
    }
}

fn cast_piece(to: &str, piece: Piece) -> Outcome<Piece> {
    let sweep = match piece {
        Piece::One(literal) => return cast(to, &literal).map(Piece::One),
        Piece::Sweep(sweep) => sweep,
    };
    let number = |n: Number| match cast(to, &n.literal())? {
        Literal::Int(n) => Ok(Number::Int(n)),
        Literal::Float(f) => Ok(Number::Float(f)),
        _ => Err("a range can only become int or float".to_string()),
    };
    Ok(Piece::Sweep(match sweep {
        Sweep::Choice { list, simple, .. } => {
            Sweep::Choice { list: list.iter().map(|l| cast(to, l)).collect::<Outcome<_>>()?, simple, shuffle: false }
        }
        Sweep::Range { start, stop, step, .. } if matches!(to, "int" | "float") => {
            Sweep::Range { start: number(start)?, stop: number(stop)?, step: number(step)?, shuffle: false }
        }
        Sweep::Interval if matches!(to, "int" | "float") => Sweep::Interval,
        Sweep::Range { .. } => return Err("a range can only become int or float".into()),
        Sweep::Interval => return Err("an interval can only become int or float".into()),
        Sweep::Glob { .. } => return Err("a glob cannot be cast".into()),
    }))
}

/// One value as another type, as Python converts it.
fn cast(to: &str, literal: &Literal) -> Outcome<Literal> {
    let bad = || format!("`{}` cannot become {to}", literal.text());
    match literal {
        Literal::List(items) => Ok(Literal::List(items.iter().map(|l| cast(to, l)).collect::<Outcome<_>>()?)),
        Literal::Map(pairs) => {
            let cast_pair = |(key, value): &(Literal, Literal)| Ok((key.clone(), cast(to, value)?));
            Ok(Literal::Map(pairs.iter().map(cast_pair).collect::<Outcome<_>>()?))
        }
        Literal::Quoted(text, _) => cast(to, &Literal::Str(text.clone())),
        Literal::Null if to != "bool" => Err(bad()),
        _ => match to {
            "int" => to_int(literal).map(Literal::Int).ok_or_else(bad),
            "float" => to_float(literal).map(Literal::Float).ok_or_else(bad),
            "bool" => to_bool(literal).map(Literal::Bool).ok_or_else(bad),
            _ => Ok(Literal::Str(match literal {
                Literal::Bool(b) => b.to_string(),
                Literal::Float(f) => float_repr(*f),
                Literal::Str(text) => text.clone(),
                other => other.text(),
            })),
        },
    }
}

fn to_int(literal: &Literal) -> Option<i128> {
    match literal {
        Literal::Int(n) => Some(*n),
        Literal::Bool(b) => Some(i128::from(*b)),
        Literal::Float(f) if f.is_finite() && f.abs() < 1e38 => Some(f.trunc() as i128),
        Literal::Str(text) => parse_int(text),
        _ => None,
    }
}

fn to_float(literal: &Literal) -> Option<f64> {
    match literal {
        Literal::Int(n) => Some(*n as f64),
        Literal::Bool(b) => Some(f64::from(u8::from(*b))),
        Literal::Float(f) => Some(*f),
        Literal::Str(text) => parse_float(text),
        _ => None,
    }
}

fn to_bool(literal: &Literal) -> Option<bool> {
    match literal {
        Literal::Null => Some(false),
        Literal::Int(n) => Some(*n != 0),
        Literal::Bool(b) => Some(*b),
        Literal::Float(f) => Some(*f != 0.0),
        Literal::Str(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Literal::Str(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn choice(call: Call) -> Outcome<Piece> {
    let (mut args, []) = call.rest([])?;
    if let [Piece::Sweep(Sweep::Choice { simple, .. })] = args.as_mut_slice() {
        if !*simple {
            return Err("a choice cannot stand in a choice".into());
        }
        *simple = false;
        return Ok(args.remove(0));
    }
    let list = literals(args)?;
    if list.is_empty() {
        return Err("a choice needs at least one value".into());
    }
    if list.contains(&Literal::Null) {
        return Err("null cannot be a choice".into());
    }
    Ok(Piece::Sweep(Sweep::Choice { list, simple: false, shuffle: false }))
}

fn number(piece: Option<Piece>, name: &str) -> Outcome<Option<Number>> {
    match piece {
        None => Ok(None),
        Some(Piece::One(Literal::Int(n))) => Ok(Some(Number::Int(n))),
        Some(Piece::One(Literal::Bool(b))) => Ok(Some(Number::Int(i128::from(b)))),
        Some(Piece::One(Literal::Float(f))) => Ok(Some(Number::Float(f))),
        Some(_) => Err(format!("`{name}` must be a number")),
    }
}

fn range(call: Call) -> Outcome<Piece> {
    let [start, stop, step] = call.bind(["start", "stop", "step"])?;
    let stop = stop.filter(|stop| !matches!(stop, Piece::One(Literal::Null)));
    let start = number(start, "start")?.ok_or("takes at least one number")?;
    let step = number(step, "step")?.unwrap_or(Number::Int(1));
    let (start, stop) = match number(stop, "stop")? {
        Some(stop) => (start, stop),
        None => (Number::Int(0), start),
    };
    Ok(Piece::Sweep(Sweep::Range { start, stop, step, shuffle: false }))
}

fn interval(call: Call) -> Outcome<Piece> {
    let [start, end] = call.bind(["start", "end"])?;
    match (number(start, "start")?, number(end, "end")?) {
        (Some(_), Some(_)) => Ok(Piece::Sweep(Sweep::Interval)),
        _ => Err("takes two numbers".into()),
    }
}

fn glob(call: Call) -> Outcome<Piece> {
    let [include, exclude] = call.bind(["include", "exclude"])?;
    let patterns = |piece: Piece| -> Outcome<Vec<String>> {
        let text = |literal: &Literal| match literal.value() {
            Value::Str(text) => Ok(text),
            _ => Err("a pattern must be text".to_string()),
        };
        match piece {
            Piece::One(Literal::Str(text)) => Ok(vec![text]),
            Piece::One(Literal::List(items)) => items.iter().map(text).collect(),
            _ => Err("takes text or a list of texts".into()),
        }
    };
    let include = patterns(include.ok_or("takes at least one pattern")?)?;
    let exclude = match exclude {
        None | Some(Piece::One(Literal::Null)) => Vec::new(),
        Some(exclude) => patterns(exclude)?,
    };
    Ok(Piece::Sweep(Sweep::Glob { include, exclude }))
}

/// The list or sweep that was given by name.
fn by_name(sweep: Option<Piece>, list: Option<Piece>) -> Outcome<Option<Piece>> {
    match (list, sweep) {
        (Some(list @ Piece::One(Literal::List(_))), _) => Ok(Some(list)),
        (
            Some(Piece::One(Literal::Null)) | None,
            Some(sweep @ Piece::Sweep(Sweep::Choice { .. } | Sweep::Range { .. })),
        ) => Ok(Some(sweep)),
        (Some(Piece::One(Literal::Null)) | None, None | Some(Piece::One(Literal::Null))) => Ok(None),
        (Some(_), _) => Err("`list` must be a list".into()),
        (_, Some(_)) => Err("`sweep` must be a choice or a range".into()),
    }
}

/// Only values, choices and ranges can be sorted and shuffled.
fn check_sortable(args: &[Piece]) -> Outcome<()> {
    let fits = |piece: &Piece| {
        !matches!(piece, Piece::Sweep(Sweep::Interval | Sweep::Glob { .. }) | Piece::One(Literal::Null))
    };
    if args.iter().all(fits) { Ok(()) } else { Err("takes values, choices and ranges only".into()) }
}

fn sort(call: Call) -> Outcome<Piece> {
    let (mut args, [sweep, list, reverse]) = call.rest(["sweep", "list", "reverse"])?;
    check_sortable(&args)?;
    let reverse = match reverse {
        None => false,
        Some(Piece::One(Literal::Bool(reverse))) => reverse,
        Some(_) => return Err("`reverse` must be true or false".into()),
    };
    if let Some(piece) = by_name(sweep, list)? {
        args = vec![piece];
    }
    match args.len() {
        0 => Err("takes something to sort".into()),
        1 => Ok(match args.remove(0) {
            Piece::Sweep(sweep) => Piece::Sweep(sort_sweep(sweep, reverse)?),
            Piece::One(Literal::List(items)) => Piece::One(Literal::List(sort_list(items, reverse)?)),
            one => one,
        }),
        _ => {
            let list = literals(args)?;
            if list.iter().any(|l| matches!(l, Literal::List(_) | Literal::Map(_))) {
                return Err("lists and mappings cannot be sorted".into());
            }
            Ok(simple(sort_list(list, reverse)?, false))
        }
    }
}

fn shuffle(call: Call) -> Outcome<Piece> {
    let (mut args, [sweep, list]) = call.rest(["sweep", "list"])?;
    check_sortable(&args)?;
    if let Some(piece) = by_name(sweep, list)? {
        args = vec![piece];
    }
    if args.len() != 1 {
        return Ok(simple(literals(args)?, true));
    }
    Ok(match args.remove(0) {
        Piece::Sweep(Sweep::Choice { list, simple, .. }) => Piece::Sweep(Sweep::Choice { list, simple, shuffle: true }),
        Piece::Sweep(Sweep::Range { start, stop, step, .. }) => {
            Piece::Sweep(Sweep::Range { start, stop, step, shuffle: true })
        }
        Piece::One(Literal::List(items)) => Piece::One(Literal::List(shuffled(items))),
        Piece::One(one) => Piece::One(Literal::List(vec![one])),
        Piece::Sweep(_) => return Err("takes values, choices and ranges only".into()),
    })
}

/// Tags mean nothing to the basic sweeper; the sweep is what counts.
fn tag(call: Call) -> Outcome<Piece> {
    let (mut args, [sweep]) = call.rest(["sweep"])?;
    if args.is_empty() {
        return Err("takes a sweep".into());
    }
    args.extend(sweep);
    let last = args.pop();
    if !args.iter().all(|arg| matches!(arg, Piece::One(Literal::Str(_)))) {
        return Err("a tag must be text".into());
    }
    match last {
        Some(Piece::Sweep(Sweep::Glob { .. })) | None => {
            Err("the last argument must be a choice, a range or an interval".into())
        }
        Some(sweep @ Piece::Sweep(_)) => Ok(sweep),
        Some(Piece::One(_)) => Err("the last argument must be a choice, a range or an interval".into()),
    }
}
