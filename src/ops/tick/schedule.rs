//! Lines with which cron or systemd calls `tick` again and again.

use crate::cluster::shell;

/// What a person copies: cron's line, and a service with its timer for systemd. Nothing is installed.
#[must_use]
pub fn schedule(program: &str, folder: &str, push: bool) -> String {
    let push_word = if push { " --push" } else { "" };
    let (quoted, place) = (shell::quote(program), shell::quote(folder));
    // In a crontab a bare % ends the command.
    let cron = format!("{quoted} -C {place} tick{push_word}").replace('%', "\\%");
    let unit = |word: &str| word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    format!(
        "# cron: crontab -e, and add this line. Exit 7 (no answer) and 8 (locked) mend themselves at the next tick.\n\
         */10 * * * * {cron} >/dev/null\n\
         \n\
         # systemd: put these two files into ~/.config/systemd/user/ and\n\
         # systemctl --user enable --now git-ar-tick.timer\n\
         # --- git-ar-tick.service\n\
         [Unit]\nDescription=git ar tick\n\n[Service]\nType=oneshot\nSuccessExitStatus=7 8\n\
         ExecStart=\"{}\" -C \"{}\" tick{push_word}\n\
         # --- git-ar-tick.timer\n\
         [Unit]\nDescription=git ar tick, every ten minutes\n\n[Timer]\nOnCalendar=*:0/10\nRandomizedDelaySec=60\n\n\
         [Install]\nWantedBy=timers.target\n",
        unit(program),
        unit(folder),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_blanks_and_signs_are_quoted() {
        let text = schedule("/usr/bin/git-ar", "/home/me/my 100% repo", true);
        assert!(
            text.contains("*/10 * * * * /usr/bin/git-ar -C '/home/me/my 100\\% repo' tick --push >/dev/null\n"),
            "{text}"
        );
        assert!(text.contains("ExecStart=\"/usr/bin/git-ar\" -C \"/home/me/my 100%% repo\" tick --push\n"), "{text}");
    }
}
