//! `git ar undo`: commits of git-ar go back exactly, nobody's edit is lost, and what cannot go back is told.

use sha2::Digest as _;

use crate::sandbox::Sandbox;

const FOLDER: &str = "projects/nets/iterations/1-small-nets";

/// A research repository with an iteration in phase survey.
fn started() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: reference\n");
    sandbox.commit("notes.md", "prose\n");
    let said = sandbox.run("project new Nets");
    assert!(said.contains("committed"), "{said}");
    let said = sandbox.run("start \"small nets\" --project nets");
    assert!(said.contains("nets/1 in phase survey"), "{said}");
    sandbox
}

/// Writes what the survey asks for, without a commit.
fn write_survey(sandbox: &Sandbox) {
    let file = format!("{FOLDER}/iteration.yaml");
    let text = sandbox.read(&file).replace("hypothesis: \"\"", "hypothesis: width helps  # a hunch").replace(
        "prediction: null",
        "prediction: {metric: val/accuracy, direction: maximize, baseline: none, reason: first, minimal_effect: 0.9, seeds: 2}",
    );
    sandbox.write(&file, &text);
    let survey = "# Survey\n\n## What is known\nMuch [@x].\n\n## What is missing\nWidth.\n\n## What we expect\nMore.\n";
    sandbox.write(&format!("{FOLDER}/survey.md"), survey);
    let references = "schema: 1\nreferences:\n  - {key: x, title: X, doi: 10.1000/x, says: much}\n";
    sandbox.write("projects/nets/references.yaml", references);
}

/// What a person can see of a state: branch, index, work tree.
fn seen(sandbox: &Sandbox) -> String {
    let all = "git rev-parse HEAD; git status --porcelain; git ls-files -s; git diff; git diff --cached; \
               find . -path ./.git -prune -o -type f -print | sort | xargs head -v -c 100000";
    sandbox.sh(sandbox.top(), all)
}

#[test]
fn the_last_commits_go_back_exactly() {
    let sandbox = started();
    let before = seen(&sandbox);
    sandbox.write("staged.txt", "somebody is at work\n");
    sandbox.git("add staged.txt");
    sandbox.write("notes.md", "prose that is being written\n");
    let edited = seen(&sandbox);
    assert!(sandbox.run("iter new nets wider").contains("committed"));
    let tip = sandbox.git("rev-parse HEAD");
    assert!(
        sandbox.run("gate waive smoke nets/2 --reason \"the node is down\" --until 2026-12-31").contains("committed")
    );
    let dry = sandbox.run("undo 2 --dry-run");
    assert!(dry.contains("would take back") && dry.contains("next: git ar undo 2"), "{dry}");
    assert_eq!(sandbox.git("rev-parse HEAD~1"), tip);
    let said = sandbox.run("undo");
    assert!(said.contains("took back") && said.contains("nothing is lost: git branch NAME"), "{said}");
    assert_eq!(sandbox.git("rev-parse HEAD"), tip);
    assert!(!sandbox.run("undo").contains("[exit"));
    assert_eq!(seen(&sandbox), edited);
    sandbox.git("rm -q --cached staged.txt");
    std::fs::remove_file(sandbox.top().join("staged.txt")).unwrap();
    sandbox.git("restore notes.md");
    assert_eq!(seen(&sandbox), before);
    assert!(sandbox.git("reflog -2").contains("git ar undo: "), "{}", sandbox.git("reflog -2"));
}

#[test]
fn what_a_person_had_written_before_the_command_is_there_again_and_not_committed() {
    let sandbox = started();
    write_survey(&sandbox);
    let before = seen(&sandbox);
    let said = sandbox.run("phase next");
    assert!(said.contains("survey → implement") && sandbox.git("status --porcelain").is_empty(), "{said}");
    let said = sandbox.run("undo");
    assert!(said.contains("took back"), "{said}");
    assert_eq!(seen(&sandbox), before);
    // The commit below holds none of it, but its files are edited now.
    let said = sandbox.run("undo");
    assert!(said.contains("was edited since") && said.contains("[exit 4]"), "{said}");
    let said = sandbox.run("phase next");
    assert!(said.contains("survey → implement"), "{said}");
    let said = sandbox.run("undo 2");
    assert!(said.contains("somebody's own edit stands in this file") && said.contains("[exit 4]"), "{said}");
}

/// As git-lfs does it: the object is a pointer, and what it points to lies elsewhere.
const FILTER: &str = r#"
store="$HOME/large"
mkdir -p "$store"
case $1 in
clean)
    cat >"$store/part"
    id=$(git hash-object --no-filters "$store/part")
    mv "$store/part" "$store/$id"
    echo "pointer $id"
    ;;
smudge)
    read -r _ id
    cat "$store/$id"
    ;;
esac
"#;

#[test]
fn files_that_go_through_filters_of_git_are_there_again_byte_for_byte() {
    let sandbox = Sandbox::repository();
    std::fs::write(sandbox.home().join("filter"), FILTER).unwrap();
    for way in ["clean", "smudge"] {
        sandbox.git(&format!("config filter.large.{way} \"sh ~/filter {way}\""));
    }
    sandbox.git("config filter.large.required true");
    sandbox.write(".gitattributes", "*.md filter=large\nproject.yaml eol=crlf\n");
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: reference\n");
    sandbox.commit("notes.md", "prose\n");
    assert!(sandbox.run("project new Nets").contains("committed"));
    let project = seen(&sandbox);
    assert!(sandbox.run("start \"small nets\" --project nets").contains("committed"));
    let file = format!("{FOLDER}/survey.md");
    assert!(sandbox.git(&format!("show HEAD:{file}")).starts_with("pointer "));
    let begun = seen(&sandbox);
    write_survey(&sandbox);
    let written = seen(&sandbox);
    let said = sandbox.run("phase next");
    assert!(said.contains("survey → implement") && sandbox.git("status --porcelain").is_empty(), "{said}");
    assert!(sandbox.run("undo").contains("took back"));
    assert_eq!(seen(&sandbox), written);
    // Where nothing is known of that edit: what git checks out.
    assert!(sandbox.run("phase next").contains("survey → implement"));
    std::fs::remove_dir_all(sandbox.top().join(".git/ar/undo")).unwrap();
    assert!(sandbox.run("undo").contains("took back"));
    assert_eq!(seen(&sandbox), begun);
    assert!(sandbox.run("undo").contains("took back"));
    assert_eq!(seen(&sandbox), project);
}

#[test]
fn an_edit_made_since_is_never_lost() {
    let sandbox = started();
    let file = format!("{FOLDER}/survey.md");
    let text = sandbox.read(&file) + "more\n";
    sandbox.write(&file, &text);
    let before = seen(&sandbox);
    let said = sandbox.run("undo");
    assert!(said.contains(&format!("--> {file}")) && said.contains("[exit 4]"), "{said}");
    sandbox.git(&format!("add {file}"));
    assert!(sandbox.run("undo").contains("[exit 4]"));
    sandbox.git(&format!("restore --staged {file}"));
    assert_eq!(seen(&sandbox), before);
}

#[test]
fn only_git_ar_s_own_commits_go() {
    let sandbox = started();
    let tip = sandbox.commit("train.py", "print(1)\n");
    let said = sandbox.run("undo");
    assert!(said.contains("was not made by git-ar") && said.contains("[exit 4]"), "{said}");
    sandbox.git("reset -q --hard HEAD~1");
    // Amended, so that it holds somebody's work.
    sandbox.write("train.py", "print(1)\n");
    sandbox.git("add train.py");
    sandbox.git("commit -q --amend --no-edit");
    let said = sandbox.run("undo");
    assert!(said.contains("was changed since git-ar made it") && said.contains("[exit 4]"), "{said}");
    assert!(sandbox.top().join("train.py").exists());
    let said = sandbox.run("undo 0");
    assert!(said.contains("[exit 2]"), "{said}");
    sandbox.git(&format!("reset -q --hard {tip}"));
}

#[test]
fn a_pushed_commit_stays_and_a_new_one_takes_it_back_where_the_rules_allow_it() {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: reference\n");
    sandbox.commit("notes.md", "prose\n");
    sandbox.run("project new Nets");
    sandbox.git("init -q --bare ../remote.git");
    sandbox.git("remote add origin ../remote.git");
    sandbox.git("push -q -u origin develop");
    let tip = sandbox.git("rev-parse HEAD").trim().to_string();
    sandbox.run("iter new nets wider");
    let said = sandbox.run("undo 2");
    assert!(said.contains("1 are not pushed") && said.contains("[exit 4]"), "{said}");
    assert!(!sandbox.run("undo").contains("[exit"));
    let said = sandbox.run("undo");
    assert!(said.contains("committed") && said.contains("next: git push"), "{said}");
    assert_eq!(sandbox.git("rev-parse HEAD~1").trim(), tip);
    assert!(!sandbox.top().join("projects/nets").exists());
    assert!(sandbox.git("log -1 --format=%B").contains(&format!("AR-Undo: {tip}")));
    // An undo that nobody has yet is taken back like any other.
    assert!(!sandbox.run("undo").contains("[exit"));
    assert!(sandbox.top().join("projects/nets/project.yaml").exists());
    sandbox.run("start \"small nets\" --project nets");
    sandbox.git("push -q");
    let said = sandbox.run("iter abandon nets/1 --reason wide");
    assert!(said.contains("committed"), "{said}");
    sandbox.git("push -q");
    let said = sandbox.run("undo");
    assert!(said.contains("is pushed, so only a new commit can take it back") && said.contains("[exit 4]"), "{said}");
    assert!(sandbox.git("status --porcelain").is_empty());
}

#[test]
fn in_a_linked_worktree_and_down_to_the_first_commit() {
    let sandbox = started();
    sandbox.git("worktree add -q ../other -b side");
    let other = sandbox.top().parent().unwrap().join("other");
    let main = sandbox.git("rev-parse develop");
    assert!(sandbox.run_in(&other, "iter new nets wider").contains("committed"));
    assert!(!sandbox.run_in(&other, "undo 2").contains("[exit"));
    assert_eq!(sandbox.git("rev-parse develop"), main);
    assert_eq!(sandbox.git("rev-parse side"), sandbox.git("rev-parse develop~1"));
    assert_eq!(sandbox.try_git(&other, "status --porcelain"), "");
    let sandbox = Sandbox::empty();
    assert!(sandbox.run("init").contains("committed"));
    let said = sandbox.run("undo");
    assert!(said.contains("took back") && said.contains("hook uninstall"), "{said}");
    assert!(sandbox.try_git(sandbox.top(), "rev-parse --verify HEAD").contains("[exit"));
    assert_eq!(sandbox.git("status --porcelain"), "");
    assert!(sandbox.run("init").contains("committed"));
}

#[test]
fn a_submitted_job_is_not_taken_back() {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\nloop: \"off\"\n");
    sandbox.commit("projects/anp/project.yaml", "schema: 1\ntitle: Digits\nquestion: Which net?\n");
    let path = "projects/anp/runs/ka001-mlp/attempts/1.yaml";
    let attempt = "schema: 1\ncluster: lengau\njob: 123.sched01\nsubmitted: 2026-01-05T07:00:00Z\n";
    sandbox.write(path, attempt);
    sandbox.git("add -A");
    // As `run submit` commits it: with the digest of what the commit changes.
    let digest = |text: &str| {
        let bytes = sha2::Sha256::digest(text.as_bytes());
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let change = &digest(&format!("{} {path}\n", digest(attempt)))[..16];
    let message = format!("run: submitted\n\nAR-Verb: run submit\nAR-Change: {change}\n");
    sandbox.write("../message", &message);
    sandbox.git("commit -q -F ../message");
    let said = sandbox.run("undo");
    assert!(said.contains("job 123.sched01 was submitted to lengau") && said.contains("[exit 4]"), "{said}");
    assert!(said.contains("git ar job cancel ka001-mlp"), "{said}");
    assert_eq!(sandbox.git("rev-list --count HEAD"), "2\n");
}

#[test]
fn results_of_a_run_are_recorded_again_without_training() {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: reference\nloop: \"off\"\n");
    sandbox.write(
        "configs/config.yaml",
        "defaults:\n  - _self_\n  - experiment: null\nseed: 0\nepochs: 1\nbatch_size: 600\n",
    );
    let experiment = "# @package _global_\ndataset: {name: digits}\nmodel: {name: ffnn, hidden: [4]}\n\
                      optimizer: {name: sgd, lr: 0.1, momentum: 0.9}\n";
    sandbox.write("configs/experiment/mlp.yaml", experiment);
    sandbox.commit("projects/anp/project.yaml", "schema: 1\ntitle: Digits\nquestion: Which net?\n");
    assert!(sandbox.run("run local mlp --seeds 0").contains("committed"));
    let results = || sandbox.git("ls-files -s -- *metrics.json");
    let measured = results();
    let said = sandbox.run("undo");
    assert!(said.contains("in scratch; the same command records them again without training"), "{said}");
    assert_eq!(sandbox.git("status --porcelain"), "");
    let said = sandbox.run("run local mlp --seeds 0");
    assert!(said.contains("committed"), "{said}");
    assert_eq!((results(), measured.lines().count()), (measured, 1));
}
