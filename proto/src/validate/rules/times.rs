//! Times that can be compared. Only those within the range that their protos document exist here.

use std::fmt::{Display, Formatter};

use prost_types::{Duration, Timestamp};

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
const TIMESTAMP_SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// About 10,000 years in either direction.
const DURATION_SECONDS: std::ops::RangeInclusive<i64> = -315_576_000_000..=315_576_000_000;

const MOST_NANOS: i32 = 999_999_999;

/// A valid timestamp: seconds and nanos.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub struct Moment(pub i64, pub i32);

/// A valid duration: seconds and nanos of the same sign.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub struct Span(pub i64, pub i32);

impl Moment {
    /// The timestamp, if it is valid.
    pub fn of(time: &Timestamp) -> Option<Self> {
        let valid = TIMESTAMP_SECONDS.contains(&time.seconds) && (0..=MOST_NANOS).contains(&time.nanos);
        valid.then_some(Self(time.seconds, time.nanos))
    }
}

impl Span {
    /// The duration, if it is valid.
    pub fn of(time: &Duration) -> Option<Self> {
        let valid = DURATION_SECONDS.contains(&time.seconds)
            && (-MOST_NANOS..=MOST_NANOS).contains(&time.nanos)
            && time.seconds.signum() * i64::from(time.nanos.signum()) >= 0;
        valid.then_some(Self(time.seconds, time.nanos))
    }
}

impl Display for Moment {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        Timestamp { seconds: self.0, nanos: self.1 }.fmt(out)
    }
}

impl Display for Span {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        Duration { seconds: self.0, nanos: self.1 }.fmt(out)
    }
}
