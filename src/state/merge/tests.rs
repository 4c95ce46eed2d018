//! Merges of whole files.

use super::*;

const BASE: &str = "\
# mine
schema: 1
phase: survey  # now
steps:
  - {to: survey, at: 2026-01-05T08:00:00Z}

question: \"a?\"
prediction: {metric: val/accuracy, seeds: 3}
plan:
  # the first
  - {experiment: a, seeds: 0-2}
  - experiment: b
    seeds: 0-2
next: []
x-lab: {bench: 7, people: [z, a]}
";

fn merged(ours: &str, theirs: &str) -> Merged {
    let names = ["develop", "side"];
    tree(&Versions { base: BASE, ours, theirs, names, marker: 7 }).unwrap()
}

fn clean(ours: &str, theirs: &str) -> String {
    let found = merged(ours, theirs);
    assert_eq!(found.conflicts, [""; 0], "{}", found.text);
    // Which side is which does not decide whether it works.
    assert!(merged(theirs, ours).conflicts.is_empty());
    found.text
}

#[test]
fn different_keys_items_and_comments_come_together() {
    let ours = BASE
        .replace("\"a?\"", "\"b?\"  # better")
        .replace("next: []", "next: [x]")
        .replace("    seeds: 0-2\n", "    seeds: 0-2\n  # third\n  - {experiment: c, seeds: 1}\n");
    let theirs = BASE
        .replace("seeds: 3}", "seeds: 5}")
        .replace("next: []", "next:\n  - y  # why not")
        .replace("# the first", "# the very first")
        .replace("b\n    seeds: 0-2\n", "b\n    seeds: 0-4\n  - {experiment: d, seeds: 1}\n")
        .replace("bench: 7", "bench: 8")
        + "display: {rows: {a: A}}\n";
    let expected = "\
# mine
schema: 1
phase: survey  # now
steps:
  - {to: survey, at: 2026-01-05T08:00:00Z}

question: \"b?\"  # better
prediction: {metric: val/accuracy, seeds: 5}
plan:
  # the very first
  - {experiment: a, seeds: 0-2}
  - experiment: b
    seeds: 0-4
  # third
  - {experiment: c, seeds: 1}
  - {experiment: d, seeds: 1}
next:
  - x
  - y  # why not
x-lab: {bench: 8, people: [z, a]}
display: {rows: {a: A}}
";
    assert_eq!(clean(&ours, &theirs), expected);
}

#[test]
fn of_two_lists_of_steps_the_longer_one_holds_both() {
    let step = |text: &str, to: &str| {
        let more = format!("08:00:00Z}}\n  - {{to: {to}, at: 2026-01-06T08:00:00Z}}\n");
        text.replacen("08:00:00Z}\n\n", &format!("{more}\n"), 1).replace("phase: survey", &format!("phase: {to}"))
    };
    let theirs = step(BASE, "implement");
    let ours = BASE.replace("  # now", "").replace("\"a?\"", "\"b?\"");
    let found = clean(&ours, &theirs);
    assert!(found.contains("phase: implement") && found.contains("to: implement") && found.contains("b?"), "{found}");

    let other = step(BASE, "abandoned");
    let found = merged(&theirs, &other);
    assert_eq!(found.conflicts, ["phase", "steps"]);
    let expected = "\
  - {to: survey, at: 2026-01-05T08:00:00Z}
<<<<<<< develop: phase implement
  - {to: implement, at: 2026-01-06T08:00:00Z}
=======
  - {to: abandoned, at: 2026-01-06T08:00:00Z}
>>>>>>> side: phase abandoned
";
    assert!(found.text.contains(expected), "{}", found.text);
}

#[test]
fn one_value_changed_in_two_ways_is_a_conflict_of_that_value() {
    let found = merged(&BASE.replace("a?", "b?"), &BASE.replace("a?", "c?").replace("next: []", "next: [n]"));
    assert_eq!(found.conflicts, ["question"]);
    let expected = "<<<<<<< develop: phase survey\nquestion: \"b?\"\n=======\nquestion: \"c?\"\n>>>>>>> side: phase survey\nprediction";
    assert!(found.text.contains(expected) && found.text.contains("next: [n]"), "{}", found.text);
    // Inside braces no marker can stand, so the whole value is told.
    let found = merged(&BASE.replace("seeds: 3", "seeds: 4"), &BASE.replace("seeds: 3", "seeds: 5"));
    assert!(found.text.contains("=======\nprediction: {metric: val/accuracy, seeds: 5}\n"), "{}", found.text);
    // In an item that is written on several lines it stands at the key.
    let ours = BASE.replace("b\n    seeds: 0-2", "b\n    seeds: 0-3");
    let found = merged(&ours, &BASE.replace("b\n    seeds: 0-2", "b\n    seeds: 0-4"));
    assert_eq!(found.conflicts, ["plan.seeds"]);
    assert!(found.text.contains("phase survey\n    seeds: 0-3\n=======\n    seeds: 0-4\n>>>>>>>"), "{}", found.text);
}

#[test]
fn what_one_side_removes_is_gone_unless_the_other_changed_it() {
    let without = BASE.replace("  # the first\n  - {experiment: a, seeds: 0-2}\n", "");
    let found = clean(&without, &BASE.replace("a?", "b?"));
    assert_eq!(found, without.replace("a?", "b?"));
    let found = merged(&without, &BASE.replace("a, seeds: 0-2", "a, seeds: 0-9"));
    assert_eq!(found.conflicts, ["plan"]);
    let trailing = BASE.replace("x-lab: {bench: 7, people: [z, a]}\n", "");
    assert_eq!(clean(&trailing, &BASE.replace("a?", "b?")), trailing.replace("a?", "b?"));
}

#[test]
fn attempts_gain_keys_and_nothing_else() {
    let base = "schema: 1\ncluster: c\njob: \"7\"\n";
    let versions = |ours, theirs| Versions { base, ours, theirs, names: ["a", "b"], marker: 7 };
    let ours = format!("{base}start: {{host: n1}}\n");
    let theirs = format!("{base}start: {{host: n1}}\nverdict: succeeded\n");
    assert_eq!(tree(&versions(&ours, &theirs)).unwrap().text, theirs);
    let other = format!("{base}verdict: failed\n");
    assert_eq!(tree(&versions(&theirs, &other)).unwrap().conflicts, ["verdict"]);
}

#[test]
fn line_ends_and_marks_are_ours() {
    let ours = format!("\u{feff}{}", BASE.replace("a?", "b?")).replace('\n', "\r\n");
    let found = clean(&ours, &BASE.replace("next: []", "next: [n]"));
    assert!(found.starts_with("\u{feff}# mine\r\n") && found.contains("next: [n]\r\n"));
    assert_eq!(found.matches('\n').count(), found.matches("\r\n").count());
}

#[test]
fn a_file_that_does_not_read_is_left_to_its_lines() {
    for broken in ["a: [\n", "- 1\n", "", "<<<<<<< x\n"] {
        assert_eq!(tree(&Versions { base: BASE, ours: BASE, theirs: broken, names: ["a", "b"], marker: 7 }), None);
    }
}

#[test]
fn each_path_has_its_way() {
    let run = "projects/p/iterations/1-a/runs/kq7f3-a";
    for (path, expected) in [
        ("projects/p/iterations/1-a/iteration.yaml", How::Tree),
        ("projects/p/project.yaml", How::Tree),
        ("configs/ar.yaml", How::Tree),
        ("configs/cluster/x.yaml", How::Tree),
        (&*format!("{run}/attempts/1.yaml"), How::Tree),
        (&*format!("{run}/run.yaml"), How::Once),
        (&*format!("{run}/seed-0/metrics.json"), How::Once),
        ("leaderboard/mnist.json", How::Generated),
        ("README.md", How::Text),
        ("projects/p/iterations/1-a/analysis.md", How::Text),
    ] {
        assert_eq!(how(path), expected, "{path}");
    }
}

/// A text with some lines dropped, doubled, moved or changed; what the numbers say.
fn mutated(text: &str, numbers: &mut impl FnMut(usize) -> usize) -> String {
    let mut lines: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
    for _ in 0..=numbers(3) {
        let (at, to) = (numbers(lines.len()), numbers(lines.len()));
        match numbers(6) {
            0 => _ = lines.remove(at),
            1 => lines.insert(to, lines[at].clone()),
            2 => lines.swap(at, to),
            3 => lines[at] = lines[at].replace("0-2", "0-3").replace("a", "e"),
            4 => lines.insert(to, "# said\n".into()),
            _ => lines.insert(to, "x-more: [1, {b: \"c, d\"}]  # 'e\n".into()),
        }
    }
    lines.concat()
}

#[test]
fn any_texts_merge_or_conflict_and_the_untouched_side_changes_nothing() {
    let mut state = 7_u64;
    let mut numbers = |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end.max(1)
    };
    let whole =
        |base: &str, ours: &str, theirs: &str| tree(&Versions { base, ours, theirs, names: ["a", "b"], marker: 7 });
    let mut read_well = 0;
    for _ in 0..400 {
        let (ours, theirs) = (mutated(BASE, &mut numbers), mutated(BASE, &mut numbers));
        if let Some(merged) = whole(BASE, &ours, &theirs) {
            read_well += 1;
            let markers = merged.text.lines().any(|line| line.starts_with("<<<<<<< "));
            assert_eq!(markers, !merged.conflicts.is_empty(), "{}", merged.text);
        }
        for (ours, theirs) in [(BASE, &*theirs), (&*theirs, BASE), (&*theirs, &*theirs)] {
            if let Some(merged) = whole(BASE, ours, theirs) {
                let wanted = if ours == BASE { theirs } else { ours };
                assert_eq!((merged.text.as_str(), merged.conflicts.len()), (wanted, 0), "from\n{theirs}");
            }
        }
    }
    assert!(read_well > 40, "only {read_well} read");
}
