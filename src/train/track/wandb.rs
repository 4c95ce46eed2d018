//! W&B offline runs in the format that `wandb sync` uploads later: a log of blocks of 32 KiB with checked chunks.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use super::wire::{Message, ZLIB, crc32};
use super::{Tracker, clear, ended, values};
use crate::config::Value;
use crate::runs::contract::Task;
use crate::runs::scratch;
use crate::state::problem::Problem;
use crate::state::record::{Metrics, Status, Tracking};
use crate::state::tree::digest;
use crate::train::history::History;

/// Where the run goes when it is uploaded.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The account or team; W&B's default when absent.
    pub entity: Option<String>,
    /// The project.
    pub project: String,
}

/// The offline run of one seed, in `wandb` of its folder.
pub(super) struct Wandb {
    place: Place,
    task: Task,
    config: Value,
    id: String,
    log: Option<Log>,
    started: f64,
}

impl Wandb {
    pub(super) fn new(place: Place, task: &Task, config: Value) -> Self {
        // The same run and seed is the same run there, however often it is uploaded.
        let key = format!("{} {} {}", task.run, task.seed, task.config_digest);
        let id = digest(key.as_bytes())[..8].to_string();
        Self { place, task: task.clone(), config, id, log: None, started: 0.0 }
    }

    fn append(&mut self, record: Message) -> Result<(), Problem> {
        self.log.as_mut().map_or(Ok(()), |log| log.append(record))
    }

    /// The record that says what is run.
    fn run(&self, history: &History) -> Message {
        let mut config = Message::default();
        if let Value::Map(map) = &self.config {
            for (key, value) in map.iter() {
                config = config.message(1, item(&key.to_string(), value));
            }
        }
        let seconds = history.started.max(0.0);
        let start = Message::default().number(1, seconds as u64).number(2, (seconds.fract() * 1e9) as u64);
        let name = format!("{}-seed-{}", self.task.run, self.task.seed);
        let mut run = Message::default().text(1, &self.id);
        if let Some(entity) = &self.place.entity {
            run = run.text(2, entity);
        }
        run = run.text(3, &self.place.project).message(4, config).text(6, &self.task.run).text(8, &name);
        run = run.message(17, start);
        if !self.task.commit.is_empty() {
            run = run.message(21, Message::default().text(2, &self.task.commit));
        }
        Message::default().message(17, run)
    }

    /// The record of an epoch (from 0).
    fn row(history: &History, epoch: usize) -> Message {
        let at = ended(history, epoch);
        let step = epoch as u64 + 1;
        let mut row = Message::default();
        for (name, value) in values(history, epoch) {
            row = row.message(1, nested(name, &value));
        }
        row = row.message(1, nested("_step", &step)).message(1, nested("_timestamp", &at));
        row = row.message(1, nested("_runtime", &(at - history.started)));
        Message::default().message(2, row.message(2, Message::default().number(1, step)))
    }
}

impl Tracker for Wandb {
    fn start(&mut self, history: &History) -> Result<(), Problem> {
        self.started = history.started;
        let wandb = self.task.seed_dir().join("wandb");
        clear(&wandb, |name| name.starts_with("offline-run-") && name.ends_with(&self.id))?;
        let at = jiff::Timestamp::from_second(history.started as i64).unwrap_or_default();
        let folder = wandb.join(format!("offline-run-{}-{}", at.strftime("%Y%m%d_%H%M%S"), self.id));
        scratch::folder(&folder.join("files"))?;
        self.log = Some(Log::create(folder.join(format!("run-{}.wandb", self.id)))?);
        let versions = Message::default().text(1, concat!("git-ar ", env!("CARGO_PKG_VERSION"))).text(2, "0.70.0");
        self.append(Message::default().message(21, Message::default().message(1, versions)))?;
        self.append(self.run(history))?;
        (0..history.seconds.len()).try_for_each(|epoch| self.append(Self::row(history, epoch)))
    }

    fn epoch(&mut self, history: &History) -> Result<(), Problem> {
        self.append(Self::row(history, history.seconds.len() - 1))
    }

    fn end(&mut self, metrics: &Metrics) -> Result<(), Problem> {
        let mut summary = Message::default();
        for (name, metric) in &metrics.metrics {
            summary = summary.message(1, item(name, &metric.last));
        }
        self.append(Message::default().message(3, summary))?;
        let code = u64::from(metrics.status == Status::Failed);
        let exit = Message::default().number(1, code).number(2, metrics.timing.wall_s as u64);
        self.append(Message::default().message(18, exit))
    }

    fn tracking(&self) -> Option<Tracking> {
        Some(Tracking { id: self.id.clone(), project: Some(self.place.project.clone()) })
    }
}

/// A key with its value as JSON.
fn item(key: &str, value: &impl serde::Serialize) -> Message {
    Message::default().text(1, key).text(16, &json(value))
}

/// The same with the key as a path of one step, as rows have it.
fn nested(key: &str, value: &impl serde::Serialize) -> Message {
    Message::default().text(2, key).text(16, &json(value))
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("numbers and config values are JSON")
}

/// The log file.
struct Log {
    path: PathBuf,
    file: File,
    len: usize,
    records: u64,
}

const BLOCK: usize = 32_768;
const HEAD: usize = 7;
/// `:W&B`, a magic number, version 0.
const START: [u8; HEAD] = [0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0x00];

impl Log {
    fn create(path: PathBuf) -> Result<Self, Problem> {
        let file = File::create(&path).map_err(|e| scratch::failed("write", &path, &e))?;
        let mut log = Self { path, file, len: HEAD, records: 0 };
        log.write(&START).map(|()| log)
    }

    /// Adds a record, numbered from 1.
    fn append(&mut self, record: Message) -> Result<(), Problem> {
        self.records += 1;
        let payload = [Message::default().number(1, self.records).into_bytes(), record.into_bytes()].concat();
        let bytes = chunks(self.len, &payload);
        self.len += bytes.len();
        self.write(&bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let Self { path, file, .. } = self;
        file.write_all(bytes).and_then(|()| file.flush()).map_err(|e| scratch::failed("write", path, &e))
    }
}

/// A payload as chunks, of which none crosses a block's end, for a file that is `len` bytes long.
fn chunks(len: usize, payload: &[u8]) -> Vec<u8> {
    let (mut bytes, mut rest, mut first) = (Vec::new(), payload, true);
    loop {
        let left = BLOCK - (len + bytes.len()) % BLOCK;
        if left < HEAD {
            bytes.resize(bytes.len() + left, 0);
            continue;
        }
        let (piece, after) = rest.split_at(rest.len().min(left - HEAD));
        // Whole, first, middle, last.
        let kind: u8 = match (first, after.is_empty()) {
            (true, true) => 1,
            (true, false) => 2,
            (false, false) => 3,
            (false, true) => 4,
        };
        bytes.extend(crc32(ZLIB, &[&[kind], piece]).to_le_bytes());
        bytes.extend((piece.len() as u16).to_le_bytes());
        bytes.push(kind);
        bytes.extend(piece);
        if after.is_empty() {
            return bytes;
        }
        (rest, first) = (after, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The payloads of a log, as a reader takes it apart; what is cut short at the end is left out.
    fn read(log: &[u8]) -> Vec<Vec<u8>> {
        let (mut found, mut open, mut at) = (Vec::new(), Vec::new(), HEAD);
        loop {
            let left = BLOCK - at % BLOCK;
            if left < HEAD {
                at += left;
            }
            let Some(head) = log.get(at..at + HEAD) else { return found };
            let len = usize::from(u16::from_le_bytes([head[4], head[5]]));
            let Some(piece) = log.get(at + HEAD..at + HEAD + len) else { return found };
            assert_eq!(head[..4], crc32(ZLIB, &[&head[6..], piece]).to_le_bytes());
            assert!(at / BLOCK == (at + HEAD + len - 1) / BLOCK, "a chunk crosses a block's end");
            open.extend(piece);
            if matches!(head[6], 1 | 4) {
                found.push(std::mem::take(&mut open));
            }
            at += HEAD + len;
        }
    }

    #[test]
    fn records_of_every_length_come_back() {
        for edge in [BLOCK - 2 * HEAD, 3 * BLOCK] {
            for len in edge - 20..edge + 20 {
                let mut log = START.to_vec();
                let payloads = [vec![7u8; len], vec![8; 5], vec![9; len], Vec::new(), vec![1]];
                for payload in &payloads {
                    log.extend(chunks(log.len(), payload));
                }
                assert_eq!(read(&log), payloads, "{len}");
                log.truncate(log.len() - 1);
                assert_eq!(read(&log), payloads[..4], "{len}, cut");
            }
        }
    }
}
