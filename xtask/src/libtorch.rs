//! Provides libtorch: the person's own where they name one, else one copy for all checkouts.
//!
//! The copy is unpacked from PyTorch's wheels, which `pip` fetches by name and checks against the hashes below. Only
//! what the engine needs on a CPU is kept: headers and five libraries, about 500 MB of the wheels' 1.5 GB.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run::{Failure, at, output, show};

/// The version that `tch` in `Cargo.toml` binds.
const VERSION: &str = "2.11.0";

/// The wheels with their SHA-256. libtorch's CPU library is linked against the two small ones.
const WHEELS: &str = "\
torch==2.11.0 --hash=sha256:7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a
nvidia-cuda-runtime==13.0.96 --hash=sha256:7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548
nvidia-cuda-cupti==13.0.85 --hash=sha256:4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8
";

/// The wheels are the same whatever Python asks for them.
const WHEEL_TAGS: &[&str] = &[
    "--only-binary=:all:",
    "--implementation=cp",
    "--python-version=3.11",
    "--abi=cp311",
    "--platform=manylinux_2_28_x86_64",
    "--platform=manylinux_2_25_x86_64",
    "--platform=manylinux2014_x86_64",
];

/// Download and unpacked files together, in MiB.
const SPACE_MIB: u64 = 1300;

/// Unpacks from every wheel of a folder (first argument) into another (second) what the engine needs.
const UNPACK: &str = r#"
import pathlib, shutil, sys, zipfile
wheels, to = map(pathlib.Path, sys.argv[1:3])
libraries = {"libtorch_cpu.so", "libc10.so", "libgomp.so.1", "libcudart.so.13", "libcupti.so.13"}
found = set()
for wheel in sorted(wheels.glob("*.whl")):
    with zipfile.ZipFile(wheel) as archive:
        for item in archive.infolist():
            path = pathlib.PurePosixPath(item.filename)
            if item.filename.startswith("torch/include/") and not item.is_dir():
                target = to / path.relative_to("torch")
            elif path.name in libraries and path.parent.name == "lib":
                target = to / "lib" / path.name
                found.add(path.name)
            else:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(item) as source, open(target, "wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
if libraries - found:
    sys.exit("not in the wheels: " + ", ".join(sorted(libraries - found)))
"#;

/// A libtorch that can be built against.
#[derive(Debug)]
pub(crate) enum Libtorch {
    /// A folder with `include` and `lib`.
    Folder(PathBuf),
    /// Inside python3's PyTorch; `torch-sys` asks Python itself.
    PyTorch(PathBuf),
}

impl Libtorch {
    /// The folder that holds `include` and `lib`.
    pub(crate) fn folder(&self) -> &Path {
        match self {
            Self::Folder(folder) | Self::PyTorch(folder) => folder,
        }
    }

    /// Tells a cargo command where libtorch is.
    pub(crate) fn tell(&self, command: &mut Command) {
        if let Self::Folder(folder) = self {
            command.env("LIBTORCH", folder).env_remove("LIBTORCH_USE_PYTORCH");
        }
    }
}

/// Finds libtorch, or fetches it.
pub(crate) fn provide() -> Result<Libtorch, Failure> {
    compiler()?;
    if let Some(folder) = std::env::var_os("LIBTORCH").map(PathBuf::from) {
        return named(folder);
    }
    if std::env::var_os("LIBTORCH_USE_PYTORCH").is_some() {
        return inside_pytorch();
    }
    let folder = cache_folder()?;
    if !folder.join("build-version").exists() {
        fetch(&folder)?;
    }
    Ok(Libtorch::Folder(folder))
}

fn named(folder: PathBuf) -> Result<Libtorch, Failure> {
    let folder = std::path::absolute(&folder).map_err(at(&folder))?;
    match missing_in(&folder) {
        None => Ok(Libtorch::Folder(folder)),
        Some(file) => Err(Failure::new(format!("LIBTORCH is {}, which has no {file}", folder.display()))
            .hint(format!("point it at a folder of libtorch {VERSION}, or unset it to have one fetched"))),
    }
}

fn missing_in(folder: &Path) -> Option<&'static str> {
    let library = if cfg!(target_os = "macos") { "lib/libtorch_cpu.dylib" } else { "lib/libtorch_cpu.so" };
    ["include/torch/csrc/api/include/torch/torch.h", library].into_iter().find(|file| !folder.join(file).exists())
}

fn inside_pytorch() -> Result<Libtorch, Failure> {
    let script = "import os, torch; print(torch.__version__); print(os.path.dirname(torch.__file__))";
    let wanted = format!("pip install torch=={VERSION}");
    let told = output(Command::new(python_name()).args(["-c", script]))
        .ok_or_else(|| Failure::new("LIBTORCH_USE_PYTORCH is set, and python3 has no PyTorch").hint(wanted.clone()))?;
    let (version, folder) = told.trim().split_once('\n').unwrap_or((told.trim(), ""));
    let unchecked = std::env::var_os("LIBTORCH_BYPASS_VERSION_CHECK").is_some();
    if version.split('+').next() != Some(VERSION) && !unchecked {
        return Err(Failure::new(format!("python3's PyTorch is {version}; the engine is built against {VERSION}"))
            .hint(format!("{wanted}, or unset LIBTORCH_USE_PYTORCH to have libtorch fetched")));
    }
    Ok(Libtorch::PyTorch(folder.into()))
}

/// The name by which `torch-sys` calls Python.
fn python_name() -> &'static str {
    if std::env::var_os("VIRTUAL_ENV").is_some() { "python" } else { "python3" }
}

/// The folder that checkouts share for what is fetched.
pub(crate) fn caches() -> Result<PathBuf, Failure> {
    let set = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let caches = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let caches = caches.ok_or_else(|| {
        Failure::new("neither XDG_CACHE_HOME nor HOME is set").hint("export XDG_CACHE_HOME=DIR, a folder for libtorch")
    })?;
    Ok(caches.join("git-ar"))
}

fn cache_folder() -> Result<PathBuf, Failure> {
    Ok(caches()?.join(format!("libtorch-{VERSION}")))
}

fn compiler() -> Result<(), Failure> {
    let named = std::env::var("CXX").ok();
    let names = named.as_deref().map_or(vec!["c++", "g++", "clang++"], |name| vec![name]);
    let starts = |name: &&str| output(Command::new(name).arg("--version")).is_some();
    if names.iter().any(starts) {
        return Ok(());
    }
    Err(Failure::new(format!("no C++ compiler ({}); the engine's binding is C++", names.join(", ")))
        .hint("install g++ or clang (Debian: apt-get install g++), or name one in CXX"))
}

/// Fetches into a folder beside `folder` and renames it, so that `folder` is whole or absent.
fn fetch(folder: &Path) -> Result<(), Failure> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(Failure::new("libtorch is fetched for x86-64 Linux only").hint(format!(
            "pip install torch=={VERSION}, then LIBTORCH_USE_PYTORCH=1 cargo xtask …; \
             or unpack libtorch {VERSION} and set LIBTORCH"
        )));
    }
    let caches = folder.parent().expect("the cache folder has a parent");
    fs::create_dir_all(caches).map_err(at(caches))?;
    let lock = caches.join("libtorch.lock");
    let lock_file = fs::File::create(&lock).map_err(at(&lock))?;
    if lock_file.try_lock().is_err() {
        eprintln!("waiting for another checkout that fetches libtorch");
        lock_file.lock().map_err(at(&lock))?;
        if folder.join("build-version").exists() {
            return Ok(());
        }
    }
    let partial = caches.join(format!("libtorch-{VERSION}.partial"));
    for old in [&partial, folder] {
        if old.exists() {
            fs::remove_dir_all(old).map_err(at(old))?;
        }
    }
    let filled = space(caches).and_then(|()| fill(&partial));
    if filled.is_err() {
        fs::remove_dir_all(&partial).ok();
    }
    filled.and_then(|()| fs::rename(&partial, folder).map_err(at(folder)))
}

fn space(folder: &Path) -> Result<(), Failure> {
    let table = output(Command::new("df").arg("-Pk").arg(folder));
    let free = table.as_deref().and_then(free_kib);
    match free {
        Some(kib) if kib / 1024 < SPACE_MIB => Err(Failure::new(format!(
            "{}: {} MiB free; libtorch needs {SPACE_MIB} MiB while it is unpacked, 500 after",
            folder.display(),
            kib / 1024
        ))
        .hint("make room, or set XDG_CACHE_HOME to a folder on a larger disk")),
        _ => Ok(()),
    }
}

/// The free space in a table of `df -Pk`.
fn free_kib(table: &str) -> Option<u64> {
    table.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

fn fill(partial: &Path) -> Result<(), Failure> {
    let python = python_with_pip()?;
    let wheels = partial.join("wheels");
    fs::create_dir_all(&wheels).map_err(at(&wheels))?;
    let list = wheels.join("wheels.txt");
    fs::write(&list, WHEELS).map_err(at(&list))?;
    eprintln!("fetching libtorch {VERSION} with pip (545 MB, once for all checkouts)");
    let mut pip = Command::new(python);
    pip.args([
        "-m",
        "pip",
        "download",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
        "--no-cache-dir",
    ])
    .args(WHEEL_TAGS)
    .arg("--dest")
    .arg(&wheels)
    .arg("-r")
    .arg(&list)
    .stdout(Stdio::from(std::io::stderr()));
    show(&mut pip).map_err(|failure| {
        Failure::new(format!("pip did not fetch libtorch: {}", failure.message)).hint(format!(
            "without internet: copy ~/.cache/git-ar/libtorch-{VERSION} from a machine that has it, or set LIBTORCH"
        ))
    })?;
    eprintln!("unpacking libtorch");
    show(Command::new(python).args(["-c", UNPACK]).arg(&wheels).arg(partial))?;
    fs::remove_dir_all(&wheels).map_err(at(&wheels))?;
    complete(partial)
}

/// The two names that the linker asks for and the wheels do not have, and the mark that all is there.
fn complete(folder: &Path) -> Result<(), Failure> {
    let files = [
        ("lib/libtorch.so", "INPUT(-ltorch_cpu)\n"),
        ("lib/libgomp.so", "INPUT(libgomp.so.1)\n"),
        ("build-version", VERSION),
    ];
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).map_err(at(&path))?;
    }
    Ok(())
}

/// A Python 3 that has pip.
pub(crate) fn python_with_pip() -> Result<&'static str, Failure> {
    let with_pip = |name: &&str| output(Command::new(name).args(["-m", "pip", "--version"])).is_some();
    ["python3", "python"].into_iter().find(with_pip).ok_or_else(|| {
        Failure::new("packages are fetched with pip, and neither python3 nor python has it")
            .hint("install pip (Debian: apt-get install python3-pip), or set LIBTORCH to a libtorch of your own")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_is_read_from_df() {
        let table = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 100 40 60 40% /\n";
        assert_eq!(free_kib(table), Some(60));
        assert_eq!(free_kib("nothing"), None);
    }

    #[test]
    fn a_folder_that_is_no_libtorch_is_refused() {
        let failure = named(std::env::temp_dir()).expect_err("no libtorch there");
        assert!(failure.message.contains("torch.h") && failure.hint.is_some());
    }
}
