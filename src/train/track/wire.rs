//! The few pieces of Protocol Buffers that both formats need, and their checksums.

/// One message under construction.
#[derive(Clone, Debug, Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    /// With a whole number.
    pub(super) fn number(mut self, field: u32, value: u64) -> Self {
        self.tag(field, 0);
        self.varint(value);
        self
    }

    /// With a double.
    pub(super) fn double(mut self, field: u32, value: f64) -> Self {
        self.tag(field, 1);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// With a float.
    pub(super) fn float(mut self, field: u32, value: f32) -> Self {
        self.tag(field, 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// With a text.
    pub(super) fn text(self, field: u32, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    /// With a message inside.
    pub(super) fn message(self, field: u32, value: Message) -> Self {
        self.bytes(field, &value.0)
    }

    /// The message's bytes.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn bytes(mut self, field: u32, value: &[u8]) -> Self {
        self.tag(field, 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    fn tag(&mut self, field: u32, kind: u32) {
        self.varint(u64::from(field << 3 | kind));
    }

    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

/// The polynomial of zlib's CRC-32, bits reversed.
pub(super) const ZLIB: u32 = 0xedb8_8320;
/// Castagnoli's polynomial, bits reversed.
pub(super) const CASTAGNOLI: u32 = 0x82f6_3b78;

/// The cyclic checksum of several pieces one after the other.
pub(super) fn crc32(polynomial: u32, pieces: &[&[u8]]) -> u32 {
    let mut crc = !0u32;
    for byte in pieces.iter().copied().flatten() {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { polynomial } else { 0 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_published_ones() {
        assert_eq!(crc32(ZLIB, &[b"1234", b"56789"]), 0xcbf4_3926);
        assert_eq!(crc32(CASTAGNOLI, &[b"123456789"]), 0xe306_9283);
    }

    #[test]
    fn messages_are_encoded() {
        let inner = Message::default().text(1, "ab").number(2, 300);
        assert_eq!(inner.clone().into_bytes(), [0x0a, 2, b'a', b'b', 0x10, 0xac, 0x02]);
        let bytes = Message::default().message(16, inner).double(3, 1.0).float(2, 1.0).into_bytes();
        assert_eq!(bytes[..3], [0x82, 0x01, 7]);
        assert_eq!(bytes[10..], [0x19, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x15, 0, 0, 0x80, 0x3f]);
    }
}
