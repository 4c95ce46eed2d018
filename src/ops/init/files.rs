//! The files of a new research repository, from `templates/init/`.

use askama::Template;

use crate::ops::record::Write;
use crate::ops::scaffold;
use crate::ops::schema::{SCHEMAS, schema};
use crate::state::entities::{BuiltIn, Settings, Switch, Trainer};
use crate::state::ids::Slug;
use crate::state::load;
use crate::state::text;

/// What kind of repository it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// Iterations with phases and gates.
    Loop,
    /// Anchored runs and boards only.
    RunsOnly,
}

/// `configs/ar.yaml`.
#[derive(Template)]
#[template(path = "init/configs/ar.yaml", escape = "none")]
struct SettingsFile<'a> {
    branch: String,
    switch: &'a str,
    trainer: &'a str,
}

/// `README.md`.
#[derive(Template)]
#[template(path = "init/README.md", escape = "none")]
struct Readme<'a> {
    title: &'a str,
    phases: bool,
}

/// Files that are the same everywhere, from `templates/init/`: path and text.
macro_rules! template {
    ($($path:literal = $file:literal,)*) => {
        [$(($path, include_str!(concat!("../../../templates/init/", $file))),)*]
    };
}

/// Files that this repository uses itself.
macro_rules! own {
    ($($path:literal,)*) => {
        [$(($path, include_str!(concat!("../../../", $path))),)*]
    };
}

const TEMPLATES: [(&str, &str); 4] = template! {
    ".gitignore" = "gitignore",
    ".env.example" = "env.example",
    "configs/board/digits.yaml" = "configs/board/digits.yaml",
    "configs/board/mnist.yaml" = "configs/board/mnist.yaml",
};

const OWN: [(&str, &str); 9] = own! {
    "configs/config.yaml",
    "configs/dataset/digits.yaml",
    "configs/dataset/mnist.yaml",
    "configs/model/ffnn.yaml",
    "configs/optimizer/adam.yaml",
    "configs/schedule/constant.yaml",
    "configs/experiment/digits_ffnn_adam.yaml",
    "configs/experiment/mnist_ffnn_adam.yaml",
    "configs/cluster/local.yaml",
};

/// Every file that a research repository begins with. `first`: there is no project yet.
pub(super) fn all(title: &str, settings: &Settings, first: bool) -> Vec<Write> {
    let phases = settings.phases == Switch::On;
    let projects = match phases {
        true => include_str!("../../../templates/init/projects.md"),
        false => include_str!("../../../templates/init/projects-runs-only.md"),
    };
    let readme = Readme { title, phases }.render().expect("the template has no fallible part");
    let mut files = vec![
        Write::text(load::SETTINGS, settings_text(settings)),
        Write::text("README.md", readme + "\n"),
        Write::text("projects/README.md", projects),
    ];
    files.extend(TEMPLATES.into_iter().chain(OWN).map(|(path, text)| Write::text(path, text)));
    files.extend(schemas());
    // Without phases nothing else makes the project that runs belong to.
    if first && !phases {
        let slug = Slug::try_from(text::slug(title, 48)).or_else(|_| Slug::try_from("research"));
        files.extend(slug.map(|slug| scaffold::project(&slug, title)));
    }
    files
}

/// The schemas that the `yaml-language-server` lines of state files name.
fn schemas() -> impl Iterator<Item = Write> {
    SCHEMAS.iter().map(|entry| {
        let schema = schema(entry.name).expect("every listed name has a schema");
        Write::text(format!("docs/schema/{}.json", entry.name), format!("{schema:#}\n"))
    })
}

/// The settings of a repository that has none yet.
pub(super) fn settings(branch: &str, flavour: Flavour, trainer: BuiltIn) -> Settings {
    Settings {
        schema: 1,
        branch: branch.into(),
        phases: if flavour == Flavour::Loop { Switch::On } else { Switch::Off },
        trainer: Trainer::Named(trainer),
        config_dir: "configs".into(),
        code: Vec::new(),
        cluster: None,
        min_version: None,
    }
}

fn settings_text(settings: &Settings) -> String {
    let file = SettingsFile {
        branch: crate::state::yaml::quote(&settings.branch),
        switch: if settings.phases == Switch::On { "on" } else { "off" },
        trainer: if settings.trainer == Trainer::Named(BuiltIn::Engine) { "engine" } else { "reference" },
    };
    file.render().expect("the template has no fallible part") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_read_back() {
        for (flavour, trainer) in [(Flavour::Loop, BuiltIn::Reference), (Flavour::RunsOnly, BuiltIn::Engine)] {
            let made = settings("no", flavour, trainer);
            let read: Settings = load::parse(load::SETTINGS, settings_text(&made).as_bytes()).unwrap();
            assert_eq!((read.branch, read.phases, read.trainer), ("no".into(), made.phases, made.trainer));
        }
    }

    #[test]
    fn every_state_file_is_well_formed() {
        let settings = settings("develop", Flavour::Loop, BuiltIn::Reference);
        for file in all("A title", &settings, true) {
            let text = file.text.unwrap();
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{}", file.path);
            if file.path.starts_with("configs/board/") {
                load::parse::<crate::state::board::BoardConfig>(&file.path, text.as_bytes()).unwrap();
            }
        }
    }
}
