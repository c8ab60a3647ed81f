//! The API of Selvedge: messages, clients and servers, generated from the protos next to this crate, and the checks that
//! their annotations ask for.
//!
//! A package `selvedge.<domain>.v1` is the module `<domain>::v1`.

// Generated code names this crate from outside, because the tests include such code as well.
extern crate self as selvedge_proto;

pub mod codec;
pub mod validate;

pub use codec::ERROR_DOMAIN;
pub use generated::selvedge::*;
pub use validate::{Validate, Violation, Violations, check};

/// All protos with their imports, comments and custom options, as an encoded `google.protobuf.FileDescriptorSet`.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/api/descriptors.bin"));

#[allow(
    missing_docs,
    unreachable_pub,
    unused,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    reason = "it is generated, and the generators do not know our lints"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/api/mod.rs"));
    include!(concat!(env!("OUT_DIR"), "/api/validators.rs"));
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_pattern_of_the_api_is_a_valid_expression() {
        // The build checks the patterns with its own copy of the regex crate, which may have more features than ours.
        for pattern in &crate::generated::PATTERNS {
            assert!(!pattern.as_str().is_empty());
        }
    }
}
