//! The command line describes itself: completions and manual pages that work.

use std::process::Command;

#[cfg(target_os = "linux")]
use crate::sandbox::Sandbox;

fn git_ar(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_git-ar")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bash_completes_verbs_and_options_also_through_git() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("completions");
    let words = "COMP_WORDS=(git ar schema --j); COMP_CWORD=3; _git_ar; echo \"${COMPREPLY[*]}\"
        COMP_WORDS=(git-ar sch); COMP_CWORD=1; _git_ar_words git-ar sch git-ar; echo \"${COMPREPLY[*]}\"\n";
    std::fs::write(&script, git_ar(&["completions", "bash"]) + words).unwrap();
    let Ok(output) = Command::new("bash").arg(&script).output() else {
        eprintln!("skipped: there is no bash here");
        return;
    };
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "--json\nschema\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn every_verb_has_its_page() {
    let folder = tempfile::tempdir().unwrap();
    git_ar(&["man", "--dir", folder.path().to_str().unwrap()]);
    let overview = std::fs::read_to_string(folder.path().join("git-ar.1")).unwrap();
    for verb in git_ar::cli::command().get_subcommands().filter(|c| !c.is_hide_set()) {
        let page = folder.path().join(format!("git-ar-{}.1", verb.get_name()));
        assert!(page.exists() || verb.get_name() == "help", "{}", verb.get_name());
        assert!(overview.contains(verb.get_name()), "{}", verb.get_name());
    }
}

#[test]
fn every_verb_shows_an_example() {
    fn leaves(command: &clap::Command, words: &str, lacking: &mut Vec<String>) {
        let below: Vec<_> = command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help").collect();
        for sub in &below {
            leaves(sub, &format!("{words} {}", sub.get_name()), lacking);
        }
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        if below.is_empty() && !help.contains("git ar") {
            lacking.push(words.to_string());
        }
    }
    let mut lacking = Vec::new();
    leaves(&git_ar::cli::command(), "git ar", &mut lacking);
    assert_eq!(lacking, Vec::<String>::new(), "these say no `Example:` after their help");
}

#[test]
fn documents_name_only_verbs_that_exist() {
    let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let command = git_ar::cli::command();
    let mut unknown = Vec::new();
    let at_top = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(|name| top.join(name));
    let in_docs = std::fs::read_dir(top.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    for path in at_top.into_iter().chain(in_docs).filter(|p| p.extension().is_some_and(|e| e == "md")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for rest in text.split("git ar ").skip(1) {
            let word: String = rest.chars().take_while(|c| c.is_ascii_lowercase()).collect();
            let is_word = !word.is_empty() && !rest[word.len()..].starts_with(['…', '*']);
            if is_word && word != "help" && command.find_subcommand(&word).is_none() {
                unknown.push(format!("{}: git ar {word}", path.display()));
            }
        }
    }
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
#[cfg(target_os = "linux")] // Only there is a device that is always full.
fn output_that_cannot_be_written_is_told_and_a_reader_that_went_away_is_not() {
    let sandbox = Sandbox::repository();
    let full = sandbox.sh(sandbox.top(), "git-ar schema run > /dev/full");
    assert!(full.contains("the output cannot be written") && full.contains("[exit 12]"), "{full}");
    let gone = sandbox.sh(sandbox.top(), "git-ar schema run | true");
    assert!(!gone.contains("error") && !gone.contains("[exit"), "{gone}");
}
