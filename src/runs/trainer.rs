//! Which program trains: the reference trainer, the engine, or a command of one's own.

use std::path::{Path, PathBuf};

use crate::state::entities::{BuiltIn, Trainer};
use crate::state::problem::{Kind, Problem};

/// The subcommand under which this program is the reference trainer.
pub const REFERENCE: &str = "reference-trainer";
/// The engine's program.
pub const ENGINE: &str = "git-ar-train";

/// A trainer's command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// As it is recorded: without the place of a built-in trainer, which differs from machine to machine.
    pub recorded: Vec<String>,
    /// As it is started.
    pub started: Vec<String>,
}

/// The command of a trainer. `exe` is this program, `path` the list of folders in which programs are looked for.
pub fn resolve(trainer: &Trainer, exe: &Path, path: Option<&str>) -> Result<Command, Problem> {
    let built_in = |program: &Path, arguments: &[&str], name: &str| {
        let words = |first: String| [first].into_iter().chain(arguments.iter().map(ToString::to_string)).collect();
        Command { recorded: words(name.into()), started: words(program.display().to_string()) }
    };
    match trainer {
        Trainer::Named(BuiltIn::Reference) => Ok(built_in(exe, &[REFERENCE], "git-ar")),
        Trainer::Named(BuiltIn::Engine) => match engine(exe, path) {
            Some(program) => Ok(built_in(&program, &[], ENGINE)),
            None => Err(Problem::new(
                Kind::Usage,
                "no-engine",
                format!("the trainer is `engine`, but {ENGINE} is neither beside git-ar nor on PATH"),
            )
            .at("configs/ar.yaml")
            .hint("build and install it with `cargo xtask engine`, or name your own command under `trainer:` in configs/ar.yaml")),
        },
        Trainer::Command(words) if words.first().is_none_or(String::is_empty) => {
            Err(Problem::new(Kind::Invalid, "no-trainer", "`trainer:` is an empty list")
                .at("configs/ar.yaml")
                .hint("write the program and its arguments, such as [python, train.py]"))
        }
        Trainer::Command(words) => Ok(Command { recorded: words.clone(), started: words.clone() }),
    }
}

/// The engine beside this program, else the first on the path.
pub fn engine(exe: &Path, path: Option<&str>) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let runs = |p: &PathBuf| p.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
    let beside = exe.parent().map(|folder| folder.join(ENGINE));
    let on_path = path.unwrap_or_default().split(':').filter(|f| !f.is_empty()).map(|f| Path::new(f).join(ENGINE));
    beside.into_iter().chain(on_path).find(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_trainer_is_found() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = tempfile::tempdir().unwrap();
        let exe = place.path().join("git-ar");
        let reference = resolve(&Trainer::Named(BuiltIn::Reference), &exe, None).unwrap();
        assert_eq!(reference.recorded, ["git-ar", "reference-trainer"]);
        assert_eq!(reference.started[0], exe.display().to_string());
        let engine = Trainer::Named(BuiltIn::Engine);
        assert!(resolve(&engine, &exe, Some("/nowhere")).unwrap_err().hint.unwrap().contains("cargo xtask engine"));
        let program = place.path().join(ENGINE);
        std::fs::write(&program, "").unwrap();
        assert!(resolve(&engine, &exe, None).is_err(), "not executable");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(resolve(&engine, &exe, None).unwrap().started, [program.display().to_string()]);
        let elsewhere = resolve(&engine, Path::new("/bin/git-ar"), place.path().to_str()).unwrap();
        assert_eq!(elsewhere.recorded, [ENGINE]);
        assert!(resolve(&Trainer::Command(vec![]), &exe, None).is_err());
        let own = Trainer::Command(vec!["python".into(), "train.py".into()]);
        assert_eq!(resolve(&own, &exe, None).unwrap().started, ["python", "train.py"]);
    }
}
