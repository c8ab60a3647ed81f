//! The rules for numbers and times.

use prost_types::{Duration, Timestamp};

use crate::protos::testing::v1::{Floats, Implicit, IntegerRules, Integers, Times};
use crate::{broken, check_field};

#[test]
fn every_integer_type_has_bounds() {
    macro_rules! check_bounds {
        ($($field:ident)*) => { $(
            check_field!(Integers.$field, good: [2u8, 9u8], bad: [
                1u8 => "must be at least 2, is 1", 10u8 => "must be at most 9, is 10",
            ]);
        )* };
    }
    check_bounds!(int32_field int64_field uint32_field uint64_field sint32_field sint64_field);
    check_bounds!(fixed32_field fixed64_field sfixed32_field sfixed64_field);
}

#[test]
fn integers_under_the_other_rules() {
    check_field!(IntegerRules.r#const, good: [5], bad: [4 => "must be 5"]);
    check_field!(IntegerRules.between, good: [-4, 4], bad: [
        -5 => "must be greater than -5, is -5", 5 => "must be less than 5, is 5",
    ]);
    check_field!(IntegerRules.r#in, good: [1u64, u64::MAX], bad: [2u64 => "must be one of 1, 18446744073709551615"]);
    check_field!(IntegerRules.not_in, good: [1], bad: [0 => "must be none of -1, 0", -1 => "must be none of -1, 0"]);
    check_field!(IntegerRules.wrapped, good: [1], bad: [0 => "must be at least 1, is 0"]);
}

#[test]
fn zero_counts_where_presence_is_not_tracked() {
    assert!(broken(&Implicit { number: 1, number_or_zero: 0 }).is_empty());
    assert!(broken(&Implicit { number: 1, number_or_zero: 11 }).is_empty());
    assert_eq!(broken(&Implicit::default()), ["number: must be greater than 0, is 0"]);
    let message = Implicit { number: 1, number_or_zero: 10 };
    assert_eq!(broken(&message), ["number_or_zero: must be greater than 10, is 10"]);
}

#[test]
fn floating_point_numbers() {
    check_field!(Floats.r#const, good: [1.5], bad: [1.25 => "must be 1.5", f32::NAN => "must be 1.5"]);
    check_field!(Floats.between, good: [-0.5, 9e20], bad: [
        -0.75 => "must be at least -0.5, is -0.75",
        1e21 => "must be less than 1000000000000000000000, is 1000000000000000000000",
    ]);
    check_field!(Floats.above, good: [0.5, 2.0], bad: [
        0.0 => "must be greater than 0, is 0", 2.5 => "must be at most 2, is 2.5",
    ]);
    check_field!(Floats.r#in, good: [1.0, 2.5], bad: [2.0 => "must be one of 1, 2.5"]);
    check_field!(Floats.not_in, good: [1.0], bad: [0.0 => "must be none of 0", -0.0 => "must be none of 0"]);
    let wrong = "must be a finite number";
    check_field!(Floats.finite, good: [f64::MAX], bad: [f64::NAN => wrong, f64::INFINITY => wrong, -f64::INFINITY => wrong]);
    check_field!(Floats.finite_float, good: [f32::MAX], bad: [f32::NAN => wrong, f32::INFINITY => wrong]);
    check_field!(Floats.not_finite, good: [f64::NAN, f64::INFINITY], bad: []);
}

#[test]
fn what_is_not_a_number_is_out_of_every_bound() {
    let message = Floats { between: Some(f64::NAN), ..Default::default() };
    assert_eq!(
        broken(&message),
        [
            "between: must be less than 1000000000000000000000, is NaN",
            "between: must be at least -0.5, is NaN"
        ]
    );
}

#[test]
fn timestamps() {
    let at = |seconds: i64, nanos| Timestamp { seconds: 946_684_800 + seconds, nanos };
    check_field!(Times.inclusive, good: [at(0, 0), at(10, 0)], bad: [
        at(-1, 999_999_999) => "must be at least 2000-01-01T00:00:00Z, is 1999-12-31T23:59:59.999999999Z",
        at(10, 1) => "must be at most 2000-01-01T00:00:10Z, is 2000-01-01T00:00:10.000000001Z",
    ]);
    check_field!(Times.exclusive, good: [at(0, 1), at(9, 999_999_999)], bad: [
        at(0, 0) => "must be greater than 2000-01-01T00:00:00Z, is 2000-01-01T00:00:00Z",
        at(10, 0) => "must be less than 2000-01-01T00:00:10Z, is 2000-01-01T00:00:10Z",
    ]);
}

#[test]
fn durations() {
    let of = |seconds, nanos| Duration { seconds, nanos };
    check_field!(Times.inclusive_span, good: [of(-1, -500_000_000), of(0, -1), of(60, 0)], bad: [
        of(-1, -500_000_001) => "must be at least -1.500s, is -1.500000001s",
        of(60, 1) => "must be at most 60s, is 60.000000001s",
    ]);
    check_field!(Times.exclusive_span, good: [of(0, 1), of(59, 999_999_999)], bad: [
        of(0, 0) => "must be greater than 0s, is 0s", of(60, 0) => "must be less than 60s, is 60s",
    ]);
}

#[test]
fn times_out_of_range_are_wrong_without_any_rule() {
    let wrong = "must be a time from the year 0001 to 9999, with 0 to 999,999,999 nanos";
    let of = |seconds, nanos| Timestamp { seconds, nanos };
    check_field!(Times.inclusive, good: [], bad: [
        of(253_402_300_800, 0) => wrong, of(-62_135_596_801, 0) => wrong, of(i64::MIN, i32::MIN) => wrong,
        of(946_684_801, -1) => wrong, of(946_684_801, 1_000_000_000) => wrong,
    ]);
    let wrong = "must be at most 10,000 years long, with at most 999,999,999 nanos of the same sign";
    let of = |seconds, nanos| Duration { seconds, nanos };
    check_field!(Times.inclusive_span, good: [], bad: [
        of(315_576_000_001, 0) => wrong, of(-315_576_000_001, 0) => wrong, of(i64::MAX, i32::MAX) => wrong,
        of(1, -1) => wrong, of(-1, 1) => wrong, of(0, 1_000_000_000) => wrong,
    ]);
}
