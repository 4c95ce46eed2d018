//! The resolvers: `oc.env`, `oc.select`, `oc.decode`, `oc.create`, `oc.dict.keys`, `oc.dict.values`, `oc.deprecated`, `hydra`.

use super::grammar::{parse, parse_element};
use super::resolve::{Found, KEPT, Resolver};
use crate::config::builtin;
use crate::config::failure::{Failure, meant};
use crate::config::map::{Entries, Key};
use crate::config::scalar::Scalar;
use crate::config::tree::{Data, Id};
use crate::config::value::Value;
use crate::config::yaml::{Data as Loaded, Item, load};

/// The resolvers that are followed.
const KNOWN: [&str; 8] =
    ["oc.env", "oc.select", "oc.decode", "oc.create", "oc.dict.keys", "oc.dict.values", "oc.deprecated", "hydra"];

fn failed(message: impl Into<String>) -> Failure {
    Failure::new("resolver_failed", message)
}

impl Resolver<'_, '_> {
    /// Calls a resolver for the node `id` inside `parent`.
    pub(super) fn call(&mut self, name: &str, args: &[Found], parent: Id, id: Id) -> Result<Found, Failure> {
        let takes = |least: usize, most: usize| {
            if (least..=most).contains(&args.len()) {
                return Ok(());
            }
            Err(failed(format!("`{name}` takes {least} to {most} arguments, here are {}", args.len())))
        };
        match name {
            "oc.env" => takes(1, 2).and_then(|()| self.env(args)),
            "oc.select" => takes(1, 2).and_then(|()| self.oc_select(args, parent)),
            "oc.decode" => takes(1, 1).and_then(|()| self.decode(&args[0], parent, id)),
            "oc.create" => takes(1, 1).and_then(|()| self.create(&args[0], parent, id)),
            "oc.dict.keys" => takes(1, 1).and_then(|()| self.dict_keys(&args[0], parent, id)),
            "oc.dict.values" => takes(1, 1).and_then(|()| self.dict_values(&args[0], parent, id)),
            "oc.deprecated" => takes(1, 2).and_then(|()| self.deprecated(args, parent, id)),
            "hydra" => takes(1, 1).and_then(|()| self.hydra(&args[0])),
            "now" | "python_version" => {
                let message = format!(
                    "the resolver `{name}` is not followed: a config may not depend on the clock or the machine"
                );
                Err(Failure::new("unknown_resolver", message))
            }
            _ => {
                let known: Vec<String> = KNOWN.map(String::from).to_vec();
                let failure = Failure::new("unknown_resolver", format!("there is no resolver `{name}`"));
                Err(failure.hint(meant(name, &known, "resolvers")))
            }
        }
    }

    fn text_arg(&self, found: &Found, what: &str) -> Result<String, Failure> {
        match self.unresolved(found) {
            Value::Str(text) => Ok(text),
            other => Err(failed(format!("{what} must be text, not {}", other.kind()))),
        }
    }

    fn env(&mut self, args: &[Found]) -> Result<Found, Failure> {
        let name = self.text_arg(&args[0], "the name of an environment variable")?;
        if self.world.keep_env {
            let default = args.get(1).map_or(String::new(), |default| match self.unresolved(default) {
                Value::Null => ",null".into(),
                default => format!(",'{}'", default.python_str().replace('\\', "\\\\").replace('\'', "\\'")),
            });
            return Ok(Found::Value(Value::Str(format!("{KEPT}{{oc.env:{name}{default}}}"))));
        }
        if let Some(value) = (self.world.env)(&name) {
            return Ok(Found::Value(Value::Str(value)));
        }
        match args.get(1).map(|default| self.unresolved(default)) {
            Some(Value::Null) => Ok(Found::Value(Value::Null)),
            Some(default) => Ok(Found::Value(Value::Str(default.python_str()))),
            None => {
                let message = format!("the environment variable `{name}` is not set");
                Err(Failure::new("env_not_set", message)
                    .hint(format!("set {name}, or give a default: ${{oc.env:{name},default}}")))
            }
        }
    }

    fn oc_select(&mut self, args: &[Found], parent: Id) -> Result<Found, Failure> {
        let path = self.text_arg(&args[0], "the key of `oc.select`")?;
        let default = || args.get(1).cloned().unwrap_or(Found::Value(Value::Null));
        let (root, rest) =
            self.start(&path, parent).ok_or_else(|| failed(format!("`{path}` leads above the config")))?;
        match self.select(root, rest, false) {
            Ok(Some(Found::Node(node))) if self.tree.is_missing(node) => Ok(default()),
            Ok(Some(found)) => Ok(found),
            Ok(None) => Ok(default()),
            Err(failure) if failure.category == "interpolation_not_a_container" => Ok(default()),
            Err(failure) => Err(failure),
        }
    }

    fn decode(&mut self, arg: &Found, parent: Id, id: Id) -> Result<Found, Failure> {
        match self.unresolved(arg) {
            Value::Null => Ok(Found::Value(Value::Null)),
            Value::Str(text) if text.contains(KEPT) => {
                Ok(Found::Value(Value::Str(format!("{KEPT}{{oc.decode:{text}}}"))))
            }
            Value::Str(text) => {
                let element =
                    parse_element(&text).map_err(|e| failed(format!("`oc.decode` cannot read `{text}`: {e}")))?;
                self.element(&element, parent, id)
            }
            other => Err(failed(format!("`oc.decode` reads text or null, not {}", other.kind()))),
        }
    }

    fn create(&mut self, arg: &Found, parent: Id, id: Id) -> Result<Found, Failure> {
        let at = self.tree.node(id).at;
        let item = match self.unresolved(arg) {
            Value::Null => return Ok(Found::Value(Value::Null)),
            Value::Str(text) => match load(text.as_bytes(), at).map_err(|f| failed(f.message))? {
                None => Item { at, data: Loaded::Map(Entries::default()) },
                Some(Item { data: Loaded::Scalar(Scalar::Str(key)), .. }) => {
                    let null = Item { at, data: Loaded::Scalar(Scalar::Null) };
                    Item { at, data: Loaded::Map([(Key::Str(key), null)].into_iter().collect()) }
                }
                Some(item) => item,
            },
            value => Item::from_value(&value, at),
        };
        match item.data {
            Loaded::Scalar(_) => Err(failed("`oc.create` makes a config of a mapping or a list")),
            _ => self.checked(&item).map(|()| Found::Node(self.tree.import(&item, Some(parent)))),
        }
    }

    fn checked(&self, item: &Item) -> Result<(), Failure> {
        match &item.data {
            Loaded::Scalar(Scalar::Str(text)) if text.contains("${") => parse(text).map(drop).map_err(failed),
            Loaded::Scalar(_) => Ok(()),
            Loaded::List(items) => items.iter().try_for_each(|item| self.checked(item)),
            Loaded::Map(map) => map.iter().try_for_each(|(_, item)| self.checked(item)),
        }
    }

    fn dict(&mut self, arg: &Found, parent: Id, resolver: &str) -> Result<(String, Id), Failure> {
        let path = self.text_arg(arg, &format!("the key of `{resolver}`"))?;
        let nothing = || failed(format!("`{resolver}`: there is no `{path}`"));
        let (root, rest) = self.start(&path, parent).ok_or_else(nothing)?;
        match self.select(root, rest, true)?.ok_or_else(nothing)? {
            Found::Node(node) if matches!(self.tree.node(node).data, Data::Map(_)) => Ok((path, node)),
            _ => Err(failed(format!("`{resolver}` is for mappings, and `{path}` is none"))),
        }
    }

    fn dict_keys(&mut self, arg: &Found, parent: Id, id: Id) -> Result<Found, Failure> {
        let (_, dict) = self.dict(arg, parent, "oc.dict.keys")?;
        let Data::Map(map) = &self.tree.node(dict).data else { return Err(failed("not a mapping")) };
        let keys = Value::List(map.keys().map(|key| key.clone().into()).collect());
        let item = Item::from_value(&keys, self.tree.node(id).at);
        Ok(Found::Node(self.tree.import(&item, Some(parent))))
    }

    fn dict_values(&mut self, arg: &Found, parent: Id, id: Id) -> Result<Found, Failure> {
        let (path, dict) = self.dict(arg, parent, "oc.dict.values")?;
        let Data::Map(map) = &self.tree.node(dict).data else { return Err(failed("not a mapping")) };
        // One more dot, for the list that the references stand in.
        let path = if path.starts_with('.') { format!(".{path}") } else { path };
        let references = map.keys().map(|key| Value::Str(format!("${{{path}.{key}}}"))).collect();
        let item = Item::from_value(&Value::List(references), self.tree.node(id).at);
        Ok(Found::Node(self.tree.import(&item, Some(parent))))
    }

    fn deprecated(&mut self, args: &[Found], parent: Id, id: Id) -> Result<Found, Failure> {
        let path = self.text_arg(&args[0], "the key of `oc.deprecated`")?;
        let message = match args.get(1) {
            Some(message) => self.text_arg(message, "the message of `oc.deprecated`")?,
            None => "'$OLD_KEY' is deprecated. Change your code and config to use '$NEW_KEY'".into(),
        };
        let nothing = || failed(format!("`oc.deprecated`: there is no `{path}`"));
        let (root, rest) = self.start(&path, parent).ok_or_else(nothing)?;
        let found = self.select(root, rest, false)?.ok_or_else(nothing)?;
        let new = match &found {
            Found::Node(node) => self.tree.path(*node),
            Found::Value(_) => path.clone(),
        };
        let text = message.replace("$OLD_KEY", &self.tree.path(id)).replace("$NEW_KEY", &new);
        self.warnings.push(("deprecated_key", text));
        Ok(found)
    }

    fn hydra(&mut self, arg: &Found) -> Result<Found, Failure> {
        let path = match self.unresolved(arg) {
            Value::Str(text) => text,
            other => return Err(failed(format!("`hydra:` takes a key, not {}", other.kind()))),
        };
        if let Some(reason) = builtin::not_followed(&path) {
            let message = format!("`hydra:{path}` is not followed: {reason}");
            return Err(Failure::new("hydra_setting_refused", message));
        }
        let Some(hydra) = self.world.hydra else { return Err(failed("Hydra's settings are not known yet here")) };
        match self.select(hydra, &path, false) {
            Ok(Some(Found::Node(node))) if self.tree.is_missing(node) => Ok(Found::Value(Value::Null)),
            Ok(Some(found)) => Ok(found),
            Ok(None) => Ok(Found::Value(Value::Null)),
            Err(failure) if failure.category == "interpolation_not_a_container" => Ok(Found::Value(Value::Null)),
            Err(failure) => Err(failure),
        }
    }
}
