//! `Timestamp` and `Duration`, which are text in JSON.

use super::fault::{Fault, Parsed, shortened};
use crate::wire::{VARINT, write_tag, write_varint};

/// Appends the fields of a `Timestamp`.
pub(super) fn write_timestamp(text: &str, out: &mut Vec<u8>) -> Parsed {
    let (seconds, nanos) = timestamp(text.as_bytes()).ok_or_else(|| {
        Fault::new(format!("`{}` is not a time such as 2006-01-02T15:04:05Z", shortened(text)))
    })?;
    write(seconds, nanos, out);
    Ok(())
}

/// Appends the fields of a `Duration`.
pub(super) fn write_duration(text: &str, out: &mut Vec<u8>) -> Parsed {
    let (seconds, nanos) = duration(text.as_bytes())
        .ok_or_else(|| Fault::new(format!("`{}` is not a duration such as 1.5s", shortened(text))))?;
    write(seconds, nanos, out);
    Ok(())
}

fn write(seconds: i64, nanos: i32, out: &mut Vec<u8>) {
    for (number, value) in [(1, seconds), (2, nanos.into())] {
        if value != 0 {
            write_tag(out, number, VARINT);
            write_varint(out, value.cast_unsigned());
        }
    }
}

// The first and the last second of the years 1 to 9999.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;

/// The seconds since 1970 and the nanoseconds of a time as in RFC 3339, from the year 1 to the year 9999.
fn timestamp(text: &[u8]) -> Option<(i64, i32)> {
    let (date_and_time, rest) = text.split_first_chunk::<19>()?;
    let mut marks = [4, 7, 10, 13, 16].map(|at| date_and_time[at]).into_iter();
    if !marks.by_ref().eq(*b"--T::") {
        return None;
    }
    let part = |from: usize, to: usize| number(&date_and_time[from..to]);
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    let is_date = year >= 1 && (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (nanos, zone) = fraction(rest)?;
    let ahead = match *zone {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), ref hours @ .., b':', m1, m2] if hours.len() == 2 => {
            let (hours, minutes) = (number(hours)?, number(&[m1, m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if sign == b'-' { -60 } else { 60 }
        }
        _ => return None,
    };
    let seconds = ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - ahead;
    (FIRST..=LAST).contains(&seconds).then_some((seconds, nanos))
}

/// The seconds and the nanoseconds of up to ten thousand years.
fn duration(text: &[u8]) -> Option<(i64, i32)> {
    const LONGEST: i64 = 315_576_000_000;
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        _ => (1, text),
    };
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    if !(1..=12).contains(&end) {
        return None;
    }
    let (nanos, unit) = fraction(&digits[end..])?;
    let seconds = number(&digits[..end])?;
    (seconds <= LONGEST && unit == b"s").then_some((seconds * i64::from(sign), nanos * sign))
}

/// The nanoseconds behind a point, if there is one, and what follows.
fn fraction(text: &[u8]) -> Option<(i32, &[u8])> {
    let [b'.', rest @ ..] = text else { return Some((0, text)) };
    let length = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    if !(1..=9).contains(&length) {
        return None;
    }
    let digits = rest[..length].iter().chain(std::iter::repeat(&b'0')).take(9);
    let nanos = digits.fold(0, |number, digit| number * 10 + i32::from(digit - b'0'));
    Some((nanos, &rest[length..]))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits
        .iter()
        .try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// By years that begin in March, so that the leap day is their last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year / 4 - year / 100 + year / 400;
    before + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_is_one_after_the_one_before() {
        let mut expected = days_since_1970(1, 1, 1);
        assert_eq!(expected * 86_400, -62_135_596_800);
        for year in 1..=9999 {
            for month in 1..=12 {
                for day in 1..=days_of(year, month) {
                    assert_eq!(days_since_1970(year, month, day), expected);
                    expected += 1;
                }
            }
        }
        assert_eq!(days_since_1970(1970, 1, 1), 0);
        assert_eq!(expected * 86_400 - 1, 253_402_300_799);
    }

    #[test]
    fn times() {
        let cases = [
            ("1970-01-01T00:00:00Z", Some((0, 0))),
            ("1969-12-31T23:59:59.9Z", Some((-1, 900_000_000))),
            ("0001-01-01T00:00:00Z", Some((-62_135_596_800, 0))),
            ("9999-12-31T23:59:59.999999999Z", Some((253_402_300_799, 999_999_999))),
            ("1970-01-01T01:30:00+01:30", Some((0, 0))),
            ("1969-12-31T16:00:00-08:00", Some((0, 0))),
            ("2024-02-29T00:00:00.000000001Z", Some((1_709_164_800, 1))),
            ("2023-02-29T00:00:00Z", None),
            ("1900-02-29T00:00:00Z", None),
            ("0000-01-01T00:00:00Z", None),
            ("0001-01-01T00:00:00+00:01", None),
            ("9999-12-31T23:59:59-00:01", None),
            ("1970-00-01T00:00:00Z", None),
            ("1970-13-01T00:00:00Z", None),
            ("1970-01-00T00:00:00Z", None),
            ("1970-01-01T24:00:00Z", None),
            ("1970-01-01T00:60:00Z", None),
            ("1970-01-01T00:00:60Z", None),
            ("1970-01-01t00:00:00Z", None),
            ("1970-01-01T00:00:00z", None),
            ("1970-01-01 00:00:00Z", None),
            ("1970-01-01T00:00:00", None),
            ("1970-01-01T00:00:00.Z", None),
            ("1970-01-01T00:00:00.0000000001Z", None),
            ("1970-01-01T00:00:00+0100", None),
            ("1970-01-01T00:00:00+01", None),
            ("1970-01-01T00:00:00+24:00", None),
            ("1970-01-01T00:00:00+01:60", None),
            ("1970-01-01T00:00:00ZZ", None),
            ("1970-1-1T0:0:0Z", None),
            ("+970-01-01T00:00:00Z", None),
            ("1970-01-01T00:00:00\u{e9}", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(timestamp(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn durations() {
        let cases = [
            ("0s", Some((0, 0))),
            ("-0s", Some((0, 0))),
            ("1.5s", Some((1, 500_000_000))),
            ("-1.5s", Some((-1, -500_000_000))),
            ("-0.000000001s", Some((0, -1))),
            ("315576000000s", Some((315_576_000_000, 0))),
            ("-315576000000.000s", Some((-315_576_000_000, 0))),
            ("315576000000.999999999s", Some((315_576_000_000, 999_999_999))),
            ("315576000001s", None),
            ("9999999999999999999999s", None),
            ("1", None),
            ("s", None),
            ("", None),
            ("-", None),
            (".5s", None),
            ("1.s", None),
            ("1.0000000000s", None),
            ("+1s", None),
            ("--1s", None),
            ("1e2s", None),
            ("1 s", None),
            ("1s ", None),
            ("1m", None),
        ];
        for (text, expected) in cases {
            assert_eq!(duration(text.as_bytes()), expected, "{text}");
        }
    }
}
