//! The gates on what is said about results: the comparison, the findings, every claim.

use std::collections::BTreeSet;

use super::Facts;
use super::checks::full_runs;
use super::view::Evidence;
use crate::state::claims::{Claim, Verdict};
use crate::state::load::RunView;
use crate::state::problem::{Kind, Problem};
use crate::state::project::Finding;
use crate::state::record::RunKind;
use crate::state::region;

pub(super) fn comparison(evidence: &Evidence, facts: &dyn Facts) -> Result<Vec<Problem>, Problem> {
    let path = format!("{}/analysis.md", evidence.view.folder);
    let stale = |message: &str| {
        let problem = Problem::new(Kind::Refused, "gate", message).at(&path).line(Some(1));
        vec![problem.hint(format!("git ar phase show {} --write   renders it anew", evidence.view.name()))]
    };
    let text = evidence.analysis.as_deref().unwrap_or_default();
    let wanted = facts.comparison(&evidence.view, &evidence.runs)?;
    let regions = match region::find(&path, text) {
        Ok(regions) => regions,
        Err(problem) => return Ok(vec![problem]),
    };
    let same = |body: &str| body.replace("\r\n", "\n").trim() == wanted.trim();
    Ok(match regions.into_iter().find(|r| r.name == "comparison") {
        Some(region) if same(&text[region.body.clone()]) => Vec::new(),
        Some(_) => stale("the comparison in analysis.md is not what the raw seeds give"),
        None => stale("analysis.md lacks the generated region `comparison`"),
    })
}

pub(super) fn findings(evidence: &Evidence, _: &dyn Facts) -> Result<Vec<Problem>, Problem> {
    // A smoke run shows that the code works; a finding stands on a full run where there is one.
    let any_full = full_runs(evidence).next().is_some();
    let counts = |r: &&RunView| !any_full || r.run.kind == RunKind::Full;
    let ours: BTreeSet<_> = evidence.runs.iter().filter(counts).map(|r| &r.id).collect();
    let cites = |f: &Finding| f.cites.iter().any(|id| ours.contains(id)) && !f.text.trim().is_empty();
    if evidence.findings.values().any(cites) {
        return Ok(Vec::new());
    }
    let example = evidence.runs.iter().rev().find(|r| r.run.kind == RunKind::Full).map_or("RUN", |r| r.id.as_str());
    let path = format!("projects/{}/findings", evidence.view.project);
    let problem = Problem::new(Kind::Refused, "gate", "no finding cites a run of this iteration").at(&path);
    Ok(vec![problem.hint(format!("write {path}/NAME.yaml with schema: 1, text: …, cites: [{example}]"))])
}

/// What a document claims against the raw seeds. Only what they contradict stops; the rest is told by `claim check`.
pub(super) fn claims(evidence: &Evidence, facts: &dyn Facts) -> Result<Vec<Problem>, Problem> {
    let documents = [format!("{}/analysis.md", evidence.view.folder)];
    Ok(facts.claims(&documents)?.iter().filter_map(contradicted).collect())
}

pub(super) fn carried(evidence: &Evidence, facts: &dyn Facts) -> Result<Vec<Problem>, Problem> {
    let ours: BTreeSet<_> = evidence.runs.iter().map(|r| &r.id).collect();
    let about = evidence.findings.iter().filter(|(_, finding)| finding.cites.iter().any(|id| ours.contains(id)));
    let project = &evidence.view.project;
    let findings = about.map(|(id, _)| format!("projects/{project}/findings/{id}.yaml"));
    let documents: Vec<String> =
        std::iter::once(format!("{}/conclusion.md", evidence.view.folder)).chain(findings).collect();
    Ok(facts.claims(&documents)?.iter().filter_map(contradicted).collect())
}

fn contradicted(claim: &Claim) -> Option<Problem> {
    let message = format!("`{}` is contradicted by the raw seeds: {}", claim.claim, claim.why);
    let problem = Problem::new(Kind::Refused, "gate", message).at(&claim.path).line(Some(claim.line));
    let hint = format!("write what the seeds give; git ar claim check {}", claim.path);
    (claim.verdict == Verdict::Contradicted).then(|| problem.hint(hint))
}
