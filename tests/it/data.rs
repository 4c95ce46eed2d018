//! `git ar data`: what is here is listed; what cannot be fetched is told with the way to get it by hand.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use crate::sandbox::Sandbox;

/// A server on loopback that answers every request with these bytes. Its address.
fn server(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
            let _ = (&stream).write_all(answer.as_bytes());
        }
    });
    address
}

const LABELS: &str = "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6";

#[test]
fn what_is_here_is_listed_outside_of_a_repository_too() {
    let sandbox = Sandbox::empty();
    let listed = sandbox.run("data");
    assert!(listed.starts_with("AR_DATA is not set\ndigits    built in\nmnist     0 of 4 files here"), "{listed}");
    assert!(listed.contains("cifar10") && listed.contains("next: git ar data fetch mnist"), "{listed}");
    let sandbox = sandbox.with_env("AR_DATA", "data");
    sandbox.write("data/mnist/train-labels-idx1-ubyte", "");
    sandbox.write("data/mnist/t10k-labels-idx1-ubyte.gz", "cut");
    let listed = sandbox.run("data list");
    assert!(listed.contains("mnist     1 of 4 files here"), "{listed}");
    assert!(listed.contains("t10k-labels-idx1-ubyte.gz has 3 bytes, not 4542"), "{listed}");
    let json = sandbox.run("data list --json");
    let json: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(json["schema"], "git-ar/data-list/1");
    assert_eq!((&json["data"]["sets"][0]["there"], &json["data"]["sets"][0]["files"]), (&1.into(), &4.into()));
}

#[test]
fn names_and_folders_are_checked_first() {
    let sandbox = Sandbox::empty();
    assert!(sandbox.run("data fetch mnits --to d").contains("did you mean `mnist`?"));
    assert!(sandbox.run("data fetch digits --to d").contains("digits is built in"));
    let nowhere = sandbox.run("data fetch mnist");
    assert!(nowhere.contains("AR_DATA is not set") && nowhere.contains("--to"), "{nowhere}");
    let address = sandbox.run("data fetch mnist --to d --from ftp://example.org");
    assert!(address.contains("no address that can be fetched"), "{address}");
}

#[test]
fn a_server_that_has_something_else_leaves_nothing() {
    for (answer, expected) in [
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "answers 404"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>", "has 6 bytes under this name"),
    ] {
        let sandbox = Sandbox::empty();
        let said = sandbox.run(&format!("data fetch mnist --to d --from {}", server(answer)));
        assert!(said.contains(expected) && said.contains(LABELS) && said.contains("[exit 5]"), "{said}");
        assert_eq!(std::fs::read_dir(sandbox.top().join("d/mnist")).unwrap().count(), 0);
    }
}

#[test]
fn without_a_network_it_says_which_files_to_put_where() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let sandbox = Sandbox::empty().with_env("AR_DATA_FROM", &format!("http://{closed}/"));
    let said = sandbox.run("data fetch mnist --to d");
    assert!(said.contains("/d/mnist") && said.contains(LABELS) && said.contains("4542 bytes"), "{said}");
    assert!(said.contains("[exit 7]"), "{said}");
}

#[test]
fn a_file_of_somebody_is_never_replaced() {
    let sandbox = Sandbox::empty();
    sandbox.write("d/mnist/t10k-labels-idx1-ubyte.gz", "mine");
    let said = sandbox.run("data fetch mnist --to d");
    assert!(said.contains("is not the published t10k-labels-idx1-ubyte.gz") && said.contains("mv "), "{said}");
    assert_eq!(sandbox.read("d/mnist/t10k-labels-idx1-ubyte.gz"), "mine");
}

#[test]
fn a_disk_that_takes_no_more_keeps_what_came() {
    let sandbox = Sandbox::empty();
    let body = "x".repeat(9_912_422);
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    let from = server(Box::leak(answer.into_boxed_str()));
    let fetch = format!("trap '' XFSZ; ulimit -f 64; git-ar data fetch mnist --to d --from {from}");
    let said = sandbox.sh(sandbox.top(), &fetch);
    assert!(said.contains("cannot write") && said.contains("free space") && said.contains("[exit 12]"), "{said}");
    let part = sandbox.top().join("d/mnist/.train-images-idx3-ubyte.gz.part");
    assert!(part.metadata().unwrap().len() > 0);
}
