//! The few facts of an ELF file that say where it can start.

/// What a 64-bit little-endian ELF file asks of a system.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Elf {
    /// The program that must load it.
    pub(crate) interpreter: Option<String>,
    /// How many libraries must be there.
    pub(crate) needed: usize,
    /// The oldest kernel, from the note that the C library leaves.
    pub(crate) kernel: Option<[u32; 3]>,
}

const PT_DYNAMIC: u64 = 2;
const PT_INTERP: u64 = 3;
const PT_NOTE: u64 = 4;
const DT_NEEDED: u64 = 1;

impl Elf {
    /// Reads the program headers; none for another kind of file.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.get(..6)? != b"\x7fELF\x02\x01" {
            return None;
        }
        let mut found = Self::default();
        let (table, size, count) = (word(bytes, 32, 8)?, word(bytes, 54, 2)?, word(bytes, 56, 2)?);
        for n in 0..count {
            let at = usize::try_from(table + n * size).ok()?;
            let part = |offset: usize| usize::try_from(word(bytes, at + offset, 8)?).ok();
            let (from, length) = (part(8)?, part(32)?);
            let content = bytes.get(from..from.checked_add(length)?)?;
            match word(bytes, at, 4)? {
                PT_INTERP => {
                    found.interpreter = Some(String::from_utf8_lossy(content).trim_end_matches('\0').to_string());
                }
                PT_DYNAMIC => {
                    found.needed = content.chunks(16).filter(|entry| word(entry, 0, 8) == Some(DT_NEEDED)).count();
                }
                PT_NOTE => found.kernel = found.kernel.or_else(|| kernel(content)),
                _ => {}
            }
        }
        Some(found)
    }
}

/// A little-endian number of up to eight bytes.
fn word(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let part = bytes.get(at..at.checked_add(length)?)?;
    Some(part.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// The note `GNU`, type 1: system (0 is Linux) and three numbers.
fn kernel(notes: &[u8]) -> Option<[u32; 3]> {
    let mut rest = notes;
    while rest.len() >= 12 {
        let size = |at: usize| usize::try_from(word(rest, at, 4)?).ok();
        let (name, content) = (size(0)?, size(4)?);
        let begin = 12 + name.next_multiple_of(4);
        if word(rest, 8, 4)? == 1 && rest.get(12..12 + name)? == b"GNU\0" && content >= 16 {
            let number = |n: usize| u32::try_from(word(rest, begin + 4 * n, 4)?).ok();
            return (number(0)? == 0).then_some([number(1)?, number(2)?, number(3)?]);
        }
        rest = rest.get(begin + content.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_is_no_static_one() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        if let Some(elf) = Elf::read(&own) {
            assert!(elf.interpreter.is_some() && elf.needed > 0 && elf.kernel.is_some(), "{elf:?}");
        }
        assert_eq!(Elf::read(b"#!/bin/sh"), None);
    }
}
