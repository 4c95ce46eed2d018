//! Downloads from a server on loopback that cuts, lies, refuses and cannot resume.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;

const CONTENT: &[u8] = b"a file of forty bytes, and not one more.";
const SHA256: &str = "69efa372f293fcb1f45b30f9c902cbcb04c2b26f984529eab9a2495aa1d30c94";

/// One reply of the server: for the first byte that is asked for, what it sends.
type Reply = Box<dyn Fn(usize) -> Vec<u8> + Send>;

/// A server that gives these replies, one per connection, and notes the ranges asked for.
struct Server {
    base: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/data/", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        std::thread::spawn(move || {
            for reply in replies {
                let (stream, _) = listener.accept().unwrap();
                let (first, start) = request(&stream);
                noted.lock().unwrap().push(format!("{first} from {start}"));
                let _ = (&stream).write_all(&reply(start));
            }
        });
        Self { base, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Method and path, and the first byte that is asked for.
fn request(stream: &TcpStream) -> (String, usize) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default().replace(" HTTP/1.1", "");
    let start = lines.filter_map(|line| Some(line.to_lowercase().strip_prefix("range: bytes=")?.to_string()));
    (first, start.last().map_or(0, |range| range.trim_end_matches('-').parse().unwrap()))
}

/// The whole content, from a byte on where one is asked for; only `most` bytes of it are sent.
fn good(most: usize) -> Reply {
    Box::new(move |start| {
        let head = match start {
            0 => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", CONTENT.len()),
            start => format!(
                "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {start}-{}/{}\r\n",
                CONTENT.len() - start,
                CONTENT.len() - 1,
                CONTENT.len()
            ),
        };
        let end = CONTENT.len().min(start + most);
        [format!("{head}Connection: close\r\n\r\n").as_bytes(), &CONTENT[start..end]].concat()
    })
}

/// This status line and this body, whatever is asked for.
fn fixed(status: &'static str, body: &'static [u8]) -> Reply {
    Box::new(move |_| {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    })
}

fn set() -> DataSet {
    const FILES: &[DataFile] = &[DataFile { name: "f.gz", bytes: 40, md5: "", sha256: SHA256 }];
    DataSet { name: "s", title: "S", also: &[], files: FILES, archive: None, from: &[] }
}

/// Collects what is said.
#[derive(Default)]
struct Said(Vec<String>);

impl Watcher for Said {
    fn start(&mut self, _: &str, here: u64, _: u64) {
        self.0.push(format!("from {here}"));
    }

    fn here(&mut self, _: u64) {}

    fn end(&mut self) {}

    fn say(&mut self, line: &str) {
        self.0.push(line.to_string());
    }
}

fn try_fetch(folder: &Path, servers: &[&Server]) -> (Result<Got, Problem>, String) {
    let net = Net::new(&|_| None, Duration::ZERO).unwrap();
    let from: Vec<String> = servers.iter().map(|server| server.base.clone()).collect();
    let mut said = Said::default();
    let got = fetch(&set(), folder, &from, &net, &mut said);
    (got, said.0.join("\n"))
}

/// What lies in a folder, hidden files too.
fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_file_comes_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(vec![good(99)]);
    assert_eq!(try_fetch(folder.path(), &[&server]).0.unwrap(), Got { there: 0, fetched: 1, bytes: 40 });
    assert_eq!(std::fs::read(folder.path().join("f.gz")).unwrap(), CONTENT);
    assert_eq!(files(folder.path()), ["f.gz"]);
    assert_eq!(try_fetch(folder.path(), &[&server]).0.unwrap(), Got { there: 1, fetched: 0, bytes: 0 });
    assert_eq!(server.asked(), ["GET /data/f.gz from 0"]);
}

#[test]
fn a_cut_connection_goes_on_where_it_was_cut() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(vec![good(7), good(0), good(20), good(99)]);
    let (got, said) = try_fetch(folder.path(), &[&server]);
    assert_eq!(got.unwrap().bytes, 40, "{said}");
    let places: Vec<String> = server.asked().iter().map(|a| a.rsplit(' ').next().unwrap().to_string()).collect();
    assert_eq!(places, ["0", "7", "7", "27"]);
}

#[test]
fn a_server_that_went_away_leaves_the_part_for_the_next_command() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(vec![good(30), good(0), good(0), good(0), good(99)]);
    let (got, _) = try_fetch(folder.path(), &[&server]);
    let problem = got.unwrap_err();
    assert_eq!(problem.kind, Kind::Unavailable, "{problem}");
    assert!(problem.hint.unwrap().contains("40 bytes  f.gz"));
    assert_eq!(files(folder.path()), [".f.gz.part"]);
    let (got, said) = try_fetch(folder.path(), &[&server]);
    assert_eq!(got.unwrap().bytes, 10, "{said}");
    assert!(said.starts_with("from 30"), "{said}");
}

#[test]
fn a_server_that_cannot_resume_starts_from_the_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(vec![good(9), fixed("200 OK", CONTENT)]);
    let (got, said) = try_fetch(folder.path(), &[&server]);
    assert!(got.is_ok() && said.contains("from the start"), "{said}");
}

#[test]
fn another_file_is_refused_and_the_next_address_asked() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = Server::new(vec![fixed("200 OK", b"another file of forty bytes, just as it.")]);
    let short = Server::new(vec![fixed("200 OK", b"<html>log in first</html>")]);
    let gone = Server::new(vec![fixed("404 Not Found", b"no")]);
    let (got, said) = try_fetch(folder.path(), &[&wrong, &short, &gone]);
    let problem = got.unwrap_err();
    assert_eq!(problem.kind, Kind::Invalid);
    for words in ["gives another file (SHA-256 ", "has 25 bytes under this name, not 40", "answers 404"] {
        assert!(said.contains(words) && problem.message.contains(words), "{words}: {said}\n{problem}");
    }
    assert!(files(folder.path()).is_empty(), "{:?}", files(folder.path()));
    let (got, _) =
        try_fetch(folder.path(), &[&Server::new(vec![fixed("404 Not Found", b"")]), &Server::new(vec![good(99)])]);
    assert_eq!(got.unwrap().fetched, 1);
}

#[test]
fn a_part_of_something_else_is_given_up_for_the_real_file() {
    for part in [&b"twenty other bytes.."[..], b"more bytes than the file has, which is a sign."] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".f.gz.part"), part).unwrap();
        let server = Server::new(vec![good(99), good(99)]);
        let (got, said) = try_fetch(folder.path(), &[&server]);
        assert!(got.is_ok(), "{said}");
        assert_eq!(std::fs::read(folder.path().join("f.gz")).unwrap(), CONTENT);
    }
}

#[test]
fn a_file_of_somebody_stays() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("f.gz"), "mine").unwrap();
    let problem = try_fetch(folder.path(), &[]).0.unwrap_err();
    assert!(problem.kind == Kind::Found && problem.message.contains(SHA256), "{problem}");
    assert_eq!(std::fs::read(folder.path().join("f.gz")).unwrap(), b"mine");
}

#[test]
fn two_commands_do_not_write_one_part() {
    let folder = tempfile::tempdir().unwrap();
    let _other = Part::open(folder.path(), set().files[0]).unwrap();
    assert_eq!(try_fetch(folder.path(), &[]).0.unwrap_err().kind, Kind::Locked);
}

#[test]
fn files_come_out_of_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in [("d/readme", &b"x"[..]), ("d/f.gz", CONTENT), ("d/evil", b"y")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, bytes).unwrap();
    }
    let tar = tar.into_inner().unwrap();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&tar).unwrap();
    let packed = packer.finish().unwrap();
    let archive = folder.path().join("a.tar.gz");
    std::fs::write(&archive, &packed).unwrap();
    let set = set();
    unpack::files(&archive, set.files, folder.path()).unwrap();
    assert_eq!(std::fs::read(folder.path().join("f.gz")).unwrap(), CONTENT);
    assert_eq!(files(folder.path()), ["a.tar.gz", "f.gz"]);
    std::fs::write(&archive, &packed[..packed.len() / 2]).unwrap();
    assert_eq!(unpack::files(&archive, set.files, folder.path()).unwrap_err().kind, Kind::Invalid);
}
