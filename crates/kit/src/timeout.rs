//! `grpc-timeout`: how long a caller waits, as the header says it.

use std::time::Duration;

use http::{HeaderName, HeaderValue};

/// The header.
pub const HEADER: HeaderName = HeaderName::from_static("grpc-timeout");

/// Reads the header: at most eight digits and a unit.
pub fn parse(value: &HeaderValue) -> Option<Duration> {
    let (unit, digits) = value.as_bytes().split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    Some(match unit {
        b'H' => Duration::from_secs(number * 3600),
        b'M' => Duration::from_secs(number * 60),
        b'S' => Duration::from_secs(number),
        b'm' => Duration::from_millis(number),
        b'u' => Duration::from_micros(number),
        b'n' => Duration::from_nanos(number),
        _ => return None,
    })
}

/// Writes the header: in milliseconds while eight digits hold them, else in seconds.
pub fn header(left: Duration) -> HeaderValue {
    let text = match left.as_millis() {
        millis @ 0..=99_999_999 => format!("{millis}m"),
        _ => format!("{}S", left.as_secs().min(99_999_999)),
    };
    HeaderValue::try_from(text).expect("digits and a letter are a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_the_protocol_writes_them() {
        let parse = |text| parse(&HeaderValue::from_static(text));
        assert_eq!(parse("200m"), Some(Duration::from_millis(200)));
        assert_eq!(parse("99999999H"), Some(Duration::from_hours(99_999_999)));
        assert_eq!(parse("0n"), Some(Duration::ZERO));
        for wrong in ["", "m", "5", "-5S", "1.5S", "123456789S", "5s", "5 S"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn timeouts_are_written_in_at_most_eight_digits() {
        assert_eq!(header(Duration::from_millis(1500)), "1500m");
        assert_eq!(header(Duration::from_hours(99_999)), "99999999S");
    }
}
