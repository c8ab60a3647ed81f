//! Numbers as JSON has them, exactly.

use std::borrow::Cow;

/// An integer of up to 64 bits, and its sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Integer {
    pub(super) negative: bool,
    pub(super) magnitude: u64,
}

/// Why a number is no integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotInteger {
    Fraction,
    TooLarge,
}

impl Integer {
    #[inline]
    pub(super) fn signed(self, bits: u32) -> Option<i64> {
        let largest = u64::MAX >> (65 - bits);
        if self.magnitude > largest + u64::from(self.negative) {
            return None;
        }
        let value = self.magnitude.cast_signed();
        Some(if self.negative { value.wrapping_neg() } else { value })
    }

    #[inline]
    pub(super) fn unsigned(self, bits: u32) -> Option<u64> {
        let is_inside = self.magnitude <= u64::MAX >> (64 - bits) && !(self.negative && self.magnitude > 0);
        is_inside.then_some(self.magnitude)
    }
}

/// The integer that a text begins with, and its length; nothing if it is not of the simple kind.
#[inline]
pub(super) fn simple_integer(text: &[u8]) -> Option<(Integer, usize)> {
    let negative = text.first() == Some(&b'-');
    let start = usize::from(negative);
    let (magnitude, end) = digits(text, start, 0);
    // 18 digits are always within 64 bits.
    let is_plain = (1..19).contains(&(end - start)) && (text[start] != b'0' || end == start + 1);
    if !is_plain || matches!(text.get(end), Some(b'.' | b'e' | b'E')) {
        return None;
    }
    Some((Integer { negative, magnitude }, end))
}

/// Reads digits behind a number that begins with others; wraps around if they are too many.
#[inline]
fn digits(text: &[u8], mut at: usize, mut number: u64) -> (u64, usize) {
    while let Some(digit) = text.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10) {
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    (number, at)
}

/// The integer that a number of JSON's grammar is, however it is written: `100`, `1e2`, `1.0`, `2000e-3`.
pub(super) fn integer(number: &str) -> Result<Integer, NotInteger> {
    let (negative, whole, fraction, exponent) = parts(number);
    let digits = || whole.bytes().chain(fraction.bytes());
    let leading = digits().take_while(|&digit| digit == b'0').count();
    let trailing = digits().rev().take_while(|&digit| digit == b'0').count();
    let all = whole.len() + fraction.len();
    if leading == all {
        return Ok(Integer { negative, magnitude: 0 });
    }
    let shift = exponent + length(trailing) - length(fraction.len());
    if shift < 0 {
        return Err(NotInteger::Fraction);
    }
    if length(all - leading - trailing) + shift > 20 {
        return Err(NotInteger::TooLarge);
    }
    let zeros = usize::try_from(shift).map_err(|_| NotInteger::TooLarge)?;
    let significant = digits().skip(leading).take(all - leading - trailing);
    significant
        .chain(std::iter::repeat_n(b'0', zeros))
        .try_fold(0u64, |number, digit| number.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
        .map(|magnitude| Integer { negative, magnitude })
        .ok_or(NotInteger::TooLarge)
}

/// The sign of a number, what is before its point and behind it, and its exponent.
fn parts(number: &str) -> (bool, &str, &str, i64) {
    let (negative, number) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // What is written with so many digits is far outside of 64 bits, either way.
    let limit = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
    let exponent = exponent.parse::<i64>().unwrap_or(limit).clamp(i64::MIN / 2, i64::MAX / 2);
    (negative, whole, fraction, exponent)
}

/// The same number, in a form that the standard library reads right: of an exponent it takes the first digits alone, and all
/// of them count where as many zeros make up for it.
#[inline]
pub(super) fn with_short_exponent(number: &str) -> Cow<'_, str> {
    // With fewer zeros, either exponent leads out of all range.
    const FEW: usize = 10_000;
    if number.len() < FEW { Cow::Borrowed(number) } else { Cow::Owned(without_zeros(number)) }
}

#[cold]
fn without_zeros(number: &str) -> String {
    let (negative, whole, fraction, exponent) = parts(number);
    let sign = if negative { "-" } else { "" };
    let all = [whole, fraction].concat();
    let digits = all.trim_start_matches('0');
    let exponent = exponent + length(whole.len()) - length(all.len() - digits.len());
    if digits.is_empty() {
        return format!("{sign}0");
    }
    format!("{sign}0.{digits}e{}", exponent.clamp(-99_999, 99_999))
}

fn length(digits: usize) -> i64 {
    i64::try_from(digits).unwrap_or(i64::MAX / 4)
}

/// A decimal number with few digits, which division makes exact: most of what people write. And its length.
#[inline]
pub(super) fn simple_double(text: &[u8]) -> Option<(f64, usize)> {
    const POWERS: [f64; 16] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let negative = text.first() == Some(&b'-');
    let start = usize::from(negative);
    let (mut mantissa, point) = digits(text, start, 0);
    if point == start || (text[start] == b'0' && point > start + 1) {
        return None;
    }
    let mut end = point;
    if text.get(point) == Some(&b'.') {
        (mantissa, end) = digits(text, point + 1, mantissa);
        if end == point + 1 {
            return None;
        }
    }
    let decimals = end.saturating_sub(point + 1);
    // 15 digits are exact in a double, and so are these powers; one rounding of the quotient is what is asked for.
    if point - start + decimals > 15 || matches!(text.get(end), Some(b'e' | b'E')) {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "fewer than 53 bits")]
    let value = mantissa as f64 / POWERS[decimals];
    Some((if negative { -value } else { value }, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(negative: bool, magnitude: u64) -> Result<Integer, NotInteger> {
        Ok(Integer { negative, magnitude })
    }

    #[test]
    fn integers_however_they_are_written() {
        let cases = [
            ("0", int(false, 0)),
            ("-0", int(true, 0)),
            ("0.000", int(false, 0)),
            ("0e999999999999999999999", int(false, 0)),
            ("1e2", int(false, 100)),
            ("1E+2", int(false, 100)),
            ("-1.0", int(true, 1)),
            ("1.50e1", int(false, 15)),
            ("2000e-3", int(false, 2)),
            ("0.001e3", int(false, 1)),
            ("18446744073709551615", int(false, u64::MAX)),
            ("1844674407370955161.5e1", int(false, u64::MAX)),
            ("18446744073709551616", Err(NotInteger::TooLarge)),
            ("1e20", Err(NotInteger::TooLarge)),
            ("1e999999999999999999999", Err(NotInteger::TooLarge)),
            ("0.5", Err(NotInteger::Fraction)),
            ("1e-1", Err(NotInteger::Fraction)),
            ("1e-999999999999999999999", Err(NotInteger::Fraction)),
            ("10.01e1", Err(NotInteger::Fraction)),
        ];
        for (text, expected) in cases {
            assert_eq!(integer(text), expected, "{text}");
        }
    }

    #[test]
    fn the_fast_way_agrees_with_the_exact_one() {
        for text in ["0", "7", "-7", "42", "999999999999999999", "-999999999999999999"] {
            let fast = simple_integer(text.as_bytes()).expect(text);
            assert_eq!((Ok(fast.0), fast.1), (integer(text), text.len()), "{text}");
        }
        for text in ["", "-", "01", "-01", "1.0", "1e2", "1000000000000000000", "x", "+1"] {
            assert_eq!(simple_integer(text.as_bytes()), None, "{text}");
        }
        assert_eq!(simple_integer(b"12,").map(|(_, length)| length), Some(2));
    }

    #[test]
    fn zeros_make_up_for_an_exponent() {
        let zeros = "0".repeat(1_000_000);
        for (text, expected) in [
            (format!("0.{zeros}1e1000001"), 1.0),
            (format!("-0.{zeros}25E+1000000"), -0.25),
            (format!("15{zeros}e-1000001"), 1.5),
            (format!("-15{zeros}.{zeros}e-1000000"), -15.0),
            (format!("{zeros}.{zeros}e1000000"), 0.0),
            (format!("1{zeros}"), f64::INFINITY),
            (format!("-1{zeros}e-999000"), f64::NEG_INFINITY),
            (format!("0.{zeros}1e99999"), 0.0),
            (format!("1{zeros}e-99999999999999999999"), 0.0),
            (format!("0.{zeros}1e99999999999999999999"), f64::INFINITY),
            (format!("1e-{zeros}1"), 0.1),
        ] {
            let value = with_short_exponent(&text).parse::<f64>().expect("a number");
            assert_eq!(value.to_bits(), expected.to_bits(), "{expected}");
        }
        assert!(with_short_exponent(&format!("-0.{zeros}")).parse::<f64>().is_ok_and(f64::is_sign_negative));
        assert_eq!(with_short_exponent("1e400"), "1e400");
    }

    #[test]
    fn ranges_end_where_the_types_end() {
        let of = |text| integer(text).expect(text);
        assert_eq!(of("2147483647").signed(32), Some(i64::from(i32::MAX)));
        assert_eq!(of("2147483648").signed(32), None);
        assert_eq!(of("-2147483648").signed(32), Some(i64::from(i32::MIN)));
        assert_eq!(of("-2147483649").signed(32), None);
        assert_eq!(of("9223372036854775807").signed(64), Some(i64::MAX));
        assert_eq!(of("9223372036854775808").signed(64), None);
        assert_eq!(of("-9223372036854775808").signed(64), Some(i64::MIN));
        assert_eq!(of("4294967295").unsigned(32), Some(u64::from(u32::MAX)));
        assert_eq!(of("4294967296").unsigned(32), None);
        assert_eq!(of("-0").unsigned(32), Some(0));
        assert_eq!(of("-1").unsigned(64), None);
    }

    #[test]
    fn doubles_are_rounded_as_the_standard_library_does() {
        let mut state = 1u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let digits = (state >> 17) % 10_000_000_000_000_000;
            let decimals = usize::try_from(state % 17).expect("small");
            let whole = digits.to_string();
            let sign = if state & 1 << 60 == 0 { "" } else { "-" };
            let text = if decimals < whole.len() && decimals > 0 {
                let (whole, fraction) = whole.split_at(whole.len() - decimals);
                format!("{sign}{whole}.{fraction}")
            } else {
                format!("{sign}0.{whole:0>decimals$}")
            };
            if let Some((value, length)) = simple_double(text.as_bytes()) {
                let expected = text.parse::<f64>().expect("a number");
                assert_eq!((value.to_bits(), length), (expected.to_bits(), text.len()), "{text}");
            }
        }
        assert_eq!(simple_double(b"-0").map(|(value, _)| value.to_bits()), Some((-0f64).to_bits()));
        for text in ["", "-", ".5", "1.", "01", "1e5", "1.5E1", "1234567890123456.1"] {
            assert_eq!(simple_double(text.as_bytes()), None, "{text}");
        }
    }
}
