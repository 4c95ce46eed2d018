//! Every verb of the command line has a case, or is known to write nothing.

use crate::cases::{CASES, READERS};

/// The words of every verb that is typed without a further noun.
fn verbs(command: &clap::Command, above: &str, found: &mut Vec<String>) {
    let mut below = command.get_subcommands().filter(|c| c.get_name() != "help").peekable();
    if below.peek().is_none() {
        found.push(above.to_string());
    }
    for sub in below {
        let words = format!("{above} {}", sub.get_name());
        verbs(sub, words.trim(), found);
    }
}

#[test]
fn every_verb_that_writes_has_a_case() {
    let mut found = Vec::new();
    verbs(&git_ar::cli::command(), "", &mut found);
    let known = |verb: &str| CASES.iter().any(|case| case.verb == verb) || READERS.contains(&verb);
    let unknown: Vec<&String> = found.iter().filter(|verb| !known(verb)).collect();
    assert!(
        unknown.is_empty(),
        "no case in tests/crash/cases.rs for: {unknown:?}; one that only reads goes to READERS"
    );
    let gone = CASES.iter().map(|case| case.verb).chain(READERS.iter().copied());
    let gone: Vec<&str> = gone.filter(|verb| !found.iter().any(|found| found == verb)).collect();
    assert!(gone.is_empty(), "in tests/crash/cases.rs, but no verb: {gone:?}");
}
