//! The transports against a real ssh server: noise, faults, keys, and connections that break at any byte.

use std::time::Duration;

use git_ar::cluster::reply::Reply;
use git_ar::cluster::transport::frame::Sentinels;
use git_ar::cluster::transport::ssh::{Address, Setup, Ssh};
use git_ar::cluster::transport::{Call, Remote, never_began};
use git_ar::state::problem::Kind;
use serde_json::json;

use crate::site::proxy::Proxy;
use crate::site::{PBS_18, PBS_23, Site};

fn ssh(site: &Site, entropy: u64) -> Ssh {
    let setup = Setup { program: site.path("client/ssh"), runtime: None };
    let address = Address { host: "site".into(), ..Address::default() };
    let path = site.path("pbs/bin");
    Ssh::new("site", address, Sentinels::new(entropy, path.to_str()), setup)
}

fn call<'a>(script: &'a str, input: &'a [u8]) -> Call<'a> {
    Call { what: "try", script, input, limit: Duration::from_secs(60) }
}

/// The code of the problem that a call ends with; every one of them is "unavailable".
fn refused(remote: &dyn Remote, script: &str) -> String {
    let problem = remote.sh(&call(script, b"")).unwrap_err();
    assert_eq!(problem.kind, Kind::Unavailable, "{problem}");
    assert!(problem.hint.is_some(), "{problem}");
    problem.code.to_string()
}

#[test]
fn a_banner_is_never_an_answer() {
    let site = Site::start(PBS_18);
    let noise = "echo 7353072.sched01; echo 'ar-begin 0'; echo Welcome >&2; printf 'no newline'\n";
    std::fs::write(site.path("home/.bashrc"), noise).unwrap();
    let banner = site.path("server/banner");
    std::fs::write(&banner, "12.sched01\n").unwrap();
    site.serve(&format!("Banner {}", banner.display()));
    let remote = ssh(&site, 1);
    let reply = remote.sh(&call("cat; echo err >&2; exit 255", b"\0in\n\n")).unwrap();
    assert_eq!(reply, Reply { code: 255, stdout: "\0in\n\n".into(), stderr: "err\n".into() });
    assert_eq!(remote.sh(&call("qselect -x -N none; qstat -x -f 99", b"")).unwrap().code, 153);
    // Whatever the person's login shell is.
    for shell in ["tcsh", "dash", "bash --posix"] {
        site.serve(&format!("ForceCommand {shell} -c \"$SSH_ORIGINAL_COMMAND\""));
        let reply = remote.sh(&call("printf '%s|' \"it's\" '$HOME' 'a!b'; cat", b"in")).unwrap();
        assert_eq!((reply.code, &*reply.stdout), (0, "it's|$HOME|a!b|in"), "{shell}: {}", reply.stderr);
    }
}

#[test]
fn each_way_to_be_refused_has_its_word_and_what_to_do() {
    let site = Site::start(PBS_18);
    let known = std::fs::read_to_string(site.path("client/known_hosts")).unwrap();
    let remote = || ssh(&site, 2);
    let with_known = |text: &str| std::fs::write(site.path("client/known_hosts"), text).unwrap();
    with_known("");
    assert_eq!(refused(&remote(), "echo"), "host-key-unknown");
    let other = std::fs::read_to_string(site.path("client/key.pub")).unwrap();
    with_known(&format!("site {other}"));
    assert_eq!(refused(&remote(), "echo"), "host-key-changed");
    with_known(&format!("@revoked {known}"));
    assert_eq!(refused(&remote(), "echo"), "host-key-changed");
    with_known(&known);
    let allowed = std::fs::read_to_string(site.path("server/authorized")).unwrap();
    std::fs::write(site.path("server/authorized"), "").unwrap();
    assert_eq!(refused(&remote(), "echo"), "auth-refused");
    std::fs::write(site.path("server/authorized"), allowed).unwrap();
    assert_eq!(remote().sh(&call("echo", b"")).unwrap().code, 0);
    site.cut();
    assert_eq!(refused(&remote(), "echo"), "unreachable");
    let nowhere = Address { host: "no-such-host.invalid".into(), ..Address::default() };
    let setup = Setup { program: "ssh".into(), runtime: None };
    assert_eq!(refused(&Ssh::new("x", nowhere.clone(), Sentinels::new(1, None), setup), "echo"), "unknown-host");
    let setup = Setup { program: site.path("client/none"), runtime: None };
    assert_eq!(refused(&Ssh::new("x", nowhere, Sentinels::new(1, None), setup), "echo"), "no-ssh");
}

#[test]
fn a_slow_answer_is_none_and_a_lost_one_is_none() {
    let site = Site::start(PBS_18);
    let remote = ssh(&site, 3);
    let slow = Call { limit: Duration::from_secs(3), ..call("echo begun; sleep 60", b"") };
    assert_eq!(remote.sh(&slow).unwrap_err().code, "lost-reply");
    assert_eq!(refused(&remote, "echo begun; sleep 1; kill -9 $PPID; sleep 5"), "lost-reply");
}

#[test]
fn a_shared_connection_is_used_and_a_stale_one_gone_round() {
    let site = Site::start(PBS_18);
    let socket = site.path("client/m");
    let shared = format!("ControlPath {}\n  ControlMaster no", socket.display());
    site.client(&shared);
    let control =
        |words: &[&str]| std::process::Command::new(site.path("client/ssh")).args(words).output().unwrap().status;
    assert!(control(&["-fN", "-M", "site"]).success());
    // With the master alone: no key, no server that takes new connections.
    std::fs::write(site.path("server/authorized"), "").unwrap();
    assert_eq!(ssh(&site, 4).sh(&call("echo", b"")).unwrap().code, 0);
    assert!(control(&["-O", "exit", "site"]).success());
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    assert_eq!(refused(&ssh(&site, 5), "echo"), "auth-refused");
    std::fs::copy(site.path("client/key.pub"), site.path("server/authorized")).unwrap();
    assert_eq!(ssh(&site, 6).sh(&call("echo", b"")).unwrap().code, 0);
}

#[test]
fn a_connection_of_our_own_is_shared_where_the_person_has_none() {
    let site = Site::start(PBS_18);
    let runtime = Some(site.path("client"));
    let program = site.path("client/ssh");
    let remote = || {
        let address = Address { host: "site".into(), ..Address::default() };
        let setup = Setup { program: program.clone(), runtime: runtime.clone() };
        Ssh::new("site", address, Sentinels::new(7, None), setup)
    };
    assert_eq!(remote().sh(&call("echo", b"")).unwrap().code, 0);
    std::fs::write(site.path("server/authorized"), "").unwrap();
    assert_eq!(remote().sh(&call("exit 3", b"")).unwrap().code, 3);
}

#[test]
fn a_wire_that_breaks_at_any_byte_gives_the_whole_answer_or_none() {
    let site = Site::start(PBS_18);
    let proxy = Proxy::to(site.port());
    site.client_through(proxy.port(), "");
    let input = vec![b'x'; 3000];
    let scratch = site.path("scratch/file");
    let script = format!("ar_input '{}' && wc -c <'{0}' && echo ran >>'{0}.log'", scratch.display());
    let (mut whole, mut lost, mut left) = (0, 0, 1);
    while left < 12_000 {
        proxy.cut_after(left);
        match ssh(&site, left as u64).sh(&call(&script, &input)) {
            Ok(reply) => {
                assert_eq!(reply.stdout.trim(), "3000");
                whole += 1;
            }
            Err(problem) => {
                assert_eq!(problem.kind, Kind::Unavailable);
                lost += 1;
            }
        }
        if scratch.exists() {
            assert_eq!(std::fs::metadata(&scratch).unwrap().len(), 3000);
        }
        left += 397;
    }
    assert!(whole > 0 && lost > 5, "{whole} {lost}");
    let ran = std::fs::read_to_string(site.path("scratch/file.log")).unwrap().lines().count();
    assert!(ran >= whole, "an answer came for what did not run");
    proxy.mend();
    assert_eq!(ssh(&site, 1).sh(&call("echo", b"")).unwrap().code, 0);
}

#[test]
fn the_pbs_server_of_the_tests_is_as_recorded() {
    for version in [PBS_18, PBS_23] {
        let site = Site::start(version);
        site.configure(json!({"project_required": true}));
        let remote = ssh(&site, 8);
        let job = "#!/bin/sh\n#PBS -N job\n#PBS -P CSCI1166\n#PBS -q gpu_1\n#PBS -l select=1:ncpus=1\n#PBS -l walltime=00:00:30\nsleep 60\n";
        std::fs::write(site.path("home/job.sh"), job).unwrap();
        let sh = |line: &str| remote.sh(&call(line, b"")).unwrap();
        assert_eq!(sh("qsub job.sh").stdout, "0.vm\n");
        for (line, code) in [
            ("qsub -q none job.sh", 170),
            ("qsub -q stopped job.sh", 173),
            ("qsub -l walltime=99:00:00 job.sh", 188),
            ("qsub -P none job.sh", 32),
            ("qstat -xfw 0 99", 153),
            ("qdel 99", 153),
            ("qstat -Z", 99),
        ] {
            assert_eq!(sh(line).code, code, "{line}");
        }
        site.idle();
        let said = sh("qstat -xfw 0").stdout;
        let killed = if version == PBS_18 { "Exit_status = 271" } else { "Exit_status = -29" };
        assert!(said.contains(killed) && said.contains("substate = 93"), "{said}");
        assert_eq!(sh("qstat -f 0").code, 35);
        site.fault(json!({"qsub-cut": {"times": 1}}));
        let lost = remote.sh(&call("qsub job.sh", b"")).unwrap_err();
        assert!(!never_began(&lost) && lost.kind == Kind::Unavailable, "{lost}");
        assert_eq!(sh("qselect -x -N job").stdout.lines().count(), 2);
        site.fault(json!({"down": {}}));
        assert_eq!((sh("qstat -xfw 0").code, sh("qsub job.sh").code), (255, 162));
        assert_eq!(site.jobs().len(), 2);
    }
}
