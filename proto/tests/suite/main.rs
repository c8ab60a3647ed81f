//! Everything about the protos that the build makes: validators, codec, and what the build refuses.

mod always;
mod codec;
mod contacts;
mod generator;
mod lists;
mod masks;
mod numbers;
mod presence;
mod text;
mod violations;

/// Generated from `tests/protos` as the API is from `selvedge`.
#[allow(
    missing_docs,
    unreachable_pub,
    unused,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    reason = "it is generated, and the generators do not know our lints"
)]
mod protos {
    include!(concat!(env!("OUT_DIR"), "/tests/mod.rs"));
    include!(concat!(env!("OUT_DIR"), "/tests/validators.rs"));
}

use selvedge_proto::{Validate, check};

/// What is wrong with a message, a line for each violation.
fn broken<M: Validate>(message: &M) -> Vec<String> {
    let violations = check(message).err().map(selvedge_proto::Violations::into_vec).unwrap_or_default();
    violations.into_iter().map(|it| format!("{}: {}", it.field, it.description)).collect()
}

/// Checks one field at a time: the good values pass, the bad ones break exactly one rule, with this description.
macro_rules! check_field {
    ($message:ident . $field:ident, good: [$($good:expr),* $(,)?], bad: [$($bad:expr => $description:expr),* $(,)?]) => {
        $({
            let value = $good;
            let shown = format!("{value:?} is good");
            let message = $message { $field: Some(value.into()), ..Default::default() };
            assert_eq!(crate::broken(&message), [""; 0], "{shown}");
        })*
        $({
            let value = $bad;
            let shown = format!("{value:?} is bad");
            let message = $message { $field: Some(value.into()), ..Default::default() };
            let field = stringify!($field).trim_start_matches("r#");
            assert_eq!(crate::broken(&message), [format!("{field}: {}", $description)], "{shown}");
        })*
    };
}
pub(crate) use check_field;
