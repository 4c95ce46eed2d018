//! The real Hydra as an oracle for configs: fetched once by pip into the cache, beside libtorch.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::libtorch::{caches, python_with_pip};
use crate::run::{Failure, at, show};

/// The versions that answered the cases in `tests/data/hydra`.
const PACKAGES: [&str; 2] = ["hydra-core==1.3.8", "omegaconf==2.3.1"];

/// A Python and the folder of packages that it must look in.
pub(crate) struct Hydra {
    python: &'static str,
    packages: PathBuf,
}

impl Hydra {
    /// Tells a cargo command where Hydra is.
    pub(crate) fn tell(&self, command: &mut Command) {
        command.env("GIT_AR_PYTHON", self.python).env("PYTHONPATH", &self.packages);
    }
}

/// Finds Hydra in the cache, or fetches it.
pub(crate) fn provide() -> Result<Hydra, Failure> {
    let python = python_with_pip()?;
    let packages = caches()?.join("hydra-1.3.8");
    if !packages.is_dir() {
        fetch(python, &packages)?;
    }
    Ok(Hydra { python, packages })
}

/// Installs into a folder beside and renames it, so that a folder that is there is whole.
fn fetch(python: &str, packages: &Path) -> Result<(), Failure> {
    let partial = packages.with_extension(format!("{}.partial", std::process::id()));
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"])
        .arg(&partial)
        .args(PACKAGES);
    if let Err(failure) = show(&mut pip) {
        // What is half fetched is of no use to anybody; the failure is what matters.
        let _ = fs::remove_dir_all(&partial);
        return Err(failure.hint("python3 -m pip download hydra-core==1.3.8   shows whether pip reaches its index"));
    }
    match fs::rename(&partial, packages) {
        Ok(()) => Ok(()),
        // Another checkout was faster.
        Err(_) if packages.is_dir() => fs::remove_dir_all(&partial).map_err(at(&partial)),
        Err(error) => Err(at(packages)(error)),
    }
}
