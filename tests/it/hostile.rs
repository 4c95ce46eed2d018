//! Text and names from outside: shown with what is hidden in them, and never a way out of the repository.

use crate::sandbox::Sandbox;

/// A colour, a window title, a line to the left, a mark of direction without width, and one of the newer kind.
const EVIL: &str = "\u{1b}[31mred\u{1b}]0;owned\u{7}\u{202e}gpj\u{61c}\u{9b}2J";

fn repository() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: [sh, train.sh]\n");
    sandbox.write("configs/config.yaml", "defaults:\n  - _self_\n  - experiment: null\nseed: 0\n");
    sandbox.write("configs/experiment/a.yaml", "# @package _global_\nmodel: {name: m}\n");
    sandbox.write("train.sh", &format!("printf '%s\\n' '{EVIL}'; printf 'error: %s\\n' '{EVIL}' >&2; exit 3\n"));
    sandbox.git("add -A");
    sandbox.git("commit -q -m start");
    sandbox.run("trust");
    sandbox
}

/// Nothing hidden is left, and what was there is told.
fn visible(said: &str, what: &str) {
    let hidden = |c: char| c.is_control() && c != '\n' && c != '\t' || ['\u{202e}', '\u{61c}', '\u{9b}'].contains(&c);
    assert!(!said.contains(hidden), "{what}: {said:?}");
    assert!(said.contains("^[[31mred") || said.contains("U+202E") || said.contains("\\u001b"), "{what}: {said}");
}

#[test]
fn what_hides_in_foreign_text_is_shown() {
    let sandbox = repository();
    let ar = |words: &[&str]| sandbox.shown(&sandbox.ar(words));
    // Words as they were typed, and the state that was made of them.
    visible(&ar(&["run", "show", EVIL]), "an id");
    visible(&ar(&["schema", EVIL]), "a word that clap refuses or passes on");
    visible(&ar(&[EVIL]), "a verb");
    assert!(sandbox.ar(&["start", &format!("nets {EVIL}")]).status.success());
    visible(&ar(&["status"]), "a topic");
    visible(&ar(&["status", "--json"]), "a topic as JSON");
    visible(&ar(&["iter", "list"]), "a topic in a list");
    visible(&ar(&["resume"]), "a topic at the start of a session");
    // Git's: branch names hold no control characters, but directions; a subject holds everything.
    sandbox.sh(sandbox.top(), "git switch -q -c 'x\u{202e}gpj'");
    visible(&ar(&["status"]), "a branch");
    sandbox.git("switch -q develop");
    std::fs::write(sandbox.home().join("subject"), EVIL).unwrap();
    sandbox.git("commit -q --allow-empty --cleanup=verbatim -F ../subject");
    visible(&ar(&["undo"]), "a commit's subject");
    // File names, in a refusal and at the hook.
    sandbox.write(&format!("projects/p{EVIL}/project.yaml"), "schema: 1\n");
    sandbox.git("add -A");
    visible(&ar(&["check"]), "a path");
    sandbox.git("reset -q --hard");
    // A file's content, in the line that is quoted.
    sandbox.write("projects/p/project.yaml", &format!("schema: 1\n\"{EVIL}\": T\n"));
    sandbox.git("add -A");
    let said = ar(&["check"]);
    assert!(!said.contains('\u{1b}') && !said.contains('\u{202e}') && said.contains("project.yaml:2"), "{said}");
    sandbox.git("reset -q --hard");
}

#[test]
fn what_a_job_prints_is_shown_in_records_and_progress() {
    let sandbox = repository();
    sandbox.write("configs/ar.yaml", "schema: 1\nloop: off\ntrainer: [sh, train.sh]\n");
    sandbox.commit("projects/p/project.yaml", "schema: 1\ntitle: P\nquestion: Q\n");
    let said = sandbox.run("run local a");
    visible(&said, "a trainer's lines");
    let said = sandbox.run("run list") + &sandbox.run("run triage") + &sandbox.run("status");
    assert!(!said.contains('\u{1b}') && !said.contains('\u{202e}'), "{said:?}");
    let id = sandbox.sh(sandbox.top(), "ls projects/p/runs").trim().to_string();
    let output = sandbox.ar(&["run", "exclude", &id, "--reason", EVIL]);
    assert!(output.status.success(), "{}", sandbox.shown(&output));
    visible(&sandbox.run(&format!("run show {id}")), "a person's reason");
}

/// Names that lead elsewhere, that some file system or git reads as something else, or that are too long for one.
const NAMES: [&str; 14] =
    ["..", "../x", "/etc/x", "a/../../x", "a..b", "x.lock", "@{", "-x", ".git", "x.", "a b", "Ä", "~", "a\\b"];

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let sandbox = repository();
    sandbox.run("start nets");
    let long = "a".repeat(255);
    let before = sandbox.sh(sandbox.home(), "find . -name .git -prune -o -print | sort");
    let head = sandbox.git("rev-parse HEAD");
    for name in NAMES.into_iter().chain([long.as_str()]) {
        let slug = format!("--slug={name}");
        for words in [
            &["project", "new", "T", &slug][..],
            &["iter", "new", "nets", "T", &format!("--id={name}")],
            &["iter", "renumber", "nets/1", name],
            &["iter", "renumber", &format!("nets/{name}"), "2"],
            &["run", "exclude", name, "--reason", "r"],
            &["run", "smoke", name],
            &["config", "show", &format!("experiment={name}")],
            &["config", "show", &format!("+{name}@model=m")],
            &["board", "show", name],
            &["board", "render", name],
            &["cluster", "show", name],
            &["run", "submit", "a", &format!("--cluster={name}")],
            &["job", "logs", name],
            &["schema", name],
            &["data", "fetch", name],
        ] {
            let output = sandbox.ar(words);
            let said = sandbox.shown(&output);
            assert!(!output.status.success() && !said.contains("[exit 70]"), "{words:?}: {said}");
        }
    }
    assert_eq!(sandbox.sh(sandbox.home(), "find . -name .git -prune -o -print | sort"), before);
    assert_eq!(sandbox.git("rev-parse HEAD"), head);
}

#[test]
fn a_title_becomes_a_plain_folder_or_is_refused() {
    let sandbox = repository();
    for title in ["../../etc/passwd", "a/b", ".git", "CON", "x.lock", "-rf", "Ünïcode", &"long ".repeat(80)] {
        let said = sandbox.shown(&sandbox.ar(&["project", "new", "--", title]));
        assert!(!said.contains("panicked"), "{title}: {said}");
    }
    for name in sandbox.git("ls-files projects").lines().filter_map(|path| path.split('/').nth(1)) {
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{name}");
        assert!(!name.starts_with('-') && name.len() <= 64, "{name}");
    }
    assert!(sandbox.run("check --tree HEAD").contains("in order"));
}

#[test]
fn state_that_lies_behind_a_link_or_under_a_second_spelling_is_refused() {
    let sandbox = repository();
    sandbox.run("start nets");
    sandbox.run("hook install");
    let outside = sandbox.home().join("outside");
    std::fs::create_dir(&outside).unwrap();
    for line in [
        "mv projects/nets ../outside/ && ln -s ../../outside/nets projects/nets",
        "mv projects/nets/iterations ../outside/ && ln -s ../../../outside/iterations projects/nets/iterations",
        "cp configs/ar.yaml ../outside/ && ln -sf ../../outside/ar.yaml configs/ar.yaml",
        "cp -r projects/nets projects/Nets && cp -r projects/nets projects/NETS",
        "mkdir -p projects/nets/iterations/01-nets && cp projects/nets/iterations/1-nets/* projects/nets/iterations/01-nets/",
    ] {
        let said = sandbox.sh(sandbox.top(), &format!("{line} && git add -A && git commit -q -m x"));
        assert!(said.contains("error") && said.contains("[exit 1]"), "{line}: {said}");
        // A verb that writes does not follow the link either.
        let said = sandbox.run("iter new nets more");
        assert!(said.contains("[exit") || !line.contains("ln -s"), "{line}: {said}");
        sandbox.sh(sandbox.top(), "git reset -q --hard; git clean -qfd; rm -rf ../outside/*");
        assert!(sandbox.run("check").contains("in order"));
    }
}
