//! The live lane: a real Slurm with its own configuration, ports and key, beside whatever else runs on this machine.
//! Jobs are submitted, killed by their walltime, resumed and collected by the commands that people type.

use std::cell::RefCell;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::lab::{has, lacks};
use crate::sandbox::Sandbox;

/// How long anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// A running Slurm. Dropping it ends its jobs and its daemons.
struct Slurm {
    place: tempfile::TempDir,
    daemons: RefCell<Vec<Child>>,
}

/// A trainer that is slow until it has a checkpoint: the walltime ends its first attempt, the second finishes.
const TRAINER: &str = r#"#!/bin/sh
out=$AR_RUN_DIR/seed-$AR_SEED
trap 'echo 1 >"$out/checkpoint"; echo "saved on TERM"; kill "$p" 2>/dev/null; exit 143' TERM
if [ "$AR_SEED" = 5 ]; then echo "Error: no such layer" >&2; exit 3; fi
if [ "$AR_SEED" = 1 ] && [ ! -e "$out/checkpoint" ] && [ -z "$AR_SMOKE" ]; then sleep 600 & p=$!; wait "$p"; fi
printf '{"schema":1,"run":"%s","seed":%s,"commit":"%s","config_digest":"%s","status":"completed",' \
    "$AR_RUN" "$AR_SEED" "$AR_COMMIT" "$AR_CONFIG_DIGEST" >"$out/part"
printf '"epochs_planned":1,"epochs_run":1,"metrics":{"val/accuracy":{"final":0.%s5,"best":0.95,"best_epoch":1,"direction":"maximize"}}}\n' \
    "$(cat data.txt)" >>"$out/part"
mv "$out/part" "$out/metrics.json"
"#;

fn program(name: &str, package: &str) -> PathBuf {
    let places = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    let found = places.iter().map(|place| Path::new(place).join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is missing: apt-get install {package}"))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Slurm {
    fn start() -> Self {
        let place = tempfile::tempdir().unwrap();
        let slurm = Self { place, daemons: RefCell::new(Vec::new()) };
        for folder in ["state", "spool"] {
            std::fs::create_dir(slurm.file(folder)).unwrap();
        }
        std::fs::write(slurm.file("munge.key"), "a key for one test only, of no use to anybody else".repeat(4))
            .unwrap();
        let only_me = std::os::unix::fs::PermissionsExt::from_mode(0o400);
        std::fs::set_permissions(slurm.file("munge.key"), only_me).unwrap();
        std::fs::write(slurm.file("slurm.conf"), slurm.configuration()).unwrap();
        let at = |name: &str| slurm.file(name).display().to_string();
        let keys = [
            format!("--key-file={}", at("munge.key")),
            format!("--socket={}", at("munge.sock")),
            format!("--pid-file={}", at("munge.pid")),
            format!("--seed-file={}", at("munge.seed")),
            format!("--log-file={}", at("munge.log")),
        ];
        let keys: Vec<&str> = ["--foreground", "--force"].into_iter().chain(keys.iter().map(String::as_str)).collect();
        slurm.daemon("munged", "munge", &keys);
        slurm.until("the keys' socket", || slurm.file("munge.sock").exists());
        slurm.controller();
        slurm.daemon("slurmd", "slurm-wlm", &["-D", "-N", "localhost"]);
        slurm.until("an idle node", || slurm.say("sinfo", &["-h", "-o", "%t"]).contains("idle"));
        slurm
    }

    /// A controller that knows what the last one knew.
    fn controller(&self) {
        self.daemon("slurmctld", "slurm-wlm", &["-D"]);
    }

    fn configuration(&self) -> String {
        let me = Command::new("id").arg("-un").output().unwrap();
        let me = String::from_utf8(me.stdout).unwrap().trim().to_string();
        let at = |name: &str| self.file(name).display().to_string();
        format!(
            "ClusterName=test\nSlurmctldHost=localhost(127.0.0.1)\nSlurmctldPort={}\nSlurmdPort={}\nSlurmUser={me}\n\
             SlurmdUser={me}\nAuthType=auth/munge\nAuthInfo=socket={}\nCredType=cred/munge\n\
             ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/none\n\
             AccountingStorageType=accounting_storage/none\nSelectType=select/cons_tres\nSelectTypeParameters=CR_Core\n\
             MpiDefault=none\nSwitchType=switch/none\nReturnToService=2\nMinJobAge=300\nKillWait=10\n\
             SlurmctldPidFile={}\nSlurmdPidFile={}\nSlurmdSpoolDir={}\nStateSaveLocation={}\nSlurmctldLogFile={}\n\
             SlurmdLogFile={}\nCommunicationParameters=NoInAddrAny,NoCtldInAddrAny\n\
             NodeName=localhost NodeAddr=127.0.0.1 CPUs=2 RealMemory=1000 State=UNKNOWN\n\
             PartitionName=serial Nodes=localhost Default=YES MaxTime=48:00:00 OverSubscribe=FORCE:4 State=UP\n",
            free_port(),
            free_port(),
            at("munge.sock"),
            at("slurmctld.pid"),
            at("slurmd.pid"),
            at("spool"),
            at("state"),
            at("slurmctld.log"),
            at("slurmd.log"),
        )
    }

    fn file(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn daemon(&self, name: &str, package: &str, arguments: &[&str]) {
        let mut command = Command::new(program(name, package));
        command.args(arguments).env("SLURM_CONF", self.file("slurm.conf"));
        let output = std::fs::File::create(self.file(&format!("{name}.out"))).unwrap();
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        self.daemons.borrow_mut().push(command.spawn().unwrap());
    }

    fn say(&self, name: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program(name, "slurm-wlm"));
        let Output { stdout, .. } =
            command.args(arguments).env("SLURM_CONF", self.file("slurm.conf")).output().unwrap();
        String::from_utf8_lossy(&stdout).into_owned()
    }

    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let began = Instant::now();
        while !holds() {
            if began.elapsed() > PATIENCE {
                let log = |name: &str| std::fs::read_to_string(self.file(name)).unwrap_or_default();
                panic!(
                    "{what} never came\n{}\n{}\n{}",
                    log("slurmctld.log"),
                    log("slurmd.log"),
                    self.say("squeue", &["-a"])
                );
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Nobody waits or runs any more.
    fn until_idle(&self) {
        self.until("the end of all jobs", || self.say("squeue", &["-h"]).trim().is_empty());
    }

    /// A repository whose cluster this is, its code pushed.
    fn repository(&self) -> Sandbox {
        let conf = self.file("slurm.conf").display().to_string();
        let sandbox = Sandbox::repository().with_env("SLURM_CONF", &conf).with_env("GIT_AR_TRUST", "all");
        sandbox.run("init --runs-only");
        sandbox.write(
            "configs/cluster/tiny.yaml",
            &format!(
                "schema: 1\nscheduler: slurm\ntransport: local\nscratch: {}\ndefault_queue: serial\nresubmit: 2\n\
                 queues:\n  serial: {{max_walltime: \"48:00:00\", nodes: [1, 1]}}\n",
                self.file("scratch").display()
            ),
        );
        sandbox.write("configs/ar.yaml", "schema: 1\nloop: off\ntrainer: [sh, train.sh]\n");
        sandbox.write("configs/experiment/mlp.yaml", "# @package _global_\nepochs: 1\n");
        sandbox.write("train.sh", TRAINER);
        sandbox.write("data.txt", "7\n");
        sandbox.git("add -A");
        sandbox.git("commit -q -m \"all of it\"");
        sandbox.git("init -q --bare ../origin.git");
        sandbox.git("remote add origin ../origin.git");
        sandbox.git("push -q -u origin develop");
        sandbox
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        self.say("scancel", &["--me"]);
        let began = Instant::now();
        while !self.say("squeue", &["-h"]).trim().is_empty() && began.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(200));
        }
        for daemon in self.daemons.borrow_mut().iter_mut().rev() {
            let _ = Command::new("kill").arg(daemon.id().to_string()).status();
            let _ = daemon.wait();
        }
    }
}

#[test]
fn jobs_run_their_anchor_are_killed_resumed_and_ranked() {
    let slurm = Slurm::start();
    let sandbox = slurm.repository();
    let dry = sandbox.run("run submit mlp --cluster tiny --seeds 0-1 --walltime 00:01:00 --dry-run");
    has(&dry, &["#SBATCH --time=00:01:00\n", "#SBATCH --partition=serial\n", "#SBATCH --export=NONE\n"]);
    assert!(slurm.say("squeue", &["-h", "-t", "all"]).is_empty());
    let said = sandbox.run("run submit mlp --cluster tiny --seeds 0-1 --walltime 00:01:00 --seeds-as sequence");
    lacks(&said, &["[exit"]);
    // What is pulled or pushed meanwhile changes nothing for a job.
    sandbox.commit("data.txt", "1\n");
    sandbox.git("push -q");
    has(&sandbox.run("tick --now"), &["mlp.1"]);
    slurm.until_idle();
    let killed = sandbox.run("tick --now");
    has(&killed, &["walltime"]);
    // What may go on was submitted again, once.
    let jobs = || slurm.say("squeue", &["-h", "-t", "all", "-o", "%j"]).lines().count();
    assert_eq!(jobs(), 2, "{killed}");
    slurm.until_idle();
    let ended = sandbox.run("tick --now");
    has(&ended, &["succeeded"]);
    has(&sandbox.run("tick --now"), &["no attempt is active"]);
    let metrics = sandbox.git("grep -h final -- projects/repo/runs");
    assert_eq!(metrics.matches("\"final\":0.75").count(), 2, "both seeds ran the anchor: {metrics}");
    assert_eq!(sandbox.git("status --short"), "");
    let records = sandbox.git("grep -h -e verdict -e cause -- projects/repo/runs");
    has(&records, &["verdict: succeeded", "cause: walltime"]);
}

#[test]
fn arrays_failures_and_a_controller_that_is_away() {
    let slurm = Slurm::start();
    let sandbox = slurm.repository();
    let said = sandbox.run("run submit mlp --cluster tiny --seeds 0,2,5 --walltime 00:05:00 --seeds-as array");
    lacks(&said, &["[exit"]);
    slurm.until_idle();
    // An answer that does not come is no answer.
    let mut away = slurm.daemons.borrow_mut().remove(1);
    let _ = Command::new("kill").arg(away.id().to_string()).status();
    let _ = away.wait();
    let head = sandbox.git("rev-parse HEAD");
    has(&sandbox.run("tick --now"), &["[exit 7]"]);
    assert_eq!(sandbox.git("rev-parse HEAD"), head);
    slurm.controller();
    slurm.until("the controller", || slurm.say("squeue", &["-h", "-t", "all"]).contains("serial"));
    let ended = sandbox.run("tick --now");
    has(&ended, &["failed"]);
    let records = sandbox.git("ls-files projects/repo/runs");
    has(&records, &["seed-0/metrics.json", "seed-2/metrics.json"]);
    lacks(&records, &["seed-5"]);
    let refused = sandbox.run("run submit mlp --cluster tiny --seeds 9 --queue nowhere");
    has(&refused, &["nowhere", "[exit 2]"]);
}
