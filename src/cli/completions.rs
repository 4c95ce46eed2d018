//! `git ar completions`: what a shell needs to complete our words.

use clap_complete::Shell;
use serde_json::json;

use super::{Reply, Session};
use crate::state::problem::Problems;

/// Print the completions of a shell
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  git ar completions bash > ~/.local/share/bash-completion/completions/git-ar\n  \
    git ar completions zsh > \"${fpath[1]}/_git-ar\"\n  git ar completions fish > ~/.config/fish/completions/git-ar.fish\n\n\
    In bash, `git ar` is completed too: git's own completion asks the function `_git_ar`.")]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

/// Git's completion in bash calls this for `git ar …`; it hands the words on as if `git-ar` had been typed.
const GIT_AR_BASH: &str = r#"
_git_ar() {
    COMP_WORDS=(git-ar "${COMP_WORDS[@]:2}")
    COMP_CWORD=$((COMP_CWORD - 1))
    _git_ar_words git-ar "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
}
"#;

pub(super) fn run(_: &Session, args: &Args) -> Result<Reply, Problems> {
    let script = match args.shell {
        Shell::Bash => bash(),
        shell => script(shell, "git-ar"),
    };
    Ok(Reply::parts(json!({"shell": args.shell.to_string(), "script": script}), script))
}

fn script(shell: Shell, name: &str) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::command(), name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// clap_complete's script for bash loses the words below a verb when the program's name has a hyphen, so it is made
/// for `git_ar` and registered for `git-ar`.
fn bash() -> String {
    let script = script(Shell::Bash, "git_ar");
    let script = script
        .replace("_git_ar() {", "_git_ar_words() {")
        .replace("complete -F _git_ar ", "complete -F _git_ar_words ");
    script.replace(" default git_ar\n", " default git-ar\n") + GIT_AR_BASH
}
