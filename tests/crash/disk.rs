//! Disks that are really full or read-only, and the order in which a file is really written: by the kernel's word. Where
//! the system does not let a test mount a disk of its own or look at system calls, `cargo xtask test` says so.

use std::process::Command;

use crate::sandbox::Sandbox;

/// Runs a verb on a small disk, then makes room and repeats it; `$1` is the free space in KiB, or `ro`.
const ON_A_SMALL_DISK: &str = r#"
set -e
mkdir disk
mount -t tmpfs -o size=3m none disk
cp -a repo disk/repo
cd disk/repo
seen() { find . -path ./.git -prune -o -type f -print | sort | xargs sha256sum; git rev-parse HEAD; git ls-files -s; }
seen >../../before
if [ "$1" = ro ]; then
    mount -o remount,ro ..
else
    free=$(df -k . | tail -n 1 | awk '{ print $4 }')
    dd if=/dev/zero of=../filler bs=1k count=$((free - $1)) 2>/dev/null
fi
git-ar iter new anp wider >../../said 2>&1 && echo 0 >../../code || echo $? >../../code
seen >../../after
if [ "$1" = ro ]; then mount -o remount,rw ..; else rm ../filler; fi
git-ar doctor --fix >../../fixed 2>&1
find . -name '.git-ar-tmp-*' >../../litter
[ "$(cat ../../code)" = 0 ] || git-ar iter new anp wider >../../again 2>&1
git status --porcelain >../../status
git fsck --no-dangling >../../fsck 2>&1
"#;

fn permitted(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn lab() -> Sandbox {
    let sandbox = Sandbox::repository();
    // A hook of samples would fill a small disk.
    let _ = std::fs::remove_dir_all(sandbox.top().join(".git/hooks"));
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: reference\n");
    sandbox.commit("projects/anp/project.yaml", "schema: 1\ntitle: Digits\nquestion: Which net?\n");
    sandbox
}

#[test]
fn a_disk_that_is_full_or_read_only_is_told_and_nothing_is_half_written() {
    if !permitted("unshare", &["-rm", "true"]) {
        eprintln!("skipped: `unshare -rm` is not permitted here, so no disk can be mounted");
        return;
    }
    let mut codes = Vec::new();
    for room in ["ro", "0", "4", "8", "12", "16", "24", "32", "40", "48", "64", "96", "128"] {
        let sandbox = lab();
        let arguments = ["-rm", "sh", "-c", ON_A_SMALL_DISK, "sh", room].map(String::from);
        let output = sandbox.output(sandbox.home(), "unshare", &arguments, b"");
        let file = |name: &str| std::fs::read_to_string(sandbox.home().join(name)).unwrap_or_default();
        let said = file("said");
        assert!(output.status.success(), "{room}: {}\n{said}{}", sandbox.shown(&output), file("again"));
        let code = file("code").trim().to_string();
        if code != "0" {
            assert_eq!((code.as_str(), file("after")), ("12", file("before")), "{room}: {said}");
            let cause = if room == "ro" { "Read-only file system" } else { "space" };
            assert!(said.contains(cause) || said.contains("git could not write"), "{room}: {said}");
        }
        let clean = [file("litter"), file("status"), file("fsck")].concat();
        assert!(clean.trim().is_empty(), "{room}: {clean}\n{said}\n{}", file("fixed"));
        codes.push(code);
    }
    assert!(codes.iter().any(|code| code == "0") && codes.iter().filter(|code| *code == "12").count() > 2, "{codes:?}");
}

#[test]
fn a_file_is_written_synced_renamed_and_its_folder_synced_in_this_order() {
    let sandbox = lab();
    let list = sandbox.home().join("calls");
    let shown = list.to_string_lossy().into_owned();
    let calls = "trace=openat,write,fsync,fdatasync,rename,renameat,renameat2,execve";
    if !permitted("strace", &["-o", "/dev/null", "true"]) {
        eprintln!("skipped: strace is missing or not permitted here");
        return;
    }
    let git_ar = env!("CARGO_BIN_EXE_git-ar");
    let arguments = ["-f", "-y", "-s", "0", "-e", calls, "-o", &shown, git_ar, "iter", "new", "anp", "wider"];
    let output = sandbox.output(sandbox.top(), "strace", &arguments.map(String::from), b"");
    assert!(output.status.success(), "{}", sandbox.shown(&output));
    let text = std::fs::read_to_string(list).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let renames: Vec<usize> =
        (0..lines.len()).filter(|n| lines[*n].contains("rename") && lines[*n].contains(".git-ar-tmp-")).collect();
    let state = renames.iter().filter(|n| lines[**n].contains("iteration.yaml")).count();
    assert!(state == 1 && renames.len() >= 2, "{text}");
    for rename in renames {
        let from = lines[rename].split('"').nth(1).unwrap();
        let before = &lines[..rename];
        let at = |what: &str| before.iter().rposition(|line| line.contains(what) && line.contains(from));
        let (written, synced) = (at("write("), at("fsync("));
        assert!(written.is_some() && written < synced, "{}", lines[rename]);
        let folder = format!("<{}>", std::path::Path::new(from).parent().unwrap().display());
        let next = lines[rename..].iter().find(|line| line.contains("fsync(") || line.contains("execve("));
        assert!(
            next.is_some_and(|line| line.contains("fsync(") && line.contains(&folder)),
            "{}\n{next:?}",
            lines[rename]
        );
    }
    // The note of what is under way is durable before the first state file is touched, and git starts after all of them.
    let renamed = |what: &str| lines.iter().position(|line| line.contains("rename") && line.contains(what));
    let git =
        lines.iter().position(|line| line.contains("execve(") && line.contains("\"git\"") || line.contains("/git\""));
    assert!(renamed("ar/unfinished\"") < renamed("iteration.yaml\""), "{text}");
    assert!(renamed("iteration.yaml\"") < git, "{text}");
}
