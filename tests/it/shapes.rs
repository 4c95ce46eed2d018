//! Every shape of repository: what `repo` reads is what git shows.

use std::path::Path;

use git_ar::repo::{After, Environment, Repo};
use git_ar::state::problem::Kind;
use git_ar::state::tree::{Tree, files};

use crate::sandbox::Sandbox;

fn open(folder: &Path) -> Repo {
    Repo::discover(folder, Environment::Ignored).unwrap()
}

/// `path id` of every file of the index as git lists it.
fn listed(sandbox: &Sandbox, folder: &Path) -> Vec<String> {
    let text = sandbox.try_git(folder, "ls-files --stage");
    let line = |line: &str| {
        let (facts, path) = line.split_once('\t').unwrap();
        format!("{path} {}", facts.split(' ').nth(1).unwrap())
    };
    text.lines().map(line).collect()
}

/// `path id` of every file of a tree as we list it.
fn seen(tree: &dyn Tree) -> Vec<String> {
    let mut found: Vec<_> = files(tree, "").unwrap().into_iter().map(|(p, e)| format!("{p} {}", e.id)).collect();
    found.sort();
    found
}

/// The changed paths as we see them.
fn changed(repo: &Repo) -> Vec<String> {
    let index = repo.index_tree().unwrap();
    let changes = repo.changes(&repo.head_tree().unwrap(), After::Index(&index)).unwrap();
    changes.into_iter().map(|c| c.path).collect()
}

/// The changed paths as git sees them.
fn diff(sandbox: &Sandbox, folder: &Path) -> Vec<String> {
    let text = sandbox.try_git(folder, "diff --cached --name-only --no-renames");
    text.lines().map(String::from).collect()
}

fn filled(sandbox: &Sandbox) {
    for path in ["a.txt", "a/b/c.txt", "a/b/d.txt", "a.b/e", "projects/x/y.yaml", "z"] {
        sandbox.write(path, path);
    }
    sandbox.git("add -A");
    sandbox.git("commit -q -m first");
    sandbox.write("a/b/c.txt", "changed");
    sandbox.write("new/file", "new");
    std::fs::remove_file(sandbox.top().join("a.b/e")).unwrap();
    std::fs::remove_file(sandbox.top().join("z")).unwrap();
    sandbox.write("z/below", "a folder now");
    sandbox.git("add -A");
}

/// Head, index and their difference agree with git.
fn agrees(sandbox: &Sandbox, folder: &Path) {
    let repo = open(folder);
    assert_eq!(seen(&repo.index_tree().unwrap()), listed(sandbox, folder));
    let (mut ours, mut gits) = (changed(&repo), diff(sandbox, folder));
    ours.sort();
    gits.sort();
    assert_eq!(ours, gits);
    assert!(!ours.is_empty());
}

#[test]
fn plain_sub_folder_and_detached() {
    let sandbox = Sandbox::repository();
    filled(&sandbox);
    agrees(&sandbox, sandbox.top());
    let repo = open(&sandbox.top().join("a/b"));
    assert_eq!(repo.top(), sandbox.top());
    assert_eq!(repo.head().unwrap().branch.as_deref(), Some("develop"));
    sandbox.git("checkout -q --detach");
    let head = open(sandbox.top()).head().unwrap();
    assert!(head.branch.is_none() && head.commit.is_some());
    agrees(&sandbox, sandbox.top());
}

#[test]
fn an_unborn_head_is_the_empty_tree() {
    let sandbox = Sandbox::repository();
    sandbox.write("a/b", "1");
    sandbox.git("add -A");
    let repo = open(sandbox.top());
    assert_eq!(repo.head().unwrap().commit, None);
    assert!(repo.head_tree().unwrap().list("").unwrap().is_empty());
    assert_eq!(changed(&repo), ["a/b"]);
}

#[test]
fn linked_worktrees_have_their_own_index_and_share_the_rest() {
    let sandbox = Sandbox::repository();
    filled(&sandbox);
    sandbox.git("commit -q -m second");
    sandbox.git("worktree add -q ../other");
    let other = sandbox.top().parent().unwrap().join("other");
    std::fs::write(other.join("only-here"), "1").unwrap();
    sandbox.try_git(&other, "add only-here");
    agrees(&sandbox, &other);
    let repo = open(&other);
    assert_eq!(repo.common_dir(), sandbox.top().join(".git"));
    assert_eq!(repo.git_dir(), sandbox.top().join(".git/worktrees/other"));
    assert!(changed(&open(sandbox.top())).is_empty());
}

#[test]
fn index_formats() {
    for (name, commands) in [
        ("version 4", ["update-index --index-version 4", "status"]),
        ("split", ["update-index --split-index", "add -N a.txt"]),
        ("untracked cache", ["update-index --untracked-cache", "status"]),
    ] {
        let sandbox = Sandbox::repository();
        filled(&sandbox);
        for command in commands {
            sandbox.git(command);
        }
        sandbox.write("later", name);
        sandbox.git("add later");
        agrees(&sandbox, sandbox.top());
    }
}

#[test]
fn a_sparse_index_is_read_as_if_it_were_whole() {
    let sandbox = Sandbox::repository();
    for path in ["in/x", "out/deep/y", "out/z", "top"] {
        sandbox.write(path, path);
    }
    sandbox.git("add -A");
    sandbox.git("commit -q -m first");
    sandbox.git("sparse-checkout init --cone --sparse-index");
    sandbox.git("sparse-checkout set in");
    sandbox.write("in/x", "changed");
    sandbox.git("add in/x");
    let repo = open(sandbox.top());
    let index = repo.index_tree().unwrap();
    assert!(index.len() < 4, "git made no sparse index");
    assert_eq!(index.read("out/deep/y").unwrap().unwrap(), b"out/deep/y");
    assert_eq!(index.list("out").unwrap().len(), 2);
    assert_eq!(files(&index, "").unwrap().len(), 4);
    assert_eq!(changed(&repo), ["in/x"]);
}

#[test]
fn a_sha256_repository() {
    let sandbox = Sandbox::empty();
    sandbox.git("init -q -b develop --object-format=sha256");
    filled(&sandbox);
    agrees(&sandbox, sandbox.top());
    let repo = open(sandbox.top());
    assert_eq!(repo.resolve("HEAD").unwrap().len(), 64);
}

#[test]
fn a_reftable_repository_is_refused_in_one_sentence() {
    let sandbox = Sandbox::empty();
    if sandbox.try_git(sandbox.top(), "init -q -b develop --ref-format=reftable").contains("[exit") {
        return;
    }
    let problem = Repo::discover(sandbox.top(), Environment::Ignored).err().unwrap();
    assert_eq!((problem.kind, problem.code), (Kind::NotARepository, "ref-storage"));
    assert!(problem.message.contains("reftable"), "{}", problem.message);
}

#[test]
fn no_repository_and_a_bare_one() {
    let sandbox = Sandbox::empty();
    let problem = Repo::discover(sandbox.top(), Environment::Ignored).err().unwrap();
    assert_eq!((problem.kind, problem.code), (Kind::NotARepository, "not-a-repository"));
    sandbox.git("init -q --bare");
    let problem = Repo::discover(sandbox.top(), Environment::Ignored).err().unwrap();
    assert_eq!(problem.code, "bare");
}

#[test]
fn a_shallow_clone_and_a_submodule() {
    let sandbox = Sandbox::repository();
    sandbox.commit("a", "1");
    sandbox.commit("b", "2");
    sandbox.git(
        "clone -q --depth 1 \"file://$TOP\" ../shallow".replace("$TOP", &sandbox.top().to_string_lossy()).as_str(),
    );
    let shallow = sandbox.top().parent().unwrap().join("shallow");
    let repo = open(&shallow);
    assert!(repo.is_shallow());
    assert_eq!(repo.commits("HEAD").unwrap().len(), 1);
    assert!(repo.is_pushed("HEAD").unwrap());

    let outer = Sandbox::repository();
    outer.commit("c", "3");
    outer.git(&format!("-c protocol.file.allow=always submodule add -q {} sub", sandbox.top().display()));
    let sub = open(&outer.top().join("sub"));
    assert_eq!(sub.top(), outer.top().join("sub"));
    assert_eq!(sub.git_dir(), outer.top().join(".git/modules/sub"));
    agrees(&outer, outer.top());
}

#[test]
fn intent_to_add_is_not_in_the_index_and_a_conflict_is_named() {
    let sandbox = Sandbox::repository();
    sandbox.commit("file", "base\n");
    sandbox.write("later", "x");
    sandbox.git("add -N later");
    let index = open(sandbox.top()).index_tree().unwrap();
    assert!(index.read("later").unwrap().is_none() && index.has("later"));
    assert!(changed(&open(sandbox.top())).is_empty());
    sandbox.git("reset -q");
    sandbox.git("checkout -q -b other");
    sandbox.commit("file", "theirs\n");
    sandbox.git("checkout -q develop");
    sandbox.commit("file", "ours\n");
    assert!(sandbox.try_git(sandbox.top(), "merge other").contains("CONFLICT"));
    let repo = open(sandbox.top());
    assert_eq!(repo.in_progress(), Some("a merge"));
    let index = repo.index_tree().unwrap();
    let problem = repo.changes(&repo.head_tree().unwrap(), After::Index(&index)).err().unwrap();
    assert_eq!((problem.code, problem.path.as_deref()), ("conflict", Some("file")));
}

#[test]
fn the_code_tree_is_what_a_person_computes() {
    let sandbox = Sandbox::repository();
    for path in
        ["src/a.py", "src/notes.md", "docs/x.py", "lib/docs/y.py", "projects/p/z.py", "leaderboard/b.json", "README.md"]
    {
        sandbox.write(path, path);
    }
    sandbox.git("add -A");
    sandbox.git("commit -q -m code");
    let repo = open(sandbox.top());
    let digest = repo.code_tree(&repo.head_tree().unwrap(), &[]).unwrap();
    let line = r"git ls-tree -rz HEAD | tr '\0' '\n' | awk -F '\t' '$2 !~ /^(projects|leaderboard|docs)\// && $2 !~ /\.md$/' | sha256sum";
    assert_eq!(sandbox.sh(sandbox.top(), line).split(' ').next().unwrap(), digest);
    sandbox.commit("projects/p/more.yaml", "prose and records do not count");
    let repo = open(sandbox.top());
    assert_eq!(repo.code_tree(&repo.head_tree().unwrap(), &[]).unwrap(), digest);
    sandbox.commit("src/a.py", "changed");
    let repo = open(sandbox.top());
    assert_ne!(repo.code_tree(&repo.head_tree().unwrap(), &[]).unwrap(), digest);
    let lib = repo.code_tree(&repo.head_tree().unwrap(), &["lib".into()]).unwrap();
    assert_eq!(lib, repo.code_tree(&repo.commit_tree("HEAD~2").unwrap(), &["lib/".into()]).unwrap());
}

#[test]
fn ranges_ancestry_and_revisions() {
    let sandbox = Sandbox::repository();
    let first = sandbox.commit("a", "1");
    sandbox.git("checkout -q -b side");
    let side = sandbox.commit("b", "2");
    sandbox.git("checkout -q develop");
    let main = sandbox.commit("c", "3");
    sandbox.git("merge -q --no-edit side");
    let repo = open(sandbox.top());
    let ids = |range: &str| repo.commits(range).unwrap().into_iter().map(|c| c.id).collect::<Vec<_>>();
    let merge = repo.resolve("HEAD").unwrap();
    assert_eq!(ids(&format!("{first}..HEAD")), [side.clone(), main.clone(), merge]);
    assert_eq!(ids(&format!("{main}..{side}")), std::slice::from_ref(&side));
    assert!(repo.is_ancestor(&side, "HEAD").unwrap() && !repo.is_ancestor(&side, &main).unwrap());
    assert_eq!(repo.commits("HEAD...side").unwrap_err().kind, Kind::Usage);
    assert_eq!(repo.resolve("nothing").unwrap_err().kind, Kind::Ambiguous);
    assert_eq!(repo.resolve("--help").unwrap_err().kind, Kind::Ambiguous);
}

#[test]
fn another_users_repository_is_refused_as_git_refuses_it() {
    let sandbox = Sandbox::repository();
    if !sandbox.sh(sandbox.top(), "test $(id -u) = 0 && chown -R 12345 .").is_empty() {
        return eprintln!("skipped: only root can give a folder to another user");
    }
    assert!(sandbox.try_git(sandbox.top(), "status").contains("dubious ownership"));
    let said = sandbox.run("status");
    assert!(said.contains("belongs to another user") && said.contains("[exit 10]"), "{said}");
    std::fs::write(sandbox.home().join(".gitconfig"), format!("[safe]\n\tdirectory = {}\n", sandbox.top().display()))
        .unwrap();
    let said = sandbox.sh(sandbox.top(), "unset GIT_CONFIG_GLOBAL; git-ar status");
    assert!(!said.contains("another user"), "{said}");
}
