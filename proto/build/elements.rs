//! Generates the checks of one value, be it a field's, an item, a key or the member of a oneof.

use prost_reflect::{EnumDescriptor, Kind, MessageDescriptor};

use super::names::is_ours;
use super::options::{FieldRules, Ignore};
use super::patterns::Patterns;
use super::rules::rule_checks;

/// The type of a value, as far as rules differ.
pub(crate) enum Type {
    /// A number, with the name of its rules.
    Number(&'static str),
    Bool,
    String,
    Bytes,
    Enum(EnumDescriptor),
    Timestamp,
    Duration,
    /// A message that there are no rules for but those inside of it.
    Message,
}

impl Type {
    /// The type, which for the wrappers in google.protobuf is what they wrap, as it is in Rust.
    pub(crate) fn of(kind: &Kind) -> Result<Self, String> {
        Ok(match kind {
            Kind::Double => Self::Number("double"),
            Kind::Float => Self::Number("float"),
            Kind::Int32 => Self::Number("int32"),
            Kind::Int64 => Self::Number("int64"),
            Kind::Uint32 => Self::Number("uint32"),
            Kind::Uint64 => Self::Number("uint64"),
            Kind::Sint32 => Self::Number("sint32"),
            Kind::Sint64 => Self::Number("sint64"),
            Kind::Fixed32 => Self::Number("fixed32"),
            Kind::Fixed64 => Self::Number("fixed64"),
            Kind::Sfixed32 => Self::Number("sfixed32"),
            Kind::Sfixed64 => Self::Number("sfixed64"),
            Kind::Bool => Self::Bool,
            Kind::String => Self::String,
            Kind::Bytes => Self::Bytes,
            Kind::Enum(descriptor) => Self::Enum(descriptor.clone()),
            Kind::Message(message) => return Self::of_message(message),
        })
    }

    fn of_message(message: &MessageDescriptor) -> Result<Self, String> {
        if is_ours(message) {
            return Ok(Self::Message);
        }
        Ok(match message.full_name() {
            "google.protobuf.DoubleValue" => Self::Number("double"),
            "google.protobuf.FloatValue" => Self::Number("float"),
            "google.protobuf.Int64Value" => Self::Number("int64"),
            "google.protobuf.UInt64Value" => Self::Number("uint64"),
            "google.protobuf.Int32Value" => Self::Number("int32"),
            "google.protobuf.UInt32Value" => Self::Number("uint32"),
            "google.protobuf.BoolValue" => Self::Bool,
            "google.protobuf.StringValue" => Self::String,
            "google.protobuf.BytesValue" => Self::Bytes,
            "google.protobuf.Timestamp" => Self::Timestamp,
            "google.protobuf.Duration" => Self::Duration,
            "google.protobuf.Any"
            | "google.protobuf.Empty"
            | "google.protobuf.FieldMask"
            | "google.protobuf.ListValue"
            | "google.protobuf.Struct"
            | "google.protobuf.Value" => Self::Message,
            name => return Err(format!("fields of type {name} are not supported")),
        })
    }

    /// The name of the rules that fit.
    pub(crate) fn rules_name(&self) -> Option<&'static str> {
        match self {
            Self::Number(name) => Some(name),
            Self::Bool => Some("bool"),
            Self::String => Some("string"),
            Self::Bytes => Some("bytes"),
            Self::Enum(_) => Some("enum"),
            Self::Timestamp => Some("timestamp"),
            Self::Duration => Some("duration"),
            Self::Message => None,
        }
    }

    /// Whether `value` is zero, in Rust. Messages have no zero value.
    pub(crate) fn is_zero(&self) -> String {
        match self {
            Self::Number("double" | "float") => "*value == 0.0",
            Self::Number(_) | Self::Enum(_) => "*value == 0",
            Self::Bool => "!*value",
            Self::String | Self::Bytes => "value.is_empty()",
            Self::Timestamp | Self::Duration | Self::Message => "false",
        }
        .to_owned()
    }

    /// How to compare two values for equality by sorting, in Rust.
    pub(crate) fn order(&self) -> Option<&'static str> {
        match self {
            // The sum makes one zero of the two that there are.
            Self::Number("double" | "float") => Some("|a, b| (a + 0.0).total_cmp(&(b + 0.0))"),
            Self::Number(_) | Self::Bool | Self::String | Self::Bytes | Self::Enum(_) => Some("Ord::cmp"),
            Self::Timestamp | Self::Duration | Self::Message => None,
        }
    }
}

/// The checks of `value`, a reference, at `at`. A zero value may be exempt where presence is not tracked.
pub(crate) fn element_checks(
    ty: &Type,
    rules: &FieldRules,
    is_implicit: bool,
    patterns: &mut Patterns,
) -> Result<Vec<String>, String> {
    let checks = rule_checks(ty, rules, patterns)?;
    let mut code = Vec::new();
    match ty {
        Type::String => code.push("rules::text(value, at, out);".to_owned()),
        // Whoever handles it checks it.
        Type::Message | Type::Timestamp | Type::Duration if rules.ignore == Ignore::Always => {}
        Type::Message | Type::Timestamp | Type::Duration => code.push("value.validate(at, out);".to_owned()),
        Type::Number(_) | Type::Bool | Type::Bytes | Type::Enum(_) => {}
    }
    match rules.ignore {
        Ignore::Always => {}
        Ignore::IfZero if is_implicit && !checks.is_empty() => {
            code.extend(block(&format!("if !({})", ty.is_zero()), checks));
        }
        Ignore::Never | Ignore::IfZero => code.extend(checks),
    }
    Ok(code)
}

/// Puts lines into a block.
pub(crate) fn block(head: &str, body: Vec<String>) -> Vec<String> {
    let mut code = vec![format!("{head} {{").trim_start().to_owned()];
    code.extend(body.into_iter().map(|line| format!("    {line}")));
    code.push("}".to_owned());
    code
}
