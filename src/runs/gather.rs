//! What lies in the run directories of a site: the question as a script for its shell, the answer as values.
//!
//! One script looks into many run directories and writes nothing there. A file comes whole or is told by its length
//! only; clocks are compared on the site itself, so that a clock that is wrong there does no harm.

use std::collections::BTreeMap;

use crate::state::ids::RunId;
use crate::state::problem::{Kind, Problem};
use crate::state::record::{Exit, Start};
use crate::state::tree::digest;

/// POSIX sh, to be run in the folder of all runs with [`question`] as its input.
pub const SCRIPT: &str = include_str!("../../templates/tick/collect.sh");

/// What is asked about one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The run.
    pub run: RunId,
    /// The attempt's number.
    pub attempt: u32,
    /// The seeds whose results and logs are wanted; none for an attempt that still runs.
    pub seeds: Option<Vec<u64>>,
}

/// What one seed left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeedFiles {
    /// The digest that the job script wrote when the trainer had ended with 0.
    pub done: Option<String>,
    /// `metrics.json`.
    pub metrics: Option<Vec<u8>>,
    /// Bytes of a `metrics.json` that was too large to be sent.
    pub large: Option<u64>,
    /// The end of its log.
    pub log: String,
    /// Digest over names, sizes and times of everything else it keeps: its checkpoint. None where it keeps nothing.
    pub checkpoint: Option<String>,
}

/// What one attempt left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Files {
    /// The run's directory is there.
    pub there: bool,
    /// What the job attested when it started; for an array the first member's that differs from the others, else any.
    pub starts: Vec<Start>,
    /// How it ended, one for each member of an array.
    pub exits: Vec<Exit>,
    /// The end of the job's own standard error and output.
    pub errors: String,
    /// Seconds since the newest sign of life.
    pub heartbeat_s: Option<i64>,
    /// Its seeds, where they were asked for.
    pub seeds: BTreeMap<u64, SeedFiles>,
    /// A file that must be JSON and is not, by name.
    pub broken: Vec<String>,
}

impl Files {
    /// One digest over the checkpoints of all seeds; none where there is none.
    #[must_use]
    pub fn checkpoint(&self) -> Option<String> {
        let all: Vec<String> =
            self.seeds.iter().filter_map(|(seed, f)| Some(format!("{seed} {}", f.checkpoint.as_ref()?))).collect();
        (!all.is_empty()).then(|| digest(all.join("\n").as_bytes()))
    }

    /// The exit of the attempt as one: the first status that is not 0, every seed's own. None while one of the
    /// `members` has not ended.
    #[must_use]
    pub fn exit(&self, members: usize) -> Option<Exit> {
        let latest = self.exits.iter().max_by_key(|exit| exit.at)?;
        if self.exits.len() < members {
            return None;
        }
        let code = self.exits.iter().map(|e| e.code).find(|code| *code != 0).unwrap_or_default();
        let seeds = self.exits.iter().flat_map(|e| e.seeds.clone()).collect();
        let signal = self.exits.iter().find_map(|e| e.signal.clone());
        Some(Exit { at: latest.at, code, seeds, signal })
    }
}

/// The answer about many attempts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The site's clock, in seconds since 1970.
    pub clock: i64,
    /// By run and attempt.
    pub attempts: BTreeMap<(RunId, u32), Files>,
}

/// The lines that [`SCRIPT`] reads.
#[must_use]
pub fn question(asks: &[Ask]) -> String {
    let line = |ask: &Ask| match &ask.seeds {
        None => format!("look {} {}\n", ask.run, ask.attempt),
        Some(seeds) => {
            let seeds: String = seeds.iter().map(|seed| format!(" {seed}")).collect();
            format!("take {} {}{seeds}\n", ask.run, ask.attempt)
        }
    };
    asks.iter().map(line).collect()
}

/// Reads what [`SCRIPT`] printed.
///
/// # Errors
/// [`Kind::Unavailable`] when the answer does not read to its end: a file changed while it was sent.
pub fn answer(asks: &[Ask], bytes: &[u8]) -> Result<Answer, Problem> {
    read(asks, bytes).ok_or_else(|| {
        Problem::new(Kind::Unavailable, "collect", "files changed while they were fetched, so nothing was taken")
            .hint("git ar tick   looks again")
    })
}

fn read(asks: &[Ask], mut rest: &[u8]) -> Option<Answer> {
    let mut answer = Answer::default();
    let asked: BTreeMap<(&str, u32), &Ask> = asks.iter().map(|ask| ((ask.run.as_str(), ask.attempt), ask)).collect();
    for ask in asks {
        answer.attempts.insert((ask.run.clone(), ask.attempt), Files::default());
    }
    let mut current = None;
    loop {
        let end = rest.iter().position(|b| *b == b'\n')?;
        let line = std::str::from_utf8(&rest[..end]).ok()?;
        rest = &rest[end + 1..];
        let mut words = line.splitn(3, ' ');
        let (word, number, name) = (words.next()?, words.next()?.parse::<i64>().ok()?, words.next()?);
        match word {
            "clock" => answer.clock = number,
            "end" => return Some(answer),
            "run" => {
                let ask = asked.get(&(name, u32::try_from(number).ok()?))?;
                let files = answer.attempts.get_mut(&(ask.run.clone(), ask.attempt))?;
                files.there = true;
                current = Some((ask.run.clone(), ask.attempt));
            }
            "absent" => current = None,
            "beat" => beat(&mut answer, name, number),
            "large" => {
                let files = answer.attempts.get_mut(current.as_ref()?)?;
                if let Some((seed, "metrics.json")) = seed_file(name) {
                    files.seeds.entry(seed).or_default().large = u64::try_from(number).ok();
                }
            }
            "file" => {
                let length = usize::try_from(number).ok()?;
                let (bytes, after) = (rest.get(..length)?, rest.get(length..)?);
                rest = after.strip_prefix(b"\n")?;
                answer.attempts.get_mut(current.as_ref()?)?.take(name, bytes);
            }
            _ => return None,
        }
    }
}

/// A sign of life: `RUN/heartbeat-ATTEMPT[.MEMBER]`, touched at `at` by the site's clock.
fn beat(answer: &mut Answer, name: &str, at: i64) {
    let clock = answer.clock;
    let found = name.split_once("/heartbeat-").and_then(|(run, stem)| {
        let attempt = stem.split('.').next()?.parse().ok()?;
        answer.attempts.get_mut(&(RunId::try_from(run).ok()?, attempt))
    });
    if let Some(files) = found {
        let age = (clock - at).max(0);
        files.heartbeat_s = Some(files.heartbeat_s.map_or(age, |known| known.min(age)));
    }
}

/// Seed and name of `RUN/seed-N/NAME`.
fn seed_file(path: &str) -> Option<(u64, &str)> {
    let mut parts = path.rsplitn(3, '/');
    let (name, folder) = (parts.next()?, parts.next()?);
    Some((folder.strip_prefix("seed-")?.parse().ok()?, name))
}

impl Files {
    fn take(&mut self, path: &str, bytes: &[u8]) {
        let text = || String::from_utf8_lossy(bytes).into_owned();
        if let Some((seed, name)) = seed_file(path) {
            let seed = self.seeds.entry(seed).or_default();
            match name {
                "done" => seed.done = text().split_whitespace().next().map(str::to_string),
                "metrics.json" => seed.metrics = Some(bytes.to_vec()),
                "log" => seed.log = text(),
                ".list" => seed.checkpoint = (!bytes.is_empty()).then(|| digest(bytes)),
                _ => {}
            }
            return;
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        if name.starts_with("start-") {
            match serde_json::from_slice(bytes) {
                Ok(start) => self.starts.push(start),
                Err(_) => self.broken.push(name.to_string()),
            }
        } else if name.starts_with("exit-") {
            match serde_json::from_slice(bytes) {
                Ok(exit) => self.exits.push(exit),
                Err(_) => self.broken.push(name.to_string()),
            }
        } else {
            self.errors.push_str(&text());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;

    fn ask(run: &str, attempt: u32, seeds: Option<&[u64]>) -> Ask {
        Ask { run: run.try_into().unwrap(), attempt, seeds: seeds.map(<[u64]>::to_vec) }
    }

    fn shell(folder: &std::path::Path, asks: &[Ask]) -> Vec<u8> {
        let mut child = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(question(asks).as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        output.stdout
    }

    fn write(folder: &std::path::Path, path: &str, bytes: &[u8]) {
        std::fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
        std::fs::write(folder.join(path), bytes).unwrap();
    }

    const EXIT: &[u8] = br#"{"at":"2026-01-31T12:00:00Z","code":0}"#;

    #[test]
    fn one_script_tells_of_many_runs() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path();
        let start = br#"{"at":"2026-01-31T11:00:00Z","host":"n1","commit":"c","manifest":"m","config_digest":"d"}"#;
        write(folder, "ka-x/start-1.json", start);
        write(folder, "ka-x/exit-1.json", EXIT);
        write(folder, "ka-x/exit-10.json", b"another attempt");
        write(folder, "ka-x/job-1.err", b"=>> PBS: job killed: walltime\n");
        write(folder, "ka-x/seed-0/done", b"abc  metrics.json\n");
        write(folder, "ka-x/seed-0/metrics.json", b"{}\nend 0 .\n");
        write(folder, "ka-x/seed-1/log", &b"line\n".repeat(3000));
        write(folder, "ka-x/seed-1/last.ckpt", b"12345");
        write(folder, "ka-x/seed-1/metrics.json", &vec![b' '; (4 << 20) + 1]);
        write(folder, "kb-x/heartbeat-2", b"");
        std::os::unix::fs::symlink("/etc/passwd", folder.join("ka-x/job-1.out")).unwrap();
        let asks = [ask("ka-x", 1, Some(&[0, 1])), ask("kb-x", 2, None), ask("gone-x", 1, Some(&[0]))];
        let bytes = shell(folder, &asks);
        let answer = super::answer(&asks, &bytes).unwrap();
        let files = |ask: &Ask| &answer.attempts[&(ask.run.clone(), ask.attempt)];
        let first = files(&asks[0]);
        assert_eq!((first.there, first.starts.len(), first.exits.len()), (true, 1, 1));
        assert_eq!(first.errors, "=>> PBS: job killed: walltime\n");
        assert_eq!(first.seeds[&0].done.as_deref(), Some("abc"));
        assert_eq!(first.seeds[&0].metrics.as_deref(), Some(&b"{}\nend 0 .\n"[..]));
        assert_eq!((first.seeds[&1].log.len(), first.seeds[&1].large), (4096, Some((4 << 20) + 1)));
        assert_eq!((&first.seeds[&0].checkpoint, first.seeds[&1].checkpoint.is_some()), (&None, true));
        assert!(files(&asks[1]).heartbeat_s.unwrap() < 1000 && !files(&asks[1]).there);
        assert_eq!(files(&asks[2]), &Files::default());
        assert!(answer.clock > 1_700_000_000);
        // Cut anywhere before its end, nothing is taken.
        for length in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
            assert_eq!(super::answer(&asks, &bytes[..length]).unwrap_err().kind, Kind::Unavailable);
        }
    }

    #[test]
    fn a_checkpoint_that_moves_on_is_seen() {
        let place = tempfile::tempdir().unwrap();
        let asks = [ask("ka-x", 1, Some(&[0]))];
        let look = || {
            let answer = super::answer(&asks, &shell(place.path(), &asks)).unwrap();
            answer.attempts.into_values().next().unwrap().checkpoint()
        };
        assert_eq!(look(), None);
        write(place.path(), "ka-x/seed-0/log", b"1");
        assert_eq!(look(), None);
        write(place.path(), "ka-x/seed-0/a/last.pt", b"1");
        let first = look();
        write(place.path(), "ka-x/seed-0/log", b"12");
        assert!(first.is_some() && look() == first);
        write(place.path(), "ka-x/seed-0/a/last.pt", b"12");
        assert_ne!(look(), first);
    }

    #[test]
    fn an_array_has_ended_when_every_member_has() {
        let exit =
            |code: i32, seed: u64| Exit { code, seeds: [(seed, code)].into(), ..serde_json::from_slice(EXIT).unwrap() };
        let files = Files { exits: vec![exit(0, 0), exit(143, 1)], ..Files::default() };
        assert_eq!(files.exit(3), None);
        let all = files.exit(2).unwrap();
        assert_eq!((all.code, all.seeds), (143, [(0, 0), (1, 143)].into()));
        assert_eq!(Files::default().exit(1), None);
    }
}
