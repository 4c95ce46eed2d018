//! ssh from within git-ar against a real ssh server: whom it trusts, how it logs in, and what comes back.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use git_ar::cluster::transport::frame::Sentinels;
use git_ar::cluster::transport::ssh::Address;
use git_ar::cluster::transport::ssh2::{Login, Ssh2};
use git_ar::cluster::transport::{Call, Remote};
use git_ar::state::problem::Kind;

use crate::site::proxy::Proxy;
use crate::site::{PBS_18, Site, wait};

/// A person whose home is the site's `client` folder.
fn ssh2(site: &Site, port: u16, more: &[(&str, &str)]) -> Ssh2 {
    let home = site.path("client").display().to_string();
    let env = |name: &str| match name {
        "HOME" => Some(home.clone()),
        _ => more.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_string()),
    };
    let user = site.user().to_string();
    let address = Address { host: "127.0.0.1".into(), user: Some(user), port: Some(port) };
    Ssh2::new("site", address, Sentinels::new(1, site.path("pbs/bin").to_str()), Login::of(&env))
}

fn call<'a>(script: &'a str, input: &'a [u8]) -> Call<'a> {
    Call { what: "try", script, input, limit: Duration::from_secs(60) }
}

/// A site that this person knows, and a key in the usual place.
fn known() -> Site {
    let site = Site::start(PBS_18);
    std::fs::create_dir(site.path("client/.ssh")).unwrap();
    std::fs::rename(site.path("client/key"), site.path("client/.ssh/id_ed25519")).unwrap();
    know(&site, site.port(), "server/host.pub");
    site
}

fn know(site: &Site, port: u16, key: &str) {
    let key = std::fs::read_to_string(site.path(key)).unwrap();
    std::fs::write(site.path("client/.ssh/known_hosts"), format!("[127.0.0.1]:{port} {key}")).unwrap();
}

fn refused(remote: &Ssh2) -> (String, String) {
    let problem = remote.sh(&call("echo", b"")).unwrap_err();
    assert!(problem.kind == Kind::Unavailable && problem.hint.is_some(), "{problem}");
    (problem.code.to_string(), problem.message)
}

#[test]
fn answers_are_exact_and_one_connection_serves_many_calls() {
    let site = known();
    std::fs::write(site.path("home/.bashrc"), "echo 1.vm; echo noise >&2\n").unwrap();
    let remote = ssh2(&site, site.port(), &[]);
    let large: Vec<u8> = (0..6_000_000_u32).map(|n| (n % 251) as u8).collect();
    let reply = remote.fetch(&call("cat; echo err >&2; exit 255", &large)).unwrap();
    assert!(reply.stdout == large && reply.code == 255 && reply.stderr == "err\n");
    std::fs::write(site.path("server/authorized"), "").unwrap();
    assert_eq!(remote.sh(&call("sh -c 'kill -9 $$'", b"")).unwrap().code, 137);
    assert_eq!(remote.sh(&call("qstat -x -f 99", b"")).unwrap().code, 153);
    assert_eq!(refused(&ssh2(&site, site.port(), &[])).0, "auth-refused");
    site.cut();
    assert_eq!(refused(&ssh2(&site, site.port(), &[])).0, "unreachable");
}

#[test]
fn a_host_is_trusted_by_its_key_alone() {
    let site = known();
    let remote = || ssh2(&site, site.port(), &[]);
    let file = site.path("client/.ssh/known_hosts");
    let line = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "").unwrap();
    assert_eq!(refused(&remote()).0, "host-key-unknown");
    know(&site, site.port(), "client/key.pub");
    assert_eq!(refused(&remote()).0, "host-key-changed");
    std::fs::write(&file, format!("{line}@revoked {line}")).unwrap();
    assert_eq!(refused(&remote()).0, "host-key-changed");
    // Only the RSA key is known, and the server would rather show another.
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", "rsa", "-N", "", "-f"]).arg(site.path("server/rsa")).status();
    assert!(made.unwrap().success());
    site.serve(&format!("HostKey {0}/server/host\nHostKey {0}/server/rsa", site.path("").display()));
    know(&site, site.port(), "server/rsa.pub");
    assert_eq!(remote().sh(&call("echo", b"")).unwrap().code, 0);
    // The names may be hashed.
    let hashed = Command::new("ssh-keygen").args(["-H", "-f"]).arg(&file).output().unwrap();
    assert!(hashed.status.success() && !std::fs::read_to_string(&file).unwrap().contains("127.0.0.1"));
    assert_eq!(remote().sh(&call("echo", b"")).unwrap().code, 0);
}

#[test]
fn a_passphrase_comes_from_outside_and_a_wrong_one_is_told_as_one() {
    let site = known();
    let key = site.path("client/.ssh/id_ed25519");
    let made = Command::new("ssh-keygen").args(["-q", "-p", "-P", "", "-N", "secret words", "-f"]).arg(&key).status();
    assert!(made.unwrap().success());
    let with = |passphrase: &str| ssh2(&site, site.port(), &[("GIT_AR_SSH_PASSPHRASE", passphrase)]);
    assert_eq!(with("secret words").sh(&call("env; ps -ef", b"")).unwrap().stdout.matches("secret words").count(), 0);
    for wrong in ["", "other"] {
        let (code, message) = refused(&with(wrong));
        assert!(code == "auth-refused" && message.contains("passphrase is missing or wrong"), "{message}");
        assert!(!message.contains("other words"));
    }
}

#[test]
fn the_passphrase_of_an_env_file_is_used_and_stands_nowhere_else() {
    let site = known();
    let key = site.path("client/.ssh/id_ed25519");
    let made =
        Command::new("ssh-keygen").args(["-q", "-p", "-P", "", "-N", "secret-words-77", "-f"]).arg(&key).status();
    assert!(made.unwrap().success());
    let sandbox = crate::submit::lab(&site, "ssh2");
    let ssh = sandbox.home().join(".ssh");
    std::fs::create_dir(&ssh).unwrap();
    std::fs::copy(site.path("client/.ssh/known_hosts"), ssh.join("known_hosts")).unwrap();
    sandbox.write(".gitignore", ".env\n");
    sandbox.git("add .gitignore");
    sandbox.git("commit -q -m ignore");
    sandbox.git("push -q");
    assert!(sandbox.run("cluster doctor site").contains("[exit 7]"));
    let file = format!("GIT_AR_SSH_KEY={}\nGIT_AR_SSH_PASSPHRASE=secret-words-77\n", key.display());
    sandbox.write(".env", &file);
    let said = sandbox.run("cluster doctor site");
    assert!(said.contains("ok       connection"), "{said}");
    let said = sandbox.run("run submit mlp --seeds 0");
    assert!(said.contains("job 0.vm"), "{said}");
    site.idle();
    let told = sandbox.run("tick --now") + &sandbox.run("job logs");
    let found = sandbox.sh(sandbox.home(), &format!("grep -rl secret-words-77 . {} || true", site.path("").display()));
    assert_eq!(found, "./repo/.env\n", "{told}");
}

/// A real agent; dropping it ends it.
struct Agent(std::process::Child, PathBuf);

impl Agent {
    fn start(site: &Site) -> Self {
        let socket = site.path("client/agent");
        let child = Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().unwrap();
        wait(|| socket.exists(), "the agent");
        Self(child, socket)
    }

    fn add(&self, key: &Path) {
        let added = Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.1).output().unwrap();
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_key_that_only_the_agent_has_lets_in() {
    let site = known();
    let agent = Agent::start(&site);
    let sandbox = crate::submit::lab(&site, "ssh2").with_env("SSH_AUTH_SOCK", agent.1.to_str().unwrap());
    let ssh = sandbox.home().join(".ssh");
    std::fs::create_dir(&ssh).unwrap();
    std::fs::copy(site.path("client/.ssh/known_hosts"), ssh.join("known_hosts")).unwrap();
    let refused = sandbox.run("cluster doctor site");
    assert!(
        refused.contains("is not let in") && refused.contains("ssh-add") && refused.contains("[exit 7]"),
        "{refused}"
    );
    // More keys than a server hears, and the right one last.
    for n in 0..6 {
        let other = site.path(&format!("client/other-{n}"));
        let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&other).status();
        assert!(made.unwrap().success());
        agent.add(&other);
    }
    agent.add(&site.path("client/.ssh/id_ed25519"));
    assert!(sandbox.run("cluster doctor site").contains("is not let in"));
    // Its public half says which one is meant.
    std::fs::copy(site.path("client/key.pub"), ssh.join("id_ed25519.pub")).unwrap();
    let said = sandbox.run("cluster doctor site");
    assert!(said.contains("ok       connection"), "{said}");
    let said = sandbox.run("run submit mlp --seeds 0");
    assert!(said.contains("is queued on site"), "{said}");
    site.idle();
}

#[test]
fn a_wire_that_breaks_gives_the_whole_answer_or_none() {
    let site = known();
    let proxy = Proxy::to(site.port());
    know(&site, proxy.port(), "server/host.pub");
    let (mut whole, mut left) = (0, 1);
    while left < 20_000 {
        proxy.cut_after(left);
        match ssh2(&site, proxy.port(), &[]).sh(&call("cat", &[b'x'; 2000])) {
            Ok(reply) => {
                assert_eq!(reply.stdout.len(), 2000);
                whole += 1;
            }
            Err(problem) => assert_eq!(problem.kind, Kind::Unavailable, "{problem}"),
        }
        left += 1009;
    }
    proxy.mend();
    assert_eq!(ssh2(&site, proxy.port(), &[]).sh(&call("exit 3", b"")).unwrap().code, 3);
    assert!(whole > 0);
}
