//! What holds for every verb, found by walking the command line itself: a verb that is added is tried here too.

use std::process::Stdio;

use serde_json::Value;

use crate::sandbox::Sandbox;

/// The words of every verb that people type, the demo's apart, which works in a folder of its own for a while.
fn verbs() -> Vec<Vec<String>> {
    fn below(command: &clap::Command, above: &[String], found: &mut Vec<Vec<String>>) {
        let mut subs = command.get_subcommands().filter(|c| c.get_name() != "help" && !c.is_hide_set()).peekable();
        if subs.peek().is_none() {
            found.push(above.to_vec());
        }
        for sub in subs {
            below(sub, &[above, &[sub.get_name().to_string()]].concat(), found);
        }
    }
    let mut found = Vec::new();
    below(&git_ar::cli::command(), &[], &mut found);
    found.retain(|words| words[0] != "demo");
    assert!(found.len() > 50);
    found
}

/// A research repository with one iteration in survey.
fn repository() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.run("init --trainer reference");
    let said = sandbox.run("start nets");
    assert!(said.contains("nets/1 in phase survey"), "{said}");
    sandbox
}

/// What each verb says on a line of shell.
fn each(sandbox: &Sandbox, line: impl Fn(&str) -> String) -> Vec<(String, String)> {
    let verbs = verbs();
    let said = verbs.iter().map(|words| words.join(" ")).map(|words| {
        let said = sandbox.sh(sandbox.top(), &line(&words));
        (words, said)
    });
    let said = said.collect();
    sandbox.sh(sandbox.top(), "git reset -q --hard; git clean -qfd");
    said
}

#[test]
fn without_a_terminal_and_without_arguments_every_verb_ends() {
    let sandbox = repository();
    for words in verbs() {
        let output = sandbox.output(sandbox.top(), env!("CARGO_BIN_EXE_git-ar"), &words, b"");
        let said = sandbox.shown(&output);
        assert!(output.status.code().is_some_and(|code| code < 70), "{words:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains('\u{1b}'), "{words:?}: {said}");
        let told = output.stdout.len() + output.stderr.len() > 0;
        assert!(told || words[..] == ["hook", "run"], "{words:?} says nothing");
    }
}

#[test]
fn every_verb_prints_one_envelope_whatever_comes_of_it() {
    let sandbox = repository();
    for words in verbs() {
        for more in [&[][..], &["no-such-thing"], &["--no-such-option"], &["a", "b", "c", "d"]] {
            let words =
                [&words[..], &more.iter().map(ToString::to_string).collect::<Vec<_>>(), &["--json".into()]].concat();
            let output = sandbox.output(sandbox.top(), env!("CARGO_BIN_EXE_git-ar"), &words, b"");
            let said = sandbox.shown(&output);
            let value: Value =
                serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{words:?}: {e}: {said}"));
            let keys = ["schema", "ok", "data", "errors", "next"];
            assert!(keys.iter().all(|key| value.get(key).is_some()), "{words:?}: {value}");
            assert_eq!(value["ok"], output.status.success(), "{words:?}: {said}");
            assert!(value["schema"].as_str().is_some_and(|s| s.starts_with("git-ar/") && s.ends_with("/1")), "{value}");
            for error in value["errors"].as_array().unwrap() {
                assert!(
                    !error["message"].as_str().unwrap().is_empty() && error["code"].is_string(),
                    "{words:?}: {error}"
                );
            }
        }
        sandbox.sh(sandbox.top(), "git reset -q --hard; git clean -qfd");
    }
}

#[test]
fn closed_streams_narrow_terminals_and_poor_locales_break_nothing() {
    let sandbox = repository();
    for around in [
        "{} >&-",
        "{} 2>&-",
        "{} <&-",
        "{} <&- >&- 2>&-",
        "{} | head -1",
        "COLUMNS=20 LC_ALL=C TERM=dumb {}",
        "NO_COLOR=1 LANG=C COLUMNS=1 {}",
    ] {
        for (words, said) in each(&sandbox, |words| around.replace("{}", &format!("git-ar {words}"))) {
            let broken = ["panicked", "[exit 70]", "[exit 101]", "[exit 134]", "[killed]", "\u{1b}"];
            assert!(!broken.iter().any(|word| said.contains(word)), "{around} {words}: {said}");
        }
    }
}

/// Typed twice, the second time changes nothing, says so with exit 0 where it could have changed something, and keeps
/// the ids.
#[test]
fn a_verb_that_is_repeated_changes_nothing() {
    let sandbox = repository();
    // Taking back is what goes on with every repetition.
    for words in verbs().into_iter().filter(|words| words[..] != ["undo"]) {
        let run = || sandbox.output(sandbox.top(), env!("CARGO_BIN_EXE_git-ar"), &words, b"");
        run();
        let (head, status) = (sandbox.git("rev-parse HEAD"), sandbox.git("status --porcelain"));
        let again = run();
        assert_eq!(sandbox.git("rev-parse HEAD"), head, "{words:?}: {}", sandbox.shown(&again));
        assert_eq!(sandbox.git("status --porcelain"), status, "{words:?}");
    }
    for (line, same) in [
        ("init", "nothing changed"),
        ("hook install", "hooks in"),
        ("board render", "nothing changed"),
        ("trust", "nothing changed"),
        ("hook uninstall", "hooks in"),
        ("migrate", "nothing changed"),
    ] {
        sandbox.run(line);
        let head = sandbox.git("rev-parse HEAD");
        let again = sandbox.run(line);
        assert!(again.contains(same) && !again.contains("[exit"), "{line}: {again}");
        assert_eq!(sandbox.git("rev-parse HEAD"), head, "{line}");
    }
}

/// Words that take something away for good. A message may name them only to say what not to do.
const DESTRUCTIVE: [&str; 12] = [
    "--no-verify",
    "reset --hard",
    "push --force",
    "push -f",
    "--force",
    "checkout -- ",
    "clean -f",
    "branch -D",
    "rm -rf",
    "rm -r ",
    "git stash drop",
    "filter-branch",
];

#[test]
fn no_text_of_the_program_advises_to_destroy_something() {
    let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["src", "hooks", "templates"] {
        for entry in walkdir::WalkDir::new(top.join(folder)).into_iter().map(Result::unwrap) {
            let path = entry.path();
            let test = path.to_string_lossy().contains("tests") || path.starts_with(top.join("src/train"));
            if !entry.file_type().is_file() || test {
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for (line, number) in code.lines().zip(1..) {
                // What is told stands in quotes; what git-ar itself runs is a list of words.
                let told = line.contains(".hint(") || line.contains("Problem::new") || line.contains("format!(\"");
                if told && DESTRUCTIVE.iter().any(|word| line.contains(word)) {
                    found.push(format!("{}:{number}: {}", path.display(), line.trim()));
                }
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

/// What the verbs really said, for the whole road of a refusal: no `fix` and no `next` destroys anything.
#[test]
fn what_is_offered_next_destroys_nothing() {
    let sandbox = repository();
    sandbox.write("projects/nets/project.yaml", "schema: 1\ntitel: T\n");
    sandbox.git("add -A");
    for words in verbs() {
        let words = [&words[..], &["--json".to_string()]].concat();
        let output = sandbox.output(sandbox.top(), env!("CARGO_BIN_EXE_git-ar"), &words, b"");
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        let fixes = value["errors"].as_array().unwrap().iter().filter_map(|e| e["fix"].as_str());
        let next = value["next"].as_array().unwrap().iter().filter_map(Value::as_str);
        for line in fixes.chain(next) {
            assert!(!DESTRUCTIVE.iter().any(|word| line.contains(word)), "{words:?}: {line}");
        }
    }
}

#[test]
fn nothing_waits_for_a_person_who_is_not_there() {
    // Standard input that stays open and silent: whoever asks a question waits for ever.
    let sandbox = repository();
    for words in [&["init"][..], &["undo"], &["trust"], &["doctor", "--fix"], &["hook", "uninstall"], &["tick"]] {
        let mut command = sandbox.command(sandbox.top(), env!("CARGO_BIN_EXE_git-ar"));
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let silent = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.code().is_some(), "{words:?}");
        drop(silent);
    }
}
