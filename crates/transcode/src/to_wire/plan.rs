//! How each message is read and written, decided once.

use super::names::Names;
use crate::wire::{END, FIXED_32, FIXED_64, LENGTH, START, VARINT, write_tag};
use crate::{Cardinality, Enum, Field, Kind, Message, Presence, Schema, WellKnown};

/// How a message is read.
#[derive(Debug)]
pub(super) struct MessagePlan {
    pub(super) name: Box<str>,
    /// What it is in JSON if it is not an object with its fields.
    pub(super) well_known: Option<WellKnown>,
    /// In the order of their numbers, as in the schema.
    pub(super) fields: Box<[FieldPlan]>,
    /// The fields by their names in JSON and in the proto.
    pub(super) names: Names,
    pub(super) oneofs: Box<[Box<str>]>,
}

/// How a field is read and written.
#[derive(Debug)]
pub(super) struct FieldPlan {
    /// Its key as JSON mostly has it, with its quotes.
    pub(super) quoted: Box<[u8]>,
    pub(super) name: Box<str>,
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) layout: Layout,
    pub(super) tag: Tag,
    /// Of a message between two tags, the second.
    pub(super) end: Option<Tag>,
    /// Whether a zero is not written.
    pub(super) is_implicit: bool,
    /// Whether a `null` is a value, and not the lack of one.
    pub(super) takes_null: bool,
    pub(super) oneof: Option<usize>,
    /// Whether it is an item of a message that has the format from before there were extensions.
    pub(super) in_message_set: bool,
}

/// How many values a field has, and how they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Singular,
    Packed,
    Repeated,
    Map,
}

/// What comes before a value on the wire.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tag {
    bytes: [u8; 5],
    length: u8,
}

/// How the values of an enum are read.
#[derive(Debug)]
pub(super) struct EnumPlan {
    pub(super) name: Box<str>,
    /// The numbers by name, as the bits that they are.
    pub(super) names: Names,
    /// The numbers that there are, sorted, if no other ones are let through.
    pub(super) closed: Option<Box<[i32]>>,
    /// Whether `null` is its only value.
    pub(super) is_null: bool,
}

impl Tag {
    pub(super) fn new(number: u32, wire_type: u32) -> Self {
        let mut written = vec![];
        write_tag(&mut written, number, wire_type);
        let mut bytes = [0; 5];
        bytes[..written.len()].copy_from_slice(&written);
        Self { bytes, length: u8::try_from(written.len()).expect("a tag has five bytes at most") }
    }

    #[inline]
    pub(super) fn write(self, out: &mut Vec<u8>) {
        match self.length {
            1 => out.push(self.bytes[0]),
            2 => out.extend_from_slice(&self.bytes[..2]),
            length => out.extend_from_slice(&self.bytes[..length.into()]),
        }
    }
}

/// The plans of all messages and enums, by their ids.
pub(super) fn compile(schema: &Schema) -> (Box<[MessagePlan]>, Box<[EnumPlan]>) {
    let messages = schema.messages().map(|(_, message)| message_plan(schema, message)).collect();
    (messages, schema.enums().map(|(_, declared)| enum_plan(declared)).collect())
}

fn message_plan(schema: &Schema, message: &Message) -> MessagePlan {
    let fields = || (0..).zip(&message.fields);
    // A name in JSON is found before another field's name in the proto.
    let in_json = fields().map(|(at, field)| (&*field.json_name, at));
    let in_proto = fields().map(|(at, field)| (&*field.name, at));
    MessagePlan {
        name: message.name.clone(),
        well_known: message.well_known,
        fields: message.fields.iter().map(|field| field_plan(schema, message, field)).collect(),
        names: Names::new(in_json.chain(in_proto)),
        oneofs: message.oneofs.iter().map(|oneof| oneof.name.clone()).collect(),
    }
}

fn field_plan(schema: &Schema, message: &Message, field: &Field) -> FieldPlan {
    let layout = match field.cardinality {
        Cardinality::Singular => Layout::Singular,
        Cardinality::Repeated if field.is_packed => Layout::Packed,
        Cardinality::Repeated => Layout::Repeated,
        Cardinality::Map => Layout::Map,
    };
    let wire_type = match layout {
        Layout::Packed => LENGTH,
        _ if field.is_delimited => START,
        _ => wire_type(field.kind),
    };
    FieldPlan {
        quoted: quoted(&field.json_name),
        name: field.json_name.clone(),
        number: field.number,
        kind: field.kind,
        layout,
        tag: Tag::new(field.number, wire_type),
        end: field.is_delimited.then(|| Tag::new(field.number, END)),
        is_implicit: field.presence == Presence::Implicit,
        takes_null: match field.kind {
            Kind::Message(id) => schema[id].well_known == Some(WellKnown::Value),
            Kind::Enum(id) => is_null_value(&schema[id]),
            _ => false,
        },
        oneof: field.oneof,
        in_message_set: message.is_message_set,
    }
}

/// How a single value of a kind is written.
pub(super) fn wire_type(kind: Kind) -> u32 {
    match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => FIXED_64,
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => FIXED_32,
        Kind::String | Kind::Bytes | Kind::Message(_) => LENGTH,
        _ => VARINT,
    }
}

fn enum_plan(declared: &Enum) -> EnumPlan {
    let mut sorted = declared.values.iter().map(|value| value.number).collect::<Box<[_]>>();
    sorted.sort_unstable();
    let names = declared.values.iter().map(|value| (&*value.name, value.number.cast_unsigned()));
    EnumPlan {
        name: declared.name.clone(),
        names: Names::new(names),
        closed: declared.is_closed.then_some(sorted),
        is_null: is_null_value(declared),
    }
}

fn is_null_value(declared: &Enum) -> bool {
    &*declared.name == "google.protobuf.NullValue"
}

/// A name as a JSON string; an option of the field may have put anything into it.
fn quoted(name: &str) -> Box<[u8]> {
    let mut quoted = String::from("\"");
    for letter in name.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\0'..='\x1f' => quoted.push_str(&format!("\\u{:04x}", u32::from(letter))),
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted.into_bytes().into()
}
