//! The programs of the system that tests need, installed by apt where this user may.

use std::path::Path;
use std::process::Command;

use crate::run::{Failure, output, show};

/// A program, a file, or a command that must succeed, and the Debian package that brings it.
const PROGRAMS: [(&str, &str); 13] = [
    // `tests/it/managers.rs`: lefthook and husky come from npm.
    ("npm", "npm"),
    // `tests/it/site`: a real ssh server, and a login shell that is no POSIX shell.
    ("sshd", "openssh-server"),
    ("ssh", "openssh-client"),
    ("tcsh", "tcsh"),
    // The job script: the shells that run it, and what finds their faults.
    ("dash", "dash"),
    ("busybox", "busybox"),
    ("shellcheck", "shellcheck"),
    // `tests/it/slurm`: a live scheduler.
    ("slurmctld", "slurm-wlm"),
    ("munged", "munge"),
    // `tests/crash`: the order of system calls.
    ("strace", "strace"),
    // `tests/it/environment.rs`: a Python that makes virtual environments.
    ("/usr/bin/python3 -m ensurepip --version", "python3-venv"),
    // The OpenSSL that is compiled in for `transport: ssh2`.
    ("perl", "perl"),
    ("make", "make"),
];

/// Installs what is missing; a failure names the packages.
pub(crate) fn provide() -> Result<(), Failure> {
    let missing: Vec<&str> =
        PROGRAMS.iter().filter(|(program, _)| !has(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    let root = output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    let apt = |arguments: &[&str]| {
        let mut command = Command::new(if root { "apt-get" } else { "sudo" });
        if !root {
            command.args(["-n", "apt-get"]);
        }
        command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
        show(&mut command)
    };
    let install = [&["install", "-y", "-qq", "--no-install-recommends"], missing.as_slice()].concat();
    let hint = format!("apt-get install {names}, or these programs in another way");
    let told = |failure: Failure| Failure::new(format!("{names}: {}", failure.message)).hint(hint.clone());
    if apt(&install).is_err() {
        apt(&["update", "-qq"]).and_then(|()| apt(&install)).map_err(told)?;
    }
    Ok(())
}

/// Whether a program is there; servers lie where only root's PATH looks.
fn has(program: &str) -> bool {
    if program.contains(' ') {
        return output(Command::new("sh").args(["-c", program])).is_some();
    }
    if program.starts_with('/') {
        return Path::new(program).is_file();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    places.map(|place| place.join(program)).any(|file: std::path::PathBuf| Path::is_file(&file))
}
