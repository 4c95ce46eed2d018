//! The lock: taken over from the dead with a notice, from nobody else; given back when a signal comes.

use std::process::{Child, Stdio};

use crate::sandbox::Sandbox;

fn managed() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\n");
    sandbox.commit("notes.txt", "0\n");
    sandbox
}

/// Host and boot as git-ar writes them into a lock, seen from a hook while it holds one.
fn own_lock(sandbox: &Sandbox) -> serde_json::Value {
    hook(sandbox, "#!/bin/sh\ncp .git/ar/lock ../lock-seen\nexit 1\n");
    sandbox.run("project new Nobody");
    std::fs::remove_file(sandbox.top().join(".git/hooks/pre-commit")).unwrap();
    let text = std::fs::read_to_string(sandbox.top().join("../lock-seen")).unwrap();
    serde_json::from_str(text.lines().next().unwrap()).unwrap()
}

fn hook(sandbox: &Sandbox, text: &str) {
    let place = sandbox.top().join(".git/hooks/pre-commit");
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::write(&place, text).unwrap();
    std::fs::set_permissions(&place, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

/// The id of a process that has just ended.
fn dead() -> u32 {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    child.id()
}

#[test]
fn the_lock_of_a_dead_process_of_this_boot_is_taken_over_with_a_notice() {
    let sandbox = managed();
    let mut lock = own_lock(&sandbox);
    lock["pid"] = dead().into();
    lock["doing"] = "phase next".into();
    sandbox.write(".git/ar/lock", &format!("{lock}\n"));
    let said = sandbox.run("doctor");
    assert!(said.contains("the lock of process") && said.contains("git ar doctor --fix"), "{said}");
    let said = sandbox.run("project new Nets");
    assert!(said.contains(&format!("note: process {} (phase next) ended and left its lock", lock["pid"])), "{said}");
    assert!(said.contains("committed") && !said.contains("[exit"), "{said}");
    assert!(!sandbox.top().join(".git/ar/lock").exists());
}

#[test]
fn a_lock_of_another_host_another_boot_or_a_pid_in_use_is_never_broken() {
    let sandbox = managed();
    let own = own_lock(&sandbox);
    let foreign: [(&str, serde_json::Value); 2] = [("host", "elsewhere".into()), ("boot", "another boot".into())];
    for (field, value) in foreign {
        let mut lock = own.clone();
        lock["pid"] = dead().into();
        lock[field] = value;
        let text = format!("{lock}\n");
        sandbox.write(".git/ar/lock", &text);
        let said = sandbox.run("project new Nets");
        let holder = format!("process {} on {}", lock["pid"], lock["host"].as_str().unwrap());
        assert!(said.contains(&holder) && said.contains(" since ") && said.contains("[exit 8]"), "{said}");
        assert!(said.contains("ps -p") && !said.contains("rm "), "{said}");
        sandbox.run("doctor --fix");
        assert_eq!(sandbox.read(".git/ar/lock"), text);
    }
    // The pid runs, as another program: nobody can know that it is not git-ar. Waited for, then told.
    let mut lock = own;
    lock["pid"] = std::process::id().into();
    let text = format!("{lock}\n");
    sandbox.write(".git/ar/lock", &text);
    let mut waiting = start(&sandbox, "project new Nets");
    stop(&sandbox, &waiting, "TERM");
    // Nothing is held while it waits, so the signal may end it as it ends any program.
    let status = waiting.wait().unwrap();
    assert!(status.code() == Some(143) || std::os::unix::process::ExitStatusExt::signal(&status) == Some(15));
    assert_eq!(sandbox.read(".git/ar/lock"), text);
}

#[test]
fn locks_of_git_are_named_and_never_removed() {
    let sandbox = managed();
    for name in ["index.lock", "HEAD.lock", "refs/heads/develop.lock"] {
        sandbox.write(&format!(".git/{name}"), "");
        let said = sandbox.run("project new Nets");
        assert!(said.contains(name) && said.contains("[exit 8]"), "{name}: {said}");
        let said = sandbox.run("doctor --fix");
        assert!(said.contains(name) && said.contains("remove that file by hand"), "{said}");
        assert!(sandbox.top().join(".git").join(name).exists());
        assert!(!sandbox.top().join("projects").exists(), "{name}");
        std::fs::remove_file(sandbox.top().join(".git").join(name)).unwrap();
    }
    assert!(sandbox.run("project new Nets").contains("committed"));
}

fn start(sandbox: &Sandbox, words: &str) -> Child {
    use std::os::unix::process::CommandExt as _;
    let mut command = sandbox.command(sandbox.top(), env!("CARGO_BIN_EXE_git-ar"));
    command.args(crate::sandbox::split(words)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.process_group(0).spawn().unwrap()
}

/// Sends a signal as soon as the process listens to it.
fn stop(sandbox: &Sandbox, child: &Child, signal: &str) {
    let caught = |status: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or_default();
        u64::from_str_radix(line.trim(), 16).is_ok_and(|mask| mask & (1 << 14) != 0)
    };
    let place = format!("/proc/{}/status", child.id());
    while !std::fs::read_to_string(&place).is_ok_and(|status| caught(&status)) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    sandbox.sh(sandbox.top(), &format!("kill -{signal} {}", child.id()));
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_lets_a_change_end_and_gives_the_lock_back() {
    let sandbox = managed();
    // The hook runs as part of the commit, and the signal reaches git-ar alone.
    hook(&sandbox, "#!/bin/sh\nread -r _ _ _ ar _ </proc/$PPID/stat\nkill -TERM \"$ar\"\n");
    let status = start(&sandbox, "project new Nets").wait().unwrap();
    assert_eq!(status.code(), Some(143));
    assert!(!sandbox.top().join(".git/ar/lock").exists());
    assert!(sandbox.git("log -1 --format=%s").contains("nets") && sandbox.git("status --porcelain").is_empty());
    // As Ctrl-C does: everything in the foreground gets it, git too.
    hook(&sandbox, "#!/bin/sh\nread -r _ _ _ _ group _ </proc/$PPID/stat\nkill -INT -\"$group\"\nsleep 5\n");
    let status = start(&sandbox, "project new Trees").wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(!sandbox.top().join(".git/ar/lock").exists() && !sandbox.top().join("projects/trees").exists());
    std::fs::remove_file(sandbox.top().join(".git/hooks/pre-commit")).unwrap();
    assert!(sandbox.run("project new Trees").contains("committed"));
    assert!(sandbox.git("status --porcelain").is_empty());
}
