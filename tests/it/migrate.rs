//! Versions of state files: a newer one is left alone and told by name, an older one is brought along once.

use crate::sandbox::Sandbox;

const PROJECT: &str = "projects/p/project.yaml";
const ITERATION: &str = "projects/p/iterations/1-a/iteration.yaml";
const RUN: &str = "projects/p/iterations/1-a/runs/kq7f3-a";

/// Files from before versions were named, committed before git-ar looked at them.
fn old() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "# ours\nbranch: develop\ntrainer: reference\n");
    sandbox.write(PROJECT, "# a comment\ntitle: T  # short\nquestion: Q\n");
    let steps = "steps:\n  - {to: survey, at: 2026-01-05T07:00:00Z}\n  - {to: implement, at: 2026-01-05T07:30:00Z}\n";
    sandbox.write(ITERATION, &format!("phase: implement\n{steps}"));
    sandbox.write(&format!("{RUN}/exclusion.yaml"), "schema: 1\nreason: none\n");
    sandbox.git("add -A");
    sandbox.git("commit -q -m old");
    sandbox
}

#[test]
fn older_files_are_shown_then_migrated_once() {
    let sandbox = old();
    std::fs::remove_dir_all(sandbox.top().join(RUN)).unwrap();
    sandbox.git("commit -q -a -m \"no run\"");
    let said = sandbox.run("status");
    assert!(said.contains("key `schema` is missing") && said.contains("git ar migrate"), "{said}");
    let (head, before) = (sandbox.git("rev-parse HEAD"), sandbox.read(PROJECT));
    let said = sandbox.run("migrate --dry-run");
    assert!(said.contains("+schema: 1\n title: T  # short") && said.contains("3 files would change"), "{said}");
    assert_eq!((sandbox.git("rev-parse HEAD"), sandbox.read(PROJECT)), (head, before));
    sandbox.run("hook install");
    let said = sandbox.run("migrate");
    assert!(said.contains(&format!("{ITERATION}: schema 0 to 1")) && said.contains("committed"), "{said}");
    assert_eq!(sandbox.read(PROJECT), "# a comment\nschema: 1\ntitle: T  # short\nquestion: Q\n");
    assert!(sandbox.run("migrate").contains("nothing changed"));
    assert!(sandbox.run("status").contains("p/1  implement"));
    assert!(sandbox.run("check --range HEAD~1..HEAD").contains("in order"));
    assert!(sandbox.git("status --porcelain").is_empty());
}

#[test]
fn a_record_may_change_by_its_migration_only() {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\nloop: off\ntrainer: reference\n");
    let file = "projects/p/runs/kq7f3-a/seed-0/metrics.json";
    sandbox.write(PROJECT, "schema: 1\ntitle: T\nquestion: Q\n");
    sandbox.write(file, "{\"run\": \"kq7f3-a\"}\n");
    sandbox.git("add -A");
    sandbox.git("commit -q -m old");
    sandbox.write(file, "{\"schema\": 1, \"run\": \"kq7f3-b\"}\n");
    sandbox.git("add -A");
    assert!(sandbox.run("check").contains("measured values are never edited"));
    sandbox.write(file, "{\"schema\": 1, \"run\": \"kq7f3-a\"}\n");
    sandbox.git("add -A");
    assert!(!sandbox.run("check").contains("never edited"));
}

#[test]
fn a_newer_file_is_told_by_name_and_left_as_it_is() {
    for path in ["configs/ar.yaml", PROJECT, ITERATION, "configs/board/x.yaml", "configs/cluster/x.yaml"] {
        let sandbox = Sandbox::repository();
        sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: reference\n");
        sandbox.write(PROJECT, "schema: 1\ntitle: T\nquestion: Q\n");
        sandbox.write(ITERATION, "schema: 1\nphase: survey\nsteps: [{to: survey, at: 2026-01-05T07:00:00Z}]\n");
        let text = "schema: 2\nbrand: {new: form}\n";
        sandbox.write(path, text);
        sandbox.git("add -A");
        sandbox.git("commit -q -m newer");
        let mut told = 0;
        for verb in [
            "status",
            "check --tree HEAD",
            "board check",
            "cluster show x",
            "phase next",
            "migrate",
            "iter abandon 1 --reason x",
        ] {
            let said = sandbox.run(verb);
            assert!(!said.contains("panicked"), "{path} {verb}: {said}");
            if said.contains("schema 2 is newer than this git-ar") {
                told += 1;
                assert!(said.contains(path), "{path} {verb}: {said}");
            }
            assert_eq!(sandbox.read(path), text);
        }
        assert!(told >= 2, "{path} was told {told} times");
    }
}
