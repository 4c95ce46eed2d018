//! `git ar init`: what it makes, what it leaves alone, and that it does nothing twice.

use crate::sandbox::Sandbox;

fn json(sandbox: &Sandbox, arguments: &[&str]) -> serde_json::Value {
    let output = sandbox.ar(arguments);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn an_empty_folder_becomes_a_research_repository() {
    let sandbox = Sandbox::empty();
    let made = json(&sandbox, &["init", "--json"]);
    assert_eq!((&made["ok"], &made["data"]["branch"]), (&true.into(), &"develop".into()), "{made}");
    assert_eq!(sandbox.git("status --porcelain"), "");
    assert_eq!(sandbox.git("rev-parse --abbrev-ref HEAD").trim(), "develop");
    for file in ["configs/ar.yaml", "configs/board/digits.yaml", ".env.example", "docs/schema/iteration.json"] {
        assert!(sandbox.git("ls-files").lines().any(|l| l == file), "{file}");
    }
    sandbox.write(".env", "WANDB_API_KEY=x\n");
    assert_eq!(sandbox.git("status --porcelain"), "");
}

#[test]
fn a_second_run_changes_nothing_and_says_so() {
    let sandbox = Sandbox::empty();
    sandbox.run("init");
    let before = sandbox.git("rev-parse HEAD");
    let again = sandbox.run("init");
    assert!(again.contains("everything is there already") && again.contains("nothing changed"), "{again}");
    assert_eq!(sandbox.git("rev-parse HEAD"), before);
}

#[test]
fn what_is_there_is_kept() {
    let sandbox = Sandbox::empty();
    sandbox.git("init -q -b trunk");
    sandbox.write("README.md", "# Mine\n");
    sandbox.write(".gitignore", "*.o\n");
    sandbox.write("notes.txt", "mine\n");
    sandbox.git("add README.md");
    let said = sandbox.run("init");
    assert!(said.contains("kept  README.md") && said.contains("<!-- ar:begin board digits -->"), "{said}");
    assert!(said.contains("add the line `.env`"), "{said}");
    assert_eq!(sandbox.read("README.md"), "# Mine\n");
    assert!(sandbox.read("configs/ar.yaml").contains("branch: trunk"));
    assert_eq!(sandbox.git("status --porcelain"), "A  README.md\n?? .gitignore\n?? notes.txt\n");
}

#[test]
fn runs_only_is_ready_for_a_run_and_a_board() {
    let sandbox = Sandbox::empty();
    let made = json(&sandbox, &["init", "--runs-only", "--json", "lab"]);
    assert_eq!(made["ok"], true, "{made}");
    assert!(sandbox.read("lab/configs/ar.yaml").contains("loop: \"off\""));
    let lab = sandbox.top().join("lab");
    let run = sandbox.run_in(&lab, "run local digits_ffnn_adam epochs=2 --seeds 0-1");
    assert!(run.contains("succeeded"), "{run}");
    assert_eq!(sandbox.run_in(&lab, "next"), "git ar run local EXPERIMENT\ngit ar board\n");
    let board = sandbox.run_in(&lab, "board show digits");
    assert!(board.contains("digits_ffnn_adam") && board.contains("(n=2)"), "{board}");
}

#[test]
fn a_folder_inside_another_repository_is_refused() {
    let sandbox = Sandbox::repository();
    sandbox.write("sub/file", "x");
    let said = sandbox.run_in(&sandbox.top().join("sub"), "init");
    assert!(said.contains("belongs to the repository") && said.contains("exit 2"), "{said}");
    assert!(!sandbox.top().join("configs").exists());
    let made = json(&sandbox, &["init", "--json", "lab"]);
    assert_eq!(made["data"]["new_repository"], true, "{made}");
}

#[test]
fn without_an_author_nothing_is_made() {
    let sandbox = Sandbox::empty().with_env("GIT_COMMITTER_NAME", "").with_env("GIT_COMMITTER_EMAIL", "");
    let said = sandbox.run("init lab");
    assert!(said.contains("git config --global user.name"), "{said}");
    assert!(!sandbox.top().join("lab").exists());
}

#[test]
fn the_starter_configs_compose_without_a_word_from_lint() {
    let sandbox = Sandbox::empty();
    sandbox.run("init");
    let lint = json(&sandbox, &["config", "lint", "--json"]);
    assert_eq!((&lint["ok"], lint["errors"].as_array().map(Vec::len)), (&true.into(), Some(0)), "{lint}");
    assert!(lint.get("warnings").is_none(), "{lint}");
}
