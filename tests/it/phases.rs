//! The loop by its verbs, and by hand with plain git: what passes, what is refused, and that a refusal changes nothing.

use crate::sandbox::Sandbox;

const FOLDER: &str = "projects/image-classification/iterations/1-image-classification";

/// A managed repository with hooks and one iteration in phase survey.
fn surveyed() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: reference\n");
    sandbox.git("add -A");
    sandbox.git("commit -q -m init");
    let installed = sandbox.run("hook install");
    assert!(installed.contains("pre-commit"), "{installed}");
    let started = sandbox.run("start \"image classification\"");
    assert!(started.contains("image-classification/1 in phase survey"), "{started}");
    sandbox
}

/// The same with everything written that the survey asks for.
fn written() -> Sandbox {
    let sandbox = surveyed();
    let file = format!("{FOLDER}/iteration.yaml");
    let text = sandbox.read(&file).replace("hypothesis: \"\"", "hypothesis: width helps  # a hunch").replace(
        "prediction: null",
        "prediction: {metric: val/accuracy, direction: maximize, baseline: none, reason: first, minimal_effect: 0.9, seeds: 2}",
    );
    sandbox.write(&file, &text);
    sandbox.write(
        &format!("{FOLDER}/survey.md"),
        "# Survey\n\n## What is known\nMuch [@x].\n\n## What is missing\nWidth.\n\n## What we expect\nMore.\n",
    );
    let references = "schema: 1\nreferences:\n  - {key: x, title: X, doi: 10.1000/x, says: much}\n";
    sandbox.write("projects/image-classification/references.yaml", references);
    sandbox
}

/// What `git commit` answers to one edited file; afterwards everything is as before.
fn refused(sandbox: &Sandbox, path: &str, edit: impl FnOnce(String) -> String) -> String {
    let (head, before) = (sandbox.git("rev-parse HEAD"), sandbox.read(path));
    sandbox.write(path, &edit(before.clone()));
    sandbox.git(&format!("add {path}"));
    let said = sandbox.try_git(sandbox.top(), "commit -q -m by-hand");
    assert_eq!(sandbox.git("rev-parse HEAD"), head, "{said}");
    sandbox.git(&format!("restore --staged {path}"));
    sandbox.write(path, &before);
    said
}

#[test]
fn the_survey_is_left_only_when_it_is_written() {
    let sandbox = surveyed();
    let said = sandbox.run("phase next");
    assert!(said.contains("stays in survey") && said.contains("section `What is known`"), "{said}");
    assert!(sandbox.git("status --porcelain").is_empty());
    let sandbox = written();
    let said = sandbox.run("phase next");
    assert!(said.contains("survey → implement"), "{said}");
    assert!(sandbox.git("status --porcelain").is_empty());
    let text = sandbox.read(&format!("{FOLDER}/iteration.yaml"));
    assert!(text.contains("hypothesis: width helps  # a hunch") && text.contains("# What is asked"), "{text}");
    let message = sandbox.git("log -1 --format=%B");
    for trailer in ["AR-Project: image-classification", "AR-Iteration: 1", "AR-Phase: implement"] {
        assert!(message.contains(trailer), "{message}");
    }
}

#[test]
fn a_survey_that_is_its_template_is_refused_by_hand_too() {
    let sandbox = surveyed();
    let step = |text: String| {
        text.replace("phase: survey", "phase: implement")
            .replace("\n\n# What is asked", "\n  - {to: implement, at: \"2026-01-05T09:00:00Z\"}\n\n# What is asked")
    };
    let said = refused(&sandbox, &format!("{FOLDER}/iteration.yaml"), step);
    assert!(said.contains("section `What is known` of survey.md is as in its template"), "{said}");
    assert!(said.contains(&format!("--> {FOLDER}/survey.md:3")) && said.contains("hint: "), "{said}");
}

#[test]
fn steps_by_hand_are_judged() {
    let sandbox = written();
    assert!(sandbox.run("phase next").contains("survey → implement"));
    let file = format!("{FOLDER}/iteration.yaml");
    let append = |text: &str, steps: &[&str]| {
        let at = text.find("\n\n# What is asked").unwrap();
        let lines: String = steps.iter().map(|s| format!("\n  - {{to: {s}, at: \"2026-01-05T09:00:00Z\"}}")).collect();
        let phase = steps.last().unwrap();
        format!("{}{lines}{}", &text[..at], &text[at..]).replacen("phase: implement", &format!("phase: {phase}"), 1)
    };
    let skipped = refused(&sandbox, &file, |t| append(&t, &["analyze"]));
    assert!(skipped.contains("no step leads from implement to analyze"), "{skipped}");
    let jump = refused(&sandbox, &file, |t| t.replacen("phase: implement", "phase: conclude", 1));
    assert!(
        jump.contains("phase is conclude, but the steps end in implement") && jump.contains("iteration.yaml:3"),
        "{jump}"
    );
    let rewritten = refused(&sandbox, &file, |t| t.replacen("{to: survey, at: \"2026", "{to: survey, at: \"2025", 1));
    assert!(rewritten.contains("steps is rewritten"), "{rewritten}");
    let typo = refused(&sandbox, &file, |t| t.replacen("hypothesis:", "hypotesis:", 1));
    assert!(typo.contains("unknown key `hypotesis`") && typo.contains("did you mean `hypothesis`"), "{typo}");
    let deep = refused(&sandbox, &file, |t| format!("{t}x-deep: {}\n", "[".repeat(100_000)));
    assert!(deep.contains("error: ") && deep.contains("iteration.yaml:"), "{deep}");
    let empty = refused(&sandbox, &file, |_| String::new());
    assert!(empty.contains("the file is empty"), "{empty}");
    let binary = refused(&sandbox, &file, |_| "a\u{0}b".into());
    assert!(binary.contains("error: "), "{binary}");
    assert!(sandbox.git("status --porcelain").is_empty());
}

#[test]
fn every_way_to_commit_gets_the_same_verdict() {
    let sandbox = surveyed();
    let file = format!("{FOLDER}/iteration.yaml");
    let good = sandbox.read(&file);
    sandbox.write(&file, &good.replacen("phase: survey", "phase: conclude", 1));
    let head = sandbox.git("rev-parse HEAD");
    let folder = sandbox.top().join(FOLDER);
    for (place, words) in [
        (sandbox.top(), "commit -q -a -m x".to_string()),
        (sandbox.top(), format!("commit -q --only -m x -- {file}")),
        (folder.as_path(), "commit -q -a -m x".to_string()),
        (folder.as_path(), "commit -q -m x iteration.yaml".to_string()),
    ] {
        let said = sandbox.try_git(place, &words);
        assert!(said.contains("phase is conclude, but the steps end in survey"), "{words}\n{said}");
        assert_eq!(sandbox.git("rev-parse HEAD"), head);
    }
    // Staged bad and work tree good is refused, the reverse passes.
    sandbox.git(&format!("add {file}"));
    sandbox.write(&file, &good);
    assert!(sandbox.try_git(sandbox.top(), "commit -q -m x").contains("the steps end in survey"));
    sandbox.git(&format!("add {file}"));
    sandbox.write(&file, &good.replacen("phase: survey", "phase: conclude", 1));
    sandbox.write("note.txt", "a note\n");
    sandbox.git("add note.txt");
    sandbox.git("commit -q -m note");
    sandbox.write(&file, &good);
    // A linked worktree uses the same hooks.
    sandbox.git("worktree add -q ../other -b other");
    let other = sandbox.top().parent().unwrap().join("other");
    std::fs::write(other.join(&file), good.replacen("phase: survey", "phase: conclude", 1)).unwrap();
    let said = sandbox.try_git(&other, "commit -q -a -m x");
    assert!(said.contains("the steps end in survey"), "{said}");
}

#[test]
fn an_id_is_used_once_and_settings_stay() {
    let sandbox = surveyed();
    sandbox.write(
        "projects/image-classification/iterations/1-again/iteration.yaml",
        "schema: 1\nphase: planned\nsteps: []\n",
    );
    sandbox.git("add -A");
    let said = sandbox.try_git(sandbox.top(), "commit -q -m x");
    assert!(said.contains("iteration id 1 is used twice"), "{said}");
    sandbox.git("rm -r -q --cached projects/image-classification/iterations/1-again");
    sandbox.git("rm -q --cached configs/ar.yaml");
    let said = sandbox.try_git(sandbox.top(), "commit -q -m x");
    assert!(said.contains("configs/ar.yaml") && said.contains("removed"), "{said}");
}

#[test]
fn an_iteration_gets_another_id_with_all_that_refers_to_it() {
    let sandbox = surveyed();
    sandbox.run("iter new image-classification \"width\" --supersedes 1");
    let second = "projects/image-classification/iterations/1b-width/iteration.yaml";
    let text = sandbox.read(second) + "compare_to: image-classification/1/a\n";
    sandbox.commit(second, &text);
    let said = sandbox.run("iter renumber 1 1b");
    assert!(said.contains("is there already"), "{said}");
    let said = sandbox.run("iter renumber 1 7");
    assert!(said.contains("image-classification/1 is now image-classification/7"), "{said}");
    let text = sandbox.read(second);
    assert!(text.contains("supersedes: \"7\"") && text.contains("compare_to: image-classification/7/a"), "{text}");
    assert!(sandbox.run("status").contains("image-classification/7  survey"));
    assert!(sandbox.git("status --porcelain").is_empty());
    // Two clones made the same id.
    let twin = "projects/image-classification/iterations/7-twin/iteration.yaml";
    sandbox.write(twin, "schema: 1\nphase: planned\nsteps: []\n");
    sandbox.git("add -A");
    sandbox.git("commit -q --no-verify -m merged");
    assert!(sandbox.run("check --tree HEAD").contains("git ar iter renumber image-classification/7-"));
    let said = sandbox.run("iter renumber image-classification/7-twin 8");
    assert!(said.contains("is now image-classification/8"), "{said}");
    assert!(sandbox.run("check --tree HEAD").contains("in order"));
}

#[test]
fn a_waiver_and_a_back_step_need_their_words() {
    let sandbox = written();
    sandbox.run("phase next");
    let said = sandbox.run("gate waive smok --reason x --until 2026-02-01");
    assert!(said.contains("did you mean `smoke`"), "{said}");
    let said = sandbox.run("gate waive smoke --reason \"no machine, yet\" --until 2025-02-01");
    assert!(said.contains("is over"), "{said}");
    let said = sandbox.run("gate waive smoke --reason \"no machine, yet\" --until 2026-02-01");
    assert!(said.contains("set aside until 2026-02-01"), "{said}");
    assert!(sandbox.read(&format!("{FOLDER}/iteration.yaml")).contains("reason: \"no machine, yet\""));
    let said = sandbox.run("phase back --to experiment --reason x");
    assert!(said.contains("no step leads back from implement to experiment"), "{said}");
    let said = sandbox.run("phase back --to survey --reason \"the question was too wide\"");
    assert!(said.contains("implement → survey"), "{said}");
    let said = sandbox.run("iter abandon 1 --reason \"somebody did it\"");
    assert!(said.contains("survey → abandoned"), "{said}");
    let said = sandbox.run("phase next image-classification/1");
    assert!(said.contains("is abandoned; it is never reopened"), "{said}");
    let said = sandbox.run("next");
    assert!(said.contains("git ar start"), "{said}");
}

#[test]
fn a_verb_commits_exactly_its_own_files() {
    let sandbox = written();
    sandbox.write("mine.txt", "half done\n");
    sandbox.git("add mine.txt");
    let said = sandbox.run("phase next --no-commit");
    assert!(said.contains("not committed"), "{said}");
    assert!(sandbox.git("diff --cached --name-only").contains("iteration.yaml"));
    sandbox.git("commit -q -m by-hand");
    sandbox.write("mine.txt", "more\n");
    sandbox.git("add mine.txt");
    let said = sandbox.run("phase back --to survey --reason again");
    assert!(said.contains("implement → survey"), "{said}");
    assert_eq!(sandbox.git("diff --cached --name-only").trim(), "mine.txt");
    assert!(!sandbox.git("show --name-only --format= HEAD").contains("mine.txt"));
}

#[test]
fn a_squash_of_legal_steps_passes_and_check_names_the_bad_commit() {
    let sandbox = written();
    sandbox.git("checkout -q -b feature");
    sandbox.run("phase next");
    sandbox.run("phase back --to survey --reason \"one more paper\"");
    sandbox.run("phase next");
    sandbox.git("checkout -q develop");
    sandbox.git("merge -q --squash feature");
    let said = sandbox.try_git(sandbox.top(), "commit -q -m squashed");
    assert!(!said.contains("error") && sandbox.git("status --porcelain").is_empty(), "{said}");
    let range = sandbox.run("check --range develop~1..develop");
    assert!(range.contains("in order"), "{range}");
    let file = format!("{FOLDER}/iteration.yaml");
    sandbox.write(&file, &sandbox.read(&file).replacen("phase: implement", "phase: concluded", 1));
    sandbox.git("commit -q -a --no-verify -m round-the-hook");
    let bad = sandbox.git("rev-parse --short=10 HEAD");
    let range = sandbox.run("check --range develop~2..develop");
    assert!(
        range.contains(&format!("commit {}", bad.trim())) && range.contains("the steps end in implement"),
        "{range}"
    );
}

#[test]
fn a_plan_that_no_queue_takes_is_told_before_anything_is_submitted() {
    let sandbox = written();
    let said = sandbox.run("phase next");
    assert!(said.contains("survey → implement"), "{said}");
    let site = "schema: 1\nscheduler: pbs\ntransport: ssh\nhost: site\nscratch: /s\ndefault_queue: gpu_1\nqueues:\n  \
                gpu_1: {max_walltime: \"12:00:00\", gpus: [1, 1], resources: {ngpus: 1}}\n";
    sandbox.commit("configs/cluster/site.yaml", site);
    let file = format!("{FOLDER}/iteration.yaml");
    let text = sandbox.read(&file);
    let gates = |more: &str| {
        let plan = format!("plan:\n  - {{experiment: digits_ffnn_adam, seeds: 0-1{more}}}\n");
        sandbox.write(&file, &text.replace("plan: []\n", &plan));
        sandbox.run("gate list")
    };
    let long = gates(", cluster: site, walltime: \"13:00:00\"");
    assert!(long.contains("walltime 13:00:00 is above queue gpu_1's 12:00:00"), "{long}");
    assert!(gates(", cluster: site, queue: gpu_2").contains("has no queue `gpu_2`"));
    assert!(gates(", cluster: sight").contains("there is no cluster `sight`"));
    for good in ["", ", cluster: site", ", cluster: site, walltime: \"12:00:00\""] {
        assert!(gates(good).contains("ok    cluster"), "{}", gates(good));
    }
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: reference\ncluster: nowhere\n");
    sandbox.git("commit -q -m settings -- configs/ar.yaml");
    assert!(gates("").contains("there is no cluster `nowhere`"));
}
