//! How verbs write: exactly their own files in one commit, or nothing at all; one at a time, and none lost.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use crate::sandbox::Sandbox;

fn managed() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\n");
    sandbox.commit("notes.txt", "0\n");
    sandbox.commit("notes.txt", "1\n");
    sandbox
}

/// Every file outside `.git` with its bytes.
fn work_tree(sandbox: &Sandbox) -> Vec<(PathBuf, Vec<u8>)> {
    let walk = walkdir::WalkDir::new(sandbox.top()).sort_by_file_name().into_iter();
    let walk = walk.filter_entry(|e| e.file_name() != ".git").map(Result::unwrap);
    let files = walk.filter(|e| e.file_type().is_file());
    files.map(|e| (e.path().to_path_buf(), std::fs::read(e.path()).unwrap())).collect()
}

fn hook(sandbox: &Sandbox, text: &str) {
    let place = sandbox.top().join(".git/hooks/pre-commit");
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::write(&place, text).unwrap();
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_verb_commits_exactly_its_own_files_with_trailers() {
    let sandbox = managed();
    sandbox.write("staged.txt", "somebody is at work\n");
    sandbox.git("add staged.txt");
    sandbox.write("notes.txt", "edited\n");
    let before = sandbox.git("status --porcelain");
    assert!(sandbox.run("project new Nets").contains("committed"));
    assert_eq!(sandbox.git("status --porcelain"), before);
    let files = sandbox.git("show --format= --name-only HEAD");
    assert!(files.lines().all(|path| path.starts_with("projects/nets/")) && !files.is_empty(), "{files}");
    let trailers = sandbox.git("log -1 --format=%(trailers:key=AR-Project,valueonly)");
    assert_eq!(trailers.trim(), "nets");
}

#[test]
fn a_refused_commit_leaves_files_and_index_as_they_were() {
    let sandbox = managed();
    sandbox.write("staged.txt", "x\n");
    sandbox.git("add staged.txt");
    let (files, status, index) = (work_tree(&sandbox), sandbox.git("status --porcelain"), sandbox.git("ls-files -s"));
    hook(&sandbox, "#!/bin/sh\necho 'not today' >&2\nexit 1\n");
    let said = sandbox.run("project new Nets");
    assert!(said.contains("not today") && said.contains("[exit 4]"), "{said}");
    assert_eq!(work_tree(&sandbox), files);
    assert_eq!((sandbox.git("status --porcelain"), sandbox.git("ls-files -s")), (status, index));
}

#[test]
fn on_an_unborn_branch_too() {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\n");
    hook(&sandbox, "#!/bin/sh\nexit 1\n");
    let said = sandbox.run("project new Nets");
    assert!(said.contains("[exit 4]"), "{said}");
    assert_eq!(sandbox.git("ls-files"), "");
    std::fs::remove_file(sandbox.top().join(".git/hooks/pre-commit")).unwrap();
    assert!(sandbox.run("project new Nets").contains("committed"));
}

#[test]
fn no_commit_leaves_the_change_staged() {
    let sandbox = managed();
    let said = sandbox.run("project new Nets --no-commit");
    assert!(!said.contains("[exit"), "{said}");
    assert!(sandbox.git("status --porcelain").lines().all(|line| line.starts_with("A  projects/nets/")));
}

#[test]
fn in_the_middle_of_a_merge_nothing_is_recorded() {
    let sandbox = managed();
    sandbox.git("checkout -q -b side");
    sandbox.commit("notes.txt", "theirs\n");
    sandbox.git("checkout -q develop");
    sandbox.commit("notes.txt", "ours\n");
    sandbox.try_git(sandbox.top(), "merge side");
    let (files, status) = (work_tree(&sandbox), sandbox.git("status --porcelain"));
    let said = sandbox.run("project new Nets");
    assert!(said.contains("in the middle of a merge") && said.contains("[exit 4]"), "{said}");
    assert_eq!((work_tree(&sandbox), sandbox.git("status --porcelain")), (files, status));
}

#[test]
fn an_ignored_place_and_awkward_settings_do_not_stop_a_record() {
    let sandbox = managed();
    sandbox.write(".git/info/exclude", "projects/\n*.yaml\n");
    for setting in ["core.autocrlf true", "commit.template /nowhere", "commit.cleanup strip", "commit.verbose true"] {
        sandbox.git(&format!("config {setting}"));
    }
    let said = sandbox.run("project new \"# Nets\" --slug nets");
    assert!(said.contains("committed"), "{said}");
    assert!(!sandbox.git("show HEAD:projects/nets/project.yaml").contains('\r'));
}

#[test]
fn from_a_linked_worktree_and_with_git_dir_exported() {
    let sandbox = managed();
    sandbox.git("worktree add -q ../other");
    let other = sandbox.top().parent().unwrap().join("other");
    assert!(sandbox.run_in(&other, "project new Nets").contains("committed"));
    assert_eq!(sandbox.try_git(&other, "log -1 --format=%D"), "HEAD -> other\n");
    let line = "cd configs && GIT_DIR=../.git GIT_WORK_TREE=.. git-ar project new Trees";
    let said = sandbox.sh(sandbox.top(), line);
    assert!(said.contains("committed"), "{said}");
    assert!(sandbox.git("ls-tree -r --name-only develop").contains("projects/trees/project.yaml"));
}

#[test]
fn a_lock_that_is_held_or_left_over() {
    let sandbox = managed();
    sandbox.write(".git/index.lock", "");
    let said = sandbox.run("project new Nets");
    assert!(said.contains("index.lock") && said.contains("[exit 8]"), "{said}");
    assert!(sandbox.top().join(".git/index.lock").exists() && !sandbox.top().join("projects").exists());
    std::fs::remove_file(sandbox.top().join(".git/index.lock")).unwrap();
    let foreign = "{\"host\":\"elsewhere\",\"boot\":\"b\",\"pid\":1,\"doing\":\"tick\"}\n";
    sandbox.write(".git/ar/lock", foreign);
    let said = sandbox.run("project new Nets");
    assert!(said.contains("process 1 on elsewhere") && said.contains("[exit 8]"), "{said}");
    assert_eq!(sandbox.read(".git/ar/lock"), foreign);
}

#[test]
#[cfg(target_os = "linux")]
fn what_a_killed_command_left_is_taken_back_by_the_next() {
    let sandbox = managed();
    sandbox.run("project new Old");
    let status = sandbox.git("status --porcelain");
    // The hook kills the command while git waits for the hook, which then refuses.
    hook(&sandbox, "#!/bin/sh\nread -r _ _ _ ar _ </proc/$PPID/stat\nkill -9 \"$ar\"\nexit 1\n");
    assert!(sandbox.run("project new Nets").contains("[killed]"));
    for _ in 0..500 {
        if !sandbox.top().join(".git/index.lock").exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(sandbox.git("status --porcelain").contains("projects/nets"));
    std::fs::remove_file(sandbox.top().join(".git/hooks/pre-commit")).unwrap();
    let said = sandbox.run("project list");
    assert!(said.contains("taken back: projects/nets/project.yaml") && !said.contains("[exit"), "{said}");
    assert_eq!(sandbox.git("status --porcelain"), status);
    assert!(sandbox.run("project new Nets").contains("committed"));
    assert_eq!(std::fs::read_dir(sandbox.top().join(".git/ar")).unwrap().count(), 0);
}

#[test]
fn processes_at_once_lose_no_record() {
    const MANY: usize = 12;
    let sandbox = managed();
    let start = |number: usize| {
        let mut command = sandbox.command(sandbox.top(), env!("CARGO_BIN_EXE_git-ar"));
        command.args(["project", "new", &format!("P{number}")]).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..MANY).map(start).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", sandbox.shown(&output));
    }
    let listed = sandbox.git("ls-tree --name-only HEAD projects/");
    assert_eq!(listed.lines().count(), MANY, "{listed}");
    assert_eq!(sandbox.git("rev-list --count HEAD").trim(), (MANY + 2).to_string());
    assert!(sandbox.git("status --porcelain").is_empty() && !sandbox.top().join(".git/ar/lock").exists());
}

/// The lines of git's starts that a command tells with `GIT_AR_TRACE=git`.
fn spawns(sandbox: &Sandbox, words: &str) -> Vec<String> {
    let line = format!("GIT_AR_TRACE=git git-ar {words} 2>&1 >/dev/null");
    let said = sandbox.sh(sandbox.top(), &line);
    assert!(!said.contains("[exit"), "{said}");
    said.lines().filter_map(|line| line.strip_prefix("trace: git ")).map(String::from).collect()
}

#[test]
fn few_processes_are_started_and_none_by_what_only_reads() {
    let sandbox = managed();
    for words in ["hook run pre-commit", "check --staged", "check --range HEAD~1..HEAD", "check --tree HEAD"] {
        assert_eq!(spawns(&sandbox, words), Vec::<String>::new(), "{words}");
    }
    sandbox.run("start \"small nets\"");
    for words in ["status", "phase show", "project list"] {
        assert_eq!(spawns(&sandbox, words), Vec::<String>::new(), "{words}");
    }
    let made = spawns(&sandbox, "project new Nets");
    assert!(made.len() == 2 && made[0].starts_with("add") && made[1].starts_with("commit"), "{made:?}");
}

#[test]
fn of_two_steps_at_once_one_is_taken_and_the_other_told() {
    let sandbox = managed();
    sandbox.run("start \"small nets\"");
    let start = |reason: &str| {
        let mut command = sandbox.command(sandbox.top(), env!("CARGO_BIN_EXE_git-ar"));
        command.args(["iter", "abandon", "1", "--reason", reason]).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let both = [start("too wide"), start("too deep")].map(|child| child.wait_with_output().unwrap());
    let taken = both.iter().filter(|output| output.status.success()).count();
    let said = both.each_ref().map(|output| sandbox.shown(output)).concat();
    assert_eq!(taken, 1, "{said}");
    assert_eq!(sandbox.git("log --oneline").lines().count(), 4, "{said}");
    assert!(sandbox.git("status --porcelain").is_empty());
}

#[test]
fn an_index_that_could_not_be_put_back_is_put_back_by_the_next_command() {
    let sandbox = managed();
    let (files, index) = (work_tree(&sandbox), sandbox.git("ls-files -s"));
    // What a full disk does in the middle of a commit: the index cannot be written any more.
    hook(&sandbox, "#!/bin/sh\nrm -f .git/index.lock\nmkdir .git/index.lock\nexit 1\n");
    let said = sandbox.run("project new Nets");
    assert!(said.contains("[exit 8]"), "{said}");
    assert_eq!(work_tree(&sandbox), files);
    std::fs::remove_dir(sandbox.top().join(".git/index.lock")).unwrap();
    std::fs::remove_file(sandbox.top().join(".git/hooks/pre-commit")).unwrap();
    sandbox.run("status");
    assert_eq!((work_tree(&sandbox), sandbox.git("ls-files -s")), (files, index));
    assert!(sandbox.run("project new Nets").contains("committed"));
}
