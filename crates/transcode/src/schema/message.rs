//! Messages and what they are made of.

use bytes::Bytes;

use super::{EnumId, MessageId, WellKnown};

/// A message type.
#[derive(Debug)]
pub struct Message {
    /// Its full name, without a dot before it.
    pub name: Box<str>,
    /// Its fields and extensions by number, which is the order that encoders write them in.
    pub fields: Box<[Field]>,
    /// The oneofs that were written as such; a proto3 `optional` makes none.
    pub oneofs: Box<[Oneof]>,
    /// The type whose JSON is special, if it is one.
    pub well_known: Option<WellKnown>,
    /// Whether it is the entry of a map field.
    pub is_map_entry: bool,
    /// Whether it has the format that came before extensions.
    pub is_message_set: bool,
    /// Whether it should not be used any more.
    pub deprecated: bool,
    /// The comment above it.
    pub comment: Box<str>,
    /// The encoded `buf.validate.message`.
    pub rules: Bytes,
    /// The index of its file in [`Schema::files`](super::Schema::files).
    pub file: usize,
}

/// A field or an extension of a message.
#[derive(Debug)]
pub struct Field {
    /// Its name in the proto; of an extension, the full name in brackets.
    pub name: Box<str>,
    /// Its name in JSON.
    pub json_name: Box<str>,
    /// Its number.
    pub number: u32,
    /// The type of its value, or of each of its values.
    pub kind: Kind,
    /// How many values it has.
    pub cardinality: Cardinality,
    /// Whether its absence can be told from its zero.
    pub presence: Presence,
    /// The index of its oneof in [`Message::oneofs`].
    pub oneof: Option<usize>,
    /// Whether its values are written as one block.
    pub is_packed: bool,
    /// Whether its message is written as a group, between two tags.
    pub is_delimited: bool,
    /// Whether its text must be UTF-8.
    pub is_utf8: bool,
    /// Whether it is an extension.
    pub is_extension: bool,
    /// Whether it should not be used any more.
    pub deprecated: bool,
    /// Its place among the fields as they were declared.
    pub declared: usize,
    /// `google.api.field_behavior`
    pub behavior: Behavior,
    /// The comment above it.
    pub comment: Box<str>,
    /// The encoded `buf.validate.field`.
    pub rules: Bytes,
}

/// How many values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cardinality {
    /// At most one.
    Singular,
    /// A list.
    Repeated,
    /// A map; the kind is the message of its entries, with the fields 1 and 2.
    Map,
}

/// Whether the absence of a field can be told from its zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It can: messages, members of oneofs, `optional`.
    Explicit,
    /// It cannot; lists and maps as well.
    Implicit,
    /// It must be there (proto2).
    Required,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names are those of the types")]
pub enum Kind {
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
    Enum(EnumId),
    Message(MessageId),
}

/// The members of `google.api.field_behavior` that are of use here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names are those of the annotation")]
pub struct Behavior {
    pub required: bool,
    pub output_only: bool,
    pub input_only: bool,
    pub immutable: bool,
    pub identifier: bool,
}

/// Fields of which at most one is set.
#[derive(Debug)]
pub struct Oneof {
    /// Its name.
    pub name: Box<str>,
    /// Its members, as indices into [`Message::fields`].
    pub fields: Box<[usize]>,
    /// The comment above it.
    pub comment: Box<str>,
    /// The encoded `buf.validate.oneof`.
    pub rules: Bytes,
}

impl Message {
    /// The field with a number.
    pub fn field(&self, number: u32) -> Option<&Field> {
        self.fields.binary_search_by_key(&number, |field| field.number).ok().map(|index| &self.fields[index])
    }

    /// The place of the field that a parameter stands for. As in a body, a name in JSON comes before another field's name in the
    /// proto.
    pub(crate) fn parameter(&self, name: &str) -> Option<usize> {
        let place = |of: fn(&Field) -> &str| {
            self.fields.iter().position(|field| !field.is_extension && of(field) == name)
        };
        place(|field| &field.json_name).or_else(|| place(|field| &field.name))
    }

    /// The field with a name, as the proto or as JSON has it.
    pub fn field_named(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| &*field.name == name || &*field.json_name == name)
    }
}
