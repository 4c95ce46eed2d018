//! Beside the real hook managers: their own hook runs, what is wrong is refused, and nothing of theirs changes.
//!
//! `cargo xtask test` fetches them (`cargo xtask hook-managers` alone does too).

use std::path::{Path, PathBuf};

use crate::sandbox::Sandbox;

/// The folder with the managers, where they were fetched.
#[allow(clippy::print_stderr, reason = "a test that cannot run says so")]
fn managers() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = || set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let folder = set("GIT_AR_HOOK_MANAGERS").or_else(|| Some(cache()?.join("git-ar/hook-managers-1")));
    let folder = folder.filter(|folder| folder.join("bin/pre-commit").is_file());
    if folder.is_none() {
        assert!(std::env::var("CI").is_err(), "CI must have the hook managers: cargo xtask hook-managers");
        eprintln!("skipped: the hook managers were not fetched; cargo xtask hook-managers");
    }
    folder
}

/// A managed repository in which the managers are found.
fn lab(folder: &Path) -> Sandbox {
    let bin = Path::new(env!("CARGO_BIN_EXE_git-ar")).parent().unwrap();
    let path = format!("{}:{}:/usr/local/bin:/usr/bin:/bin", bin.display(), folder.join("bin").display());
    let sandbox = Sandbox::repository().with_env("PATH", &path);
    let sandbox = sandbox.with_env("PYTHONPATH", &folder.join("python").to_string_lossy());
    sandbox.write("configs/ar.yaml", "schema: 1\n");
    sandbox.git("add -A");
    sandbox.git("commit -q -m start");
    sandbox
}

/// Every file of the hooks' folders and git's configuration, with its bytes.
fn picture(sandbox: &Sandbox) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for part in [".git/hooks", ".git/config", ".git/info", ".husky"] {
        let walk = walkdir::WalkDir::new(sandbox.top().join(part)).sort_by_file_name().into_iter().flatten();
        let ours = |entry: &walkdir::DirEntry| !entry.file_name().to_string_lossy().ends_with(".sample");
        let files = walk.filter(|entry| entry.file_type().is_file()).filter(ours);
        found.extend(files.map(|entry| (entry.path().to_path_buf(), std::fs::read_to_string(entry.path()).unwrap())));
    }
    found
}

/// The manager's own hook runs, good state passes, bad state is refused; at a push too.
fn works(sandbox: &Sandbox) {
    let good = "schema: 1\ntitle: T\nquestion: Q\n";
    sandbox.write("projects/p/project.yaml", good);
    sandbox.git("add -A");
    let said = sandbox.try_git(sandbox.top(), "commit -m good");
    assert!(said.contains("mine-ran") && !said.contains("[exit"), "{said}");
    sandbox.write("projects/p/project.yaml", "schema: 1\ntitel: T\n");
    sandbox.git("add -A");
    let said = sandbox.try_git(sandbox.top(), "commit -m bad");
    assert!(said.contains("unknown key `titel`") && said.contains("[exit 1]"), "{said}");
    sandbox.git("commit -q --no-verify -m bad");
    sandbox.write("projects/p/project.yaml", good);
    sandbox.git("add -A");
    sandbox.git("commit -q --no-verify -m mended");
    sandbox.git("init -q --bare -b develop ../remote.git");
    sandbox.git("remote add origin ../remote.git");
    let said = sandbox.try_git(sandbox.top(), "push origin develop");
    assert!(said.contains("unknown key `titel`") && said.contains("[exit 1]"), "{said}");
    sandbox.git("reset -q --hard HEAD~2");
    let said = sandbox.try_git(sandbox.top(), "push origin develop");
    assert!(!said.contains("[exit"), "{said}");
}

/// `hook install` adds what is the clone's own, twice the same, and gives every byte back.
fn goes_in_and_out(sandbox: &Sandbox) {
    let before = picture(sandbox);
    let said = sandbox.run("hook install");
    assert!(said.contains("called by the hook manager") && !said.contains("[exit"), "{said}");
    let installed = picture(sandbox);
    assert!(!sandbox.run("hook install").contains("[exit"));
    assert_eq!(picture(sandbox), installed);
    assert!(!sandbox.run("hook status").contains("[exit"));
    sandbox.run("hook uninstall");
    assert_eq!(picture(sandbox), before);
}

/// Told what to add to the manager's configuration; nothing was changed.
fn told(sandbox: &Sandbox) -> String {
    let before = picture(sandbox);
    let said = sandbox.run("hook install");
    assert!(said.contains("add to its configuration") && said.contains("[exit 4]"), "{said}");
    assert_eq!(picture(sandbox), before);
    let lines = said.split("add to its configuration:\n").nth(1).unwrap();
    lines.lines().filter(|line| !line.starts_with('[')).map(|line| format!("{line}\n")).collect()
}

const MINE: &str = "repos:\n  - repo: local\n    hooks:\n      - {id: mine, name: mine, entry: echo mine-ran, language: system, verbose: true, pass_filenames: false, always_run: true}\n";

#[test]
fn beside_pre_commit() {
    let Some(folder) = managers() else { return };
    let sandbox = lab(&folder);
    let install = "pre-commit install -t pre-commit -t pre-merge-commit -t pre-push";
    sandbox.write(".pre-commit-config.yaml", MINE);
    assert!(sandbox.sh(sandbox.top(), install).contains("installed at"));
    let lines = told(&sandbox);
    sandbox.write(".pre-commit-config.yaml", &format!("{MINE}{lines}"));
    sandbox.git("add -A");
    works(&sandbox);
    goes_in_and_out(&sandbox);
}

#[test]
fn pre_commit_takes_the_hooks_of_this_repository_and_keeps_ours_when_it_comes_later() {
    let Some(folder) = managers() else { return };
    let sandbox = lab(&folder);
    let ours = sandbox.top().parent().unwrap().join("ours");
    std::fs::create_dir(&ours).unwrap();
    std::fs::copy(
        Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml"),
        ours.join(".pre-commit-hooks.yaml"),
    )
    .unwrap();
    sandbox.sh(&ours, "git init -q . && git add -A && git commit -q -m hooks");
    let rev = sandbox.try_git(&ours, "rev-parse HEAD");
    let named = format!(
        "  - repo: {}\n    rev: {}\n    hooks:\n      - id: git-ar\n      - id: git-ar-push\n",
        ours.display(),
        rev.trim()
    );
    sandbox.write(".pre-commit-config.yaml", &format!("{MINE}{named}"));
    let said = sandbox.sh(sandbox.top(), "pre-commit install -t pre-commit -t pre-merge-commit -t pre-push");
    assert!(said.contains("installed at"), "{said}");
    sandbox.git("add -A");
    works(&sandbox);
    goes_in_and_out(&sandbox);

    // Installed after git-ar it puts our hook aside and runs it all the same.
    let sandbox = lab(&folder);
    let before = picture(&sandbox);
    sandbox.run("hook install");
    sandbox.write(".pre-commit-config.yaml", MINE);
    assert!(
        sandbox
            .sh(sandbox.top(), "pre-commit install -t pre-commit -t pre-merge-commit -t pre-push")
            .contains("legacy")
    );
    assert!(!sandbox.run("hook status").contains("[exit"));
    sandbox.git("add -A");
    works(&sandbox);
    sandbox.run("hook uninstall");
    let said = sandbox.sh(sandbox.top(), "pre-commit uninstall -t pre-commit -t pre-merge-commit -t pre-push");
    assert!(!said.contains("[exit"), "{said}");
    let hooks =
        |files: Vec<(PathBuf, String)>| files.into_iter().filter(|file| file.0.to_string_lossy().contains("/hooks/"));
    assert_eq!(hooks(picture(&sandbox)).collect::<Vec<_>>(), hooks(before).collect::<Vec<_>>());
}

#[test]
fn beside_lefthook() {
    let Some(folder) = managers() else { return };
    let sandbox = lab(&folder);
    let mine = "pre-commit:\n  commands:\n    mine:\n      run: echo mine-ran\n";
    sandbox.write("lefthook.yml", mine);
    let said = sandbox.sh(sandbox.top(), "lefthook install");
    assert!(said.contains("sync hooks"), "{said}");
    let lines = told(&sandbox);
    // A key is there once in a YAML file: ours go under the `commands:` that are there.
    let (_, lines) = lines.split_once("  commands:\n").unwrap();
    sandbox.write("lefthook.yml", &format!("{mine}{lines}"));
    let said = sandbox.sh(sandbox.top(), "lefthook install");
    assert!(said.contains("pre-push"), "{said}");
    sandbox.git("add -A");
    works(&sandbox);
    goes_in_and_out(&sandbox);
}

#[test]
fn beside_husky() {
    let Some(folder) = managers() else { return };
    let sandbox = lab(&folder);
    let said = sandbox.sh(sandbox.top(), "husky");
    assert!(!said.contains("[exit"), "{said}");
    sandbox.write(".husky/pre-commit", "echo mine-ran\n");
    let lines = told(&sandbox);
    for part in lines.split("# .husky/").skip(1) {
        let (name, line) = part.split_once('\n').unwrap();
        let file = format!(".husky/{name}");
        let old = std::fs::read_to_string(sandbox.top().join(&file)).unwrap_or_default();
        sandbox.write(&file, &(old + line));
    }
    sandbox.git("add -A");
    works(&sandbox);
    goes_in_and_out(&sandbox);
}
