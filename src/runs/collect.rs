//! What a run left in scratch, judged: which results may be recorded, and the verdict on an attempt.

use super::contract;
use super::gather::SeedFiles;
use super::layout::RunDir;
use super::scratch;
use crate::state::ids::RunId;
use crate::state::problem::Problem;
use crate::state::record::{Metrics, Run, Status, Verdict};
use crate::state::tree::digest;

/// Exit status of a process that SIGKILL ended.
const SIGKILL: i32 = 137;
/// Bytes of a `metrics.json` that is read at all.
const LARGEST: u64 = 4 << 20;
/// Characters of a trainer's own reason that are recorded.
const REASON_MOST: usize = 300;

/// What one seed left behind.
#[derive(Clone, Debug, PartialEq)]
pub enum Left {
    /// A result that belongs to this run; the text is recorded as it is.
    Result(Box<Metrics>, String),
    /// Nothing, or nothing that counts; the reason.
    Nothing(String),
    /// A result of something else than what was to run; the reason.
    Foreign(String),
}

/// What a seed left in a run's directory. `code` is the trainer's exit status.
pub fn seed(dir: &RunDir, id: &RunId, run: &Run, seed: u64, code: i32) -> Result<Left, Problem> {
    if let Some(length) = dir.metrics(seed).metadata().ok().map(|m| m.len()).filter(|length| *length > LARGEST) {
        return Ok(killed(code).unwrap_or_else(|| too_large(length)));
    }
    Ok(judged(id, run, seed, code, scratch::read(&dir.metrics(seed))?))
}

/// What a seed left on a site. Only a result counts whose digest the job script wrote when the trainer had ended with 0;
/// `code` is the exit status in this attempt, none when the seed was not started or did not end.
#[must_use]
pub fn sent(files: &SeedFiles, id: &RunId, run: &Run, seed: u64, code: Option<i32>) -> Left {
    match (&files.done, &files.metrics) {
        (Some(done), Some(metrics)) if *done == digest(metrics) => judged(id, run, seed, 0, Some(metrics.clone())),
        (Some(_), Some(_)) => Left::Nothing("metrics.json is not the one that the trainer ended with".into()),
        (Some(_), None) if files.large.is_none() => {
            Left::Nothing("metrics.json is gone since the trainer ended".into())
        }
        (_, metrics) => match (code, files.large) {
            (None, _) => Left::Nothing("it did not come to an end".into()),
            (Some(code), Some(length)) => killed(code).unwrap_or_else(|| too_large(length)),
            (Some(0), None) if metrics.is_some() => {
                Left::Nothing("the job ended before it could check metrics.json".into())
            }
            (Some(code), _) => judged(id, run, seed, code, metrics.clone()),
        },
    }
}

/// Why a trainer that was ended from outside left nothing.
fn killed(code: i32) -> Option<Left> {
    let reason = match code {
        contract::STOPPED => "stopped; it goes on from its checkpoint when it is started again",
        SIGKILL => "ended by SIGKILL, as the system does when memory runs out",
        _ => return None,
    };
    Some(Left::Nothing(reason.into()))
}

fn too_large(length: u64) -> Left {
    Left::Nothing(format!("metrics.json: {length} bytes; at most 4 MiB"))
}

fn judged(id: &RunId, run: &Run, seed: u64, code: i32, bytes: Option<Vec<u8>>) -> Left {
    if let Some(left) = killed(code) {
        return left;
    }
    let metrics = bytes.as_deref().map(Metrics::from_json);
    match (metrics, bytes) {
        (Some(Ok(metrics)), _) if metrics.status == Status::Failed => {
            let reason = metrics.error.unwrap_or_else(|| "the trainer gives no reason".into());
            Left::Nothing(format!("failed: {}", reason.chars().take(REASON_MOST).collect::<String>()))
        }
        _ if code != 0 => Left::Nothing(format!("the trainer ended with exit status {code}")),
        (None, _) | (_, None) => Left::Nothing("the trainer ended with 0 and left no metrics.json".into()),
        (Some(Err(message)), _) => Left::Nothing(format!("metrics.json: {message}")),
        (Some(Ok(metrics)), Some(bytes)) => match foreign(id, run, seed, &metrics) {
            Some(reason) => Left::Foreign(reason),
            None => Left::Result(Box::new(metrics), String::from_utf8_lossy(&bytes).into_owned()),
        },
    }
}

/// Why these metrics are not this seed's of this run.
#[must_use]
pub fn foreign(id: &RunId, run: &Run, seed: u64, metrics: &Metrics) -> Option<String> {
    let differ = |key: &str, found: &str, wanted: &str| {
        (found != wanted).then(|| format!("metrics.json has {key} `{found}`; this run's is `{wanted}`"))
    };
    differ("run", &metrics.run, id.as_str())
        .or_else(|| differ("seed", &metrics.seed.to_string(), &seed.to_string()))
        .or_else(|| differ("config_digest", &metrics.config_digest, &run.config_digest))
        .or_else(|| differ("commit", &metrics.commit, &run.anchor.commit))
}

/// The verdict on an attempt, and why it is not `succeeded`. `code` is the first exit status that is not 0.
#[must_use]
pub fn verdict(seeds: &[(u64, Left)], code: i32, stopped: bool) -> (Verdict, Option<String>) {
    let named = |(seed, left): &(u64, Left)| match left {
        Left::Result(..) => None,
        Left::Nothing(reason) | Left::Foreign(reason) => Some(format!("seed {seed}: {reason}")),
    };
    let reasons: Vec<String> = seeds.iter().filter_map(named).collect();
    let reason = (!reasons.is_empty()).then(|| reasons.join("; "));
    let verdict = match () {
        () if seeds.iter().any(|(_, left)| matches!(left, Left::Foreign(_))) => Verdict::Quarantined,
        () if code == 0 && reason.is_none() => Verdict::Succeeded,
        () if stopped || code == contract::STOPPED || code == SIGKILL => Verdict::Killed,
        () => Verdict::Failed,
    };
    (verdict, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::yaml::from_str;

    const RUN: &str = "schema: 1\nkind: full\nexperiment: a\ncluster: local\ncreated: 2026-01-31T12:00:00Z\n\
        anchor: {commit: c, code_tree: t, manifest: m}\ncommand: [x]\nconfig_digest: d\nseeds: [0]\n";
    const METRICS: &str = r#"{"schema":1,"run":"kq7f3-a","seed":0,"commit":"c","config_digest":"d","status":"completed",
        "epochs_planned":1,"epochs_run":1,"metrics":{"val/accuracy":{"final":0.9,"best":0.9,"best_epoch":1,"direction":"maximize"}}}"#;

    fn look(text: Option<&str>, code: i32) -> Left {
        let place = tempfile::tempdir().unwrap();
        let dir = RunDir { path: place.path().to_path_buf() };
        if let Some(text) = text {
            scratch::write(&dir.metrics(0), text.as_bytes()).unwrap();
        }
        seed(&dir, &"kq7f3-a".try_into().unwrap(), &from_str(RUN).unwrap(), 0, code).unwrap()
    }

    #[test]
    fn only_a_result_of_this_very_run_counts() {
        assert!(matches!(look(Some(METRICS), 0), Left::Result(_, text) if text == METRICS));
        let reason = |left: Left| match left {
            Left::Nothing(reason) => reason,
            other => panic!("{other:?}"),
        };
        assert!(reason(look(Some(METRICS), 1)).contains("exit status 1"));
        assert!(reason(look(Some(METRICS), 143)).contains("stopped"));
        assert!(reason(look(Some(METRICS), 137)).contains("memory"));
        assert!(reason(look(None, 0)).contains("no metrics.json"));
        assert!(reason(look(Some(&" ".repeat(5 << 20)), 0)).contains("at most 4 MiB"));
        assert!(reason(look(Some(&METRICS.replace("0.9,", "NaN,")), 0)).contains("metrics.json:"));
        let failed = METRICS.replace("completed", "failed").replace("\"metrics\"", "\"error\":\"NaN\",\"metrics\"");
        assert_eq!(reason(look(Some(&failed), 1)), "failed: NaN");
        for (from, to) in [("kq7f3-a", "kq7f3-b"), ("\"seed\":0", "\"seed\":1"), ("\"d\"", "\"e\""), ("\"c\"", "\"e\"")]
        {
            assert!(matches!(look(Some(&METRICS.replace(from, to)), 0), Left::Foreign(_)), "{to}");
        }
    }

    #[test]
    fn a_result_from_a_site_counts_only_with_its_digest() {
        let (id, run) = ("kq7f3-a".try_into().unwrap(), from_str(RUN).unwrap());
        let look = |done: Option<String>, metrics: Option<&str>, code: Option<i32>| {
            let files = SeedFiles { done, metrics: metrics.map(|m| m.as_bytes().to_vec()), ..SeedFiles::default() };
            sent(&files, &id, &run, 0, code)
        };
        let reason = |left: Left| match left {
            Left::Nothing(reason) => reason,
            other => panic!("{other:?}"),
        };
        let whole = || Some(digest(METRICS.as_bytes()));
        assert!(matches!(look(whole(), Some(METRICS), Some(0)), Left::Result(..)));
        // Finished in an earlier attempt, and not started in this one.
        assert!(matches!(look(whole(), Some(METRICS), None), Left::Result(..)));
        let foreign = METRICS.replace("kq7f3-a", "kq7f3-b");
        assert!(matches!(look(Some(digest(foreign.as_bytes())), Some(&foreign), Some(0)), Left::Foreign(_)));
        assert!(reason(look(whole(), Some(&METRICS[..50]), Some(0))).contains("not the one"));
        assert!(reason(look(whole(), None, Some(0))).contains("gone"));
        assert!(reason(look(None, Some(METRICS), Some(0))).contains("before it could check"));
        assert!(reason(look(None, None, Some(0))).contains("no metrics.json"));
        assert!(reason(look(None, Some(METRICS), Some(143))).contains("stopped"));
        assert!(reason(look(None, Some(METRICS), None)).contains("did not come to an end"));
        let large = SeedFiles { large: Some(5 << 20), ..SeedFiles::default() };
        assert!(reason(sent(&large, &id, &run, 0, Some(0))).contains("at most 4 MiB"));
    }

    #[test]
    fn the_verdict_is_the_worst_of_the_seeds() {
        let good = || (0, look(Some(METRICS), 0));
        let none = || (1, Left::Nothing("no".into()));
        assert_eq!(verdict(&[good()], 0, false), (Verdict::Succeeded, None));
        assert_eq!(verdict(&[good(), none()], 0, false), (Verdict::Failed, Some("seed 1: no".into())));
        assert_eq!(verdict(&[good(), none()], 143, false).0, Verdict::Killed);
        assert_eq!(verdict(&[none()], 1, true).0, Verdict::Killed);
        assert_eq!(verdict(&[none()], 137, false).0, Verdict::Killed);
        assert_eq!(verdict(&[good()], 0, true).0, Verdict::Succeeded);
        assert_eq!(verdict(&[good(), (1, Left::Foreign("x".into()))], 0, false).0, Verdict::Quarantined);
    }
}
