//! The job script is rendered and then really run: by every POSIX shell that is here. What stands in its text is in
//! [`text`].

mod text;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::*;
use crate::cluster::scheduler::job_name;
use crate::cluster::site::{Layout, RunFolder, names};
use crate::repo::DiskTree;
use crate::runs::snapshot;
use crate::state::load;
use crate::state::record::{Exit, Start};
use crate::state::tree::digest;

const PROFILE: &str = "schema: 1\nscheduler: pbs\ntransport: local\nscratch: /scratch\n";

/// A trainer that is told to be slow by a file, leaves a checkpoint on TERM, and counts its signals.
const TRAINER: &str = r#"
out=$AR_RUN_DIR/seed-$AR_SEED
trap 'echo TERM >>"$out/signals"; echo saved >"$out/checkpoint"; kill "$p" 2>/dev/null; exit 143' TERM
echo "seed $AR_SEED of $AR_RUN in $(pwd) smoke ${AR_SMOKE:-no} word $1"
if [ -e "$AR_RUN_DIR/slow" ]; then sleep 30 & p=$!; echo ready; wait "$p"; fi
[ "$AR_SEED" != 7 ] || exit 7
echo "{\"seed\": $AR_SEED}" >"$out/metrics.json"
"#;

struct Site {
    _place: tempfile::TempDir,
    run: PathBuf,
    snapshot: PathBuf,
    manifest: String,
    shell: String,
}

fn shells() -> Vec<String> {
    let known = ["dash", "bash --posix", "bash", "busybox sh", "sh"];
    let here = |shell: &&str| {
        let program = shell.split(' ').next().unwrap();
        ["/bin", "/usr/bin"].iter().any(|folder| Path::new(folder).join(program).exists())
    };
    known.into_iter().filter(here).map(String::from).collect()
}

impl Site {
    fn new(shell: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        let scratch = place.path().canonicalize().unwrap().join("it's $HOME");
        let source = place.path().join("source");
        std::fs::create_dir_all(source.join("a b")).unwrap();
        std::fs::write(source.join("train.sh"), TRAINER).unwrap();
        std::fs::write(source.join("a b/it's \\ odd.txt"), "x").unwrap();
        std::fs::write(source.join("-n"), "y").unwrap();
        std::fs::write(source.join("run"), "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(source.join("run"), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink("a b/nowhere", source.join("link")).unwrap();
        let layout = Layout::new(scratch.to_str().unwrap(), "repo", "0123456789");
        let folder = PathBuf::from(layout.snapshot("abc123"));
        let made = snapshot::provide(&DiskTree::new(&source), &[], &folder).unwrap();
        let RunFolder { path } = layout.run(&id());
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(format!("{path}/{}", names::CONFIG), "epochs: 1\n").unwrap();
        Self { _place: place, run: path.into(), snapshot: folder, manifest: made.manifest, shell: shell.into() }
    }

    fn script(&self, profile: &str, trainer: &[&str], seeds: &[u64], spec: &Spec) -> Result<String, Problem> {
        let profile = load::parse("configs/cluster/s.yaml", format!("{PROFILE}{profile}").as_bytes()).unwrap();
        let trainer: Vec<String> = trainer.iter().map(ToString::to_string).collect();
        render(&Sheet {
            profile: &profile,
            spec,
            id: &id(),
            run: &run(&self.manifest),
            attempt: 1,
            seeds,
            config_file: &digest(b"epochs: 1\n"),
            trainer: &trainer,
            venv: Some("0123456789ab"),
        })
    }

    fn write(&self, text: &str) {
        std::fs::write(self.run.join(names::script(1)), text).unwrap();
    }

    fn command(&self) -> Command {
        let mut words = self.shell.split(' ');
        let mut command = Command::new(words.next().unwrap());
        command.args(words).arg(self.run.join(names::script(1))).current_dir("/");
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", "/nowhere");
        command.env("PBS_O_WORKDIR", &self.run).env("PBS_JOBID", "7.vm");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn go(&self) -> Output {
        self.command().output().unwrap()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.run.join(name)).unwrap_or_else(|e| panic!("{}: {name}: {e}", self.shell))
    }

    fn exit(&self) -> Exit {
        serde_json::from_str(&self.read("exit-1.json")).unwrap()
    }

    fn start(&self) -> Start {
        serde_json::from_str(&self.read("start-1.json")).unwrap()
    }

    fn wait_for(&self, name: &str, text: &str) {
        let began = Instant::now();
        while !std::fs::read_to_string(self.run.join(name)).unwrap_or_default().contains(text) {
            assert!(began.elapsed() < Duration::from_secs(60), "{}: {name} never said {text}", self.shell);
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn id() -> RunId {
    RunId::try_from("kq7f3-digits_mlp").unwrap()
}

fn run(manifest: &str) -> Run {
    let text = format!(
        "schema: 1\nkind: full\nexperiment: digits_mlp\ncluster: s\ncreated: 2026-01-05T08:00:00Z\n\
         anchor: {{commit: c0ffee, code_tree: abc123, manifest: \"{manifest}\"}}\ncommand: [sh, train.sh]\n\
         config_digest: d16e57\nseeds: [0]\n"
    );
    load::parse("run.yaml", text.as_bytes()).unwrap()
}

fn spec() -> Spec {
    Spec {
        name: job_name(&id(), 1),
        walltime_s: 3600,
        output: names::output(1, None),
        error: names::error(1, None),
        ..Spec::default()
    }
}

const TRAIN: [&str; 3] = ["sh", "train.sh", "it's \"$(id)\" `id` $HOME\n#PBS -q x"];

#[test]
fn a_job_trains_its_seeds_and_says_what_it_was() {
    for shell in shells() {
        let site = Site::new(&shell);
        site.write(
            &site
                .script("env: {DATA: \"$HOME/d\"}\nsetup: ['X=1', 'export X']\n", &TRAIN, &[0, 7, 2], &spec())
                .unwrap(),
        );
        let output = site.go();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(7), "{shell}: {said}");
        let start = site.start();
        assert_eq!((start.manifest, start.commit.as_str()), (site.manifest.clone(), "c0ffee"), "{shell}");
        assert_eq!((start.config_digest.as_str(), start.job.as_deref()), ("d16e57", Some("7.vm")), "{shell}");
        assert_eq!((start.source, start.modules), (None, vec![]), "{shell}");
        let exit = site.exit();
        assert_eq!(exit.seeds.into_iter().collect::<Vec<_>>(), [(0, 0), (2, 0), (7, 7)], "{shell}");
        assert_eq!((exit.code, exit.signal), (7, None), "{shell}");
        assert_eq!(site.read("seed-2/done").trim(), digest(b"{\"seed\": 2}\n"), "{shell}");
        assert!(!site.run.join("seed-7/done").exists(), "{shell}");
        let log = site.read("seed-0/log");
        assert!(log.contains(&format!("in {}", site.snapshot.display())), "{shell}: {log}");
        assert!(log.contains("smoke no") && log.contains(TRAIN[2]), "{shell}: {log}");
        assert!(site.read("heartbeat-1").ends_with("Z 7.vm\n"), "{shell}");
        assert_eq!(snapshot::attest(&site.snapshot).unwrap(), site.manifest, "{shell}");
        // Again: what is done is left alone, what failed is tried again.
        site.go();
        assert_eq!(site.exit().seeds.into_keys().collect::<Vec<_>>(), [7], "{shell}");
        assert_eq!(site.read("seed-0/log").lines().count(), log.lines().count(), "{shell}");
    }
}

#[test]
fn a_signal_leads_to_one_checkpoint_and_an_exit_file() {
    // To the whole job, as a scheduler sends it; to the shell alone, as a person or a warning signal does.
    for (shell, whole, signal) in
        shells().into_iter().flat_map(|s| [(s.clone(), true, "TERM"), (s.clone(), false, "TERM"), (s, false, "USR1")])
    {
        use std::os::unix::process::CommandExt as _;
        let site = Site::new(&shell);
        std::fs::write(site.run.join("slow"), "").unwrap();
        // A wrapper in front, which keeps what it is told for itself.
        let wrapped = ["sh", "-c", "sh train.sh; exit $?"];
        site.write(&site.script("", &wrapped, &[0, 1], &spec()).unwrap());
        let child = site.command().process_group(0).spawn().unwrap();
        site.wait_for("seed-0/log", "ready");
        let target = if whole { format!("-{}", child.id()) } else { child.id().to_string() };
        assert!(Command::new("kill").args(["-s", signal, "--", &target]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(143), "{shell} {whole}: {}", String::from_utf8_lossy(&output.stderr));
        let exit = site.exit();
        assert_eq!((exit.code, exit.signal.as_deref()), (143, Some(signal)), "{shell} {whole}");
        assert_eq!(exit.seeds.into_iter().collect::<Vec<_>>(), [(0, 143)], "{shell} {whole}");
        // The job waits some seconds for a trainer that outlives its wrapper; a machine may be slower than that.
        site.wait_for("seed-0/signals", "TERM");
        assert_eq!(site.read("seed-0/signals"), "TERM\n", "{shell} {whole} {signal}: once");
        assert!(!site.run.join("seed-1/log").exists(), "{shell} {whole}");
    }
}

#[test]
fn a_signal_in_the_middle_of_the_check_is_no_mismatch() {
    use std::os::unix::process::CommandExt as _;
    let site = Site::new("sh");
    site.write(&site.script("", &TRAIN, &[0], &spec()).unwrap());
    let slow = site.run.join("bin/sha256sum");
    std::fs::create_dir_all(slow.parent().unwrap()).unwrap();
    std::fs::write(
        &slow,
        format!(
            "#!/bin/sh\necho begun >>'{}'\nsleep 30\n",
            slow.with_file_name("said").display().to_string().replace('\'', "'\\''")
        ),
    )
    .unwrap();
    std::fs::set_permissions(&slow, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", slow.parent().unwrap().display());
    let child = site.command().env("PATH", path).process_group(0).spawn().unwrap();
    site.wait_for("bin/said", "begun");
    let group = format!("-{}", child.id());
    assert!(Command::new("kill").args(["-s", "TERM", "--", &group]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(site.exit().signal.as_deref(), Some("TERM"));
    assert!(!site.run.join(names::start(1, None)).exists());
}

#[test]
fn other_files_than_the_runs_are_attested_and_nothing_is_trained() {
    type Change = fn(&Site);
    let changes: [(&str, Change); 6] = [
        ("a file was added", |site| std::fs::write(site.snapshot.join("new.py"), "").unwrap()),
        ("a file was changed", |site| {
            std::fs::remove_file(site.snapshot.join("train.sh")).unwrap();
            std::fs::write(site.snapshot.join("train.sh"), "echo other\n").unwrap();
        }),
        ("a file is gone", |site| std::fs::remove_file(site.snapshot.join("-n")).unwrap()),
        ("a file became executable", |site| {
            std::fs::set_permissions(site.snapshot.join("-n"), std::fs::Permissions::from_mode(0o555)).unwrap();
        }),
        ("a link leads elsewhere", |site| {
            std::fs::remove_file(site.snapshot.join("link")).unwrap();
            std::os::unix::fs::symlink("elsewhere", site.snapshot.join("link")).unwrap();
        }),
        ("the config was changed", |site| std::fs::write(site.run.join(names::CONFIG), "epochs: 2\n").unwrap()),
    ];
    for (what, change) in changes {
        let site = Site::new("sh");
        site.write(&site.script("", &TRAIN, &[0], &spec()).unwrap());
        change(&site);
        let output = site.go();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(MISMATCH), "{what}: {said}");
        assert!(said.contains("nothing is trained"), "{what}: {said}");
        let start = site.start();
        assert!(start.manifest != site.manifest || start.config_digest != "d16e57", "{what}");
        assert_eq!(site.exit().code, MISMATCH, "{what}");
        assert!(!site.run.join("seed-0/log").exists(), "{what}");
    }
    // The wrong folder is told before anything is written.
    let site = Site::new("sh");
    site.write(&site.script("", &TRAIN, &[0], &spec()).unwrap());
    let output = site.command().env("PBS_O_WORKDIR", "/").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not the folder of run"));
}

#[test]
fn a_member_of_an_array_trains_its_own_seed() {
    let site = Site::new("sh");
    let spec = Spec { array: Some(3), ..spec() };
    let text = site.script("", &TRAIN, &[3, 5, 9], &spec).unwrap();
    assert!(text.contains("#PBS -J 0-2\n") && text.contains("-o job-1.^array_index^.out\n"), "{text}");
    site.write(&text);
    let output = site.command().env("PBS_ARRAY_INDEX", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let exit: Exit = serde_json::from_str(&site.read(&names::exit(1, Some(1)))).unwrap();
    assert_eq!(exit.seeds.into_keys().collect::<Vec<_>>(), [5]);
    assert!(site.run.join(names::start(1, Some(1))).exists());
    assert!(site.script("", &TRAIN, &[3], &spec).is_err());
}

#[test]
fn code_that_is_installed_elsewhere_defeats_no_snapshot() {
    let Some(python) = ["/usr/bin/python3", "/usr/local/bin/python3"].into_iter().find(|p| Path::new(p).exists())
    else {
        panic!("python3 is needed: apt-get install python3");
    };
    let site = Site::new("sh");
    let clone = site.run.join("clone");
    for (folder, text) in
        [(site.snapshot.join("src/net"), "WHERE = 'snapshot'"), (clone.join("net"), "WHERE = 'clone'")]
    {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("__init__.py"), text).unwrap();
    }
    let site = Site { manifest: snapshot::attest(&site.snapshot).unwrap(), ..site };
    let train =
        [python, "-c", "import os, net; open(os.environ['AR_RUN_DIR'] + '/seed-0/metrics.json', 'w').write(net.WHERE)"];
    // An editable install puts the clone on the path; the code's own folder in front of it mends that.
    let installed = format!(
        "setup: ['export PYTHONPATH=\"{}\"']\n",
        clone.display().to_string().replace('\'', "''").replace('$', "\\$")
    );
    site.write(&site.script(&installed, &train, &[0], &spec()).unwrap());
    let output = site.go();
    assert_eq!(output.status.code(), Some(MISMATCH), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(site.start().source.unwrap().ends_with("clone/net/__init__.py"));
    site.write(&site.script("setup: ['export PYTHONPATH=\"$AR_SNAPSHOT/src\"']\n", &train, &[0], &spec()).unwrap());
    let output = site.go();
    assert_eq!(output.status.code(), Some(0), "{}{}", String::from_utf8_lossy(&output.stderr), site.read("seed-0/log"));
    assert_eq!(
        (site.start().source.as_deref(), site.read("seed-0/metrics.json").as_str()),
        (Some("src/net/__init__.py"), "snapshot")
    );
}

#[test]
fn the_python_environment_of_the_profile_comes_first_or_nothing_is_trained() {
    let site = Site::new("sh");
    let environments = site.run.join("../../environments").canonicalize();
    assert!(environments.is_err());
    let train = ["sh", "-c", "tool >\"$AR_RUN_DIR/seed-0/metrics.json\"; echo $VIRTUAL_ENV"];
    site.write(&site.script("environment: {}\n", &train, &[0], &spec()).unwrap());
    let output = site.go();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(MISMATCH), "{said}");
    assert!(said.contains("environments/0123456789ab is not there: git ar cluster setup makes it"), "{said}");
    let bin = site.run.join("../../environments/0123456789ab/bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::write(bin.join("../.ar-whole"), "").unwrap();
    std::fs::write(bin.join("tool"), "#!/bin/sh\necho from the environment\n").unwrap();
    std::fs::set_permissions(bin.join("tool"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let output = site.go();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(site.read("seed-0/metrics.json"), "from the environment\n");
    assert!(site.read("seed-0/log").trim().ends_with("environments/0123456789ab"));
}
