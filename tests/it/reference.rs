//! `docs/cli.md` is written from the command line's own description, `docs/schema/` from the types. `UPDATE=1 cargo test --test it` rewrites it.

use std::fmt::Write as _;

use clap::{Arg, Command};

const HEAD: &str = "\
# Command reference

Written from the command line's own description by a test (`UPDATE=1 cargo test --test it reference`).

`git ar` and `git-ar` are the same program. `git ar --help` asks git for a manual page (`git ar man --dir` writes them); `git ar -h` always works.

Everywhere: `--json` prints one envelope on stdout, also after a failure; `-C DIR` acts as if started in another folder. Data goes to stdout, everything else to stderr. A verb that changes state commits exactly its own files; with `--no-commit` they are left staged, and only `--push` pushes.

```
{\"schema\": \"git-ar/<verb>/1\", \"ok\": true, \"data\": {…}, \"errors\": [{\"code\", \"path\", \"line\", \"message\", \"fix\"}], \"next\": [\"git ar …\"]}
```

## Exit codes

| code | meaning |
|---:|---|
| 0 | done |
| 1 | a check or diff found something |
| 2 | wrong arguments |
| 3 | code that is not committed |
| 4 | a step or a gate is refused |
| 5 | a state file is invalid |
| 6 | generated output is behind |
| 7 | a cluster does not answer; try later |
| 8 | somebody else holds the lock |
| 9 | an id fits several things, or nothing |
| 10 | not a git-ar repository |
| 11 | the scheduler refused; repeating does not help |
| 12 | disk full, permission and the like |
| 70 | a bug in git-ar |
| 130 | interrupted |

## Commands
";

/// The whole document.
fn document() -> String {
    let mut command = git_ar::cli::command();
    command.build();
    let mut text = HEAD.to_string();
    for verb in visible(&command) {
        section(&mut text, verb, "git ar", 3);
    }
    text
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help")
}

fn section(text: &mut String, command: &Command, parent: &str, level: usize) {
    let name = format!("{parent} {}", command.get_name());
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    writeln!(text, "\n{} `{name}`\n\n{about}", "#".repeat(level)).unwrap();
    let own: Vec<&Arg> = command.get_arguments().filter(|a| !is_common(a)).collect();
    if !own.is_empty() {
        text.push_str("\n| argument | meaning |\n|---|---|\n");
        for arg in own {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
            writeln!(text, "| `{}` | {help} |", form(arg).replace('|', "\\|")).unwrap();
        }
    }
    if let Some(examples) = command.get_after_help() {
        let examples = examples.to_string();
        let lines =
            examples.lines().skip_while(|l| l.starts_with("Example")).map(|l| l.strip_prefix("  ").unwrap_or(l));
        writeln!(text, "\n```\n{}\n```", lines.collect::<Vec<_>>().join("\n").trim_end()).unwrap();
    }
    for below in visible(command) {
        section(text, below, &name, level + 1);
    }
}

fn is_common(arg: &Arg) -> bool {
    arg.is_hide_set() || matches!(arg.get_id().as_str(), "help" | "version" | "json" | "directory")
}

fn form(arg: &Arg) -> String {
    let values =
        arg.get_value_names().unwrap_or_default().iter().map(|v| format!("<{v}>")).collect::<Vec<_>>().join(" ");
    match arg.get_long() {
        None => values.trim_matches(['<', '>']).to_string(),
        Some(long) if arg.get_action().takes_values() => format!("--{long} {values}"),
        Some(long) => format!("--{long}"),
    }
}

/// A generated document is as it must be; with `UPDATE` set it is written first.
fn fresh(path: &str, wanted: &str) {
    let place = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(&place, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&place).unwrap_or_default();
    assert!(found == wanted, "{path} is behind the code; UPDATE=1 cargo test --test it reference");
}

#[test]
fn the_command_reference_is_fresh() {
    fresh("docs/cli.md", &document());
}

#[test]
fn the_schemas_for_editors_are_fresh() {
    for entry in &git_ar::ops::schema::SCHEMAS {
        let schema = git_ar::ops::schema::schema(entry.name).unwrap();
        fresh(&format!("docs/schema/{}.json", entry.name), &format!("{schema:#}\n"));
    }
}
