//! Attempts as they are on record, their run directories, and a scheduler that says what a test wants.

use std::cell::Cell;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use super::{program, research};
use crate::sandbox::Sandbox;

/// The scheduler answers from one file for each job, and counts how often it is asked.
const QSTAT: &str = "#!/bin/sh
echo asked >>\"$HOME/asked\"
[ ! -e \"$HOME/broken\" ] || . \"$HOME/broken\"
[ \"$1\" != -xfw ] || shift
code=0
for id; do
    if [ -e \"$HOME/jobs/$id\" ]; then cat \"$HOME/jobs/$id\"; else
        echo \"qstat: Unknown Job Id $id\" >&2
        code=153
    fi
done
exit $code
";

/// Ends a job that is known.
const QDEL: &str = "#!/bin/sh
for id; do
    [ -e \"$HOME/jobs/$id\" ] || { echo \"qdel: Unknown Job Id $id\" >&2; exit 153; }
    echo \"$id\" >>\"$HOME/deleted\"
done
";

/// The lab.
pub(crate) struct Lab {
    pub(crate) box_: Sandbox,
    jobs: Cell<u32>,
}

/// A run that was submitted.
pub(crate) struct Run {
    id: String,
    job: String,
    dir: PathBuf,
    seeds: Vec<u64>,
}

const COMMIT: &str = "c0ffee";
const MANIFEST: &str = "11";
const CONFIG: &str = "22";

impl Lab {
    /// One project without phases, one board, one cluster.
    pub(crate) fn new() -> Self {
        let box_ = Sandbox::repository();
        let bin = box_.home().join("bin");
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display());
        let box_ = box_.with_env("PATH", &path).with_env("GIT_AR_TRUST", "all");
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::create_dir_all(box_.home().join("jobs")).unwrap();
        program(&bin.join("qstat"), QSTAT);
        program(&bin.join("qdel"), QDEL);
        let cluster = "schema: 1\nscheduler: pbs\ntransport: local\nscratch: $HOME/scratch\ndefault_queue: gpu_1\n\
             queues:\n  gpu_1: {max_walltime: \"12:00:00\"}\n";
        research(&box_, "reference", &[("configs/cluster/lab.yaml", cluster), ("notes.md", "prose\n")]);
        Self { box_, jobs: Cell::new(0) }
    }

    pub(crate) fn run(&self, words: &str) -> String {
        self.box_.run(words)
    }

    /// How often the scheduler was asked.
    pub(crate) fn queries(&self) -> usize {
        std::fs::read_to_string(self.box_.home().join("asked")).unwrap_or_default().lines().count()
    }

    /// What the scheduler does instead of answering.
    pub(crate) fn qstat(&self, script: &str) {
        std::fs::write(self.box_.home().join("broken"), script).unwrap();
    }

    /// A run with its first attempt on record, all in the last commit.
    pub(crate) fn submitted(&self, id: &str, seeds: &[u64]) -> Run {
        self.jobs.set(self.jobs.get() + 1);
        let job = format!("{}.vm", self.jobs.get());
        let folder = format!("projects/anp/runs/{id}");
        let run = format!(
            "schema: 1\nkind: full\nexperiment: mlp\ncluster: lab\ncreated: 2026-01-05T07:00:00Z\n\
             anchor: {{commit: {COMMIT}, code_tree: '00', manifest: '{MANIFEST}'}}\ncommand: [git-ar, reference-trainer]\n\
             config_digest: '{CONFIG}'\nseeds: {seeds:?}\nresources: {{queue: gpu_1, walltime: \"01:00:00\"}}\n"
        );
        self.box_.write(&format!("{folder}/run.yaml"), &run);
        self.box_.write(&format!("{folder}/config.yaml"), "dataset: {name: digits}\nmodel: {name: ffnn}\n");
        let attempt = format!(
            "schema: 1\ncluster: lab\njob: {job}\nname: {id}.1\nsubmitted: 2026-01-05T07:00:00Z\n\
             resources: {{queue: gpu_1, walltime: \"01:00:00\"}}\n"
        );
        self.box_.write(&format!("{folder}/attempts/1.yaml"), &attempt);
        self.box_.git("add -A");
        let amend = if self.jobs.get() > 1 { "--amend " } else { "" };
        self.box_.git(&format!("commit -q {amend}-m runs"));
        let root = self.box_.git("rev-list --max-parents=0 HEAD");
        let dir = self.box_.home().join(format!("scratch/repo-{}/runs/{id}", &root[..8]));
        std::fs::create_dir_all(&dir).unwrap();
        Run { id: id.to_string(), job, dir, seeds: seeds.to_vec() }
    }

    /// What the scheduler says of the run's job.
    pub(crate) fn job(&self, run: &Run, state: &str, more: &str) {
        let text = format!(
            "Job Id: {}\n    Job_Name = {}.1\n    job_state = {state}\n    queue = gpu_1\n    \
             Resource_List.walltime = 01:00:00\n{more}\n",
            run.job, run.id
        );
        std::fs::write(self.box_.home().join("jobs").join(&run.job), text).unwrap();
    }

    /// What a real scheduler said of a job of its own, said of the run's.
    pub(crate) fn says(&self, run: &Run, reply: &str) {
        let (first, rest) = reply.split_once('\n').unwrap();
        assert!(first.starts_with("Job Id: "), "{first}");
        std::fs::write(self.box_.home().join("jobs").join(&run.job), format!("Job Id: {}\n{rest}", run.job)).unwrap();
    }

    /// The scheduler forgets the run's job.
    pub(crate) fn forget(&self, run: &Run) {
        std::fs::remove_file(self.box_.home().join("jobs").join(&run.job)).unwrap();
    }

    pub(crate) fn file(&self, run: &Run, name: &str, text: &str) {
        let path = run.dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The job attested its start.
    pub(crate) fn started(&self, run: &Run) {
        let text = format!(
            r#"{{"at":"2026-01-05T07:01:00Z","host":"n1","commit":"{COMMIT}","manifest":"{MANIFEST}","config_digest":"{CONFIG}"}}"#
        );
        self.file(run, "start-1.json", &text);
    }

    /// The program's own module came from somewhere.
    pub(crate) fn source(&self, run: &Run, source: &str) {
        let path = run.dir.join("start-1.json");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, text.replace("\"host\"", &format!("\"source\":\"{source}\",\"host\""))).unwrap();
    }

    /// The job said how it ended: every seed with this exit status.
    pub(crate) fn ended(&self, run: &Run, code: i32, errors: &str) {
        let seeds: Vec<String> = run.seeds.iter().map(|seed| format!("\"{seed}\":{code}")).collect();
        let signal = if code == 143 { ",\"signal\":\"TERM\"" } else { "" };
        let text = format!(r#"{{"at":"2026-01-05T07:59:00Z","code":{code},"seeds":{{{}}}{signal}}}"#, seeds.join(","));
        self.file(run, "exit-1.json", &text);
        self.file(run, "job-1.err", errors);
    }

    /// A whole result.
    pub(crate) fn result(&self, run: &Run, seed: u64, accuracy: f64) {
        let text = format!(
            r#"{{"schema":1,"run":"{}","seed":{seed},"commit":"{COMMIT}","config_digest":"{CONFIG}","status":"completed","epochs_planned":1,"epochs_run":1,"best_epoch":1,"metrics":{{"val/accuracy":{{"final":{accuracy},"best":{accuracy},"best_epoch":1,"direction":"maximize"}}}}}}"#,
            run.id
        );
        self.file(run, &format!("seed-{seed}/metrics.json"), &text);
        self.done(run, seed);
    }

    fn done(&self, run: &Run, seed: u64) {
        let bytes = std::fs::read(run.dir.join(format!("seed-{seed}/metrics.json"))).unwrap();
        let digest: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        self.file(run, &format!("seed-{seed}/done"), &digest);
    }

    /// The result loses its end after the job was done with it.
    pub(crate) fn truncate(&self, run: &Run, seed: u64) {
        let path = run.dir.join(format!("seed-{seed}/metrics.json"));
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    }

    /// The result is that of another config.
    pub(crate) fn disguise(&self, run: &Run, seed: u64) {
        let path = run.dir.join(format!("seed-{seed}/metrics.json"));
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace(&format!("\"config_digest\":\"{CONFIG}\""), "\"config_digest\":\"33\""))
            .unwrap();
        self.done(run, seed);
    }

    /// The end of what a trainer printed.
    pub(crate) fn log(&self, run: &Run, seed: u64, text: &str) {
        self.file(run, &format!("seed-{seed}/log"), text);
    }

    /// The heartbeat was this many seconds ago.
    pub(crate) fn beat(&self, run: &Run, age: u64) {
        self.file(run, "heartbeat-1", "");
        let time = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
        let file = std::fs::File::options().write(true).open(run.dir.join("heartbeat-1")).unwrap();
        file.set_modified(time).unwrap();
    }
}
