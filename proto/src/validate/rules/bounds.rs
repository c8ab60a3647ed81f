//! Bounds of numbers and times. What cannot be compared, as NaN, is out of every bound.

use std::fmt::Display;

use crate::validate::{Path, Violations};

/// `value < limit`.
pub fn less_than<T: PartialOrd + Display + Copy>(value: T, limit: T, at: &Path<'_>, out: &mut Violations) {
    hold(value < limit, "less than", &value, &limit, at, out);
}

/// `value <= limit`.
pub fn at_most<T: PartialOrd + Display + Copy>(value: T, limit: T, at: &Path<'_>, out: &mut Violations) {
    hold(value <= limit, "at most", &value, &limit, at, out);
}

/// `value > limit`.
pub fn greater_than<T: PartialOrd + Display + Copy>(value: T, limit: T, at: &Path<'_>, out: &mut Violations) {
    hold(value > limit, "greater than", &value, &limit, at, out);
}

/// `value >= limit`.
pub fn at_least<T: PartialOrd + Display + Copy>(value: T, limit: T, at: &Path<'_>, out: &mut Violations) {
    hold(value >= limit, "at least", &value, &limit, at, out);
}

fn hold<T: Display>(holds: bool, relation: &str, value: &T, limit: &T, at: &Path<'_>, out: &mut Violations) {
    if !holds {
        out.add(at, format_args!("must be {relation} {limit}, is {value}"));
    }
}
