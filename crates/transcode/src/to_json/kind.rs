//! The types of values, and how the wire has them.

use super::names::Names;
use super::sink::Text;
use crate::schema::Kind;
use crate::{Options, wire};

/// The type of a value; messages and enums are those of the plans.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
    Enum(usize),
    Message(usize),
    /// With the tag that begins it.
    Group(usize, u32),
}

impl Value {
    pub(super) fn of(kind: Kind, group: Option<u32>) -> Self {
        match kind {
            Kind::Double => Self::Double,
            Kind::Float => Self::Float,
            Kind::Int32 => Self::Int32,
            Kind::Int64 => Self::Int64,
            Kind::Uint32 => Self::Uint32,
            Kind::Uint64 => Self::Uint64,
            Kind::Sint32 => Self::Sint32,
            Kind::Sint64 => Self::Sint64,
            Kind::Fixed32 => Self::Fixed32,
            Kind::Fixed64 => Self::Fixed64,
            Kind::Sfixed32 => Self::Sfixed32,
            Kind::Sfixed64 => Self::Sfixed64,
            Kind::Bool => Self::Bool,
            Kind::String => Self::String,
            Kind::Bytes => Self::Bytes,
            Kind::Enum(id) => Self::Enum(id.0 as usize),
            Kind::Message(id) => match group {
                Some(number) => Self::Group(id.0 as usize, number << 3 | wire::START),
                None => Self::Message(id.0 as usize),
            },
        }
    }

    pub(super) fn wire_type(self) -> u32 {
        match self {
            Self::Double | Self::Fixed64 | Self::Sfixed64 => wire::FIXED_64,
            Self::Float | Self::Fixed32 | Self::Sfixed32 => wire::FIXED_32,
            Self::String | Self::Bytes | Self::Message(_) => wire::LENGTH,
            Self::Group(..) => wire::START,
            _ => wire::VARINT,
        }
    }

    /// The message that it is, if it is one.
    pub(super) fn message(self) -> Option<usize> {
        match self {
            Self::Message(id) | Self::Group(id, _) => Some(id),
            _ => None,
        }
    }

    /// What it is when it is not there; messages are absent then.
    pub(super) fn zero(self, enums: &[Names], options: &Options) -> Option<Text> {
        Some(match self {
            Self::Int64 | Self::Uint64 | Self::Sint64 | Self::Fixed64 | Self::Sfixed64
                if !options.numbers_for_64_bit =>
            {
                Text::new("\"0\"")
            }
            Self::Bool => Text::new("false"),
            Self::String | Self::Bytes => Text::new("\"\""),
            Self::Enum(id) => enums[id].first().clone(),
            Self::Message(_) | Self::Group(..) => return None,
            _ => Text::new("0"),
        })
    }
}
