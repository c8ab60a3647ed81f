//! What the descriptors say, linked: every reference is an index, every inherited feature is resolved.

mod features;
mod fields;
mod link;
mod message;
mod well_known;

use std::collections::HashMap;
use std::ops::Index;

use bytes::Bytes;

use crate::descriptor::HttpRule;
pub use message::{Behavior, Cardinality, Field, Kind, Message, Oneof, Presence};
pub use well_known::WellKnown;

/// All files of one or more `FileDescriptorSet`s.
#[derive(Debug, Default)]
pub struct Schema {
    files: Vec<File>,
    messages: Vec<Message>,
    enums: Vec<Enum>,
    services: Vec<Service>,
    symbols: HashMap<Box<str>, Symbol>,
}

/// Descriptors that do not fit together.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{file}: {problem}")]
pub struct SchemaError {
    /// The file that is wrong.
    pub file: String,
    /// What is wrong with it.
    pub problem: String,
}

/// A message of a [`Schema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub(crate) u32);

/// An enum of a [`Schema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnumId(pub(crate) u32);

/// What a full name stands for, as far as anybody asks.
#[derive(Clone, Copy, Debug)]
struct Symbol {
    file: u32,
    of: SymbolKind,
}

#[derive(Clone, Copy, Debug)]
enum SymbolKind {
    Message(MessageId),
    Enum(EnumId),
    Other,
}

/// A `.proto` file.
#[derive(Debug)]
pub struct File {
    /// Its path, as imports name it.
    pub name: Box<str>,
    /// Its package.
    pub package: Box<str>,
    /// The files that it imports.
    pub dependencies: Box<[Box<str>]>,
    /// The encoded `FileDescriptorProto` as it came, custom options included.
    pub raw: Bytes,
}

/// An enum type.
#[derive(Debug)]
pub struct Enum {
    /// Its full name.
    pub name: Box<str>,
    /// Its values in the order of declaration; of two with one number the first is the one that is written.
    pub values: Box<[EnumValue]>,
    /// Whether numbers that it does not list are unknown fields.
    pub is_closed: bool,
    /// The comment above it.
    pub comment: Box<str>,
}

/// A value of an enum.
#[derive(Debug)]
pub struct EnumValue {
    /// Its name.
    pub name: Box<str>,
    /// Its number.
    pub number: i32,
    /// The comment above it.
    pub comment: Box<str>,
}

/// A gRPC service.
#[derive(Debug)]
pub struct Service {
    /// Its full name.
    pub name: Box<str>,
    /// Its RPCs.
    pub methods: Box<[Method]>,
    /// The comment above it.
    pub comment: Box<str>,
    /// The index of its file in [`Schema::files`].
    pub file: usize,
}

/// An RPC.
#[derive(Debug)]
pub struct Method {
    /// Its name.
    pub name: Box<str>,
    /// Its path on the wire: `/package.Service/Method`.
    pub path: Box<str>,
    /// What it takes.
    pub input: MessageId,
    /// What it answers with.
    pub output: MessageId,
    /// Whether it takes a stream.
    pub client_streaming: bool,
    /// Whether it answers with a stream.
    pub server_streaming: bool,
    /// Whether it changes nothing (`idempotency_level = NO_SIDE_EFFECTS`).
    pub has_no_side_effects: bool,
    /// Whether it should not be used any more.
    pub deprecated: bool,
    /// `google.api.http`
    pub http: Option<HttpRule>,
    /// The comment above it.
    pub comment: Box<str>,
}

impl Schema {
    /// Links encoded `FileDescriptorSet`s; a file that comes several times counts once.
    ///
    /// ```
    /// let schema = selvedge_transcode::Schema::decode(&[&[]]).expect("an empty set is a set");
    /// assert!(schema.services().is_empty());
    /// ```
    pub fn decode(sets: &[&[u8]]) -> Result<Self, SchemaError> {
        link::link(sets)
    }

    /// The files, in the order in which they came.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// The messages; those with the ids from 0 on.
    pub fn messages(&self) -> impl Iterator<Item = (MessageId, &Message)> {
        (0..).map(MessageId).zip(&self.messages)
    }

    /// The enums; those with the ids from 0 on.
    pub fn enums(&self) -> impl Iterator<Item = (EnumId, &Enum)> {
        (0..).map(EnumId).zip(&self.enums)
    }

    /// The services, in the order in which they came.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// The message with a full name.
    pub fn message(&self, name: &str) -> Option<MessageId> {
        match self.symbols.get(name)?.of {
            SymbolKind::Message(id) => Some(id),
            _ => None,
        }
    }

    /// The file with a name.
    pub fn file(&self, name: &str) -> Option<&File> {
        self.files.iter().find(|file| &*file.name == name)
    }

    /// The file that declares a message, field, oneof, enum, enum value, service, method or extension.
    pub fn file_of_symbol(&self, name: &str) -> Option<&File> {
        self.symbols.get(name).map(|symbol| &self.files[symbol.file as usize])
    }

    /// The file that declares the extension of a message with a number.
    pub fn file_of_extension(&self, message: MessageId, number: u32) -> Option<&File> {
        let field = self[message].field(number).filter(|field| field.is_extension)?;
        self.file_of_symbol(field.name.trim_matches(['[', ']']))
    }
}

impl Index<MessageId> for Schema {
    type Output = Message;

    fn index(&self, id: MessageId) -> &Message {
        &self.messages[id.0 as usize]
    }
}

impl Index<EnumId> for Schema {
    type Output = Enum;

    fn index(&self, id: EnumId) -> &Enum {
        &self.enums[id.0 as usize]
    }
}

impl Enum {
    /// The name that is written for a number.
    pub fn name_of(&self, number: i32) -> Option<&str> {
        self.values.iter().find(|value| value.number == number).map(|value| &*value.name)
    }
}
