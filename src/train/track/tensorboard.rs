//! TensorBoard event files: records of a length, its checksum, an event, its checksum.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use super::wire::{CASTAGNOLI, Message, crc32};
use super::{Tracker, clear, ended, values};
use crate::runs::contract::Task;
use crate::runs::scratch;
use crate::state::problem::Problem;
use crate::state::record::Metrics;
use crate::train::history::History;

/// The event file of one seed, in `tensorboard` of its folder.
#[derive(Debug)]
pub(super) struct TensorBoard {
    folder: PathBuf,
    file: Option<(PathBuf, File)>,
    last: f64,
}

impl TensorBoard {
    pub(super) fn new(task: &Task) -> Self {
        Self { folder: task.seed_dir().join("tensorboard"), file: None, last: 0.0 }
    }

    fn append(&mut self, events: impl Iterator<Item = Message>) -> Result<(), Problem> {
        let Some((path, file)) = &mut self.file else { return Ok(()) };
        let bytes: Vec<u8> = events.flat_map(record).collect();
        file.write_all(&bytes).and_then(|()| file.flush()).map_err(|e| scratch::failed("write", path, &e))
    }
}

impl Tracker for TensorBoard {
    fn start(&mut self, history: &History) -> Result<(), Problem> {
        scratch::folder(&self.folder)?;
        clear(&self.folder, |name| name.starts_with("events.out.tfevents."))?;
        let name = format!("events.out.tfevents.{:.0}.git-ar.{}.0", history.started, std::process::id());
        let path = self.folder.join(name);
        let file = File::create(&path).map_err(|e| scratch::failed("write", &path, &e))?;
        self.file = Some((path, file));
        let head = Message::default().double(1, history.started).text(3, "brain.Event:2");
        let epochs = (0..history.seconds.len()).flat_map(|epoch| scalars(history, epoch));
        self.append(std::iter::once(head).chain(epochs))
    }

    fn epoch(&mut self, history: &History) -> Result<(), Problem> {
        let epoch = history.seconds.len() - 1;
        self.last = ended(history, epoch);
        self.append(scalars(history, epoch))
    }

    fn end(&mut self, metrics: &Metrics) -> Result<(), Problem> {
        let tests = metrics.metrics.iter().filter(|(name, _)| name.starts_with("test/"));
        let (last, epochs) = (self.last, metrics.epochs_run);
        self.append(tests.map(|(name, metric)| scalar(last, epochs, name, metric.last)))
    }
}

/// One event per value of an epoch (from 0); TensorBoard sees epochs from 1.
fn scalars(history: &History, epoch: usize) -> impl Iterator<Item = Message> {
    let at = ended(history, epoch);
    values(history, epoch).map(move |(name, value)| scalar(at, epoch as u64 + 1, name, value))
}

fn scalar(at: f64, step: u64, name: &str, value: f64) -> Message {
    let value = Message::default().text(1, name).float(2, value as f32);
    Message::default().double(1, at).number(2, step).message(5, Message::default().message(1, value))
}

fn record(event: Message) -> Vec<u8> {
    let event = event.into_bytes();
    let len = (event.len() as u64).to_le_bytes();
    let masked = |bytes: &[u8]| crc32(CASTAGNOLI, &[bytes]).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes();
    [&len[..], &masked(&len), &event, &masked(&event)].concat()
}
