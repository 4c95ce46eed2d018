//! The merge itself: part by part, down to the values that two versions changed in two ways.

use super::Merged;
use super::lists::{begins_with, identities, same};
use super::parts::{Part, Parts, ended, of, split_comment};

/// Stands before a conflict's marker until the text is whole, so that the line is not indented.
const MARK: char = '\u{1}';

/// What surrounds the merge of one file.
struct Merge<'a> {
    names: &'a [String; 2],
    marker: usize,
    /// The version whose steps go on where the other's end; `phase` goes with them.
    longer: Option<bool>,
    conflicts: Vec<String>,
}

/// One part of the result.
struct Piece {
    lead: String,
    body: String,
}

/// The three versions as one; `None` when they are not mappings.
pub(super) fn merge(base: &str, ours: &str, theirs: &str, names: &[String; 2], marker: usize) -> Option<Merged> {
    let (ours, theirs) = (of(ours)?, of(theirs)?);
    let base = if base.trim().is_empty() { ours.empty_like() } else { of(base)? };
    if [&base, &ours, &theirs].iter().any(|parts| parts.list) {
        return None;
    }
    let mut merge = Merge { names, marker, longer: longer(&ours, &theirs), conflicts: Vec::new() };
    let pieces = merge.parts(&mut Vec::new(), &base, &ours, &theirs)?;
    let tail = comments(&base.tail, &ours.tail, &theirs.tail);
    let text: String = pieces.into_iter().map(|piece| piece.lead + &piece.body).collect();
    Some(Merged { text: (text + &tail).replace(MARK, ""), conflicts: merge.conflicts })
}

/// Whether the steps of the second version go on from the first's (true), or the other way round (false).
fn longer(ours: &Parts, theirs: &Parts) -> Option<bool> {
    let steps = |parts: &Parts| parts.parts.iter().find(|p| p.key() == "steps").and_then(Part::inner);
    let (ours, theirs) = (steps(ours), steps(theirs));
    let (ours, theirs) = (ours.map_or(Vec::new(), |p| p.parts), theirs.map_or(Vec::new(), |p| p.parts));
    match ours.len() < theirs.len() {
        true => begins_with(&theirs, &ours).then_some(true),
        false => (ours.len() > theirs.len() && begins_with(&ours, &theirs)).then_some(false),
    }
}

impl Merge<'_> {
    /// The parts of the result; `None` when they are not to be merged one by one.
    fn parts(&mut self, path: &mut Vec<String>, base: &Parts, ours: &Parts, theirs: &Parts) -> Option<Vec<Piece>> {
        if path.as_slice() == ["steps"] {
            return self.steps(base, ours, theirs);
        }
        let flow = ours.flow && theirs.flow;
        let ids = |parts: &Parts| match parts.list {
            true => identities(path, &parts.parts),
            false => Some(parts.parts.iter().map(|part| part.key().to_string()).collect()),
        };
        let ids = [ids(base)?, ids(ours)?, ids(theirs)?];
        if ids.iter().any(|ids| ids.iter().enumerate().any(|(n, id)| ids[..n].contains(id))) {
            return None;
        }
        let find = |version: usize, parts: &'_ Parts, id: &String| {
            ids[version].iter().position(|other| other == id).map(|at| parts.parts[at].clone())
        };
        let mut pieces = Vec::new();
        for id in order(&ids) {
            let (b, o, t) = (find(0, base, &id), find(1, ours, &id), find(2, theirs, &id));
            if !ours.list {
                path.push(id);
            }
            let piece = self.part(path, b.as_ref(), o.as_ref(), t.as_ref(), flow);
            if !ours.list {
                path.pop();
            }
            pieces.extend(piece?);
        }
        Some(pieces)
    }

    /// One part of the result, or none when it is gone; `None` for a conflict where no markers can stand.
    fn part(
        &mut self,
        path: &mut Vec<String>,
        b: Option<&Part>,
        o: Option<&Part>,
        t: Option<&Part>,
        flow: bool,
    ) -> Option<Option<Piece>> {
        let untouched = |part: &Part| b.is_some_and(|b| same(&b.node, &part.node));
        let body = match (o, t) {
            (None, None) => return Some(None),
            (Some(one), None) | (None, Some(one)) if b.is_none() => Some(one.body()),
            (Some(one), None) | (None, Some(one)) if untouched(one) => return Some(None),
            (Some(o), Some(t)) => self.body(path, b, o, t),
            _ => None,
        };
        let lead = match (o, t) {
            (Some(_), Some(_)) => comments(lead(b), lead(o), lead(t)),
            _ => lead(o.or(t)).to_string(),
        };
        let body = match body {
            Some(body) => body,
            None if flow => return None,
            None => {
                let side = |part: Option<&Part>| part.map_or_else(String::new, Part::body);
                self.conflict(path, &side(o), &side(t))
            }
        };
        Some(Some(Piece { lead, body }))
    }

    /// A part that both versions have; `None` when they changed its value in two ways.
    fn body(&mut self, path: &mut Vec<String>, b: Option<&Part>, o: &Part, t: &Part) -> Option<String> {
        let base = b.map(Part::body);
        if o.body() == t.body() || base.as_ref() == Some(&t.body()) {
            return Some(o.body());
        }
        if base.as_ref() == Some(&o.body()) {
            return Some(t.body());
        }
        match self.longer {
            Some(theirs) if path.as_slice() == ["phase"] => return Some(if theirs { t.body() } else { o.body() }),
            _ => {}
        }
        self.deep(path, b, o, t).or_else(|| value(b, o, t))
    }

    /// A mapping or list, part by part.
    fn deep(&mut self, path: &mut Vec<String>, b: Option<&Part>, o: &Part, t: &Part) -> Option<String> {
        let (ours, theirs) = (o.inner()?, t.inner()?);
        let base = match b {
            None => ours.empty_like(),
            Some(b) if b.node.is_null() => ours.empty_like(),
            Some(b) => b.inner()?,
        };
        if ours.list != theirs.list || base.list != ours.list {
            return None;
        }
        let known = self.conflicts.len();
        let Some(pieces) = self.parts(path, &base, &ours, &theirs) else {
            self.conflicts.truncate(known);
            return None;
        };
        let comment = |part: &Part| split_comment(&part.same).1.to_string();
        let flow = ours.flow && theirs.flow;
        if flow || pieces.is_empty() {
            let comment = comments(&b.map(comment).unwrap_or_default(), &comment(o), &comment(t));
            return Some(in_brackets(o, &pieces, ours.list, &comment));
        }
        let tail = comments(&base.tail, &ours.tail, &theirs.tail);
        let text: String = pieces.into_iter().map(|piece| piece.lead + &piece.body).collect();
        let block = if ours.flow { (t, theirs.indent) } else { (o, ours.indent) };
        Some(as_block(o, block, &(text + &tail)))
    }

    /// The steps of an iteration: they are only ever appended, so the longer list holds both, or they part ways.
    fn steps(&mut self, base: &Parts, ours: &Parts, theirs: &Parts) -> Option<Vec<Piece>> {
        let common = ours.parts.iter().zip(&theirs.parts).take_while(|(o, t)| same(&o.node, &t.node)).count();
        if !begins_with(&ours.parts[..common], &base.parts) {
            return None;
        }
        let mut pieces = Vec::new();
        for (n, (o, t)) in ours.parts.iter().zip(&theirs.parts).take(common).enumerate() {
            let b = base.parts.get(n);
            let lead = comments(b.map_or("", |b| &b.lead), &o.lead, &t.lead);
            pieces.push(Piece { lead, body: value(b, o, t)? });
        }
        let rest = |parts: &[Part]| parts.iter().map(|p| format!("{}{}", p.lead, p.body())).collect::<String>();
        let (ours, theirs) = (rest(&ours.parts[common..]), rest(&theirs.parts[common..]));
        let body = match (ours.is_empty(), theirs.is_empty()) {
            (_, true) => ours,
            (true, false) => theirs,
            (false, false) => self.conflict(&["steps".into()], &ours, &theirs),
        };
        pieces.push(Piece { lead: String::new(), body });
        Some(pieces)
    }

    /// Both versions between markers.
    fn conflict(&mut self, path: &[String], ours: &str, theirs: &str) -> String {
        self.conflicts.push(path.join("."));
        let line = |c: char, name: &str| format!("{MARK}{} {name}", c.to_string().repeat(self.marker));
        let (begin, middle, end) = (line('<', &self.names[0]), line('=', ""), line('>', &self.names[1]));
        let (ours, theirs) = (ended(ours.to_string()), ended(theirs.to_string()));
        format!("{begin}\n{ours}{}\n{theirs}{end}\n", middle.trim_end())
    }
}

/// The comments before a part.
fn lead(part: Option<&Part>) -> &str {
    part.map_or("", |part| part.lead.as_str())
}

/// The identities of the result in order: those of one version, with what the other added behind what precedes it
/// there.
fn order(ids: &[Vec<String>; 3]) -> Vec<String> {
    let [base, ours, theirs] = ids;
    // Where only the other version changed the order, the order is the other's.
    let (first, second) = if ours == base { (theirs, ours) } else { (ours, theirs) };
    let mut found = first.clone();
    for (n, id) in second.iter().enumerate() {
        if found.contains(id) {
            continue;
        }
        let before = second[..n].iter().rev().find_map(|other| found.iter().position(|known| known == other));
        let mut at = before.map_or(0, |before| before + 1);
        // What the first version added there stands first.
        while found.get(at).is_some_and(|known| !second.contains(known)) {
            at += 1;
        }
        found.insert(at, id.clone());
    }
    found
}

/// One value of two, when at most one version changed it; its comment likewise.
fn value(b: Option<&Part>, o: &Part, t: &Part) -> Option<String> {
    let kept = |part: &Part| b.is_some_and(|b| same(&b.node, &part.node));
    let winner = if same(&o.node, &t.node) || kept(t) {
        o
    } else if kept(o) {
        t
    } else {
        return None;
    };
    if !winner.below.is_empty() {
        return Some(winner.body());
    }
    let comment = |part: &Part| split_comment(&part.same).1.to_string();
    let comment = comments(&b.map(comment).unwrap_or_default(), &comment(o), &comment(t));
    Some(format!("{}{}{comment}\n", winner.head, split_comment(&winner.same).0))
}

/// One comment of two: the changed one; of two that were changed ours, and the lines that are new in theirs.
fn comments(base: &str, ours: &str, theirs: &str) -> String {
    if ours == theirs || base == theirs {
        return ours.to_string();
    }
    if base == ours {
        return theirs.to_string();
    }
    let known = |line: &str| base.lines().chain(ours.lines()).any(|other| other == line);
    let more = theirs.split_inclusive('\n').filter(|line| line.ends_with('\n') && !known(line.trim_end_matches('\n')));
    ours.to_string() + &more.collect::<String>()
}

/// A part whose value stands in brackets.
fn in_brackets(part: &Part, pieces: &[Piece], list: bool, comment: &str) -> String {
    let item = |piece: &Piece| match list {
        true => piece.body[1..].trim().to_string(),
        false => piece.body.trim().to_string(),
    };
    let inner = pieces.iter().map(item).collect::<Vec<_>>().join(", ");
    let value = if list { format!("[{inner}]") } else { format!("{{{inner}}}") };
    format!("{} {value}{comment}\n", part.head)
}

/// A part whose value stands on lines of its own, in the form that `like` has.
fn as_block(part: &Part, (like, indent): (&Part, usize), text: &str) -> String {
    let (value, comment) = split_comment(&like.same);
    let indented = indented(text, indent);
    let starts_plain = !text.starts_with(['#', '\n', MARK]);
    if like.head == "-" && !value.trim().is_empty() && starts_plain {
        return format!("-{}{}", " ".repeat(indent - 1), &indented[indent..]);
    }
    let comment = if value.trim().is_empty() { comment } else { "" };
    format!("{}{comment}\n{indented}", part.head)
}

/// Every line that says something, with so many blanks before it.
fn indented(text: &str, by: usize) -> String {
    let line = |line: &str| match line.trim().is_empty() || line.starts_with(MARK) {
        true => line.to_string(),
        false => format!("{}{line}", " ".repeat(by)),
    };
    text.split_inclusive('\n').map(line).collect()
}
