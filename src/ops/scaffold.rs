//! The first text of every state file that a verb makes.

use jiff::Timestamp;

use super::record::Write;
use crate::state::entities::Step;
use crate::state::ids::Slug;
use crate::state::phase::Phase;
use crate::state::rules::Document;
use crate::state::yaml::quote;

/// A project's file.
pub(super) fn project(slug: &Slug, title: &str) -> Write {
    let question = format!("What does the evidence say about: {title}?");
    let text = format!(
        "# yaml-language-server: $schema=../../docs/schema/project.json\nschema: 1\ntitle: {}\nquestion: {}\nladder: []\n",
        quote(title),
        quote(&question)
    );
    Write::text(format!("projects/{slug}/project.yaml"), text)
}

/// A project's list of what was read.
pub(super) fn references(slug: &Slug) -> Write {
    let text = "# yaml-language-server: $schema=../../docs/schema/references.json\nschema: 1\n# - {key: lecun1998, title: \"Gradient-based learning applied to document recognition\", doi: 10.1109/5.726791, says: \"…\"}\nreferences: []\n";
    Write::text(format!("projects/{slug}/references.yaml"), text)
}

/// An iteration's files: planned, or with its first step and the survey's template.
pub(super) fn iteration(folder: &str, topic: &str, first: Option<(Phase, Timestamp)>) -> Vec<Write> {
    let mut text = format!(
        "# yaml-language-server: $schema=../../../../docs/schema/iteration.json\nschema: 1\nphase: {}\n",
        first.map_or(Phase::Planned, |(phase, _)| phase),
    );
    match first {
        Some((to, at)) => text.push_str(&format!("steps:\n  - {}\n", step(&Step { to, at, reason: None }))),
        None => text.push_str("steps: []\n"),
    }
    text.push_str(&format!(
        "\n# What is asked, what is believed, and what will be measured if the belief is right.\nquestion: {}\n",
        quote(topic)
    ));
    text.push_str("hypothesis: \"\"\n");
    text.push_str("# prediction: {metric: val/accuracy, direction: maximize, baseline: none, reason: \"…\", minimal_effect: 0.9, seeds: 3}\n");
    text.push_str("prediction: null\n\n# Experiments (configs/experiment/NAME.yaml) with their seeds: - {experiment: NAME, seeds: 0-2}\nplan: []\n");
    text.push_str("\n# Directions that follow, or [none].\nnext: []\n");
    let mut files = vec![Write::text(format!("{folder}/iteration.yaml"), text)];
    if first.is_some() {
        files.push(document(folder, Document::Survey));
    }
    files
}

/// A document as it starts.
pub(super) fn document(folder: &str, document: Document) -> Write {
    Write::text(format!("{folder}/{}", document.file()), document.template())
}

/// A step as one line of YAML.
pub(super) fn step(step: &Step) -> String {
    match &step.reason {
        None => format!("{{to: {}, at: {}}}", step.to, quote(&step.at.to_string())),
        Some(reason) => format!("{{to: {}, at: {}, reason: {}}}", step.to, quote(&step.at.to_string()), flow(reason)),
    }
}

/// A string as it may stand inside braces.
fn flow(text: &str) -> String {
    let quoted = quote(text);
    if quoted.starts_with('"') || !text.contains([',', '{', '}', '[', ']']) {
        quoted
    } else {
        serde_json::Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::entities::Iteration;
    use crate::state::load;
    use crate::state::project::{Project, References};

    #[test]
    fn every_first_text_reads_back() {
        let slug = Slug::try_from("p").unwrap();
        for title in ["a: b # c", "no", "\"quotes\" and 'more'", &"long ".repeat(40)] {
            let Write { text: Some(text), path } = project(&slug, title) else { panic!() };
            assert_eq!(load::parse::<Project>(&path, text.as_bytes()).unwrap().title, title);
            for file in iteration("f", title, Some((Phase::Survey, Timestamp::UNIX_EPOCH))).iter().take(1) {
                let read: Iteration = load::parse("i", file.text.as_deref().unwrap().as_bytes()).unwrap();
                assert_eq!((read.question.as_str(), read.steps.len()), (title, 1));
            }
        }
        let Write { text: Some(text), path } = references(&slug) else { panic!() };
        assert!(load::parse::<References>(&path, text.as_bytes()).unwrap().references.is_empty());
    }

    #[test]
    fn a_reason_stays_one_value() {
        for reason in ["because, well {x}", "a: b", "no", "line\nbreak", "x # y"] {
            let text = step(&Step { to: Phase::Survey, at: Timestamp::UNIX_EPOCH, reason: Some(reason.into()) });
            let back: Vec<Step> = crate::state::yaml::from_str(&format!("- {text}\n")).unwrap();
            assert_eq!(back[0].reason.as_deref(), Some(reason));
        }
    }
}
