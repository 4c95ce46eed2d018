//! Follows interpolations through a tree, as OmegaConf does: one node at a time, from where the node stands.

use super::grammar::parse;
use super::parts::{Element, Inter, Name, Part, Step};
use crate::config::failure::Failure;
use crate::config::map::{Entries, Key};
use crate::config::number::parse_int;
use crate::config::tree::{Data, Id, Tree, split_path};
use crate::config::value::Value;

/// What the outside may tell an interpolation.
#[derive(Clone, Copy)]
pub(in crate::config) struct World<'a> {
    /// The environment, for `oc.env`.
    pub(in crate::config) env: &'a dyn Fn(&str) -> Option<String>,
    /// Hydra's own settings, for `hydra:`; absent while the config is still being put together.
    pub(in crate::config) hydra: Option<Id>,
    /// Keeps `${oc.env:…}` unresolved, marked by [`KEPT`] in place of its `$`.
    pub(in crate::config) keep_env: bool,
}

/// What an interpolation leads to.
#[derive(Clone, Debug)]
pub(in crate::config) enum Found {
    /// A node of the tree, itself without interpolation at its top.
    Node(Id),
    /// A value that stands nowhere in the tree.
    Value(Value),
}

/// Stands for the `$` of an interpolation that is kept; no YAML text can hold this character.
pub(in crate::config) const KEPT: char = '\u{0}';

/// How many interpolations may lead to one another.
const LONGEST: usize = 150;
/// How many nodes a resolved config may have.
const LARGEST: usize = 1_000_000;

/// Follows interpolations.
pub(in crate::config) struct Resolver<'t, 'w> {
    pub(in crate::config) tree: &'t mut Tree,
    pub(in crate::config) world: World<'w>,
    /// What is worth a warning.
    pub(in crate::config) warnings: Vec<(&'static str, String)>,
    stack: Vec<Id>,
    depth: usize,
    made: usize,
}

impl<'t, 'w> Resolver<'t, 'w> {
    pub(in crate::config) fn new(tree: &'t mut Tree, world: World<'w>) -> Self {
        Self { tree, world, warnings: Vec::new(), stack: Vec::new(), depth: 0, made: 0 }
    }

    /// Everything below `id` as a value; each interpolation that cannot be followed is one failure.
    pub(in crate::config) fn value(&mut self, id: Id, failures: &mut Vec<Failure>) -> Value {
        self.made += 1;
        if self.made > LARGEST {
            if failures.is_empty() {
                failures.push(Failure::new("interpolation_cycle", format!("more than {LARGEST} values once resolved")));
            }
            return Value::Null;
        }
        match self.tree.node(id).data.clone() {
            Data::Map(map) => {
                Value::Map(map.iter().map(|(k, child)| (k.clone(), self.value(*child, failures))).collect())
            }
            Data::List(items) => Value::List(items.iter().map(|child| self.value(*child, failures)).collect()),
            Data::Scalar(scalar) if !self.tree.is_interpolation(id) => scalar.into(),
            Data::Scalar(_) => self.followed(id, failures),
        }
    }

    fn followed(&mut self, id: Id, failures: &mut Vec<Failure>) -> Value {
        if failures.len() >= 50 {
            return Value::Null;
        }
        let place = self.tree.node(id).at;
        let result = self.deeper(|r| match r.dereference(id)? {
            Found::Value(value) => Ok(value),
            Found::Node(target) => Ok(r.value(target, failures)),
        });
        result.unwrap_or_else(|failure| {
            let path = self.tree.path(id);
            let named = Failure { message: format!("`{path}`: {}", failure.message), ..failure };
            failures.push(named.at(place));
            Value::Null
        })
    }

    fn deeper<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        if self.depth >= LONGEST {
            return Err(Failure::new("interpolation_cycle", "the interpolations lead in a circle"));
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    /// What a node stands for: itself, unless it is an interpolation.
    pub(in crate::config) fn dereference(&mut self, id: Id) -> Result<Found, Failure> {
        if !self.tree.is_interpolation(id) {
            return Ok(Found::Node(id));
        }
        let text = self.tree.text(id).expect("an interpolation is text").to_string();
        let parent = self.tree.node(id).parent.expect("an interpolation stands in a container");
        self.deeper(|r| r.text(&text, parent, id))
    }

    /// Evaluates a text with interpolations, seen from the node `id` inside `parent`.
    pub(super) fn text(&mut self, text: &str, parent: Id, id: Id) -> Result<Found, Failure> {
        let parts = parse(text).map_err(|e| {
            Failure::new("interpolation_syntax", format!("`{}`: {e}", crate::config::failure::brief(text)))
        })?;
        match parts.as_slice() {
            [Part::Inter(inter)] => self.inter(inter, parent, id),
            parts => Ok(Found::Value(Value::Str(self.joined(parts, parent, id)?))),
        }
    }

    fn joined(&mut self, parts: &[Part], parent: Id, id: Id) -> Result<String, Failure> {
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Inter(inter) => {
                    let found = self.inter(inter, parent, id)?;
                    text.push_str(&self.unresolved(&found).python_str());
                }
            }
            if text.len() > LARGEST {
                return Err(Failure::new("interpolation_cycle", "a text longer than a million bytes once resolved"));
            }
        }
        Ok(text)
    }

    /// The value as it stands, with inner interpolations left as text.
    pub(super) fn unresolved(&self, found: &Found) -> Value {
        match found {
            Found::Value(value) => value.clone(),
            Found::Node(id) => self.tree.value(*id),
        }
    }

    fn inter(&mut self, inter: &Inter, parent: Id, id: Id) -> Result<Found, Failure> {
        match inter {
            Inter::Node { dots, steps } => {
                let mut path = ".".repeat(*dots);
                for (i, Step { bracket, key }) in steps.iter().enumerate() {
                    let key = self.name(key, parent, id)?;
                    match (bracket, i) {
                        (true, _) => path.push_str(&format!("[{key}]")),
                        (false, 0) => path.push_str(&key),
                        (false, _) => path.push_str(&format!(".{key}")),
                    }
                }
                self.node(&path, parent)
            }
            Inter::Resolver { name, args } => {
                let names: Vec<String> = name.iter().map(|n| self.name(n, parent, id)).collect::<Result<_, _>>()?;
                let args: Vec<Found> =
                    args.iter().map(|arg| self.element(arg, parent, id)).collect::<Result<_, _>>()?;
                self.call(&names.join("."), &args, parent, id)
            }
        }
    }

    fn name(&mut self, name: &Name, parent: Id, id: Id) -> Result<String, Failure> {
        match name {
            Name::Plain(text) => Ok(text.clone()),
            Name::Inter(inter) => {
                let found = self.inter(inter, parent, id)?;
                match self.unresolved(&found) {
                    Value::Str(text) => Ok(text),
                    other => {
                        let message = format!("an interpolation inside a key must give text, not {}", other.kind());
                        Err(Failure::new("resolver_failed", message))
                    }
                }
            }
        }
    }

    /// The value of an argument.
    pub(super) fn element(&mut self, element: &Element, parent: Id, id: Id) -> Result<Found, Failure> {
        let value = match element {
            Element::Value(value) => value.clone(),
            Element::Empty => {
                let message = "an argument of a resolver is missing: write '' for the empty text";
                self.warnings.push(("empty_resolver_argument", message.into()));
                Value::Str(String::new())
            }
            Element::Inter(inter) => return self.inter(inter, parent, id),
            Element::Text(parts) => Value::Str(self.joined(parts, parent, id)?),
            Element::Quoted(parts) => Value::Str(self.joined(parts, parent, id)?),
            Element::List(items) => {
                Value::List(items.iter().map(|item| self.plain(item, parent, id)).collect::<Result<_, _>>()?)
            }
            Element::Map(pairs) => {
                let mut map = Entries::default();
                for (key, item) in pairs {
                    let key = match key {
                        Value::Str(text) => Key::Str(text.clone()),
                        Value::Int(n) => Key::Int(*n),
                        Value::Float(f) => Key::Float(*f),
                        Value::Bool(b) => Key::Bool(*b),
                        _ => return Err(Failure::new("resolver_failed", "a key of a mapping may not be null")),
                    };
                    map.insert(key, self.plain(item, parent, id)?);
                }
                Value::Map(map)
            }
        };
        Ok(Found::Value(value))
    }

    fn plain(&mut self, element: &Element, parent: Id, id: Id) -> Result<Value, Failure> {
        let found = self.element(element, parent, id)?;
        Ok(self.unresolved(&found))
    }

    /// `${path}` seen from a node inside `parent`.
    fn node(&mut self, path: &str, parent: Id) -> Result<Found, Failure> {
        let not_found = || Failure::new("interpolation_key_not_found", format!("`${{{path}}}` leads to nothing"));
        let (root, rest) = self.start(path, parent).ok_or_else(not_found)?;
        let found = self.select(root, rest, true)?.ok_or_else(|| {
            let failure = not_found();
            match self.near(root, rest) {
                Some(near) => failure.hint(near),
                None => failure,
            }
        })?;
        if let Found::Node(target) = found
            && self.tree.ancestors(parent).any(|above| above == target)
        {
            let message = format!("`${{{path}}}` leads to a mapping or list that contains it");
            return Err(Failure::new("interpolation_cycle", message));
        }
        Ok(found)
    }

    /// What exists beside the first step of a path that leads to nothing.
    fn near(&self, root: Id, path: &str) -> Option<String> {
        let mut at = root;
        for step in split_path(path) {
            match self.tree.child(at, &step) {
                Some(child) => at = child,
                None => {
                    let Data::Map(map) = &self.tree.node(at).data else { return None };
                    let keys: Vec<String> = map.keys().map(ToString::to_string).collect();
                    return Some(crate::config::failure::meant(&step, &keys, "keys"));
                }
            }
        }
        None
    }

    /// Where a path with leading dots starts, and what is left of it.
    pub(super) fn start<'p>(&self, path: &'p str, parent: Id) -> Option<(Id, &'p str)> {
        let Some(mut rest) = path.strip_prefix('.') else { return Some((self.tree.root(parent), path)) };
        let mut from = parent;
        while let Some(shorter) = rest.strip_prefix('.') {
            from = self.tree.node(from).parent?;
            rest = shorter;
        }
        Some((from, rest))
    }

    /// The node at a path below `root`; `None` when there is none.
    pub(in crate::config) fn select(
        &mut self,
        root: Id,
        path: &str,
        missing_is_error: bool,
    ) -> Result<Option<Found>, Failure> {
        if path.is_empty() {
            return Ok(Some(Found::Node(root)));
        }
        let steps = split_path(path);
        let Some((last, before)) = steps.split_last() else { return Ok(None) };
        let mut at = root;
        for (i, step) in before.iter().enumerate() {
            let Some(child) = self.step(at, step, missing_is_error)? else { return Ok(None) };
            match self.dereference(child)? {
                Found::Node(next) if self.tree.is_container(next) => at = next,
                _ => {
                    let message = format!(
                        "`{}` is not a mapping or list, so it has no `{}`",
                        steps[..=i].join("."),
                        steps[i + 1]
                    );
                    return Err(Failure::new("interpolation_not_a_container", message));
                }
            }
        }
        let Some(target) = self.step(at, last, missing_is_error)? else { return Ok(None) };
        if self.stack.contains(&target) {
            let path = self.tree.path(target);
            return Err(Failure::new("interpolation_cycle", format!("the interpolation comes back to `{path}`")));
        }
        self.stack.push(target);
        let found = self.dereference(target);
        self.stack.pop();
        found.map(Some)
    }

    /// One child of a container.
    fn step(&mut self, at: Id, key: &str, missing_is_error: bool) -> Result<Option<Id>, Failure> {
        let child = match &self.tree.node(at).data {
            Data::Map(map) => map.get_str(key).copied(),
            Data::List(items) => {
                let message = || format!("`{key}` is not an index of a list");
                let index = parse_int(key).ok_or_else(|| Failure::new("list_index", message()))?;
                usize::try_from(index).ok().and_then(|index| items.get(index)).copied()
            }
            Data::Scalar(_) => None,
        };
        match child {
            Some(child) if missing_is_error && self.tree.is_missing(child) => {
                let message = format!("`{}` is a mandatory value (???) that was never set", self.tree.path(child));
                Err(Failure::new("interpolation_to_missing", message))
            }
            child => Ok(child),
        }
    }
}
