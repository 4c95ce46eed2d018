//! What the journal knows of a submit, and how one that was cut off anywhere is brought to its end.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::claim::{Came, Claim};
use crate::cluster::scheduler::job_name;
use crate::ops::Context;
use crate::ops::record::Write;
use crate::ops::site::Site;
use crate::repo::journal::{Journal, Pending, Step};
use crate::runs::layout::Record;
use crate::state::ids::RunId;
use crate::state::load;
use crate::state::problem::{Kind, Problem};
use crate::state::record::Attempt;
use crate::state::tree::Tree;
use crate::state::yaml::to_string;

/// What the act is called in the journal.
const ACT: &str = "submit";

/// Everything that is needed to record an attempt, written down before it is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The cluster.
    pub cluster: String,
    /// The run.
    pub run: RunId,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// The folder in which `runs/` lies.
    pub parent: String,
    /// The place as commands take it.
    pub place: String,
    /// The trailers of the commit that records it.
    pub trailers: Vec<(String, String)>,
    /// `run.yaml`.
    pub run_yaml: String,
    /// The recorded config.
    pub config_yaml: String,
    /// The attempt, its job's id apart.
    pub record: Attempt,
}

/// An attempt that was submitted and is not on record, or that came to nothing.
#[derive(Clone, Debug)]
pub struct Settled {
    /// What was about to be done.
    pub intent: Intent,
    /// The scheduler's id; none when it never got there.
    pub job: Option<String>,
    /// What the scheduler said when it refused.
    pub refused: Option<String>,
}

impl Intent {
    fn about(&self) -> String {
        format!("{ACT} {}", job_name(&self.run, self.attempt))
    }

    /// Writes the intent down, before anything is sent.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub(super) fn begin(&self, context: &Context<'_>, now: jiff::Timestamp) -> Result<(), Problem> {
        self.note(context, now, Step::Intent, serde_json::to_value(self).unwrap_or(Value::Null))
    }

    /// Writes down what came of it. What never reached the scheduler is settled with that.
    pub(super) fn seen(&self, context: &Context<'_>, now: jiff::Timestamp, came: &Came) -> Result<(), Problem> {
        let data = match came {
            Came::Job { id, .. } => json!({ "job": id }),
            Came::Refused(words) => json!({ "refused": words }),
            Came::Nothing => json!({}),
        };
        self.note(context, now, Step::Effect, data)?;
        match came {
            Came::Job { .. } => Ok(()),
            _ => self.observed(context, now),
        }
    }

    /// Writes down that the record says it too, or that there is nothing to record.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn observed(&self, context: &Context<'_>, now: jiff::Timestamp) -> Result<(), Problem> {
        self.note(context, now, Step::Observed, Value::Null)
    }

    fn note(&self, context: &Context<'_>, now: jiff::Timestamp, step: Step, data: Value) -> Result<(), Problem> {
        Journal::of(context.repo.common_dir()).append(now, &self.about(), step, data).map(drop)
    }

    /// The files that record this attempt under its job's id, as far as `tree` does not have them.
    ///
    /// # Errors
    /// [`Kind::Io`] when the tree cannot be read.
    pub fn writes(&self, tree: &dyn Tree, job: &str) -> Result<Vec<Write>, Problem> {
        let record = Record::new(&self.parent, &self.run);
        let attempt = Attempt { job: Some(job.to_string()), ..self.record.clone() };
        let all = [
            (record.run(), self.run_yaml.clone()),
            (record.config(), self.config_yaml.clone()),
            (record.attempt(self.attempt), to_string(&attempt)),
        ];
        let mut writes = Vec::new();
        for (path, text) in all {
            if tree.read(&path)?.is_none() {
                writes.push(Write::text(path, text));
            }
        }
        Ok(writes)
    }
}

/// The clusters that have submits which are not settled.
///
/// # Errors
/// [`Kind::Invalid`] when the journal is damaged.
pub fn clusters(context: &Context<'_>) -> Result<Vec<String>, Problem> {
    let mut names: Vec<String> = pending(context)?.into_iter().map(|(intent, _)| intent.cluster).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// Finds out what became of every submit to a site that is not settled, without submitting anything. Whoever records
/// the outcome calls [`Intent::observed`] after that.
///
/// # Errors
/// [`Kind::Unavailable`] when the site does not answer, [`Kind::Invalid`] when the journal is damaged.
pub fn settle(context: &Context<'_>, site: &Site, now: jiff::Timestamp) -> Result<Vec<Settled>, Problem> {
    let mut settled = Vec::new();
    for (intent, effect) in pending(context)?.into_iter().filter(|(intent, _)| intent.cluster == site.name) {
        let job = effect.as_ref().and_then(|e| e.get("job")).and_then(Value::as_str).map(str::to_string);
        let came = match (job, effect) {
            (Some(id), _) => Came::Job { id, fresh: false },
            // It was seen to come to nothing; only the last line is missing.
            (None, Some(effect)) => match effect.get("refused").and_then(Value::as_str) {
                Some(words) => Came::Refused(words.into()),
                None => Came::Nothing,
            },
            (None, None) => {
                let name = job_name(&intent.run, intent.attempt);
                Claim { site, run: &intent.run, attempt: intent.attempt, name: &name }.look()?
            }
        };
        intent.seen(context, now, &came)?;
        settled.push(match came {
            Came::Job { id, .. } => Settled { intent, job: Some(id), refused: None },
            Came::Refused(words) => Settled { intent, job: None, refused: Some(words) },
            Came::Nothing => Settled { intent, job: None, refused: None },
        });
    }
    Ok(settled)
}

fn pending(context: &Context<'_>) -> Result<Vec<(Intent, Option<Value>)>, Problem> {
    let acts = Journal::of(context.repo.common_dir()).pending()?;
    let is_ours = |act: &Pending| act.intent.about.starts_with(&format!("{ACT} "));
    // What another process is doing right now it brings to its end itself.
    let ours = acts.into_iter().filter(|act| is_ours(act) && !act.is_under_way(context.now));
    ours.map(|act| {
        let intent = serde_json::from_value(act.intent.data).map_err(|error| {
            let message = format!("the journal's entry {} does not read: {error}", act.intent.seq);
            Problem::new(Kind::Invalid, "journal", message).hint("it was written by another version of git-ar")
        })?;
        Ok((intent, act.effect.map(|effect| effect.data)))
    })
    .collect()
}

/// The run that an intent speaks of.
pub(super) fn run_of(intent: &Intent) -> Result<crate::state::record::Run, Problem> {
    load::parse("run.yaml", intent.run_yaml.as_bytes())
}
