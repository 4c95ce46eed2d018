//! One composition: the files of the defaults list merged in order, overrides applied, Hydra's own settings filled in.

use std::borrow::Cow;

use super::builtin::{self, Treatment, Type};
use super::defaults::{Choices, expand};
use super::failure::{Failure, Place};
use super::interpolate::{Resolver, World};
use super::map::{Entries, Key};
use super::merge::{Keys, merge};
use super::number::float_repr;
use super::overrides::{Override, apply, parse};
use super::scalar::Scalar;
use super::source::Sources;
use super::tree::{Data, Id, Tree, split_path};
use super::value::Value;
use super::yaml::{Data as Loaded, Item};

/// What one composition is asked for.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    /// The primary config.
    pub(super) name: Option<&'a str>,
    /// The overrides as typed.
    pub(super) overrides: &'a [String],
    /// The job's name and number, for `hydra:job`.
    pub(super) job: super::Job<'a>,
    /// Whether sweeps are allowed (and left out), as in a multirun's master config.
    pub(super) multirun: bool,
    /// The environment, for `oc.env`.
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
}

/// A composed tree.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) tree: Tree,
    /// The config that the program gets.
    pub(super) task: Id,
    /// Hydra's own settings.
    pub(super) hydra: Id,
    /// The overrides, read.
    pub(super) overrides: Vec<Override>,
    pub(super) warnings: Vec<(&'static str, String)>,
}

/// Composes; all failures of a stage at once.
pub(super) fn build(sources: &mut Sources<'_>, ask: Ask<'_>) -> Result<Built, Vec<Failure>> {
    let overrides = read_overrides(sources, ask.overrides)?;
    check_primary(sources, ask.name)?;
    check_sweeps(&overrides, ask.multirun)?;
    let mut choices = Choices::new(sources, &overrides)?;
    let mut warnings = Vec::new();
    let files = expand(sources, &mut choices, ask.name, ask.multirun, ask.env, &mut warnings)?;

    let mut tree = Tree::default();
    let root = tree.add_map(None, Place::default());
    let world = World { env: ask.env, hydra: None, keep_env: false };
    let mut resolver = Resolver::new(&mut tree, world);
    let mut shape = None;
    for file in &files {
        let failed = |failure: Failure| vec![failure.through(&file.chain)];
        if shape.is_none() && !file.path.starts_with("hydra/") {
            shape = resolver.tree.child(root, "hydra").map(|hydra| resolver.tree.value(hydra));
        }
        let loaded = sources.load(&file.path).map_err(|f| vec![f])?;
        let loaded = loaded
            .ok_or_else(|| failed(Failure::new("config_not_found", format!("there is no config `{}`", file.path))))?;
        let below = below_package(&loaded.config, &file.package);
        merge(&mut resolver, root, &below, Keys::Open).map_err(failed)?;
    }
    let Some(hydra) = resolver.tree.child(root, "hydra") else {
        return Err(vec![Failure::new("type_conflict", "`hydra` must be a mapping")]);
    };
    let shape = shape.unwrap_or_else(|| resolver.tree.value(hydra));
    settings(&resolver, hydra, &shape, &mut warnings)?;
    let failures: Vec<Failure> =
        choices.values.iter().filter_map(|one| apply(&mut resolver, root, one).err()).collect();
    if !failures.is_empty() {
        return Err(failures);
    }
    settings(&resolver, hydra, &shape, &mut warnings)?;
    coerce(resolver.tree, hydra)?;
    fill_in(resolver.tree, hydra, &overrides, &choices, ask);
    let task = tree.copy(root, None);
    if let Data::Map(map) = &mut tree.node_mut(task).data {
        map.remove(&Key::from("hydra"));
    }
    warnings.sort();
    warnings.dedup();
    Ok(Built { tree, task, hydra, overrides, warnings })
}

fn read_overrides(sources: &mut Sources<'_>, lines: &[String]) -> Result<Vec<Override>, Vec<Failure>> {
    sources.names.forget_overrides();
    let mut failures = Vec::new();
    let mut overrides = Vec::new();
    for line in lines {
        let at = sources.names.command_line(line);
        match parse(line, at) {
            Ok(one) => overrides.push(one),
            Err(failure) => failures.push(failure),
        }
    }
    if failures.is_empty() { Ok(overrides) } else { Err(failures) }
}

fn check_primary(sources: &mut Sources<'_>, name: Option<&str>) -> Result<(), Vec<Failure>> {
    let Some(name) = name else { return Ok(()) };
    match sources.load(name).map_err(|f| vec![f])? {
        Some(loaded) if !matches!(loaded.config.data, Loaded::Map(_)) => {
            let message = format!("the primary config `{name}` must be a mapping");
            Err(vec![Failure::new("primary_config_not_dict", message).at(loaded.config.at)])
        }
        _ => Ok(()),
    }
}

fn check_sweeps(overrides: &[Override], multirun: bool) -> Result<(), Vec<Failure>> {
    let failures: Vec<Failure> = overrides
        .iter()
        .filter(|one| one.sweep().is_some())
        .filter_map(|one| {
            if multirun && one.is_hydra() {
                let message = format!("`{}`: Hydra's own settings cannot be swept", one.line);
                Some(Failure::new("sweep_over_hydra_config", message).at(one.at))
            } else if !multirun {
                let message = format!("`{}` asks for several runs", one.line);
                let hint = format!("for a list write {0}=[a,b], for text {0}='a,b', for several runs use `git ar config expand` or --multirun", one.left());
                Some(Failure::new("sweep_without_multirun", message).at(one.at).hint(hint))
            } else {
                None
            }
        })
        .collect();
    if failures.is_empty() { Ok(()) } else { Err(failures) }
}

/// A config below its package.
fn below_package<'i>(config: &'i Item, package: &str) -> Cow<'i, Item> {
    if package.is_empty() {
        return Cow::Borrowed(config);
    }
    Cow::Owned(split_path(package).into_iter().rev().fold(config.clone(), |inner, step| Item {
        at: inner.at,
        data: Loaded::Map([(Key::Str(step), inner)].into_iter().collect()),
    }))
}

/// Hydra's settings as given: known, and either followed, refused by name, or worth a warning.
fn settings(
    resolver: &Resolver<'_, '_>,
    hydra: Id,
    shape: &Value,
    warnings: &mut Vec<(&'static str, String)>,
) -> Result<(), Vec<Failure>> {
    let mut failures = Vec::new();
    let mut todo = vec![(String::new(), hydra, Some(shape))];
    while let Some((path, id, shape)) = todo.pop() {
        let node = resolver.tree.node(id);
        if let (Data::Map(map), Some(Value::Map(_)) | None) = (&node.data, shape) {
            for (key, child) in map.iter() {
                let inner = builtin::join(&path, key);
                let known = shape.and_then(Value::as_map).and_then(|shape| shape.get(key));
                if known.is_none() && !builtin::takes_any_key(&format!("hydra.{path}")) {
                    let message = format!("Hydra has no setting `hydra.{inner}`");
                    failures.push(Failure::new("key_not_in_config", message).at(resolver.tree.node(*child).at));
                } else {
                    todo.push((inner, *child, known));
                }
            }
        }
        let changed = node.at.source != 0 && shape.is_none_or(|shape| *shape != resolver.tree.value(id));
        let leaf = !matches!(&node.data, Data::Map(map) if !map.is_empty());
        if changed && leaf {
            match builtin::treatment(&path) {
                Treatment::Refused(why) => {
                    let message = format!("the setting `hydra.{path}` is not followed: {why}");
                    failures.push(Failure::new("hydra_setting_refused", message).at(node.at));
                }
                Treatment::Warned(why) => warnings.push(("hydra_setting", format!("hydra.{path}: {why}"))),
                Treatment::Followed => {}
            }
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures) }
}

/// Fills in what Hydra knows at run time.
fn fill_in(tree: &mut Tree, hydra: Id, overrides: &[Override], choices: &Choices, ask: Ask<'_>) {
    let lines = |hydra: bool| {
        Value::List(overrides.iter().filter(|o| o.is_hydra() == hydra).map(|o| Value::Str(o.line.clone())).collect())
    };
    set(tree, hydra, "overrides.hydra", lines(true));
    set(tree, hydra, "overrides.task", lines(false));
    let known: Entries<Value> =
        choices.known.iter().map(|(key, name)| (key.clone(), name.clone().map_or(Value::Null, Value::Str))).collect();
    set(tree, hydra, "runtime.choices", Value::Map(known));
    if text_at(tree, hydra, "job.name").is_none() {
        set(tree, hydra, "job.name", Value::Str(ask.job.name.to_string()));
    }
    set(tree, hydra, "job.config_name", ask.name.map_or(Value::Null, |name| Value::Str(name.to_string())));
    if let Some(num) = ask.job.num {
        set(tree, hydra, "job.num", Value::Int(i128::from(num)));
        set(tree, hydra, "job.id", Value::Str(format!("job_id_for_{num}")));
    }
    let dirname = override_dirname(tree, hydra, overrides);
    set(tree, hydra, "job.override_dirname", Value::Str(dirname));
}

fn override_dirname(tree: &Tree, hydra: Id, overrides: &[Override]) -> String {
    let setting = |name: &str| text_at(tree, hydra, &format!("job.config.override_dirname.{name}"));
    let excluded = node_at(tree, hydra, "job.config.override_dirname.exclude_keys").map(|id| tree.value(id));
    let is_excluded =
        |key: &str| matches!(&excluded, Some(Value::List(keys)) if keys.iter().any(|k| k.as_str() == Some(key)));
    let mut lines: Vec<&str> =
        overrides.iter().filter(|o| !o.is_hydra() && !is_excluded(&o.key)).map(|o| o.line.as_str()).collect();
    lines.sort_unstable();
    let joined = lines.join(&setting("item_sep").unwrap_or(",".into()));
    joined.replace('=', &setting("kv_sep").unwrap_or("=".into()))
}

fn node_at(tree: &Tree, from: Id, path: &str) -> Option<Id> {
    path.split('.').try_fold(from, |at, step| tree.child(at, step))
}

fn text_at(tree: &Tree, from: Id, path: &str) -> Option<String> {
    let id = node_at(tree, from, path)?;
    tree.text(id).filter(|text| *text != "???").map(ToString::to_string)
}

fn set(tree: &mut Tree, from: Id, path: &str, value: Value) {
    let (folder, key) = path.rsplit_once('.').unwrap_or(("", path));
    if let Some(parent) = node_at(tree, from, folder) {
        let node = tree.import(&Item::from_value(&value, Place::default()), Some(parent));
        tree.set(parent, Key::from(key), node);
    }
}

/// Gives Hydra's settings their declared types.
fn coerce(tree: &mut Tree, hydra: Id) -> Result<(), Vec<Failure>> {
    let mut failures = Vec::new();
    let mut todo = vec![(String::new(), hydra, Type::Any)];
    while let Some((path, id, declared)) = todo.pop() {
        let data = tree.node(id).data.clone();
        let wrong =
            |what: &str| Failure::new("type_conflict", format!("`hydra.{path}` must be {what}")).at(tree.node(id).at);
        match (declared, data) {
            (Type::Any, Data::Map(map)) => {
                for (key, child) in map.iter() {
                    let inner = builtin::join(&path, key);
                    let declared = builtin::declared(&inner);
                    todo.push((inner, *child, declared));
                }
            }
            (Type::Texts, Data::Map(map)) => {
                // Hydra writes a list out as text when it builds the sweep.
                let single = map.iter().filter(|(_, child)| !tree.is_container(*child));
                todo.extend(single.map(|(key, child)| (builtin::join(&path, key), *child, Type::Text)));
            }
            (Type::Any, _) | (Type::OptionalText | Type::Texts, Data::Scalar(Scalar::Null)) => {}
            (Type::Integer, Data::Scalar(Scalar::Int(_) | Scalar::Str(_))) => {}
            (Type::Integer, _) => failures.push(wrong("an integer")),
            (Type::Text | Type::OptionalText, Data::Scalar(scalar)) => match scalar {
                Scalar::Str(_) => {}
                Scalar::Null => failures.push(wrong("text")),
                other => {
                    let text = match other {
                        Scalar::Float(f) => float_repr(f),
                        other => Value::from(other).python_str(),
                    };
                    tree.node_mut(id).data = Data::Scalar(Scalar::Str(text));
                }
            },
            (Type::Text | Type::OptionalText, _) => failures.push(wrong("text")),
            (Type::Texts, _) => failures.push(wrong("a mapping of texts")),
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures) }
}
