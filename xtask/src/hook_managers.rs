//! The real hook managers for the tests: pre-commit from PyPI, lefthook and husky from npm, fetched once into the
//! cache, beside libtorch.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::libtorch::{caches, python_with_pip};
use crate::run::{Failure, at, output, show};

const PYTHON: &str = "pre-commit==4.3.0";
const NODE: [&str; 2] = ["husky@9.1.7", "lefthook@2.2.2"];

/// The folder that holds `bin/` with the three programs.
pub(crate) fn provide() -> Result<PathBuf, Failure> {
    let folder = caches()?.join("hook-managers-1");
    if !folder.is_dir() {
        fetch(&folder)?;
    }
    Ok(folder)
}

/// Installs into a folder beside and renames it, so that a folder that is there is whole.
fn fetch(folder: &Path) -> Result<(), Failure> {
    let partial = folder.with_extension(format!("{}.partial", std::process::id()));
    let made = install(&partial).and_then(|()| programs(&partial, folder));
    if let Err(failure) = made {
        // What is half fetched is of no use to anybody; the failure is what matters.
        let _ = fs::remove_dir_all(&partial);
        return Err(failure);
    }
    match fs::rename(&partial, folder) {
        Ok(()) => Ok(()),
        // Another checkout was faster.
        Err(_) if folder.is_dir() => fs::remove_dir_all(&partial).map_err(at(&partial)),
        Err(error) => Err(at(folder)(error)),
    }
}

fn install(folder: &Path) -> Result<(), Failure> {
    let mut pip = Command::new(python_with_pip()?);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]);
    let hint = format!("python3 -m pip download {PYTHON}   shows whether pip reaches its index");
    show(pip.arg(folder.join("python")).arg(PYTHON)).map_err(|failure| failure.hint(hint))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]);
    npm.arg(folder.join("node")).args(NODE);
    show(&mut npm)
        .map_err(|failure| failure.hint("install npm (Debian: apt-get install npm), and see that it reaches its index"))
}

/// A small program for each manager; each names where things will lie in the end.
fn programs(partial: &Path, folder: &Path) -> Result<(), Failure> {
    let place = |name: &str, code: &str| {
        let mut command = Command::new(name);
        output(command.args(["-c", code])).map(|text| text.trim().to_string())
    };
    let missing = |name: &str| Failure::new(format!("{name} does not say where it is"));
    let python = place(python_with_pip()?, "import sys; print(sys.executable)").ok_or_else(|| missing("python3"))?;
    let node = place("sh", "command -v node").ok_or_else(|| missing("node"))?;
    let (packages, modules) = (folder.join("python"), folder.join("node/node_modules"));
    let (packages, modules) = (packages.display(), modules.display());
    let bin = partial.join("bin");
    fs::create_dir_all(&bin).map_err(at(&bin))?;
    for (name, line) in [
        ("pre-commit", format!("PYTHONPATH={packages} exec {python} -m pre_commit \"$@\"")),
        ("husky", format!("exec {node} {modules}/husky/bin.js \"$@\"")),
        ("lefthook", format!("PATH=$PATH:$(dirname {node}) exec {node} {modules}/lefthook/bin/index.js \"$@\"")),
    ] {
        use std::os::unix::fs::PermissionsExt as _;
        let file = bin.join(name);
        fs::write(&file, format!("#!/bin/sh\n{line}\n")).map_err(at(&file))?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).map_err(at(&file))?;
    }
    Ok(())
}
