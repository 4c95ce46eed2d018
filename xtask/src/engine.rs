//! `cargo xtask engine`: builds the engine and installs it beside `git-ar`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::libtorch;
use crate::run::{Failure, at, cargo, output, show, top};

/// The two programs, which look for each other in their own folder.
const PROGRAMS: [&str; 2] = ["git-ar", "git-ar-train"];

/// Builds both programs and copies them to `root/bin`, by default where cargo installs programs.
pub(crate) fn install(root: Option<&Path>) -> Result<(), Failure> {
    let libtorch = libtorch::provide()?;
    let mut build = cargo(&["build", "--release", "--features", "train", "--bin", "git-ar", "--bin", "git-ar-train"]);
    libtorch.tell(&mut build);
    show(&mut build)?;
    let bin = match root {
        Some(root) => std::path::absolute(root).map_err(at(root))?.join("bin"),
        None => cargo_home()?.join("bin"),
    };
    fs::create_dir_all(&bin).map_err(at(&bin))?;
    let built = target_folder()?.join("release");
    for program in PROGRAMS {
        let to = place(&built.join(program), &bin.join(program))?;
        println!("installed {}", to.display());
    }
    println!("libtorch  {}", libtorch.folder().display());
    if !on_path(&bin) {
        println!("note: {} is not on PATH", bin.display());
    }
    Ok(())
}

/// Copies aside, then renames: a program that runs is not disturbed.
fn place(from: &Path, to: &Path) -> Result<PathBuf, Failure> {
    let aside = to.with_extension("new");
    fs::copy(from, &aside).map_err(at(from))?;
    fs::rename(&aside, to).map_err(at(to))?;
    Ok(to.to_path_buf())
}

fn cargo_home() -> Result<PathBuf, Failure> {
    let set = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("CARGO_HOME").or_else(|| set("HOME").map(|home| home.join(".cargo"))).ok_or_else(|| {
        Failure::new("neither CARGO_HOME nor HOME is set").hint("name a folder: cargo xtask engine --root DIR")
    })
}

/// Where cargo builds, which a person's configuration may have moved.
fn target_folder() -> Result<PathBuf, Failure> {
    let told = output(&mut cargo(&["metadata", "--format-version=1", "--no-deps", "--offline"]));
    let key = "\"target_directory\":\"";
    let folder = told.as_deref().and_then(|text| text.split_once(key)).and_then(|(_, rest)| rest.split_once('"'));
    Ok(folder.map_or_else(|| top().join("target"), |(folder, _)| folder.into()))
}

fn on_path(folder: &Path) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|entry| entry == folder)
}
