//! The digits images that are built into the program, decoded, checked and split.
//!
//! 1,797 images of 8×8 with values 0 to 16 (`data/digits/README.md` names source and licence). The split is
//! fixed: it depends on nothing but [`SPLIT_SEED`], so two runs of any seed see the same three parts.

use std::io::Read as _;

/// Numbers of one image.
pub const PIXELS: usize = 64;
/// Digits 0 to 9.
pub const CLASSES: usize = 10;
/// Images in the three parts: training, validation, testing.
pub const PARTS: [usize; 3] = [1257, 180, 360];
/// What the split is drawn from.
pub const SPLIT_SEED: u64 = 1998;

const COMPRESSED: &[u8] = include_bytes!("../../data/digits/digits.csv.gz");
const IMAGES: usize = PARTS[0] + PARTS[1] + PARTS[2];

/// Images with their labels, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// `PIXELS` numbers from 0 to 1 for each image.
    pub pixels: Vec<f32>,
    /// The digit that each image shows.
    pub labels: Vec<u8>,
}

impl Part {
    /// How many images there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The pixels of one image.
    #[must_use]
    pub fn image(&self, index: usize) -> &[f32] {
        &self.pixels[index * PIXELS..][..PIXELS]
    }
}

/// The three parts of the set.
#[derive(Clone, Debug, PartialEq)]
pub struct Digits {
    /// For training.
    pub train: Part,
    /// For choosing.
    pub val: Part,
    /// Looked at once, at the end.
    pub test: Part,
}

impl Digits {
    /// The built-in set, split.
    #[must_use]
    pub fn load() -> Self {
        let all = decode(COMPRESSED).expect("the built-in file is whole; a test reads it");
        let mut order: Vec<usize> = (0..all.len()).collect();
        Random::new(&[SPLIT_SEED]).shuffle(&mut order);
        let (train, rest) = order.split_at(PARTS[0]);
        let (val, test) = rest.split_at(PARTS[1]);
        let part = |indices: &[usize]| Part {
            pixels: indices.iter().flat_map(|i| all.image(*i)).copied().collect(),
            labels: indices.iter().map(|i| all.labels[*i]).collect(),
        };
        Self { train: part(train), val: part(val), test: part(test) }
    }
}

/// The images of a compressed table; the message names the line that is wrong.
fn decode(compressed: &[u8]) -> Result<Part, String> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(compressed).read_to_string(&mut text).map_err(|e| e.to_string())?;
    let mut all = Part::default();
    for (index, line) in text.lines().enumerate() {
        let wrong = || format!("line {}: not {PIXELS} pixels from 0 to 16 and a digit", index + 1);
        let numbers: Vec<u8> = line
            .split(',')
            .map(|n| n.parse())
            .collect::<Result<_, _>>()
            .map_err(|_: std::num::ParseIntError| wrong())?;
        let Some((label, pixels)) = numbers.split_last().filter(|(_, p)| p.len() == PIXELS) else {
            return Err(wrong());
        };
        if usize::from(*label) >= CLASSES || pixels.iter().any(|p| *p > 16) {
            return Err(wrong());
        }
        all.pixels.extend(pixels.iter().map(|p| f32::from(*p) / 16.0));
        all.labels.push(*label);
    }
    if all.len() == IMAGES { Ok(all) } else { Err(format!("{} images; {IMAGES} are expected", all.len())) }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the one generator of the split and of the reference trainer.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A stream of its own for each list of numbers, such as a seed and an epoch.
    #[must_use]
    pub fn new(key: &[u64]) -> Self {
        let mut stream = Self(0x6a09_e667_f3bc_c908);
        for part in key {
            stream.0 ^= *part;
            stream.0 = stream.bits();
        }
        stream
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next number from 0 (included) to 1 (excluded), in steps of 2⁻²⁴.
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// Puts a list into a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let chosen = (u128::from(self.bits()) * (last as u128 + 1)) >> 64;
            list.swap(last, usize::try_from(chosen).expect("below the length of a list"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(text: &str) -> Vec<u8> {
        use std::io::Write as _;
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text.as_bytes()).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn the_split_is_whole_fixed_and_holds_every_digit() {
        let digits = Digits::load();
        assert_eq!([&digits.train, &digits.val, &digits.test].map(Part::len), PARTS);
        assert_eq!(digits, Digits::load());
        for part in [&digits.train, &digits.val, &digits.test] {
            assert!((0..10).all(|digit| part.labels.contains(&digit)));
            assert!(part.pixels.iter().all(|p| (0.0..=1.0).contains(p)));
        }
        // Pinned: another order would be another data set under the same name.
        assert_eq!(digits.test.labels[..8], SEEN);
    }

    const SEEN: [u8; 8] = [7, 4, 7, 0, 5, 2, 5, 1];

    #[test]
    fn a_broken_table_is_named() {
        assert!(decode(b"no gzip").is_err());
        assert!(decode(&COMPRESSED[..20_000]).is_err());
        assert_eq!(decode(&pack("1,2,3\n")).unwrap_err(), "line 1: not 64 pixels from 0 to 16 and a digit");
        let row = |first: &str, label: &str| format!("{first},{}{label}\n", "0,".repeat(63));
        assert!(decode(&pack(&row("17", "1"))).unwrap_err().starts_with("line 1"));
        assert!(decode(&pack(&(row("1", "1") + &row("1", "10")))).unwrap_err().starts_with("line 2"));
        assert_eq!(decode(&pack(&row("16", "9"))).unwrap_err(), "1 images; 1797 are expected");
    }
}
