//! The JSON of timestamps and durations.

use super::fault::{Fault, Step};
use super::number::pair;
use super::writer::Writer;
use crate::wire;

const SECONDS: u32 = 1 << 3 | wire::VARINT;
const NANOS: u32 = 2 << 3 | wire::VARINT;
const DAY: i64 = 86_400;
/// From 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z.
const TIMES: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
/// About 10,000 years.
const LONGEST: u64 = 315_576_000_000;
const BILLION: u32 = 1_000_000_000;

impl Writer<'_> {
    pub(super) fn timestamp(&mut self, pieces: &[&[u8]]) -> Step {
        let (seconds, nanos) = read(pieces)?;
        let nanos = u32::try_from(nanos).ok().filter(|&nanos| nanos < BILLION);
        let (true, Some(nanos)) = (TIMES.contains(&seconds), nanos) else {
            return Err(Fault::new("the time is not one of the years 1 to 9999"));
        };
        let day = seconds.div_euclid(DAY);
        let (year, month, day) = civil(u32::try_from(day + DAYS_BEFORE_1970).expect("checked above"));
        let second = u32::try_from(seconds.rem_euclid(DAY)).expect("it is less than a day");

        let mut text = *b"\"0000-00-00T00:00:00.000000000Z\"";
        text[1..3].copy_from_slice(&pair(year / 100));
        text[3..5].copy_from_slice(&pair(year));
        text[6..8].copy_from_slice(&pair(month));
        text[9..11].copy_from_slice(&pair(day));
        text[12..14].copy_from_slice(&pair(second / 3600));
        text[15..17].copy_from_slice(&pair(second / 60 % 60));
        text[18..20].copy_from_slice(&pair(second % 60));
        let length = fraction(&mut text, 20, nanos);
        text[length] = b'Z';
        text[length + 1] = b'"';
        self.sink.head(&text, length + 2)
    }

    pub(super) fn duration(&mut self, pieces: &[&[u8]]) -> Step {
        let (seconds, nanos) = read(pieces)?;
        let is_mixed = seconds.signum() * i64::from(nanos.signum()) < 0;
        if is_mixed || seconds.unsigned_abs() > LONGEST || nanos.unsigned_abs() >= BILLION {
            return Err(Fault::new("the duration is out of range or has two signs"));
        }
        let sign: &[u8] = if seconds < 0 || nanos < 0 { b"\"-" } else { b"\"" };
        self.sink.bytes(sign)?;
        self.sink.unsigned(seconds.unsigned_abs())?;
        let mut text = [b'.'; 12];
        let length = fraction(&mut text, 0, nanos.unsigned_abs());
        text[length] = b's';
        text[length + 1] = b'"';
        self.sink.head(&text, length + 2)
    }
}

/// Seconds and nanoseconds: both types have them in the same fields.
fn read(pieces: &[&[u8]]) -> Result<(i64, i32), Fault> {
    let (mut seconds, mut nanos) = (0, 0);
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            match wire::tag(&mut rest)? {
                SECONDS => seconds = wire::varint(&mut rest)?.cast_signed(),
                #[expect(clippy::cast_possible_truncation, reason = "that is how the wire says 32 bits")]
                NANOS => nanos = wire::varint(&mut rest)? as i32,
                other => wire::skip(other, &mut rest)?,
            }
        }
    }
    Ok((seconds, nanos))
}

/// Writes a point and 3, 6 or 9 digits, or nothing; gives the place behind it.
fn fraction(text: &mut [u8], at: usize, nanos: u32) -> usize {
    if nanos == 0 {
        return at;
    }
    text[at] = b'.';
    let (millis, micros, rest) = (nanos / 1_000_000, nanos / 1000 % 1000, nanos % 1000);
    for (number, at) in [(millis, at + 1), (micros, at + 4), (rest, at + 7)] {
        text[at] = pair(number / 100)[1];
        text[at + 1..at + 3].copy_from_slice(&pair(number));
    }
    match (micros, rest) {
        (0, 0) => at + 4,
        (_, 0) => at + 7,
        _ => at + 10,
    }
}

/// From 0000-03-01, where years begin that end with the leap day, to 1970-01-01.
const DAYS_BEFORE_1970: i64 = 719_468;

/// The date of a day that is counted from 0000-03-01 (Howard Hinnant, <https://howardhinnant.github.io/date_algorithms.html>).
fn civil(days: u32) -> (u32, u32, u32) {
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u32::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_of_ten_thousand_years() {
        // From 0001-01-01, 306 days after 0000-03-01.
        let (mut year, mut month, mut day) = (1, 1, 1);
        for days in 306..3_652_365 {
            assert_eq!(civil(days), (year, month, day));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 => 28 + u32::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!((year, month, day), (10_000, 1, 1));
    }

    #[test]
    fn fractions_have_three_six_or_nine_digits() {
        let written = |nanos| {
            let mut text = [b'x'; 12];
            let length = fraction(&mut text, 1, nanos);
            String::from_utf8(text[1..length].to_vec()).expect("ASCII")
        };
        let all = [0, 1, 1000, 1_000_000, 120_000_000, 123_456_000, 123_456_789].map(written);
        assert_eq!(all, ["", ".000000001", ".000001", ".001", ".120", ".123456", ".123456789"]);
    }
}
