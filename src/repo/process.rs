//! This machine and its processes, as locks and temporary files name them.

use crate::state::tree::digest;

/// The host's name.
#[must_use]
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The boot and the pid namespace, where Linux names them; empty elsewhere.
#[must_use]
pub fn boot() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!("{} {}", boot.trim(), space.display()).trim().to_string()
}

/// Eight hexadecimal digits that stand for host, boot and pid namespace together: where they are the same, the same
/// pid is the same process or one that came after it.
#[must_use]
pub fn machine() -> String {
    digest(format!("{}\n{}", host(), boot()).as_bytes())[..8].to_string()
}

/// Whether a process with this id runs here.
#[must_use]
pub fn runs(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else { return false };
    !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}
