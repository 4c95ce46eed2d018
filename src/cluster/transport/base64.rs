//! Bytes as text that survives a terminal: keys in known_hosts, files in a sheet and a receipt.

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 in lines of 76 letters, as the program of that name writes it.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() / 3 * 4 + bytes.len() / 57 + 8);
    for line in bytes.chunks(57) {
        for part in line.chunks(3) {
            let bits = part.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - part.len()));
            for n in 0..4 {
                let letter = if n <= part.len() { LETTERS[bits >> (18 - 6 * n) & 63] } else { b'=' };
                text.push(char::from(letter));
            }
        }
        text.push('\n');
    }
    text
}

/// The bytes of a base64 text without line breaks; none when it is no such text.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let value = |c: u8| -> Option<u32> {
        Some(u32::from(match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        }))
    };
    let mut bytes = Vec::new();
    for part in text.trim_end_matches('=').as_bytes().chunks(4) {
        let mut bits = 0;
        for c in part {
            bits = bits << 6 | value(*c)?;
        }
        bits <<= 6 * (4 - part.len());
        bytes.extend_from_slice(&bits.to_be_bytes()[1..part.len()]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(decode("TWFu").unwrap(), b"Man");
        assert_eq!(decode("TWE=").unwrap(), b"Ma");
        assert_eq!(decode("TQ==").unwrap(), b"M");
        assert_eq!(decode("T Q"), None);
        for length in [0, 1, 2, 3, 56, 57, 58, 1000] {
            let bytes: Vec<u8> = (0..length).map(|n| (n * 7 % 256) as u8).collect();
            let text = encode(&bytes);
            assert!(text.lines().all(|line| line.len() <= 76));
            assert_eq!(decode(&text.replace('\n', "")).unwrap(), bytes);
        }
    }
}
