//! Numbers as JSON has them.

use super::fault::Step;
use super::sink::Sink;

/// The two digits of each number below a hundred.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [*b"00"; 100];
    let mut number = 0_u8;
    while number < 100 {
        pairs[number as usize] = [b'0' + number / 10, b'0' + number % 10];
        number += 1;
    }
    pairs
};

/// The last two digits of a number.
#[inline]
pub(super) fn pair(number: u32) -> [u8; 2] {
    PAIRS[(number % 100) as usize]
}

impl Sink {
    #[inline]
    pub(super) fn unsigned(&mut self, number: u64) -> Step {
        match u32::try_from(number) {
            Ok(small @ 0..10) => self.byte(pair(small)[1]),
            Ok(small @ 10..100) => self.head(&pair(small), 2),
            Ok(small @ 100..10_000) => {
                let ([first, second], [third, fourth]) = (pair(small / 100), pair(small));
                if small < 1000 {
                    self.head(&[second, third, fourth], 3)
                } else {
                    self.head(&[first, second, third, fourth], 4)
                }
            }
            _ => self.bytes(itoa::Buffer::new().format(number).as_bytes()),
        }
    }

    #[inline]
    pub(super) fn signed(&mut self, number: i64) -> Step {
        if number < 0 {
            self.byte(b'-')?;
        }
        self.unsigned(number.unsigned_abs())
    }

    pub(super) fn double(&mut self, number: f64) -> Step {
        if let Some(hundredths) = hundredths(number) {
            self.decimals(hundredths)
        } else if number.is_finite() {
            self.shortest(zmij::Buffer::new().format_finite(number))
        } else {
            self.bytes(special(number))
        }
    }

    pub(super) fn float(&mut self, number: f32) -> Step {
        if number.is_finite() {
            self.shortest(zmij::Buffer::new().format_finite(number))
        } else {
            self.bytes(special(f64::from(number)))
        }
    }

    fn decimals(&mut self, hundredths: u32) -> Step {
        self.unsigned(u64::from(hundredths / 100))?;
        match pair(hundredths) {
            [b'0', b'0'] => Ok(()),
            [tenth, b'0'] => self.head(&[b'.', tenth], 2),
            [tenth, hundredth] => self.head(&[b'.', tenth, hundredth], 3),
        }
    }

    fn shortest(&mut self, digits: &str) -> Step {
        self.bytes(digits.strip_suffix(".0").unwrap_or(digits).as_bytes())
    }
}

/// What prices and ratings are: decimals of so few digits that no two of them are the same double, so that none that is
/// shorter can be this number either.
#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what does not fit is found out")]
fn hundredths(number: f64) -> Option<u32> {
    let hundredths = (number * 100.0 + 0.5) as u32;
    let is_it = (f64::from(hundredths) / 100.0).to_bits() == number.to_bits();
    (is_it && (1..u32::MAX).contains(&hundredths)).then_some(hundredths)
}

/// Numbers that JSON does not have are strings.
fn special(number: f64) -> &'static [u8] {
    if number.is_nan() {
        b"\"NaN\""
    } else if number > 0.0 {
        b"\"Infinity\""
    } else {
        b"\"-Infinity\""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Sink) -> Step) -> String {
        let mut sink = Sink::new(vec![], 0, 100);
        write(&mut sink).expect("it is short");
        let end = sink.at();
        String::from_utf8(sink.into_bytes(end)).expect("it is ASCII")
    }

    #[test]
    fn integers_of_all_lengths() {
        for power in 0..20 {
            let ten = 10_u64.pow(power);
            for number in [ten - 1, ten, ten + 1, ten / 5 * 9, u64::MAX / ten] {
                assert_eq!(written(|sink| sink.unsigned(number)), number.to_string());
                let signed = -number.cast_signed().saturating_abs();
                assert_eq!(written(|sink| sink.signed(signed)), signed.to_string());
            }
        }
        assert_eq!(written(|sink| sink.signed(i64::MIN)), i64::MIN.to_string());
    }

    #[test]
    fn decimals_are_what_they_are_by_any_way() {
        for number in (0..50_000).chain(u32::MAX - 1000..=u32::MAX) {
            for number in [f64::from(number) / 100.0, f64::from(number) / 1000.0, f64::from(number) / 64.0] {
                for number in [number.next_down(), number, number.next_up()] {
                    let digits = zmij::Buffer::new().format(number).to_owned();
                    assert_eq!(
                        written(|sink| sink.double(number)),
                        digits.strip_suffix(".0").unwrap_or(&digits)
                    );
                }
            }
        }
    }

    #[test]
    fn floats_are_as_short_as_can_be() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.5, "1.5"),
            (8.0, "8"),
            (0.1, "0.1"),
            (0.01, "0.01"),
            (0.001, "0.001"),
            (7.05, "7.05"),
            (-7.5, "-7.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (42_949_672.94, "42949672.94"),
            (42_949_672.95, "42949672.95"),
            (42_949_672.96, "42949672.96"),
            (1e300, "1e+300"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NAN, "\"NaN\""),
            (f64::INFINITY, "\"Infinity\""),
            (f64::NEG_INFINITY, "\"-Infinity\""),
        ];
        for (number, text) in cases {
            assert_eq!(written(|sink| sink.double(number)), text);
        }
        assert_eq!(written(|sink| sink.float(0.1)), "0.1");
        assert_eq!(written(|sink| sink.float(16_777_216.0)), "16777216");
        assert_eq!(written(|sink| sink.float(f32::NEG_INFINITY)), "\"-Infinity\"");
    }
}
