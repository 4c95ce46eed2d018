//! Disks that are really full or read-only, and the order in which a file is really written: by the kernel's word. Where
//! the system does not let a test mount a disk of its own or look at system calls, `cargo xtask test` says so.

use std::process::Command;

use crate::judge::only_run;
use crate::places;
use crate::sandbox::{Sandbox, split};

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

/// A verb that moves files is refused by a hook, where the work tree lies on another disk than git's folder.
const ON_TWO_DISKS: &str = r#"
set -e
mkdir disk
mount -t tmpfs none disk
cp -a repo disk/repo
mv disk/repo/.git away
echo "gitdir: $PWD/away" >disk/repo/.git
cd disk/repo
chmod 600 projects/anp/iterations/1-wider/*
mkdir -p "$HOME/away/hooks"
printf '#!/bin/sh\nexit 1\n' >"$HOME/away/hooks/pre-commit"
chmod +x "$HOME/away/hooks/pre-commit"
seen() { find . -name .git -prune -o -type f -printf '%m ' -exec sha256sum {} \; | sort; git status --porcelain; }
seen >../../before
git-ar iter renumber anp/1 4 >../../said 2>&1 && exit 1
seen >../../after
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
fn where_git_lies_on_another_disk_a_refusal_gives_bytes_and_modes_back() {
    if !permitted("unshare", &["-rm", "true"]) {
        eprintln!("skipped: `unshare -rm` is not permitted here, so no disk can be mounted");
        return;
    }
    let sandbox = lab();
    assert!(sandbox.run("iter new anp wider").contains("committed"));
    let output = sandbox.output(sandbox.home(), "unshare", &["-rm", "sh", "-c", ON_TWO_DISKS].map(String::from), b"");
    let file = |name: &str| std::fs::read_to_string(sandbox.home().join(name)).unwrap_or_default();
    assert!(output.status.success(), "{}\n{}", sandbox.shown(&output), file("said"));
    assert!(
        file("before").contains("600 ") && file("said").contains("git did not make the commit"),
        "{}",
        file("said")
    );
    assert_eq!(file("after"), file("before"), "{}", file("said"));
}

/// The calls to the system of a command that succeeds, a line each; nothing where they cannot be looked at.
#[allow(clippy::print_stderr, reason = "a test that cannot run says so")]
fn calls(sandbox: &Sandbox, words: &str) -> Option<String> {
    if !permitted("strace", &["-o", "/dev/null", "true"]) {
        eprintln!("skipped: strace is missing or not permitted here");
        return None;
    }
    let list = sandbox.home().join("calls");
    let shown = list.to_string_lossy().into_owned();
    let calls = "trace=openat,write,fsync,fdatasync,rename,renameat,renameat2,execve";
    let mut arguments =
        ["-f", "-y", "-s", "160", "-e", calls, "-o", &shown, env!("CARGO_BIN_EXE_git-ar")].map(String::from).to_vec();
    arguments.extend(split(words));
    let output = sandbox.output(sandbox.top(), "strace", &arguments, b"");
    assert!(output.status.success(), "{}", sandbox.shown(&output));
    Some(std::fs::read_to_string(list).unwrap())
}

#[test]
fn the_intent_is_on_the_disk_before_the_scheduler_is_asked() {
    let submitted = places::pushed_code();
    let given_up = places::given_up();
    let again = format!("job resubmit {}", only_run(&given_up));
    let submit = "run submit mlp --seeds 0-1 --seeds-as sequence --cluster lab";
    for (sandbox, words) in [(submitted, submit), (given_up, &*again)] {
        let Some(text) = calls(&sandbox, words) else { return };
        let lines: Vec<&str> = text.lines().collect();
        let journal = |call: &str, what: &str, line: &str| {
            line.contains(call) && line.contains("/ar/journal.ndjson>") && line.contains(what)
        };
        let first = |from: usize, is: &dyn Fn(&str) -> bool| {
            let found = lines[from..].iter().position(|line| is(line)).map(|at| at + from);
            found.unwrap_or_else(|| panic!("git ar {words}\n{text}"))
        };
        let step = |word: &str| format!("\\\"step\\\":\\\"{word}\\\"");
        let intent = first(0, &|line| journal("write(", &step("intent"), line));
        let durable = first(intent, &|line| journal("fsync(", "", line));
        let asked = first(0, &|line| line.contains("execve(") && line.contains("/qsub\"") && !line.contains("= -1"));
        let effect = first(asked, &|line| journal("write(", &step("effect"), line));
        let seen = first(effect, &|line| journal("fsync(", "", line));
        let committed = first(asked, &|line| line.contains("execve(") && line.contains("\"commit\""));
        assert!(intent < durable && durable < asked && seen < committed, "git ar {words}\n{text}");
    }
}

#[test]
fn a_file_is_written_synced_renamed_and_its_folder_synced_in_this_order() {
    let sandbox = lab();
    let Some(text) = calls(&sandbox, "iter new anp wider") else { return };
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
