//! HTTP and JSON to gRPC and back, from descriptors alone: bytes in, bytes out.

mod descriptor;
mod error;
mod options;
mod schema;

pub use descriptor::{CustomHttpPattern, HttpRule, Pattern};
pub use error::Error;
pub use options::Options;
pub use schema::{
    Behavior, Cardinality, Enum, EnumId, EnumValue, Field, File, Kind, Message, MessageId, Method, Oneof,
    Presence, Schema, SchemaError, Service, WellKnown,
};
