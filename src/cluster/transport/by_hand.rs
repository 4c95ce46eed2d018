//! A site that only a person reaches: what would be sent is kept for a sheet, and answered from their receipts.
//!
//! A verb is run several times over. Each time it gets as far as the receipts go; the first call that no receipt
//! answers ends it as a site does that cannot be reached. Calls are known by what they hold, so that a receipt
//! answers exactly what was asked and nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use askama::Template as _;
use serde::{Deserialize, Serialize};

use super::{Bytes, Call, Remote, base64};
use crate::cluster::legal::expand;
use crate::cluster::shell::quote;
use crate::runs::scratch;
use crate::state::problem::{Kind, Problem};
use crate::state::tree::digest;

/// The variable that names the folder of sheets and receipts.
pub const VARIABLE: &str = "GIT_AR_BY_HAND";
/// The code of the problem that a call without an answer ends with.
pub const CODE: &str = "by-hand";
/// Calls whose usual answer is assumed, so that one sheet holds several steps. On the site the steps end at the first
/// that fails, and the receipt's own answers are what counts.
const ASSUMED: [(&str, &str); 3] =
    [("prepare the folders", "snapshot absent\n"), ("store the snapshot", ""), ("take the snapshot", "")];

/// One call, for the sheet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    key: String,
    /// What it is for.
    pub what: String,
    script: String,
    input: String,
    size: usize,
    assumed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Answer {
    code: i32,
    stdout: String,
    stderr: String,
}

/// The files of one cluster in the folder.
#[derive(Clone, Debug)]
pub struct Desk {
    folder: PathBuf,
    cluster: String,
}

#[derive(askama::Template)]
#[template(path = "site/sheet.sh", escape = "none")]
struct Sheet<'a> {
    cluster: &'a str,
    id: &'a str,
    path: Option<String>,
    steps: &'a [Step],
}

impl Desk {
    /// The desk of a cluster in a folder.
    #[must_use]
    pub fn new(folder: &Path, cluster: &str) -> Self {
        Self { folder: folder.to_path_buf(), cluster: cluster.to_string() }
    }

    /// The steps that wait for a receipt.
    ///
    /// # Errors
    /// [`Kind::Io`] when the folder cannot be used.
    pub fn steps(&self) -> Result<Vec<Step>, Problem> {
        self.read("steps").map(Option::unwrap_or_default)
    }

    /// Forgets the steps, before the verb is run again.
    ///
    /// # Errors
    /// [`Kind::Io`].
    pub fn clear(&self) -> Result<(), Problem> {
        self.write("steps", &Vec::<Step>::new())
    }

    /// The sheet with the steps that wait. `id` stands in the receipt.
    ///
    /// # Errors
    /// [`Kind::Io`].
    pub fn sheet(&self, id: &str, scheduler_path: Option<&str>) -> Result<String, Problem> {
        let path = scheduler_path.map(|path| expand(path).unwrap_or_else(|| quote(path)));
        let sheet = Sheet { cluster: &self.cluster, id, path, steps: &self.steps()? };
        sheet.render().map_err(|e| Problem::new(Kind::Bug, "template", format!("the sheet: {e}")))
    }

    /// Takes a receipt over: whole, of this desk, and of nothing but the steps that were asked for. One that was taken
    /// over before changes nothing.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a receipt that is cut off, changed or of something else.
    pub fn receive(&self, id: &str, text: &str) -> Result<usize, Problem> {
        let asked = self.steps()?;
        let read = receipt(id, text)?;
        let mut answers: BTreeMap<String, Answer> = self.read("answers")?.unwrap_or_default();
        let known = |(key, answer): &&(String, Answer)| answers.get(key) == Some(answer);
        let new: Vec<_> = read.iter().filter(|one| !known(one)).cloned().collect();
        if let Some((key, _)) = new.iter().find(|(key, _)| asked.iter().all(|step| step.key != *key)) {
            return Err(refused(&format!("it answers {key}, which was not asked")));
        }
        if !new.is_empty() {
            answers.extend(new);
            self.write("answers", &answers)?;
        }
        Ok(read.len())
    }

    fn file(&self, kind: &str) -> PathBuf {
        self.folder.join(format!("{}.{kind}.json", self.cluster))
    }

    fn read<T: for<'a> Deserialize<'a>>(&self, kind: &str) -> Result<Option<T>, Problem> {
        let file = self.file(kind);
        let Some(bytes) = scratch::read(&file)? else { return Ok(None) };
        let bad = |e| Problem::new(Kind::Invalid, "handoff", format!("{} does not read: {e}", file.display()));
        serde_json::from_slice(&bytes).map(Some).map_err(bad)
    }

    fn write<T: Serialize>(&self, kind: &str, value: &T) -> Result<(), Problem> {
        let bytes = serde_json::to_vec(value).map_err(|e| Problem::new(Kind::Bug, "handoff", e.to_string()))?;
        scratch::write(&self.file(kind), &bytes)
    }
}

/// The way to a site that leads over a desk.
#[derive(Debug)]
pub struct ByHand(Desk);

impl ByHand {
    /// The cluster whose desk this is.
    #[must_use]
    pub fn new(desk: Desk) -> Self {
        Self(desk)
    }
}

impl Remote for ByHand {
    fn name(&self) -> &str {
        &self.0.cluster
    }

    fn by_hand(&self) -> bool {
        true
    }

    fn fetch(&self, call: &Call<'_>) -> Result<Bytes, Problem> {
        let key = digest(&[call.script.as_bytes(), b"\0", call.input].concat())[..24].to_string();
        let answers: BTreeMap<String, Answer> = self.0.read("answers")?.unwrap_or_default();
        if let Some(answer) = answers.get(&key) {
            let bytes = |text: &str| base64::decode(text).unwrap_or_default();
            let stderr = String::from_utf8_lossy(&bytes(&answer.stderr)).into_owned();
            return Ok(Bytes { code: answer.code, stdout: bytes(&answer.stdout), stderr });
        }
        let usual = ASSUMED.iter().find(|(what, _)| *what == call.what).map(|(_, answer)| *answer);
        let mut steps = self.0.steps()?;
        if steps.iter().all(|step| step.key != key) {
            let (what, script) = (call.what.replace('\'', " "), call.script.to_string());
            let (input, size) = (base64::encode(call.input), call.input.len());
            steps.push(Step { key, what, script, input, size, assumed: usual.is_some() });
            self.0.write("steps", &steps)?;
        }
        let waits = || {
            let message = format!("cannot {} on {} from here: it waits for a person", call.what, self.0.cluster);
            Problem::new(Kind::Unavailable, CODE, message)
                .hint("run the sheet there, then git ar handoff --receipt FILE")
        };
        usual.map(|text| Bytes { code: 0, stdout: text.into(), stderr: String::new() }).ok_or_else(waits)
    }
}

/// The answers of a receipt, by key.
fn receipt(id: &str, text: &str) -> Result<Vec<(String, Answer)>, Problem> {
    // A terminal may put carriage returns in, and words of its own before and after.
    let text = text.replace('\r', "");
    let from = text.find("git-ar receipt 1 ").ok_or_else(|| refused("it holds no receipt of git-ar"))?;
    let at = text[from..].find("\nsum ").map(|at| from + at + 1).ok_or_else(|| refused("its end is missing"))?;
    let (body, sum) = (&text[from..at], text[at + 4..].lines().next().unwrap_or_default().trim());
    if digest(body.as_bytes()) != sum {
        return Err(refused("it was changed on its way: its digest is another"));
    }
    let mut lines = body.lines();
    let own = lines.next().unwrap_or_default().trim_start_matches("git-ar receipt 1 ");
    if own != id {
        return Err(refused(&format!("it belongs to the sheet {own}, and {id} is waited for")));
    }
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.split(' ').collect();
        let ["call", key, code] = words[..] else { return Err(refused("it does not read")) };
        let code = code.parse().map_err(|_| refused("it does not read"))?;
        let stdout = lines.by_ref().take_while(|line| *line != "stderr").collect::<String>();
        let stderr = lines.by_ref().take_while(|line| *line != "end").collect::<String>();
        if base64::decode(&stdout).is_none() || base64::decode(&stderr).is_none() {
            return Err(refused("it does not read"));
        }
        found.push((key.to_string(), Answer { code, stdout, stderr }));
    }
    Ok(found)
}

fn refused(why: &str) -> Problem {
    Problem::new(Kind::Invalid, "receipt", format!("this receipt is not taken: {why}"))
        .hint("run the sheet again, it repeats nothing that must happen once; bring everything it prints")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn call<'a>(what: &'a str, script: &'a str, input: &'a [u8]) -> Call<'a> {
        Call { what, script, input, limit: Duration::from_secs(1) }
    }

    fn run(sheet: &str, home: &Path) -> String {
        let sheet_file = home.join("sheet.sh");
        std::fs::write(&sheet_file, sheet).unwrap();
        let output = std::process::Command::new("sh").arg(sheet_file).env("HOME", home).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn a_call_is_answered_by_the_receipt_of_its_own_step() {
        let place = tempfile::tempdir().unwrap();
        let desk = Desk::new(place.path(), "lengau");
        let by_hand = ByHand::new(desk.clone());
        let store = call("store the snapshot", "ar_input file && echo stored; echo \"it's\" >&2", b"a\0b\n\n");
        let ask = call("submit a job", "cat file; exit 7", b"");
        assert_eq!(by_hand.fetch(&store).unwrap().stdout, b"");
        let problem = by_hand.fetch(&ask).unwrap_err();
        assert_eq!((problem.kind, problem.code), (Kind::Unavailable, CODE));
        let sheet = desk.sheet("id1", Some("$HOME/bin")).unwrap();
        let said = run(&sheet, place.path());
        for (bad, id) in
            [(said.replace("call", "cell"), "id1"), (said[..said.len() / 2].into(), "id1"), (said.clone(), "id2")]
        {
            assert_eq!(desk.receive(id, &bad).unwrap_err().code, "receipt");
        }
        let framed = format!("$ sh sheet.sh\r\n{}$ ", said.replace('\n', "\r\n"));
        assert_eq!(desk.receive("id1", &framed).unwrap(), 2);
        let whole = by_hand.fetch(&store).unwrap();
        assert_eq!((whole.code, &*whole.stdout, &*whole.stderr), (0, &b"stored\n"[..], "it's\n"));
        let whole = by_hand.fetch(&ask).unwrap();
        assert_eq!((whole.code, &*whole.stdout), (7, &b"a\0b\n\n"[..]));
        // A command that was killed in the middle is typed again.
        desk.clear().unwrap();
        assert_eq!(desk.receive("id1", &said).unwrap(), 2);
        desk.write("answers", &BTreeMap::<String, Answer>::new()).unwrap();
        assert_eq!(desk.receive("id1", &said).unwrap_err().code, "receipt");
    }

    #[test]
    fn a_step_that_fails_ends_the_sheet() {
        let place = tempfile::tempdir().unwrap();
        let desk = Desk::new(place.path(), "lengau");
        let by_hand = ByHand::new(desk.clone());
        by_hand.fetch(&call("prepare the folders", "exit 3", b"")).unwrap();
        by_hand.fetch(&call("submit a job", "echo >ran", b"")).unwrap_err();
        let said = run(&desk.sheet("id", None).unwrap(), place.path());
        assert_eq!(desk.receive("id", &said).unwrap(), 1);
        assert!(!place.path().join("ran").exists());
    }
}
