//! What the generated validators are made of.

mod bounds;
mod formats;
mod lengths;
mod times;
mod unique;

pub use bounds::{at_least, at_most, greater_than, less_than};
pub use formats::{is_email, is_hostname, is_ip, is_uuid};
pub use lengths::{Unit, max_len, min_len, same_len};
pub use times::{Moment, Span};
pub use unique::unique;

use super::{Path, Violations};

/// Text must not contain U+0000, which the database cannot store.
pub fn text(value: &str, at: &Path<'_>, out: &mut Violations) {
    if value.as_bytes().contains(&0) {
        out.add(at, format_args!("must not contain the character U+0000"));
    }
}

/// A rule whose description needs nothing of the value.
pub fn ensure(holds: bool, description: &'static str, at: &Path<'_>, out: &mut Violations) {
    if !holds {
        out.add(at, format_args!("{description}"));
    }
}

/// A compiled pattern of the generated code.
pub fn pattern(expression: &str) -> regex::Regex {
    regex::Regex::new(expression).expect("the build has compiled every pattern")
}

/// A compiled pattern.
pub type Pattern = regex::Regex;
