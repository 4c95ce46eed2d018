//! The journal, `.git/ar/journal.ndjson`: what git-ar is about to do outside of this clone, and what came of it.
//!
//! Every entry is one line of JSON that ends in a checksum, flushed to the disk before anything it speaks of is done.
//! An act goes through three steps: the *intent* is written, then the *effect* that was seen (a job's id, a refusal),
//! then *observed*, once the record in git says it too. An act without its last step is pending: whoever comes next
//! finds out what became of it before anything is done a second time. The journal is about this clone's own acts;
//! what others need to know stands in the records.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::process;
use super::store::{Lock, Store};
use crate::state::problem::{Kind, Problem};
use crate::state::tree::digest;

/// The file's name in the folder of git-ar.
const FILE: &str = "journal.ndjson";
/// What stands between the entry and its checksum.
const SUM: &str = ",\"sum\":\"";
/// Letters of a checksum.
const SUM_LETTERS: usize = 16;
/// An act that takes longer than this, in seconds, was cut off: its process's number may be another's by now.
const YOUNG_S: i64 = 600;
/// A journal that has grown beyond this many bytes, with nothing pending, makes room for a new one.
const MOST_BYTES: usize = 1 << 20;

/// How far an act has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// It is about to be done.
    Intent,
    /// It was done, or refused; `data` says which.
    Effect,
    /// The record says what came of it: nothing is left to find out.
    Observed,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1, without gaps.
    pub seq: u64,
    /// When.
    pub at: jiff::Timestamp,
    /// The act, such as `submit kq7f3-mlp.1`: the same words in all its steps.
    pub about: String,
    /// How far it has come.
    pub step: Step,
    /// The process that does it, in an intent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Process>,
    /// What belongs to the step; the act's verb decides its form.
    #[serde(default)]
    pub data: Value,
}

/// A process of one boot of one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Host, boot and pid namespace, as a digest.
    pub machine: String,
    /// Its number there.
    pub pid: u32,
}

impl Process {
    fn own() -> Self {
        Self { machine: process::machine(), pid: std::process::id() }
    }
}

/// An act that is not settled.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    /// What was about to be done.
    pub intent: Entry,
    /// What was seen of it since.
    pub effect: Option<Entry>,
}

impl Pending {
    /// Another process of this machine is at it right now, as far as can be seen: one with its number runs, and the act
    /// is young.
    #[must_use]
    pub fn is_under_way(&self, now: jiff::Timestamp) -> bool {
        let own = Process::own();
        let age = now.as_second() - self.intent.at.as_second();
        let other = |by: &Process| by.machine == own.machine && by.pid != own.pid && process::runs(by.pid);
        (0..YOUNG_S).contains(&age) && self.intent.by.as_ref().is_some_and(other)
    }
}

/// A place in the journal that does not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The line, from 1.
    pub line: u32,
    /// Bytes before it.
    pub offset: u64,
    /// What is wrong with it.
    pub why: String,
}

/// What the journal holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// The entries up to the first that does not read.
    pub entries: Vec<Entry>,
    /// The last line is not whole: its writer was killed before anything it speaks of was done.
    pub cut: bool,
    /// A line before the end does not read.
    pub damage: Option<Damage>,
    /// Bytes of the lines that read.
    whole: u64,
}

/// The journal of a repository, shared by its worktrees.
#[derive(Clone, Debug)]
pub struct Journal {
    common_dir: PathBuf,
    store: Store,
}

impl Journal {
    /// The journal in the `.git` folder that all worktrees share.
    #[must_use]
    pub fn of(common_dir: &Path) -> Self {
        Self { common_dir: common_dir.to_path_buf(), store: Store::at(&common_dir.join("ar")) }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.common_dir.join("ar").join(FILE)
    }

    /// What it holds; nothing when there is none. Damage is part of the answer.
    ///
    /// # Errors
    /// [`Kind::Io`] when the file cannot be read.
    pub fn read(&self) -> Result<Content, Problem> {
        Ok(Content::of(&self.store.read(FILE)?.unwrap_or_default()))
    }

    /// The acts that are not settled, oldest first.
    ///
    /// # Errors
    /// [`Kind::Invalid`] with the place when the journal is damaged, [`Kind::Io`] when it cannot be read.
    pub fn pending(&self) -> Result<Vec<Pending>, Problem> {
        let content = self.read()?;
        match &content.damage {
            Some(damage) => Err(self.damaged(damage)),
            None => Ok(content.pending()),
        }
    }

    /// Writes an entry and flushes it to the disk; returns its number. Takes the repository's lock for the moment, so it
    /// is not called while a transaction is open.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when the journal is damaged before its end: nothing is written then, for what is pending could
    /// not be told; [`Kind::Locked`] and [`Kind::Io`] as every write.
    pub fn append(&self, at: jiff::Timestamp, about: &str, step: Step, data: Value) -> Result<u64, Problem> {
        let _lock = Lock::take(&self.common_dir, "journal")?;
        let content = self.read()?;
        if let Some(damage) = &content.damage {
            return Err(self.damaged(damage));
        }
        let seq = content.entries.last().map_or(1, |last| last.seq + 1);
        let by = (step == Step::Intent).then(Process::own);
        let line = write(&Entry { seq, at, about: about.to_string(), step, by, data });
        let full = content.whole > MOST_BYTES as u64 && content.pending().is_empty();
        match full {
            // The last entry stays, so that the numbers go on.
            true => {
                let last = content.entries.last().map(write).unwrap_or_default();
                self.store.replace(FILE, (last + &line).as_bytes())?;
            }
            false => self.store.append(FILE, content.whole, line.as_bytes())?,
        }
        Ok(seq)
    }

    /// The refusal of a journal that is damaged, with the place and what to do.
    #[must_use]
    pub fn damaged(&self, damage: &Damage) -> Problem {
        let path = self.path().display().to_string();
        let message = format!("the journal does not read at byte {}: {}", damage.offset, damage.why);
        Problem::new(Kind::Invalid, "journal", message).at(&path).line(Some(damage.line)).hint(format!(
            "see `git ar run list` and the cluster's queue for what was submitted, then move {path} away"
        ))
    }
}

impl Content {
    fn of(bytes: &[u8]) -> Self {
        let mut content = Self::default();
        let mut rest = bytes;
        while !rest.is_empty() {
            let end = rest.iter().position(|b| *b == b'\n');
            let next = content.entries.last().map(|last| last.seq + 1);
            let (line, after) = end.map_or((rest, &[][..]), |end| (&rest[..end], &rest[end + 1..]));
            match (read(line, next), end) {
                (Ok(entry), Some(_)) => content.entries.push(entry),
                // Only the last write can have been cut; with the next one it is dropped.
                (_, None) => {
                    content.cut = true;
                    break;
                }
                (Err(why), Some(_)) => {
                    let line = u32::try_from(content.entries.len() + 1).unwrap_or(u32::MAX);
                    content.damage = Some(Damage { line, offset: content.whole, why });
                    break;
                }
            }
            content.whole += line.len() as u64 + 1;
            rest = after;
        }
        content
    }

    /// The acts that are not settled, oldest first.
    #[must_use]
    pub fn pending(&self) -> Vec<Pending> {
        let mut open: Vec<Pending> = Vec::new();
        for entry in &self.entries {
            let place = open.iter().position(|act| act.intent.about == entry.about);
            match (entry.step, place) {
                (Step::Intent, Some(at)) => open[at] = Pending { intent: entry.clone(), effect: None },
                (Step::Intent, None) => open.push(Pending { intent: entry.clone(), effect: None }),
                (Step::Effect, Some(at)) => open[at].effect = Some(entry.clone()),
                (Step::Observed, Some(at)) => drop(open.remove(at)),
                (Step::Effect | Step::Observed, None) => {}
            }
        }
        open
    }
}

/// An entry as its line.
fn write(entry: &Entry) -> String {
    let mut text = serde_json::to_string(entry).expect("text and numbers");
    text.pop();
    let sum = sum(&text);
    format!("{text}{SUM}{sum}\"}}\n")
}

/// The entry that a line holds; `next` is the number it must have.
fn read(line: &[u8], next: Option<u64>) -> Result<Entry, String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is no text".to_string())?;
    let (entry, end) = text.rsplit_once(SUM).ok_or("its end is missing")?;
    if end.strip_suffix("\"}") != Some(&sum(entry)) {
        return Err("its checksum is another".into());
    }
    let entry: Entry = serde_json::from_str(&format!("{entry}}}")).map_err(|error| error.to_string())?;
    match next {
        Some(next) if next != entry.seq => Err(format!("it has the number {}, not {next}", entry.seq)),
        _ => Ok(entry),
    }
}

fn sum(text: &str) -> String {
    digest(text.as_bytes()).chars().take(SUM_LETTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const AT: jiff::Timestamp = jiff::Timestamp::UNIX_EPOCH;

    fn journal() -> (tempfile::TempDir, Journal) {
        let place = tempfile::tempdir().unwrap();
        let journal = Journal::of(place.path());
        (place, journal)
    }

    #[test]
    fn an_act_is_pending_until_it_was_observed() {
        let (_place, journal) = journal();
        assert_eq!(journal.pending().unwrap(), []);
        assert_eq!(journal.append(AT, "submit a.1", Step::Intent, json!({"text": "x\n\"é"})).unwrap(), 1);
        assert_eq!(journal.append(AT, "submit b.1", Step::Intent, Value::Null).unwrap(), 2);
        assert_eq!(journal.append(AT, "submit a.1", Step::Effect, json!({"job": "7.vm"})).unwrap(), 3);
        let pending = journal.pending().unwrap();
        assert_eq!(pending.iter().map(|p| p.intent.about.as_str()).collect::<Vec<_>>(), ["submit a.1", "submit b.1"]);
        assert_eq!(pending[0].intent.data["text"], "x\n\"é");
        assert_eq!(pending[0].effect.as_ref().unwrap().data["job"], "7.vm");
        journal.append(AT, "submit a.1", Step::Observed, Value::Null).unwrap();
        assert_eq!(journal.pending().unwrap().len(), 1);
        journal.append(AT, "submit a.1", Step::Intent, Value::Null).unwrap();
        assert_eq!(journal.pending().unwrap()[1].effect, None);
    }

    #[test]
    fn an_act_is_under_way_while_its_process_lives() {
        let (_place, journal) = journal();
        journal.append(AT, "submit a.1", Step::Intent, Value::Null).unwrap();
        let mine = journal.pending().unwrap().remove(0);
        let of = |pid: u32, machine: &str| {
            let by = Some(Process { machine: machine.into(), pid });
            Pending { intent: Entry { by, ..mine.intent.clone() }, effect: None }
        };
        let here = process::machine();
        assert!(!mine.is_under_way(AT), "it is this very process's");
        assert!(of(1, &here).is_under_way(AT) && !of(1, "elsewhere").is_under_way(AT));
        assert!(!of(1, &here).is_under_way(AT + jiff::SignedDuration::from_secs(YOUNG_S)));
        assert!(!of(u32::MAX, &here).is_under_way(AT));
    }

    #[test]
    fn a_line_cut_anywhere_is_left_out_and_written_over() {
        let (_place, journal) = journal();
        journal.append(AT, "one", Step::Intent, Value::Null).unwrap();
        let first = std::fs::read(journal.path()).unwrap();
        journal.append(AT, "two", Step::Intent, Value::Null).unwrap();
        let both = std::fs::read(journal.path()).unwrap();
        for length in first.len()..both.len() {
            std::fs::write(journal.path(), &both[..length]).unwrap();
            let content = journal.read().unwrap();
            assert_eq!((content.entries.len(), content.damage.clone()), (1, None), "{length}");
            assert_eq!(content.cut, length > first.len());
        }
        assert_eq!(journal.append(AT, "two", Step::Intent, Value::Null).unwrap(), 2);
        assert_eq!(std::fs::read(journal.path()).unwrap(), both);
    }

    #[test]
    fn damage_in_the_middle_stops_every_write_and_names_the_byte() {
        let (_place, journal) = journal();
        for about in ["one", "two", "three"] {
            journal.append(AT, about, Step::Intent, Value::Null).unwrap();
        }
        let text = std::fs::read_to_string(journal.path()).unwrap();
        let second = text.find("\n").unwrap() + 1;
        for damaged in
            [text.replace("two", "owt"), text.replace("\"seq\":2", "\"seq\":3"), text.replacen("intent", "x", 2)]
        {
            std::fs::write(journal.path(), &damaged).unwrap();
            let damage = journal.read().unwrap().damage.unwrap();
            assert!(damage.offset == 0 || damage.offset == second as u64, "{damage:?}");
            let problem = journal.append(AT, "four", Step::Intent, Value::Null).unwrap_err();
            assert_eq!((problem.kind, problem.code), (Kind::Invalid, "journal"));
            assert!(journal.pending().is_err());
            assert_eq!(std::fs::read_to_string(journal.path()).unwrap(), damaged);
        }
    }

    #[test]
    fn a_long_journal_without_pending_acts_begins_anew() {
        let (_place, journal) = journal();
        let long = "x".repeat(MOST_BYTES);
        journal.append(AT, "one", Step::Intent, json!(long)).unwrap();
        journal.append(AT, "two", Step::Intent, Value::Null).unwrap();
        journal.append(AT, "one", Step::Observed, Value::Null).unwrap();
        assert_eq!(journal.append(AT, "two", Step::Observed, Value::Null).unwrap(), 4);
        assert_eq!(journal.append(AT, "three", Step::Intent, Value::Null).unwrap(), 5);
        let content = journal.read().unwrap();
        assert_eq!(content.entries.iter().map(|e| e.seq).collect::<Vec<_>>(), [4, 5]);
    }
}
