//! `cargo xtask static`: git-ar as one file that starts on old systems, and the proof that it is one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::elf::Elf;
use crate::run::{Failure, at, cargo, output, show, top};

/// CentOS 7 has 3.10; the file must not ask for more than this.
const KERNEL: [u32; 3] = [3, 2, 0];

/// Where systems keep `chroot`; the PATH of what is started there is another.
const CHROOT: [&str; 3] = ["/usr/sbin/chroot", "/usr/bin/chroot", "/sbin/chroot"];

/// Builds it and proves it.
pub(crate) fn build() -> Result<(), Failure> {
    let target = target()?;
    let folder = top().join("target/static");
    let mut command = cargo(&["build", "--release", "--bin", "git-ar", "--target", &target]);
    command.env("RUSTFLAGS", "-C target-feature=+crt-static").env("CARGO_TARGET_DIR", &folder);
    command.env_remove("OPENSSL_NO_VENDOR");
    show(&mut command)?;
    prove(&folder.join(&target).join("release/git-ar"))
}

/// Examines a file that was built before, and starts it where nothing else is.
pub(crate) fn prove(file: &Path) -> Result<(), Failure> {
    examine(file)?;
    if output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0") {
        alone(file)?;
        println!("started in an empty root, and with nothing but git beside it");
    } else {
        println!("not started in an empty root: only root may change it");
    }
    println!("{}", file.display());
    Ok(())
}

/// The host's own target; only glibc's links statically by this flag alone.
fn target() -> Result<String, Failure> {
    let said = output(Command::new("rustc").arg("-vV")).unwrap_or_default();
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    match host.ends_with("linux-gnu") {
        true => Ok(host.to_string()),
        false => Err(Failure::new(format!("a static file is built on Linux with glibc, not on `{host}`"))),
    }
}

/// No interpreter, no library, no newer kernel than the oldest that is meant.
fn examine(file: &Path) -> Result<(), Failure> {
    let bytes = fs::read(file).map_err(at(file))?;
    let elf = Elf::read(&bytes).ok_or_else(|| Failure::new(format!("{} is no ELF file of 64 bits", file.display())))?;
    if let Some(interpreter) = elf.interpreter {
        return Err(Failure::new(format!("it asks for the interpreter {interpreter}")));
    }
    if elf.needed > 0 {
        return Err(Failure::new(format!("it asks for {} libraries", elf.needed)));
    }
    let kernel = elf.kernel.ok_or_else(|| Failure::new("its header names no oldest kernel"))?;
    if kernel > KERNEL {
        return Err(Failure::new(format!("it asks for kernel {kernel:?}, newer than {KERNEL:?}")));
    }
    let [major, minor, patch] = kernel;
    println!(
        "{:.1} MiB, no interpreter, no needed library, kernel {major}.{minor}.{patch} or newer",
        bytes.len() as f64 / f64::from(1 << 20)
    );
    Ok(())
}

/// Starts it as the only file there is, then beside git in a repository.
fn alone(file: &Path) -> Result<(), Failure> {
    let root = std::env::temp_dir().join(format!("git-ar-root-{}", std::process::id()));
    let outcome = fill(&root, file).and_then(|()| {
        within(&root, &["--version"])?;
        git_beside(&root)?;
        within(&root, &["-C", "/repo", "init"])?;
        within(&root, &["-C", "/repo", "status"])
    });
    // What is left is a folder below the system's own for such things.
    let _ = fs::remove_dir_all(&root);
    outcome
}

fn fill(root: &Path, file: &Path) -> Result<(), Failure> {
    for folder in ["bin", "tmp", "repo", "dev"] {
        let folder = root.join(folder);
        fs::create_dir_all(&folder).map_err(at(&folder))?;
    }
    copy(file, &root.join("bin/git-ar"))?;
    // Devices belong to the kernel; git asks for chance there.
    for (name, minor) in [("dev/null", "3"), ("dev/urandom", "9")] {
        show(Command::new("mknod").arg(root.join(name)).args(["c", "1", minor]))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(at(folder))?;
    }
    fs::copy(from, to).map(drop).map_err(at(from))
}

/// Git with the libraries that it needs itself, a shell for hooks, and an empty repository.
fn git_beside(root: &Path) -> Result<(), Failure> {
    let find = |program: &str| output(Command::new("sh").args(["-c", &format!("command -v {program}")]));
    for program in ["git", "sh"] {
        let place = find(program).ok_or_else(|| Failure::new(format!("there is no {program} to put beside it")))?;
        let real = fs::canonicalize(place.trim()).map_err(at(Path::new(program)))?;
        copy(&real, &root.join("bin").join(program))?;
        for library in libraries(&real) {
            copy(&library, &root.join(library.strip_prefix("/").unwrap_or(&library)))?;
        }
    }
    let templates = ["-q", "-b", "develop", "--template=", "/repo"];
    show(chroot()?.arg(root).args(["/bin/git", "init"]).args(templates).env_clear())
}

/// The absolute paths that `ldd` prints.
fn libraries(program: &Path) -> Vec<PathBuf> {
    let said = output(Command::new("ldd").arg(program)).unwrap_or_default();
    said.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect()
}

fn chroot() -> Result<Command, Failure> {
    let found = CHROOT.into_iter().find(|place| Path::new(place).exists());
    found.map(Command::new).ok_or_else(|| Failure::new("there is no chroot on this machine"))
}

fn within(root: &Path, arguments: &[&str]) -> Result<(), Failure> {
    let mut command = chroot()?;
    command.arg(root).arg("/bin/git-ar").args(arguments).env_clear().env("PATH", "/bin").env("HOME", "/tmp");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "Test").env(format!("GIT_{who}_EMAIL"), "test@example.org");
    }
    show(&mut command).map_err(|failure| Failure::new(format!("git-ar {}: {}", arguments.join(" "), failure.message)))
}
