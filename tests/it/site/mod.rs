//! A cluster for tests: a real sshd on loopback with its own home, keys and known_hosts, and before it a PBS server
//! whose jobs are processes and whose replies are recorded ones (`pbs.py`).
//!
//! `let site = Site::start(PBS_18); let sandbox = site.lab("ssh", AT_ONCE);` and `--cluster site` is there.

pub(crate) mod proxy;

use std::cell::RefCell;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::lab::{OWN, program, push, research};
use crate::sandbox::Sandbox;

/// The version nearest to Lengau's.
pub(crate) const PBS_18: &str = "18.1.4";
/// The newest one.
pub(crate) const PBS_23: &str = "23.06.06";
/// Where a system keeps its ssh server.
const SSHD: &str = "/usr/sbin/sshd";
/// How long anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running site. Dropping it ends its server and its jobs.
pub(crate) struct Site {
    _home: TempDir,
    top: PathBuf,
    port: u16,
    user: String,
    sshd: RefCell<Option<Child>>,
}

impl Site {
    /// A site whose jobs start at once, two at a time in `gpu_1`. One second of walltime is 50 ms.
    pub(crate) fn start(version: &str) -> Self {
        let site = Self::without_ssh(version);
        site.connect();
        site
    }

    /// The same without an ssh server, for `transport: local`.
    pub(crate) fn without_ssh(version: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let top = home.path().canonicalize().unwrap();
        for folder in ["home", "pbs/bin", "pbs/jobs", "client", "server", "scratch"] {
            std::fs::create_dir_all(top.join(folder)).unwrap();
        }
        for tool in ["qsub", "qstat", "qdel", "qselect"] {
            program(&top.join("pbs/bin").join(tool), include_str!("pbs.py"));
        }
        let user = said(Command::new("id").arg("-un"));
        let site = Self { _home: home, top, port: free_port(), user, sshd: RefCell::new(None) };
        site.configure(json!({
            "version": version, "scale": 0.05, "kill_delay": 1.0, "default_queue": "serial",
            "recorded": Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/pbs"),
            "queues": {
                "serial": {"walltime": 48 * 3600},
                "gpu_1": {"walltime": 12 * 3600, "gpus": 1, "running": 2},
                "stopped": {"enabled": false},
            },
        }));
        site
    }

    /// Keys, known_hosts and the ssh server, which accepts this user with that key.
    fn connect(&self) {
        assert!(Path::new(SSHD).exists(), "{SSHD} is missing: apt-get install openssh-server (cargo xtask test does)");
        for key in ["server/host", "client/key"] {
            let made =
                Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(self.path(key)).status();
            assert!(made.unwrap().success());
        }
        let own = std::fs::read_to_string(self.path("client/key.pub")).unwrap();
        std::fs::write(self.path("server/authorized"), own).unwrap();
        self.serve("");
        self.client("");
    }

    /// Starts the ssh server again with further lines in front of its configuration.
    pub(crate) fn serve(&self, lines: &str) {
        self.cut();
        let top = self.top.display();
        let text = format!(
            "{lines}\nPort {}\nListenAddress 127.0.0.1\nHostKey {top}/server/host\nPidFile {top}/server/pid\n\
             AuthorizedKeysFile {top}/server/authorized\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n\
             MaxStartups 200\nSubsystem sftp internal-sftp\nSetEnv HOME={top}/home PATH=/usr/local/bin:/usr/bin:/bin\n",
            self.port
        );
        std::fs::write(self.path("server/conf"), text).unwrap();
        if self.user == "root" {
            std::fs::create_dir_all("/run/sshd").unwrap();
        }
        let log = std::fs::File::create(self.path("server/log")).unwrap();
        let mut command = Command::new(SSHD);
        command
            .args(["-D", "-e", "-f"])
            .arg(self.path("server/conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        *self.sshd.borrow_mut() = Some(command.spawn().unwrap());
        wait(|| TcpStream::connect(("127.0.0.1", self.port)).is_ok(), "sshd to listen");
    }

    /// Takes the ssh server away.
    pub(crate) fn cut(&self) {
        if let Some(mut child) = self.sshd.borrow_mut().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// The person's ssh configuration, with further lines for the host `site`, and known_hosts with its key.
    pub(crate) fn client(&self, lines: &str) {
        self.client_through(self.port, lines);
    }

    /// [`Site::client`] through another port, such as a [`proxy::Proxy`]'s.
    pub(crate) fn client_through(&self, port: u16, lines: &str) {
        let top = self.top.display();
        let text = format!(
            "Host site\n  HostName 127.0.0.1\n  Port {port}\n  HostKeyAlias site\n  User {}\n  IdentityFile {top}/client/key\n  IdentitiesOnly yes\n\
             \n  UserKnownHostsFile {top}/client/known_hosts\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n  {lines}\n",
            self.user
        );
        std::fs::write(self.path("client/config"), text).unwrap();
        let key = std::fs::read_to_string(self.path("server/host.pub")).unwrap();
        std::fs::write(self.path("client/known_hosts"), format!("site {key}")).unwrap();
        program(&self.path("client/ssh"), &format!("#!/bin/sh\nexec /usr/bin/ssh -F '{top}/client/config' \"$@\"\n"));
    }

    /// The box with this site's `ssh` first on its PATH; what its profile starts is trusted.
    pub(crate) fn enter(&self, sandbox: Sandbox) -> Sandbox {
        let bin = Path::new(env!("CARGO_BIN_EXE_git-ar")).parent().unwrap();
        let path = format!("{}:{}:/usr/local/bin:/usr/bin:/bin", self.path("client").display(), bin.display());
        sandbox.with_env("PATH", &path).with_env("GIT_AR_TRUST", "all")
    }

    /// A research repository whose only cluster is this site, with a trainer of its own.
    pub(crate) fn lab(&self, transport: &str, trainer: &str) -> Sandbox {
        let sandbox = self.enter(Sandbox::repository());
        let files = [("configs/cluster/site.yaml", &*self.profile(transport)), ("train.sh", trainer)];
        research(&sandbox, OWN, &files);
        push(&sandbox);
        sandbox
    }

    /// `configs/cluster/site.yaml` for a transport.
    pub(crate) fn profile(&self, transport: &str) -> String {
        let host = match transport {
            "local" => String::new(),
            "ssh2" => format!("host: 127.0.0.1\nport: {}\nuser: {}\n", self.port, self.user),
            _ => "host: site\n".to_string(),
        };
        format!(
            "schema: 1\nscheduler: pbs\ntransport: {transport}\n{host}scratch: {}\nscheduler_path: {}\ndefault_queue: gpu_1\n\
             queues:\n  gpu_1: {{ max_walltime: \"12:00:00\", max_running: 2 }}\n  serial: {{ max_walltime: \"48:00:00\" }}\n",
            self.path("scratch").display(),
            self.path("pbs/bin").display()
        )
    }

    /// A file of the site: `home/`, `scratch/`, `pbs/`, `client/`, `server/`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.top.join(name)
    }

    /// The port of its ssh server.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Who logs in.
    #[cfg(feature = "ssh2")]
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// Changes the server: `version`, `scale` (walltime), `kill_delay`, `queues`, `default_queue`, `project_required`,
    /// `owner` (whose jobs are submitted), `history` (whether jobs that are over are still known).
    pub(crate) fn configure(&self, change: Value) {
        self.merge("pbs/config.json", change);
    }

    /// What goes wrong from now on, for instance `json!({"qsub-cut": {"times": 1}})`; `null` mends it. Known are
    /// `TOOL-hang`, `TOOL-says {recorded: NAME}`, `down` (the server is), `qsub-slow {seconds}`, `qsub-cut` (ssh dies
    /// after the job got in), `qsub-silent` (no id is printed), `qsub-odd {out, err, code}` (the job got in and this is
    /// said, `ID` standing for its id), `vanish` (a job that is over is forgotten), `walltime-exit {code}`.
    pub(crate) fn fault(&self, change: Value) {
        self.merge("pbs/faults.json", change);
    }

    /// The site's clock is so many seconds off: what it says of the time, and the times of its files.
    pub(crate) fn clock(&self, off: i64) {
        let date = format!("#!/bin/sh\nexec /bin/date -d \"@$(($(/bin/date +%s) + {off}))\" \"$@\"\n");
        // Wherever times of files are asked for, they are the second word.
        let stat = format!("#!/bin/sh\n/usr/bin/stat \"$@\" | awk '{{ $2 += {off}; print }}'\n");
        program(&self.path("pbs/bin/date"), &date);
        program(&self.path("pbs/bin/stat"), &stat);
    }

    /// Whether queued jobs start.
    pub(crate) fn starts(&self, yes: bool) {
        replace(&self.path("pbs/started.json"), &yes.to_string());
    }

    /// Every job that got in, as the server knows it: `id`, `name`, `state`, `end`, `exit`, `walltime`, `queue` …
    pub(crate) fn jobs(&self) -> Vec<Value> {
        let names = std::fs::read_dir(self.path("pbs/jobs")).unwrap().map(|entry| entry.unwrap().path());
        let mut found: Vec<Value> = names
            .filter(|path| path.extension().is_some_and(|e| e == "json"))
            .map(|path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
            .collect();
        found.sort_by_key(|job| job["n"].as_u64());
        found
    }

    /// Every scheduler command that was given, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::fs::read_to_string(self.path("pbs/calls")).unwrap_or_default().lines().map(str::to_string).collect()
    }

    /// The server forgets a job of this number, which goes on.
    pub(crate) fn forget(&self, n: u64) {
        self.merge(&format!("pbs/jobs/{n}.json"), json!({"forgotten": true}));
    }

    /// The walltime of a job of this number is used up.
    pub(crate) fn use_up(&self, n: u64) {
        self.merge(&format!("pbs/jobs/{n}.json"), json!({"walltime": 1}));
    }

    /// Waits until a file is there in the repository's folder in scratch.
    pub(crate) fn until_in_scratch(&self, path: &str) {
        let there = |folder: std::fs::DirEntry| folder.path().join(path).exists();
        wait(|| std::fs::read_dir(self.path("scratch")).unwrap().any(|entry| there(entry.unwrap())), path);
    }

    /// Waits until no job is queued or runs.
    pub(crate) fn idle(&self) {
        wait(|| self.jobs().iter().all(|job| job["state"] == "F"), "the jobs to end");
    }

    fn merge(&self, name: &str, change: Value) {
        let text = std::fs::read_to_string(self.path(name)).unwrap_or_else(|_| "{}".into());
        let mut value: Value = serde_json::from_str(&text).unwrap();
        for (key, part) in change.as_object().unwrap() {
            match part {
                Value::Null => _ = value.as_object_mut().unwrap().shift_remove(key),
                part => value[key] = part.clone(),
            }
        }
        replace(&self.path(name), &value.to_string());
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.cut();
        self.starts(false);
        for job in self.jobs().iter().filter(|job| job["state"] != "F") {
            for pid in job["members"]
                .as_object()
                .into_iter()
                .flat_map(|m| m.values())
                .chain([job])
                .filter_map(|m| m["pid"].as_u64())
            {
                let _ = Command::new("kill").args(["-9", "--", &format!("-{pid}")]).stderr(Stdio::null()).status();
            }
            // The server's own process for the job ends when its file says so.
            let mut over = job.clone();
            over["state"] = "F".into();
            replace(&self.path(&format!("pbs/jobs/{}.json", job["n"])), &over.to_string());
        }
    }
}

/// Waits for something that must come.
pub(crate) fn wait(done: impl Fn() -> bool, what: &str) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn replace(path: &Path, text: &str) {
    let part = path.with_extension("part");
    std::fs::write(&part, text).unwrap();
    std::fs::rename(part, path).unwrap();
}

fn said(command: &mut Command) -> String {
    let mut text = String::new();
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    child.wait().unwrap();
    text.trim().to_string()
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
