//! Hydra's own settings: the part of its built-in config that a research tree can see or set, as data.
//!
//! A setting that git-ar acts on, or that only the config itself can see, is followed. One that would change how
//! Hydra composes or starts jobs is refused by name; one that git-ar has no use for gives a warning.

use super::map::Key;

/// The built-in groups: path of the folder, its options, the default choice.
pub(super) const GROUPS: [(&str, &[&str], Option<&str>); 9] = [
    ("hydra/output", &["default"], Some("default")),
    ("hydra/launcher", &["basic"], Some("basic")),
    ("hydra/sweeper", &["basic"], Some("basic")),
    ("hydra/help", &["default"], Some("default")),
    ("hydra/hydra_help", &["default"], Some("default")),
    ("hydra/hydra_logging", &["default", "disabled", "hydra_debug", "none"], Some("default")),
    ("hydra/job_logging", &["default", "disabled", "none", "stdout"], Some("default")),
    ("hydra/callbacks", &[], None),
    ("hydra/env", &["default"], Some("default")),
];

/// The text of a built-in file, by its path without `.yaml`.
pub(super) fn text(path: &str) -> Option<&'static str> {
    match path {
        "hydra/config" => Some(CONFIG),
        "hydra/output/default" => Some(OUTPUT),
        "hydra/sweeper/basic" => Some(
            "_target_: hydra._internal.core_plugins.basic_sweeper.BasicSweeper\nmax_batch_size: null\nparams: null\n",
        ),
        "hydra/launcher/basic" => Some("_target_: hydra._internal.core_plugins.basic_launcher.BasicLauncher\n"),
        _ => {
            let (group, option) = path.rsplit_once('/')?;
            GROUPS.iter().any(|(g, options, _)| *g == group && options.contains(&option)).then_some("{}")
        }
    }
}

const CONFIG: &str = "\
defaults:
  - output: default
  - launcher: basic
  - sweeper: basic
  - help: default
  - hydra_help: default
  - hydra_logging: default
  - job_logging: default
  - callbacks: null
  - env: default
mode: null
searchpath: []
run: {dir: '???'}
sweep: {dir: '???', subdir: '???'}
hydra_logging: {}
job_logging: {}
sweeper: {}
launcher: {}
callbacks: {}
help: {app_name: '${hydra.job.name}', header: '???', footer: '???', template: '???'}
hydra_help: {hydra_help: '???', template: '???'}
output_subdir: .hydra
overrides: {hydra: [], task: []}
job:
  name: ???
  chdir: null
  override_dirname: ???
  id: ???
  num: ???
  config_name: ???
  env_set: {}
  env_copy: []
  config: {override_dirname: {kv_sep: '=', item_sep: ',', exclude_keys: []}}
runtime: {version: '1.3', version_base: '1.3', cwd: '???', config_sources: '???', output_dir: '???', choices: {}}
verbose: false
";

const OUTPUT: &str = "\
# @package hydra
run:
  dir: outputs/${now:%Y-%m-%d}/${now:%H-%M-%S}
sweep:
  dir: multirun/${now:%Y-%m-%d}/${now:%H-%M-%S}
  subdir: ${hydra.job.num}
";

/// Mappings below `hydra` that take any key.
pub(super) const OPEN: [&str; 7] = [
    "hydra.hydra_logging",
    "hydra.job_logging",
    "hydra.callbacks",
    "hydra.sweeper.params",
    "hydra.job.env_set",
    "hydra.runtime.choices",
    "hydra.verbose",
];

/// Why a setting that git-ar does not model cannot be looked up; `None` when it can.
pub(super) fn not_followed(path: &str) -> Option<&'static str> {
    let below = |prefix: &str| path == prefix || path.starts_with(&format!("{prefix}."));
    if ["runtime.cwd", "runtime.output_dir", "runtime.config_sources", "runtime.version"].iter().any(|p| below(p)) {
        return Some("it depends on the machine");
    }
    if ["help", "hydra_help", "hydra_logging", "job_logging"].iter().any(|p| below(p)) {
        return Some("git-ar has no such settings");
    }
    None
}

/// What becomes of a setting that the tree or the command line gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// Composed, and git-ar acts on it or nothing has to act on it.
    Followed,
    /// Would change what is composed or run: refused.
    Refused(&'static str),
    /// Composed; nothing acts on it.
    Warned(&'static str),
}

/// What becomes of the setting at a path below `hydra`.
pub(super) fn treatment(path: &str) -> Treatment {
    let below = |prefix: &str| path == prefix || path.starts_with(&format!("{prefix}."));
    let any = |prefixes: &[&str]| prefixes.iter().any(|p| below(p));
    if below("searchpath") {
        return Treatment::Refused("put the files into the config folder");
    }
    if below("callbacks") {
        return Treatment::Refused("git-ar runs no Hydra callbacks");
    }
    if any(&["run", "sweep"]) {
        return Treatment::Warned("`git ar` decides where a run writes; the value can be read as ${hydra:…}");
    }
    if any(&[
        "sweeper",
        "job.name",
        "job.config",
        "runtime.choices",
        "overrides",
        "mode",
        "job.config_name",
        "job.num",
        "job.id",
    ]) {
        return Treatment::Followed;
    }
    Treatment::Warned("git-ar has no use for it")
}

/// How Hydra's declared type treats a value at a path below `hydra`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Text; numbers and booleans become text.
    Text,
    /// Text or null.
    OptionalText,
    /// An integer.
    Integer,
    /// A mapping of text to text.
    Texts,
    /// Anything.
    Any,
}

/// The declared type of a path below `hydra`.
pub(super) fn declared(path: &str) -> Type {
    match path {
        "run.dir" | "sweep.dir" | "sweep.subdir" | "job.name" | "job.id" | "job.override_dirname" => Type::Text,
        "job.config.override_dirname.kv_sep" | "job.config.override_dirname.item_sep" => Type::Text,
        "output_subdir" | "job.config_name" => Type::OptionalText,
        "job.num" => Type::Integer,
        "sweeper.params" | "job.env_set" => Type::Texts,
        _ => Type::Any,
    }
}

/// Whether a key may be added below a mapping of Hydra's settings.
pub(super) fn takes_any_key(path: &str) -> bool {
    OPEN.iter().any(|open| path == *open || path.starts_with(&format!("{open}.")))
}

/// The text keys of a path, for [`takes_any_key`].
pub(super) fn join(path: &str, key: &Key) -> String {
    if path.is_empty() { key.to_string() } else { format!("{path}.{key}") }
}
