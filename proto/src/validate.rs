//! Checks messages against the rules in their protos.
//!
//! The build turns the `buf.validate` annotations into an implementation of [`Validate`] for each message. Beyond those
//! rules every message is checked for what must never come in: U+0000 in text (the database cannot store it), a
//! `google.protobuf.Value` without a kind or with a number that JSON cannot say, and times outside of their range.

mod mask;
mod path;
#[doc(hidden)]
pub mod rules;
mod violations;
mod well_known;

pub use mask::Mask;
pub use path::Path;
pub use violations::{Violation, Violations};

/// A message that can be checked against the rules of its proto.
pub trait Validate {
    /// Adds to `out` what is wrong with the message, which stands at `at`.
    fn validate(&self, at: &Path<'_>, out: &mut Violations);
}

/// Checks a message and everything in it. A valid one costs no allocation, but for a large list of unique items.
pub fn check<M: Validate>(message: &M) -> Result<(), Violations> {
    let mut violations = Violations::default();
    message.validate(&Path::root(), &mut violations);
    if violations.is_empty() { Ok(()) } else { Err(violations) }
}
