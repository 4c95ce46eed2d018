//! Decimals with 28 significant digits, as Python's `decimal` adds them: float ranges of a sweep are built on them.

use std::cmp::Ordering;

/// Significant digits that a sum keeps.
const PRECISION: usize = 28;

/// A decimal number: digits (most significant first, no leading zeros), times ten to the exponent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i32,
}

impl Decimal {
    /// The exact value of a float; `None` for infinities and NaN.
    pub(super) fn exact(value: f64) -> Option<Self> {
        // Every finite float has at most 1074 digits behind the point.
        value.is_finite().then(|| Self::parse(&format!("{value:.1074}"))).flatten()
    }

    /// Digits with an optional sign and point.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let body = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
        let digits: Option<Vec<u8>> =
            whole.chars().chain(fraction.chars()).map(|c| Some(c.to_digit(10)? as u8)).collect();
        let exponent = -i32::try_from(fraction.len()).ok()?;
        Some(Self { negative: text.starts_with('-'), digits: digits?, exponent }.normal())
    }

    fn normal(mut self) -> Self {
        let zeros = self.digits.iter().take_while(|d| **d == 0).count();
        self.digits.drain(..zeros);
        while self.digits.last() == Some(&0) {
            self.digits.pop();
            self.exponent += 1;
        }
        if self.digits.is_empty() {
            (self.negative, self.exponent) = (false, 0);
        }
        self
    }

    pub(super) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    pub(super) fn is_negative(&self) -> bool {
        self.negative
    }

    /// The nearest float.
    pub(super) fn float(&self) -> f64 {
        let digits: String = self.digits.iter().map(|d| char::from(b'0' + d)).collect();
        let sign = if self.negative { "-" } else { "" };
        let text = if digits.is_empty() { "0".into() } else { format!("{sign}{digits}e{}", self.exponent) };
        text.parse().unwrap_or(f64::NAN)
    }

    /// The sum, rounded half to even.
    pub(super) fn plus(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        let length = self.length_from(exponent).max(other.length_from(exponent)) + 1;
        let (a, b) = (self.aligned(exponent, length), other.aligned(exponent, length));
        let (negative, digits) = if self.negative == other.negative {
            (self.negative, add(&a, &b))
        } else if a >= b {
            (self.negative, subtract(&a, &b))
        } else {
            (other.negative, subtract(&b, &a))
        };
        Self { negative, digits, exponent }.normal().rounded()
    }

    fn length_from(&self, exponent: i32) -> usize {
        self.digits.len() + usize::try_from(self.exponent - exponent).unwrap_or(0)
    }

    /// The digits from `exponent` up, padded with zeros in front.
    fn aligned(&self, exponent: i32, length: usize) -> Vec<u8> {
        let mut digits = vec![0; length - self.length_from(exponent)];
        digits.extend(&self.digits);
        digits.resize(length, 0);
        digits
    }

    fn rounded(mut self) -> Self {
        let extra = self.digits.len().saturating_sub(PRECISION);
        if extra == 0 {
            return self;
        }
        let rest = self.digits.split_off(PRECISION);
        self.exponent += i32::try_from(extra).unwrap_or(0);
        let half = rest[0]
            .cmp(&5)
            .then_with(|| if rest[1..].iter().any(|d| *d > 0) { Ordering::Greater } else { Ordering::Equal });
        let odd = self.digits[PRECISION - 1] % 2 == 1;
        if half == Ordering::Greater || (half == Ordering::Equal && odd) {
            let mut one = vec![0; PRECISION + 1];
            one[PRECISION] = 1;
            let mut padded = vec![0];
            padded.append(&mut self.digits);
            self.digits = add(&padded, &one);
        }
        self.normal()
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let exponent = self.exponent.min(other.exponent);
        let length = self.length_from(exponent).max(other.length_from(exponent));
        let size = self.aligned(exponent, length).cmp(&other.aligned(exponent, length));
        Some(match (self.negative, other.negative) {
            (false, false) => size,
            (true, true) => size.reverse(),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        })
    }
}

fn add(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut sum = vec![0; a.len()];
    let mut carry = 0;
    for i in (0..a.len()).rev() {
        let digit = a[i] + b[i] + carry;
        sum[i] = digit % 10;
        carry = digit / 10;
    }
    sum
}

/// `a - b`, where `a` is not smaller.
fn subtract(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut difference = vec![0; a.len()];
    let mut borrow = 0;
    for i in (0..a.len()).rev() {
        let digit = 10 + a[i] - b[i] - borrow;
        difference[i] = digit % 10;
        borrow = u8::from(digit < 10);
    }
    difference
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_to_28_digits() {
        let tenth = Decimal::exact(0.1).unwrap();
        let mut sum = tenth.clone();
        for _ in 0..9 {
            sum = sum.plus(&tenth);
        }
        assert_eq!(sum.digits.len(), 28);
        assert_eq!(sum.float(), 1.0);
        let minus = Decimal::exact(-0.25).unwrap();
        assert_eq!(minus.plus(&Decimal::parse("1").unwrap()).float(), 0.75);
        assert!(minus < tenth && minus.is_negative());
    }
}
