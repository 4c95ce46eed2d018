//! Clocks that differ and zones that change: no time runs backwards in a record, no lock is stale by its age, and files
//! hold UTC.

use crate::sandbox::Sandbox;

fn lab() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\nloop: off\ntrainer: reference\n");
    sandbox.write(
        "configs/config.yaml",
        "defaults:\n  - _self_\n  - experiment: null\nseed: 0\nepochs: 2\nbatch_size: 64\n",
    );
    sandbox.write(
        "configs/experiment/a.yaml",
        "# @package _global_\ndataset: {name: digits}\nmodel: {name: ffnn, hidden: [4]}\noptimizer: {name: sgd, lr: 0.1}\n",
    );
    sandbox.write("projects/p/project.yaml", "schema: 1\ntitle: P\nquestion: Q\n");
    sandbox.git("add -A");
    sandbox.git("commit -q -m start");
    sandbox
}

#[test]
fn a_clock_that_is_a_day_ahead_stops_nothing() {
    let sandbox = lab();
    sandbox.run("run local a --seeds 0");
    // Every file, git's own too, is from tomorrow; then the clock of this command is a day behind the record's.
    sandbox.sh(sandbox.top(), "find . -exec touch -d '+1 day' {} +");
    for line in ["run local a --seeds 1", "run list", "status", "check", "doctor", "board", "run local a --seeds 1"] {
        let output = sandbox.sh(sandbox.top(), &format!("GIT_AR_NOW=2026-01-04T08:00:00Z git-ar {line}"));
        assert!(
            !output.contains("panicked") && !output.contains("stale") && !output.contains("[exit"),
            "{line}: {output}"
        );
        let negative =
            output.split_whitespace().any(|w| w.starts_with('-') && w[1..].starts_with(|c: char| c.is_ascii_digit()));
        assert!(!negative, "{line}: {output}");
    }
    assert!(
        sandbox.run("check --range HEAD~1..HEAD").contains("commit")
            || sandbox.run("check --tree HEAD").contains("in order")
    );
    let left = sandbox.sh(sandbox.top(), "ls .git/*.lock .git/ar/lock 2>/dev/null || true");
    assert_eq!(left, "", "a lock is left");
}

#[test]
fn zones_and_their_summer_times_change_no_record() {
    let records =
        ["UTC", "Africa/Johannesburg", "America/St_Johns", "Pacific/Kiritimati", ":/no/such/zone"].map(|zone| {
            let sandbox = lab().with_env("TZ", zone);
            // The night in which clocks go back in half of the zones.
            for (at, line) in
                [("2026-10-25T00:59:59Z", "run local a --seeds 0"), ("2026-10-25T01:30:00Z", "run local a --seeds 1")]
            {
                let said = sandbox.sh(sandbox.top(), &format!("GIT_AR_NOW={at} git-ar {line}"));
                assert!(said.contains("committed"), "{zone}: {said}");
            }
            let times = sandbox.sh(sandbox.top(), "git grep -hoE '(created|submitted|at): .*' HEAD -- projects | sort");
            assert!(
                times.lines().all(|line| line.trim_end().trim_end_matches(['"', ',']).contains('Z')),
                "{zone}: {times}"
            );
            let of_run = sandbox.sh(sandbox.top(), "git grep -hE '^created:' HEAD -- projects | sort");
            (of_run, sandbox.run("run list --json").matches("2026-10-25T").count())
        });
    assert!(records.iter().all(|record| *record == records[0]), "{records:?}");
    assert!(records[0].0.contains("2026-10-25T00:59:59Z"), "{records:?}");
}
