//! The same verdict on every road and in every shape of repository, with git's own settings honoured.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::sandbox::Sandbox;

const GOOD: &str = "schema: 1\ntitle: T\nquestion: Q\n";
const BAD: &str = "schema: 1\ntitel: T\n";
const FILE: &str = "projects/p/project.yaml";

/// A managed repository with hooks and one project.
fn managed() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: reference\n");
    sandbox.write(FILE, GOOD);
    sandbox.git("add -A");
    sandbox.git("commit -q -m start");
    sandbox.run("hook install");
    sandbox
}

fn refuses(sandbox: &Sandbox, folder: &Path, line: &str) {
    let said = sandbox.sh(folder, line);
    assert!(said.contains("unknown key `titel`") && said.contains("[exit"), "{line}: {said}");
}

#[test]
fn amend_patches_and_a_foreign_git_dir_get_the_same_verdict() {
    let sandbox = managed();
    let (top, head) = (sandbox.top(), sandbox.git("rev-parse HEAD"));
    sandbox.write(FILE, BAD);
    refuses(&sandbox, top, "git commit -q -a --amend --no-edit");
    refuses(&sandbox, top, "yes | git commit -q -p -m x");
    sandbox.git("init -q ../elsewhere");
    refuses(
        &sandbox,
        &top.parent().unwrap().join("elsewhere"),
        &format!("GIT_DIR={0}/.git GIT_WORK_TREE={0} git commit -q -a -m x", top.display()),
    );
    assert_eq!(sandbox.git("rev-parse HEAD"), head);
}

#[test]
fn a_repository_that_is_a_submodule_is_checked_like_any_other() {
    let sandbox = managed();
    let outer = Sandbox::repository();
    outer.git(&format!("-c protocol.file.allow=always submodule add -q {} sub", sandbox.top().display()));
    let sub = outer.top().join("sub");
    assert!(outer.run_in(&sub, "hook install").contains("installed"));
    std::fs::write(sub.join(FILE), BAD).unwrap();
    refuses(&outer, &sub, "git commit -q -a -m x");
    outer.sh(&sub, "git checkout -q -- .");
    assert!(outer.run_in(&sub, "project new Nets").contains("committed"));
    assert!(outer.try_git(&sub, "status --porcelain").is_empty());
}

#[test]
fn commits_of_verbs_are_signed_where_the_person_signs() {
    let sandbox = managed();
    let gpg = sandbox.home().join("gpg");
    let script = "#!/bin/sh\ncat >/dev/null\necho '[GNUPG:] SIG_CREATED D 1 2 00 0 AB' >&2\nprintf -- '-----BEGIN PGP SIGNATURE-----\\n\\nsigned\\n-----END PGP SIGNATURE-----\\n'\n";
    std::fs::write(&gpg, script).unwrap();
    std::fs::set_permissions(&gpg, std::fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.git("config commit.gpgSign true");
    sandbox.git(&format!("config gpg.program {}", gpg.display()));
    sandbox.git("config user.signingKey AB");
    assert!(sandbox.run("start nets --project p").contains("committed"));
    assert!(sandbox.git("cat-file commit HEAD").contains("gpgsig -----BEGIN PGP SIGNATURE-----"));
}

#[test]
fn a_partial_clone_works_or_says_what_is_missing() {
    let sandbox = managed();
    sandbox.run("start nets --project p");
    sandbox.git("config uploadpack.allowFilter true");
    sandbox.git(&format!("clone -q --filter=blob:none file://{} ../partial", sandbox.top().display()));
    let partial = sandbox.top().parent().unwrap().join("partial");
    for verb in ["status", "check", "check --tree HEAD", "hook install", "phase show", "check --range HEAD~1..HEAD"] {
        let said = sandbox.run_in(&partial, verb);
        assert!(!said.contains("panicked"), "{verb}: {said}");
        assert!(!said.contains("[exit") || said.contains("partial clone"), "{verb}: {said}");
    }
    assert!(sandbox.run_in(&partial, "project new Trees").contains("committed"));
}

#[test]
fn line_ends_of_another_system_are_no_change() {
    let sandbox = managed();
    sandbox.git("config core.autocrlf true");
    std::fs::remove_file(sandbox.top().join(FILE)).unwrap();
    sandbox.git("checkout -q -- .");
    assert!(sandbox.read(FILE).contains("\r\n"));
    assert!(sandbox.run("check").contains("in order"));
    assert!(sandbox.run("start nets --project p").contains("committed"));
    assert!(sandbox.git("status --porcelain").is_empty());
    assert!(!sandbox.git("show HEAD:projects/p/iterations/1-nets/iteration.yaml").contains('\r'));
}

/// Git's own ways to set something for one command, one work tree or one folder: honoured by what git-ar starts and by what
/// it reads. Only `git -c` reaches no further than the git that git-ar starts.
#[test]
fn settings_of_git_count_wherever_they_stand() {
    let sandbox = managed();
    sandbox.commit("configs/ar.yaml", "schema: 1\ntrainer: [sh, train.sh]\n");
    let list = sandbox.ar(&["trust", "--list", "--json"]);
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    let digest = list["data"]["items"][0]["digest"].as_str().unwrap().to_string();
    let trusted = |line: &str| sandbox.sh(sandbox.top(), &format!("{line} --list")).starts_with("trusted");
    assert!(!trusted("git-ar trust"));
    let by_variables = format!("GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=ar.trusted GIT_CONFIG_VALUE_0={digest}");
    assert!(trusted(&format!("{by_variables} git-ar trust")));
    assert!(!trusted(&format!("git -c ar.trusted={digest} ar trust")));
    sandbox.git("config extensions.worktreeConfig true");
    sandbox.git(&format!("config --worktree ar.trusted {digest}"));
    assert!(trusted("git-ar trust"));
    sandbox.git("config --worktree --unset ar.trusted");
    assert!(!trusted("git-ar trust"));
    std::fs::write(sandbox.home().join("included"), format!("[ar]\n\ttrusted = {digest}\n")).unwrap();
    let folder = sandbox.top().join(".git").canonicalize().unwrap();
    sandbox.git(&format!("config includeIf.gitdir:{}.path {}/included", folder.display(), sandbox.home().display()));
    assert!(trusted("git-ar trust"));
    sandbox.git(&format!("config --unset includeIf.gitdir:{}.path", folder.display()));
    // The git that commits is told each of them.
    for (name, line) in [
        ("A", "git -c user.name=A -c user.email=a@example.org ar"),
        ("B", "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=user.name GIT_CONFIG_VALUE_0=B git-ar"),
    ] {
        let plain = "unset GIT_AUTHOR_NAME GIT_COMMITTER_NAME;";
        let said = sandbox.sh(sandbox.top(), &format!("{plain} {line} project new \"Of {name}\""));
        assert!(said.contains("committed"), "{said}");
        assert_eq!(sandbox.git("log -1 --format=%an").trim(), name);
    }
}
