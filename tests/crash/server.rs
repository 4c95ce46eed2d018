//! A server on loopback that has the files of `tests/data/fetch`, and goes on in the middle of one where that is asked.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::LazyLock;

/// Where it answers.
pub(crate) fn address() -> &'static str {
    static ADDRESS: LazyLock<String> = LazyLock::new(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(|stream| answer(&stream)));
        address
    });
    &ADDRESS
}

fn answer(mut stream: &TcpStream) {
    let head: Vec<String> =
        BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let name = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().trim_start_matches('/');
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fetch").join(name);
    let from =
        head.iter().find_map(|line| line.to_lowercase().strip_prefix("range: bytes=")?.strip_suffix('-')?.parse().ok());
    let from: usize = from.unwrap_or(0);
    let reply = match std::fs::read(place) {
        Ok(bytes) => {
            let (length, rest) = (bytes.len(), &bytes[from..]);
            let status = match from {
                0 => "200 OK".to_string(),
                _ => format!("206 Partial Content\r\nContent-Range: bytes {from}-{}/{length}", length - 1),
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", rest.len());
            [head.as_bytes(), rest].concat()
        }
        Err(_) => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
    };
    // A client that was killed reads no more.
    let _ = stream.write_all(&reply);
}
