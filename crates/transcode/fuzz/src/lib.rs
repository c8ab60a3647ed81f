//! What must hold whatever comes in. Each target takes bytes, and panics where something does not.

pub mod codec;
pub mod descriptors;
pub mod json;
pub mod matching;
pub mod query;
pub mod templates;
#[path = "../../tests/support/wire.rs"]
mod twice;
pub mod wire;
