//! HTTP and JSON to gRPC and back, from descriptors alone: bytes in, bytes out.

mod bind;
mod descriptor;
mod error;
pub mod openapi;
mod options;
mod route;
mod schema;
mod to_json;
mod to_wire;
mod transcoder;
mod wire;

pub use bind::Request;
pub use descriptor::{CustomHttpPattern, HttpRule, Pattern};
pub use error::Error;
pub use options::Options;
pub use route::{Body, Found, Match, Route, Routes, RuleError, Segment, Template, Variable};
pub use schema::{
    Behavior, Cardinality, Enum, EnumId, EnumValue, Field, File, Kind, Message, MessageId, Method, Oneof,
    Presence, Schema, SchemaError, Service, WellKnown,
};
pub use to_json::ToJson;
pub use to_wire::ToWire;
pub use transcoder::Transcoder;
