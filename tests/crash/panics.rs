//! A panic, wherever it strikes: one envelope and exit 70, and the next command finds everything in order.

use serde_json::Value;

use crate::sandbox::Sandbox;

#[test]
fn a_panic_anywhere_is_one_envelope_and_harms_nothing() {
    let sandbox = Sandbox::repository();
    sandbox.commit("configs/ar.yaml", "schema: 1\ntrainer: reference\n");
    let git_ar = env!("CARGO_BIN_EXE_git-ar");
    for at in 1.. {
        assert!(at < 500, "no end");
        let mut command = sandbox.command(sandbox.top(), git_ar);
        let output =
            command.args(["project", "new", "Trees", "--json"]).env("GIT_AR_FAIL", format!("panic@{at}")).output();
        let output = output.unwrap();
        let said = sandbox.shown(&output);
        let value: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{at}: {e}: {said}"));
        if output.status.success() {
            assert!(at > 5 && value["ok"] == true, "{at}: {said}");
            break;
        }
        assert_eq!(output.status.code(), Some(70), "{at}: {said}");
        assert_eq!((&value["ok"], &value["errors"][0]["code"]), (&false.into(), &"bug".into()), "{at}: {said}");
        let next = sandbox.run("check --tree HEAD");
        assert!(next.contains("in order"), "{at}: {next}");
        if sandbox.git("log --format=%s -1").contains("trees") {
            // It struck after the commit.
            sandbox.git("reset -q --hard HEAD~1");
        }
        let status = sandbox.run("doctor --fix") + &sandbox.git("status --porcelain");
        assert!(!status.contains("projects/"), "{at}: {status}");
    }
}
