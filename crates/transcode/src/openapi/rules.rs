//! `buf.validate`, as far as it can be said of JSON: every number of a field is that of `buf/validate/validate.proto`.

use bytes::Bytes;
use prost::Message;

use super::numbers::Numbers;
use super::rule_types::{
    AnyRules, BoolRules, BytesRules, CelRule, DurationRules, EnumRules, MapRules, RepeatedRules, StringRules,
    TimestampRules,
};
use super::strings;
use crate::schema::{Field, Kind};

/// The rules for a field, or for the items, keys or values of one.
#[derive(Clone, PartialEq, Message)]
pub(super) struct FieldRules {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    float: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    double: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    int32: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "4")]
    int64: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "5")]
    uint32: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "6")]
    uint64: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "7")]
    sint32: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "8")]
    sint64: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "9")]
    fixed32: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "10")]
    fixed64: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "11")]
    sfixed32: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "12")]
    sfixed64: Vec<Bytes>,
    #[prost(message, optional, tag = "13")]
    pub(super) bool: Option<BoolRules>,
    #[prost(message, optional, tag = "14")]
    pub(super) string: Option<StringRules>,
    #[prost(message, optional, tag = "15")]
    pub(super) bytes: Option<BytesRules>,
    #[prost(message, optional, tag = "16")]
    pub(super) r#enum: Option<EnumRules>,
    #[prost(message, optional, boxed, tag = "18")]
    pub(super) repeated: Option<Box<RepeatedRules>>,
    #[prost(message, optional, boxed, tag = "19")]
    pub(super) map: Option<Box<MapRules>>,
    #[prost(message, optional, tag = "20")]
    pub(super) any: Option<AnyRules>,
    #[prost(message, optional, tag = "21")]
    pub(super) duration: Option<DurationRules>,
    #[prost(message, optional, tag = "22")]
    pub(super) timestamp: Option<TimestampRules>,
    /// Rules in a language of their own; what they say for people is all that is read.
    #[prost(message, repeated, tag = "23")]
    pub(super) cel: Vec<CelRule>,
    #[prost(bool, tag = "25")]
    pub(super) required: bool,
    #[prost(int32, tag = "27")]
    pub(super) ignore: i32,
}

const IGNORE_IF_ZERO: i32 = 1;
const IGNORE_ALWAYS: i32 = 3;

impl FieldRules {
    /// Those of a field; none where they never apply, and none where they cannot be read, as a document is no place to
    /// refuse them.
    pub(super) fn of(field: &Field) -> Self {
        match Self::decode(field.rules.clone()) {
            Ok(rules) if rules.ignore != IGNORE_ALWAYS => rules,
            _ => Self::default(),
        }
    }

    /// Whether a zero passes whatever else is asked for.
    pub(super) fn spare_zero(&self) -> bool {
        self.ignore == IGNORE_IF_ZERO
    }

    /// What holds for answers too, which nobody checks: the form of a value, not its limits, and not where it may be empty.
    pub(super) fn form(&self, may_be_empty: bool) -> Self {
        let string =
            self.string.as_ref().map(|rules| StringRules { format: rules.format, ..StringRules::default() });
        let string = string.filter(|form| !(may_be_empty && strings::refuse_empty(form)));
        Self { string, ..Self::default() }
    }

    /// The rules for a number of this kind.
    pub(super) fn numbers(&self, kind: Kind) -> Numbers {
        let raw = match kind {
            Kind::Float => &self.float,
            Kind::Double => &self.double,
            Kind::Int32 => &self.int32,
            Kind::Int64 => &self.int64,
            Kind::Uint32 => &self.uint32,
            Kind::Uint64 => &self.uint64,
            Kind::Sint32 => &self.sint32,
            Kind::Sint64 => &self.sint64,
            Kind::Fixed32 => &self.fixed32,
            Kind::Fixed64 => &self.fixed64,
            Kind::Sfixed32 => &self.sfixed32,
            Kind::Sfixed64 => &self.sfixed64,
            _ => return Numbers::default(),
        };
        // A descriptor may hold one message in several parts, which together are the message.
        Numbers::decode(kind, &raw.concat())
    }
}

/// Whether one of the members of a oneof must be set.
pub(super) fn is_required_oneof(rules: &Bytes) -> bool {
    #[derive(Clone, PartialEq, Message)]
    struct OneofRules {
        #[prost(bool, tag = "1")]
        required: bool,
    }
    OneofRules::decode(rules.clone()).is_ok_and(|rules| rules.required)
}
