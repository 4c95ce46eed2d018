//! Files that are not as they should be: named with line, column and the line itself, and never counted in silence.

use crate::sandbox::Sandbox;

const FILE: &str = "projects/p/project.yaml";

fn repository() -> Sandbox {
    let sandbox = Sandbox::repository();
    sandbox.write("configs/ar.yaml", "schema: 1\ntrainer: reference\n");
    sandbox.write(FILE, "schema: 1\ntitle: T\nquestion: Q\n");
    sandbox.git("add -A");
    sandbox.git("commit -q -m start");
    sandbox
}

/// What `check` says when the project's file holds these bytes.
fn said(sandbox: &Sandbox, bytes: &[u8]) -> String {
    std::fs::write(sandbox.top().join(FILE), bytes).unwrap();
    sandbox.git("add -A");
    sandbox.run("check")
}

#[test]
fn yaml_that_is_wrong_is_told_with_its_place_and_its_line() {
    let sandbox = repository();
    for (text, place, words) in [
        ("schema: 1\ntitle: T\ntitle: U\nquestion: Q\n", "3:1\n   | title: U", "key `title` is given twice"),
        ("schema: 1\ntitel: T\nquestion: Q\n", "2:1\n   | titel: T", "did you mean `title`?"),
        ("schema: 1\ntitle: [a]\nquestion: Q\n", "2:8\n   | title: [a]", "expected text, found a list"),
        ("schema: 1\ntitle: T\nladder:\n\t- a\n", "4:2\n   | ^I- a", "tabs"),
        ("schema: 1\ntitle: T\nquestion: Q\n---\nschema: 1\n", "5:1", "a second YAML document"),
        ("", "", "the file is empty"),
        ("# nothing\n", "", "the file is empty"),
        ("schema: 1\ntitle: !!python/object:os.system x\nquestion: Q\n", "2:34", "state files hold plain values"),
        ("schema: 1\ntitle: \"T\nquestion: Q\n", "2:8\n   | title: \"T", "unclosed quote"),
        ("schema: 1\ntitle: *nope\nquestion: Q\n", "2:8\n   | title: *nope", "unknown anchor"),
        ("schema: 1\n<<: {title: T}\nquestion: Q\n", "2:1", "unknown key `<<`"),
        ("schema: 1\ntitle: T\n", "1:1", "key `question` is missing"),
        ("schema: one\ntitle: T\nquestion: Q\n", "1:1", "`schema` is not a version number"),
        ("- a\n", "1:1", "key `schema` is missing"),
        ("schema: 1\ntitle: T\n<<<<<<< HEAD\nquestion: Q\n", "3", "conflict marker"),
    ] {
        let told = said(&sandbox, text.as_bytes());
        let at = if place.is_empty() { format!("--> {FILE}\n") } else { format!("--> {FILE}:{place}") };
        assert!(told.contains(words) && told.contains("[exit 5]"), "{text:?}: {told}");
        assert!(told.replace('\t', "^I").contains(&at), "{text:?}: {told}");
    }
    for bytes in [&b"schema: 1\ntitle: T\xe9\nquestion: Q\n"[..], b"\xff\xfes\0c\0h\0", &[0; 64], &[b'['; 100_000]] {
        let told = said(&sandbox, bytes);
        assert!(told.contains(&format!("--> {FILE}")) && told.contains("[exit 5]"), "{told}");
    }
    let huge = format!("schema: 1\ntitle: T\nquestion: Q\nx-a: {}\n", "a".repeat(2 << 20));
    assert!(said(&sandbox, huge.as_bytes()).contains("[exit 5]"));
    for good in ["\u{feff}schema: 1\ntitle: T\nquestion: Q\n", "schema: 1\r\ntitle: T\r\nquestion: Q\r\n"] {
        assert!(said(&sandbox, good.as_bytes()).contains("in order"), "{good:?}");
    }
}

#[test]
fn an_edit_by_a_verb_touches_its_own_lines() {
    let sandbox = repository();
    let said = sandbox.run("start nets --project p");
    assert!(said.contains("p/1"), "{said}");
    let path = "projects/p/iterations/1-nets/iteration.yaml";
    let text =
        sandbox.read(path).replace("question:", "# mine, with \"quotes\": kept\nx-lab: 'a  b'   # twice\nquestion:");
    sandbox.commit(path, &text);
    assert!(sandbox.run("iter abandon p/1 --reason \"no time: # really\"").contains("abandoned"));
    let diff = sandbox.git(&format!("diff -U0 HEAD~1 -- {path}"));
    let changed: Vec<&str> =
        diff.lines().filter(|l| l.starts_with(['+', '-']) && !l.starts_with("+++") && !l.starts_with("---")).collect();
    assert!(changed.iter().all(|l| l.contains("phase") || l.contains("abandoned") || l.contains("reason")), "{diff}");
    let after = sandbox.read(path);
    assert!(after.contains("# mine, with \"quotes\": kept\nx-lab: 'a  b'   # twice\n"), "{after}");
}

/// One run of seeds 0 to 2, recorded by hand past the hooks.
fn recorded(sandbox: &Sandbox, id: &str, change: impl Fn(u64, String) -> String) {
    let folder = format!("projects/p/runs/{id}");
    let run = "schema: 1\nkind: full\nexperiment: narrow\ncluster: local\ncreated: 2026-01-02T03:04:05Z\nanchor: {commit: c0ffee, code_tree: aaaaaa, manifest: m}\n\
               command: [x]\nconfig_digest: d\nseeds: 0-2\n";
    sandbox.write(&format!("{folder}/run.yaml"), run);
    sandbox.write(&format!("{folder}/config.yaml"), "dataset: {name: digits}\n");
    let attempt = "schema: 1\ncluster: local\nsubmitted: 2026-01-02T03:04:05Z\nexit: {at: 2026-01-02T04:00:00Z, code: 0}\nverdict: succeeded\n";
    sandbox.write(&format!("{folder}/attempts/1.yaml"), attempt);
    for seed in 0..3 {
        let metrics = format!(
            r#"{{"schema":1,"run":"{id}","seed":{seed},"commit":"c0ffee","config_digest":"d","status":"completed","epochs_planned":10,"epochs_run":10,"metrics":{{"val/accuracy":{{"final":0.9{seed},"best":0.9{seed},"best_epoch":5,"direction":"maximize"}}}}}}"#
        );
        let metrics = change(seed, metrics);
        if !metrics.is_empty() {
            sandbox.write(&format!("{folder}/seed-{seed}/metrics.json"), &metrics);
        }
    }
}

#[test]
fn a_result_that_is_wrong_is_never_ranked_in_silence() {
    let in_first = |from: &'static str, to: &'static str| {
        move |seed: u64, text: String| if seed == 0 { text.replacen(from, to, 1) } else { text }
    };
    type Change = Box<dyn Fn(u64, String) -> String>;
    let cases: [(&str, Change); 9] = [
        ("NaN", Box::new(in_first("0.90", "NaN"))),
        ("Infinity", Box::new(in_first("0.90", "Infinity"))),
        ("1e999", Box::new(in_first("0.90", "1e999"))),
        ("text for a number", Box::new(in_first("0.90", "\"0.90\""))),
        ("a huge whole number", Box::new(in_first("\"seed\":0", "\"seed\":99999999999999999999"))),
        ("a key given twice", Box::new(in_first("\"seed\":0", "\"seed\":0,\"seed\":1"))),
        ("another seed's", Box::new(in_first("\"seed\":0", "\"seed\":1"))),
        ("cut", Box::new(|seed, text| if seed == 0 { text[..40].to_string() } else { text })),
        ("missing", Box::new(|seed, text| if seed == 0 { String::new() } else { text })),
    ];
    for (what, change) in cases {
        let sandbox = repository();
        sandbox.write("configs/ar.yaml", "schema: 1\nloop: off\ntrainer: reference\n");
        sandbox.write(
            "configs/board/digits.yaml",
            "schema: 1\ntitle: Digits\ndataset: digits\npolicy: [valid, seeds >= 3]\n",
        );
        recorded(&sandbox, "aaaaa-narrow", change);
        sandbox.git("add -A");
        // The hook would not take it.
        let told = sandbox.run("check");
        assert_eq!(
            told.contains("seed-0/metrics.json:1") && told.contains("[exit 5]"),
            what != "missing",
            "{what}: {told}"
        );
        sandbox.git("commit -q --no-verify -m forged");
        let shown = sandbox.run("board show");
        assert!(shown.contains("Not ranked") && !shown.contains("Ranked\n #"), "{what}: {shown}");
        assert!(shown.contains("seed") || shown.contains("metrics"), "{what}: {shown}");
    }
}
