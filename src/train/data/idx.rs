//! The idx format of MNIST, gzip or not: two zero bytes, the kind of number, the number of dimensions, the sizes, the numbers.

use std::io::Read as _;

/// The sizes and the bytes of an idx file.
pub(super) fn read(bytes: Vec<u8>) -> Result<(Vec<usize>, Vec<u8>), String> {
    let mut bytes = if bytes.starts_with(&[0x1f, 0x8b]) { unpack(&bytes)? } else { bytes };
    let [0, 0, 8, dimensions, ..] = bytes[..] else {
        return Err("not an idx file of bytes (it begins with 00 00 08)".into());
    };
    let head = 4 + 4 * usize::from(dimensions);
    let sizes = bytes.get(4..head).ok_or("cut short in its head")?;
    let size = |four: &[u8]| u32::from_be_bytes(four.try_into().expect("four bytes")) as usize;
    let sizes: Vec<usize> = sizes.chunks_exact(4).map(size).collect();
    let expected = sizes.iter().try_fold(1usize, |all, size| all.checked_mul(*size)).ok_or("impossible sizes")?;
    match bytes.len() - head {
        found if found < expected => Err(format!("cut short: {found} of {expected} bytes")),
        found if found > expected => Err(format!("{} bytes too many", found - expected)),
        _ => Ok((sizes, bytes.split_off(head))),
    }
}

/// At most this many bytes come out of a packed file.
const MOST: u64 = 1 << 30;

fn unpack(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut unpacked = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(bytes).take(MOST);
    reader.read_to_end(&mut unpacked).map_err(|error| format!("gzip: {error} (cut short?)"))?;
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_and_checked() {
        let good = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 7, 9];
        assert_eq!(read(good.to_vec()).unwrap(), (vec![2, 1], vec![7, 9]));
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packer, &good).unwrap();
        let packed = packer.finish().unwrap();
        assert_eq!(read(packed.clone()).unwrap().1, [7, 9]);
        assert!(read(packed[..packed.len() - 9].to_vec()).unwrap_err().contains("gzip"));
        assert_eq!(read(good[..13].to_vec()).unwrap_err(), "cut short: 1 of 2 bytes");
        assert!(read(b"no idx".to_vec()).is_err() && read(Vec::new()).is_err() && read(good[..6].to_vec()).is_err());
    }
}
